// HTTP for every source: one bounded pool of connections, and the only place that knows what a status code or a broken
// connection means. It tries once; whoever calls decides about trying again (see retry.ts).

import { performance } from "node:perf_hooks";

import { Agent, buildConnector, type Dispatcher, request as send } from "undici";

import type { Json } from "../digest.ts";
import { codeOf, HdashError, messageOf } from "../error.ts";
import {
  isTrusted,
  NOT_PUBLIC,
  publicLookup,
  RefusedAddress,
  type Resolve,
  whyRefused,
} from "./reach.ts";

/** Bounds of the client. Times are milliseconds. */
export interface HttpOptions {
  /** Connections to one server at a time. */
  readonly connections?: number;
  readonly connectTimeoutMs?: number;
  /** From the request to the head of the answer. */
  readonly headersTimeoutMs?: number;
  /** Between two pieces of a body. */
  readonly bodyTimeoutMs?: number;
  /** While a body is waited for, so many bytes come in each such time, or the connection is given up: pieces may be small and come for ever. */
  readonly leastRate?: { readonly bytes: number; readonly inMs: number };
  /** Resolves the names of addresses that came from data. Default: the system. */
  readonly resolve?: Resolve;
  /** Makes the connections to them. Default: undici's. */
  readonly connectorOf?: typeof buildConnector;
}

export interface HttpRequest {
  /** What this is, for messages: "project p1 of Azul". Messages never name the address, which may carry a signature. */
  readonly subject: string;
  readonly method?: "GET" | "POST";
  readonly url: string;
  /**
   * The configured address of the service whose answer named `url`, or led to it by a redirect; `url` itself where that is configured. What
   * is not of the endpoint is asked only where whyRefused() has no reason against it, and without credentials.
   */
  readonly endpoint: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: Json;
  /** True where nothing at all is an answer in place of JSON, too: its value is null. */
  readonly mayBeEmpty?: boolean;
  /** Statuses outside 200-299 that are answers too, e.g. 302: they are handed on instead of thrown. Nothing is ever followed. */
  readonly accept?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

/** An answer whose body is still to come: read `body` to its end or call `discard`, or the connection is lost to the pool. */
export interface HttpStream {
  readonly status: number;
  header(name: string): string | null;
  /** What Retry-After asks for; null where it is missing or cannot be read. */
  readonly retryAfterMs: number | null;
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

/**
 * All methods throw HttpError for a status outside 200-299 that the request does not accept, a transient HdashError for a
 * connection that fails or breaks, and an aborted one when the signal aborts.
 */
export interface Http {
  /** Asks for JSON and reads it whole (at most 64 MB). Throws permanent where the answer is not JSON. */
  json(request: HttpRequest): Promise<{ readonly status: number; readonly value: unknown }>;
  /** Asks for a body to be read piece by piece. */
  stream(request: HttpRequest): Promise<HttpStream>;
  /** Breaks off whatever is under way and closes all connections. */
  close(): Promise<void>;
}

/** An answer that is not a success: transient for 429 and 5xx, permanent for the rest. */
export class HttpError extends HdashError {
  readonly status: number;
  /** What the server says about it, in one line; null where it says nothing. */
  readonly reason: string | null;
  constructor(subject: string, status: number, reason: string | null, retryAfterMs: number | null) {
    const says = reason === null ? "" : `: ${reason}`;
    // A server that asks for more patience than a run has is not passing trouble for this run.
    const isTooLong = retryAfterMs !== null && retryAfterMs > MAX_PATIENCE_MS;
    const isPassing = (status === 429 || status >= 500) && !isTooLong;
    const wait = isTooLong ? ` (it asks to wait ${Math.round(retryAfterMs / 60_000)} minutes)` : "";
    super(
      isPassing ? "transient" : "permanent",
      `${subject}: the server answered ${status}${wait}${says}`,
      isPassing && retryAfterMs !== null ? { retryAfterMs } : {},
    );
    this.name = "HttpError";
    this.status = status;
    this.reason = reason;
  }
}

/** Tells a signed address that has expired: S3 answers 403, and 400 where the credentials that signed it expired first. */
export function isExpiry({ status, reason }: HttpError): boolean {
  return status === 403 || (status === 400 && /^ExpiredToken/.test(reason ?? ""));
}

/** No Retry-After longer than this is waited for: a run that sleeps longer than 15 minutes looks hung to its operators. */
const MAX_PATIENCE_MS = 15 * 60_000;
/** A byte now and then keeps a connection from timing out; a modem was four times as fast as this. */
const LEAST_RATE = { bytes: 64 * 1024, inMs: 60_000 };
/** A page of a query or of a folder is a few MB at most; more is not an answer to what was asked. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
/** What is read of an error's body to find its reason. */
const MAX_REASON_BYTES = 64 * 1024;

/** Makes the client. Close it when done. */
export function makeHttp(options: HttpOptions = {}): Http {
  const { connectorOf = buildConnector, leastRate = LEAST_RATE } = options;
  const connecting = { timeout: options.connectTimeoutMs ?? 10_000 };
  const bounds = {
    connections: options.connections ?? 12,
    pipelining: 1,
    headersTimeout: options.headersTimeoutMs ?? 60_000,
    bodyTimeout: options.bodyTimeoutMs ?? 60_000,
  };
  const agents: Agents = {
    trusted: new Agent({ ...bounds, connect: connecting }),
    // A pool of its own: a connection that was made for a trusted address is not used for another one.
    guarded: new Agent({
      ...bounds,
      connect: connectorOf({ ...connecting, lookup: publicLookup(options.resolve) }),
    }),
  };

  async function stream(request: HttpRequest): Promise<HttpStream> {
    const answer = await open(agents, request);
    const { statusCode: status } = answer;
    const body = piecesOf(answer.body, request, leastRate);
    const retryAfterMs = readRetryAfter(answer);
    if ((status < 200 || status > 299) && request.accept?.includes(status) !== true) {
      throw new HttpError(request.subject, status, await readReason(body), retryAfterMs);
    }
    return {
      status,
      header: (name) => headerOf(answer, name),
      retryAfterMs,
      body,
      discard: () => answer.body.on("error", () => undefined).destroy(),
    };
  }

  return {
    stream,
    async json(request) {
      const answer = await stream(request);
      const { text, isWhole } = await readText(answer.body, MAX_JSON_BYTES);
      if (!isWhole) {
        throw new HdashError("permanent", `${request.subject}: the answer is over 64 MB long`);
      }
      if (text === "" && request.mayBeEmpty === true) return { status: answer.status, value: null };
      try {
        return { status: answer.status, value: JSON.parse(text) as unknown };
      } catch {
        // No cause: the parser's message quotes the body, which may hold participant-level data.
        const type = answer.header("content-type") ?? "no content type";
        throw new HdashError(
          "permanent",
          `${request.subject}: the answer is not JSON (${type}, ${text.length} characters)`,
        );
      }
    },
    async close() {
      await Promise.all([agents.trusted.destroy(), agents.guarded.destroy()]);
    },
  };
}

interface Agents {
  /** For addresses that are configured. */
  readonly trusted: Agent;
  /** For those that came from data: connects to what everybody can reach, and to nothing else. */
  readonly guarded: Agent;
}

async function open(agents: Agents, request: HttpRequest): Promise<Dispatcher.ResponseData> {
  const { subject, method = "GET", url, endpoint, headers = {}, json, signal } = request;
  const why = whyRefused(url, endpoint);
  if (why !== null) throw new RefusedAddress(subject, why);
  const isOwn = new URL(url).origin === new URL(endpoint).origin;
  if (!isOwn && Object.keys(headers).some((name) => /^(authorization|cookie)$/i.test(name))) {
    throw new HdashError("permanent", `${subject}: credentials are for the service itself alone`);
  }
  try {
    return await send(url, {
      dispatcher: isTrusted(url, endpoint) ? agents.trusted : agents.guarded,
      method,
      headers: {
        "user-agent": "hdash",
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: json === undefined ? null : JSON.stringify(json),
      signal: signal ?? null,
    });
  } catch (error) {
    throw brokenConnection(request, error, null);
  }
}

/** A body's pieces, with whatever breaks it told as an HdashError. Leaving the loop early gives the connection up. */
async function* piecesOf(
  body: AsyncIterable<unknown>,
  request: HttpRequest,
  leastRate: { readonly bytes: number; readonly inMs: number },
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  // Only the time in which the server keeps us waiting counts, not what is done with a piece.
  let waitedMs = 0;
  let cameMeanwhile = 0;
  let since = performance.now();
  try {
    for await (const piece of body) {
      if (!(piece instanceof Uint8Array)) continue;
      bytes += piece.length;
      cameMeanwhile += piece.length;
      waitedMs += performance.now() - since;
      if (waitedMs > leastRate.inMs) {
        if (cameMeanwhile < leastRate.bytes) {
          throw new Error(`too slow: ${cameMeanwhile} bytes in ${Math.round(waitedMs / 1000)} s`);
        }
        waitedMs = 0;
        cameMeanwhile = 0;
      }
      yield piece;
      since = performance.now();
    }
  } catch (error) {
    throw brokenConnection(request, error, bytes);
  }
}

/** Errors that trying again cannot mend: the other side is not who it should be, or we asked nonsense. */
const LASTING = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_SSL|UND_ERR_INVALID_ARG/;

/** Errors after close(). */
const CLOSED = /UND_ERR_DESTROYED|UND_ERR_CLOSED/;

function brokenConnection(request: HttpRequest, error: unknown, bytes: number | null): HdashError {
  const { subject, signal } = request;
  const code = codeOf(error) ?? "";
  if (code === NOT_PUBLIC) return new RefusedAddress(subject, messageOf(error));
  if (signal?.aborted || CLOSED.test(code)) {
    return new HdashError("aborted", `stopped while: ${subject}`, { cause: error });
  }
  const where =
    bytes === null
      ? "no connection or answer"
      : `the connection broke after ${bytes} ${bytes === 1 ? "byte" : "bytes"} of the answer`;
  const kind = LASTING.test(code) ? "permanent" : "transient";
  return new HdashError(kind, `${subject}: ${where} (${messageOf(error) || code})`, {
    cause: error,
  });
}

function headerOf(answer: Dispatcher.ResponseData, name: string): string | null {
  const value = answer.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/**
 * Reads Retry-After, which is seconds or an HTTP date, as milliseconds; null where it is neither. A date is read by the
 * server's own clock, which the answer carries: ours may be wrong.
 */
function readRetryAfter(answer: Dispatcher.ResponseData): number | null {
  const value = headerOf(answer, "retry-after");
  if (value === null) return null;
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Math.ceil(Number(value) * 1000);
  const wait = Date.parse(value) - Date.parse(headerOf(answer, "date") ?? "");
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}

async function readText(
  body: AsyncIterable<Uint8Array>,
  limit: number,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > limit) break;
  }
  const text = Buffer.concat(pieces).subarray(0, limit).toString("utf8");
  return { text, isWhole: bytes <= limit };
}

/** What an error's body says: a service's reason or message (JSON), or S3's code and message (XML). */
async function readReason(body: AsyncIterable<Uint8Array>): Promise<string | null> {
  let text: string;
  try {
    ({ text } = await readText(body, MAX_REASON_BYTES));
  } catch {
    // The status already says what happened; that its explanation got lost does not change it.
    return null;
  }
  const said = reasonInJson(text) ?? reasonInXml(text);
  return said === null ? null : said.replace(/\s+/g, " ").trim().slice(0, 300);
}

/** Fields in which the services that are asked say what is wrong. */
const REASON_FIELDS = ["reason", "errorMessage", "message", "Message", "detail"];

function reasonInJson(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    const fields = value as Readonly<Record<string, unknown>>;
    const said = REASON_FIELDS.map((name) => fields[name]);
    return (
      (said.find((item) => typeof item === "string" && item !== "") as string | undefined) ?? null
    );
  } catch {
    return null;
  }
}

function reasonInXml(text: string): string | null {
  const code = /<Code>([^<]*)<\/Code>/.exec(text)?.[1];
  const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
  return code === undefined ? null : [code, message].filter(Boolean).join(": ");
}
