// One authorised call to Synapse: bounded in number, tried again while it may help, and told in Synapse's words when refused.

import type { LimitFunction } from "p-limit";

import type { Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { Log } from "../log.ts";
import { type OnRetry, retry, type RetryPolicy } from "../retry.ts";
import { type Http, HttpError } from "./http.ts";

/** What all parts of the client share. */
export interface SynapseContext {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token: string;
  /** Who reads, for messages: "user ada". */
  readonly reader: string;
  readonly http: Http;
  readonly policy: RetryPolicy;
  readonly onRetry: OnRetry;
  /** Bounds calls under way at a time. */
  readonly calls: LimitFunction;
  /** Bounds downloads under way at a time. */
  readonly downloads: LimitFunction;
  /** How long to wait between two polls of a job: `first` at the start, growing to `max`. Milliseconds. */
  readonly pollMs: { readonly first: number; readonly max: number };
  /** How long a job may take, in milliseconds. */
  readonly deadlineMs: number;
}

export interface SynapseCall {
  readonly subject: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly json?: Json;
  /** The entity that a 403 or 404 is about. */
  readonly entityId?: string;
  /** What the entity is asked for, to follow "has no right"; "to read", where nothing is said. */
  readonly right?: string;
  /** True where nothing at all is an answer, too: its value is null. */
  readonly mayBeEmpty?: boolean;
  /** What a 404 means where it is not the entity that is missing. */
  readonly missing?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls Synapse and returns the parsed answer. Throws permanent for a wrong token (401), a missing right (403), a missing
 * entity (404) and any other refusal; transient when it kept failing.
 */
export async function callSynapse(
  context: SynapseContext,
  call: SynapseCall,
): Promise<{ readonly status: number; readonly value: unknown }> {
  const { subject, method, path, json, mayBeEmpty = false, signal } = call;
  return retry(
    subject,
    context.policy,
    () =>
      context.calls(async () => {
        signal?.throwIfAborted();
        try {
          return await context.http.json({
            subject,
            method,
            url: `${context.endpoint}${path}`,
            endpoint: context.endpoint,
            headers: { authorization: `Bearer ${context.token}`, accept: "application/json" },
            ...(json === undefined ? {} : { json }),
            ...{ mayBeEmpty, signal },
          });
        } catch (error) {
          throw error instanceof HttpError ? refusal(context, call, error) : error;
        }
      }),
    { signal, onRetry: context.onRetry },
  );
}

/** Says a refusal in terms of what people can do about it. Transient ones only lose the token, should a server repeat it. */
function refusal(context: SynapseContext, call: SynapseCall, error: HttpError): HdashError {
  const { subject, entityId, missing, right = "to read" } = call;
  const reason = error.reason?.replaceAll(context.token, "[token]") ?? null;
  const says = reason === null ? "" : `: ${reason}`;
  if (error.kind === "transient") {
    return new HttpError(subject, error.status, reason, error.retryAfterMs);
  }
  if (error.status === 401) return tokenRefused(says);
  if (error.status === 403 && entityId !== undefined) {
    const message = `${context.reader} has no right ${right} ${entityId}${says}`;
    const scopes = right === "to read" ? "view and download" : "view, download and modify";
    return new HdashError("permanent", message, {
      hint: `Ask whoever owns ${entityId} to share it with that user, and check that the token may ${scopes}.`,
      publicly: `Synapse does not let hdash ${right.replace(/^to /, "")} ${entityId}`,
      lacking: entityId,
    });
  }
  if (error.status === 404 && missing !== undefined) {
    return new HdashError("permanent", `${subject}: ${missing}${says}`);
  }
  if (error.status === 404 && entityId !== undefined) {
    return new HdashError("permanent", `there is no entity ${entityId} in Synapse${says}`, {
      hint: `Check the id ${entityId}: it may be mistyped, or the entity was deleted.`,
      publicly: `there is no ${entityId} in Synapse`,
      lacking: entityId,
    });
  }
  return new HttpError(subject, error.status, reason, error.retryAfterMs);
}

/** The error for a token that Synapse does not take; `says` starts with ": " or is empty. */
export function tokenRefused(says: string): HdashError {
  return new HdashError("permanent", `Synapse did not accept the token (SYNAPSE_PASSWORD)${says}`, {
    hint:
      "SYNAPSE_PASSWORD must hold a personal access token, not a password. Make one in Synapse under Account Settings, " +
      "Personal Access Tokens, with the scopes view and download.",
  });
}

/** Logs retries: the first two quietly, as throttling is daily business, later ones as a warning. */
export function logRetries(log: Log): OnRetry {
  return ({ subject, attempt, delayMs, reason }) => {
    const line = `Synapse failed at attempt ${attempt} → trying again in ${delayMs} ms: ${reason}`;
    if (attempt < 3) log.debug(line, { subject, attempt, delayMs });
    else log.warn(line, { subject, attempt, delayMs });
  };
}
