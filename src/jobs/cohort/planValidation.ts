// The validation of a build as a part of the plan: types that were built now, before readers are switched to them, and all others as far as
// nobody has looked at them yet.

import { type Digest, digestOfJson } from "../../digest.ts";
import type { Plan } from "../../engine/step.ts";
import { checkedDatasets } from "./data/checkedDatasets.ts";
import { type CheckResult, checkResult } from "./data/checkResult.ts";
import type { BlockedType, BuiltState, Current, Dataset } from "./data/current.ts";
import type { CohortState } from "./data/known.ts";
import type { DatasetProfile } from "./data/profile.ts";
import type { LaidOut, RecordShape } from "./data/recordShape.ts";
import type { TypeSegments } from "./data/segments.ts";
import type { WholeInput } from "./data/typeInput.ts";
import {
  type CheckedType,
  knownOf,
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
  const checked = isFull ? await checkType(plan, checker, candidate) : null;
  if (checked !== null) found.set(type, checked);
  const last = knownOf(state.validation, type)?.results ?? [];
  return heldBy(plan, checker, candidate, checked === null ? { last } : { now: checked });
}

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
  if (!isFull) {
    if (built === null || state.validation === null) return null;
    return { ...state.validation, build: built.current.build };
  }
  const shown = built ?? (current === null ? null : { current, segments, made: new Set<string>() });
  if (shown === null) return null;
  const types = new Map<string, CheckedType>();
  for (const [type, shape] of laidOut.shapes) {
    if (shape.type.deletes !== null) continue;
    types.set(type, await foundOf(plan, watch, shown, shape));
  }
  const all = validationOf(shown.current.build, plan.run.startedAt, checker.checks, types);
  return saysTheSame(all, state.validation) ? null : all;
}

/**
 * What is told of checks and datasets. Of a type that was built since somebody has looked, nothing is; of one that is held back, what holds it.
 */
export function toldOf(
  known: Validation | null,
  current: Current | null,
): {
  readonly checks: readonly CheckResult[];
  readonly profiles: ReadonlyMap<string, DatasetProfile>;
} {
  const isTold = ({ type }: { readonly type: string }): boolean =>
    (current?.types[type]?.build ?? null) === (known?.types[type]?.build ?? null) ||
    current?.blocked.some((one) => one.type === type) === true;
  const profiles = (known?.profiles ?? []).filter(isTold);
  return {
    checks: (known?.results ?? []).filter(isTold),
    profiles: new Map(profiles.map((one) => [one.dataset, one])),
  };
}

async function foundOf(
  plan: Plan,
  { checker, state, found }: Watch,
  { current, segments, made }: Shown,
  shape: RecordShape,
): Promise<CheckedType> {
  const { name: type } = shape.type;
  const now = found.get(type);
  if (now !== undefined && made.has(type)) return now;
  const known = knownOf(state.validation, type);
  const build = current.types[type]?.build ?? null;
  const candidate: Candidate = {
    ...{ shape, build, datasets: datasetsOf(current, shape) },
    segments: segments[type]?.segments ?? [],
    people: current.types[type]?.people ?? null,
    before: known !== null && known.build === build ? known.before : null,
  };
  // What was built and is held back is what results are about; what readers have is described beside.
  if (now !== undefined) return { ...now, profiles: profilesOf(candidate) };
  const isHeld = current.blocked.some((one) => one.type === type);
  if (known !== null && isHeld) return stillHeld(checker, candidate, known);
  if (known?.about === aboutOf(checker, candidate)) return { ...known, build };
  const isEmpty = candidate.datasets.every(({ rows }) => rows === 0);
  if (isEmpty || checksOf(checker, type).length === 0) return checkType(null, checker, candidate);
  const outcome = await plan.scope(type, (scope) => checkType(scope, checker, candidate));
  return outcome.ok ? outcome.value : undone(checker, candidate, outcome.error);
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
