// What all sources of matrices over HTTP share: questions that are asked again while that may help, and the way from an entry to
// a file on disk that was checked and has its room in the budget.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { Json } from "../../../digest.ts";
import { HdashError, messageOf } from "../../../error.ts";
import type { Log } from "../../../log.ts";
import { type OnRetry, PATIENT, retry, type RetryPolicy } from "../../../retry.ts";
import type { DiskBudget, DiskHold } from "../../../sources/diskBudget.ts";
import { download } from "../../../sources/download.ts";
import type { Http } from "../../../sources/http.ts";
import type { FetchedMatrix, MatrixAddress, Wait } from "../source.ts";
import { checkEntryId, extensionOf } from "./matrixFiles.ts";

/** What a source of matrices over HTTP needs of the world. */
export interface MatrixSourceOptions {
  /** Where the service is. */
  readonly baseUrl: string;
  readonly http: Http;
  readonly log: Log;
  /** Null: as much disk as there is. */
  readonly budget: DiskBudget | null;
  /** Default PATIENT. */
  readonly policy?: RetryPolicy;
  /** Reads the blacklist, which lies in a bucket and not with the service; default: there is none. */
  readonly blacklist?: (signal: AbortSignal) => Promise<readonly string[] | null>;
}

/** A matrix on disk whose room in the budget is held until it is removed. */
export interface HeldMatrix extends FetchedMatrix {
  /** Gives the room back at once, for a caller that does not remove the file. */
  release(): void;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number | null) => void;
  /** Does what only waits; default: as everything else. */
  readonly wait?: Wait;
}

export interface MatrixCall {
  readonly subject: string;
  readonly url: string;
  readonly method?: "GET" | "POST";
  readonly json?: Json;
  readonly signal: AbortSignal;
}

/** Asks for JSON, again while that may help. */
export async function callJson(options: MatrixSourceOptions, call: MatrixCall): Promise<unknown> {
  const { baseUrl: endpoint, http, log, policy = PATIENT } = options;
  const ask = async (): Promise<unknown> =>
    (await http.json({ endpoint, headers: { accept: "application/json" }, ...call })).value;
  return await retry(call.subject, policy, ask, { signal: call.signal, onRetry: logRetries(log) });
}

/** Logs the first two retries quietly, since services are throttled daily, and later ones as warnings. */
function logRetries(log: Log): OnRetry {
  return ({ subject, attempt, delayMs, reason }) => {
    const line = `${subject}: attempt ${attempt} failed → trying again in ${delayMs} ms: ${reason}`;
    if (attempt < 3) log.debug(line, { subject, attempt, delayMs });
    else log.warn(line, { subject, attempt, delayMs });
  };
}

/**
 * Downloads an entry's file to `dir`, named by its id. `locate` says where it is now and is asked anew where an address has expired.
 * It is asked before there is room on disk: a service that prepares the file does so while others are downloaded.
 */
export async function fetchEntry(
  options: MatrixSourceOptions,
  entry: MatrixAddress,
  dir: string,
  locate: (signal: AbortSignal) => Promise<string>,
  { signal, onProgress, wait = (work) => work() }: FetchOptions,
): Promise<HeldMatrix> {
  const { baseUrl: endpoint, http, log, budget, policy = PATIENT } = options;
  const path = join(dir, `${checkEntryId(entry.id)}${extensionOf(entry.fileName)}`);
  let first: string | null = await wait(() => locate(signal));
  const locateNow = async (stop: AbortSignal): Promise<string> => {
    const known = first;
    first = null;
    return known ?? (await locate(stop));
  };
  const hold =
    budget === null
      ? UNBOUNDED
      : await wait(() => budget.take(entry.bytes, { subject: entry.id, signal }));
  try {
    await makeFolder(dir, entry.id);
    const { bytes, received } = await download(
      { http, policy, onRetry: logRetries(log) },
      {
        subject: `file of ${entry.id}`,
        endpoint,
        locate: locateNow,
        path,
        bytes: entry.bytes,
        sha256: entry.sha256,
        hold: entry.bytes === null ? hold : { ...hold, grow: async () => {} },
        signal,
        onProgress,
      },
    );
    hold.settle(path, bytes);
    return { path, bytes: received, release: hold.release };
  } catch (error) {
    hold.release();
    throw error;
  }
}

const UNBOUNDED: DiskHold = { grow: async () => {}, wrote() {}, settle() {}, release() {} };

async function makeFolder(dir: string, id: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
  } catch (error) {
    const message = `cannot make the folder for ${id}: ${messageOf(error)}`;
    throw new HdashError("permanent", message, {
      cause: error,
      publicly: "the folder for downloads cannot be made",
    });
  }
}
