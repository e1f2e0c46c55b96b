// The look-alike against the real SDK: what S3 takes and how it answers.

import { createHash } from "node:crypto";
import { Agent } from "node:http";
import { Readable } from "node:stream";

import {
  AbortMultipartUploadCommand,
  type ChecksumAlgorithm,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { clientOf, s3Refusal } from "./s3Client.ts";
import { type S3Server, startS3 } from "./s3Server.ts";

const MIB = 1024 * 1024;

let s3: S3Server;
let client: S3Client;

beforeEach(async () => {
  s3 = await startS3({ buckets: ["site", "other"], pageKeys: 3 });
  client = clientOf(s3);
});

afterEach(async () => {
  client.destroy();
  await s3.close();
});

function md5(data: Uint8Array | string): string {
  return createHash("md5").update(data).digest("hex");
}

describe("startS3(): objects through the SDK", () => {
  test("keeps what is put, with its headers, and gives it back", async () => {
    const put = await client.send(
      new PutObjectCommand({
        Bucket: "site",
        Key: "a b/ü+&<.html",
        Body: "hello",
        ContentType: "text/html; charset=utf-8",
        CacheControl: "no-cache",
        Metadata: { build: "7" },
      }),
    );
    const got = await client.send(
      new GetObjectCommand({ Bucket: "site", Key: "a b/ü+&<.html", ChecksumMode: "ENABLED" }),
    );
    expect({
      etag: put.ETag,
      text: await got.Body?.transformToString(),
      type: got.ContentType,
      cache: got.CacheControl,
      metadata: got.Metadata,
      checksum: got.ChecksumCRC32,
    }).toEqual({
      etag: `"${md5("hello")}"`,
      text: "hello",
      type: "text/html; charset=utf-8",
      cache: "no-cache",
      metadata: { build: "7" },
      checksum: "NhCmhg==",
    });
    expect(s3.puts).toEqual([
      {
        bucket: "site",
        key: "a b/ü+&<.html",
        bytes: 5,
        etag: md5("hello"),
        contentType: "text/html; charset=utf-8",
        cacheControl: "no-cache",
      },
    ]);
  });

  test("takes a stream in chunks with a checksum in the trailer", async () => {
    const body = Buffer.alloc(300_000, "stream");
    const pieces = Array.from({ length: 30 }, (_, index) =>
      body.subarray(index * 10_000, (index + 1) * 10_000),
    );
    await client.send(
      new PutObjectCommand({
        Bucket: "site",
        Key: "stream",
        Body: Readable.from(pieces, { objectMode: false }),
        ContentLength: body.length,
      }),
    );
    expect(s3.requests[0]?.headers["x-amz-content-sha256"]).toBe(
      "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    );
    expect(s3.objects("site").get("stream")?.read().equals(body)).toBe(true);
    expect(s3.objects("site").get("stream")?.headers).not.toHaveProperty("content-encoding");
  });

  test.each(["CRC32", "CRC32C", "SHA1", "SHA256"] satisfies ChecksumAlgorithm[])(
    "agrees with the SDK about %s",
    async (algorithm) => {
      const input = { Bucket: "site", Key: "sum", Body: "checked", ChecksumAlgorithm: algorithm };
      expect(await s3Refusal(client.send(new PutObjectCommand(input)))).toBe("not refused");
    },
  );

  test("keeps bodies that are too large for memory", async () => {
    const body = Buffer.alloc(3 * MIB, "large");
    await client.send(new PutObjectCommand({ Bucket: "site", Key: "large", Body: body }));
    const part = await client.send(
      new GetObjectCommand({ Bucket: "site", Key: "large", Range: "bytes=2000000-2000009" }),
    );
    expect(Buffer.from((await part.Body?.transformToByteArray()) ?? [])).toEqual(
      body.subarray(2_000_000, 2_000_010),
    );
    expect(s3.objects("site").get("large")?.read().equals(body)).toBe(true);
  });

  test("answers HEAD, and deletes one object or many, present or not", async () => {
    for (const key of ["a", "b", "c&d"]) s3.setObject("site", key, key);
    const head = await client.send(new HeadObjectCommand({ Bucket: "site", Key: "a" }));
    expect([head.ContentLength, head.ETag]).toEqual([1, `"${md5("a")}"`]);
    await client.send(new DeleteObjectCommand({ Bucket: "site", Key: "a" }));
    const Objects = [{ Key: "b" }, { Key: "c&d" }, { Key: "never" }];
    const gone = await client.send(
      new DeleteObjectsCommand({ Bucket: "site", Delete: { Objects } }),
    );
    expect(gone.Deleted).toEqual(Objects);
    expect([...s3.objects("site").keys()]).toEqual([]);
  });

  test("copies an object, with its headers or with new ones", async () => {
    s3.setObject("other", "from here", "copied", { "content-type": "text/csv" });
    const source = { Bucket: "site", CopySource: "other/from%20here" };
    await client.send(new CopyObjectCommand({ ...source, Key: "same" }));
    await client.send(
      new CopyObjectCommand({
        ...source,
        Key: "new",
        MetadataDirective: "REPLACE",
        ContentType: "text/plain",
      }),
    );
    expect(
      [...s3.objects("site").values()].map(({ key, etag, headers }) => [key, etag, headers]),
    ).toEqual([
      ["new", md5("copied"), { "content-type": "text/plain" }],
      ["same", md5("copied"), { "content-type": "text/csv" }],
    ]);
    const onto = { Bucket: "site", Key: "same", CopySource: "site/same" };
    expect(await s3Refusal(client.send(new CopyObjectCommand(onto)))).toBe("400 InvalidRequest");
  });

  test("makes, lists and removes buckets", async () => {
    await client.send(new CreateBucketCommand({ Bucket: "third" }));
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(["other", "site", "third"]);
    expect(await s3Refusal(client.send(new CreateBucketCommand({ Bucket: "third" })))).toBe(
      "409 BucketAlreadyOwnedByYou",
    );
    s3.setObject("third", "x", "x");
    expect(await s3Refusal(client.send(new DeleteBucketCommand({ Bucket: "third" })))).toBe(
      "409 BucketNotEmpty",
    );
    s3.removeObject("third", "x");
    await client.send(new DeleteBucketCommand({ Bucket: "third" }));
    expect(await s3Refusal(client.send(new HeadBucketCommand({ Bucket: "third" })))).toBe(
      "404 NotFound",
    );
  });

  test("names what is missing", async () => {
    const get = (Bucket: string): Promise<unknown> =>
      client.send(new GetObjectCommand({ Bucket, Key: "none" }));
    expect(await s3Refusal(get("site"))).toBe("404 NoSuchKey");
    expect(await s3Refusal(get("nowhere"))).toBe("404 NoSuchBucket");
  });

  test("finds the bucket in the host as well", async () => {
    const httpAgent = new Agent({
      lookup: (_host, _options, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
    });
    const virtual = clientOf(s3, {
      endpoint: s3.url.replace("127.0.0.1", "localhost"),
      forcePathStyle: false,
      requestHandler: { httpAgent },
    });
    await virtual.send(new PutObjectCommand({ Bucket: "other", Key: "by/host", Body: "x" }));
    virtual.destroy();
    expect(s3.requests[0]?.headers.host).toMatch(/^other\.localhost/);
    expect([...s3.objects("other").keys()]).toEqual(["by/host"]);
  });
});

describe("startS3(): lists", () => {
  test("pages through all keys in the order of their bytes", async () => {
    for (const key of ["b", "a/2", "a/1", "é", "Z", "a b", "z"]) s3.setObject("site", key, key);
    const found: string[] = [];
    let pages = 0;
    for (let token: string | undefined; ;) {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: "site", ContinuationToken: token, EncodingType: "url" }),
      );
      found.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ""));
      pages += 1;
      token = page.NextContinuationToken;
      if (token === undefined) break;
    }
    expect([pages, found]).toEqual([3, ["Z", "a+b", "a/1", "a/2", "b", "z", "%C3%A9"]]);
  });

  test("rolls keys up to a delimiter, counts them, and goes on after them", async () => {
    for (const key of ["p/a/1", "p/a/2", "p/b/1", "p/x", "q"]) s3.setObject("site", key, key);
    const query = { Bucket: "site", Prefix: "p/", Delimiter: "/", MaxKeys: 2 };
    const first = await client.send(new ListObjectsV2Command(query));
    const ContinuationToken = first.NextContinuationToken;
    const second = await client.send(new ListObjectsV2Command({ ...query, ContinuationToken }));
    expect(
      [first, second].map(({ CommonPrefixes, Contents, KeyCount, IsTruncated }) => ({
        prefixes: CommonPrefixes?.map(({ Prefix }) => Prefix),
        keys: Contents?.map(({ Key }) => Key),
        KeyCount,
        IsTruncated,
      })),
    ).toEqual([
      { prefixes: ["p/a/", "p/b/"], keys: undefined, KeyCount: 2, IsTruncated: true },
      { prefixes: undefined, keys: ["p/x"], KeyCount: 1, IsTruncated: false },
    ]);
  });

  test("refuses a token and a number that it did not give", async () => {
    const list = (input: object): Promise<unknown> =>
      client.send(new ListObjectsV2Command({ Bucket: "site", ...input }));
    expect(await s3Refusal(list({ ContinuationToken: "bogus" }))).toBe("400 InvalidArgument");
    expect(await s3Refusal(list({ MaxKeys: -1 }))).toBe("400 InvalidArgument");
  });
});

describe("startS3(): conditions and ranges", () => {
  test("writes only if the object is (not) what the writer knows", async () => {
    const put = (input: object): Promise<string> =>
      s3Refusal(
        client.send(new PutObjectCommand({ Bucket: "site", Key: "k", Body: "new", ...input })),
      );
    expect(await put({ IfMatch: `"${md5("old")}"` })).toBe("404 NoSuchKey");
    s3.setObject("site", "k", "old");
    expect(await put({ IfNoneMatch: "*" })).toBe("412 PreconditionFailed");
    expect(await put({ IfMatch: '"0"' })).toBe("412 PreconditionFailed");
    expect(await put({ IfMatch: `"${md5("old")}"` })).toBe("not refused");
  });

  test("reads only if the object is (not) what the reader knows", async () => {
    s3.setObject("site", "k", "old");
    const get = (input: object): Promise<string> =>
      s3Refusal(client.send(new GetObjectCommand({ Bucket: "site", Key: "k", ...input })));
    expect(await get({ IfMatch: '"0"' })).toBe("412 PreconditionFailed");
    expect(await get({ IfNoneMatch: `"${md5("old")}"` })).toMatch(/^304/);
    expect(await get({ IfUnmodifiedSince: new Date(0) })).toBe("412 PreconditionFailed");
    expect(await get({ IfModifiedSince: new Date(Date.now() + 60_000) })).toMatch(/^304/);
    expect(await get({ IfMatch: `"${md5("old")}"` })).toBe("not refused");
  });

  test.each([
    ["bytes=2-4", "234", "bytes 2-4/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
    ["bytes=5-99", "56789", "bytes 5-9/10"],
    ["lines=1-2", "0123456789", undefined],
  ])("reads %s", async (Range, text, contentRange) => {
    s3.setObject("site", "k", "0123456789");
    const got = await client.send(new GetObjectCommand({ Bucket: "site", Key: "k", Range }));
    expect([await got.Body?.transformToString(), got.ContentRange]).toEqual([text, contentRange]);
  });

  test("refuses a range behind the end", async () => {
    s3.setObject("site", "k", "0123456789");
    const input = { Bucket: "site", Key: "k", Range: "bytes=10-" };
    expect(await s3Refusal(client.send(new GetObjectCommand(input)))).toBe("416 InvalidRange");
  });
});

describe("startS3(): uploads in parts", () => {
  const at = { Bucket: "site", Key: "big" };

  async function start(): Promise<{ Bucket: string; Key: string; UploadId: string }> {
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...at, ContentType: "text/csv" }),
    );
    return { ...at, UploadId: UploadId ?? "" };
  }

  async function part(
    upload: { Bucket: string; Key: string; UploadId: string },
    PartNumber: number,
    Body: Uint8Array,
  ): Promise<{ PartNumber: number; ETag: string }> {
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body }));
    return { PartNumber, ETag: ETag ?? "" };
  }

  test("assembles what lib-storage sends, with the etag of parts", async () => {
    const body = Buffer.alloc(12 * MIB, "multipart");
    const upload = new Upload({ client, params: { ...at, Body: body, ContentType: "text/csv" } });
    const { ETag } = await upload.done();
    const stored = s3.objects("site").get("big");
    expect(ETag).toMatch(/^"[0-9a-f]{32}-3"$/);
    expect(stored?.read().equals(body)).toBe(true);
    expect([stored?.headers["content-type"], s3.openUploads("site"), s3.puts.length]).toEqual([
      "text/csv",
      [],
      1,
    ]);
  });

  test("refuses small parts, wrong order, wrong etags and unknown uploads", async () => {
    const upload = await start();
    const first = await part(upload, 1, Buffer.alloc(5 * MIB - 1));
    const second = await part(upload, 2, Buffer.from("end"));
    const complete = (Parts: object[], UploadId = upload.UploadId): Promise<string> =>
      s3Refusal(
        client.send(
          new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }),
        ),
      );
    expect(await complete([first, second])).toBe("400 EntityTooSmall");
    expect(await complete([second, first])).toBe("400 InvalidPartOrder");
    expect(await complete([{ ...first, ETag: '"0"' }])).toBe("400 InvalidPart");
    expect(await complete([{ ...first, ChecksumCRC32: "AAAAAA==" }])).toBe("400 InvalidPart");
    expect(await complete([first], "unknown")).toBe("404 NoSuchUpload");
    expect(await s3Refusal(part(upload, 10_001, Buffer.from("x")))).toBe("400 InvalidArgument");
    expect(s3.objects("site").size).toBe(0);
    await part(upload, 1, Buffer.alloc(5 * MIB, "a"));
  });

  test("lists what is open, and forgets what is aborted", async () => {
    for (const { id, key } of s3.openUploads("site")) {
      await client.send(
        new AbortMultipartUploadCommand({ Bucket: "site", Key: key, UploadId: id }),
      );
    }
    const upload = await start();
    await part(upload, 3, Buffer.from("third"));
    const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: "site" }));
    const { Parts } = await client.send(new ListPartsCommand(upload));
    expect(Uploads?.map(({ Key }) => Key)).toEqual(["big"]);
    expect(Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([[3, 5]]);
    await client.send(new AbortMultipartUploadCommand(upload));
    expect(await s3Refusal(part(upload, 1, Buffer.from("x")))).toBe("404 NoSuchUpload");
    expect(s3.openUploads("site")).toEqual([]);
  });

  test("insists on the checksum that the upload announced", async () => {
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...at, ChecksumAlgorithm: "SHA256" }),
    );
    const input = { ...at, UploadId, PartNumber: 1, Body: "x" };
    expect(await s3Refusal(client.send(new UploadPartCommand(input)))).toBe("400 InvalidRequest");
  });
});

describe("startS3(): faults", () => {
  const put = (Key: string): Promise<string> =>
    s3Refusal(client.send(new PutObjectCommand({ Bucket: "site", Key, Body: Key })));

  test("refuses the nth put and those after it, as asked", async () => {
    s3.setFaults({ nthPut: 2, status: 403, code: "AccessDenied" });
    expect([await put("1"), await put("2"), await put("3")]).toEqual([
      "not refused",
      "403 AccessDenied",
      "not refused",
    ]);
    s3.setFaults({ nthPut: 1, status: 503, times: 2 });
    expect([await put("4"), await put("5"), await put("6")]).toEqual([
      "503 SlowDown",
      "503 SlowDown",
      "not refused",
    ]);
    expect(s3.puts.map(({ key }) => key)).toEqual(["1", "3", "6"]);
    expect(s3.requests.map(({ operation, status }) => [operation, status])).toEqual([
      ["PutObject", 200],
      ["PutObject", 403],
      ["PutObject", 200],
      ["PutObject", 503],
      ["PutObject", 503],
      ["PutObject", 200],
    ]);
  });

  test("cuts connections before the answer and in the middle of a body", async () => {
    s3.setFaults(() => ({ hangUp: "before" }));
    await expect(client.send(new GetObjectCommand({ Bucket: "site", Key: "k" }))).rejects.toThrow();
    s3.setObject("site", "k", "0123456789");
    s3.setFaults(() => ({ hangUp: "midBody" }));
    const got = await client.send(new GetObjectCommand({ Bucket: "site", Key: "k" }));
    await expect(got.Body?.transformToString()).rejects.toThrow();
  });
});

describe("startS3(): the website", () => {
  const visit = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(s3.websiteUrl + path, { redirect: "manual", ...init });

  test("serves index documents, types and cache headers to anyone", async () => {
    const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" };
    s3.setObject("site", "index.html", "<h1>home</h1>", headers);
    s3.setObject("site", "docs/index.html", "docs", headers);
    const home = await visit("/?tab=1");
    expect([
      home.status,
      await home.text(),
      home.headers.get("content-type"),
      home.headers.get("cache-control"),
      home.headers.get("etag"),
    ]).toEqual([
      200,
      "<h1>home</h1>",
      "text/html; charset=utf-8",
      "no-cache",
      `"${md5("<h1>home</h1>")}"`,
    ]);
    expect(await (await visit("/docs/")).text()).toBe("docs");
    const folder = await visit("/docs");
    expect([folder.status, folder.headers.get("location")]).toEqual([302, "/docs/"]);
    const again = await visit("/", {
      headers: { "if-none-match": home.headers.get("etag") ?? "" },
    });
    expect(again.status).toBe(304);
  });

  test("answers with 404.html as it is stored, or with a page of its own", async () => {
    expect((await visit("/none")).status).toBe(404);
    s3.setObject("site", "404.html", "lost", { "content-type": "text/html" });
    const lost = await visit("/none");
    expect([lost.status, await lost.text(), lost.headers.get("content-type")]).toEqual([
      404,
      "lost",
      "text/html",
    ]);
    expect((await visit("/", { method: "PUT", body: "x" })).status).toBe(405);
  });
});
