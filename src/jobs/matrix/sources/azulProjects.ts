// Azul's list of projects, paged to its end in both of its ways, and what one hit says about a project.

import { HdashError, isAborted, messageOf } from "../../../error.ts";
import {
  type Fields,
  fieldsOf,
  listField,
  objectField,
  optionalCount,
  optionalText,
  textField,
} from "../../../sources/fields.ts";
import { isSafeAddress } from "../../../sources/reach.ts";
import type { MatrixSkip } from "../source.ts";
import { type AzulFile, readAzulTrees } from "./azulFiles.ts";
import { callJson, type MatrixSourceOptions } from "./matrixCalls.ts";
import { makeSkip, uuidOf } from "./matrixFiles.ts";

/** A project as Azul describes it. */
export interface AzulProject {
  readonly projectId: string;
  readonly title: string;
  /** Library construction approaches of all its protocols; [] where Azul names none. */
  readonly approaches: readonly string[];
  readonly files: readonly AzulFile[];
}

export interface AzulListOptions extends MatrixSourceOptions {
  readonly baseUrl: string;
  /** Null: the service's default; the older Azul has none. */
  readonly catalog: string | null;
  /** today: /index/projects with pagination.next · older: /repository/projects/ with search_after. */
  readonly generation: "today" | "older";
  /** Projects asked for at a time; default 50: with its trees, a project is up to a megabyte. */
  readonly pageSize?: number;
}

const PAGE_SIZE = 50;
/** Half a million projects. A list that goes on after that does not end. */
const MAX_PAGES = 10_000;

/**
 * Lists all projects; one that cannot be understood is a skip that names the field. Throws transient where fewer come than the
 * service counts: what is missing in a list counts as gone.
 */
export async function listAzulProjects(
  options: AzulListOptions,
  signal: AbortSignal,
): Promise<{ readonly projects: readonly AzulProject[]; readonly skips: readonly MatrixSkip[] }> {
  const projects = new Map<string, AzulProject>();
  const skips: MatrixSkip[] = [];
  const seen = new Set<string>();
  const listed = new Set<string>();
  let total: number | null = null;
  for (let url: string | null = firstPage(options); url !== null;) {
    const subject = `projects of Azul, page ${seen.size + 1}`;
    if (seen.has(url) || seen.size >= MAX_PAGES) {
      throw new HdashError("permanent", `${subject}: the list goes in a circle`);
    }
    seen.add(url);
    const answer = fieldsOf(await callJson(options, { subject, url, signal }), subject);
    const page = listField(answer, "hits");
    page.forEach((hit, index) => {
      // A project that moved while the list was read may come twice, and another one not at all.
      listed.add(projectIdOf(hit) ?? `${subject}: hits[${index}]`);
      try {
        const project = readProject(hit, `${subject}: hits[${index}]`);
        projects.set(project.projectId, project);
      } catch (error) {
        if (isAborted(error)) throw error;
        skips.push(unreadableProject(hit, index, error));
      }
    });
    const pagination = objectField(answer, "pagination");
    total = optionalCount(pagination, "total") ?? total;
    url = nextPage(options, pagination, url);
  }
  checkWhole(listed.size, total);
  return { projects: [...projects.values()], skips };
}

function firstPage({
  baseUrl,
  catalog,
  generation,
  pageSize = PAGE_SIZE,
}: AzulListOptions): string {
  const path = generation === "today" ? "/index/projects" : "/repository/projects/";
  const url = new URL(`${baseUrl.replace(/\/+$/, "")}${path}`);
  if (catalog !== null) url.searchParams.set("catalog", catalog);
  url.searchParams.set("size", String(pageSize));
  return url.href;
}

function nextPage(options: AzulListOptions, pagination: Fields, url: string): string | null {
  if (options.generation === "today") {
    const next = optionalText(pagination, "next");
    if (next === null) return null;
    const page = URL.canParse(next, url) ? new URL(next, url).href : null;
    if (page === null) throw new HdashError("permanent", `${pagination.at}.next is not an address`);
    if (isSafeAddress(page, options.baseUrl)) return page;
    throw new HdashError("permanent", `${pagination.at}.next is not a safe address`);
  }
  const after = afterOf(pagination, "search_after");
  const uid = optionalText(pagination, "search_after_uid");
  if (after === null && uid === null) return null;
  const next = new URL(firstPage(options));
  if (after !== null) next.searchParams.set("search_after", after);
  if (uid !== null) next.searchParams.set("search_after_uid", uid);
  return next.href;
}

/** The value that a page ended with: text, or a number where the list is sorted by one. */
function afterOf(pagination: Fields, name: string): string | null {
  const value = pagination.values[name];
  return typeof value === "number" ? String(value) : optionalText(pagination, name);
}

function checkWhole(listed: number, total: number | null): void {
  if (total === null || listed >= total) return;
  const message = `Azul listed ${listed} of the ${total} projects that it counts`;
  throw new HdashError("transient", message);
}

function readProject(value: unknown, at: string): AzulProject {
  const hit = fieldsOf(value, at);
  const [first] = listField(hit, "projects");
  const project = fieldsOf(first, `${at}.projects[0]`);
  const said = optionalText(project, "projectId") ?? textField(hit, "entryId");
  const projectId = uuidOf(said);
  if (projectId === null) {
    throw new HdashError("permanent", `${at}.projects[0].projectId is not a uuid`);
  }
  return {
    projectId,
    title:
      optionalText(project, "projectTitle") ??
      optionalText(project, "projectShortname") ??
      projectId,
    approaches: readApproaches(hit),
    files: readAzulTrees(
      ["matrices", "contributedAnalyses"].map((name) => ({
        at: `${projectId}.${name}`,
        tree: project.values[name],
      })),
    ),
  };
}

/** Approaches of all protocols of a hit; a protocol of another kind has none. */
function readApproaches(hit: Fields): readonly string[] {
  if (hit.values["protocols"] === undefined || hit.values["protocols"] === null) return [];
  const approaches = listField(hit, "protocols").flatMap((value, index) => {
    const protocol = fieldsOf(value, `${hit.at}.protocols[${index}]`);
    const said = protocol.values["libraryConstructionApproach"] ?? [];
    return Array.isArray(said) ? (said as readonly unknown[]) : [said];
  });
  const texts = approaches.filter((name): name is string => typeof name === "string");
  return [...new Set(texts.map((name) => name.trim()).filter((name) => name !== ""))].sort();
}

/** The id of what may be odd in every other way: whoever keeps what was published of it has to know it. */
function projectIdOf(hit: unknown): string | null {
  const { projects, entryId } = looseFields(hit);
  const project = Array.isArray(projects) ? (projects as readonly unknown[])[0] : null;
  for (const id of [looseFields(project)["projectId"], entryId]) {
    const uuid = typeof id === "string" ? uuidOf(id) : null;
    if (uuid !== null) return uuid;
  }
  return null;
}

function looseFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function unreadableProject(hit: unknown, index: number, error: unknown): MatrixSkip {
  const id = projectIdOf(hit) ?? `project-${index + 1}`;
  const message = `Azul's description of the project cannot be read: ${messageOf(error)}.`;
  return makeSkip({ id, why: "service", message });
}
