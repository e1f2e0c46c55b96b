// A strict S3 on loopback, for tests: real signatures, real digests, real limits, a website beside it, and faults on demand.
// It refuses what S3 refuses, so that a client that passes here has a chance there.

import { createHash, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { receiveBody } from "./s3Body.ts";
import { errorDocument, S3Error } from "./s3Error.ts";
import { makeObjects, type OpenUpload, type StoredObject } from "./s3Objects.ts";
import type { S3Reply } from "./s3Reads.ts";
import { answer, operationOf, type S3Call } from "./s3Requests.ts";
import { checkSignature } from "./s3Signature.ts";
import { answerWebsite } from "./s3Website.ts";

/** A request that came in, and how it was answered. */
export interface S3Request {
  /** As the API reference names it, e.g. "PutObject". */
  readonly operation: string;
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  /** Null while it is under way, and where the connection was cut. */
  status: number | null;
}

/** An answer instead of the real one. The request is read to its end first, and what it asked for is not done, unless the fault comes after it. */
export interface S3Fault {
  readonly status?: number;
  /** S3's error code, e.g. "SlowDown". */
  readonly code?: string;
  /** Sent as Retry-After. */
  readonly retryAfterSeconds?: number;
  /** "before" cuts the connection without an answer, "midBody" after half of a GET's body, "after" when what was asked for is done. */
  readonly hangUp?: "before" | "midBody" | "after";
  /** Has what was asked for done, and is called then, before anything of the answer is sent. */
  readonly onDone?: () => void;
}

/** Refuses the nth PutObject or UploadPart from now on, and as many after it as `times` says (default 1). */
export interface NthPutFault extends S3Fault {
  readonly nthPut: number;
  readonly times?: number;
}

export type S3Faults = ((request: S3Request) => S3Fault | null) | NthPutFault | null;

export interface S3Put {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly contentType: string;
  readonly cacheControl: string | null;
}

export interface S3ServerOptions {
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Default ["site"]; the first is the website's, where the host names none. */
  readonly buckets?: readonly string[];
  readonly region?: string;
  /** Default: any free port. */
  readonly websitePort?: number;
  readonly faults?: S3Faults;
  /** Keys on one page of a list, at most; S3's own bound of 1000 is the default. */
  readonly pageKeys?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface S3Server {
  readonly url: string;
  readonly websiteUrl: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** Objects of a bucket by key, sorted. */
  objects(bucket: string): ReadonlyMap<string, StoredObject>;
  /** Writes or removes an object behind everyone's back. */
  setObject(
    bucket: string,
    key: string,
    body: Uint8Array | string,
    headers?: Record<string, string>,
  ): void;
  removeObject(bucket: string, key: string): void;
  /** Uploads in parts that were left open. */
  openUploads(bucket: string): readonly OpenUpload[];
  /** Successful writes in order; tests may empty it. */
  readonly puts: S3Put[];
  /** All requests in order; tests may empty it. */
  readonly requests: S3Request[];
  setFaults(faults: S3Faults): void;
  close(): Promise<void>;
}

/** Starts the server and its website. */
export async function startS3(options: S3ServerOptions = {}): Promise<S3Server> {
  const accessKeyId = options.accessKeyId ?? "AKIATESTTESTTESTTEST";
  const secretAccessKey = options.secretAccessKey ?? "test-secret";
  const region = options.region ?? "us-east-1";
  const now = options.now ?? Date.now;
  const names = options.buckets ?? ["site"];
  const objects = makeObjects(names, now);
  const folder = await mkdtemp(join(tmpdir(), "hdash-s3-"));
  const requests: S3Request[] = [];
  const puts: S3Put[] = [];
  let faultOf = makeFaults(options.faults ?? null);

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = readTarget(request, objects.bucketNames());
    const { bucket, key, rawPath, pairs } = target;
    const seen = {
      method: request.method ?? "",
      bucket,
      key,
      query: new Map(pairs),
      headers: request.headers,
    };
    const record: S3Request = { ...seen, operation: operationOf(seen), status: null };
    requests.push(record);
    const fault = faultOf(record);
    let reply: S3Reply;
    try {
      const { method } = seen;
      const signed = { method, rawPath, query: pairs, headers: request.headers };
      const payloadHash = checkSignature(signed, {
        accessKeyId,
        secretAccessKey,
        region,
        now: now(),
      });
      const call: S3Call = { ...seen, receive: () => receiveBody(request, payloadHash, folder) };
      if (fault === null || isAnswered(fault)) {
        reply = await answer(call, objects, { pageKeys: options.pageKeys ?? 1000 });
      } else {
        await drain(request);
        if (fault.hangUp === "before") return void response.destroy();
        reply = failure(faultError(fault), request, fault);
      }
    } catch (error) {
      await drain(request);
      if (!(error instanceof S3Error)) throw error;
      reply = failure(error, request, null);
    }
    const { written } = reply;
    if (written !== null) puts.push(putOf(bucket, written));
    fault?.onDone?.();
    if (fault?.hangUp === "after") return void response.destroy();
    record.status = reply.status;
    await send(reply, response, fault?.hangUp === "midBody");
  }

  const api = await listen(listener(serve), 0);
  const website = await listen(
    listener(async (request, response) => {
      await send(answerWebsite(request, objects, names), response, false);
    }),
    options.websitePort ?? 0,
  );
  return {
    url: `http://127.0.0.1:${portOf(api)}`,
    websiteUrl: `http://127.0.0.1:${portOf(website)}`,
    accessKeyId,
    secretAccessKey,
    region,
    objects: (bucket) =>
      new Map([...objects.bucketOf(bucket)].sort(([a], [b]) => (a < b ? -1 : 1))),
    setObject(bucket, key, body, headers = {}) {
      const buffer = Buffer.from(body);
      const md5 = createHash("md5").update(buffer).digest();
      const piece = { bytes: buffer.length, buffer, file: null };
      const kept = { "content-type": "binary/octet-stream", ...headers };
      objects.put(bucket, key, { piece, md5, checksum: null }, kept);
    },
    removeObject: (bucket, key) => void objects.bucketOf(bucket).delete(key),
    openUploads: (bucket) => objects.openUploads(bucket),
    puts,
    requests,
    setFaults(faults) {
      faultOf = makeFaults(faults);
    },
    async close() {
      await Promise.all([api, website].map(closeServer));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Finds bucket and key: from the host ("site.localhost", "site.s3.…") or from the path. */
function readTarget(request: IncomingMessage, buckets: readonly string[]) {
  const url = request.url ?? "/";
  const at = url.indexOf("?");
  const rawPath = at < 0 ? url : url.slice(0, at);
  const pairs = (
    at < 0
      ? []
      : url
          .slice(at + 1)
          .split("&")
          .filter((pair) => pair !== "")
  ).map((pair): [string, string] => {
    const equals = pair.indexOf("=");
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? "" : pair.slice(equals + 1);
    return [decodeURIComponent(name), decodeURIComponent(value)];
  });
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  const virtual = buckets.find((name) => host.startsWith(`${name}.`));
  const path = decodeURIComponent(rawPath.slice(1));
  const slash = path.indexOf("/");
  if (virtual !== undefined) return { rawPath, pairs, bucket: virtual, key: path };
  return slash < 0
    ? { rawPath, pairs, bucket: path, key: "" }
    : { rawPath, pairs, bucket: path.slice(0, slash), key: path.slice(slash + 1) };
}

function makeFaults(faults: S3Faults): (request: S3Request) => S3Fault | null {
  if (faults === null) return () => null;
  if (typeof faults === "function") return faults;
  let puts = 0;
  return ({ operation }) => {
    if (operation !== "PutObject" && operation !== "UploadPart") return null;
    puts += 1;
    const isDue = puts >= faults.nthPut && puts < faults.nthPut + (faults.times ?? 1);
    return isDue ? faults : null;
  };
}

/** Tells whether the real answer is made, whatever becomes of it. */
function isAnswered({ hangUp, onDone }: S3Fault): boolean {
  return hangUp === "midBody" || hangUp === "after" || onDone !== undefined;
}

function faultError({ status = 500, code }: S3Fault): S3Error {
  const usual = status === 403 ? "AccessDenied" : status === 503 ? "SlowDown" : "InternalError";
  return new S3Error(status, code ?? usual, "This answer was asked for by the test.");
}

function failure(error: S3Error, request: IncomingMessage, fault: S3Fault | null): S3Reply {
  const headers = {
    "content-type": "application/xml",
    ...(fault?.retryAfterSeconds === undefined
      ? {}
      : { "retry-after": String(fault.retryAfterSeconds) }),
  };
  const body = errorDocument(error, request.url ?? "/", randomUUID());
  return {
    status: error.status,
    headers,
    body: request.method === "HEAD" || error.status === 304 ? null : body,
    written: null,
  };
}

function putOf(bucket: string, { key, bytes, etag, headers }: StoredObject): S3Put {
  const contentType = headers["content-type"] ?? "";
  return { bucket, key, bytes, etag, contentType, cacheControl: headers["cache-control"] ?? null };
}

async function send(reply: S3Reply, response: ServerResponse, shouldCut: boolean): Promise<void> {
  const { status, body } = reply;
  const text =
    typeof body === "string" ? { "content-length": String(Buffer.byteLength(body)) } : {};
  response.writeHead(status, { "x-amz-request-id": randomUUID(), ...text, ...reply.headers });
  if (body === null || typeof body === "string") return void response.end(body ?? undefined);
  if (!shouldCut) return await pipeline(body, response);
  for await (const data of body) {
    response.write(data.subarray(0, data.length >> 1), () => response.destroy());
    return;
  }
  response.end();
}

/** Reads what is left of a request: an answer to a body that is still coming would be lost. */
async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete && request.readableEnded) return;
  request.resume();
  await new Promise<void>((resolve) => {
    request.once("end", resolve).once("close", resolve);
    if (request.readableEnded || request.destroyed) resolve();
  });
}

/** A request whose client went away, or that we cannot serve, loses its connection. */
function listener(
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): RequestListener {
  return (request, response) => {
    serve(request, response).catch(() => response.destroy());
  };
}

async function listen(handler: RequestListener, port: number): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
