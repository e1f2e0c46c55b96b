// What the look-alike services have in common: routes, counters, faults, and answers in JSON.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { listen } from "./listen.ts";
import type { JsonFaults, Occasions, RequestFaults } from "./occasions.ts";
import { jsonHeaders, sendJson } from "./synapse/synapseAnswers.ts";
import { breakOff } from "./synapse/synapseObjects.ts";

/** Larger requests than this are none of theirs. */
const MAX_BODY_BYTES = 1024 * 1024;

/** A route's name, its method, and the pattern of its path. */
export type RouteRule<R extends string> = readonly [
  route: R,
  method: "GET" | "POST",
  pattern: RegExp,
];

export interface ServiceRequest<R extends string> {
  readonly route: R;
  /** Groups of the path's pattern, decoded. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  /** Null for requests without one. */
  readonly body: unknown;
}

export interface ServiceAnswer {
  readonly status: number;
  readonly value: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that the service does not take: answered with its status, and remembered. */
export class WrongRequest extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export interface ServiceOptions<R extends string, F extends JsonFaults> {
  readonly host: string;
  readonly port: number;
  readonly routes: readonly RouteRule<R>[];
  readonly occasions: () => Occasions<F>;
  readonly answer: (request: ServiceRequest<R>) => ServiceAnswer | Promise<ServiceAnswer>;
  /** How the service words an error. */
  readonly errorBody: (status: number, message: string) => unknown;
}

export interface Service<R extends string> {
  readonly url: string;
  readonly requests: Record<R | "unknown", number>;
  /** One sentence for each request that was wrong, oldest first. */
  readonly wrong: string[];
  close(): Promise<void>;
}

/** Starts a service. Throws usage where it cannot listen. */
export async function startService<R extends string, F extends JsonFaults>(
  options: ServiceOptions<R, F>,
): Promise<Service<R>> {
  const names: readonly (R | "unknown")[] = [...options.routes.map(([route]) => route), "unknown"];
  const requests = Object.fromEntries(names.map((name) => [name, 0])) as Record<
    R | "unknown",
    number
  >;
  const wrong: string[] = [];

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const message = error instanceof Error ? error.message : String(error);
      const status = error instanceof WrongRequest ? error.status : 500;
      if (status !== 500) wrong.push(`${request.method} ${request.url}: ${message}`);
      sendJson(response, status, options.errorBody(status, message));
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? "/", "http://localhost");
    const found = routeOf(options.routes, request.method ?? "", at.pathname);
    const route = found?.route ?? "unknown";
    requests[route]++;
    const occasions = options.occasions();
    if (await meetsTrouble(request, response, occasions, route)) return;
    if (found === null) throw new WrongRequest(404, "there is nothing at this address");
    const body = request.method === "POST" ? await readJson(request) : null;
    const { status, value, headers } = await options.answer({
      ...found,
      query: at.searchParams,
      body,
    });
    const text = JSON.stringify(value);
    const half = text.slice(0, text.length >> 1);
    if (occasions.strikes("garble", route)) {
      response.writeHead(200, jsonHeaders(half)).end(half);
    } else if (occasions.strikes("truncate", route)) {
      response.writeHead(status, jsonHeaders(text)).write(half);
      await breakOff(response);
    } else {
      sendJson(response, status, value, headers);
    }
  }

  const url = await listen(server, options.host, options.port);
  return {
    url,
    requests,
    wrong,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Lets the faults strike that any request may meet; true where the request is done with. */
export async function meetsTrouble<F extends RequestFaults>(
  request: IncomingMessage,
  response: ServerResponse,
  { faults, strikes }: Occasions<F>,
  route: string,
): Promise<boolean> {
  if (strikes("slow", route)) await sleep(faults.slow?.delayMs);
  if (strikes("reset", route)) {
    request.socket.resetAndDestroy();
    return true;
  }
  const refuse = (status: number, message: string, retryAfter: string | undefined): boolean => {
    const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
    sendJson(response, status, { message }, headers);
    return true;
  };
  if (strikes("throttle", route)) {
    return refuse(429, "Too Many Requests", faults.throttle?.retryAfter);
  }
  if (strikes("unavailable", route)) {
    const { status = 503, retryAfter } = faults.unavailable ?? {};
    return refuse(status, "Service Unavailable", retryAfter);
  }
  return false;
}

/** Refuses parameters that a route does not know, and those that are given twice. */
export function checkQuery(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw new WrongRequest(400, `Unknown query parameter \`${name}\``);
    if (query.getAll(name).length > 1) {
      throw new WrongRequest(400, `Duplicate query parameter \`${name}\``);
    }
  }
}

function routeOf<R extends string>(
  routes: readonly RouteRule<R>[],
  method: string,
  path: string,
): { readonly route: R; readonly parts: readonly string[] } | null {
  for (const [route, wanted, pattern] of routes) {
    const match = method === wanted ? pattern.exec(path) : null;
    if (match !== null) return { route, parts: match.slice(1).map(decoded) };
  }
  return null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new WrongRequest(400, `${text} is not an address`);
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\b/.test(request.headers["content-type"] ?? "")) {
    throw new WrongRequest(415, "the content type is not application/json");
  }
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) throw new WrongRequest(413, "the request is too large");
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch {
    throw new WrongRequest(400, "the request is not JSON");
  }
}
