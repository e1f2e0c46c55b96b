// Published data files of matrices, read back: for the index's rows of matrices that a run did not do, and for other pages that show their figures.

import { count } from "../../../format.ts";
import type { Gallery } from "../../../render/page.ts";
import type { FigureSummary, GroupSummary, MatrixSummary } from "../summary.ts";
import { encodeKey } from "./figurePaths.ts";
import { DATA_SCHEMA } from "./projectData.ts";
import { INDEX_SCHEMA, type ProjectRow } from "./projectsPage.ts";

/** A matrix as it was last published. */
export interface PublishedMatrix {
  readonly id: string;
  readonly updatedAt: string;
  readonly summary: MatrixSummary;
}

/** A figure with what its published files are. */
type PublishedFigure = FigureSummary & {
  readonly files: { readonly png: string; readonly png2x: string } | null;
  readonly width: number | null;
  readonly height: number | null;
};

/** Reads a data file's content; null for what is none of this version: another build may have published it. */
export function readPublishedMatrix(value: unknown): PublishedMatrix | null {
  if (typeof value !== "object" || value === null) return null;
  if (!("schema" in value) || value.schema !== DATA_SCHEMA) return null;
  if (!("id" in value) || !("updatedAt" in value) || !("groups" in value)) return null;
  // Written by makeProjectData under this schema.
  const { updatedAt, ...summary } = value as unknown as MatrixSummary & { updatedAt: string };
  return { id: summary.id, updatedAt, summary };
}

/**
 * What the site says of these matrices: of those with a page, their last numbers; of all, what the index says was wrong with them.
 * @param index the published index of all, `values` the data files, both as they were found.
 */
export function publishedRows(
  index: unknown,
  values: readonly unknown[],
  ids: readonly string[],
): readonly ProjectRow[] {
  const known = new Map(
    values.flatMap((value) => {
      const found = readPublishedMatrix(value);
      return found === null ? [] : [[found.id, found] as const];
    }),
  );
  const said = new Map(listedIn(index).map((row) => [row.id, row]));
  return ids.flatMap((id): readonly ProjectRow[] => {
    const matrix = known.get(id);
    const row = said.get(id);
    if (matrix === undefined && (row?.failure ?? null) === null) return [];
    return [
      {
        id,
        title: matrix?.summary.title ?? row?.title ?? id,
        summary: matrix?.summary ?? null,
        failure: row?.failure ?? null,
        updatedAt: matrix?.updatedAt ?? null,
      },
    ];
  });
}

interface IndexEntry {
  readonly id: string;
  readonly title: string;
  readonly failure: string | null;
}

function listedIn(index: unknown): readonly IndexEntry[] {
  if (typeof index !== "object" || index === null) return [];
  if (!("schema" in index) || index.schema !== INDEX_SCHEMA || !("matrices" in index)) return [];
  // Written by makeProjectsPage under this schema.
  return index.matrices as readonly IndexEntry[];
}

/** Sorts published matrices by the atlas they belong to; those of none are left out. Atlases and matrices are in the order of their ids. */
export function matricesByAtlas(
  values: readonly unknown[],
): Readonly<Record<string, readonly Gallery[]>> {
  const found = values
    .flatMap((value) => readPublishedMatrix(value)?.summary ?? [])
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const atlases = [...new Set(found.flatMap(({ atlasId }) => atlasId ?? []))].sort();
  return Object.fromEntries(
    atlases.map((atlas) => [
      atlas,
      found.filter(({ atlasId }) => atlasId === atlas).map(atlasMatrix),
    ]),
  );
}

function atlasMatrix({ id, title, groups }: MatrixSummary): Gallery {
  return {
    title,
    href: `matrices/${encodeURIComponent(id)}.html`,
    facts: groups
      .map(({ approach, cells }) => `${approach.key}: ${count(cells, "cell")}`)
      .join(" · "),
    figures: groups.flatMap((group) => pictures(group, groups.length > 1)),
  };
}

function pictures({ approach, figures }: GroupSummary, isOneOfSeveral: boolean) {
  return figures.flatMap((figure) => {
    const { files, width, height } = figure as PublishedFigure;
    if (figure.reason !== null || files === null) return [];
    return [
      {
        src: encodeKey(files.png),
        src2x: encodeKey(files.png2x),
        alt: figure.alt,
        title: figure.title,
        approach: isOneOfSeveral ? approach.key : "",
        width: width ?? 600,
        height: height ?? 400,
      },
    ];
  });
}
