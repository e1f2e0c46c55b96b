// What the name of an export's member says: its data type, the days that it covers, and the name of its copies.

/** A member as its name has it. */
export interface MemberName {
  /** The data type, with "_Deleted" where it lists what was deleted. */
  readonly type: string;
  /** Null where its type has none. */
  readonly subtype: string | null;
  /** First day, as ISO date and time at midnight; null where the name has one date only. */
  readonly start: string | null;
  /** Day after the last. */
  readonly end: string;
  /** Name of its transformed copy; a member that is sent again has the same. */
  readonly id: string;
}

/** Types whose second word is a subtype. */
const SUBTYPED = /^HealthKitV2(Samples|Statistics)$/;

/** Reads a member's name; null where it has no date, an impossible one, or lacks a subtype. */
export function readMemberName(name: string): MemberName | null {
  const tokens = stemOf(name).split("_");
  const days = readDays(tokens.at(-1) ?? "");
  if (days === null || tokens.length < 2) return null;
  const [word = ""] = tokens;
  const middle = tokens.slice(1, -1);
  const isDeleted = word.includes("HealthKitV2") && middle.at(-1) === "Deleted";
  const hasSubtype = SUBTYPED.test(word);
  const subtype = hasSubtype ? (middle[0] ?? "") : null;
  if (word === "" || subtype === "" || (hasSubtype && isDeleted && middle.length === 1))
    return null;
  const type = isDeleted ? `${word}_Deleted` : word;
  const dates = tokens.at(-1) ?? "";
  const id = [type, ...(subtype === null ? [] : [subtype]), dates].join("_");
  return { type, subtype, ...days, id };
}

/** A name without its ending. */
export function stemOf(name: string): string {
  return name.replace(/\.[^.]*$/, "");
}

/** A member's name in a manifest: its stem without the dates. */
export function manifestName(name: string): string {
  return stemOf(name).replace(/_[^_]*$/, "");
}

/** Adds up what a manifest counts: it has one number for all members that differ in their days alone. */
export function manifestSum(
  members: readonly { readonly name: string; readonly manifest: number | null }[],
): number {
  const byName = new Map(members.map(({ name, manifest }) => [manifestName(name), manifest ?? 0]));
  return [...byName.values()].reduce((sum, records) => sum + records, 0);
}

function readDays(text: string): { start: string | null; end: string } | null {
  const parts = /^(?:(\d{8})-)?(\d{8})$/.exec(text);
  if (parts === null) return null;
  const start = parts[1] === undefined ? null : readDay(parts[1]);
  const end = readDay(parts[2] ?? "");
  if (end === null || (parts[1] !== undefined && start === null)) return null;
  return { start, end };
}

function readDay(digits: string): string | null {
  const day = `${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6, 8)}`;
  const time = `${day}T00:00:00`;
  const date = new Date(`${time}Z`);
  // A date that does not exist, as the 31st of April, comes out as another.
  return Number.isNaN(date.getTime()) || !date.toISOString().startsWith(day) ? null : time;
}

/** What the predecessor kept with each copy. */
export function metadataOf(
  { type, subtype, start, end }: MemberName,
  cohort: string,
): Record<string, string> {
  const said = { type, start_date: start, end_date: end, subtype, cohort };
  // A header holds no more than that; what a type may be called is the sender's choice.
  const plain = Object.entries(said).filter(([, text]) => text !== null && /^[ -~]*$/.test(text));
  return Object.fromEntries(plain) as Record<string, string>;
}
