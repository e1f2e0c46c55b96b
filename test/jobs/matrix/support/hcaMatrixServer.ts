// A look-alike of the HCA matrix service, version 1: jobs that turn a project into a zip, by and by.

import { basename } from "node:path";

import { uuidOf } from "../../../../src/jobs/matrix/demo/uuid.ts";
import { startFileService } from "../../../../src/lookalikes/fileService.ts";
import type { FileCounts } from "../../../../src/lookalikes/fileStore.ts";
import {
  checkQuery,
  type RouteRule,
  type ServiceAnswer,
  type ServiceRequest,
  WrongRequest,
} from "../../../../src/lookalikes/jsonService.ts";
import type { FileFaults, JsonFaults, Occasion } from "../../../../src/lookalikes/occasions.ts";

type Route = "filter" | "start" | "poll";

/** Faults of the service (routes "filter", "start", "poll") and of its file store (route "file"). */
export interface HcaMatrixFaults extends JsonFaults, FileFaults {
  /** Lets jobs fail, expire, be never done, or be forgotten; counted where jobs are started. */
  readonly failJobs?: Occasion;
  readonly expireJobs?: Occasion;
  readonly stuckJobs?: Occasion;
  readonly lostJobs?: Occasion;
}

export interface HcaMatrixProject {
  readonly projectId: string;
  readonly cells: number;
  /** The zip on disk. */
  readonly path: string;
}

export interface HcaMatrixServerOptions {
  readonly projects: readonly HcaMatrixProject[];
  /** How often a job is "In Progress" before it is "Complete". */
  readonly pollsUntilComplete?: number;
  readonly host?: string;
  /** 0 or none: any free port. */
  readonly port?: number;
  readonly faults?: HcaMatrixFaults;
}

export interface HcaMatrixServer {
  /** The base address with its version, without a slash at the end. */
  readonly url: string;
  /** Requests so far by route, and those of the file store as it counts them. */
  readonly requests: Readonly<Record<Route | "unknown", number> & FileCounts>;
  /** Bodies of the jobs that were taken, oldest first. */
  readonly jobs: readonly unknown[];
  /** One sentence for each request that the real services would not take. */
  readonly wrong: readonly string[];
  /** Replaces all faults, and counts their occasions from the start. */
  setFaults(faults: HcaMatrixFaults): void;
  close(): Promise<void>;
}

const ROUTES: readonly RouteRule<Route>[] = [
  ["filter", "GET", /^\/v1\/filters\/([^/]+)$/],
  ["start", "POST", /^\/v1\/matrix\/$/],
  ["poll", "GET", /^\/v1\/matrix\/([^/]+)$/],
];
const PROJECT_FIELD = "project.provenance.document_id";
const COMPARISONS = ["=", "!=", ">", "<", ">=", "<=", "in"];

type Fate = "complete" | "failed" | "expired" | "stuck" | "lost";

interface Job {
  readonly project: HcaMatrixProject | null;
  readonly fate: Fate;
  polls: number;
}

/** Starts the service and its file store on loopback. */
export async function startHcaMatrix(options: HcaMatrixServerOptions): Promise<HcaMatrixServer> {
  const { projects, pollsUntilComplete = 1 } = options;
  const jobs = new Map<string, Job>();
  const bodies: unknown[] = [];

  function filter({ parts, query }: ServiceRequest<Route>): ServiceAnswer {
    checkQuery(query, []);
    if (parts[0] !== PROJECT_FIELD) {
      throw new WrongRequest(404, `Filter ${parts[0]} is not known here`);
    }
    return {
      status: 200,
      value: {
        cell_counts: Object.fromEntries(projects.map(({ projectId, cells }) => [projectId, cells])),
        field_description: "Unique identifier for overall project.",
        field_name: PROJECT_FIELD,
        field_type: "categorical",
      },
    };
  }

  function start({ body, query }: ServiceRequest<Route>): ServiceAnswer {
    checkQuery(query, []);
    const filters = readBody(body);
    bodies.push(body);
    const wanted = projects.filter((project) => mayPass(filters, project, true));
    const id = uuidOf("matrix job", jobs.size);
    // Several projects in one matrix: this look-alike has no such files.
    const project = wanted.length === 1 ? (wanted[0] ?? null) : null;
    jobs.set(id, { project, fate: fateOf(project), polls: 0 });
    return { status: 202, value: stateOf(id, "In Progress", "Job started.") };
  }

  function fateOf(project: HcaMatrixProject | null): Fate {
    const strikes = (name: keyof HcaMatrixFaults): boolean =>
      service.occasions.strikes(name, "start");
    if (strikes("lostJobs")) return "lost";
    if (strikes("stuckJobs")) return "stuck";
    if (strikes("expireJobs")) return "expired";
    return strikes("failJobs") || project === null ? "failed" : "complete";
  }

  function poll({ parts: [id = ""], query }: ServiceRequest<Route>): ServiceAnswer {
    checkQuery(query, []);
    const job = jobs.get(id);
    if (job === undefined || job.fate === "lost") {
      const message = `Unable to find job with request ID ${id}.`;
      if (job === undefined) throw new WrongRequest(404, message);
      return { status: 404, value: { message } };
    }
    const { project, fate } = job;
    if (job.polls++ < pollsUntilComplete || fate === "stuck") {
      return { status: 200, value: stateOf(id, "In Progress", "Matrix is being made.") };
    }
    if (fate === "expired") {
      return { status: 200, value: stateOf(id, "Expired", "The matrix has expired.") };
    }
    if (fate === "failed" || project === null) {
      const why = project === null ? "No cells match the filter." : "A worker ran out of memory.";
      return { status: 200, value: stateOf(id, "Failed", why) };
    }
    const url = service.addressOf(project.path, basename(project.path));
    return { status: 200, value: stateOf(id, "Complete", "Request completed.", url) };
  }

  const service = await startFileService<Route, HcaMatrixFaults>({
    host: options.host,
    port: options.port,
    faults: options.faults ?? {},
    isSigned: false,
    routes: ROUTES,
    answer: (request) => {
      if (request.route === "filter") return filter(request);
      return request.route === "start" ? start(request) : poll(request);
    },
    errorBody: (status, message) => ({ status, message }),
  });

  return {
    url: `${service.url}/v1`,
    jobs: bodies,
    get requests() {
      return service.requests;
    },
    get wrong() {
      return service.wrong;
    },
    setFaults: (faults) => service.setFaults(faults),
    close: () => service.close(),
  };
}

function stateOf(id: string, status: string, message: string, url = ""): unknown {
  return { request_id: id, status, message, matrix_url: url, eta: "" };
}

/** A filter as the service knows them. */
type Filter =
  | { readonly op: "and"; readonly value: readonly Filter[] }
  | { readonly op: "or"; readonly value: readonly Filter[] }
  | { readonly op: "not"; readonly value: readonly [Filter] }
  | {
      readonly op: "compare";
      readonly sign: string;
      readonly field: string;
      readonly value: unknown;
    };

function readBody(body: unknown): Filter {
  const { feature, format, filter, fields, ...rest } = recordOf(body, "the request");
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw new WrongRequest(400, `Unknown field '${unknown}'`);
  if (feature !== undefined && feature !== "gene" && feature !== "transcript") {
    throw new WrongRequest(400, "'feature' must be gene or transcript");
  }
  if (format !== "mtx") throw new WrongRequest(400, "'format' must be mtx here");
  if (fields !== undefined && !Array.isArray(fields)) {
    throw new WrongRequest(400, "'fields' must be a list");
  }
  return readFilter(filter);
}

function readFilter(given: unknown): Filter {
  const { op, value, field, ...rest } = recordOf(given, "a filter");
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw new WrongRequest(400, `Unknown field '${unknown}' of a filter`);
  if (op === "and" || op === "or" || op === "not") {
    const parts = Array.isArray(value) ? value.map(readFilter) : [];
    const [first] = parts;
    if (first === undefined || field !== undefined || (op === "not" && parts.length > 1)) {
      throw new WrongRequest(400, `The value of '${op}' must be a list of filters`);
    }
    return op === "not" ? { op, value: [first] } : { op, value: parts };
  }
  if (typeof op !== "string" || !COMPARISONS.includes(op)) {
    throw new WrongRequest(400, "The 'op' of a filter is none that is known");
  }
  if (typeof field !== "string" || value === undefined) {
    throw new WrongRequest(400, "A comparison needs 'field' and 'value'");
  }
  if (op === "in" && !Array.isArray(value)) throw new WrongRequest(400, "'in' needs a list");
  return { op: "compare", sign: op, field, value };
}

/** Tells whether cells of a project may pass a filter (or its opposite); what is asked of single cells, some may always pass. */
function mayPass(filter: Filter, project: HcaMatrixProject, isWanted: boolean): boolean {
  const passes = (part: Filter): boolean => mayPass(part, project, isWanted);
  if (filter.op === "not") return mayPass(filter.value[0], project, !isWanted);
  if (filter.op === "and" || filter.op === "or") {
    const isAll = (filter.op === "and") === isWanted;
    return isAll ? filter.value.every(passes) : filter.value.some(passes);
  }
  if (filter.field !== PROJECT_FIELD) return true;
  const values: readonly unknown[] = Array.isArray(filter.value) ? filter.value : [filter.value];
  return (values.includes(project.projectId) === (filter.sign !== "!=")) === isWanted;
}

function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new WrongRequest(400, `${what} is not a JSON object`);
}
