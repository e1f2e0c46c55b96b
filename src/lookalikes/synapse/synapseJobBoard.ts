// The look-alike's asynchronous jobs: queries are started, are "PROCESSING" for a while, and then done, failed or forgotten.

import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";

import { type Answer, type Body, MODEL, Refusal } from "./synapseAnswers.ts";
import type { FaultState, Route } from "./synapseFaults.ts";
import type { StoredObject } from "./synapseObjects.ts";
import {
  checkSql,
  type CsvFormat,
  makeBundle,
  makePage,
  readToken,
  type ViewState,
  writeCsv,
} from "./synapseTables.ts";
import { asUuid, type World } from "./worldFiles.ts";

export interface JobContext {
  readonly viewId: string;
  readonly pageRows: number;
  readonly jobPolls: number;
  readonly jobMs: number;
  readonly now: () => number;
  readonly faults: () => FaultState;
  /** Where CSV results are written, and where their file handles are kept. */
  readonly scratch: string;
  readonly results: Map<string, StoredObject>;
}

export interface JobBoard {
  /** Starts the job that a request describes and returns its token. Throws Refusal or SqlError for a bad request. */
  start(world: World, route: Route, user: string, body: Body): string;
  /** Answers for a job: 202 while it runs, its result, or why there is none. */
  poll(route: Route, entityId: string, token: string, user: string): Answer;
}

interface Job {
  readonly route: Route;
  readonly entityId: string;
  readonly user: string;
  readonly startedAt: number;
  readonly fate: "done" | "failed" | "stuck";
  polls: number;
  readonly isReady: () => boolean;
  readonly result: () => unknown;
}

/** Makes a board without jobs. */
export function makeJobBoard(context: JobContext): JobBoard {
  const { viewId, pageRows, jobPolls, jobMs, now, scratch, results } = context;
  const jobs = new Map<string, Job>();
  let [moves, files] = [0, 0];

  function viewOf(world: World): ViewState {
    const isMoving = context.faults().strikes("movingEtag", "queryStart");
    const moved = createHash("md5").update(`${world.etag}/${++moves}`).digest("hex");
    const etag = isMoving ? asUuid(moved) : world.etag;
    return { world, viewId, etag, hidden: new Set(context.faults().faults.denied ?? []) };
  }

  function start(world: World, route: Route, user: string, body: Body): string {
    const view = viewOf(world);
    const plan = route === "csvStart" ? planCsv(view, body) : planRows(route, view, body);
    const getRoute = route.replace("Start", "Get") as Route;
    const isFailed = context.faults().strikes("failJobs", route);
    const isStuck = context.faults().strikes("stuckJobs", route);
    const token = randomUUID();
    if (context.faults().strikes("lostJobs", route)) return token;
    jobs.set(token, {
      ...plan,
      route: getRoute,
      entityId: view.viewId,
      user,
      startedAt: now(),
      fate: isFailed ? "failed" : isStuck ? "stuck" : "done",
      polls: 0,
    });
    return token;
  }

  function planRows(route: Route, view: ViewState, body: Body): Pick<Job, "isReady" | "result"> {
    const isReady = (): boolean => true;
    if (route === "nextStart") {
      const request = readToken(String(body["token"]));
      if (request === null) throw new Refusal(400, "The next page token cannot be read");
      return { isReady, result: () => makePage(view, request, pageRows) };
    }
    const query = (body["query"] ?? {}) as Body;
    const request = {
      sql: textOf(query["sql"]),
      limit: typeof query["limit"] === "number" ? query["limit"] : null,
      offset: typeof query["offset"] === "number" ? query["offset"] : 0,
    };
    checkSql(view, request.sql);
    const partMask = typeof body["partMask"] === "number" ? body["partMask"] : 0xff;
    return { isReady, result: () => makeBundle(view, request, pageRows, partMask) };
  }

  function planCsv(view: ViewState, body: Body): Pick<Job, "isReady" | "result"> {
    const sql = textOf(body["sql"]);
    checkSql(view, sql);
    const fileHandleId = String(70_000_000 + ++files);
    let failure: string | null = null;
    writeCsv(view, sql, csvFormatOf(body), join(scratch, `${fileHandleId}.csv`)).then(
      (object) => results.set(fileHandleId, object),
      (error: unknown) => void (failure = String(error)),
    );
    return {
      isReady: () => failure !== null || results.has(fileHandleId),
      result() {
        if (failure !== null) throw new Refusal(500, failure);
        return {
          concreteType: `${MODEL}.table.DownloadFromTableResult`,
          tableId: view.viewId,
          etag: view.etag,
          resultsFileHandleId: fileHandleId,
        };
      },
    };
  }

  function poll(
    route: Route,
    entityId: string,
    token: string,
    user: string,
  ): { readonly status: number; readonly value: unknown } {
    const job = jobs.get(token);
    if (job === undefined || job.route !== route || job.entityId !== entityId) {
      throw new Refusal(404, `The job ${token} does not exist`);
    }
    if (job.user !== user)
      throw new Refusal(403, "Only the creator of a job may ask for its result");
    const isWaiting = job.polls++ < jobPolls || now() - job.startedAt < jobMs || !job.isReady();
    if (isWaiting || job.fate === "stuck") {
      const progress = {
        progressMessage: "Querying",
        progressCurrent: job.polls,
        progressTotal: 100,
      };
      return { status: 202, value: { jobState: "PROCESSING", ...progress } };
    }
    if (job.fate === "failed") {
      const errorMessage = "The view is not available right now";
      return { status: 400, value: { jobState: "FAILED", errorMessage, errorDetails: "" } };
    }
    return { status: 201, value: job.result() };
  }

  return { start, poll };
}

function csvFormatOf(body: Body): CsvFormat {
  const given = (body["csvTableDescriptor"] ?? {}) as Body;
  const sign = (name: string, fallback: string): string => {
    const value = given[name];
    return typeof value === "string" && value !== "" ? value : fallback;
  };
  return {
    separator: sign("separator", ","),
    quote: sign("quoteCharacter", '"'),
    escape: sign("escapeCharacter", "\\"),
    lineEnd: sign("lineEnd", "\n"),
    hasHeader: body["writeHeader"] !== false,
    hasRowIds: body["includeRowIdAndRowVersion"] !== false,
  };
}

/** What is no text is no SQL either: the parser then complains about the end of the query. */
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
