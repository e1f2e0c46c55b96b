// Synapse's asynchronous jobs: start one, ask for its result with growing pauses, and give up at a deadline.

import type { Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import { pause } from "../retry.ts";
import { HttpError } from "./http.ts";
import { callSynapse, type SynapseContext } from "./synapseCalls.ts";
import { readJobToken } from "./synapseWire.ts";

/** Each pause between polls is this much longer than the one before: a job of 30 s costs about 14 polls. */
const POLL_GROWTH = 1.5;

export interface SynapseJob {
  readonly subject: string;
  readonly entityId: string;
  /** The part of the address that "/start" and "/get/{token}" follow. */
  readonly path: string;
  readonly request: Json;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a job and returns its result as it came. Throws permanent where the job failed, transient where it was not done by
 * the deadline.
 */
export async function runJob(context: SynapseContext, job: SynapseJob): Promise<unknown> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), context.deadlineMs);
  const signal =
    job.signal === undefined ? deadline.signal : AbortSignal.any([job.signal, deadline.signal]);
  try {
    return await startAndPoll(context, { ...job, signal });
  } catch (error) {
    if (!deadline.signal.aborted || job.signal?.aborted) throw error;
    const seconds = context.deadlineMs / 1000;
    throw new HdashError("transient", `${job.subject}: not done after ${seconds} s`, {
      cause: error,
      hint: "Synapse may be rebuilding the view; look at it in the browser and try again later.",
    });
  } finally {
    clearTimeout(timer);
  }
}

async function startAndPoll(context: SynapseContext, job: SynapseJob): Promise<unknown> {
  const { subject, entityId, path, request, signal } = job;
  const started = await callSynapse(context, {
    subject,
    method: "POST",
    path: `${path}/start`,
    json: request,
    entityId,
    signal,
  });
  const token = encodeURIComponent(readJobToken(started.value, subject));
  for (let wait = context.pollMs.first; ; wait = Math.min(wait * POLL_GROWTH, context.pollMs.max)) {
    const { status, value } = await poll(context, job, `${path}/get/${token}`);
    if (status !== 202) return value;
    await pause(wait, signal);
  }
}

async function poll(
  context: SynapseContext,
  job: SynapseJob,
  path: string,
): Promise<{ readonly status: number; readonly value: unknown }> {
  const { subject, entityId, signal } = job;
  const missing = "Synapse does not know the job any more";
  try {
    return await callSynapse(context, { subject, method: "GET", path, entityId, missing, signal });
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 400) throw error;
    throw new HdashError(
      "permanent",
      `${subject}: the job failed: ${error.reason ?? "no reason given"}`,
      {
        cause: error,
      },
    );
  }
}
