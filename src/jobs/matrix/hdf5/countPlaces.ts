// Where a file keeps counts: the matrices in it that may hold them, in the order in which they are believed.

import { list } from "../../../format.ts";
import type { MatrixNote } from "../matrix.ts";
import { NO_VALUES, type Place, sampleValues } from "./countEvidence.ts";
import type { Nodes } from "./frame.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import type { NodeKind } from "./protocol.ts";

/** A matrix that may hold counts, or several that do so together. */
export interface Candidate {
  readonly places: readonly Place[];
}

/** Names of layers that people keep counts in, in small letters and without separators; the first are believed first. */
const COUNT_LAYERS = [
  "counts",
  "rawcounts",
  "raw",
  "countsraw",
  "count",
  "rawcount",
  "umi",
  "umis",
  "umicounts",
  "umicount",
  "estimatedcounts",
  "estimatedcount",
  "expectedcounts",
  "expectedcount",
  "estcounts",
];
/** Layers that are counts together, as velocyto and its like write them; the first two are always there. */
const SPLIT_LAYERS = ["spliced", "unspliced", "ambiguous"];

function tidy(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, "");
}

/** Finds the layers that may hold counts by their names: those for themselves, and those that do so together. */
export function findLayers(
  layers: Nodes,
  cellAxis: 0 | 1,
): { readonly alone: readonly Candidate[]; readonly together: readonly Candidate[] } {
  const placesOf = (wanted: string): readonly Place[] =>
    [...layers].flatMap(([name, kind]) =>
      tidy(name) === wanted ? placeOf(`/layers/${name}`, kind, cellAxis) : [],
    );
  const alone = COUNT_LAYERS.flatMap(placesOf).map((place) => ({ places: [place] }));
  const [spliced, unspliced, ...others] = SPLIT_LAYERS.map((name) => placesOf(name)[0]);
  const isSplit = spliced !== undefined && unspliced !== undefined;
  const parts = [spliced, unspliced, ...others].filter((place) => place !== undefined);
  return { alone, together: isSplit ? [{ places: parts }] : [] };
}

/** A place, if what lies there can be a matrix. */
export function placeOf(
  path: string,
  kind: NodeKind | undefined,
  cellAxis: 0 | 1,
): readonly Place[] {
  return kind === "group" || kind === "dataset" ? [{ path, kind, cellAxis }] : [];
}

/** What messages call a candidate, e.g. "raw/X" or "layers/spliced + layers/unspliced". */
export function nameOf({ places }: Candidate): string {
  return places.map(({ path }) => path.slice(1)).join(" + ");
}

/** What was chosen among candidates. */
export interface Chosen<C extends Candidate> {
  readonly chosen: C;
  /** What else was looked at. */
  readonly looked: readonly string[];
  /** Why the chosen one cannot hold counts either, where its sample shows it; else null. */
  readonly refusal: string | null;
  readonly notes: readonly MatrixNote[];
}

/**
 * Takes the first candidate whose sample looks like counts; else the one that speaks least against them, so that reading it says
 * what is wrong. Of one candidate alone only reals are looked at: whole numbers are neither logarithms nor scaled.
 */
export async function chooseCounts<C extends Candidate>(
  session: Hdf5Session,
  first: C,
  others: readonly C[],
): Promise<Chosen<C>> {
  const seen: { readonly candidate: C; readonly doubt: number; readonly why: string | null }[] = [];
  for (const candidate of [first, ...others]) {
    let doubt = 0;
    let why: string | null = null;
    for (const place of candidate.places) {
      const evidence = await sampleValues(session, place, { isOnly: others.length === 0 });
      // A part of a sum may well be empty.
      const isBeside = evidence.doubt === NO_VALUES && candidate.places.length > 1;
      if (evidence.doubt < doubt || isBeside) continue;
      doubt = evidence.doubt;
      why = evidence.refusal ?? why;
    }
    seen.push({ candidate, doubt, why });
    if (doubt === 0) break;
  }
  const least = Math.min(...seen.map(({ doubt }) => doubt));
  const best = seen.find(({ doubt }) => doubt === least);
  const chosen = best?.candidate ?? first;
  const before = seen.slice(0, best === undefined ? 0 : seen.indexOf(best));
  const looked = seen.map(({ candidate }) => candidate).filter((one) => one !== chosen);
  const notes: MatrixNote[] = [];
  if (before.length > 0) {
    const names = before.map(({ candidate }) => nameOf(candidate));
    const message = `${session.name}: ${list(names)} ${names.length === 1 ? "does" : "do"} not hold counts; they were taken from ${nameOf(chosen)}`;
    notes.push({ rule: "M_NOT_COUNTS", severity: "info", message });
  }
  return { chosen, looked: looked.map(nameOf), refusal: best?.why ?? null, notes };
}

/** Says which other places were looked at; "" where there were none. */
export function lookedWords(looked: readonly string[]): string {
  if (looked.length === 0) return "";
  return `; ${list(looked)} ${looked.length === 1 ? "holds" : "hold"} none either`;
}
