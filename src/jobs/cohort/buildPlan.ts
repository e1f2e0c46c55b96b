// The part of the plan that builds: which types are due, what each is built of, and the switch to what they came to.

import { digestOfJson } from "../../digest.ts";
import type { Plan } from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import { datasetsOf } from "./build/buildType.ts";
import { columnTypes, type TypeBuild } from "./building.ts";
import { checkLayout, typesOf } from "./data/checks.ts";
import {
  type BlockedType,
  buildName,
  type BuiltState,
  type Dataset,
  nextCurrent,
} from "./data/current.ts";
import type { CohortState } from "./data/known.ts";
import type { LaidOut } from "./data/recordShape.ts";
import { canMerge, countsOf, type Segment, type TypeSegments } from "./data/segments.ts";
import { BUILD_VERSION, type TypeInput, type WholeInput } from "./data/typeInput.ts";
import type { Validation } from "./data/validation.ts";
import type { CohortEffects } from "./doing.ts";
import { type CohortRequest, type Maker, put } from "./maker.ts";
import { checkMade, sameHeld, type Shown, triedOf, type Watch } from "./planValidation.ts";

/** What is known, without types whose files are lost, so that they are built again, and whole. */
export function withoutTypes(state: CohortState, lost: readonly string[]): CohortState {
  const without = <T>(types: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(types).filter(([type]) => !lost.includes(type)));
  const { current } = state;
  return {
    ...state,
    current: current === null ? null : { ...current, types: without(current.types) },
    segments: without(state.segments),
  };
}

/** A type as it was built now. */
interface Made {
  readonly state: BuiltState;
  readonly datasets: readonly Dataset[];
  readonly segments: TypeSegments;
}

/** Keeps what checks have found, and switches readers to what was built; null: there is nothing new of it. */
export async function showBuilt(
  plan: Plan,
  { effects }: Maker,
  built: Shown | null,
  validation: Validation | null,
): Promise<void> {
  if (validation !== null) {
    await put(plan, "keepValidation", validation.build, (signal) =>
      effects.saveValidation(validation, signal),
    );
  }
  if (built === null) return;
  const { current, segments } = built;
  await put(plan, "switchReaders", current.build, (signal) =>
    effects.switchTo(current, segments, plan.run.id, signal),
  );
}

/** Builds the types whose inputs have changed: a build that has these anew and all others as they were; null where none has. */
export async function buildAll(
  plan: Plan,
  maker: Maker,
  state: CohortState,
  { inputs, watch }: { readonly inputs: ReadonlyMap<string, WholeInput>; readonly watch: Watch },
): Promise<Shown | null> {
  const { effects, request } = maker;
  const { current: before } = state;
  const laidOut = effects.schemaOf(null);
  const { startedAt, id } = plan.run;
  const build = buildName(startedAt, id, before);
  const made = new Map<string, Made>();
  const failed: string[] = [];
  const held = new Map<string, BlockedType>();
  // One after the other: each takes the memory that there is. What deletes comes before what it deletes of.
  for (const type of typesOf(laidOut, request.types)) {
    const own = inputs.get(type);
    if (own === undefined || !isDue(own, type, request, state, watch)) continue;
    const deleting = own.deletions?.type ?? null;
    const outcome = await plan.scope(type, async (scope) => {
      if (deleting !== null && failed.includes(deleting)) {
        throw new HdashError("permanent", `${type} is not built, since ${deleting} was not`);
      }
      checkLayout(own, laidOut);
      const keys = deleting === null ? null : keysOf(made.get(deleting)?.segments, deleting, state);
      const built = await buildOne(scope, maker, own.input, { build, state, keys });
      const one = madeOf(maker, own, build, built);
      return { one, checks: await checkMade(scope, watch, type, one) };
    });
    if (!outcome.ok) failed.push(type);
    else if (outcome.value.checks.length === 0) made.set(type, outcome.value.one);
    else {
      const since = before?.blocked.find((one) => one.type === type)?.since ?? startedAt;
      const { checks } = outcome.value;
      held.set(type, { type, checks, since, tried: triedOf(own, type, watch) });
    }
  }
  const stale = [...inputs.keys()].filter((type) => {
    const { inputs: digest } = made.get(type)?.state ?? before?.types[type] ?? { inputs: null };
    return digest !== inputs.get(type)?.digest;
  });
  const still = (before?.blocked ?? []).filter(({ type }) => !made.has(type) && !held.has(type));
  const blocked = [...still, ...held.values()].filter(({ type }) => stale.includes(type));
  const isTold =
    before !== null &&
    failed.every((type) => before.failed.includes(type)) &&
    [...stale].sort().join() === [...before.stale].sort().join();
  if (made.size === 0 && isTold && sameHeld(before.blocked, blocked)) return null;
  const { dropped, keepBuilds } = request;
  const empty = emptyOf(laidOut, dropped);
  const types = new Set(laidOut.shapes.keys());
  const wrong = { failed, stale, blocked };
  const how = { schema: laidOut.version, build, dropped, keepBuilds, empty, types, ...wrong };
  const segments = Object.fromEntries(
    [...types].flatMap((type) => {
      const own = made.get(type)?.segments ?? state.segments[type];
      return own === undefined ? [] : [[type, own]];
    }),
  );
  const current = nextCurrent(before, made, how);
  return { current, segments, made: new Set(made.keys()) };
}

/** Tells whether a type is to be built: its input is another one than that of its datasets, or its segments are to be merged, or all is asked for again. */
function isDue(
  own: WholeInput,
  type: string,
  request: CohortRequest,
  { current, segments }: CohortState,
  watch: Watch,
): boolean {
  if (request.choice.isAgain) return true;
  // The same would come out, and be held back once more.
  const held = current?.blocked.find((one) => one.type === type);
  if (held?.tried === triedOf(own, type, watch)) return false;
  if (current?.types[type]?.inputs !== own.digest) return true;
  // Where that is lost, nobody knows which keys a type deletes, or which a new row may meet.
  if (segments[type] === undefined) return true;
  return isMerging(request) && canMerge(segments[type]?.segments ?? []);
}

/** A build that is asked for without what brings records merges what the runs between have left. */
function isMerging({ parts }: CohortRequest): boolean {
  return parts.includes("build") && parts.every((part) => part === "build" || part === "validate");
}

/** Files of the keys that a type deletes. */
function keysOf(
  made: TypeSegments | undefined,
  type: string,
  state: CohortState,
): readonly Segment["keys"][] {
  const known = made ?? state.segments[type];
  if (known === undefined) throw new HdashError("permanent", `nobody knows what ${type} deletes`);
  return known.segments.map(({ keys }) => keys);
}

async function buildOne(
  plan: Plan,
  { effects, steps, request }: Maker,
  input: TypeInput,
  of: {
    readonly build: string;
    readonly state: CohortState;
    readonly keys: readonly Segment["keys"][] | null;
  },
): Promise<TypeBuild> {
  const { type } = input;
  const known = of.state.segments[type];
  const isOfUse = known?.how === howOf(effects, request, input) && !request.choice.isAgain;
  const before = isOfUse ? { segments: known.segments, dead: known.dead } : null;
  const { dropped } = request;
  const given = steps.inputs.lay({ input, deletions: of.keys, before });
  const { built } = await plan.do(steps.build, {
    params: { type, build: of.build, dropped, isMerging: isMerging(request), given },
    inputs: {},
  });
  return effects.readBuilt(await plan.read(built));
}

/** A digest of all that segments follow from but the records: another version of DuckDB hashes keys otherwise. */
function howOf(
  { builtBy, schemaOf }: CohortEffects,
  { dropped }: CohortRequest,
  { extras }: TypeInput,
): string {
  return digestOfJson([BUILD_VERSION, builtBy, schemaOf(null).name, dropped, extras]);
}

function madeOf(
  { effects, request }: Maker,
  { input, digest }: WholeInput,
  build: string,
  { datasets, segments, people, dead, hasDeletions }: TypeBuild,
): Made {
  const all = datasets.map(({ name, columns }): Dataset => {
    const files = segments.flatMap((segment) => segment.files[name] ?? []);
    return { name, rows: files.reduce((sum, { rows }) => sum + rows, 0), columns, files };
  });
  const names = all.map(({ name }) => name);
  const counts = countsOf(input, segments, { hasDeletions, isDeleting: all.length === 0 });
  return {
    state: {
      ...{ inputs: digest, datasets: names, counts, build },
      ...(people === null ? {} : { people }),
    },
    datasets: all,
    segments: { how: howOf(effects, request, input), segments, dead },
  };
}

/** Every dataset that there should be, without rows. */
export function emptyOf(
  { shapes }: Pick<LaidOut, "shapes">,
  dropped: readonly string[],
): readonly Dataset[] {
  return [...shapes.values()]
    .flatMap((shape) => datasetsOf(shape, { extras: [], dropped: new Set(dropped) }))
    .map(({ name, columns }) => ({ name, rows: 0, columns: columnTypes(columns), files: [] }));
}
