// What pages, the index and the published JSON say of a matrix: numbers and words, without any cell's own values.

import type { FigureName } from "./figures/figure.ts";
import type { Approach, MatrixFormat, MatrixNote } from "./matrix.ts";
import type { MatrixSourceKind } from "./source.ts";

/** A figure as pages speak of it: made, or left out with its reason. */
export type FigureSummary =
  | {
      readonly name: FigureName;
      readonly title: string;
      /** What the figure rests on and how it was made, e.g. "2,700 of 2,700 cells". */
      readonly caption: string;
      /** What it shows, in numbers. */
      readonly alt: string;
      readonly reason: null;
    }
  | { readonly name: FigureName; readonly title: string; readonly reason: string };

/** What there is to say of the cells of one approach. */
export interface GroupSummary {
  readonly approach: Approach;
  readonly cells: number;
  readonly emptyCells: number;
  readonly entries: number;
  readonly counts: number;
  /** Genes with a count in at least one cell. */
  readonly detectedGenes: number;
  readonly medianCounts: number;
  readonly medianGenes: number;
  /** Fraction 0-1; null where there are no mitochondrial genes. */
  readonly medianMitoFraction: number | null;
  /** Genes that are highly variable at the reference cut-offs. */
  readonly variableGenes: number;
  /** Null where there are none. */
  readonly clusters: number | null;
  /** Cells that UMAP and clusters rest on; null where they were not made. */
  readonly embeddedCells: number | null;
  readonly exampleGene: string | null;
  /** All eight, in their order. */
  readonly figures: readonly FigureSummary[];
}

/** A matrix that was read. */
export interface MatrixSummary {
  /** "<uuid>[.<species>]". */
  readonly id: string;
  readonly projectId: string;
  readonly species: string | null;
  readonly title: string;
  /** The HTAN atlas it belongs to; null where it belongs to none. */
  readonly atlasId: string | null;
  readonly source: {
    readonly kind: MatrixSourceKind;
    readonly label: string;
    readonly fileName: string;
    readonly bytes: number | null;
    readonly version: Readonly<Record<string, string>>;
    readonly pageUrl: string | null;
  };
  readonly format: MatrixFormat;
  readonly genes: number;
  readonly cells: number;
  readonly entries: number;
  readonly counts: number;
  readonly groups: readonly GroupSummary[];
  readonly notes: readonly MatrixNote[];
}

/** Where a figure's files lie below the site's root, without extension: ".png", "@2x.png", "-thumb.png", ".svg" and ".vl.json" follow. */
export function figureBase(id: string, approach: Approach, name: FigureName): string {
  return `project-assets/project-stats/${id}/${approach.key}/${name}`;
}

/** A figure that was made but could not be drawn. */
export interface UndrawnFigure {
  readonly approachKey: string;
  readonly name: FigureName;
}

/** Turns figures that could not be drawn into such that were left out. */
export function withoutUndrawn(
  groups: readonly GroupSummary[],
  undrawn: readonly UndrawnFigure[],
): readonly GroupSummary[] {
  if (undrawn.length === 0) return groups;
  return groups.map((group) => ({
    ...group,
    figures: group.figures.map((figure) =>
      undrawn.some(
        ({ approachKey, name }) => approachKey === group.approach.key && name === figure.name,
      )
        ? { name: figure.name, title: figure.title, reason: "It could not be drawn." }
        : figure,
    ),
  }));
}
