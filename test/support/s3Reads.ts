// Answers that read an object: GET and HEAD with conditions and ranges, for the API and for the website.

import type { IncomingHttpHeaders } from "node:http";

import { readPieces, type ReceivedBody } from "./s3Body.ts";
import { S3Error } from "./s3Error.ts";
import { etagMatches, preconditionFailed, type StoredObject } from "./s3Objects.ts";

export interface S3Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | AsyncIterable<Uint8Array> | null;
  /** The object that was written, where one was. */
  readonly written: StoredObject | null;
}

/** Answers GET and HEAD of an object, with conditions and range: the API's and the website's. */
export function get(
  call: {
    readonly method: string;
    readonly query: ReadonlyMap<string, string>;
    readonly headers: IncomingHttpHeaders;
  },
  object: StoredObject,
  status = 200,
): S3Reply {
  const { headers, method, query } = call;
  const modified = Math.floor(object.modifiedAt / 1000) * 1000;
  const common: Record<string, string> = {
    ...etagHeader(object),
    "last-modified": new Date(modified).toUTCString(),
    "accept-ranges": "bytes",
  };
  const ifMatch = headers["if-match"];
  const ifNoneMatch = headers["if-none-match"];
  if (ifMatch !== undefined) {
    if (!etagMatches(ifMatch, object.etag)) throw preconditionFailed("If-Match");
  } else if (modified > Date.parse(headers["if-unmodified-since"] ?? "")) {
    throw preconditionFailed("If-Unmodified-Since");
  }
  if (ifNoneMatch !== undefined) {
    if (etagMatches(ifNoneMatch, object.etag)) return reply(304, common);
  } else if (modified <= Date.parse(headers["if-modified-since"] ?? "")) {
    return reply(304, common);
  }
  const overrides = [...query]
    .filter(([name]) => name.startsWith("response-"))
    .map(([name, value]) => [name.slice("response-".length), value] as const);
  const full = { ...common, ...object.headers, ...Object.fromEntries(overrides) };
  const range = status === 200 ? readRange(headers.range, object.bytes) : null;
  if (range === null) {
    const withChecksum =
      headers["x-amz-checksum-mode"] === "ENABLED" ? checksumHeaders(object) : {};
    return {
      ...reply(status, { ...full, ...withChecksum, "content-length": String(object.bytes) }),
      body: method === "HEAD" ? null : readPieces(object.pieces, 0, object.bytes - 1),
    };
  }
  const [first, last] = range;
  return {
    ...reply(206, {
      ...full,
      "content-range": `bytes ${first}-${last}/${object.bytes}`,
      "content-length": String(last - first + 1),
    }),
    body: method === "HEAD" ? null : readPieces(object.pieces, first, last),
  };
}

/** Reads a Range header; null: the whole object, as for a header that is not understood. */
function readRange(header: string | undefined, bytes: number): readonly [number, number] | null {
  const parts = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  const [, from = "", to = ""] = parts ?? [];
  if (parts === null || (from === "" && to === "")) return null;
  const first = from === "" ? Math.max(bytes - Number(to), 0) : Number(from);
  const last = from === "" || to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return null;
  if (first <= last) return [first, last];
  throw new S3Error(416, "InvalidRange", "The requested range is not satisfiable", {
    RangeRequested: String(header),
    ActualObjectSize: String(bytes),
  });
}

/** The ETag as a header. */
export function etagHeader(object: StoredObject): Record<string, string> {
  return { etag: `"${object.etag}"` };
}

/** The checksum as headers; none where there is none. */
export function checksumHeaders({
  checksum,
}: Pick<ReceivedBody, "checksum">): Record<string, string> {
  if (checksum === null) return {};
  return {
    [`x-amz-checksum-${checksum.name}`]: checksum.value,
    "x-amz-checksum-type": checksum.value.includes("-") ? "COMPOSITE" : "FULL_OBJECT",
  };
}

/** Makes an answer without a body. */
export function reply(status: number, headers: Readonly<Record<string, string>> = {}): S3Reply {
  return { status, headers, body: null, written: null };
}
