// Worlds of exports: seeded, streaming, and invented throughout. What a world holds follows from its options alone, and no export is in
// memory: members are made record by record while the archive is written.

import { type Dice, makeDice } from "../../../lookalikes/dice.ts";
import { type StreamedMember, zipStream } from "../../../lookalikes/zipStream.ts";
import { MOVED_IDENTIFIER, ODD_MEMBERS, plantedIn } from "./worldFaults.ts";
import {
  endDayOf,
  type ExportPlan,
  firstDayOf,
  listMemberPlans,
  type MemberPlan,
  recordsOf,
} from "./worldMembers.ts";
import {
  compactDay,
  dayAt,
  identifiersOf,
  isoDay,
  localTime,
  makePeople,
  type Person,
  uuid,
} from "./worldPeople.ts";
import { lineOf, type WorldTables } from "./worldRecords.ts";

export interface WorldOptions {
  readonly seed: number;
  /** The first component of every key, e.g. "main". */
  readonly namespace: string;
  readonly cohorts: readonly string[];
  /** Daily exports of each cohort. */
  readonly exports: number;
  /** People of each cohort; a quarter of them has a device of each maker. */
  readonly participants: number;
  /** Rows of the densest type, of one person on one day: what makes a world large. */
  readonly rowsPerDay: number;
  /** Whether what can be wrong is wrong somewhere in three exports that follow each other. */
  readonly faults: boolean;
  /** The number of the first export: its day is so many days after the second that any world has data of. */
  readonly first?: number;
  /** The place of the first of these three; 0, where nothing is said. */
  readonly faultsAt?: number;
  /** Exports that are never sent, by the place of their cohort and their own. */
  readonly missing?: readonly (readonly [cohort: number, number: number])[];
}

export interface WorldObject {
  readonly key: string;
  /** The object's bytes, the same each time. */
  bytes(): AsyncIterable<Uint8Array>;
}

/** What was planted, to be compared with what is found. */
export interface Planted {
  readonly fault: string;
  readonly key: string;
  readonly member?: string;
  /** From 1. */
  readonly lines?: readonly number[];
  readonly expect: string;
}

export interface World {
  /** In the order in which they would arrive. */
  readonly objects: readonly WorldObject[];
  /** Whatever names a person: none of it may be found in what is published, logged or sent. */
  readonly identifiers: readonly string[];
  readonly planted: readonly Planted[];
}

/** A member's content is handed on in pieces of about this size. */
const PIECE_BYTES = 64 << 10;

/** Plans a world; its bytes are made when they are asked for. */
export function makeWorld(tables: WorldTables, options: WorldOptions): World {
  const { seed, namespace, cohorts, exports, participants, rowsPerDay, faults } = options;
  const { first = 0, missing = [] } = options;
  const origin = originOf(options);
  const people = cohorts.map((cohort, index) => makePeople(seed, cohort, index, participants));
  const objects: WorldObject[] = [];
  const planted: Planted[] = [];
  for (let number = first; number < first + exports; number++) {
    for (const [index, cohort] of cohorts.entries()) {
      if (missing.some(([of, which]) => of === index && first + which === number)) continue;
      const plan = { seed, cohort, people: people[index] ?? [], number, origin, rowsPerDay };
      const isOdd = faults && index === 1 && number === origin + 2;
      const key = `${namespace}/${cohort}/${exportName(plan, isOdd)}`;
      if (faults) planted.push(...listPlanted(tables, plan, index, key));
      objects.push({
        key,
        bytes: () => zipStream(membersOf(tables, plan, faults ? index : null)),
      });
    }
  }
  if (faults) addOddObjects(tables, options, people, objects, planted);
  const identifiers = people.flat().flatMap(identifiersOf);
  return {
    objects,
    identifiers: faults ? [...identifiers, MOVED_IDENTIFIER] : identifiers,
    planted,
  };
}

/** The number of the first of the three exports in which things are wrong. */
function originOf({ first = 0, faultsAt = 0 }: WorldOptions): number {
  return first + faultsAt;
}

function exportName({ seed, cohort, number }: ExportPlan, isOdd: boolean): string {
  const moment = localTime(dayAt(number + 1) + 18_008_000 + (number % 60) * 60_000);
  const id = uuid(makeDice(seed, "export", cohort, number));
  // What a name may hold, too: keys are taken as they are, nothing is decoded.
  return isOdd
    ? `${moment.replaceAll(":", "%3A")}Z +1_${id}`
    : `${moment.replaceAll(":", "--")}Z_${id}`;
}

/** The members of an export, the manifest last: by then the records have been counted. */
function* membersOf(
  tables: WorldTables,
  plan: ExportPlan,
  cohortNumber: number | null,
): Generator<StreamedMember> {
  const counts = new Map<string, number>();
  for (const member of listMemberPlans(tables, plan.number)) {
    const tally = { records: 0 };
    const lines = linesOf(plan, member, cohortNumber, tally);
    const first = lines.next();
    const isDamaged = isAt(plan, cohortNumber, 1, 1) && member.stem === "GoogleFitSamples";
    const content = first.done === true ? null : piecesOf(first.value, lines);
    yield { name: member.name, content, isDamaged };
    counts.set(member.stem, tally.records);
  }
  if (cohortNumber !== null) yield* oddMembersOf(plan, cohortNumber, counts);
  if (isAt(plan, cohortNumber, 1, 2)) return;
  if (isAt(plan, cohortNumber, 0, 1)) counts.set("SymptomLog", (counts.get("SymptomLog") ?? 0) + 1);
  if (isAt(plan, cohortNumber, 1, 0)) counts.set("HealthKitV2Samples_FVC", 7);
  yield { name: "Manifest.csv", content: [Buffer.from(manifestOf(plan, counts))] };
}

function isAt(
  plan: ExportPlan,
  cohortNumber: number | null,
  cohort: number,
  number: number,
): boolean {
  return cohortNumber === cohort && plan.number === plan.origin + number;
}

/** The lines of a member; `tally` counts those that are records, good or bad. */
function* linesOf(
  plan: ExportPlan,
  member: MemberPlan,
  cohortNumber: number | null,
  tally: { records: number },
): Generator<Buffer | string> {
  const planted = cohortNumber === null ? [] : plantedIn(plan, cohortNumber, member);
  for (const { lines } of planted) {
    for (const line of lines) {
      if (line.toString("latin1").trim() !== "") tally.records += 1;
      yield line;
    }
  }
  for (const record of recordsOf(plan, member)) {
    tally.records += 1;
    yield lineOf(record);
  }
}

/** Joins lines to pieces, so that the work per piece does not count. */
function* piecesOf(
  first: Buffer | string,
  lines: Iterable<Buffer | string>,
): Generator<Uint8Array> {
  let text = "";
  if (typeof first === "string") text = first;
  else yield first;
  for (const line of lines) {
    if (typeof line === "string") {
      text += line;
      if (text.length < PIECE_BYTES) continue;
    }
    if (text !== "") yield Buffer.from(text);
    text = "";
    if (typeof line !== "string") yield line;
  }
  if (text !== "") yield Buffer.from(text);
}

function* oddMembersOf(
  plan: ExportPlan,
  cohortNumber: number,
  counts: Map<string, number>,
): Generator<StreamedMember> {
  const [days, end] = daysOf(plan.number);
  for (const odd of ODD_MEMBERS) {
    if (!isAt(plan, cohortNumber, ...odd.at)) continue;
    const name = odd.name(days, end);
    const participant = plan.people[0]?.identifier ?? "";
    const line = lineOf({ ParticipantIdentifier: participant, Value: "1", Note: "SYN/odd" });
    yield { name, content: [Buffer.from(line)] };
    if (odd.isInManifest) counts.set(name.replace(/(_[-\d]+)?\.json$/, ""), 1);
  }
}

function daysOf(number: number): readonly [days: string, end: string] {
  const end = compactDay(endDayOf(number));
  return [`${compactDay(firstDayOf(number))}-${end}`, end];
}

/** Header and one row: when, and how many records each member has. */
function manifestOf({ number }: ExportPlan, counts: ReadonlyMap<string, number>): string {
  const moment = (day: number): string => `${isoDay(dayAt(day))}T00:00:00+00:00`;
  const head = ["ExportStartDate", "ExportEndDate", "ExportConfiguration"];
  const facts = [moment(firstDayOf(number)), moment(endDayOf(number)), "SYN-configuration"];
  const excluded = '"[""SYN-excluded""]"';
  return [
    [...head, "ExcludedParticipantIdentifiers", ...counts.keys()].join(","),
    [...facts, excluded, ...counts.values()].join(","),
    "",
  ].join("\r\n");
}

/** Lists what is planted within an export. */
function listPlanted(
  tables: WorldTables,
  plan: ExportPlan,
  cohortNumber: number,
  key: string,
): readonly Planted[] {
  const [days, end] = daysOf(plan.number);
  const found: Planted[] = [];
  for (const member of listMemberPlans(tables, plan.number)) {
    let line = 0;
    for (const { planting, lines } of plantedIn(plan, cohortNumber, member)) {
      const places = lines.map(() => (line += 1));
      const { fault, expect } = planting;
      found.push({ fault, key, member: member.name, lines: places, expect });
    }
  }
  for (const odd of ODD_MEMBERS) {
    if (!isAt(plan, cohortNumber, ...odd.at)) continue;
    found.push({ fault: odd.fault, key, member: odd.name(days, end), expect: odd.expect });
  }
  const whole = (fault: string, expect: string, member?: string): void => {
    found.push({ fault, key, ...(member === undefined ? {} : { member }), expect });
  };
  if (isAt(plan, cohortNumber, 0, 1)) {
    whole("manifest_count", "the manifest says one more than there is: finding", "SymptomLog");
  }
  if (isAt(plan, cohortNumber, 1, 0)) {
    const expect = "the manifest counts 7 records of an empty member: finding";
    whole("manifest_absent_member", expect, "HealthKitV2Samples_FVC");
  }
  if (isAt(plan, cohortNumber, 1, 1)) {
    const name = `GoogleFitSamples_${days}.json`;
    whole("bad_crc", "content that does not match its checksum: set aside, others used", name);
  }
  if (isAt(plan, cohortNumber, 1, 2)) {
    whole("odd_name", "a name with +, %3A and a space: used, and named as it is");
    whole("no_manifest", "an export without Manifest.csv: finding, the data are used");
  }
  return found;
}

/** Objects beside the daily exports: what is no export, what is broken, and one that was sent again. */
function addOddObjects(
  tables: WorldTables,
  options: WorldOptions,
  people: readonly (readonly Person[])[],
  objects: WorldObject[],
  planted: Planted[],
): void {
  const { seed, namespace, cohorts, exports, rowsPerDay } = options;
  const cohort = cohorts[0] ?? "adults_v1";
  const dice = makeDice(seed, "odd objects");
  const origin = originOf(options);
  const day = (number: number): string => isoDay(dayAt(origin + number));
  const zip = (number: number): AsyncIterable<Uint8Array> => {
    const own = (people[0] ?? []).slice(0, 2);
    const plan = { seed, cohort, people: own, number: origin + number, origin, rowsPerDay: 4 };
    return zipStream(membersOf(tables, plan, null));
  };
  const add = (
    fault: string,
    path: string,
    expect: string,
    bytes: () => AsyncIterable<Uint8Array>,
  ): void => {
    const key = `${namespace}/${path}`;
    objects.push({ key, bytes });
    planted.push({ fault, key, expect });
  };
  const text = (words: string) =>
    async function* (): AsyncGenerator<Uint8Array> {
      if (words !== "") yield Buffer.from(words);
    };
  const other = cohorts[1] ?? cohort;
  add("owner_txt", "owner.txt", "owner.txt: ignored", text("3379097"));
  add("owner_txt", `${cohort}/owner.txt`, "owner.txt: ignored", text("3379097"));
  add("folder_marker", `${cohort}/marker/.keep`, "a folder: ignored", text(""));
  add(
    "truncated_zip",
    `${cohort}/${day(-1)}T05--00--00Z_truncated`,
    "an archive cut in the middle: set aside",
    () => cutShort(zip(0), 5000),
  );
  add(
    "text_file",
    `${other}/${day(-1)}T05--00--00Z_text`,
    "no archive: set aside",
    text("SYN text ".repeat(60)),
  );
  add("empty_object", `${other}/${day(-1)}T06--00--00Z_empty`, "no bytes: set aside", text(""));
  add(
    "unknown_cohort",
    `elders_v1/${day(1)}T05--00--00Z_elders`,
    "no known cohort: set aside",
    () => zip(0),
  );
  if (exports < 2) return;
  const name = exportName(
    { seed, cohort, people: [], number: origin + 1, origin, rowsPerDay },
    false,
  );
  const again = name.replace("Z_", `Z_re-export_${again8(dice)}_`);
  add(
    "re_export",
    `${cohort}/${again}`,
    "the same days under a later name: its members take the place of the earlier ones",
    () => zip(1),
  );
}

function again8(dice: Dice): string {
  return uuid(dice).slice(0, 8);
}

/** The first bytes of a stream. */
async function* cutShort(
  pieces: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const piece of pieces) {
    yield piece.subarray(0, left);
    left -= piece.length;
    if (left <= 0) return;
  }
}
