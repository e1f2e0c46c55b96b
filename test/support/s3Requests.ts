// The S3 API on top of the objects: which request means which operation, and the answer to it.

import type { IncomingHttpHeaders } from "node:http";

import type { ReceivedBody } from "./s3Body.ts";
import { readXml, S3Error, textsOf, type Xml, xmlDocument } from "./s3Error.ts";
import {
  etagMatches,
  type PartClaim,
  preconditionFailed,
  type S3Objects,
  type WriteConditions,
} from "./s3Objects.ts";
import { checksumHeaders, etagHeader, get, reply, type S3Reply } from "./s3Reads.ts";

/** One request, taken apart; bucket and key are "" where it names none. */
export interface S3Call {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: IncomingHttpHeaders;
  receive(): Promise<ReceivedBody>;
}

export interface S3Limits {
  /** Keys on one page of a list, at most. */
  readonly pageKeys: number;
}

const STORED_HEADERS =
  /^(content-type|cache-control|content-disposition|content-language|content-encoding|expires|x-amz-acl|x-amz-meta-.+)$/;
const MAX_KEY_BYTES = 1024;
const MAX_DELETE_KEYS = 1000;

/** Names a request's operation as the API reference does, e.g. "PutObject". */
export function operationOf(
  call: Pick<S3Call, "method" | "bucket" | "key" | "query" | "headers">,
): string {
  const { method, bucket, key, query, headers } = call;
  const has = (name: string): boolean => query.has(name);
  if (bucket === "") return method === "GET" ? "ListBuckets" : "Unknown";
  if (key === "") {
    if (method === "PUT") return "CreateBucket";
    if (method === "HEAD") return "HeadBucket";
    if (method === "DELETE") return "DeleteBucket";
    if (method === "POST" && has("delete")) return "DeleteObjects";
    if (method === "GET" && has("location")) return "GetBucketLocation";
    if (method === "GET" && has("uploads")) return "ListMultipartUploads";
    if (method === "GET" && query.get("list-type") === "2") return "ListObjectsV2";
    return "Unknown";
  }
  const isCopy = headers["x-amz-copy-source"] !== undefined;
  const isPart = has("uploadId");
  if (method === "PUT" && isPart) return isCopy ? "Unknown" : "UploadPart";
  if (method === "PUT") return isCopy ? "CopyObject" : "PutObject";
  if (method === "POST" && has("uploads")) return "CreateMultipartUpload";
  if (method === "POST" && isPart) return "CompleteMultipartUpload";
  if (method === "DELETE") return isPart ? "AbortMultipartUpload" : "DeleteObject";
  if (method === "GET" && isPart) return "ListParts";
  if (method === "GET" && !has("partNumber")) return "GetObject";
  return method === "HEAD" ? "HeadObject" : "Unknown";
}

/** Does what a request asks for; throws S3Error as S3 would answer. */
export async function answer(call: S3Call, objects: S3Objects, limits: S3Limits): Promise<S3Reply> {
  const { bucket, key, query, headers } = call;
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new S3Error(400, "KeyTooLongError", "Your key is too long", {
      MaxSizeAllowed: String(MAX_KEY_BYTES),
      Size: String(Buffer.byteLength(key)),
    });
  }
  const uploadId = query.get("uploadId") ?? "";
  switch (operationOf(call)) {
    case "ListBuckets": {
      const Bucket = objects.bucketNames().map((Name) => ({ Name }));
      return xml("ListAllMyBucketsResult", { Buckets: { Bucket } });
    }
    case "CreateBucket":
      await call.receive();
      objects.createBucket(bucket);
      return reply(200, { location: `/${bucket}` });
    case "HeadBucket":
      objects.bucketOf(bucket);
      return reply(200);
    case "DeleteBucket":
      objects.deleteBucket(bucket);
      return reply(204);
    case "GetBucketLocation":
      objects.bucketOf(bucket);
      return xml("LocationConstraint", "");
    case "ListObjectsV2":
      return list(call, objects, limits);
    case "ListMultipartUploads":
      return listUploads(call, objects, limits);
    case "DeleteObjects":
      return await deleteObjects(call, objects);
    case "PutObject": {
      objects.bucketOf(bucket);
      const body = await call.receive();
      objects.checkConditions(bucket, key, conditionsOf(headers));
      const stored = objects.put(bucket, key, body, storedHeaders(headers));
      return {
        ...reply(200, { ...etagHeader(stored), ...checksumHeaders(stored) }),
        written: stored,
      };
    }
    case "CopyObject":
      return copy(call, objects);
    case "GetObject":
    case "HeadObject":
      return get(call, objects.objectOf(bucket, key));
    case "DeleteObject": {
      const { ifMatch } = conditionsOf(headers);
      const existing = objects.bucketOf(bucket).get(key);
      if (ifMatch !== null && existing !== undefined && !etagMatches(ifMatch, existing.etag)) {
        throw preconditionFailed("If-Match");
      }
      objects.bucketOf(bucket).delete(key);
      return reply(204);
    }
    case "CreateMultipartUpload": {
      const algorithm = headers["x-amz-checksum-algorithm"];
      const name = algorithm === undefined ? null : String(algorithm).toLowerCase();
      const UploadId = objects.startUpload(bucket, key, storedHeaders(headers), name);
      return xml("InitiateMultipartUploadResult", { Bucket: bucket, Key: key, UploadId });
    }
    case "UploadPart": {
      const number = Number(query.get("partNumber"));
      objects.checkUpload(bucket, key, uploadId, number);
      const body = await call.receive();
      const etag = objects.putPart(bucket, key, uploadId, number, body);
      return reply(200, { etag: `"${etag}"`, ...checksumHeaders(body) });
    }
    case "ListParts": {
      const Part = objects.listParts(bucket, key, uploadId).map(([PartNumber, part]) => ({
        PartNumber,
        ETag: `"${part.etag}"`,
        Size: part.piece.bytes,
      }));
      return xml("ListPartsResult", {
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        IsTruncated: false,
        Part,
      });
    }
    case "CompleteMultipartUpload": {
      const claims = readParts(await textOf(call));
      const stored = objects.completeUpload(bucket, key, uploadId, claims, conditionsOf(headers));
      const ETag = `"${stored.etag}"`;
      return {
        ...xml("CompleteMultipartUploadResult", {
          Location: `/${bucket}/${key}`,
          Bucket: bucket,
          Key: key,
          ETag,
        }),
        written: stored,
      };
    }
    case "AbortMultipartUpload":
      objects.abortUpload(bucket, key, uploadId);
      return reply(204);
    default:
      throw new S3Error(
        501,
        "NotImplemented",
        "A header or query you provided requests functionality that is not implemented.",
      );
  }
}

function list(call: S3Call, objects: S3Objects, limits: S3Limits): S3Reply {
  const { bucket, query } = call;
  const invalid = (message: string): S3Error => new S3Error(400, "InvalidArgument", message);
  const maxKeys = query.get("max-keys") ?? "1000";
  if (!/^\d{1,9}$/.test(maxKeys))
    throw invalid("Provided max-keys not an integer or within integer range");
  const encoding = query.get("encoding-type");
  if (encoding !== undefined && encoding !== "url")
    throw invalid("Invalid Encoding Method specified in Request");
  const token = query.get("continuation-token");
  const after = token === undefined ? (query.get("start-after") ?? "") : readToken(token);
  if (after === null) throw invalid("The continuation token provided is incorrect");
  const prefix = query.get("prefix") ?? "";
  const delimiter = query.get("delimiter") ?? "";
  const limit = Math.min(Number(maxKeys), limits.pageKeys);
  const page = objects.list(bucket, { prefix, delimiter, after, maxKeys: limit });
  const written = (name: string): string => (encoding === "url" ? encodeKey(name) : name);
  const Contents = page.contents.map((object) => ({
    Key: written(object.key),
    LastModified: new Date(object.modifiedAt).toISOString(),
    ETag: `"${object.etag}"`,
    Size: object.bytes,
    StorageClass: "STANDARD",
  }));
  return xml("ListBucketResult", {
    Name: bucket,
    Prefix: written(prefix),
    KeyCount: page.contents.length + page.commonPrefixes.length,
    MaxKeys: maxKeys,
    ...(delimiter === "" ? {} : { Delimiter: written(delimiter) }),
    ...(encoding === undefined ? {} : { EncodingType: encoding }),
    IsTruncated: page.next !== null,
    ...(token === undefined ? {} : { ContinuationToken: token }),
    ...(page.next === null ? {} : { NextContinuationToken: makeToken(page.next) }),
    Contents,
    CommonPrefixes: page.commonPrefixes.map((name) => ({ Prefix: written(name) })),
  });
}

/** Pages by key and upload, as S3 does: of the key that the last page ended with, the uploads behind the one that it ended with. */
function listUploads(call: S3Call, objects: S3Objects, limits: S3Limits): S3Reply {
  const { bucket, query } = call;
  const encoding = query.get("encoding-type");
  if (encoding !== undefined && encoding !== "url") {
    throw new S3Error(400, "InvalidArgument", "Invalid Encoding Method specified in Request");
  }
  const written = (name: string): string => (encoding === "url" ? encodeKey(name) : name);
  const prefix = query.get("prefix") ?? "";
  const [keyMarker, idMarker] = [
    query.get("key-marker") ?? "",
    query.get("upload-id-marker") ?? "",
  ];
  const all = objects.openUploads(bucket).filter(({ key }) => key.startsWith(prefix));
  const at = all.findIndex(({ id, key }) => key === keyMarker && id === idMarker);
  const rest = at >= 0 ? all.slice(at + 1) : all.filter(({ key }) => key > keyMarker);
  const page = rest.slice(0, limits.pageKeys);
  const last = page.length < rest.length ? page.at(-1) : undefined;
  return xml("ListMultipartUploadsResult", {
    Bucket: bucket,
    Prefix: written(prefix),
    ...(encoding === undefined ? {} : { EncodingType: encoding }),
    ...(last === undefined
      ? {}
      : { NextKeyMarker: written(last.key), NextUploadIdMarker: last.id }),
    IsTruncated: last !== undefined,
    Upload: page.map(({ id, key, startedAt }) => ({
      Key: written(key),
      UploadId: id,
      Initiated: new Date(startedAt).toISOString(),
    })),
  });
}

async function deleteObjects(call: S3Call, objects: S3Objects): Promise<S3Reply> {
  const bucket = objects.bucketOf(call.bucket);
  const hasDigest = Object.keys(call.headers).some((name) =>
    /^(content-md5|x-amz-checksum-\w+|x-amz-trailer)$/.test(name),
  );
  if (!hasDigest) {
    throw new S3Error(
      400,
      "InvalidRequest",
      "Missing required header for this request: Content-MD5",
    );
  }
  const root = readXml(await textOf(call));
  const keys = root.children
    .filter((child) => child.name === "Object")
    .map((child) => textsOf(child, "Key")[0]);
  if (
    root.name !== "Delete" ||
    keys.length === 0 ||
    keys.length > MAX_DELETE_KEYS ||
    keys.includes(undefined)
  ) {
    throw malformedXml();
  }
  const deleted = keys.filter((key) => key !== undefined);
  for (const key of deleted) bucket.delete(key);
  const isQuiet = textsOf(root, "Quiet")[0] === "true";
  return xml("DeleteResult", isQuiet ? {} : { Deleted: deleted.map((Key) => ({ Key })) });
}

function copy(call: S3Call, objects: S3Objects): S3Reply {
  const { bucket, key, headers } = call;
  const path = decodeURIComponent(String(headers["x-amz-copy-source"])).replace(/^\//, "");
  const at = path.indexOf("/");
  if (at < 0) throw new S3Error(400, "InvalidArgument", "Invalid copy source object key");
  const source = objects.objectOf(path.slice(0, at), path.slice(at + 1));
  const ifMatch = headers["x-amz-copy-source-if-match"];
  if (ifMatch !== undefined && !etagMatches(String(ifMatch), source.etag)) {
    throw preconditionFailed("x-amz-copy-source-If-Match");
  }
  const isReplacing = headers["x-amz-metadata-directive"] === "REPLACE";
  if (path === `${bucket}/${key}` && !isReplacing) {
    throw new S3Error(
      400,
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  objects.bucketOf(bucket);
  const stored = objects.copy(source, bucket, key, isReplacing ? storedHeaders(headers) : null);
  const LastModified = new Date(stored.modifiedAt).toISOString();
  return {
    ...xml("CopyObjectResult", { LastModified, ETag: `"${stored.etag}"` }),
    written: stored,
  };
}

function readParts(document: string): readonly PartClaim[] {
  const root = readXml(document);
  if (root.name !== "CompleteMultipartUpload") throw malformedXml();
  return root.children.map((part) => {
    const number = Number(textsOf(part, "PartNumber")[0]);
    const etag = textsOf(part, "ETag")[0];
    if (part.name !== "Part" || !Number.isInteger(number) || etag === undefined)
      throw malformedXml();
    const checksum = part.children.find((child) => child.name.startsWith("Checksum"));
    return { number, etag, checksum: checksum?.text ?? null };
  });
}

async function textOf(call: S3Call): Promise<string> {
  const { piece } = await call.receive();
  if (piece.buffer === null) throw malformedXml();
  return piece.buffer.toString("utf8");
}

function conditionsOf(headers: IncomingHttpHeaders): WriteConditions {
  return { ifMatch: headers["if-match"] ?? null, ifNoneMatch: headers["if-none-match"] ?? null };
}

/** The headers that are kept with an object; aws-chunked is only how it travelled. */
function storedHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const kept = Object.entries(headers)
    .filter(([name]) => STORED_HEADERS.test(name))
    .map(([name, value]): [string, string] => [name, String(value)])
    .map(([name, value]): [string, string] =>
      name === "content-encoding"
        ? [name, value.replace(/,?\s*aws-chunked\s*,?/, "")]
        : [name, value],
    )
    .filter(([, value]) => value !== "");
  return { "content-type": "binary/octet-stream", ...Object.fromEntries(kept) };
}

function xml(root: string, content: Xml): S3Reply {
  return { ...reply(200, { "content-type": "application/xml" }), body: xmlDocument(root, content) };
}

function malformedXml(): S3Error {
  return new S3Error(
    400,
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );
}

/** Encodes a key for a list, as S3 does: like a form, but slashes stay. */
function encodeKey(key: string): string {
  return encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
}

function makeToken(key: string): string {
  return Buffer.from(`after:${key}`).toString("base64");
}

function readToken(token: string): string | null {
  const text = Buffer.from(token, "base64").toString("utf8");
  return text.startsWith("after:") && makeToken(text.slice(6)) === token ? text.slice(6) : null;
}
