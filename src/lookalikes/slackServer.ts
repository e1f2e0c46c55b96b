// A look-alike of Slack's incoming webhooks: keeps what it takes, and refuses what Slack would refuse.

import { createServer, type IncomingMessage } from "node:http";

import { listen } from "./listen.ts";
import { payloadProblem } from "./slackRules.ts";

/** What to answer instead of judging the payload: an outage, an archived channel, a limit. */
export interface SlackAnswer {
  readonly status: number;
  readonly body: string;
  /** The Retry-After header. */
  readonly retryAfter?: string;
}

export interface SlackServer {
  /** The webhook's whole address. A secret in real life. */
  readonly url: string;
  /** Payloads that were taken, oldest first. */
  readonly messages: readonly unknown[];
  /** Why payloads were refused, oldest first. */
  readonly refused: readonly string[];
  /** Answers this from now on; null goes back to judging payloads. */
  setAnswer(answer: SlackAnswer | null): void;
  close(): Promise<void>;
}

const PATH = "/services/T000/B000/XXXX";
/** Slack's own bound is not documented; its longest allowed message stays well below. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Starts the server on loopback; port 0 or none takes any free one. */
export async function startSlack(
  options: { readonly port?: number; readonly answer?: SlackAnswer } = {},
): Promise<SlackServer> {
  const messages: unknown[] = [];
  const refused: string[] = [];
  let fixed = options.answer ?? null;

  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body, retryAfter }) => {
        const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
        response.writeHead(status, { "content-type": "text/plain", ...headers }).end(body);
      },
      () => response.destroy(),
    );
  });

  async function answer(request: IncomingMessage): Promise<SlackAnswer> {
    const text = await readText(request);
    if (request.url !== PATH) return { status: 404, body: "no_service" };
    if (request.method !== "POST") return { status: 400, body: "invalid_payload" };
    if (fixed !== null) return fixed;
    const { problem, payload } = judge(request, text);
    if (problem === null) {
      messages.push(payload);
      return { status: 200, body: "ok" };
    }
    refused.push(problem.why);
    return { status: 400, body: problem.code };
  }

  const url = (await listen(server, "127.0.0.1", options.port ?? 0)) + PATH;
  return {
    url,
    messages,
    refused,
    setAnswer(next) {
      fixed = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function judge(
  request: IncomingMessage,
  text: string,
): { readonly problem: ReturnType<typeof payloadProblem>; readonly payload: unknown } {
  const isJson = /^application\/json\b/.test(request.headers["content-type"] ?? "");
  const invalid = (why: string): { problem: { code: string; why: string }; payload: null } => {
    return { problem: { code: "invalid_payload", why }, payload: null };
  };
  if (!isJson) return invalid("the content type is not application/json");
  try {
    const payload: unknown = JSON.parse(text);
    return { problem: payloadProblem(payload), payload };
  } catch {
    return invalid("the body is not JSON");
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes <= MAX_BODY_BYTES) pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}
