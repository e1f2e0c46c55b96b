// What a data type is built from: the staged rows of all exports, and the members in them that count.

import { type Digest, digestOfJson, type Json } from "../../../digest.ts";
import { type Catalog, exportKey } from "./catalog.ts";
import { type Days, sumDays } from "./days.ts";
import { byRank, type MemberOf, supersededMembers } from "./ranking.ts";
import type { LaidOut, RecordShape } from "./recordShape.ts";
import type { ExportReport, KeptObject, MemberReport, StagedTable } from "./report.ts";
import { byText } from "./text.ts";
import { pickFields } from "./undeclared.ts";

/** A file of staged rows. */
export interface InputFile {
  /** The part that it is of: the same number for all tables of the same lines. */
  readonly part: number;
  readonly table: number;
  readonly object: KeptObject;
}

/** A member in a part, in the order in which records win. */
export interface InputMember {
  readonly part: number;
  readonly member: number;
  readonly rank: number;
  readonly cohort: string;
  readonly start: string | null;
  readonly end: string;
}

/** Staged rows of one type and export, and those of its members that count. */
export interface InputPart {
  /** Tells it from every other: by its export, its rows, and its members with what is known of them. */
  readonly id: string;
  /** What it costs to read: the bytes of its tables' files, and as many for each as its opening takes. */
  readonly price: number;
  /** The last day of its members. */
  readonly end: string;
  /** What its rows are of, and the form that they have. */
  readonly export: string;
  readonly layout: string;
}

export interface TypeInput {
  readonly type: string;
  /** By their numbers. */
  readonly parts: readonly InputPart[];
  readonly files: readonly InputFile[];
  readonly members: readonly InputMember[];
  /** Undeclared fields that its records have, by table: those that are columns. */
  readonly extras: readonly (readonly string[])[];
  /** How many more it is known to have, by table. */
  readonly leftOut: readonly number[];
  /** Records of members that count, by the day that their export ends. */
  readonly read: Days;
}

interface Gathered {
  readonly parts: InputPart[];
  readonly files: InputFile[];
  readonly members: (MemberOf & { readonly part: number })[];
  readonly extras: Set<string>[];
  readonly read: Days[];
}

/** Gathers the inputs of all types at once. */
export function typeInputs(
  catalog: Catalog,
  shapes: ReadonlyMap<string, RecordShape>,
): ReadonlyMap<string, TypeInput> {
  const superseded = supersededMembers(catalog.exports.map(({ report }) => report));
  const gathered = new Map<string, Gathered>();
  for (const [type, { tables }] of shapes) {
    const extras = tables.map(() => new Set<string>());
    gathered.set(type, { parts: [], files: [], members: [], extras, read: [] });
  }
  for (const { report } of catalog.exports) {
    const counting = countingMembers(report.members, superseded);
    for (const { type, layout, tables } of report.staged) {
      const own = gathered.get(type);
      const members = counting.get(type) ?? [];
      // Rows that nobody counts are not fetched.
      if (own === undefined || members.length === 0) continue;
      const part = own.parts.push({ ...partOf(report, tables, members), layout }) - 1;
      for (const { table, object } of tables) own.files.push({ part, table, object });
      for (const member of members) own.members.push({ report, member, part });
    }
    for (const [type, members] of counting) {
      const own = gathered.get(type);
      for (const { extras, end, written } of members) {
        extras.forEach((paths, table) => paths.forEach((path) => own?.extras[table]?.add(path)));
        if (end !== null && written > 0) own?.read.push({ [end]: written });
      }
    }
  }
  return new Map(
    [...gathered].map(([type, { parts, files, members, extras, read }]) => {
      const picked = extras.map(pickFields);
      const leftOut = extras.map(({ size }, table) => size - (picked[table]?.length ?? 0));
      const of = { members: ranked(members), read: sumDays(read), extras: picked, leftOut };
      return [type, { type, parts, files, ...of }];
    }),
  );
}

/** To open a file takes as long as to read so many bytes of one. */
const OPENING_BYTES = 32 << 10;
/** So much of a digest tells all parts of a type apart. */
const ID_LETTERS = 20;

function partOf(
  { cohort, export: name }: ExportReport,
  tables: readonly StagedTable[],
  members: readonly MemberReport[],
): Omit<InputPart, "layout"> {
  const known = members.map(({ name: member, staged, start, end }) => [member, staged, start, end]);
  const rows = tables.map(({ table, object }) => [table, object.sha256]);
  return {
    export: exportKey({ cohort, export: name }),
    id: digestOfJson([cohort, name, rows, known]).slice(0, ID_LETTERS),
    price: tables.reduce((sum, { object }) => sum + object.bytes + OPENING_BYTES, 0),
    end: members.reduce((last, { end }) => (byText(end ?? "", last) > 0 ? (end ?? "") : last), ""),
  };
}

function countingMembers(
  members: readonly MemberReport[],
  superseded: ReadonlySet<MemberReport>,
): ReadonlyMap<string, readonly MemberReport[]> {
  const counting = new Map<string, MemberReport[]>();
  for (const member of members) {
    if (member.status !== "ok" || member.type === null || superseded.has(member)) continue;
    const own = counting.get(member.type);
    if (own === undefined) counting.set(member.type, [member]);
    else own.push(member);
  }
  return counting;
}

/** Numbers members in the order in which their records win; a member that is in several parts has one rank. */
function ranked(parts: readonly (MemberOf & { readonly part: number })[]): readonly InputMember[] {
  const sorted = parts.toSorted(byRank);
  const members: InputMember[] = [];
  let rank = -1;
  let last: MemberReport | null = null;
  for (const { report, member, part } of sorted) {
    if (member !== last) rank++;
    last = member;
    if (member.staged === null || member.end === null) continue;
    const { start, end, staged } = member;
    members.push({ part, member: staged, rank, cohort: report.cohort, start, end });
  }
  return members;
}

/** What a type is built from, with what is deleted of it, and a digest of everything that its datasets follow from. */
export interface WholeInput {
  readonly input: TypeInput;
  /** Null where the type has no deletions. */
  readonly deletions: TypeInput | null;
  readonly digest: Digest;
}

/** Bump when what is built of staged rows changes. 2: segments know their people, and how many values are there. */
export const BUILD_VERSION = 2;

/** Gathers what each type is built from. */
export function allInputs(
  catalog: Catalog,
  { name: schema, shapes }: Pick<LaidOut, "name" | "shapes">,
  dropped: readonly string[],
): ReadonlyMap<string, WholeInput> {
  const inputs = typeInputs(catalog, shapes);
  const deleting = new Map(
    [...shapes.values()].flatMap(({ type }) =>
      type.deletes === null ? [] : [[type.deletes, type.name]],
    ),
  );
  return new Map(
    [...inputs].map(([type, input]) => {
      const deletions = inputs.get(deleting.get(type) ?? "") ?? null;
      const how = [BUILD_VERSION, schema, dropped];
      const digest = digestOfJson([
        how,
        plain(input),
        deletions === null ? null : plain(deletions),
      ]);
      return [type, { input, deletions, digest }];
    }),
  );
}

/** An input by what its datasets follow from: the content of its rows, not where that lies. */
function plain({ type, files, members, extras }: TypeInput): Json {
  return [
    type,
    files.map(({ part, table, object }) => [part, table, object.sha256]),
    members.map(({ part, member, rank, cohort, start, end }) => [
      part,
      member,
      rank,
      cohort,
      start,
      end,
    ]),
    extras,
  ];
}
