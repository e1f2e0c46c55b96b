// What the tests of matrix sources share: a file behind a server that can be told to fail, a quick policy, a log that is kept.

import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import type { MatrixEntry } from "../../../../src/jobs/matrix/source.ts";
import type { Log } from "../../../../src/log.ts";
import type { RetryPolicy } from "../../../../src/retry.ts";
import type { Http, HttpRequest } from "../../../../src/sources/http.ts";
import { serve } from "../../../sources/rig.ts";

/** Tries four times within a few milliseconds. */
export const QUICK: RetryPolicy = { attempts: 4, minDelayMs: 1, maxDelayMs: 4 };
export const UUID = "00000000-0000-4000-8000-000000000001";
export const OTHER_UUID = "00000000-0000-4000-8000-000000000002";

export function sha256Of(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Bytes that differ everywhere, so that one in a wrong place is noticed. */
export function contentOf(bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) content[at] = (at * 31 + (at >> 8) * 7) & 255;
  return content;
}

export function keepLog(): { readonly log: Log; readonly lines: readonly string[] } {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level}: ${message}`);
  return {
    lines,
    log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
  };
}

/** How one request is answered; what is not said is as a good server does it. */
export interface FileAnswer {
  readonly content?: Buffer;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the connection after so many bytes of the body. */
  readonly breakAfter?: number;
  /** Leaves the connection open after so many bytes of the body. */
  readonly hangAfter?: number;
  readonly ignoresRange?: boolean;
  /** Null: none. */
  readonly etag?: string | null;
  /** Default true: without, the body comes in chunks. */
  readonly hasLength?: boolean;
}

export interface SeenRequest {
  readonly path: string;
  readonly range: string | null;
  readonly ifRange: string | null;
  readonly authorization: string | null;
}

/** Serves a file: the nth request is answered by the nth answer, later ones as the last one says. */
export async function serveFile(
  content: Buffer,
  answers: readonly FileAnswer[] = [{}],
): Promise<{ readonly url: string; readonly seen: readonly SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const url = await serve((request, response) => {
    seen.push(seenOf(request));
    const answer = answers[Math.min(seen.length, answers.length) - 1] ?? {};
    sendFile(request, response, answer.content ?? content, answer);
  });
  return { url, seen };
}

export function seenOf(request: IncomingMessage): SeenRequest {
  const { headers, url = "/" } = request;
  const one = (name: string): string | null => {
    const value = headers[name];
    return typeof value === "string" ? value : null;
  };
  return {
    path: url,
    range: one("range"),
    ifRange: one("if-range"),
    authorization: one("authorization"),
  };
}

export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  content: Buffer,
  answer: FileAnswer = {},
): void {
  const { etag = '"v1"', ignoresRange = false, hasLength = true } = answer;
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const ifRange = request.headers["if-range"];
  const isPart = from > 0 && !ignoresRange && (ifRange === undefined || ifRange === etag);
  const body = isPart ? content.subarray(from) : content;
  const { length } = content;
  const isBeyond = isPart && from >= length;
  const status = answer.status ?? (isBeyond ? 416 : isPart ? 206 : 200);
  response.writeHead(status, {
    ...(etag === null ? {} : { etag }),
    ...(isBeyond ? { "content-range": `bytes */${length}` } : {}),
    ...(isPart && !isBeyond ? { "content-range": `bytes ${from}-${length - 1}/${length}` } : {}),
    ...(hasLength ? { "content-length": String(body.length) } : {}),
    ...answer.headers,
  });
  const cut = answer.breakAfter ?? answer.hangAfter;
  if (cut === undefined) response.end(body);
  else {
    response.write(body.subarray(0, cut), () => {
      if (answer.breakAfter !== undefined) response.socket?.end();
    });
  }
}

/** Where a service is that is asked over https. */
export const SECURE_URL = "https://service.test";

/** A client to which SECURE_URL is the server at `url`, as if something before that ended the encryption. */
export function behindTls(http: Http, url: string): Http {
  const plain = (request: HttpRequest): HttpRequest => {
    if (!request.url.startsWith(SECURE_URL)) return request;
    return { ...request, url: request.url.replace(SECURE_URL, url), endpoint: url };
  };
  return {
    json: (request) => http.json(plain(request)),
    stream: (request) => http.stream(plain(request)),
    close: () => http.close(),
  };
}

/** An entry as sources make them; the rest is what a test says. */
export function makeEntry(entry: Partial<MatrixEntry> = {}): MatrixEntry {
  return {
    id: UUID,
    projectId: UUID,
    species: null,
    title: "A project",
    fileName: `${UUID}.mtx.zip`,
    bytes: null,
    version: { version: "1" },
    sha256: null,
    approaches: [],
    cells: null,
    pageUrl: null,
    locator: "http://127.0.0.1/",
    ...entry,
  };
}
