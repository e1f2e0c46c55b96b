// Signs plain requests, so that tests can send what no SDK would: it signs one thing and may send another.

import { createHash, createHmac } from "node:crypto";

export interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

export interface PlainRequest {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
  /** Signed and sent. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the body's SHA-256. */
  readonly payloadHash?: string;
  /** Puts the signature into the address instead of a header; seconds. */
  readonly presign?: { readonly expires: number };
  /** Milliseconds since the epoch at which it claims to be signed. */
  readonly now?: number;
  /** Sent instead of, or besides, what was signed. */
  readonly sendUrl?: string;
  readonly sendHeaders?: Readonly<Record<string, string>>;
  readonly sendBody?: string;
}

/** Signs a request and sends it. */
export async function signedFetch(keys: SigningKeys, request: PlainRequest): Promise<Response> {
  const { method, body = "", presign } = request;
  const url = new URL(request.url);
  const stamp = new Date(request.now ?? Date.now()).toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = `${stamp.slice(0, 8)}/${keys.region}/s3/aws4_request`;
  const payloadHash =
    presign === undefined ? (request.payloadHash ?? sha256(body)) : "UNSIGNED-PAYLOAD";
  const signed: Record<string, string> = { host: url.host, ...request.headers };
  if (presign === undefined) {
    signed["x-amz-date"] = stamp;
    signed["x-amz-content-sha256"] = payloadHash;
  }
  const names = Object.keys(signed).sort();
  if (presign !== undefined) {
    url.searchParams.set("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    url.searchParams.set("X-Amz-Credential", `${keys.accessKeyId}/${scope}`);
    url.searchParams.set("X-Amz-Date", stamp);
    url.searchParams.set("X-Amz-Expires", String(presign.expires));
    url.searchParams.set("X-Amz-SignedHeaders", names.join(";"));
  }
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join("&");
  const canonical = [
    method,
    url.pathname,
    query,
    ...names.map((name) => `${name}:${signed[name] ?? ""}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", stamp, scope, sha256(canonical)].join("\n");
  const key = scope
    .split("/")
    .reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${keys.secretAccessKey}`);
  const signature = hmac(key, toSign).toString("hex");
  const { host: _host, ...headers } = signed;
  const target = new URL(request.sendUrl ?? request.url);
  if (presign === undefined) {
    headers["authorization"] =
      `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  } else {
    target.search = `${query}&X-Amz-Signature=${signature}`;
  }
  const sentBody = request.sendBody ?? body;
  return await fetch(target, {
    method,
    headers: { ...headers, ...request.sendHeaders },
    ...(sentBody === "" ? {} : { body: Buffer.from(sentBody) }),
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
