// The HCA matrix service (v1) as a source: it makes a matrix of a project on request, which is asked for until it is done.

import type { Json } from "../../../digest.ts";
import { digestOf } from "../../../digest.ts";
import { HdashError, isAborted, messageOf } from "../../../error.ts";
import { pause } from "../../../retry.ts";
import {
  type Fields,
  fieldsOf,
  objectField,
  optionalText,
  textField,
} from "../../../sources/fields.ts";
import { isSafeAddress } from "../../../sources/reach.ts";
import {
  byLargest,
  type MatrixAddress,
  type MatrixEntry,
  type MatrixListing,
  type MatrixSkip,
  type MatrixSource,
} from "../source.ts";
import { callJson, fetchEntry, type HeldMatrix, type MatrixSourceOptions } from "./matrixCalls.ts";
import { entryId, makeSkip, uuidOf } from "./matrixFiles.ts";

export interface HcaMatrixOptions extends MatrixSourceOptions {
  /** e.g. "https://matrix.data.humancellatlas.org/v1/". */
  readonly baseUrl: string;
  /** Between two questions whether a matrix is done, in milliseconds. */
  readonly pollMs: number;
  /** How long the service may take for one matrix; default two hours: the largest took one. */
  readonly deadlineMs?: number;
  /**
   * Titles and approaches by project id, which this service does not know (the older Azul does: see azulDescriptions). Where they
   * cannot be had, the matrices are listed without them.
   */
  readonly describe?: (signal: AbortSignal) => Promise<ReadonlyMap<string, ProjectDescription>>;
}

export interface ProjectDescription {
  readonly title: string;
  readonly approaches: readonly string[];
}

const PROJECT_FIELD = "project.provenance.document_id";
const DEADLINE_MS = 2 * 60 * 60_000;

/**
 * Makes the source. The service gives matrices no version: an entry's version is its project, its number of cells and the filter, so
 * a project that changed without changing its number of cells is not noticed.
 */
export function makeHcaMatrixSource(options: HcaMatrixOptions): MatrixSource {
  const base = options.baseUrl.replace(/\/*$/, "/");
  return {
    kind: "fresh",
    label: "HCA matrix service",
    list: (signal) => list(options, base, signal),
    blacklist: async (signal) => (await options.blacklist?.(signal)) ?? null,
    async pull(entry, dir, fetching): Promise<HeldMatrix> {
      let requestId: string | null = null;
      const locate = async (signal: AbortSignal): Promise<string> => {
        requestId ??= await requestMatrix(options, base, entry, signal);
        return await awaitMatrix(options, base, entry, requestId, signal);
      };
      return await fetchEntry(options, entry, dir, locate, fetching);
    },
  };
}

async function list(
  options: HcaMatrixOptions,
  base: string,
  signal: AbortSignal,
): Promise<MatrixListing> {
  const subject = "projects of the HCA matrix service";
  const url = `${base}filters/${PROJECT_FIELD}`;
  const answer = fieldsOf(await callJson(options, { subject, url, signal }), subject);
  const counts = objectField(answer, "cell_counts");
  const described = await describe(options, signal);
  const entries = new Map<string, MatrixEntry>();
  const skips: MatrixSkip[] = [];
  for (const [name, cells] of Object.entries(counts.values)) {
    const projectId = uuidOf(name);
    const isCount = typeof cells === "number" && Number.isSafeInteger(cells) && cells >= 0;
    if (projectId === null || !isCount) {
      const what =
        projectId === null
          ? "The project's id is not a uuid"
          : "The project's number of cells is not a count";
      skips.push(makeSkip({ id: name, why: "service", message: `${what}.` }));
    } else if (cells === 0) {
      skips.push(
        makeSkip({
          id: projectId,
          why: "empty",
          message: "The service has no cells of the project.",
        }),
      );
    } else {
      entries.set(projectId, entryOf(base, projectId, cells, described.get(projectId)));
    }
  }
  return { entries: [...entries.values()].sort(byLargest), skips };
}

async function describe(
  { describe, log }: HcaMatrixOptions,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ProjectDescription>> {
  try {
    return (await describe?.(signal)) ?? new Map();
  } catch (error) {
    if (isAborted(error)) throw error;
    log.warn(`projects of the HCA matrix service: no titles and approaches: ${messageOf(error)}`);
    return new Map();
  }
}

function entryOf(
  base: string,
  projectId: string,
  cells: number,
  described: ProjectDescription | undefined,
): MatrixEntry {
  const id = entryId(projectId, null);
  return {
    id,
    projectId,
    species: null,
    title: described?.title ?? id,
    fileName: `${id}.mtx.zip`,
    bytes: null,
    version: {
      project: projectId,
      cells: String(cells),
      filter: JSON.stringify(filterOf(projectId)),
    },
    sha256: null,
    approaches: described?.approaches ?? [],
    cells,
    pageUrl: null,
    locator: `${base}matrix/`,
  };
}

function filterOf(projectId: string): Json {
  return { op: "=", field: PROJECT_FIELD, value: projectId };
}

async function requestMatrix(
  options: HcaMatrixOptions,
  base: string,
  entry: MatrixAddress,
  signal: AbortSignal,
): Promise<string> {
  const subject = `matrix request for ${entry.id}`;
  const json = { feature: "gene", format: "mtx", filter: filterOf(entry.projectId) };
  const call = { subject, method: "POST", url: `${base}matrix/`, json, signal } as const;
  return textField(fieldsOf(await callJson(options, call), subject), "request_id");
}

/** Asks until the matrix is done, and returns its address. */
async function awaitMatrix(
  options: HcaMatrixOptions,
  base: string,
  entry: MatrixAddress,
  requestId: string,
  signal: AbortSignal,
): Promise<string> {
  const { pollMs, deadlineMs = DEADLINE_MS } = options;
  const subject = `matrix of ${entry.id}`;
  const url = `${base}matrix/${encodeURIComponent(requestId)}`;
  const startedAt = performance.now();
  for (let poll = 0; ; poll++) {
    const answer = fieldsOf(await callJson(options, { subject, url, signal }), subject);
    const address = addressOf(answer, subject, options.baseUrl);
    if (address !== null) return address;
    const waitMs = pollMs * spreadOf(requestId, poll);
    if (performance.now() - startedAt + waitMs > deadlineMs) {
      const minutes = Math.round(deadlineMs / 60_000);
      const limit = minutes === 0 ? `${deadlineMs} ms` : `${minutes} minutes`;
      throw new HdashError(
        "transient",
        `${subject}: the matrix service was not done after ${limit}`,
        {
          publicly: "the matrix service did not make the matrix in time; the next run asks again",
        },
      );
    }
    await pause(waitMs, signal);
  }
}

/** The address of a matrix that is done; null while it is being made. Throws permanent where it never will be. */
function addressOf(answer: Fields, subject: string, baseUrl: string): string | null {
  const status = textField(answer, "status");
  if (status === "Complete") {
    const address = textField(answer, "matrix_url");
    if (isSafeAddress(address, baseUrl)) return address;
    throw new HdashError("permanent", `${answer.at}.matrix_url is not a safe address`, {
      publicly: "the matrix service gave an address that is not safe",
    });
  }
  if (status === "In Progress") return null;
  const says = optionalText(answer, "message");
  const reason = says === null ? "" : `: ${says.replace(/\s+/g, " ").trim().slice(0, 300)}`;
  const isKnown = status === "Failed" || status === "Expired";
  const what = isKnown
    ? `is ${status.toLowerCase()}`
    : `has the unknown status ${JSON.stringify(status.slice(0, 40))}`;
  throw new HdashError("permanent", `${subject}: the request ${what}${reason}`, {
    publicly: `the matrix service could not make the matrix (${isKnown ? status : "unknown status"})`,
  });
}

/** Between 0.75 and 1.25: requests that were made at the same time should not be asked for at the same time. */
function spreadOf(requestId: string, poll: number): number {
  const dice = Number.parseInt(digestOf(`${requestId} ${poll}`).slice(0, 8), 16) / 2 ** 32;
  return 0.75 + 0.5 * dice;
}
