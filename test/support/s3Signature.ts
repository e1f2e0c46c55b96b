// Checks AWS Signature Version 4 as S3 does: in the Authorization header and in presigned addresses.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

import { S3Error } from "./s3Error.ts";

/** What is signed, as it came over the wire. */
export interface SignedRequest {
  readonly method: string;
  /** Path as sent, still encoded. */
  readonly rawPath: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: IncomingHttpHeaders;
}

export interface SignatureRules {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface Claim {
  readonly credential: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly amzDate: string;
  readonly payloadHash: string;
  readonly query: readonly (readonly [string, string])[];
}

const MAX_SKEW_MS = 15 * 60_000;
const MAX_EXPIRES_SECONDS = 604_800;
const ALGORITHM = "AWS4-HMAC-SHA256";

/** Returns the payload hash that was signed ("UNSIGNED-PAYLOAD" for presigned addresses); throws S3Error as S3 would answer. */
export function checkSignature(request: SignedRequest, rules: SignatureRules): string {
  const isPresigned = request.query.some(([name]) => name === "X-Amz-Algorithm");
  const claim = isPresigned ? readPresigned(request, rules.now) : readHeader(request, rules.now);
  const [accessKeyId = "", day = "", region = "", service = "", terminal = ""] =
    claim.credential.split("/");
  if (service !== "s3" || terminal !== "aws4_request" || day !== claim.amzDate.slice(0, 8)) {
    throw malformed(
      `the credential scope ${claim.credential} is not <key>/<day>/<region>/s3/aws4_request`,
    );
  }
  if (region !== rules.region) {
    throw malformed(`the region '${region}' is wrong; expecting '${rules.region}'`, {
      Region: rules.region,
    });
  }
  if (accessKeyId !== rules.accessKeyId) {
    throw new S3Error(
      403,
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      { AWSAccessKeyId: accessKeyId },
    );
  }
  checkSignedHeaders(request, claim.signedHeaders);
  const canonical = canonicalRequest(request, claim);
  const scope = `${day}/${region}/${service}/${terminal}`;
  const toSign = [ALGORITHM, claim.amzDate, scope, sha256(canonical)].join("\n");
  const key = [region, service, terminal].reduce(
    (secret, part) => hmac(secret, part),
    hmac(`AWS4${rules.secretAccessKey}`, day),
  );
  const expected = hmac(key, toSign);
  const given = Buffer.from(claim.signature, "hex");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new S3Error(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      { AWSAccessKeyId: accessKeyId, StringToSign: toSign, CanonicalRequest: canonical },
    );
  }
  return claim.payloadHash;
}

function readHeader({ headers, query }: SignedRequest, now: number): Claim {
  const authorization = headers.authorization;
  if (authorization === undefined) throw new S3Error(403, "AccessDenied", "Access Denied");
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  const [, credential, signedHeaders, signature] = parts ?? [];
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw malformed("it is not of the form AWS4-HMAC-SHA256 Credential, SignedHeaders, Signature");
  }
  const amzDate = headerOf(headers, "x-amz-date");
  if (amzDate === null) {
    throw new S3Error(
      403,
      "AccessDenied",
      "AWS authentication requires a valid Date or x-amz-date header",
    );
  }
  const skewMs = Math.abs(instantOf(amzDate) - now);
  if (skewMs > MAX_SKEW_MS) {
    throw new S3Error(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      {
        RequestTime: amzDate,
        ServerTime: new Date(now).toISOString(),
        MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
      },
    );
  }
  const payloadHash = headerOf(headers, "x-amz-content-sha256");
  if (payloadHash === null) {
    throw new S3Error(
      400,
      "InvalidRequest",
      "Missing required header for this request: x-amz-content-sha256",
    );
  }
  return {
    credential,
    signedHeaders: signedHeaders.split(";"),
    signature,
    amzDate,
    payloadHash,
    query,
  };
}

function readPresigned({ headers, query }: SignedRequest, now: number): Claim {
  const wrong = (message: string): S3Error =>
    new S3Error(400, "AuthorizationQueryParametersError", message);
  const parameter = (name: string): string => {
    const found = query.find(([key]) => key === name)?.[1];
    if (found !== undefined) return found;
    throw wrong(
      "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    );
  };
  if (parameter("X-Amz-Algorithm") !== ALGORITHM)
    throw wrong(`X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const expires = Number(parameter("X-Amz-Expires"));
  if (!Number.isInteger(expires) || expires < 0) throw wrong("X-Amz-Expires should be a number");
  if (expires > MAX_EXPIRES_SECONDS)
    throw wrong("X-Amz-Expires must be less than a week (in seconds)");
  const amzDate = parameter("X-Amz-Date");
  const startMs = instantOf(amzDate);
  if (startMs - now > MAX_SKEW_MS)
    throw new S3Error(403, "AccessDenied", "Request is not valid yet");
  if (startMs + expires * 1000 < now) {
    throw new S3Error(403, "AccessDenied", "Request has expired", {
      "X-Amz-Expires": String(expires),
      Expires: new Date(startMs + expires * 1000).toISOString(),
      ServerTime: new Date(now).toISOString(),
    });
  }
  return {
    credential: parameter("X-Amz-Credential"),
    signedHeaders: parameter("X-Amz-SignedHeaders").split(";"),
    signature: parameter("X-Amz-Signature"),
    amzDate,
    payloadHash: headerOf(headers, "x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD",
    query: query.filter(([name]) => name !== "X-Amz-Signature"),
  };
}

/** The host and every x-amz header must be under the signature, or anyone on the way could change them. */
function checkSignedHeaders({ headers }: SignedRequest, signed: readonly string[]): void {
  const unsigned = Object.keys(headers).filter(
    (name) => (name === "host" || name.startsWith("x-amz-")) && !signed.includes(name),
  );
  if (unsigned.length === 0) return;
  throw new S3Error(
    403,
    "AccessDenied",
    "There were headers present in the request which were not signed",
    {
      HeadersNotSigned: unsigned.join(", "),
    },
  );
}

function canonicalRequest(request: SignedRequest, claim: Claim): string {
  const headers = [...claim.signedHeaders].sort().map((name) => {
    const value = headerOf(request.headers, name) ?? "";
    return `${name}:${value.trim().replace(/ +/g, " ")}\n`;
  });
  const query = claim.query
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
  return [
    request.method,
    request.rawPath
      .split("/")
      .map((segment) => encode(decodeURIComponent(segment)))
      .join("/"),
    query,
    headers.join(""),
    [...claim.signedHeaders].sort().join(";"),
    claim.payloadHash,
  ].join("\n");
}

/** "20261121T120000Z" as milliseconds since the epoch. */
function instantOf(amzDate: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate);
  if (parts === null) throw malformed(`the date ${amzDate} is not of the form 20261231T235959Z`);
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second);
}

function malformed(message: string, details: Readonly<Record<string, string>> = {}): S3Error {
  return new S3Error(
    400,
    "AuthorizationHeaderMalformed",
    `The authorization header is malformed; ${message}`,
    details,
  );
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  return value === undefined ? null : Array.isArray(value) ? value.join(",") : value;
}

/** Percent-encodes as the signature wants it: everything but the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
