// Receives bodies as S3 does: takes aws-chunked apart, checks every digest that was sent along, keeps small ones in memory and
// large ones in files.

import { createHash, type Hash, randomUUID } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { S3Error } from "./s3Error.ts";

/** Bytes that were received: in memory or in a file. */
export interface Piece {
  readonly bytes: number;
  readonly buffer: Buffer | null;
  readonly file: string | null;
}

export type ChecksumName = "crc32" | "crc32c" | "sha1" | "sha256";

export interface Checksum {
  readonly name: ChecksumName;
  /** Base64; a multipart object's ends in "-<parts>". */
  readonly value: string;
}

export interface ReceivedBody {
  readonly piece: Piece;
  readonly md5: Buffer;
  readonly checksum: Checksum | null;
}

const CHECKSUM_NAMES: readonly ChecksumName[] = ["crc32", "crc32c", "sha1", "sha256"];
/** Larger bodies go to a file. */
const MEMORY_BYTES = 1024 * 1024;
/** S3 takes no larger body in one request. */
const MAX_BODY_BYTES = 5 * 1024 ** 3;
/** All chunks but the last must have as much. */
const MIN_CHUNK_BYTES = 8192;
const UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/** Receives the body of a request whose signature covers `payloadHash`; throws S3Error as S3 would answer. */
export async function receiveBody(
  request: IncomingMessage,
  payloadHash: string,
  folder: string,
): Promise<ReceivedBody> {
  const { headers } = request;
  const isChunked = payloadHash.startsWith("STREAMING-");
  const declared = declaredChecksum(headers);
  checkLength(headers, isChunked, payloadHash);
  const contentMd5 = readContentMd5(headers);
  const trailers = new Map<string, string>();
  // The request must survive a refusal, or the answer could not be read: no destroy when we stop early.
  const wire = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const source = isChunked ? dechunk(wire, trailers) : wire;
  const hashes = { md5: createHash("md5"), sha256: createHash("sha256") };
  const checksum = declared === null ? null : startChecksum(declared.name);
  const piece = await keep(source, folder, (data) => {
    hashes.md5.update(data);
    hashes.sha256.update(data);
    checksum?.update(data);
  });
  if (isChunked && piece.bytes !== Number(headers["x-amz-decoded-content-length"])) {
    throw incomplete();
  }
  const md5 = hashes.md5.digest();
  if (contentMd5 !== null && !contentMd5.equals(md5)) {
    throw new S3Error(
      400,
      "BadDigest",
      "The Content-MD5 you specified did not match what we received.",
    );
  }
  const sha256 = hashes.sha256.digest("hex");
  if (/^[0-9a-f]{64}$/.test(payloadHash) && payloadHash !== sha256) {
    throw new S3Error(
      400,
      "XAmzContentSHA256Mismatch",
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
      { ClientComputedContentSHA256: payloadHash, S3ComputedContentSHA256: sha256 },
    );
  }
  if (declared === null || checksum === null) return { piece, md5, checksum: null };
  const value = checksum.digest();
  const given = declared.value ?? trailers.get(`x-amz-checksum-${declared.name}`);
  if (given === undefined) {
    throw new S3Error(
      400,
      "MalformedTrailerError",
      "The request contained trailing data that was not well-formed",
    );
  }
  if (given !== value) {
    const name = declared.name.toUpperCase();
    throw new S3Error(
      400,
      "BadDigest",
      `The ${name} you specified did not match the calculated checksum.`,
    );
  }
  return { piece, md5, checksum: { name: declared.name, value } };
}

/** Reads a stretch of pieces, both ends included. */
export async function* readPieces(
  pieces: readonly Piece[],
  first: number,
  last: number,
): AsyncGenerator<Buffer> {
  let start = 0;
  for (const { bytes, buffer, file } of pieces) {
    const from = Math.max(first - start, 0);
    const to = Math.min(last - start, bytes - 1);
    start += bytes;
    if (from > to) continue;
    if (buffer !== null) yield buffer.subarray(from, to + 1);
    if (file !== null) {
      for await (const data of createReadStream(file, { start: from, end: to }))
        yield data as Buffer;
    }
  }
}

/** Reads pieces whole, for tests. */
export function bytesOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(
    pieces.map(
      ({ buffer, file }) => buffer ?? (file === null ? Buffer.alloc(0) : readFileSync(file)),
    ),
  );
}

/** Digests with one of S3's checksums; base64. */
export function checksumOf(name: ChecksumName, data: Uint8Array): string {
  const checksum = startChecksum(name);
  checksum.update(data);
  return checksum.digest();
}

function checkLength(headers: IncomingHttpHeaders, isChunked: boolean, payloadHash: string): void {
  if (isChunked && payloadHash !== UNSIGNED_TRAILER) {
    throw new S3Error(
      501,
      "NotImplemented",
      `This look-alike takes no body of the form ${payloadHash}`,
    );
  }
  const isKnownForm = isChunked || /^([0-9a-f]{64}|UNSIGNED-PAYLOAD)$/.test(payloadHash);
  if (!isKnownForm) {
    throw new S3Error(
      400,
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-…, or a valid sha256 value.",
    );
  }
  const encodings = (headers["content-encoding"] ?? "").split(",").map((name) => name.trim());
  if (isChunked !== encodings.includes("aws-chunked")) {
    throw new S3Error(
      400,
      "InvalidRequest",
      "aws-chunked and x-amz-content-sha256 contradict each other",
    );
  }
  const length = isChunked ? headers["x-amz-decoded-content-length"] : headers["content-length"];
  if (length === undefined) {
    throw new S3Error(
      411,
      "MissingContentLength",
      "You must provide the Content-Length HTTP header.",
    );
  }
  if (Number(length) > MAX_BODY_BYTES) {
    throw new S3Error(
      400,
      "EntityTooLarge",
      "Your proposed upload exceeds the maximum allowed size",
    );
  }
}

function readContentMd5(headers: IncomingHttpHeaders): Buffer | null {
  const given = headers["content-md5"];
  if (given === undefined) return null;
  const md5 = Buffer.from(String(given), "base64");
  if (md5.length === 16 && md5.toString("base64") === given) return md5;
  throw new S3Error(400, "InvalidDigest", "The Content-MD5 you specified was invalid.");
}

/** Finds the one checksum that the request announces; its value is null where it comes in the trailer. */
function declaredChecksum(
  headers: IncomingHttpHeaders,
): { readonly name: ChecksumName; readonly value: string | null } | null {
  const inHeaders = Object.keys(headers)
    .filter((name) => /^x-amz-checksum-(?!algorithm$|mode$|type$)/.test(name))
    .map((name) => ({ name: name.slice("x-amz-checksum-".length), value: String(headers[name]) }));
  const trailer = headers["x-amz-trailer"];
  const inTrailer =
    trailer === undefined
      ? []
      : [{ name: String(trailer).toLowerCase().replace("x-amz-checksum-", ""), value: null }];
  const [found, second] = [...inHeaders, ...inTrailer];
  if (second !== undefined) {
    throw invalidRequest(
      "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    );
  }
  const announced = headers["x-amz-sdk-checksum-algorithm"];
  if (announced !== undefined && String(announced).toLowerCase() !== found?.name) {
    throw invalidRequest(
      "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
    );
  }
  if (found === undefined) return null;
  const name = CHECKSUM_NAMES.find((known) => known === found.name);
  if (name === undefined) {
    throw new S3Error(
      501,
      "NotImplemented",
      `This look-alike does not know the checksum ${found.name}`,
    );
  }
  const { value } = found;
  if (value !== null && !isChecksum(name, value)) {
    throw invalidRequest(`Value for x-amz-checksum-${name} header is invalid.`);
  }
  return { name, value };
}

function isChecksum(name: ChecksumName, value: string): boolean {
  const bytes = Buffer.from(value, "base64");
  return (
    bytes.toString("base64") === value &&
    bytes.length === { crc32: 4, crc32c: 4, sha1: 20, sha256: 32 }[name]
  );
}

function startChecksum(name: ChecksumName): { update(data: Uint8Array): void; digest(): string } {
  if (name === "sha1" || name === "sha256") {
    const hash: Hash = createHash(name);
    return { update: (data) => void hash.update(data), digest: () => hash.digest("base64") };
  }
  let value = 0;
  return {
    update(data) {
      value = name === "crc32" ? crc32(data, value) : crc32c(data, value);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes.toString("base64");
    },
  };
}

/** CRC-32C (Castagnoli), bit by bit: only tests of small bodies use it. */
function crc32c(data: Uint8Array, start: number): number {
  let crc = ~start;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

async function keep(
  source: AsyncIterable<Buffer>,
  folder: string,
  onData: (data: Buffer) => void,
): Promise<Piece> {
  const held: Buffer[] = [];
  let file: { readonly path: string; readonly handle: FileHandle } | null = null;
  let bytes = 0;
  try {
    for await (const data of source) {
      onData(data);
      bytes += data.length;
      held.push(data);
      if (bytes <= MEMORY_BYTES) continue;
      if (file === null) {
        const path = join(folder, randomUUID());
        file = { path, handle: await open(path, "wx") };
      }
      await file.handle.writeFile(Buffer.concat(held.splice(0)));
    }
  } finally {
    await file?.handle.close();
  }
  return file === null
    ? { bytes, buffer: Buffer.concat(held), file: null }
    : { bytes, buffer: null, file: file.path };
}

/** Takes `<hex length>\r\n<data>\r\n … 0\r\n<trailer>:<value>\r\n\r\n` apart. */
async function* dechunk(
  source: AsyncIterable<Buffer>,
  trailers: Map<string, string>,
): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<void> => {
    const next = await iterator.next();
    if (next.done === true) throw incomplete();
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
  };
  const line = async (): Promise<string> => {
    for (;;) {
      const end = held.indexOf("\r\n");
      if (end >= 0) {
        const text = held.toString("latin1", 0, end);
        held = held.subarray(end + 2);
        return text;
      }
      if (held.length > MIN_CHUNK_BYTES) throw incomplete();
      await more();
    }
  };
  try {
    let previous = MIN_CHUNK_BYTES;
    for (;;) {
      const header = await line();
      if (!/^[0-9a-fA-F]{1,10}$/.test(header)) throw incomplete();
      let left = Number.parseInt(header, 16);
      if (left > 0 && previous < MIN_CHUNK_BYTES) {
        throw new S3Error(
          403,
          "InvalidChunkSizeError",
          "Only the last chunk is allowed to have a size less than 8192 bytes",
        );
      }
      if (left === 0) break;
      previous = left;
      while (left > 0) {
        if (held.length === 0) await more();
        const data = held.subarray(0, left);
        held = held.subarray(data.length);
        left -= data.length;
        yield data;
      }
      if ((await line()) !== "") throw incomplete();
    }
    for (let text = await line(); text !== ""; text = await line()) {
      const at = text.indexOf(":");
      trailers.set(text.slice(0, at).trim().toLowerCase(), text.slice(at + 1).trim());
    }
  } finally {
    // An iterator that is left open would keep the request from being drained.
    await iterator.return?.();
  }
}

function incomplete(): S3Error {
  return new S3Error(400, "IncompleteBody", "The request body terminated unexpectedly");
}

function invalidRequest(message: string): S3Error {
  return new S3Error(400, "InvalidRequest", message);
}
