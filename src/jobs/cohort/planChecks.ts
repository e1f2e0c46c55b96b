// Checks as a part of the plan: which files are looked at for a type, what is known already, what holds a type back.

import { digestOfJson } from "../../digest.ts";
import type { Plan } from "../../engine/step.ts";
import { HdashError, messageOf } from "../../error.ts";
import type { Check, CheckedDataset } from "./data/check.ts";
import {
  type CheckFacts,
  type CheckResult,
  checkResult,
  freshFacts,
  NO_ROWS,
  rowCountFacts,
} from "./data/checkResult.ts";
import { checkText } from "./data/checkText.ts";
import type { Dataset } from "./data/current.ts";
import type { PeopleCount } from "./data/people.ts";
import { profileOf } from "./data/profile.ts";
import { EXPORT_COLUMNS, type RecordShape } from "./data/recordShape.ts";
import type { KeptObject } from "./data/report.ts";
import { addsUp, lackingColumn, type Scan, scanOf, sumTallies, type Tally } from "./data/scan.ts";
import type { Segment } from "./data/segments.ts";
import { nextDay } from "./data/studyDays.ts";
import { byText } from "./data/text.ts";
import { type CheckedType, lastFailures } from "./data/validation.ts";
import type { CohortSteps } from "./steps.ts";

/** A type whose datasets are checked. */
export interface Candidate {
  readonly shape: RecordShape;
  /** The build that made them. */
  readonly build: string | null;
  readonly datasets: readonly Dataset[];
  readonly segments: readonly Segment[];
  /** Participants by cohort; null where nobody knows. */
  readonly people: readonly PeopleCount[] | null;
  /** Rows that the datasets had in the build before; null where there is none, or nobody knows. */
  readonly before: Readonly<Record<string, number>> | null;
}

/** What checks are done with. */
export interface Checker {
  readonly steps: CohortSteps;
  readonly checks: readonly Check[];
  /** Datasets as checks know them, by name. */
  readonly known: ReadonlyMap<string, CheckedDataset>;
  /** The run's day, "YYYY-MM-DD". */
  readonly day: string;
}

/** The checks of a type. */
export function checksOf({ checks, known }: Checker, type: string): readonly Check[] {
  return checks.filter(({ dataset }) => known.get(dataset)?.type === type);
}

/** A digest of what a type's checks and its files are: where it is the same, so is what comes out. */
export function aboutOf(checker: Checker, { shape, datasets, people }: Candidate) {
  const checks = checksOf(checker, shape.type.name);
  return digestOfJson([
    checks.map((check) => ({ ...check })),
    checks.some(({ kind }) => kind === "fresh") ? checker.day : null,
    datasets
      .map(({ name, files }) => [name, ...files.map(({ sha256 }) => sha256)])
      .sort(([a = ""], [b = ""]) => byText(a, b)),
    people?.map(({ cohort, count }) => [cohort, count]) ?? null,
    [...shape.type.identifying],
  ]);
}

/** A digest of the checks that may hold a type back. */
export function blockingDigest(checker: Checker, type: string): string {
  const blocking = checksOf(checker, type).filter(({ blocks }) => blocks);
  return digestOfJson(blocking.map((check) => ({ ...check })));
}

/** What came of a type's checks, with the names of those that could not be done. */
export interface Checked extends CheckedType {
  readonly broken: readonly string[];
}

/**
 * Does a type's checks, in its scope, and describes its datasets.
 * @param plan null for a type without rows or without checks, of which nothing is read and nothing is to be told.
 */
export async function checkType(
  plan: Plan | null,
  checker: Checker,
  candidate: Candidate,
  known: CheckedType | null,
): Promise<Checked> {
  const { shape, build, before } = candidate;
  const { name: type } = shape.type;
  const done = await doChecks(plan, checker, candidate, { checks: checksOf(checker, type), known });
  const profiles = profilesOf(candidate);
  const about = aboutOf(checker, candidate);
  // What could not be done is tried again, whatever is the same then.
  const own = done.broken.length === 0 ? about : digestOfJson([about, done.broken]);
  return { about: own, build, before, profiles, ...done };
}

/** Describes a type's datasets. */
export function profilesOf({
  datasets,
  shape,
  segments,
  people,
}: Candidate): CheckedType["profiles"] {
  const [own] = shape.tables;
  return datasets.map((dataset) =>
    profileOf(dataset, shape.type, segments, dataset.name === own?.dataset ? people : null),
  );
}

/** What holds a type back, and what checks said for it. */
export interface Held extends Done {
  readonly ids: readonly string[];
}

/**
 * Finds the checks that hold a type back. Throws where one that may could not be done: what nobody has looked at is not shown.
 * @param found what checks found now where all were done, or what is known of them: what they found last is told once more, since it is not
 * mended by that nobody has looked.
 */
export async function heldBy(
  plan: Plan,
  checker: Checker,
  candidate: Candidate,
  found: { readonly now: Checked } | { readonly known: CheckedType | null },
): Promise<Held> {
  const { name: type } = candidate.shape.type;
  const checks = checksOf(checker, type).filter(({ blocks }) => blocks);
  const done =
    "now" in found
      ? { ...found.now, last: found.now.last ?? [] }
      : await doChecks(plan, checker, candidate, { checks, known: found.known });
  const { results, broken, last } = done;
  const undone = results.find(({ id, blocks }) => blocks && broken.includes(id));
  if (undone !== undefined) {
    throw new HdashError(
      "permanent",
      `${type} stays as it was, since a check that blocks, ${undone.id}, could not be done: ${undone.why ?? ""}`,
    );
  }
  const ids = results
    .filter(({ blocks, outcome }) => blocks && outcome === "failed")
    .map(({ id }) => id);
  return { ids, results, broken, last };
}

interface Done {
  readonly results: readonly CheckResult[];
  readonly broken: readonly string[];
  /** What others had found when they were last done. */
  readonly last: readonly CheckResult[];
}

/** Does some checks of a type, and tells the ledger, with what others have found last. */
async function doChecks(
  plan: Plan | null,
  checker: Checker,
  candidate: Candidate,
  {
    checks,
    known: before,
  }: { readonly checks: readonly Check[]; readonly known: CheckedType | null },
): Promise<Done> {
  const broken: string[] = [];
  const facts = new Map<string, CheckFacts>();
  const byDataset = Map.groupBy(checks, ({ dataset }) => dataset);
  for (const [name, own] of byDataset) {
    const dataset = candidate.datasets.find((one) => one.name === name);
    const known = checker.known.get(name);
    if (dataset === undefined || known === undefined) continue;
    const scans: Asked[] = [];
    for (const check of own) {
      const plain = plainFacts(check, dataset, candidate);
      if (plain !== null) {
        facts.set(check.id, plain);
        // Where there are rows, a check that lacks its column has looked at nothing.
        if (plain.isMet === null && check.kind !== "row_count" && dataset.rows > 0) {
          broken.push(check.id);
        }
      } else if (plan !== null && check.kind === "fresh") {
        const found = await tried(() => hasRecent(plan, checker, candidate, { dataset, check }));
        facts.set(check.id, found.ok ? freshFacts(found.value, check) : { isMet: null, ...found });
        if (!found.ok) broken.push(check.id);
      } else {
        const scan = scanOf(check, { columns: typesOf(dataset), parent: known.parent });
        if (scan !== null) scans.push({ check, scan, addsUp: addsUp(check, known) });
      }
    }
    if (plan === null) continue;
    for (const isWhole of [false, true]) {
      const asked = scans.filter((one) => one.addsUp !== isWhole);
      const groups = groupsOf(dataset, candidate, isWhole, known.parent?.dataset ?? null);
      for (const [id, found] of await scanAll(plan, checker, dataset.name, asked, groups)) {
        facts.set(id, found);
        if (found.isMet === null) broken.push(id);
      }
    }
  }
  const results = checks.flatMap((check) => {
    const known = checker.known.get(check.dataset);
    const found = facts.get(check.id) ?? { isMet: null, why: NO_ROWS };
    const rows = candidate.datasets.find(({ name }) => name === check.dataset)?.rows ?? null;
    return known === undefined ? [] : [checkResult(check, known, rows, found)];
  });
  const isDone = (id: string): boolean =>
    checks.some((check) => check.id === id) && !broken.includes(id);
  const last = lastFailures(before).filter(
    (one) => !isDone(one.id) && isSame(one, candidate, checker),
  );
  if (plan !== null && results.length + last.length > 0) {
    const inputs = { results: await plan.value(results), last: await plan.value(last) };
    const params = { type: candidate.shape.type.name };
    await plan.do(checker.steps.tellChecks, { params, inputs });
  }
  return { results, broken, last };
}

/** Tells whether a check is still the one that a result is of: by its name alone another rule would be told to have failed. */
function isSame(
  { id, dataset, text, severity, blocks }: CheckResult,
  { shape }: Candidate,
  checker: Checker,
): boolean {
  const check = checksOf(checker, shape.type.name).find((one) => one.id === id);
  const known = checker.known.get(dataset);
  if (check === undefined || known === undefined) return false;
  return (
    check.severity === severity &&
    check.blocks === blocks &&
    checkText(check, known.parent?.dataset ?? null) === text
  );
}

function typesOf({ columns }: Dataset): ReadonlyMap<string, Dataset["columns"][number]["type"]> {
  return new Map(columns.map(({ name, type }) => [name, type]));
}

/** What is known of a check without reading anything; null where something is to be read. */
function plainFacts(
  check: Check,
  dataset: Dataset,
  { before }: Pick<Candidate, "before">,
): CheckFacts | null {
  const { rows } = dataset;
  if (check.kind === "row_count") {
    return rowCountFacts(rows, before?.[dataset.name] ?? null, check.percent);
  }
  if (rows === 0) return { isMet: null, why: NO_ROWS };
  const columns = typesOf(dataset);
  if (check.kind === "exists") {
    const isMet = columns.has(check.column ?? "");
    return { isMet, missing: null, unexpected: null, why: isMet ? null : "there is none" };
  }
  const lacking = lackingColumn(check, columns);
  return lacking === null ? null : { isMet: null, why: `the dataset has no column ${lacking}` };
}

/** A check that is scanned for. */
interface Asked {
  readonly check: Check;
  readonly scan: Scan;
  readonly addsUp: boolean;
}

/** Files that are looked at together, with those of the dataset that their rows belong to. */
interface FileGroup {
  readonly files: readonly KeptObject[];
  readonly parents: readonly KeptObject[];
}

/**
 * Groups a dataset's files by segments, oldest first, or takes all of them together: where what is asked for does not add up, and where nobody
 * knows of segments any more.
 */
function groupsOf(
  { name, files }: Dataset,
  { datasets, segments }: Pick<Candidate, "datasets" | "segments">,
  isWhole: boolean,
  parent: string | null,
): readonly FileGroup[] {
  const own = segments.filter((segment) => (segment.files[name] ?? []).length > 0);
  const covered = own.reduce((sum, segment) => sum + (segment.files[name] ?? []).length, 0);
  if (isWhole || covered !== files.length) {
    const above = datasets.find((one) => one.name === parent)?.files ?? [];
    return [{ files: files.map(plainObject), parents: above.map(plainObject) }];
  }
  return own.map((segment) => ({
    files: (segment.files[name] ?? []).map(plainObject),
    parents: (parent === null ? [] : (segment.files[parent] ?? [])).map(plainObject),
  }));
}

/** An object without what its dataset says of it beside: what is looked at is its bytes. */
function plainObject({ key, bytes, sha256, etag }: KeptObject): KeptObject {
  return { key, bytes, sha256, etag };
}

/** Scans groups of files, all at once; where that fails, each by itself, so that one that cannot be done stops no other. */
async function scanAll(
  plan: Plan,
  checker: Checker,
  dataset: string,
  asked: readonly Asked[],
  groups: readonly FileGroup[],
): Promise<readonly (readonly [id: string, facts: CheckFacts])[]> {
  if (asked.length === 0) return [];
  const scans = asked.map(({ scan }) => scan);
  const hasParents = scans.some(({ kind }) => kind === "has_parent");
  const found = await tried(async () => {
    const tallies: (readonly Tally[])[] = [];
    for (const { files, parents } of groups) {
      const inputs = {
        files: await plan.value(files),
        parents: await plan.value(hasParents ? parents : []),
      };
      const { tallies: counted } = await plan.do(checker.steps.inspect, {
        params: { dataset, scans },
        inputs,
      });
      tallies.push(await plan.read(counted));
    }
    return sumTallies(tallies);
  });
  if (found.ok) {
    return asked.map(({ check }, at) => {
      const { missing, unexpected } = found.value[at] ?? { missing: 0, unexpected: 0 };
      return [check.id, { isMet: unexpected === 0, missing, unexpected, why: null }];
    });
  }
  const [only, another] = asked;
  if (only !== undefined && another === undefined) {
    return [[only.check.id, { isMet: null, why: found.why }]];
  }
  const all: (readonly [string, CheckFacts])[] = [];
  for (const one of asked) all.push(...(await scanAll(plan, checker, dataset, [one], groups)));
  return all;
}

type Tried<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

/** Tries something that may fail without stopping anything else; what stops the run is thrown. */
async function tried<T>(work: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    if (error instanceof HdashError && error.kind === "aborted") throw error;
    return { ok: false, why: messageOf(error) };
  }
}

/** Tells whether a dataset has rows of the last days, the newest segment first: where it has some, no other is read. */
async function hasRecent(
  plan: Plan,
  { steps, day }: Checker,
  candidate: Candidate,
  of: { readonly dataset: Dataset; readonly check: Check & { readonly kind: "fresh" } },
): Promise<boolean> {
  const { name } = of.dataset;
  const { shape, segments } = candidate;
  const column = of.check.column ?? "";
  // A clock that is ahead by hours makes no row of tomorrow wrong; one of next year says nothing of today.
  const [from, to] = [nextDay(day, -Math.floor(of.check.days)), nextDay(day)];
  if (column === END_COLUMN && name === shape.tables[0]?.dataset && segments.length > 0) {
    const days = segments.flatMap(({ written }) => Object.keys(written));
    return days.some((one) => one.slice(0, 10) >= from && one.slice(0, 10) <= to);
  }
  for (const { files } of groupsOf(of.dataset, candidate, false, null).toReversed()) {
    const { rows } = await plan.do(steps.countRecent, {
      params: { dataset: name, column, from, to },
      inputs: { files: await plan.value(files) },
    });
    if ((await plan.read(rows)) > 0) return true;
  }
  return false;
}

/** The day that a record's export ends, which segments know without being read. */
const [, END_COLUMN] = EXPORT_COLUMNS;
