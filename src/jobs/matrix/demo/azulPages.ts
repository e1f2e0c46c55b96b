// The pages of the look-alike Azul, as today's and as the older one has them.

import {
  checkQuery,
  type ServiceAnswer,
  type ServiceRequest,
  WrongRequest,
} from "../../../lookalikes/jsonService.ts";
import type { FileFaults, JsonFaults, Occasion, Occasions } from "../../../lookalikes/occasions.ts";
import { type AzulFile, azulHit, type AzulProject } from "./azulProjects.ts";

/** What is asked of the service. */
export type AzulRoute = "projects" | "oldProjects" | "repositoryFile";

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

const PAGING = ["filters", "size", "sort", "order"] as const;
/** Azul's own: hits on a page if nobody asks, and the most that may be asked for. */
const DEFAULT_SIZE = 10;
export const MAX_SIZE = 1000;

/** What there is to list, and what befalls those who ask. */
export interface Listing {
  readonly catalog: string;
  readonly needsCatalog: boolean;
  readonly pageSize: number;
  /** The service's own address. */
  readonly url: () => string;
  /** As sorted() has them. */
  projects: readonly AzulProject[];
  readonly occasions: () => Occasions<AzulFaults>;
}

/** Refuses another catalog than the one there is. */
export function checkCatalog(listing: Listing, query: URLSearchParams): void {
  const given = query.get("catalog");
  if (given === null && listing.needsCatalog) {
    throw new WrongRequest(400, "Missing required query parameter `catalog`");
  }
  if (given !== null && given !== listing.catalog) {
    throw new WrongRequest(
      400,
      `Catalog name '${given}' is invalid. Must be one of {'${listing.catalog}'}.`,
    );
  }
}

function hitsOf(
  listing: Listing,
  page: readonly AzulProject[],
  route: AzulRoute,
): readonly unknown[] {
  const hasWrongSha = listing.occasions().strikes("wrongSha256", route);
  const hasWrongSize = listing.occasions().strikes("wrongSize", route);
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
        const query = new URLSearchParams({ catalog: listing.catalog, version });
        return `${listing.url()}/repository/files/${uuid}?${query.toString()}`;
      },
    ),
  );
}

/** Answers with a page of today's Azul. */
export function newPage(
  listing: Listing,
  { query, route }: ServiceRequest<AzulRoute>,
): ServiceAnswer {
  checkQuery(query, [...PAGING, "catalog", "search_after", "search_before"]);
  checkCatalog(listing, query);
  const wanted = filtered(listing.projects, query.get("filters"));
  const { size, asked } = sizeOf(query, listing.pageSize);
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
    const all = {
      catalog: listing.catalog,
      size: String(asked),
      sort: "projectTitle",
      order: "asc",
      [name]: key,
    };
    return `${listing.url()}/index/projects?${new URLSearchParams(all).toString()}`;
  };
  const isLast = last === undefined || last === wanted.at(-1);
  const isFirst = first === undefined || first === wanted[0];
  const isRepeated = listing.occasions().strikes("repeatPages", route);
  const here = `${listing.url()}/index/projects?${query.toString()}`;
  return answerOf({
    hits: hitsOf(listing, page, route),
    pagination: {
      ...totals(page, wanted, size),
      next: isRepeated ? here : isLast ? null : link("search_after", last),
      previous: isFirst ? null : link("search_before", first),
    },
  });
}

/** Answers with a page of the older Azul. */
export function oldPage(
  listing: Listing,
  { query, route }: ServiceRequest<AzulRoute>,
): ServiceAnswer {
  checkQuery(query, [...PAGING, "search_after", "search_after_uid"]);
  const wanted = filtered(listing.projects, query.get("filters"));
  const { size } = sizeOf(query, listing.pageSize);
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
  const next = listing.occasions().strikes("repeatPages", route) ? (after ?? end) : end;
  return answerOf({
    hits: hitsOf(listing, page, route),
    pagination: {
      ...totals(page, wanted, size),
      search_after: next === null ? null : next[0],
      search_after_uid: next === null ? null : `doc#${next[1]}`,
      search_before: null,
      search_before_uid: null,
    },
  });
}

type SortKey = readonly [title: string, projectId: string];

/** Makes an answer of the service. */
export function answerOf(
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): ServiceAnswer {
  return { status, value, headers };
}

/** Sorts projects as the service lists them. */
export function sorted(projects: readonly AzulProject[]): readonly AzulProject[] {
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
