// The look-alike against requests that S3 refuses: forged, torn, wrongly summed, too late.

import { createHash } from "node:crypto";

import { ListObjectsV2Command, type S3ClientConfig } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { clientOf, s3Refusal } from "./s3Client.ts";
import { type S3Server, startS3 } from "./s3Server.ts";
import { signedFetch, type SigningKeys } from "./s3Signer.ts";

let s3: S3Server;
let keys: SigningKeys;

beforeAll(async () => {
  s3 = await startS3();
  keys = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey, region: s3.region };
});

afterAll(() => s3.close());

beforeEach(() => {
  s3.puts.length = 0;
});

/** The code and status of an answer to a plain request. */
async function codeOf(response: Response): Promise<string> {
  const code = /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? "";
  return `${response.status} ${code}`.trim();
}

describe("startS3(): what it refuses", () => {
  test("refuses wrong keys, secrets, regions and clocks", async () => {
    const { accessKeyId, secretAccessKey } = s3;
    const list = async (config: S3ClientConfig): Promise<string> => {
      const client = clientOf(s3, config);
      try {
        return await s3Refusal(client.send(new ListObjectsV2Command({ Bucket: "site" })));
      } finally {
        client.destroy();
      }
    };
    expect(await list({ credentials: { accessKeyId: "AKIAWRONG", secretAccessKey } })).toBe(
      "403 InvalidAccessKeyId",
    );
    expect(await list({ credentials: { accessKeyId, secretAccessKey: "wrong" } })).toBe(
      "403 SignatureDoesNotMatch",
    );
    expect(await list({ region: "eu-west-1" })).toBe("400 AuthorizationHeaderMalformed");
    expect(await list({ systemClockOffset: 16 * 60_000 })).toBe("403 RequestTimeTooSkewed");
    expect(await list({ systemClockOffset: 14 * 60_000 })).toBe("not refused");
  });

  test("refuses whoever does not sign", async () => {
    expect(await codeOf(await fetch(`${s3.url}/site?list-type=2`))).toBe("403 AccessDenied");
    const headers = { authorization: "AWS4-HMAC-SHA256 nonsense" };
    expect(await codeOf(await fetch(`${s3.url}/site`, { headers }))).toBe(
      "400 AuthorizationHeaderMalformed",
    );
  });

  test("refuses a header, a query or a body that was changed after signing", async () => {
    const put = (change: object): Promise<Response> =>
      signedFetch(keys, { method: "PUT", url: `${s3.url}/site/k?a=1`, body: "body", ...change });
    expect(await codeOf(await put({}))).toBe("200");
    expect(await codeOf(await put({ sendUrl: `${s3.url}/site/k?a=2` }))).toBe(
      "403 SignatureDoesNotMatch",
    );
    expect(await codeOf(await put({ sendHeaders: { "x-amz-acl": "public-read" } }))).toBe(
      "403 AccessDenied",
    );
    expect(await codeOf(await put({ sendBody: "tampered" }))).toBe("400 XAmzContentSHA256Mismatch");
  });

  test("refuses digests that are malformed or do not match", async () => {
    const put = async (headers: Record<string, string>): Promise<string> =>
      codeOf(
        await signedFetch(keys, { method: "PUT", url: `${s3.url}/site/k`, body: "body", headers }),
      );
    expect(await put({ "content-md5": "short" })).toBe("400 InvalidDigest");
    expect(await put({ "content-md5": createHash("md5").update("x").digest("base64") })).toBe(
      "400 BadDigest",
    );
    expect(await put({ "x-amz-checksum-crc32": "AAAA" })).toBe("400 InvalidRequest");
    expect(await put({ "x-amz-checksum-crc32": "AAAAAA==" })).toBe("400 BadDigest");
    expect(await put({ "x-amz-checksum-crc64nvme": "AAAAAAAAAAA=" })).toBe("501 NotImplemented");
    expect(await put({ "x-amz-sdk-checksum-algorithm": "CRC32" })).toBe("400 InvalidRequest");
    const two = { "x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-crc32c": "AAAAAA==" };
    expect(await put(two)).toBe("400 InvalidRequest");
    expect(await put({ "content-md5": createHash("md5").update("body").digest("base64") })).toBe(
      "200",
    );
    expect(s3.puts.length).toBe(1);
  });

  test("refuses chunked bodies that are torn, too small or wrongly summed", async () => {
    const put = async (body: string, length: number): Promise<string> =>
      codeOf(
        await signedFetch(keys, {
          method: "PUT",
          url: `${s3.url}/site/k`,
          body,
          payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
          headers: {
            "content-encoding": "aws-chunked",
            "x-amz-decoded-content-length": String(length),
            "x-amz-trailer": "x-amz-checksum-crc32",
          },
        }),
      );
    const end = "0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    expect(await put(`5\r\nhello\r\n${end}`, 5)).toBe("200");
    expect(await put(`5\r\nhello\r\n${end}`, 6)).toBe("400 IncompleteBody");
    expect(await put("5\r\nhel", 5)).toBe("400 IncompleteBody");
    expect(await put(`x\r\nhello\r\n${end}`, 5)).toBe("400 IncompleteBody");
    expect(await put(`2\r\nhe\r\n3\r\nllo\r\n${end}`, 5)).toBe("403 InvalidChunkSizeError");
    expect(await put("5\r\nhello\r\n0\r\n\r\n", 5)).toBe("400 MalformedTrailerError");
    expect(await put("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 5)).toBe(
      "400 BadDigest",
    );
  });

  test("refuses bodies of other forms, keys that are too long, and what it does not know", async () => {
    const send = async (method: string, path: string, more: object = {}): Promise<string> =>
      codeOf(await signedFetch(keys, { method, url: `${s3.url}${path}`, body: "x", ...more }));
    const signed = { payloadHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" };
    expect(await send("PUT", "/site/k", signed)).toBe("501 NotImplemented");
    expect(await send("PUT", "/site/k", { payloadHash: "nonsense" })).toBe("400 InvalidArgument");
    expect(await send("PUT", `/site/${"k".repeat(1025)}`)).toBe("400 KeyTooLongError");
    expect(await send("POST", "/site/k")).toBe("501 NotImplemented");
    expect(await send("PUT", "/UPPER")).toBe("400 InvalidBucketName");
  });

  test("refuses deletions that are not digested, not XML or empty", async () => {
    const post = async (body: string, headers: Record<string, string> = {}): Promise<string> =>
      codeOf(
        await signedFetch(keys, { method: "POST", url: `${s3.url}/site?delete=`, body, headers }),
      );
    const digest = (body: string): Record<string, string> => ({
      "content-md5": createHash("md5").update(body).digest("base64"),
    });
    for (const body of ["<Delete></Delete>", "<Delete><Object></Delete>", "text", "<a/><b/>"]) {
      expect(await post(body, digest(body))).toBe("400 MalformedXML");
    }
    expect(await post("<Delete><Object><Key>a</Key></Object></Delete>")).toBe("400 InvalidRequest");
  });
});

describe("startS3(): presigned addresses", () => {
  const minute = 60_000;

  test("serves one until it expires, and nothing else with it", async () => {
    s3.setObject("site", "a b.csv", "x,y");
    const url = `${s3.url}/site/a%20b.csv`;
    const presign = (startMs: number, expires: number): Promise<Response> =>
      signedFetch(keys, { method: "GET", url, presign: { expires }, now: Date.now() + startMs });
    const good = await presign(0, 60);
    expect([good.status, await good.text()]).toEqual([200, "x,y"]);
    expect(await codeOf(await presign(-2 * minute, 60))).toBe("403 AccessDenied");
    expect(await codeOf(await presign(20 * minute, 60))).toBe("403 AccessDenied");
    expect(await codeOf(await presign(0, 604_801))).toBe("400 AuthorizationQueryParametersError");
    const other = await signedFetch(keys, {
      method: "GET",
      url,
      presign: { expires: 60 },
      sendUrl: `${s3.url}/site/other`,
    });
    expect(await codeOf(other)).toBe("403 SignatureDoesNotMatch");
    const half = await fetch(`${url}?X-Amz-Algorithm=AWS4-HMAC-SHA256`);
    expect(await codeOf(half)).toBe("400 AuthorizationQueryParametersError");
  });
});
