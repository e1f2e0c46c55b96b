// The look-alike of where services keep their files: signed or public addresses, ranges as object stores know them, faults on demand.

import { createReadStream } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

import { meetsTrouble } from "./jsonService.ts";
import { listen } from "./listen.ts";
import type { FileFaults, Occasions } from "./occasions.ts";
import {
  breakOff,
  makeMeasure,
  makeSigner,
  sendXml,
  type StoredObject,
} from "./synapse/synapseObjects.ts";

export interface FileStoreOptions {
  readonly host: string;
  /** Signed addresses end after 15 minutes; public ones never do. */
  readonly isSigned: boolean;
  readonly now: () => number;
  readonly occasions: () => Occasions<FileFaults>;
}

/** What was asked of the store. */
export interface FileCounts {
  /** Requests for files, and how many of them were for a range and got one. */
  file: number;
  range: number;
  /** Bytes of content that were sent. */
  bytes: number;
}

export interface FileStore {
  readonly counts: Readonly<FileCounts>;
  /** One sentence for each request that was wrong, oldest first. */
  readonly wrong: readonly string[];
  /** Makes the address of a file on disk, good from now on. */
  addressOf(path: string, name: string): string;
  close(): Promise<void>;
}

const ROUTE = "file";
/** A quarter of an hour and a minute: an address signed so long ago has expired. */
const LONG_AGO_MS = 16 * 60 * 1000;

/** What a request wants of a file: all of it, some of it, or what is not there. */
type Extent =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly start: number; readonly last: number }
  | { readonly kind: "beyond" };

const WHOLE: Extent = { kind: "whole" };

/** Starts a store on a port of its own: to clients it is another host than the service's. */
export async function startFileStore(options: FileStoreOptions): Promise<FileStore> {
  const counts: FileCounts = { file: 0, range: 0, bytes: 0 };
  const wrong: string[] = [];
  const signer = makeSigner();
  const measure = makeMeasure();
  const keyOf = new Map<string, string>();
  const pathOf = new Map<string, string>();

  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? "/", url);
    counts.file++;
    const refuse = (status: number, code: string, message: string): void => {
      wrong.push(`${request.method} ${at.pathname}: ${message}`);
      sendXml(response, status, code, message);
    };
    const occasions = options.occasions();
    if (await meetsTrouble(request, response, occasions, ROUTE)) return;
    if (request.method !== "GET" && request.method !== "HEAD") {
      refuse(405, "MethodNotAllowed", "The specified method is not allowed against this resource");
      return;
    }
    if (request.headers.authorization !== undefined) {
      refuse(400, "InvalidArgument", "Only one auth mechanism allowed");
      return;
    }
    const refusal = options.isSigned ? signer.refusal(at, options.now()) : null;
    if (refusal !== null) {
      // That an address expires is nobody's fault; that it was changed is.
      if (refusal[0] === "AccessDenied") sendXml(response, 403, ...refusal);
      else refuse(403, ...refusal);
      return;
    }
    const stored = await measure(pathOf.get(at.pathname) ?? "");
    if (stored === null) {
      refuse(404, "NoSuchKey", "The specified key does not exist.");
      return;
    }
    await send(request, response, stored, occasions);
  }

  async function send(
    request: IncomingMessage,
    response: ServerResponse,
    stored: StoredObject,
    { faults, strikes }: Occasions<FileFaults>,
  ): Promise<void> {
    const etag = strikes("moved", ROUTE) ? `"${stored.md5}-${counts.file}"` : `"${stored.md5}"`;
    const ifMatch = request.headers["if-match"];
    if (ifMatch !== undefined && ifMatch !== "*" && ifMatch !== etag) {
      sendXml(response, 412, "PreconditionFailed", "At least one of the conditions did not hold");
      return;
    }
    const hasNoRanges = strikes("noRanges", ROUTE);
    const range = hasNoRanges ? undefined : request.headers.range;
    const extent = isCurrent(request, etag, wrong) ? extentOf(range, stored.bytes, wrong) : WHOLE;
    if (extent.kind === "beyond" || (extent.kind === "part" && strikes("refuseRanges", ROUTE))) {
      sendXml(response, 416, "InvalidRange", "The requested range is not satisfiable", {
        "content-range": `bytes */${stored.bytes}`,
      });
      return;
    }
    const [start, last] =
      extent.kind === "part" ? [extent.start, extent.last] : [0, stored.bytes - 1];
    const length = last - start + 1;
    if (extent.kind === "part") counts.range++;
    response.writeHead(extent.kind === "part" ? 206 : 200, {
      "content-type": "application/octet-stream",
      "content-length": length,
      etag,
      ...(hasNoRanges ? {} : { "accept-ranges": "bytes" }),
      ...(extent.kind === "part"
        ? { "content-range": `bytes ${start}-${last}/${stored.bytes}` }
        : {}),
    });
    if (request.method === "HEAD" || length === 0) {
      response.end();
      return;
    }
    const isCut = strikes("cut", ROUTE);
    const isStalled = strikes("stall", ROUTE);
    const sent = Math.min(
      length,
      isCut ? (faults.cut?.afterBytes ?? 0) : length,
      isStalled ? (faults.stall?.afterBytes ?? 0) : length,
    );
    if (sent > 0) {
      const content = createReadStream(stored.path, { start, end: start + sent - 1 });
      const flipped = strikes("corrupt", ROUTE) ? (stored.bytes >> 1) - start : -1;
      await pipeline(content, tap(counts, flipped), response, { end: false });
    }
    if (isCut) await breakOff(response);
    else if (!isStalled) response.end();
    else response.flushHeaders();
  }

  const url = await listen(server, options.host, 0);
  return {
    counts,
    wrong,
    addressOf(path, name) {
      const key = keyOf.get(path) ?? `/files/${keyOf.size}/${encodeURIComponent(name)}`;
      keyOf.set(path, key);
      pathOf.set(key, path);
      if (!options.isSigned) return url + key;
      const age = options.occasions().strikes("expired", ROUTE) ? LONG_AGO_MS : 0;
      return url + signer.sign(key, options.now() - age);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Counts what passes, and flips a bit of the byte at the given place. */
function tap(counts: FileCounts, flippedAt: number): Transform {
  let place = 0;
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const at = flippedAt - place;
      if (at >= 0 && at < piece.length) piece[at] = (piece[at] ?? 0) ^ 1;
      place += piece.length;
      counts.bytes += piece.length;
      done(null, piece);
    },
  });
}

/** Tells whether a range still fits what the client has: always, unless it says If-Range with another ETag. */
function isCurrent(request: IncomingMessage, etag: string, wrong: string[]): boolean {
  const ifRange = request.headers["if-range"];
  if (ifRange === undefined) return true;
  const said = String(ifRange);
  if (request.headers.range === undefined) wrong.push("If-Range came without a Range");
  else if (!/^"[^"]*"$/.test(said)) wrong.push(`If-Range ${said} is not a strong ETag`);
  return said === etag;
}

/** Reads what a Range asks for. */
function extentOf(range: string | undefined, bytes: number, wrong: string[]): Extent {
  if (range === undefined) return WHOLE;
  const match = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/.exec(range);
  const [from, to, tail] = [match?.[1], match?.[2], match?.[3]];
  if (match === null || (from !== undefined && to && Number(to) < Number(from))) {
    // Object stores answer what they do not understand as if it had not been asked.
    wrong.push(`Range ${range} is not one range of bytes`);
    return WHOLE;
  }
  const start = from === undefined ? Math.max(0, bytes - Number(tail)) : Number(from);
  const last = Math.min(bytes - 1, to ? Number(to) : bytes - 1);
  return start > last || tail === "0" ? { kind: "beyond" } : { kind: "part", start, last };
}
