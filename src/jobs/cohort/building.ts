// The work of building a type in the world: what its new records touch is fetched, written anew and put; all else is named again.

import { rm } from "node:fs/promises";
import { join } from "node:path";

import type { Digest } from "../../digest.ts";
import type { StepContext } from "../../engine/step.ts";
import type { Finding } from "../../finding.ts";
import type { Bucket } from "../../store/bucket.ts";
import { digestSource, fileSource } from "../../store/byteSource.ts";
import {
  buildType,
  type BuiltGroup,
  type DatasetColumns,
  datasetsOf,
  findTouched,
  type TypeRows,
} from "./build/buildType.ts";
import type { Duck } from "./build/duck.ts";
import { countPeopleStatement } from "./build/statements.ts";
import { COLUMN_TYPES } from "./data/columns.ts";
import { buildPrefix, type Dataset, type DatasetFile } from "./data/current.ts";
import { contentName } from "./data/keptObjects.ts";
import type { PeopleCount } from "./data/people.ts";
import type { RecordShape } from "./data/recordShape.ts";
import type { KeptObject } from "./data/report.ts";
import {
  areMany,
  changedSlots,
  freshParts,
  type Group,
  mergedSlots,
  type Prices,
  type Segment,
  type Slot,
  type TypeSegments,
  wholeSlots,
} from "./data/segments.ts";
import type { TypeInput } from "./data/typeInput.ts";
import { tooMany } from "./data/undeclared.ts";
import { type CohortEffects, type Places, put, withDuck } from "./doing.ts";
import { putJson } from "./keptJson.ts";
import { fetchObject } from "./sources/fetchObject.ts";

export type BuildParams = {
  readonly type: string;
  readonly build: string;
  readonly dropped: readonly string[];
  /** True where small segments are merged, whatever is new. */
  readonly isMerging: boolean;
  /** The digest of its inputs. */
  readonly given: Digest;
};

export interface BuildInputs {
  readonly input: TypeInput;
  /** Files of keys that are deleted; null where the type has none. */
  readonly deletions: readonly KeptObject[] | null;
  /** What is there of it; null where nothing is, or nothing that is of use. */
  readonly before: Pick<TypeSegments, "segments" | "dead"> | null;
}

/** What a type's build left: its segments, and the columns that its datasets have. */
export interface TypeBuild {
  readonly datasets: readonly Pick<Dataset, "name" | "columns">[];
  readonly segments: readonly Segment[];
  readonly people: readonly PeopleCount[] | null;
  readonly dead: readonly string[];
  readonly hasDeletions: boolean;
}

/** Builds a type: writes anew what its new records touch, and names again what they do not. */
export async function build(
  effects: CohortEffects,
  { input, deletions, before }: BuildInputs,
  params: Omit<BuildParams, "given">,
  ctx: StepContext,
): Promise<TypeBuild> {
  const { shapes } = effects.schemaOf(null);
  const shape = shapes.get(input.type);
  if (shape === undefined) throw new Error(`no shape of ${input.type}`);
  const dir = await ctx.workDir();
  const { signal } = ctx;
  ctx.find(fieldFindings(shape, input));
  return withDuck(effects, async (duck) => {
    const fetcher = makeFetcher(effects.places, dir, signal);
    const extras = input.extras.map((paths) => new Set(paths));
    const how = { extras, dropped: new Set(params.dropped) };
    const deleted = deletions === null ? null : await fetcher.keys(deletions);
    const work = { duck, shape, input, fetcher, prices: effects.prices };
    const slots = await planSlots(work, before, deleted, params.isMerging);
    const built = await buildType(duck, {
      ...{ ...how, deleted, cohorts: effects.cohorts, dir: join(dir, "out") },
      rows: await fetcher.rows(shape, input, groupsOf(slots)),
    });
    const people = await countPeople(work, slots, built, join(dir, "out"));
    const segments: Segment[] = [];
    for (const [number, slot] of slots.entries()) {
      const group = built.find((one) => one.group === number);
      if (slot.kind === "kept") segments.push(slot.segment);
      else if (group !== undefined) {
        const same = await sameSegment(slot, join(dir, "out", group.keys));
        if (same !== null) {
          segments.push(same);
          continue;
        }
        segments.push(await putSegment(effects.places, { input, group, dir, ...params }, signal));
      }
    }
    const live = new Set(segments.flatMap(({ parts }) => parts));
    const dead = input.parts.flatMap(({ id }) => (live.has(id) ? [] : [id]));
    const datasets = datasetsOf(shape, how).map(({ name, columns }) => ({
      name,
      columns: columnTypes(columns),
    }));
    const rows = segments.flatMap(({ written }) => Object.values(written));
    ctx.measure(
      input.type,
      "rows",
      rows.reduce((sum, some) => sum + some, 0),
    );
    return { datasets, segments, people, dead, hasDeletions: (deleted ?? []).length > 0 };
  });
}

/** Says which of a type's datasets have not all fields that were sent: of each member there are few enough, of all together there are not. */
function fieldFindings({ type, tables }: RecordShape, input: TypeInput): readonly Finding[] {
  return tables.flatMap(({ dataset }, table) => {
    const left = { fields: input.leftOut[table] ?? 0, isMore: false };
    const why = tooMany(dataset, left, input.extras[table]?.length ?? 0);
    if (why === null) return [];
    const of = { rule: "too_many_fields", severity: "warning" as const, subject: type.name };
    return [{ ...of, row: null, fields: {}, message: `${type.name} ${why}.` }];
  });
}

/** Keeps what a build came to in its folder, until the switch has taken it in: it names every segment that there is. */
export function keepBuilt(
  { places: { processed } }: CohortEffects,
  { type, build: name }: Pick<BuildParams, "type" | "build">,
  built: TypeBuild,
  signal: AbortSignal,
): Promise<KeptObject> {
  const prefix = `${buildPrefix(name)}built/${type.toLowerCase()}`;
  return putJson(processed, (content) => `${prefix}.${content}.json.gz`, built, signal);
}

/** What a type's build works with. */
interface TypeWork {
  readonly duck: Duck;
  readonly shape: RecordShape;
  readonly input: TypeInput;
  readonly fetcher: Fetcher;
  readonly prices: Prices;
}

/** Settles what is written anew: all where nothing is known of what is there, else what the new records touch. */
async function planSlots(
  { duck, shape, input, fetcher, prices }: TypeWork,
  before: Pick<TypeSegments, "segments" | "dead"> | null,
  deleted: readonly string[] | null,
  isMerging: boolean,
): Promise<readonly Slot[]> {
  const { parts } = input;
  const fresh = before === null ? null : freshParts(parts, before);
  if (before === null || fresh === null) return wholeSlots(parts, prices);
  const { segments } = before;
  const keys = new Map<string, string>();
  for (const segment of segments) {
    const [path = ""] = await fetcher.keys([segment.keys]);
    keys.set(path, segment.name);
  }
  const slot = { kind: "written", parts: fresh, price: 0, from: [] } as const;
  const rows = await fetcher.rows(shape, input, new Map([[0, slot]]));
  const found = keys.size === 0 ? [] : await findTouched(duck, rows, [...keys.keys()], deleted);
  const touched = new Set(found.map((path) => keys.get(path) ?? ""));
  const slots = changedSlots(parts, segments, fresh, touched, prices);
  return isMerging || areMany(slots) ? mergedSlots(parts, slots) : slots;
}

/** Counts a type's participants by cohort, each once, whatever segments have them: those that stay, and those that were written. */
async function countPeople(
  { duck, shape, fetcher }: TypeWork,
  slots: readonly Slot[],
  built: readonly BuiltGroup[],
  dir: string,
): Promise<readonly PeopleCount[] | null> {
  const { participant, name } = shape.type;
  if (participant === null) return null;
  const kept = slots.flatMap((slot) => (slot.kind === "kept" ? (slot.segment.people ?? []) : []));
  const written = built.flatMap(({ people }) => (people === null ? [] : [join(dir, people)]));
  const files = [...(await fetcher.keys(kept)), ...written];
  if (files.length === 0) return [];
  const rows = await duck.rows(`counting people of ${name}`, countPeopleStatement(files));
  return rows.map(([cohort, count]) => ({ cohort: String(cohort), count: Number(count) }));
}

/** The groups of parts that are written, by the numbers of their slots. */
function groupsOf(slots: readonly Slot[]): ReadonlyMap<number, Group> {
  return new Map(
    slots.flatMap((slot, number) => (slot.kind === "written" ? [[number, slot] as const] : [])),
  );
}

/** The segment that a group was, where it has come out as it was: its keys, and which of them are shown, tell its rows. */
async function sameSegment({ from }: Group, keys: string): Promise<Segment | null> {
  const [was, another] = from;
  if (was === undefined || another !== undefined) return null;
  return was.keys.sha256 === (await digestSource(await fileSource(keys))) ? was : null;
}

/** Puts a segment's files into the build's folder. */
async function putSegment(
  { processed }: Places,
  of: Pick<BuildParams, "type" | "build"> & {
    readonly input: TypeInput;
    readonly group: BuiltGroup;
    readonly dir: string;
  },
  signal: AbortSignal,
): Promise<Segment> {
  const { input, group, dir, build: name, type } = of;
  const prefix = buildPrefix(name);
  // Named by what it holds: what a worker that was taken for dead puts late is beside what readers have, and not over it.
  const move = async (path: string, below: string): Promise<KeptObject> => {
    const source = await fileSource(join(dir, "out", path));
    const sha256 = await digestSource(source);
    const key = `${prefix}${below.replace(/\.parquet$/, "")}.${contentName(sha256)}.parquet`;
    const kept = await put(processed, key, { source, sha256 }, signal);
    await rm(join(dir, "out", path));
    return kept;
  };
  const files: Record<string, DatasetFile[]> = {};
  const filled: Record<string, readonly number[]> = {};
  for (const [dataset, made] of Object.entries(group.files)) {
    const kept: DatasetFile[] = [];
    for (const { path, name: below, rows } of made) {
      kept.push({ ...(await move(path, below)), rows });
    }
    if (kept.length > 0) files[dataset] = kept;
    if (kept.length > 0) filled[dataset] = sumColumns(made.map((one) => one.filled));
  }
  const parts = group.parts.flatMap((part) => input.parts[part] ?? []);
  const own = `${type.toLowerCase()}.${group.group}`;
  return {
    name: `${name}/${group.group}`,
    parts: parts.map(({ id }) => id),
    price: parts.reduce((sum, { price }) => sum + price, 0),
    unique: group.unique,
    written: group.written,
    keys: await move(group.keys, `keys/${own}.parquet`),
    winners: await move(group.winners, `winners/${own}.parquet`),
    people: group.people === null ? null : await move(group.people, `people/${own}.parquet`),
    files,
    filled,
  };
}

function sumColumns(all: readonly (readonly number[])[]): readonly number[] {
  const [first = []] = all;
  return first.map((_none, at) => all.reduce((sum, own) => sum + (own[at] ?? 0), 0));
}

/** A dataset's columns as current.json has them. */
export function columnTypes(columns: DatasetColumns["columns"]): Dataset["columns"] {
  const own = columns.map(({ name, type }) => ({ name, type: COLUMN_TYPES[type] }));
  return [...own, { name: "cohort", type: "string" }];
}

/** Brings objects of the places to this disk, each once and checked against its digest. */
interface Fetcher {
  /** Staged rows of groups of parts, and their members. */
  rows(
    shape: RecordShape,
    input: TypeInput,
    groups: ReadonlyMap<number, Pick<Group, "parts" | "from">>,
  ): Promise<TypeRows>;
  keys(objects: readonly KeptObject[]): Promise<readonly string[]>;
}

function makeFetcher(
  { intermediate, processed }: Places,
  dir: string,
  signal: AbortSignal,
): Fetcher {
  const fetched = new Map<string, string>();
  async function bring(bucket: Bucket, object: KeptObject): Promise<string> {
    const known = fetched.get(object.key);
    if (known !== undefined) return known;
    const path = join(dir, `${fetched.size}.parquet`);
    await fetchObject(bucket, object, path, signal);
    fetched.set(object.key, path);
    return path;
  }
  return {
    async rows(shape, { parts, files, members }, groups) {
      const numbers = new Map(parts.map(({ id }, number) => [id, number]));
      const segments = [...groups.values()].flatMap(({ from }) => from);
      const winners: { path: string; parts: readonly number[] }[] = [];
      for (const { parts: ids, winners: object } of segments) {
        const own = ids.flatMap((id) => numbers.get(id) ?? []);
        winners.push({ path: await bring(processed, object), parts: own });
      }
      const picked = new Set(winners.flatMap((file) => file.parts));
      const groupOf = new Map(
        [...groups].flatMap(([group, { parts }]) => parts.map((part) => [part, group] as const)),
      );
      const byTable: { part: number; path: string }[][] = shape.tables.map(() => []);
      for (const { part, table, object } of files) {
        if (!groupOf.has(part)) continue;
        byTable[table]?.push({ part, path: await bring(intermediate, object) });
      }
      const own = members.flatMap((member) => {
        const group = groupOf.get(member.part);
        const isPicked = picked.has(member.part);
        return group === undefined ? [] : [{ ...member, group, isPicked }];
      });
      return { shape, files: byTable, members: own, winners };
    },
    async keys(objects) {
      const paths: string[] = [];
      for (const object of objects) paths.push(await bring(processed, object));
      return paths;
    },
  };
}
