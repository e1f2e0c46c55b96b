// The validation of a build as a part of the plan: types that were built now, before readers are switched to them, and all others as far as
// nobody has looked at them yet.

import { type Digest, digestOfJson } from "../../digest.ts";
import type { Plan } from "../../engine/step.ts";
import { checkedDatasets } from "./data/checkedDatasets.ts";
import { type CheckResult, checkResult, NO_ROWS, NOT_DONE } from "./data/checkResult.ts";
import type { BlockedType, BuiltState, Current, Dataset } from "./data/current.ts";
import type { CohortState } from "./data/known.ts";
import type { DatasetProfile } from "./data/profile.ts";
import type { LaidOut, RecordShape } from "./data/recordShape.ts";
import type { TypeSegments } from "./data/segments.ts";
import type { WholeInput } from "./data/typeInput.ts";
import {
  type CheckedType,
  knownOf,
  lastFailures,
  saysTheSame,
  type Validation,
  validationOf,
} from "./data/validation.ts";
import type { Maker } from "./maker.ts";
import {
  aboutOf,
  blockingDigest,
  type Candidate,
  type Checker,
  checksOf,
  checkType,
  heldBy,
  profilesOf,
} from "./planChecks.ts";

/** Checks at work in a run. */
export interface Watch {
  readonly checker: Checker;
  /** False where only what may hold a type back is looked at. */
  readonly isFull: boolean;
  readonly laidOut: LaidOut;
  readonly state: CohortState;
  /** What was found of types in this run. */
  readonly found: Map<string, CheckedType>;
}

/** Makes ready to check. */
export function makeWatch(
  { startedAt }: Plan["run"],
  { effects, steps, request }: Pick<Maker, "effects" | "steps" | "request">,
  state: CohortState,
): Watch {
  const laidOut = effects.schemaOf(null);
  const known = checkedDatasets(laidOut.shapes);
  const checker = { steps, checks: effects.checks, known, day: startedAt.slice(0, 10) };
  return { checker, isFull: request.parts.includes("validate"), laidOut, state, found: new Map() };
}

/** Checks a type that was built, in its scope, and names the checks that hold it back. */
export async function checkMade(
  plan: Plan,
  { checker, isFull, laidOut, state, found }: Watch,
  type: string,
  made: {
    readonly state: BuiltState;
    readonly datasets: readonly Dataset[];
    readonly segments: Pick<TypeSegments, "segments">;
  },
): Promise<readonly string[]> {
  const shape = laidOut.shapes.get(type);
  if (shape === undefined || made.datasets.length === 0) return [];
  const { current } = state;
  const isNew = current?.types[type] === undefined;
  const candidate = {
    ...{ shape, before: isNew ? null : rowsOf(current, shape) },
    ...{ datasets: made.datasets, segments: made.segments.segments },
    ...{ build: made.state.build, people: made.state.people ?? null },
  };
  const known = knownOf(state.validation, type);
  if (isFull) {
    const now = await checkType(plan, checker, candidate, known);
    found.set(type, now);
    return (await heldBy(plan, checker, candidate, { now })).ids;
  }
  const { ids, results, last } = await heldBy(plan, checker, candidate, { known });
  // What holds it back is all that is known of it.
  const about = digestOfJson([HELD, aboutOf(checker, candidate)]);
  const { build, before } = candidate;
  if (ids.length > 0) found.set(type, { about, build, before, results, last, profiles: [] });
  return ids;
}
/** Before what is known of a type of which only what blocks was looked at. */
const HELD = "held";

/** What readers are about to have, or have. */
export interface Shown {
  readonly current: Current;
  readonly segments: CohortState["segments"];
  /** Types that were built now, and are shown. */
  readonly made: ReadonlySet<string>;
}

/**
 * Tells what is known of the build that was made now, or of the one that there is, and looks where nobody has looked yet; null where nothing
 * is new. Where nothing is to be looked at, a new build has what is known of the one before: each type tells by its build what that is about.
 */
export async function validate(
  plan: Plan,
  watch: Watch,
  built: Shown | null,
): Promise<Validation | null> {
  const { checker, laidOut, state, isFull } = watch;
  const { current, segments } = state;
  const shown = built ?? (current === null ? null : { current, segments, made: new Set<string>() });
  // A run that does not look has nothing new but what was built, and what that is held back by.
  if (shown === null || (!isFull && built === null)) return null;
  const types = new Map<string, CheckedType>();
  for (const [type, shape] of laidOut.shapes) {
    if (shape.type.deletes !== null) continue;
    const found = isFull
      ? await foundOf(plan, watch, shown, shape)
      : carriedOf(watch, shown, shape);
    if (found !== null) types.set(type, found);
  }
  const all = validationOf(shown.current.build, plan.run.startedAt, checker.checks, types);
  return saysTheSame(all, state.validation) ? null : all;
}

/**
 * What is told of checks and datasets. Of a type that is held back results are about what holds it; a check that nobody has done since its
 * datasets were built is not run.
 */
export function toldOf(
  { known, current }: { readonly known: Validation | null; readonly current: Current | null },
  { checks, known: datasets }: Pick<Checker, "checks" | "known">,
): {
  readonly checks: readonly CheckResult[];
  readonly profiles: ReadonlyMap<string, DatasetProfile>;
} {
  if (current === null) return { checks: [], profiles: new Map() };
  const isTold = (type: string): boolean => {
    const own = known?.types[type];
    if (own === undefined) return false;
    const tried = own.tried ?? null;
    return tried === null
      ? own.build === (current.types[type]?.build ?? null)
      : heldOf(current, type)?.tried === tried;
  };
  const profiles = (known?.profiles ?? []).filter(({ type }) => isTold(type));
  return {
    checks: checks.flatMap((check) => {
      const of = datasets.get(check.dataset);
      if (of === undefined) return [];
      const own = known?.results.find(({ id }) => id === check.id);
      if (own !== undefined && isTold(of.type)) return [own];
      const rows = current.datasets.find(({ name }) => name === check.dataset)?.rows ?? null;
      return [checkResult(check, of, rows, { isMet: null, why: rows === 0 ? NO_ROWS : NOT_DONE })];
    }),
    profiles: new Map(profiles.map((one) => [one.dataset, one])),
  };
}

function heldOf({ blocked }: Current, type: string): BlockedType | null {
  return blocked.find((one) => one.type === type) ?? null;
}

/** A type as readers have it. */
function candidateOf(
  { current, segments }: Shown,
  shape: RecordShape,
  known: CheckedType | null,
): Candidate {
  const { name: type } = shape.type;
  const build = current.types[type]?.build ?? null;
  return {
    ...{ shape, build, datasets: datasetsOf(current, shape) },
    segments: segments[type]?.segments ?? [],
    people: current.types[type]?.people ?? null,
    before: known !== null && known.build === build ? known.before : null,
  };
}

/** What is known of a type where only what blocks was looked at. */
function carriedOf(
  { checker, state, found }: Watch,
  shown: Shown,
  shape: RecordShape,
): CheckedType | null {
  const { name: type } = shape.type;
  const known = knownOf(state.validation, type);
  const now = found.get(type);
  const held = heldOf(shown.current, type);
  if (now === undefined || held === null) return known;
  const candidate = candidateOf(shown, shape, known);
  const { tried } = held;
  return { ...stillHeld(checker, candidate, now), profiles: profilesOf(candidate), tried };
}

async function foundOf(
  plan: Plan,
  { checker, state, found }: Watch,
  shown: Shown,
  shape: RecordShape,
): Promise<CheckedType> {
  const { current, made } = shown;
  const { name: type } = shape.type;
  const now = found.get(type);
  if (now !== undefined && made.has(type)) return now;
  const known = knownOf(state.validation, type);
  const candidate = candidateOf(shown, shape, known);
  const { build } = candidate;
  const tried = heldOf(current, type)?.tried ?? null;
  // What was built and is held back is what results are about; what readers have is described beside.
  if (now !== undefined) return { ...now, profiles: profilesOf(candidate), tried };
  // Results may also be of a build before what is held back: then what readers have is looked at.
  if (known !== null && tried !== null && known.tried === tried) {
    return stillHeld(checker, candidate, known);
  }
  if (known?.about === aboutOf(checker, candidate)) return { ...known, build, tried: null };
  const isEmpty = candidate.datasets.every(({ rows }) => rows === 0);
  if (isEmpty || checksOf(checker, type).length === 0) {
    return checkType(null, checker, candidate, known);
  }
  const outcome = await plan.scope(type, (scope) => checkType(scope, checker, candidate, known));
  if (outcome.ok) return outcome.value;
  return { ...undone(checker, candidate, outcome.error), last: lastFailures(known) };
}

/** What is known of a type that is held back; of checks that came after it was built nothing is. */
function stillHeld(checker: Checker, { shape }: Candidate, known: CheckedType): CheckedType {
  const why = "the type is held back, and is checked with its next build";
  const results = checksOf(checker, shape.type.name).flatMap((check) => {
    const of = checker.known.get(check.dataset);
    const own = known.results.find(({ id }) => id === check.id);
    if (own !== undefined || of === undefined) return own ?? [];
    return [checkResult(check, of, null, { isMet: null, why })];
  });
  return { ...known, results };
}

/** A type of which nothing could be found out; the next run tries again. */
function undone(checker: Checker, candidate: Candidate, why: string): CheckedType {
  const { shape, build, before, datasets } = candidate;
  const about = aboutOf(checker, { ...candidate, datasets: [] });
  const results = checksOf(checker, shape.type.name).flatMap((check) => {
    const known = checker.known.get(check.dataset);
    const rows = datasets.find(({ name }) => name === check.dataset)?.rows ?? null;
    return known === undefined ? [] : [checkResult(check, known, rows, { isMet: null, why })];
  });
  return { about, build, before, results, profiles: profilesOf(candidate) };
}

function datasetsOf({ datasets }: Current, { tables }: RecordShape): readonly Dataset[] {
  const names = new Set(tables.map(({ dataset }) => dataset));
  return datasets.filter(({ name }) => names.has(name));
}

function rowsOf(current: Current | null, shape: RecordShape): Candidate["before"] {
  if (current === null) return null;
  return Object.fromEntries(datasetsOf(current, shape).map(({ name, rows }) => [name, rows]));
}

/** What a type that is held back was built from, and the checks that did it. */
export function triedOf({ digest }: WholeInput, type: string, { checker }: Watch): Digest {
  return digestOfJson([digest, blockingDigest(checker, type)]);
}

export function sameHeld(one: readonly BlockedType[], other: readonly BlockedType[]): boolean {
  const plain = (all: readonly BlockedType[]): readonly string[] =>
    all.map(({ type, checks, tried }) => [type, tried, ...checks].join()).sort();
  return plain(one).join("\n") === plain(other).join("\n");
}
