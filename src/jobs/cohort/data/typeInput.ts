// What a data type is built from: the staged rows of all exports, and the members in them that count.

import { type Digest, digestOfJson, type Json } from "../../../digest.ts";
import type { Catalog } from "./catalog.ts";
import { byRank, type MemberOf, supersededMembers } from "./ranking.ts";
import type { LaidOut, RecordShape } from "./recordShape.ts";
import type { KeptObject, MemberReport } from "./report.ts";

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

export interface TypeInput {
  readonly type: string;
  readonly files: readonly InputFile[];
  readonly members: readonly InputMember[];
  /** Undeclared fields that its records have, by table. */
  readonly extras: readonly (readonly string[])[];
}

interface Gathered {
  readonly files: InputFile[];
  readonly members: (MemberOf & { readonly part: number })[];
  readonly extras: Set<string>[];
  parts: number;
}

/** Gathers the inputs of all types at once. */
export function typeInputs(
  catalog: Catalog,
  shapes: ReadonlyMap<string, RecordShape>,
): ReadonlyMap<string, TypeInput> {
  const superseded = supersededMembers(catalog.exports.map(({ report }) => report));
  const gathered = new Map<string, Gathered>();
  for (const [type, { tables }] of shapes) {
    gathered.set(type, { files: [], members: [], extras: tables.map(() => new Set()), parts: 0 });
  }
  for (const { report } of catalog.exports) {
    const counting = countingMembers(report.members, superseded);
    for (const { type, tables } of report.staged) {
      const own = gathered.get(type);
      const members = counting.get(type) ?? [];
      // Rows that nobody counts are not fetched.
      if (own === undefined || members.length === 0) continue;
      const part = own.parts++;
      for (const { table, object } of tables) own.files.push({ part, table, object });
      for (const member of members) own.members.push({ report, member, part });
    }
    for (const [type, members] of counting) {
      const own = gathered.get(type);
      for (const { extras } of members) {
        extras.forEach((paths, table) => paths.forEach((path) => own?.extras[table]?.add(path)));
      }
    }
  }
  return new Map(
    [...gathered].map(([type, { files, members, extras }]) => [
      type,
      { type, files, members: ranked(members), extras: extras.map((paths) => [...paths].sort()) },
    ]),
  );
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

/** Bump when what is built of staged rows changes. */
export const BUILD_VERSION = 1;

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
