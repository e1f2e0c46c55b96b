// From a project's files to its matrices: one file for each id, chosen by a written rule, and a reason for every file that is not.

import { isSafeAddress } from "../../../sources/reach.ts";
import type { MatrixEntry, MatrixSkip } from "../source.ts";
import type { AzulFile } from "./azulFiles.ts";
import type { AzulProject } from "./azulProjects.ts";
import {
  entryId,
  extensionOf,
  formatRank,
  makeSkip,
  nameSome,
  speciesInName,
  speciesKey,
} from "./matrixFiles.ts";

const SPECIES = "genusSpecies";
const APPROACH = "libraryConstructionApproach";
/** Where the matrices of the first data release came from: whole counts, all cells of a project in one file. */
const FIRST_SERVICE = /^DCP\/1 Matrix Service$/i;

export interface AzulEntryOptions {
  readonly baseUrl: string;
  /** Where a project's page for people is, without the id; null: nowhere. */
  readonly portalUrl: string | null;
}

/**
 * Makes the entries of a project. Among several files of one id the rule is: no intermediate one if there is another; then the
 * zip of the DCP/1 matrix service, any other .mtx.zip, .h5ad, .loom, .h5; then the most cells, then the name.
 */
export function azulEntries(
  project: AzulProject,
  options: AzulEntryOptions,
): { readonly entries: readonly MatrixEntry[]; readonly skips: readonly MatrixSkip[] } {
  const byId = new Map<string, AzulFile[]>();
  for (const file of project.files) {
    const id = entryId(project.projectId, speciesOf(file));
    byId.set(id, [...(byId.get(id) ?? []), file]);
  }
  const entries: MatrixEntry[] = [];
  const skips: MatrixSkip[] = [];
  for (const [id, files] of [...byId].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const skip = (why: string, message: string): void => {
      const { projectId, title } = project;
      skips.push(makeSkip({ id, projectId, title, why, message }));
    };
    for (const message of formatSkips(files)) skip("format", message);
    const readable = files.filter(({ name }) => formatRank(name) !== null);
    const reachable = readable.filter((file) => addressOf(file, options) !== null);
    const withheld = readable.filter((file) => !reachable.includes(file));
    const unsafe = withheld.filter(({ url }) => url !== null);
    const unsaid = withheld.filter(({ url }) => url === null);
    if (unsafe.length > 0) {
      const names = nameSome(namesOf(unsafe));
      skip("service", `Azul gives an address that is not safe for ${names}.`);
    }
    if (unsaid.length > 0)
      skip("service", `Azul gives no address for ${nameSome(namesOf(unsaid))}.`);
    const [chosen, ...others] = reachable.sort(compareFiles);
    if (chosen === undefined) continue;
    const locator = addressOf(chosen, options);
    if (locator === null) continue;
    entries.push(entryOf(project, id, chosen, locator, options));
    if (others.length > 0) skip("another file", othersMessage(chosen, others));
  }
  return { entries, skips };
}

/** One species, or null where a file has several or none is said. */
function speciesOf(file: AzulFile): string | null {
  const said = file.facets.get(SPECIES) ?? [];
  if (said.length > 1) return null;
  return speciesKey(said[0] ?? null) ?? speciesInName(file.name);
}

function formatSkips(files: readonly AzulFile[]): readonly string[] {
  const byEnd = new Map<string, string[]>();
  for (const { name } of files) {
    if (formatRank(name) !== null) continue;
    const end = extensionOf(name);
    byEnd.set(end, [...(byEnd.get(end) ?? []), name]);
  }
  return [...byEnd].sort().map(([end, names]) => {
    const what = end === "" ? "without a format in their names" : `of format ${end}`;
    const count = names.length === 1 ? "A file" : `${names.length} files`;
    return `${count} ${end === "" && names.length === 1 ? "without a format in its name" : what} cannot be read: ${nameSome(names.sort())}.`;
  });
}

function compareFiles(a: AzulFile, b: AzulFile): number {
  return (
    Number(a.isIntermediate) - Number(b.isIntermediate) ||
    rankOf(a) - rankOf(b) ||
    (b.cells ?? -1) - (a.cells ?? -1) ||
    (a.name < b.name ? -1 : a.name > b.name ? 1 : (a.uuid ?? "") < (b.uuid ?? "") ? -1 : 1)
  );
}

function rankOf(file: AzulFile): number {
  const rank = formatRank(file.name) ?? Number.POSITIVE_INFINITY;
  return rank === 0 && FIRST_SERVICE.test(file.fileSource ?? "") ? -1 : rank;
}

function entryOf(
  project: AzulProject,
  id: string,
  file: AzulFile,
  locator: string,
  { portalUrl }: AzulEntryOptions,
): MatrixEntry {
  const said = file.facets.get(APPROACH) ?? [];
  return {
    id,
    projectId: project.projectId,
    species: speciesOf(file),
    title: project.title,
    fileName: file.name.replace(/[\\/\p{Cc}]/gu, "-"),
    bytes: file.bytes,
    version: versionOf(file),
    sha256: file.sha256,
    approaches: said.length > 0 ? said : project.approaches,
    cells: file.cells,
    pageUrl: portalUrl === null ? null : `${portalUrl}${project.projectId}`,
    locator,
  };
}

/** The content's own digest where there is one: the same file under a new version or name is the same matrix. */
function versionOf(file: AzulFile): Readonly<Record<string, string>> {
  if (file.sha256 !== null) return { sha256: file.sha256 };
  return {
    uuid: file.uuid ?? "",
    version: file.version ?? "",
    bytes: file.bytes === null ? "" : String(file.bytes),
  };
}

/** Where the file can be asked for, null where that is nowhere or not safe: never the /fetch/ variant, which answers a browser with JSON instead of a redirect. */
function addressOf(file: AzulFile, { baseUrl }: AzulEntryOptions): string | null {
  if (file.url === null || !URL.canParse(file.url, `${baseUrl}/`)) return null;
  const url = new URL(file.url, `${baseUrl}/`);
  if (!isSafeAddress(url.href, baseUrl)) return null;
  url.pathname = url.pathname.replace(/\/fetch\/repository\/files\//, "/repository/files/");
  return url.href;
}

function namesOf(files: readonly AzulFile[]): readonly string[] {
  return files.map(({ name }) => name);
}

/** Says which file stands for the id, and where the others are about something else, so that it cannot stand for them. */
function othersMessage(chosen: AzulFile, others: readonly AzulFile[]): string {
  const count = others.length === 1 ? "Another file is" : `${others.length} other files are`;
  const names = nameSome(namesOf(others));
  const message = `${count} not read, since ${chosen.name} stands for the matrix: ${names}.`;
  const differences = differencesOf(chosen, others);
  return differences.length === 0
    ? message
    : `${message} The figures show that one only: the others differ in ${differences.join("; ")}.`;
}

function differencesOf(chosen: AzulFile, others: readonly AzulFile[]): readonly string[] {
  const facets = new Set([chosen, ...others].flatMap((file) => [...file.facets.keys()]));
  return [...facets].sort().flatMap((facet) => {
    const own = (chosen.facets.get(facet) ?? []).join(", ") || "not said";
    const theirs = others.map((file) => (file.facets.get(facet) ?? []).join(", ") || "not said");
    const different = [...new Set(theirs)].filter((values) => values !== own).sort();
    return different.length === 0
      ? []
      : [`${FACET_NAMES[facet] ?? facet} (${nameSome(different)}; shown: ${own})`];
  });
}

const FACET_NAMES: Readonly<Record<string, string>> = {
  genusSpecies: "species",
  developmentStage: "stage of development",
  organ: "organ",
  libraryConstructionApproach: "library construction approach",
};
