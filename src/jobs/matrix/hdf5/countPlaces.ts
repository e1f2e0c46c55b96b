// Where a file keeps counts: the matrices in it that may hold them, in the order in which they are believed.

import { list } from "../../../format.ts";
import type { MatrixNote } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { NO_VALUES, type Place, sampleValues } from "./countEvidence.ts";
import { liesElsewhere, openDataset } from "./datasets.ts";
import { listGroup, type Nodes } from "./frame.ts";
import { attempt, type Hdf5Session } from "./hdf5Session.ts";
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
  return kind === undefined || kind === "other" ? [] : [{ path, kind, cellAxis }];
}

/** What messages call a candidate, e.g. "raw/X" or "layers/spliced + layers/unspliced". */
export function nameOf({ places }: Candidate): string {
  return places.map(({ path }) => path.slice(1)).join(" + ");
}

/** What was chosen among candidates. */
export interface Chosen<C extends Candidate, Opened> {
  readonly chosen: C;
  readonly opened: Opened;
  /** What a refusal of its values says of all other places that were looked at. */
  readonly others: string;
  /** Why the chosen one cannot hold counts either, where its sample shows it; else null. */
  readonly refusal: string | null;
  readonly notes: readonly MatrixNote[];
}

/** A candidate that was sampled. */
interface Sampled<C extends Candidate> {
  readonly candidate: C;
  readonly doubt: number;
  readonly why: string | null;
}

/**
 * Takes the first candidate whose sample looks like counts; else the one that speaks least against them, so that reading it says
 * what is wrong. Of one candidate alone only reals are looked at: whole numbers are neither logarithms nor scaled. What cannot be read
 * or opened is passed over, and is an error where nothing else is left. `usual` names what was looked for where there is no candidate.
 */
export async function chooseCounts<C extends Candidate, Opened>(
  session: Hdf5Session,
  candidates: readonly C[],
  open: (candidate: C) => Promise<Opened>,
  usual: string,
): Promise<Chosen<C, Opened>> {
  const broken = new Map<C, UnreadableMatrix>();
  const tryOne = async <T>(candidate: C, work: () => Promise<T>): Promise<T | null> => {
    const result = await attempt(session, work);
    if (!(result instanceof UnreadableMatrix)) return result;
    broken.set(candidate, result);
    return null;
  };
  const sound: C[] = [];
  for (const candidate of candidates) {
    if ((await tryOne(candidate, () => areMatrices(session, candidate))) === true) {
      sound.push(candidate);
    }
  }
  const isOnly = sound.length + broken.size === 1;
  const seen: Sampled<C>[] = [];
  for (const candidate of sound) {
    const sampled = await tryOne(candidate, () => sampleCandidate(session, candidate, isOnly));
    if (sampled === null) continue;
    seen.push(sampled);
    if (sampled.doubt > 0) continue;
    const opened = await tryOne(candidate, () => open(candidate));
    if (opened !== null) return describe(sampled, opened);
  }
  for (const sampled of seen.toSorted((a, b) => a.doubt - b.doubt)) {
    const { candidate, doubt } = sampled;
    // Where counts may well be in what cannot be read, an empty matrix is none.
    if (broken.has(candidate) || (doubt === NO_VALUES && broken.size > 0)) continue;
    const opened = await tryOne(candidate, () => open(candidate));
    if (opened !== null) return describe(sampled, opened);
  }
  const [first, ...others] = candidates.flatMap((candidate) => broken.get(candidate) ?? []);
  if (first === undefined) {
    throw new UnreadableMatrix(
      "M_INCOMPLETE",
      `${session.name}: there is no matrix; ${usual} were looked for`,
    );
  }
  if (others.length === 0) throw first;
  throw new UnreadableMatrix(first.rule, first.message + wordsOf(others), { cause: first });

  function describe({ candidate: chosen, why }: Sampled<C>, opened: Opened): Chosen<C, Opened> {
    const looked = seen.map(({ candidate }) => candidate).filter((one) => !broken.has(one));
    const before = looked.slice(0, looked.indexOf(chosen)).map(nameOf);
    const besides = looked.filter((one) => one !== chosen).map(nameOf);
    const notes: MatrixNote[] = [];
    if (before.length > 0) {
      const message = `${session.name}: ${list(before)} ${before.length === 1 ? "does" : "do"} not hold counts; they were taken from ${nameOf(chosen)}`;
      notes.push({ rule: "M_NOT_COUNTS", severity: "info", message });
    }
    for (const [candidate, { message }] of broken) {
      // What comes behind would not have been taken anyway.
      const isBefore = candidates.indexOf(candidate) < candidates.indexOf(chosen);
      notes.push({
        rule: "M_SKIPPED",
        severity: isBefore ? "warning" : "info",
        message: `${message}: it was passed over, and counts were taken from ${nameOf(chosen)}`,
      });
    }
    const empty =
      besides.length === 0
        ? ""
        : `; ${list(besides)} ${besides.length === 1 ? "holds" : "hold"} none either`;
    return { chosen, opened, others: empty + wordsOf([...broken.values()]), refusal: why, notes };
  }
  function wordsOf(errors: readonly UnreadableMatrix[]): string {
    return errors.map(({ message }) => `; ${message.replace(`${session.name}: `, "")}`).join("");
  }
}

/** Tells whether what lies at a candidate's places is a matrix. An AnnData without X has an empty X. */
async function areMatrices(session: Hdf5Session, { places }: Candidate): Promise<boolean> {
  for (const place of places) if (!(await isMatrix(session, place))) return false;
  return true;
}

async function isMatrix(session: Hdf5Session, { path, kind }: Place): Promise<boolean> {
  if (kind === "elsewhere") throw liesElsewhere(session, path);
  if (kind === "group") {
    const data = (await listGroup(session, path)).get("data");
    if (data === "elsewhere") throw liesElsewhere(session, `${path}/data`);
    return data === "dataset";
  }
  const { shape } = await openDataset(session, path);
  return path.startsWith("/layers/") ? shape.length === 2 : shape.length > 0;
}

async function sampleCandidate<C extends Candidate>(
  session: Hdf5Session,
  candidate: C,
  isOnly: boolean,
): Promise<Sampled<C>> {
  let doubt = 0;
  let why: string | null = null;
  for (const place of candidate.places) {
    const evidence = await sampleValues(session, place, { isOnly });
    // A part of a sum may well be empty.
    const isBeside = evidence.doubt === NO_VALUES && candidate.places.length > 1;
    if (evidence.doubt < doubt || isBeside) continue;
    doubt = evidence.doubt;
    why = evidence.refusal ?? why;
  }
  return { candidate, doubt, why };
}
