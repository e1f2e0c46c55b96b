// From the rows of the view to an atlas's files: where they lie, how many of which kind, and which manifests count.

import type { Finding } from "../../../finding.ts";
import {
  type AtlasFiles,
  FILE_KINDS,
  type FileKind,
  type ManifestEntry,
  type PassedOver,
  type RootFolder,
  type ViewRow,
} from "./analysis.ts";
import type { Atlas } from "./atlas.ts";
import { unsafeCharacters } from "./fileKind.ts";
import { makeFolderTree, TOP } from "./folderTree.ts";
import { makeKeyed } from "./keyed.ts";
import { compareNatural, compareText } from "./naturalOrder.ts";
import { entityNumberOf, type ViewProblem, type ViewRows } from "./view.ts";

/** Folders whose path begins so are put away: nothing in them counts. */
const ARCHIVE = "archive";

/** Lists what the view says about an atlas: files that count, root folders, newest manifests, and files with unsafe names. */
export function listFiles(atlas: Atlas, view: ViewRows): AtlasFiles {
  const tree = makeFolderTree(view.folders);
  const counts = Object.fromEntries(FILE_KINDS.map((kind) => [kind, 0])) as Record<
    FileKind,
    number
  >;
  const roots = new Map<string, { id: number; annotated: number; unannotated: number }>();
  let totalFileSize = 0;
  for (const [folder, tally] of view.tallies) {
    const root = tree.rootOf(folder);
    if (isArchived(root.name)) continue;
    totalFileSize += tally.sizeBytes;
    for (const kind of FILE_KINDS) counts[kind] += tally.counts[kind];
    const known = roots.get(root.name);
    if (known === undefined) {
      roots.set(root.name, {
        id: root.id,
        annotated: tally.annotated,
        unannotated: tally.unannotated,
      });
    } else {
      known.id = Math.min(known.id, root.id);
      known.annotated += tally.annotated;
      known.unannotated += tally.unannotated;
    }
  }
  const isKept = ({ parentId }: ViewRow): boolean =>
    !isArchived(tree.rootOf(entityNumberOf(parentId)).name);
  const pathOf = ({ parentId }: ViewRow): string => tree.pathOf(entityNumberOf(parentId));
  const placed = view.manifests.filter(isKept);
  const newest = newestOfEachFolder(placed);
  const manifests = [...newest.values()];
  for (const { sizeBytes } of manifests) totalFileSize += sizeBytes;
  counts.METADATA = manifests.length;
  return {
    totalFileSize,
    fileCounts: counts,
    rootFolders: makeKeyed(
      [...roots]
        .sort(([a], [b]) => compareNatural(a, b))
        .map(([name, { id, annotated, unannotated }]): [string, RootFolder] => [
          name,
          { synapseId: id === TOP ? null : `syn${id}`, annotated, unannotated },
        ]),
    ),
    manifests: manifests
      .map((row) => manifestEntry(row, pathOf(row)))
      .sort(
        (a, b) =>
          compareText(a.component ?? "", b.component ?? "") ||
          compareNatural(a.entityId, b.entityId),
      ),
    passedOver: placed
      .flatMap((row) => {
        const newer = newest.get(row.parentId);
        return newer === undefined || newer === row ? [] : [passedOver(row, pathOf(row), newer)];
      })
      .sort((a, b) => compareNatural(a.entityId, b.entityId)),
    findings: [
      ...view.unsafe
        .filter(isKept)
        .map((row) => unsafeName(row, pathOf(row)))
        .sort((a, b) => compareNatural(a.subject, b.subject)),
      ...view.problems.map((problem) => viewProblem(atlas, problem)),
    ],
  };
}

function isArchived(rootName: string): boolean {
  return rootName.startsWith(ARCHIVE);
}

/** Keeps the newest manifest of each folder; of several of one moment, that with the highest id, which was made last. */
function newestOfEachFolder(rows: readonly ViewRow[]): ReadonlyMap<string, ViewRow> {
  const newest = new Map<string, ViewRow>();
  for (const row of rows) {
    const rival = newest.get(row.parentId);
    if (rival === undefined || isNewer(row, rival)) newest.set(row.parentId, row);
  }
  return newest;
}

function passedOver({ id, name, component }: ViewRow, path: string, newer: ViewRow): PassedOver {
  return { entityId: id, name, path, component, newer: newer.id };
}

function isNewer(a: ViewRow, b: ViewRow): boolean {
  return a.modifiedOn === b.modifiedOn
    ? entityNumberOf(a.id) > entityNumberOf(b.id)
    : a.modifiedOn > b.modifiedOn;
}

function manifestEntry(row: ViewRow, path: string): ManifestEntry {
  const { id, name, component, md5, sizeBytes, modifiedOn } = row;
  const modified = new Date(modifiedOn);
  const isKnown = modifiedOn > 0 && !Number.isNaN(modified.getTime());
  const modifiedAt = isKnown ? modified.toISOString() : null;
  return { entityId: id, name, path, component, md5, sizeBytes, modifiedAt };
}

function unsafeName({ id, name }: ViewRow, path: string): Finding {
  const characters = unsafeCharacters(name).map((character) =>
    character === " " ? "a space" : JSON.stringify(character),
  );
  return {
    rule: "H_FILE_NAMES",
    severity: "warning",
    subject: id,
    row: null,
    message: `File name ${JSON.stringify(name)} ${path === "" ? "at the top of the project" : `in ${path}`} holds ${characters.join(", ")}; only letters, digits, dots, hyphens and underscores are accepted.`,
    fields: { path, value: name },
  };
}

const CONSEQUENCES: Readonly<Record<string, string>> = {
  id: "such rows are left out",
  name: "such rows are left out",
  type: "such rows are left out",
  parentId: "such files count as lying at the top of the project",
  dataFileSizeBytes: "such sizes count as 0",
  modifiedOn: "such files count as older than all others",
};

function viewProblem(atlas: Atlas, problem: ViewProblem): Finding {
  const { column, count, firstRow, firstValue } = problem;
  const rows = count === 1 ? "1 row" : `${count} rows`;
  const value = firstValue === "" ? "an empty cell" : JSON.stringify(firstValue);
  return {
    rule: "M_VIEW_ROW",
    severity: "warning",
    subject: atlas.projectId,
    row: null,
    message: `The file view has ${rows} of ${atlas.atlasId} with an unreadable ${column}, the first being row ${firstRow} with ${value}; ${CONSEQUENCES[column] ?? "they are left out"}.`,
    fields: { column, value: firstValue },
  };
}
