// How the look-alike Synapse reads requests and writes answers: JSON in, JSON out, refusals with a reason.

import type { IncomingMessage, ServerResponse } from "node:http";

/** What every concrete type on the wire starts with. */
export const MODEL = "org.sagebionetworks.repo.model";

/** Larger requests than this are none of Synapse's. */
const MAX_BODY_BYTES = 1024 * 1024;

/** A JSON object as it came in. */
export type Body = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly value: unknown;
}

/** An answer that is not a success, with Synapse's reason. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
  }
}

/** Reads a request's JSON object. Throws Refusal for anything else. */
export async function readBody(request: IncomingMessage): Promise<Body> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, "The request is too large");
    pieces.push(piece);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(pieces).toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  } catch {
    throw new Refusal(400, "The request is not JSON");
  }
  throw new Refusal(400, "The request is not a JSON object");
}

/** Makes the body of an error as Synapse writes it. */
export function errorBody(reason: string): unknown {
  return { concreteType: `${MODEL}.ErrorResponse`, reason };
}

/** Makes the headers for a JSON body. */
export function jsonHeaders(text: string): Record<string, string | number> {
  return { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(value);
  response.writeHead(status, { ...jsonHeaders(text), ...headers });
  response.end(text);
}
