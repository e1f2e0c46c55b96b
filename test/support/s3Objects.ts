// What the look-alike keeps, and what can be done to it: buckets, objects, uploads in parts. Knows nothing of HTTP.

import { createHash, randomUUID } from "node:crypto";

import { bytesOf, type Checksum, checksumOf, type Piece, type ReceivedBody } from "./s3Body.ts";
import { S3Error } from "./s3Error.ts";

export interface StoredObject {
  readonly key: string;
  /** Without quotes. */
  readonly etag: string;
  readonly bytes: number;
  /** Content-Type, Cache-Control and the like, and x-amz-meta-*, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksum: Checksum | null;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  readonly pieces: readonly Piece[];
  /** The whole content, for tests. */
  read(): Buffer;
}

/** If-Match and If-None-Match of a write. */
export interface WriteConditions {
  readonly ifMatch: string | null;
  readonly ifNoneMatch: string | null;
}

interface Part extends ReceivedBody {
  readonly etag: string;
}

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Lower case; null: none was asked for. */
  readonly checksumName: string | null;
  readonly parts: Map<number, Part>;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** An upload that was neither completed nor aborted: what a bucket's owner pays for without seeing it. */
export interface OpenUpload {
  readonly id: string;
  readonly key: string;
  readonly startedAt: number;
  readonly parts: number;
}

export interface ListQuery {
  readonly prefix: string;
  readonly delimiter: string;
  /** Keys up to and including this one are left out. */
  readonly after: string;
  readonly maxKeys: number;
}

export interface ListPage {
  readonly contents: readonly StoredObject[];
  readonly commonPrefixes: readonly string[];
  /** The last key or common prefix of the page; null: the list is complete. */
  readonly next: string | null;
}

/** A part of a CompleteMultipartUpload document. */
export interface PartClaim {
  readonly number: number;
  readonly etag: string;
  readonly checksum: string | null;
}

export type S3Objects = ReturnType<typeof makeObjects>;

const MIN_PART_BYTES = 5 * 1024 * 1024;
const MAX_PARTS = 10_000;

/** Makes an empty store with some buckets. */
export function makeObjects(names: readonly string[], now: () => number) {
  const buckets = new Map(names.map((name) => [name, new Map<string, StoredObject>()]));
  const uploads = new Map<string, Upload>();

  function bucketOf(name: string): Map<string, StoredObject> {
    const bucket = buckets.get(name);
    if (bucket !== undefined) return bucket;
    throw new S3Error(404, "NoSuchBucket", "The specified bucket does not exist", {
      BucketName: name,
    });
  }

  function objectOf(bucket: string, key: string): StoredObject {
    const object = bucketOf(bucket).get(key);
    if (object !== undefined) return object;
    throw new S3Error(404, "NoSuchKey", "The specified key does not exist.", { Key: key });
  }

  function uploadOf(bucket: string, key: string, id: string): Upload {
    const upload = uploads.get(id);
    if (upload !== undefined && upload.bucket === bucket && upload.key === key) return upload;
    throw new S3Error(
      404,
      "NoSuchUpload",
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
      { UploadId: id },
    );
  }

  function checkConditions(bucket: string, key: string, conditions: WriteConditions): void {
    const { ifMatch, ifNoneMatch } = conditions;
    const existing = bucketOf(bucket).get(key);
    if (ifNoneMatch !== null && ifNoneMatch !== "*") {
      throw new S3Error(501, "NotImplemented", "If-None-Match of a write must be *");
    }
    if (ifNoneMatch === "*" && existing !== undefined) throw preconditionFailed("If-None-Match");
    if (ifMatch === null) return;
    if (existing === undefined) objectOf(bucket, key);
    else if (!etagMatches(ifMatch, existing.etag)) throw preconditionFailed("If-Match");
  }

  function store(
    bucket: string,
    object: Omit<StoredObject, "read" | "modifiedAt" | "bytes">,
  ): StoredObject {
    const stored: StoredObject = {
      ...object,
      bytes: object.pieces.reduce((sum, piece) => sum + piece.bytes, 0),
      modifiedAt: now(),
      read: () => bytesOf(object.pieces),
    };
    bucketOf(bucket).set(object.key, stored);
    return stored;
  }

  return {
    bucketNames: (): readonly string[] => [...buckets.keys()].sort(),
    bucketOf,
    objectOf,
    checkConditions,
    createBucket(name: string): void {
      if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) {
        throw new S3Error(400, "InvalidBucketName", "The specified bucket is not valid.");
      }
      if (buckets.has(name)) {
        throw new S3Error(
          409,
          "BucketAlreadyOwnedByYou",
          "Your previous request to create the named bucket succeeded and you already own it.",
        );
      }
      buckets.set(name, new Map());
    },
    deleteBucket(name: string): void {
      if (bucketOf(name).size > 0) {
        throw new S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
      }
      buckets.delete(name);
    },
    put(
      bucket: string,
      key: string,
      body: ReceivedBody,
      headers: Readonly<Record<string, string>>,
    ): StoredObject {
      const { piece, md5, checksum } = body;
      return store(bucket, { key, etag: md5.toString("hex"), headers, checksum, pieces: [piece] });
    },
    /** Copies an object; `headers` replace the source's, null keeps them. */
    copy(
      source: StoredObject,
      bucket: string,
      key: string,
      headers: Readonly<Record<string, string>> | null,
    ): StoredObject {
      // A copy is one object again: its etag is the MD5 of the whole, as on S3.
      const whole = bytesOf(source.pieces);
      const etag = createHash("md5").update(whole).digest("hex");
      const { pieces, checksum } = source;
      return store(bucket, { key, etag, headers: headers ?? source.headers, checksum, pieces });
    },
    list(bucket: string, { prefix, delimiter, after, maxKeys }: ListQuery): ListPage {
      const contents: StoredObject[] = [];
      const commonPrefixes: string[] = [];
      let last = after;
      const keys = [...bucketOf(bucket).values()]
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => compareKeys(a.key, b.key));
      for (const object of keys) {
        const cut = delimiter === "" ? -1 : object.key.indexOf(delimiter, prefix.length);
        const common = cut < 0 ? null : object.key.slice(0, cut + delimiter.length);
        const name = common ?? object.key;
        if (compareKeys(name, after) <= 0 || name === commonPrefixes.at(-1)) continue;
        if (contents.length + commonPrefixes.length >= maxKeys) {
          return { contents, commonPrefixes, next: maxKeys === 0 ? null : last };
        }
        last = name;
        if (common === null) contents.push(object);
        else commonPrefixes.push(common);
      }
      return { contents, commonPrefixes, next: null };
    },
    startUpload(
      bucket: string,
      key: string,
      headers: Readonly<Record<string, string>>,
      checksumName: string | null,
    ): string {
      bucketOf(bucket);
      const id = randomUUID();
      uploads.set(id, {
        ...{ bucket, key, headers, checksumName },
        parts: new Map(),
        startedAt: now(),
      });
      return id;
    },
    checkUpload(bucket: string, key: string, id: string, number: number): void {
      uploadOf(bucket, key, id);
      if (Number.isInteger(number) && number >= 1 && number <= MAX_PARTS) return;
      throw new S3Error(
        400,
        "InvalidArgument",
        "Part number must be an integer between 1 and 10000, inclusive",
      );
    },
    putPart(bucket: string, key: string, id: string, number: number, body: ReceivedBody): string {
      const upload = uploadOf(bucket, key, id);
      const given = body.checksum?.name ?? null;
      if (upload.checksumName !== null && upload.checksumName !== given) {
        throw new S3Error(
          400,
          "InvalidRequest",
          `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksumName}, actual checksum Type: ${given ?? "null"}`,
        );
      }
      const etag = body.md5.toString("hex");
      upload.parts.set(number, { ...body, etag });
      return etag;
    },
    listParts(bucket: string, key: string, id: string): readonly (readonly [number, Part])[] {
      return [...uploadOf(bucket, key, id).parts].sort(([a], [b]) => a - b);
    },
    /** Sorted by key, and of one key by their beginning. */
    openUploads(bucket: string): readonly OpenUpload[] {
      bucketOf(bucket);
      return [...uploads]
        .filter(([, upload]) => upload.bucket === bucket)
        .map(([id, { key, startedAt, parts }]) => ({ id, key, startedAt, parts: parts.size }))
        .sort((a, b) => compareKeys(a.key, b.key) || a.startedAt - b.startedAt);
    },
    abortUpload(bucket: string, key: string, id: string): void {
      uploadOf(bucket, key, id);
      uploads.delete(id);
    },
    completeUpload(
      bucket: string,
      key: string,
      id: string,
      claims: readonly PartClaim[],
      conditions: WriteConditions,
    ): StoredObject {
      const upload = uploadOf(bucket, key, id);
      const parts = claims.map((claim, index) => {
        const before = claims[index - 1];
        if (before !== undefined && before.number >= claim.number) {
          throw new S3Error(
            400,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
          );
        }
        const part = upload.parts.get(claim.number);
        const isWhole =
          part !== undefined &&
          etagMatches(claim.etag, part.etag) &&
          (claim.checksum ?? part.checksum?.value ?? null) === (part.checksum?.value ?? null);
        if (!isWhole) {
          throw new S3Error(
            400,
            "InvalidPart",
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
            { UploadId: id, PartNumber: String(claim.number), ETag: claim.etag },
          );
        }
        return part;
      });
      if (parts.length === 0) {
        throw new S3Error(
          400,
          "MalformedXML",
          "The XML you provided was not well-formed or did not validate against our published schema",
        );
      }
      for (const [index, part] of parts.slice(0, -1).entries()) {
        if (part.piece.bytes >= MIN_PART_BYTES) continue;
        throw new S3Error(
          400,
          "EntityTooSmall",
          "Your proposed upload is smaller than the minimum allowed size",
          {
            ProposedSize: String(part.piece.bytes),
            MinSizeAllowed: String(MIN_PART_BYTES),
            PartNumber: String(claims[index]?.number),
          },
        );
      }
      checkConditions(bucket, key, conditions);
      uploads.delete(id);
      const md5 = createHash("md5");
      for (const part of parts) md5.update(part.md5);
      return store(bucket, {
        key,
        etag: `${md5.digest("hex")}-${parts.length}`,
        headers: upload.headers,
        checksum: compositeOf(parts),
        pieces: parts.map((part) => part.piece),
      });
    },
  };
}

/** Tells whether an If-Match list names an etag. */
export function etagMatches(list: string, etag: string): boolean {
  return list.split(",").some((one) => {
    const given = one.trim().replace(/^W\//, "").replace(/^"|"$/g, "");
    return given === "*" || given === etag;
  });
}

/** Makes the error of a condition that does not hold. */
export function preconditionFailed(condition: string): S3Error {
  return new S3Error(
    412,
    "PreconditionFailed",
    "At least one of the pre-conditions you specified did not hold",
    { Condition: condition },
  );
}

/** A multipart object's checksum: that of the parts' checksums, with their number. */
function compositeOf(parts: readonly Part[]): Checksum | null {
  const name = parts[0]?.checksum?.name;
  if (name === undefined) return null;
  const values = parts.map((part) => part.checksum?.value ?? "");
  const joined = Buffer.concat(values.map((value) => Buffer.from(value, "base64")));
  return { name, value: `${checksumOf(name, joined)}-${parts.length}` };
}

/** S3 sorts by UTF-8 bytes. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
