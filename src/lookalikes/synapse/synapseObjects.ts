// The look-alike's object store: signed addresses that expire, and answers like S3's.

import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Content on disk. */
export interface StoredObject {
  readonly path: string;
  readonly bytes: number;
  readonly md5: string;
}

export interface ObjectSigner {
  /** Signs an address path for 15 minutes from `atMs`, and returns it with its query. */
  sign(path: string, atMs: number): string;
  /** Why a signed address is refused at `nowMs`, as S3's code and message; null where it is good. */
  refusal(url: URL, nowMs: number): readonly [code: string, message: string] | null;
}

const LIFETIME_SECONDS = 900;

/** Makes a signer with a key of its own. */
export function makeSigner(): ObjectSigner {
  const key = randomBytes(32);
  const signatureOf = (path: string, query: URLSearchParams): string =>
    createHmac("sha256", key).update(`${path}?${query.toString()}`).digest("hex");
  return {
    sign(path, atMs) {
      const query = new URLSearchParams({
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": "EXAMPLE/us-east-1/s3/aws4_request",
        "X-Amz-Date": new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, ""),
        "X-Amz-Expires": String(LIFETIME_SECONDS),
        "X-Amz-SignedHeaders": "host",
      });
      const signature = signatureOf(path, query);
      query.set("X-Amz-Signature", signature);
      return `${path}?${query.toString()}`;
    },
    refusal(url, nowMs) {
      const query = new URLSearchParams(url.searchParams);
      const given = Buffer.from(query.get("X-Amz-Signature") ?? "");
      query.delete("X-Amz-Signature");
      const right = Buffer.from(signatureOf(url.pathname, query));
      if (given.length !== right.length || !timingSafeEqual(given, right)) {
        return ["SignatureDoesNotMatch", "The request signature we calculated does not match"];
      }
      const date = query.get("X-Amz-Date") ?? "";
      const iso = date.replace(/^(.{4})(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z");
      const isExpired = nowMs > Date.parse(iso) + LIFETIME_SECONDS * 1000;
      return isExpired ? ["AccessDenied", "Request has expired"] : null;
    },
  };
}

/** Measures files, keeping the MD5 of those that did not change. */
export function makeMeasure(): (path: string) => Promise<StoredObject | null> {
  const known = new Map<string, { readonly stamp: string; readonly md5: Promise<string> }>();
  return async (path) => {
    const state = await stat(path).catch(() => null);
    if (state === null) return null;
    const stamp = `${state.mtimeMs}/${state.size}`;
    let entry = known.get(path);
    if (entry === undefined || entry.stamp !== stamp) {
      entry = { stamp, md5: md5OfFile(path) };
      known.set(path, entry);
    }
    return { path, bytes: state.size, md5: await entry.md5 };
  };
}

async function md5OfFile(path: string): Promise<string> {
  const hash = createHash("md5");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Answers with S3's XML for an error. */
export function sendXml(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/xml", ...headers });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  );
}

/** Sends an object or the range that is asked for; on demand only half of it, or with its first byte changed. */
export async function sendObject(
  request: IncomingMessage,
  response: ServerResponse,
  object: StoredObject,
  faults: { readonly isTruncated: boolean; readonly isCorrupt: boolean },
): Promise<void> {
  const asked = askedRange(request.headers.range, object.bytes);
  if (asked === "beyond") {
    sendXml(response, 416, "InvalidRange", "The requested range is not satisfiable", {
      "content-range": `bytes */${object.bytes}`,
    });
    return;
  }
  const { start, last } = asked ?? { start: 0, last: object.bytes - 1 };
  const length = last - start + 1;
  const range = asked === null ? {} : { "content-range": `bytes ${start}-${last}/${object.bytes}` };
  response.writeHead(asked === null ? 200 : 206, {
    "content-type": "text/csv",
    "content-length": length,
    "accept-ranges": "bytes",
    etag: `"${object.md5}"`,
    ...range,
  });
  const sent = faults.isTruncated ? Math.floor(length / 2) : length;
  if (sent > 0) {
    const bytes = createReadStream(object.path, { start, end: start + sent - 1 });
    const steps = faults.isCorrupt ? [bytes, flipFirstByte()] : [bytes];
    await pipeline([...steps, response], { end: false });
  }
  if (faults.isTruncated) await breakOff(response);
  else response.end();
}

/** Which bytes a Range asks for: null for all, as object stores also answer what they do not understand. */
function askedRange(
  header: string | undefined,
  bytes: number,
): { readonly start: number; readonly last: number } | "beyond" | null {
  const match = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/.exec(header ?? "");
  if (match === null) return null;
  const [, from, to, tail] = match;
  if (from !== undefined && to && Number(to) < Number(from)) return null;
  const start = from === undefined ? Math.max(0, bytes - Number(tail)) : Number(from);
  const last = Math.min(bytes - 1, to ? Number(to) : bytes - 1);
  return start > last || tail === "0" ? "beyond" : { start, last };
}

/** Breaks the connection once what was written so far has left. */
export async function breakOff(response: ServerResponse): Promise<void> {
  response.flushHeaders();
  await new Promise<void>((resolve) => {
    response.write("", () => resolve());
  });
  // Ends instead of destroying, so that the bytes above still arrive; what was promised beyond them never does.
  response.socket?.end();
}

function flipFirstByte(): Transform {
  let isFirst = true;
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const changed = isFirst ? Buffer.from(piece) : piece;
      if (isFirst && changed.length > 0) changed[0] = (changed[0] ?? 0) ^ 1;
      isFirst = false;
      done(null, changed);
    },
  });
}
