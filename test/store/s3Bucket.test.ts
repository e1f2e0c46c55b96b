import { createHash } from "node:crypto";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { HdashError } from "../../src/error.ts";
import type { Log } from "../../src/log.ts";
import { SILENT } from "../../src/log.ts";
import type { RetryPolicy } from "../../src/retry.ts";
import { openS3Bucket, type S3Bucket, type S3BucketOptions } from "../../src/store/s3Bucket.ts";
import { hdashErrorOf, s3Failure } from "../../src/store/s3Failure.ts";
import { refusal } from "../support/refusal.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";

const PAGE = { contentType: "text/html; charset=utf-8", cacheControl: "no-cache" };
const QUICK: RetryPolicy = { attempts: 3, minDelayMs: 1, maxDelayMs: 2 };
const MIB = 1024 * 1024;

let s3: S3Server;
const opened: S3Bucket[] = [];

// A server for each test: what a client that was broken off still sends must not be counted by the next.
beforeEach(async () => {
  s3 = await startS3({ buckets: ["site"], pageKeys: 4 });
});

afterEach(async () => {
  for (const bucket of opened.splice(0)) await bucket.close();
  await s3.close();
});

function open(options: Partial<S3BucketOptions> = {}): S3Bucket {
  const bucket = openS3Bucket({
    bucket: "site",
    prefix: "a/b/",
    endpoint: s3.url,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    policy: QUICK,
    ...options,
  });
  opened.push(bucket);
  return bucket;
}

/** Reads a list to its end. */
async function collect<T>(listed: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const one of listed) all.push(one);
  return all;
}

/** Collects warnings. */
function listen(): { log: Log; warnings: string[] } {
  const warnings: string[] = [];
  return { log: { ...SILENT, warn: (message) => warnings.push(message) }, warnings };
}

/** What a person sees of an error. */
async function words(work: Promise<unknown>): Promise<readonly [string, string, string | null]> {
  const { kind, message, hint } = await refusal(work);
  return [kind, message.replaceAll(s3.url, "<endpoint>"), hint];
}

function md5(data: Uint8Array | string): string {
  return createHash("md5").update(data).digest("hex");
}

describe("openS3Bucket(options)", () => {
  test("puts, reads, lists and deletes below its prefix only", async () => {
    s3.setObject("site", "a/foreign.html", "foreign");
    s3.setObject("site", "a/b", "not below");
    s3.setObject("site", "a/b/", "");
    const bucket = open();
    expect(await bucket.put("data/a b+ü&.json", Buffer.from("{}"), PAGE)).toBe(md5("{}"));
    expect(await collect(bucket.list())).toEqual([
      { key: "data/a b+ü&.json", etag: md5("{}"), bytes: 2 },
    ]);
    expect(Buffer.from((await bucket.get("data/a b+ü&.json")) ?? []).toString()).toBe("{}");
    expect(await bucket.get("foreign.html")).toBeNull();
    await bucket.delete(["data/a b+ü&.json", "foreign.html"]);
    expect([...s3.objects("site").keys()]).toEqual(["a/b", "a/b/", "a/foreign.html"]);
  });

  test("lists the keys below a folder, and asks for no others", async () => {
    for (const key of ["a/b/c/d", "a/b/c/", "a/b/cd", "a/c/d", "c/d"])
      s3.setObject("site", key, "x");
    const bucket = open();
    s3.requests.length = 0;
    expect(await collect(bucket.keys("c/"))).toEqual(["c/d"]);
    expect(s3.requests.map(({ query }) => query.get("prefix"))).toEqual(["a/b/c/"]);
  });

  test.each([
    ["", "s3://site", "index.html"],
    ["/", "s3://site", "index.html"],
    ["/x/y", "s3://site/x/y", "x/y/index.html"],
  ])("takes the prefix %j", async (prefix, uri, key) => {
    const bucket = open({ prefix });
    await bucket.put("index.html", Buffer.from("x"), PAGE);
    expect([bucket.uri, [...s3.objects("site").keys()]]).toEqual([uri, [key]]);
  });

  test("gives objects their content type and cache header", async () => {
    await open({ prefix: "" }).put("HTA3.html", Buffer.from("<p>"), PAGE);
    const page = await fetch(`${s3.websiteUrl}/HTA3.html`);
    expect([
      page.headers.get("content-type"),
      page.headers.get("cache-control"),
      await page.text(),
    ]).toEqual([PAGE.contentType, PAGE.cacheControl, "<p>"]);
  });

  test("lists past the first page, whatever the keys", async () => {
    const keys = ["%", "+", "a b", "a\u0001b", "c", "d", "e", "f/g", "z&<>\"'", "é"];
    for (const key of keys) s3.setObject("site", `a/b/${key}`, key);
    const found = (await collect(open().list())).map(({ key }) => key);
    expect([...found].sort()).toEqual([...keys].sort());
    expect(
      s3.requests.map(({ operation, query }) => [operation, query.get("encoding-type")]),
    ).toEqual(Array(3).fill(["ListObjectsV2", "url"]));
  });

  test("deletes more objects than S3 takes in one request", async () => {
    const keys = Array.from({ length: 1001 }, (_, index) => `k${index}`);
    for (const key of keys) s3.setObject("site", `a/b/${key}`, "x");
    await open().delete(keys);
    expect([s3.objects("site").size, s3.requests.length]).toEqual([0, 2]);
    await open().delete([]);
    expect(s3.requests.length).toBe(2);
  });

  test("sends a large body in parts, and with the same etag as the list says", async () => {
    const body = Buffer.alloc(9 * MIB, "large body ");
    const bucket = open();
    const etag = await bucket.put("large.csv", body, { ...PAGE, contentType: "text/csv" });
    expect(etag).toMatch(/^[0-9a-f]{32}-2$/);
    expect(await collect(bucket.list())).toEqual([{ key: "large.csv", etag, bytes: body.length }]);
    expect(s3.puts).toEqual([
      {
        bucket: "site",
        key: "a/b/large.csv",
        bytes: body.length,
        etag,
        contentType: "text/csv",
        cacheControl: "no-cache",
      },
    ]);
    expect(md5((await bucket.get("large.csv")) ?? "")).toBe(md5(body));
  });

  test("leaves no open upload behind when a part is refused", async () => {
    s3.setFaults({ nthPut: 2, status: 403 });
    const [kind, message] = await words(open().put("large.csv", Buffer.alloc(9 * MIB), PAGE));
    expect([kind, message]).toEqual([
      "permanent",
      "put a/b/large.csv to s3://site: AccessDenied (403): This answer was asked for by the test.",
    ]);
    expect([s3.openUploads("site"), s3.objects("site").size]).toEqual([[], 0]);
  });

  test.each([
    { status: 500 },
    { status: 503, code: "SlowDown" },
    { status: 429, code: "TooManyRequests" },
    { status: 400, code: "RequestTimeout" },
    { status: 400, code: "BadDigest" },
    { hangUp: "before" as const },
  ])("tries again after %j", async (fault) => {
    const { log, warnings } = listen();
    const bucket = open({ log });
    s3.setFaults({ nthPut: 1, times: 2, ...fault });
    await bucket.put("index.html", Buffer.from("x"), PAGE);
    expect([s3.requests.length, s3.puts.length, warnings.length]).toEqual([3, 1, 2]);
    expect(warnings[0]).toMatch(
      /^put a\/b\/index.html to s3:\/\/site: .* → trying again in \d ms$/,
    );
  });

  test("tries again when a body breaks off", async () => {
    s3.setObject("site", "a/b/data.json", "0123456789");
    let gets = 0;
    s3.setFaults(() => (++gets === 1 ? { hangUp: "midBody" } : null));
    expect(Buffer.from((await open().get("data.json")) ?? []).toString()).toBe("0123456789");
    expect(gets).toBe(2);
  });

  test("gives up in the end, as transient, and hands on how long S3 asks to wait", async () => {
    s3.setFaults(() => ({ status: 503, retryAfterSeconds: 0 }));
    const error = await refusal(collect(open().list()));
    expect([error.kind, error.message, error.retryAfterMs, s3.requests.length]).toEqual([
      "transient",
      "list s3://site/a/b: SlowDown (503): This answer was asked for by the test.",
      0,
      3,
    ]);
  });

  test("does not try again what is refused, and says what to do", async () => {
    const body = Buffer.from("x");
    const credentials = { accessKeyId: s3.accessKeyId, secretAccessKey: "wrong-secret" };
    const put = (options: Partial<S3BucketOptions>): Promise<unknown> =>
      words(open(options).put("index.html", body, PAGE));
    expect(await put({ bucket: "nowhere" })).toEqual([
      "permanent",
      "put a/b/index.html to s3://nowhere: NoSuchBucket (404): The specified bucket does not exist",
      "Make the bucket nowhere, or correct S3_BUCKET_NAME or S3_ENDPOINT_URL: the store at S3_ENDPOINT_URL has no bucket of that name.",
    ]);
    expect(await put({ credentials })).toEqual([
      "permanent",
      "put a/b/index.html to s3://site: SignatureDoesNotMatch (403): The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      "Check S3_SECRET_ACCESS_KEY: it does not belong to S3_ACCESS_KEY_ID.",
    ]);
    expect(await put({ credentials: { ...credentials, accessKeyId: "AKIAOTHER" } })).toEqual([
      "permanent",
      "put a/b/index.html to s3://site: InvalidAccessKeyId (403): The AWS Access Key Id you provided does not exist in our records.",
      "Check S3_ACCESS_KEY_ID: the store at S3_ENDPOINT_URL does not know it.",
    ]);
    expect(await put({ region: "eu-west-1" })).toEqual([
      "permanent",
      "put a/b/index.html to s3://site: AuthorizationHeaderMalformed (400): The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'",
      "Set S3_REGION to the region of site.",
    ]);
    expect(s3.requests.length).toBe(4);
    s3.setFaults(() => ({ status: 403 }));
    expect(await words(collect(open().list()))).toEqual([
      "permanent",
      "list s3://site/a/b: AccessDenied (403): This answer was asked for by the test.",
      "Allow these credentials s3:ListBucket on site and s3:PutObject, s3:GetObject, s3:DeleteObject on its objects.",
    ]);
    expect((await refusal(open().get("index.html"))).message).toMatch(
      /^get a\/b\/index.html from s3:\/\/site: AccessDenied/,
    );
    expect((await refusal(open().delete(["x", "y"]))).message).toMatch(
      /^delete 2 objects from s3:\/\/site\/a\/b: AccessDenied/,
    );
  });

  test("keeps secrets out of what it says", async () => {
    const credentials = { accessKeyId: s3.accessKeyId, secretAccessKey: "wrong-secret" };
    const error = await refusal(open({ credentials }).put("index.html", Buffer.from("x"), PAGE));
    expect(error.message + (error.hint ?? "")).not.toContain("wrong-secret");
  });

  test("says where nothing answers", async () => {
    const gone = await startS3();
    await gone.close();
    const [kind, message, hint] = await words(open({ endpoint: gone.url }).get("index.html"));
    expect([kind, hint]).toEqual(["transient", "Check S3_ENDPOINT_URL: nothing answers there."]);
    expect(message).toMatch(/^get a\/b\/index.html from s3:\/\/site: ECONNREFUSED/);
  });

  test("refuses keys that are not below the prefix, before any request", async () => {
    const bucket = open();
    for (const key of ["../c.html", "/c.html", "x//y", ""]) {
      expect((await refusal(bucket.put(key, Buffer.from("x"), PAGE))).kind).toBe("permanent");
      expect((await refusal(bucket.get(key))).kind).toBe("permanent");
      expect((await refusal(bucket.delete(["ok", key]))).kind).toBe("permanent");
    }
    expect((await refusal(bucket.get("k".repeat(1021)))).message).toContain("1025 bytes");
    expect(() => open({ prefix: "../up" })).toThrow("it has a dot segment");
    expect(s3.requests).toEqual([]);
  });

  test("stops at once when it is told to", async () => {
    const bucket = open({ policy: { attempts: 9, minDelayMs: 60_000, maxDelayMs: 60_000 } });
    const stop = new AbortController();
    s3.setFaults(() => {
      queueMicrotask(() => stop.abort("stop"));
      return { status: 500 };
    });
    expect(
      (await refusal(bucket.put("index.html", Buffer.from("x"), PAGE, stop.signal))).kind,
    ).toBe("aborted");
    const large = new AbortController();
    s3.setFaults(({ operation }) => {
      if (operation === "UploadPart") large.abort("stop");
      return null;
    });
    const body = Buffer.alloc(17 * MIB);
    expect((await refusal(bucket.put("large.csv", body, PAGE, large.signal))).kind).toBe("aborted");
    expect(s3.puts).toEqual([]);
  });
});

describe("openS3Bucket(options) against stores that are less than S3", () => {
  /** Serves fixed answers, one after the other. */
  async function serving<T>(
    answers: readonly { body?: string; headers?: Record<string, string> }[],
    work: (bucket: S3Bucket) => Promise<T>,
  ): Promise<T> {
    const { createServer } = await import("node:http");
    let next = 0;
    const server = createServer((request, response) => {
      const { body = "", headers = {} } = answers[Math.min(next++, answers.length - 1)] ?? {};
      request.resume().on("end", () => response.writeHead(200, headers).end(body));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    try {
      return await work(open({ endpoint: `http://127.0.0.1:${port}` }));
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  test("refuses a list that is cut short without a way to go on", async () => {
    const body = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
    const error = await serving([{ body }], (bucket) => refusal(collect(bucket.list())));
    expect(error.message).toBe("list s3://site/a/b: the list is cut short and cannot be continued");
  });

  test("reads lists whose keys are not encoded and whose etags have no quotes", async () => {
    const body =
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/b/x+y%20.html</Key><ETag>abc</ETag><Size>3</Size></Contents></ListBucketResult>";
    const heads = await serving([{ body }], (bucket) => collect(bucket.list()));
    expect(heads).toEqual([{ key: "x+y%20.html", etag: "abc", bytes: 3 }]);
  });

  test("refuses a put that is answered without an etag", async () => {
    const error = await serving([{}], (bucket) =>
      refusal(bucket.put("index.html", Buffer.from("x"), PAGE)),
    );
    expect([error.kind, error.message]).toEqual([
      "permanent",
      "put a/b/index.html to s3://site: the store gives no ETag, so changes cannot be told",
    ]);
  });

  test("reports a deletion that is refused for some of the objects", async () => {
    const refused = (code: string): { body: string } => ({
      body: `<DeleteResult><Error><Key>a/b/x</Key><Code>${code}</Code><Message>no</Message></Error></DeleteResult>`,
    });
    const error = await serving([refused("AccessDenied")], (bucket) =>
      refusal(bucket.delete(["x", "y"])),
    );
    expect([error.kind, error.message]).toEqual([
      "permanent",
      "delete 2 objects from s3://site/a/b: AccessDenied: a/b/x: no",
    ]);
    const answers = [refused("InternalError"), { body: "<DeleteResult></DeleteResult>" }];
    await serving(answers, (bucket) => bucket.delete(["x"]));
    await serving([refused("NoSuchKey")], (bucket) => bucket.delete(["x"]));
  });
});

describe("hdashErrorOf(error, subject)", () => {
  const subject = { what: "put k to s3://b", uri: "s3://b", bucket: "b", endpoint: null };
  const thrown = (name: string, status?: number): Error =>
    Object.assign(new Error("said"), {
      name,
      $metadata: status === undefined ? {} : { httpStatusCode: status },
    });

  test.each([
    [
      thrown("CredentialsProviderError"),
      "permanent",
      /^Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY/,
    ],
    [thrown("ExpiredToken", 400), "permanent", /^Get new credentials/],
    [thrown("RequestTimeTooSkewed", 403), "permanent", /clock/],
    [thrown("PermanentRedirect", 301), "permanent", /S3_REGION/],
    [thrown("InvalidBucketName", 400), "permanent", /S3_BUCKET_NAME/],
    [thrown("KmsSomething", 403), "permanent", /^Check the rights/],
    [thrown("NotImplemented", 501), "permanent", null],
    [thrown("Odd", 418), "permanent", null],
    [thrown("NoSuchBucket", 404), "permanent", /AWS has no bucket of that name/],
    [thrown("ENOTFOUND"), "transient", /^Check that this machine can reach S3/],
    [thrown("TimeoutError"), "transient", null],
    [thrown("AbortError"), "aborted", null],
    ["a string", "permanent", null],
  ])("tells what %s means", (error, kind, hint) => {
    const made = hdashErrorOf(error, subject);
    expect(made.kind).toBe(kind);
    if (hint === null) expect(made.hint).toBeNull();
    else expect(made.hint).toMatch(hint);
  });

  test("leaves our own errors as they are", () => {
    const own = new HdashError("permanent", "own");
    expect(hdashErrorOf(own, subject)).toBe(own);
  });
});

describe("s3Failure(error)", () => {
  test("reads code, status and Retry-After, which it bounds", () => {
    const error = {
      name: "SlowDown",
      $metadata: { httpStatusCode: 503 },
      $response: { headers: { "retry-after": "9999" } },
    };
    expect(s3Failure(error)).toEqual({ code: "SlowDown", status: 503, retryAfterMs: 120_000 });
    expect(s3Failure(null)).toEqual({ code: "UnknownError", status: null, retryAfterMs: null });
  });
});
