// The Synapse client over HTTP: puts calls, jobs, parsers and downloads together into what hdash asks of Synapse.

import pLimit from "p-limit";

import type { Json } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import type { Log } from "../log.ts";
import { PATIENT, type RetryPolicy } from "../retry.ts";
import { type Http, HttpError } from "./http.ts";
import { callSynapse, logRetries, type SynapseContext, tokenRefused } from "./synapseCalls.ts";
import type { SynapseChild, SynapseClient } from "./synapseClient.ts";
import { getEntity, handleOf, listContents, locateHandle } from "./synapseContents.ts";
import { downloadFile } from "./synapseFiles.ts";
import { runJob } from "./synapseJobs.ts";
import {
  CSV_REQUEST,
  NEXT_PAGE,
  PART,
  QUERY_REQUEST,
  type QueryPage,
  readChildPage,
  readCsvResult,
  readProfile,
  readQueryBundle,
  readQueryPage,
} from "./synapseWire.ts";

export interface SynapseOptions {
  /** The service's base address, e.g. "https://repo-prod.prod.sagebase.org". */
  readonly endpoint: string;
  /** A personal access token. */
  readonly token: string;
  /** Who the token belongs to, for messages. */
  readonly userName?: string | null;
  readonly http: Http;
  readonly log: Log;
  readonly policy?: RetryPolicy;
  /** Pauses between polls of a job, in milliseconds: the first, and what they grow to. */
  readonly pollMs?: { readonly first: number; readonly max: number };
  /** How long a query may take, in milliseconds. */
  readonly deadlineMs?: number;
  /** How many calls and how many downloads may be under way at a time. */
  readonly concurrency?: { readonly calls?: number; readonly downloads?: number };
  /** How long a file, and a view's CSV, may be at most. */
  readonly maxBytes?: { readonly file?: number; readonly view?: number };
}

/** The largest manifests have tens of MB; a sheet of a million rows, Excel's most, with 200 short cells each has some 200. */
const MAX_FILE_BYTES = 250_000_000;
/** The view of all projects has some 100 bytes for each of a few hundred thousand files; this is fifty times as much. */
const MAX_VIEW_BYTES = 2_000_000_000;

/**
 * How the CSV of a query is written. Synapse escapes both quotes and backslashes by a backslash; fields are quoted where
 * they need it, and null is an empty field.
 */
const CSV_FORMAT = {
  isFirstLineHeader: true,
  quoteCharacter: '"',
  escapeCharacter: "\\",
  lineEnd: "\n",
  separator: ",",
} as const;

/** What all parts of a client share, made of its options. */
export function contextOf(options: SynapseOptions): SynapseContext {
  const { userName, concurrency = {} } = options;
  return {
    endpoint: options.endpoint.replace(/\/+$/, ""),
    token: options.token,
    reader: (userName ?? null) === null ? "the owner of SYNAPSE_PASSWORD" : `user ${userName}`,
    http: options.http,
    policy: options.policy ?? PATIENT,
    onRetry: logRetries(options.log),
    // Synapse throttles users beyond about ten calls at a time; six leave room for a person's own work.
    calls: pLimit(concurrency.calls ?? 6),
    downloads: pLimit(concurrency.downloads ?? 4),
    pollMs: options.pollMs ?? { first: 75, max: 4_000 },
    deadlineMs: options.deadlineMs ?? 30 * 60_000,
  };
}

/** Makes a client. It holds no connection of its own: closing `http` ends it. */
export function makeSynapse(options: SynapseOptions): SynapseClient {
  const { maxBytes = {} } = options;
  const context = contextOf(options);

  return {
    entity: (entityId, signal) => getEntity(context, entityId, signal),
    whoAmI: (signal) => whoAmI(context, signal),
    viewState: (viewId, where, signal) => viewState(context, viewId, where, signal),
    queryRows: (viewId, sql, signal) => queryRows(context, viewId, sql, signal),
    children: (parentId, signal, types = ["file", "folder"]) =>
      children(context, parentId, types, signal),
    files: (entityIds, signal) => listContents(context, entityIds, signal),

    async locate(entityId, signal) {
      const handle = await handleOf(context, entityId, signal);
      const { md5, bytes, url } = await locateHandle(context, handle, signal);
      return { entityId, fileHandleId: handle.fileHandleId, md5, bytes, url };
    },

    async queryCsv(viewId, sql, path, signal, onBytes) {
      const subject = `Synapse query of ${viewId} as CSV`;
      const result = await runJob(context, {
        subject,
        entityId: viewId,
        path: `/repo/v1/entity/${encodeURIComponent(viewId)}/table/download/csv/async`,
        request: {
          concreteType: CSV_REQUEST,
          entityId: viewId,
          sql,
          writeHeader: true,
          includeRowIdAndRowVersion: false,
          csvTableDescriptor: CSV_FORMAT,
        },
        signal,
      });
      const { etag, fileHandleId } = readCsvResult(result, subject);
      const kind = "TableEntity";
      const file = { subject, fileHandleId, entityId: viewId, kind, md5: null, path } as const;
      const most = { maxBytes: maxBytes.view ?? MAX_VIEW_BYTES };
      const { bytes } = await downloadFile(context, { ...file, ...most, signal, onBytes });
      return { bytes, etag };
    },

    async download(entityId, md5, path, signal, onBytes) {
      const handle = await handleOf(context, entityId, signal);
      return downloadFile(context, {
        ...handle,
        subject: `Synapse download of ${entityId}`,
        md5: md5?.toLowerCase() ?? null,
        path,
        maxBytes: maxBytes.file ?? MAX_FILE_BYTES,
        signal,
        onBytes,
      });
    },
  };
}

async function whoAmI(
  context: SynapseContext,
  signal: AbortSignal | undefined,
): ReturnType<SynapseClient["whoAmI"]> {
  let value: unknown;
  try {
    const subject = "Synapse user profile";
    const path = "/repo/v1/userProfile";
    ({ value } = await callSynapse(context, { subject, method: "GET", path, signal }));
  } catch (error) {
    if (!(error instanceof HttpError) || error.status !== 403) throw error;
    throw tokenRefused(`: ${error.reason ?? messageOf(error)}`);
  }
  const user = readProfile(value);
  if (user.userName === "anonymous") throw tokenRefused(": it took us for an anonymous visitor");
  return user;
}

async function viewState(
  context: SynapseContext,
  viewId: string,
  where: string,
  signal: AbortSignal | undefined,
): ReturnType<SynapseClient["viewState"]> {
  const subject = `Synapse state of ${viewId}`;
  const sql = where === "" ? `SELECT id FROM ${viewId}` : `SELECT id FROM ${viewId} WHERE ${where}`;
  const partMask = PART.rows | PART.count | PART.lastUpdatedOn;
  // The limit stands beside the SQL: one inside of it would limit the count, too.
  const result = await runQuery(context, subject, viewId, { sql, limit: 1 }, partMask, signal);
  const { etag, count, lastUpdatedOn } = readQueryBundle(result, subject);
  if (count === null) {
    throw new HdashError(
      "permanent",
      `${subject}: the answer does not say how many rows there are`,
    );
  }
  return { etag, count, lastUpdatedOn };
}

async function* queryRows(
  context: SynapseContext,
  viewId: string,
  sql: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly (string | null)[]> {
  const subject = `Synapse query of ${viewId}`;
  const result = await runQuery(context, subject, viewId, { sql }, PART.rows, signal);
  let page: QueryPage = readQueryBundle(result, subject);
  const { etag } = page;
  for (;;) {
    yield* page.rows;
    if (page.next === null) return;
    page = readQueryPage(await nextPage(context, subject, viewId, page.next, signal), subject);
    if (page.etag !== etag) {
      throw new HdashError("transient", `${subject}: the view changed while it was read`);
    }
  }
}

function runQuery(
  context: SynapseContext,
  subject: string,
  viewId: string,
  query: { readonly [key: string]: Json },
  partMask: number,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  return runJob(context, {
    subject,
    entityId: viewId,
    path: `/repo/v1/entity/${encodeURIComponent(viewId)}/table/query/async`,
    request: { concreteType: QUERY_REQUEST, entityId: viewId, query, partMask },
    signal,
  });
}

function nextPage(
  context: SynapseContext,
  subject: string,
  viewId: string,
  next: NonNullable<QueryPage["next"]>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  return runJob(context, {
    subject,
    entityId: viewId,
    path: `/repo/v1/entity/${encodeURIComponent(viewId)}/table/query/nextPage/async`,
    request: { concreteType: NEXT_PAGE, entityId: next.entityId, token: next.token },
    signal,
  });
}

async function* children(
  context: SynapseContext,
  parentId: string,
  includeTypes: readonly string[],
  signal: AbortSignal | undefined,
): AsyncGenerator<SynapseChild> {
  for (let nextPageToken: string | null = null; ;) {
    const { value } = await callSynapse(context, {
      subject: `Synapse children of ${parentId}`,
      method: "POST",
      path: "/repo/v1/entity/children",
      json: {
        parentId,
        nextPageToken,
        includeTypes,
        includeTotalChildCount: false,
      },
      entityId: parentId,
      signal,
    });
    const answer = readChildPage(value, parentId);
    yield* answer.page;
    if (answer.nextPageToken === null) return;
    if (answer.nextPageToken === nextPageToken) {
      const message = `Synapse children of ${parentId}: the list is cut short and cannot be continued`;
      throw new HdashError("permanent", message);
    }
    nextPageToken = answer.nextPageToken;
  }
}
