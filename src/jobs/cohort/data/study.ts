// What pages about a namespace's cohorts are made from: counts by cohort, type, day and export, without those that may not be told.

import { type Catalog, exportKey, type SortedListing } from "./catalog.ts";
import type { CheckResult } from "./checkResult.ts";
import { type CohortDays, daysOfCohorts } from "./cohortDays.ts";
import { columnsOf } from "./columns.ts";
import type { BlockedType, Current } from "./current.ts";
import { type Days, type RecordCounts, sumDays } from "./days.ts";
import { tellPeople, type ToldPeople, type Withheld, withheldBecause } from "./disclosure.ts";
import type { PeopleCount } from "./people.ts";
import type { DatasetProfile } from "./profile.ts";
import { auditCatalog, typeStands } from "./proof.ts";
import { supersededMembers } from "./ranking.ts";
import { COHORT, type LaidOut } from "./recordShape.ts";
import type { MemberReport } from "./report.ts";
import type { DataType } from "./schema.ts";
import { dayOf } from "./studyDays.ts";
import { type ExportLine, exportLines, type Flow, flowOf } from "./studyExports.ts";
import { addByName } from "./sums.ts";
import type { WholeInput } from "./typeInput.ts";
import { isPlainPath, shownName, shownPath } from "./undeclared.ts";

/** What a study is told from. */
export interface StudyFacts {
  readonly namespace: string;
  readonly cohorts: readonly string[];
  readonly catalog: Catalog;
  readonly listing: SortedListing;
  readonly current: Current | null;
  readonly laidOut: LaidOut;
  readonly inputs: ReadonlyMap<string, WholeInput>;
  /** By dataset; one that could not be looked at is missing. */
  readonly profiles: ReadonlyMap<string, DatasetProfile>;
  readonly checks: readonly CheckResult[];
  /** What was known when the run began. */
  readonly before: { readonly catalog: Catalog; readonly current: Current | null };
  /** The day on which the run began. */
  readonly today: string;
  /** Fewer people than this are not told. */
  readonly leastPeople: number;
}

export interface DatasetLine {
  readonly name: string;
  /** The array that it is of, as it is called in the type's own dataset; null for that itself. */
  readonly isChild: boolean;
  /** Null where withheld. */
  readonly rows: number | null;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    /** Share of the rows that have it, 0 to 1; null where it is withheld, or there are no rows. */
    readonly filled: number | null;
    readonly isIdentifying: boolean;
  }[];
}

/** Where a type stands; "empty" has no record yet, "blocked" keeps its datasets of before since a check failed. */
export type TypeStand = "current" | "behind" | "failed" | "blocked" | "empty";

export interface TypeLine {
  readonly type: string;
  /** The type whose records this one's keys delete. */
  readonly deletes: string | null;
  readonly stand: TypeStand;
  readonly blocked: BlockedType | null;
  readonly withheld: Withheld | null;
  readonly people: readonly ToldPeople[];
  /** Records that count, by cohort and the day that their export ends, the one after its last; empty where withheld. */
  readonly days: Readonly<Record<string, Days>>;
  /** Days of which there are records; how many is another matter. */
  readonly presence: readonly string[];
  /** The last of them; null where there are none. */
  readonly newest: string | null;
  readonly datasets: readonly DatasetLine[];
  /** Of the type's own dataset; null where withheld, or there is none. */
  readonly rows: number | null;
  readonly rowsBefore: number | null;
  /** Lines that were set aside, by reason; numbers are null where withheld. */
  readonly quarantined: Readonly<Record<string, number | null>>;
  readonly casts: Readonly<Record<string, number | null>>;
  /** Exports that have it, by the schema that they were read with. */
  readonly schemas: Readonly<Record<string, number>>;
  readonly counts: RecordCounts;
  readonly checks: readonly CheckResult[];
}

export interface Study {
  readonly namespace: string;
  /** The day on which it is told. */
  readonly today: string;
  readonly build: string | null;
  /** By name. */
  readonly cohorts: readonly CohortDays[];
  /** Newest first. */
  readonly exports: readonly ExportLine[];
  readonly types: readonly TypeLine[];
  readonly checks: readonly CheckResult[];
  readonly flow: Flow;
  /** False where a number of ours does not add up. */
  readonly isWhole: boolean;
  readonly dropped: readonly string[];
  /** Types whose numbers are withheld. */
  readonly withheld: readonly string[];
  /** Columns that the build before did not have, "dataset.column". */
  readonly newColumns: readonly string[];
  readonly leastPeople: number;
}

/** Tells a study. */
export function tellStudy(facts: StudyFacts): Study {
  const { catalog, current, laidOut } = facts;
  const superseded = supersededMembers(catalog.exports.map(({ report }) => report));
  const withheld = withheldTypes(facts);
  const isWithheld = (type: string | null): boolean => type === null || withheld.get(type) !== null;
  const members = membersByType(catalog);
  const stands = new Map(typeStands(facts, facts.inputs).map((one) => [one.type, one.stand]));
  const types = [...laidOut.shapes.values()].map(({ type }): TypeLine => {
    const own = members.get(type.name) ?? [];
    const stand = stands.get(type.name) ?? "behind";
    return typeLine(facts, type, {
      own,
      superseded,
      withheld: withheld.get(type.name) ?? null,
      // Pages tell a type that has no records from others by their number.
      stand: stand === "unread" ? "behind" : stand,
    });
  });
  const exports = exportLines(facts, { superseded, isWithheld });
  return {
    ...{ namespace: facts.namespace, today: facts.today, build: current?.build ?? null },
    cohorts: daysOfCohorts(facts.cohorts, exports),
    ...{ exports, types, checks: facts.checks.map((one) => tellCheck(one, isWithheld(one.type))) },
    flow: flowOf(exports, types),
    isWhole: auditCatalog(catalog).isWhole,
    dropped: current?.dropped ?? [],
    withheld: types.filter((one) => one.withheld !== null).map(({ type }) => type),
    newColumns: newColumns(facts),
    leastPeople: facts.leastPeople,
  };
}

/** Tells which types show no numbers. What deletes records of a type is as its records are. */
function withheldTypes(facts: StudyFacts): ReadonlyMap<string, Withheld | null> {
  const { laidOut, leastPeople, current, catalog } = facts;
  const sent = sendersOf(catalog);
  const rowsOf = new Map(current?.datasets.map(({ name, rows }) => [name, rows]));
  const own = new Map<string, Withheld | null>();
  for (const { type } of laidOut.shapes.values()) {
    if (type.deletes !== null) continue;
    const rows = rowsOf.get(ownDataset(type.name)) ?? 0;
    const people = peopleOf(facts, type.name) ?? (rows === 0 ? [] : null);
    const why = withheldBecause(people, type, leastPeople);
    own.set(type.name, why ?? (isCounted(people, sent.get(type.name)) ? null : "unknown"));
  }
  for (const { type } of laidOut.shapes.values()) {
    if (type.deletes !== null) own.set(type.name, own.get(type.deletes) ?? null);
  }
  return own;
}

/** Tells whether people of every cohort that has sent records are counted: those whose records are in no dataset are not. */
function isCounted(
  people: readonly PeopleCount[] | null,
  cohorts: ReadonlySet<string> = new Set(),
): boolean {
  const counted = new Set(
    (people ?? []).flatMap(({ cohort, count }) => (count > 0 ? [cohort] : [])),
  );
  return [...cohorts].every((cohort) => counted.has(cohort));
}

/** The cohorts that have sent records of each type, good or bad. */
function sendersOf(catalog: Catalog): ReadonlyMap<string, ReadonlySet<string>> {
  const senders = new Map<string, Set<string>>();
  for (const { report } of catalog.exports) {
    for (const { type, read } of report.members) {
      if (type === null || read === 0) continue;
      const own = senders.get(type) ?? new Set<string>();
      senders.set(type, own.add(report.cohort));
    }
  }
  return senders;
}

function ownDataset(type: string): string {
  return `dataset_${type.toLowerCase()}`;
}

/** People of a type by cohort: as the build has counted them, whoever has looked at its datasets since; null where nobody has. */
function peopleOf({ profiles, current }: StudyFacts, type: string): readonly PeopleCount[] | null {
  return profiles.get(ownDataset(type))?.people ?? current?.types[type]?.people ?? null;
}

interface SentMember {
  readonly cohort: string;
  readonly schema: string;
  readonly export: string;
  readonly member: MemberReport;
}

function membersByType({ exports }: Catalog): ReadonlyMap<string, readonly SentMember[]> {
  const all = exports.flatMap(({ report }) =>
    report.members.map((member) => ({
      ...{ cohort: report.cohort, schema: report.schema, export: exportKey(report), member },
    })),
  );
  return Map.groupBy(all, ({ member }) => member.type ?? "");
}

function typeLine(
  facts: StudyFacts,
  type: DataType,
  of: {
    readonly own: readonly SentMember[];
    readonly superseded: ReadonlySet<MemberReport>;
    readonly withheld: Withheld | null;
    readonly stand: TypeStand;
  },
): TypeLine {
  const { name, deletes } = type;
  const { current, before, leastPeople } = facts;
  const { own, superseded, withheld } = of;
  const isTold = withheld === null;
  const counting = own.filter(({ member }) => !superseded.has(member) && member.written > 0);
  const days = Object.fromEntries(
    [...Map.groupBy(counting, ({ cohort }) => cohort)].map(([cohort, all]) => [
      cohort,
      sumDays(all.map(({ member }) => ({ [dayOf(member.end)]: member.written }))),
    ]),
  );
  const presence = [...new Set(Object.values(days).flatMap((one) => Object.keys(one)))].sort();
  const blocked = current?.blocked.find((one) => one.type === name) ?? null;
  const datasets = datasetLines(facts, name, isTold);
  const rowsBefore = toldBefore(before.current, type, leastPeople);
  return {
    ...{ type: name, deletes, withheld, blocked, presence, datasets },
    stand: own.length === 0 && presence.length === 0 ? "empty" : blocked ? "blocked" : of.stand,
    people: tellPeople(peopleOf(facts, name), leastPeople),
    days: isTold ? days : {},
    newest: presence.at(-1) ?? null,
    rows: datasets[0]?.rows ?? null,
    rowsBefore: isTold ? rowsBefore : null,
    quarantined: sumBy(own, ({ quarantined }) => quarantined, isTold),
    casts: sumBy(own, ({ casts }) => casts, isTold),
    schemas: Object.fromEntries(
      [...Map.groupBy(own, ({ schema }) => schema)].map(([schema, all]) => [
        schema,
        new Set(all.map((one) => one.export)).size,
      ]),
    ),
    counts: isTold ? (current?.types[name]?.counts ?? {}) : {},
    checks: facts.checks
      .filter((one) => one.type === name)
      .map((one) => tellCheck(one, withheld !== null)),
  };
}

/** Rows of a type's dataset in the build before; null where they were withheld: then their change is no more to be told than they were. */
function toldBefore(before: Current | null, type: DataType, least: number): number | null {
  const people = before?.types[type.name]?.people ?? null;
  if (withheldBecause(people, type, least) !== null) return null;
  return before?.datasets.find(({ name }) => name === ownDataset(type.name))?.rows ?? null;
}

/** A check as it may be told: that it failed is no number. */
function tellCheck(check: CheckResult, isWithheld: boolean): CheckResult {
  return isWithheld ? { ...check, rows: null, missing: null, unexpected: null } : check;
}

function datasetLines(facts: StudyFacts, type: string, isTold: boolean): readonly DatasetLine[] {
  const { current, profiles, laidOut } = facts;
  const shown = columnNames(facts, type);
  const tables = laidOut.shapes.get(type)?.tables ?? [];
  const names = new Set(tables.map(({ dataset }) => dataset));
  const own = (current?.datasets ?? []).filter(({ name }) => names.has(name));
  const byName = new Map(own.map((dataset) => [dataset.name, dataset]));
  return tables.flatMap(({ dataset: name, parent }): DatasetLine[] => {
    const dataset = byName.get(name);
    if (dataset === undefined) return [];
    const { rows } = dataset;
    const known = new Map(profiles.get(name)?.columns.map((column) => [column.name, column]));
    const columns = dataset.columns.map((column) => {
      const filled = known.get(column.name)?.filled ?? null;
      const share = !isTold || filled === null || rows === 0 ? null : filled / rows;
      const isIdentifying = known.get(column.name)?.isIdentifying ?? false;
      return { name: shown(name, column.name), type: column.type, filled: share, isIdentifying };
    });
    return [{ name, isChild: parent !== null, rows: isTold ? rows : null, columns }];
  });
}

/** Adds up what members count by name; null numbers where they may not be told. */
function sumBy(
  members: readonly SentMember[],
  of: (member: MemberReport) => Readonly<Partial<Record<string, number>>>,
  isTold: boolean,
): Readonly<Record<string, number | null>> {
  const sums = addByName(members.map(({ member }) => of(member)));
  return isTold ? sums : Object.fromEntries(Object.keys(sums).map((name) => [name, null]));
}

/** Columns that have come with this build. */
function newColumns(facts: StudyFacts): readonly string[] {
  const { before: earlier, current, laidOut } = facts;
  const before = earlier.current;
  if (before === null || current === null || before.build === current.build) return [];
  const had = new Map(
    before.datasets.map(({ name, columns }) => [name, new Set(columns.map((one) => one.name))]),
  );
  const all = new Map(current.datasets.map(({ name, columns }) => [name, columns]));
  return [...laidOut.shapes.values()].flatMap(({ type, tables }) => {
    const shown = columnNames(facts, type.name);
    return tables.flatMap(({ dataset }) => {
      const known = had.get(dataset);
      if (known === undefined) return [];
      const fresh = (all.get(dataset) ?? []).filter(({ name }) => !known.has(name));
      return fresh.map(({ name }) => `${dataset}.${shown(dataset, name)}`);
    });
  });
}

/** Tells by what name a column may be told of: a field that nobody declared may be called by what was sent in a name's place. */
function columnNames(
  { laidOut, inputs }: StudyFacts,
  type: string,
): (dataset: string, column: string) => string {
  const shape = laidOut.shapes.get(type);
  const extras = inputs.get(type)?.input.extras ?? [];
  const names = new Map<string, string>();
  shape?.tables.forEach(({ dataset }, table) => {
    for (const { name, source } of columnsOf(shape, table, new Set(extras[table] ?? []))) {
      const isOurs = source.kind !== "extra" || isPlainPath(source.path);
      names.set(`${dataset} ${name}`, isOurs ? name : shownPath(source.path));
    }
    names.set(`${dataset} ${COHORT}`, COHORT);
  });
  return (dataset, column) => names.get(`${dataset} ${column}`) ?? shownName(`${column}\n`);
}
