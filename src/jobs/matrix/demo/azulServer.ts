// A look-alike Azul, the HCA data browser's service: projects with their matrices, page by page, and files that are made ready on demand.

import { randomBytes } from "node:crypto";

import { type FileCounts, startFileStore } from "../../../lookalikes/fileStore.ts";
import {
  checkQuery,
  type RouteRule,
  type ServiceAnswer,
  type ServiceRequest,
  startService,
  WrongRequest,
} from "../../../lookalikes/jsonService.ts";
import {
  type FileFaults,
  type JsonFaults,
  makeOccasions,
  type Occasion,
} from "../../../lookalikes/occasions.ts";
import { type AzulFile, azulHit, type AzulProject } from "./azulProjects.ts";

type Route = "projects" | "oldProjects" | "repositoryFile";

/** Faults of the service (routes "projects", "oldProjects", "repositoryFile") and of its file store (route "file"). */
export interface AzulFaults extends JsonFaults, FileFaults {
  /** Lets a page's link lead to that page again, in the older Azul from the second page on. */
  readonly repeatPages?: Occasion;
  /** Says a wrong sha256, or one byte too many, of every file on a page. */
  readonly wrongSha256?: Occasion;
  readonly wrongSize?: Occasion;
  /** Lets a file never be ready: 301 again and again. */
  readonly neverReady?: Occasion;
}

export interface AzulServerOptions {
  readonly projects: readonly AzulProject[];
  /** The most hits on a page, whatever is asked for: small here, so that a test has pages. */
  readonly pageSize?: number;
  /** The one catalog there is; it is the default one too. */
  readonly catalog?: string;
  /** Refuses requests that leave the catalog to the service. */
  readonly needsCatalog?: boolean;
  /** How often a file is being prepared before it is ready, and how long to wait each time. */
  readonly preparing?: number;
  readonly retryAfterSeconds?: number;
  readonly host?: string;
  /** 0 or none: any free port. */
  readonly port?: number;
  /** The clock by which signed addresses expire: milliseconds since the epoch. */
  readonly now?: () => number;
  readonly faults?: AzulFaults;
}

export interface AzulServer {
  /** The base address, without a slash at the end; the older Azul's pages lie below it too. */
  readonly url: string;
  /** Requests so far by route; those of the file store as it counts them; and those that came before Retry-After was over. */
  readonly requests: Readonly<Record<Route | "unknown" | "early", number> & FileCounts>;
  /** One sentence for each request that the real services would not take. */
  readonly wrong: readonly string[];
  /** Replaces all faults, and counts their occasions from the start. */
  setFaults(faults: AzulFaults): void;
  /** Replaces what there is to list, as if somebody had published. */
  setProjects(projects: readonly AzulProject[]): void;
  close(): Promise<void>;
}

const ROUTES: readonly RouteRule<Route>[] = [
  ["projects", "GET", /^\/index\/projects$/],
  ["oldProjects", "GET", /^\/repository\/projects\/?$/],
  ["repositoryFile", "GET", /^\/repository\/files\/([^/]+)$/],
];
const PAGING = ["filters", "size", "sort", "order"] as const;
/** Azul's own: hits on a page if nobody asks, and the most that may be asked for. */
const DEFAULT_SIZE = 10;
const MAX_SIZE = 1000;

/** A file that is being prepared, as the token in its address stands for it. */
interface Preparation {
  readonly uuid: string;
  readonly step: number;
  readonly notBefore: number;
}

/** Starts the service and its file store on loopback. */
export async function startAzul(options: AzulServerOptions): Promise<AzulServer> {
  const { catalog = "dcp50", pageSize = MAX_SIZE, host = "127.0.0.1", now = Date.now } = options;
  const { preparing = 0, retryAfterSeconds = 0 } = options;
  let projects = sorted(options.projects);
  let occasions = makeOccasions(options.faults ?? {});
  let early = 0;
  const preparations = new Map<string, Preparation>();
  const store = await startFileStore({ host, isSigned: true, now, occasions: () => occasions });

  function checkCatalog(query: URLSearchParams): void {
    const given = query.get("catalog");
    if (given === null && options.needsCatalog === true) {
      throw new WrongRequest(400, "Missing required query parameter `catalog`");
    }
    if (given !== null && given !== catalog) {
      throw new WrongRequest(
        400,
        `Catalog name '${given}' is invalid. Must be one of {'${catalog}'}.`,
      );
    }
  }

  function hitsOf(page: readonly AzulProject[], route: Route): readonly unknown[] {
    const hasWrongSha = occasions.strikes("wrongSha256", route);
    const hasWrongSize = occasions.strikes("wrongSize", route);
    const said = (file: AzulFile): AzulFile => ({
      ...file,
      sha256: hasWrongSha ? file.sha256.replace(/.$/, (x) => (x === "0" ? "1" : "0")) : file.sha256,
      bytes: hasWrongSize ? file.bytes + 1 : file.bytes,
    });
    return page.map((project) =>
      azulHit(
        {
          ...project,
          matrices: project.matrices.map(said),
          contributedAnalyses: project.contributedAnalyses.map(said),
        },
        ({ uuid, version }) => {
          const query = new URLSearchParams({ catalog, version });
          return `${service.url}/repository/files/${uuid}?${query.toString()}`;
        },
      ),
    );
  }

  function newPage({ query, route }: ServiceRequest<Route>): ServiceAnswer {
    checkQuery(query, [...PAGING, "catalog", "search_after", "search_before"]);
    checkCatalog(query);
    const wanted = filtered(projects, query.get("filters"));
    const { size, asked } = sizeOf(query, pageSize);
    const after = keyOf(query.get("search_after"));
    const before = keyOf(query.get("search_before"));
    const later = wanted.filter((project) => after === null || isBefore(after, project));
    const earlier = wanted.filter((project) => before !== null && !isBefore(before, project));
    const page =
      before === null
        ? later.slice(0, size)
        : earlier.filter(({ projectId }) => projectId !== before[1]).slice(-size);
    const first = page[0];
    const last = page.at(-1);
    const link = (name: string, at: AzulProject): string => {
      const key = JSON.stringify([at.title, at.projectId]);
      const all = { catalog, size: String(asked), sort: "projectTitle", order: "asc", [name]: key };
      return `${service.url}/index/projects?${new URLSearchParams(all).toString()}`;
    };
    const isLast = last === undefined || last === wanted.at(-1);
    const isFirst = first === undefined || first === wanted[0];
    const isRepeated = occasions.strikes("repeatPages", route);
    const here = `${service.url}/index/projects?${query.toString()}`;
    return answerOf({
      hits: hitsOf(page, route),
      pagination: {
        ...totals(page, wanted, size),
        next: isRepeated ? here : isLast ? null : link("search_after", last),
        previous: isFirst ? null : link("search_before", first),
      },
    });
  }

  function oldPage({ query, route }: ServiceRequest<Route>): ServiceAnswer {
    checkQuery(query, [...PAGING, "search_after", "search_after_uid"]);
    const wanted = filtered(projects, query.get("filters"));
    const { size } = sizeOf(query, pageSize);
    const [title, uid] = [query.get("search_after"), query.get("search_after_uid")];
    if ((title === null) !== (uid === null)) {
      throw new WrongRequest(400, "search_after and search_after_uid go together");
    }
    const after: SortKey | null = title === null ? null : [title, (uid ?? "").replace(/^doc#/, "")];
    const later = wanted.filter((project) => after === null || isBefore(after, project));
    const page = later.slice(0, size);
    const last = page.at(-1);
    const isLast = last === undefined || last === wanted.at(-1);
    const end: SortKey | null = isLast ? null : [last.title, last.projectId];
    const next = occasions.strikes("repeatPages", route) ? (after ?? end) : end;
    return answerOf({
      hits: hitsOf(page, route),
      pagination: {
        ...totals(page, wanted, size),
        search_after: next === null ? null : next[0],
        search_after_uid: next === null ? null : `doc#${next[1]}`,
        search_before: null,
        search_before_uid: null,
      },
    });
  }

  function repositoryFile({ parts, query, route }: ServiceRequest<Route>): ServiceAnswer {
    const [uuid = ""] = parts;
    checkQuery(query, ["catalog", "version", "fileName", "wait", "requestIndex", "token"]);
    checkCatalog(query);
    const version = query.get("version");
    const file = projects
      .flatMap(({ matrices, contributedAnalyses }) => [...matrices, ...contributedAnalyses])
      .find((one) => one.uuid === uuid && (version === null || one.version === version));
    if (file === undefined) {
      throw new WrongRequest(
        404,
        `Unable to find file '${uuid}', version ${version} in catalog '${catalog}'`,
      );
    }
    const token = query.get("token");
    const done = token === null ? null : preparations.get(token);
    if (done === undefined || (done !== null && done.uuid !== uuid)) {
      throw new WrongRequest(400, "Invalid token given");
    }
    const isEarly = done !== null && now() < done.notBefore;
    if (isEarly) early++;
    const step = done === null ? 0 : isEarly ? done.step : done.step + 1;
    if (step < preparing || occasions.strikes("neverReady", route)) {
      const next = randomBytes(12).toString("hex");
      // A little less than was asked for: clocks of two processes tick differently.
      preparations.set(next, { uuid, step, notBefore: now() + retryAfterSeconds * 1000 - 20 });
      const again = { catalog, version: file.version, requestIndex: String(step + 1), token: next };
      return answerOf({}, 301, {
        location: `${service.url}/repository/files/${uuid}?${new URLSearchParams(again).toString()}`,
        "retry-after": String(retryAfterSeconds),
      });
    }
    return answerOf({}, 302, { location: store.addressOf(file.path, file.name) });
  }

  const service = await startService<Route, AzulFaults>({
    host,
    port: options.port ?? 0,
    routes: ROUTES,
    occasions: () => occasions,
    answer: (request) => {
      if (request.route === "projects") return newPage(request);
      return request.route === "oldProjects" ? oldPage(request) : repositoryFile(request);
    },
    errorBody: (status, message) => ({
      Code:
        status === 404 ? "NotFoundError" : status < 500 ? "BadRequestError" : "ChaliceViewError",
      Message: message,
    }),
  }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });

  return {
    url: service.url,
    get requests() {
      return { ...service.requests, ...store.counts, early };
    },
    get wrong() {
      return [...service.wrong, ...store.wrong];
    },
    setFaults(faults) {
      occasions = makeOccasions(faults);
    },
    setProjects(next) {
      projects = sorted(next);
    },
    async close() {
      await Promise.all([service.close(), store.close()]);
    },
  };
}

type SortKey = readonly [title: string, projectId: string];

function answerOf(
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): ServiceAnswer {
  return { status, value, headers };
}

function sorted(projects: readonly AzulProject[]): readonly AzulProject[] {
  return [...projects].sort((a, b) => (isBefore([a.title, a.projectId], b) ? -1 : 1));
}

function isBefore([title, projectId]: SortKey, project: AzulProject): boolean {
  return title === project.title ? projectId < project.projectId : title < project.title;
}

function keyOf(text: string | null): SortKey | null {
  if (text === null) return null;
  const key = jsonOf(text);
  if (Array.isArray(key) && key.length === 2 && key.every((part) => typeof part === "string")) {
    return [String(key[0]), String(key[1])];
  }
  throw new WrongRequest(400, "Invalid value for parameter `search_after`");
}

function sizeOf(
  query: URLSearchParams,
  pageSize: number,
): { readonly size: number; readonly asked: number } {
  const text = query.get("size");
  const asked = text === null ? DEFAULT_SIZE : Number(text);
  if (!Number.isInteger(asked) || asked < 1 || asked > MAX_SIZE) {
    throw new WrongRequest(400, "Invalid value for parameter `size`");
  }
  return { size: Math.min(asked, pageSize), asked };
}

/** Only {"projectId": {"is": [...]}} is known of Azul's many filters. */
function filtered(projects: readonly AzulProject[], text: string | null): readonly AzulProject[] {
  if (text === null) return projects;
  const filters = jsonOf(text);
  if (typeof filters !== "object" || filters === null) {
    throw new WrongRequest(400, "The `filters` parameter must be a dictionary");
  }
  const unknown = Object.keys(filters).find((facet) => facet !== "projectId");
  if (unknown !== undefined) throw new WrongRequest(400, `Unknown facet \`${unknown}\``);
  const ids = "projectId" in filters ? (filters.projectId as { is?: unknown } | null)?.is : [];
  if (!Array.isArray(ids))
    throw new WrongRequest(400, "Unknown relation in the `filters` parameter");
  return "projectId" in filters
    ? projects.filter(({ projectId }) => ids.includes(projectId))
    : projects;
}

function totals(
  page: readonly AzulProject[],
  wanted: readonly AzulProject[],
  size: number,
): Readonly<Record<string, unknown>> {
  return {
    count: page.length,
    total: wanted.length,
    size,
    pages: Math.ceil(wanted.length / size),
    sort: "projectTitle",
    order: "asc",
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new WrongRequest(400, "A parameter is not valid JSON");
  }
}
