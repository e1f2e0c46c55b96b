// S3's website hosting: index and error documents, redirects to folders, nothing but GET and HEAD, nothing signed.

import type { IncomingMessage } from "node:http";

import { S3Error } from "./s3Error.ts";
import type { S3Objects } from "./s3Objects.ts";
import { get, type S3Reply } from "./s3Reads.ts";

/** Answers a reader; the host's first label may name the bucket, the first of `buckets` is meant otherwise. */
export function answerWebsite(
  request: IncomingMessage,
  objects: S3Objects,
  buckets: readonly string[],
): S3Reply {
  const method = request.method ?? "GET";
  const call = { method, query: new Map<string, string>(), headers: request.headers };
  if (method !== "GET" && method !== "HEAD") {
    return page(405, "Method Not Allowed", { allow: "GET, HEAD" }, method);
  }
  const host = request.headers.host ?? "";
  const name = buckets.find((bucket) => host.startsWith(`${bucket}.`)) ?? buckets[0] ?? "";
  const stored = objects.bucketOf(name);
  const path = decodeURIComponent((request.url ?? "/").replace(/\?.*$/, "").slice(1));
  const object = stored.get(path === "" || path.endsWith("/") ? `${path}index.html` : path);
  try {
    if (object !== undefined) return get(call, object);
    if (path !== "" && !path.endsWith("/") && stored.has(`${path}/index.html`)) {
      return page(302, "Found", { location: `/${path}/` }, method);
    }
    const missing = stored.get("404.html");
    return missing === undefined
      ? page(404, "Not Found: NoSuchKey", {}, method)
      : get({ ...call, headers: {} }, missing, 404);
  } catch (error) {
    if (error instanceof S3Error) return page(error.status, error.code, {}, method);
    throw error;
  }
}

function page(
  status: number,
  title: string,
  headers: Readonly<Record<string, string>>,
  method: string,
): S3Reply {
  const body = `<html><head><title>${status} ${title}</title></head><body><h1>${status} ${title}</h1></body></html>\n`;
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8", ...headers },
    body: method === "HEAD" ? null : body,
    written: null,
  };
}
