// Records as the vendor sends them, from the table of types: numbers and truth values as text as often as not, fields that are missing,
// maps where the table has arrays, JSON within text.

import { type Dice, makeDice } from "../../../lookalikes/dice.ts";
import { DAY_MS, dayAt, isoDay, localTime, type Person, uuid } from "./worldPeople.ts";

/** What a column holds. */
export type WorldShape =
  | "string"
  | "int"
  | "double"
  | "boolean"
  | { readonly struct: Readonly<Record<string, WorldShape>> }
  | { readonly array: WorldShape };

/** A type as the configuration has it. */
export interface WorldTable {
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, WorldShape>>;
  /** The type whose records these delete. */
  readonly deletes?: string;
}

export type WorldTables = Readonly<Record<string, WorldTable>>;
export type WorldRecord = Record<string, unknown>;

/** Which record: the same row has the same key in every export that sends it; a version is what it holds. */
export interface Row {
  readonly seed: number;
  readonly type: string;
  readonly subtype: string | null;
  readonly person: Person;
  readonly day: number;
  readonly index: number;
  readonly version: number;
  readonly insertedMs: number;
}

/** Types whose records do not say their subtype: the member's name does. */
const SUBTYPED = /^HealthKitV2(Samples|Statistics)/;
const INTRADAY = [
  ...["activities-heart", "activities-steps", "activities-calories", "activities-distance"],
  ...["activities-floors", "activities-elevation", "spo2", "hrv", "br"],
];
/** Ranges of what the expectations look at, and of what would look odd; inclusive, with decimals. */
const RANGES: Readonly<Record<string, readonly [least: number, most: number, decimals: number]>> = {
  AverageHeartRate: [55, 140, 0],
  RestingHeartRate: [48, 82, 0],
  Calories: [1500, 3400, 0],
  Steps: [400, 16_000, 0],
  BreathingRate: [11, 19, 1],
  DailyRmssd: [15, 90, 3],
  DeepRmssd: [15, 90, 3],
  Avg: [94, 97, 1],
  Min: [90, 93, 1],
  Max: [98, 100, 1],
  TempSkin: [-2, 2, 1],
  DeepSleepSummaryBreathRate: [11, 19, 1],
  RemSleepSummaryBreathRate: [11, 19, 1],
  FullSleepSummaryBreathRate: [11, 19, 1],
  LightSleepSummaryBreathRate: [11, 19, 1],
  StartingLatitudeInDegree: [-60, 60, 5],
  StartingLongitudeInDegree: [-170, 170, 5],
};
const NUMBERS =
  /Rate|Steps|Calorie|Minutes|Distance|Floors|Elevation|Weight|Bmi|Fat|Water|Score|Duration|^Value$|Level|Efficiency|Water|Asleep|Awake|Wakeup|TimeInBed|Max$|Min$|Count|Goal|Vo2|FitnessAge/;
const MOMENTS =
  /Date$|^Date|DateTime|Window(Start|End)|StartTime$|LastModified|CampaignStart|NurtureStart|Campaign2Start/;

/** Makes a record of a type, in the table's order of columns. */
export function makeRecord(table: WorldTable, row: Row): WorldRecord {
  const { seed, type, person, day, index, version } = row;
  const dice = makeDice(seed, type, row.subtype ?? "", person.identifier, day, index, version);
  const keys = keyOf(table, row);
  const record: WorldRecord = {};
  for (const [name, shape] of Object.entries(table.columns)) {
    if (name.startsWith("export_") || (name === "Type" && SUBTYPED.test(type))) continue;
    const value = name in keys ? keys[name] : known(name, row, dice);
    if (value !== undefined) record[name] = value;
    else if (dice.chance(presence(type, name, shape, table.columns)))
      record[name] = valueOf(name, shape, row, dice);
  }
  return special(type, record, row, dice);
}

/** Of many fields, records have about so many; the others are rare. */
const COMMON_FIELDS = 8;
const RARE = 0.02;

/** How likely a record is to have a field: people's records are mostly empty where a type has dozens of fields, and always in the same ones. */
function presence(
  type: string,
  name: string,
  shape: WorldShape,
  among: Readonly<Record<string, WorldShape>>,
): number {
  const count = Object.keys(among).length;
  if (typeof shape === "object" || count <= COMMON_FIELDS) return 0.88;
  const isCommon = makeDice(0, "common", type, name).fraction() < COMMON_FIELDS / count;
  return isCommon ? 0.88 : RARE;
}

/** Makes the record that deletes the row of another type; `table` is the one of deletions. */
export function makeDeletion(table: WorldTable, row: Row, deletedMs: number): WorldRecord {
  const keys = keyOf(table, { ...row, type: table.deletes ?? row.type });
  const { identifier, id } = row.person;
  return {
    ...keys,
    ParticipantIdentifier: identifier,
    ParticipantID: id,
    DeletedDate: `${localTime(deletedMs)}Z`,
  };
}

/** The key of a row depends on which row it is, not on what it holds. */
function keyOf(table: WorldTable, row: Row): WorldRecord {
  const { seed, type, subtype, person, day, index } = row;
  const dice = makeDice(seed, "key", type, subtype ?? "", person.identifier, day, index);
  const at = dayAt(day) + index * 60_000;
  const keys: WorldRecord = {};
  for (const name of table.key) {
    if (name === "ParticipantIdentifier") keys[name] = person.identifier;
    else if (name === "LogId") keys[name] = String(9e9 + dice.below(2 ** 31));
    else if (name === "Date") keys[name] = `${isoDay(dayAt(day))}T00:00:00`;
    else if (name === "CalendarDate") keys[name] = isoDay(dayAt(day));
    else if (name === "DateTime")
      keys[name] = localTime(dayAt(day) + Math.floor(index / INTRADAY.length) * 60_000);
    else if (name === "Type") keys[name] = INTRADAY[index % INTRADAY.length];
    else if (name === "Device") keys[name] = dice.pick(["Charge 5", "Versa 4", "Sense 2"]);
    else if (name === "StartTimeInSeconds") keys[name] = at / 1000;
    else if (name === "DurationInSeconds") keys[name] = 28_800;
    else if (name === "Validation") keys[name] = "AUTO_TENTATIVE";
    else keys[name] = uuid(dice).toUpperCase();
  }
  return keys;
}

/** Fields that say whose record it is and when it came; undefined for any other. */
function known(name: string, row: Row, dice: Dice): unknown {
  const { person } = row;
  switch (name) {
    case "ParticipantID":
      return person.id;
    case "GlobalKey":
      return person.globalKey;
    case "EmailAddress":
      return person.email;
    case "FirstName":
      return person.firstName;
    case "LastName":
      return person.lastName;
    case "MobilePhone":
      return person.phone;
    case "DateOfBirth":
      return person.birthDate;
    case "PostalCode":
      return person.postalCode;
    case "Gender":
      return dice.pick(["F", "M", "X"]);
    case "TimeZone":
      return dice.pick(["America/New_York", "Europe/Berlin"]);
    case "InsertedDate":
      return `${localTime(row.insertedMs)}Z`;
    default:
      return undefined;
  }
}

function valueOf(name: string, shape: WorldShape, row: Row, dice: Dice): unknown {
  if (dice.chance(0.03)) return null;
  if (typeof shape === "object") {
    return "struct" in shape
      ? structOf(shape.struct, row, dice)
      : arrayOf(name, shape.array, row, dice);
  }
  if (shape === "boolean") return dice.pick<unknown>([true, false, "true", "false"]);
  if (shape === "string") return textOf(name, row, dice);
  const number = numberOf(name, shape, dice);
  return dice.chance(0.2) ? String(number) : number;
}

function numberOf(name: string, shape: "int" | "double", dice: Dice): number {
  const range = RANGES[name];
  if (range === undefined) return shape === "int" ? dice.below(400) : dice.below(40_000) / 100;
  const [least, most, decimals] = range;
  const number = least + dice.fraction() * (most - least);
  return Number(number.toFixed(shape === "int" ? 0 : decimals));
}

function textOf(name: string, row: Row, dice: Dice): string {
  const range = RANGES[name];
  if (range !== undefined) return numberOf(name, "double", dice).toFixed(range[2]);
  if (name === "CalendarDate") return isoDay(dayAt(row.day));
  if (MOMENTS.test(name)) {
    const time = localTime(dayAt(row.day) + dice.below(DAY_MS));
    return row.type.startsWith("Fitbit")
      ? time
      : `${time}${dice.pick(["-05:00", "-04:00", "+00:00"])}`;
  }
  if (NUMBERS.test(name)) return String(dice.below(400));
  return `SYN-${name.toLowerCase().slice(0, 10)}/${dice.below(30)}`;
}

function structOf(fields: Readonly<Record<string, WorldShape>>, row: Row, dice: Dice): WorldRecord {
  const record: WorldRecord = {};
  for (const [name, shape] of Object.entries(fields)) {
    if (!dice.chance(presence(row.type, name, shape, fields))) continue;
    // The catalogue's name has lost the space of the data's.
    record[name === "WithingsLink" ? "Withings Link" : name] =
      name === "ParticipantID" ? row.person.id : valueOf(name, shape, row, dice);
  }
  return record;
}

/** What the table has as an array of offsets and values is sent as a map, {"60": 93}. */
function arrayOf(name: string, element: WorldShape, row: Row, dice: Dice): unknown {
  const count = /Samples$|Values|Spo2|Respiration|Breaths/.test(name)
    ? 5 + dice.below(4)
    : dice.below(4);
  if (typeof element === "object" && "struct" in element) {
    const [first, second] = Object.entries(element.struct);
    if (first?.[0] === "OffsetInSeconds" && second !== undefined) {
      const [, shape] = second;
      const value = (): number =>
        shape === "int" ? 50 + dice.below(50) : (1000 + dice.below(800)) / 100;
      return Object.fromEntries(Array.from({ length: count }, (_, i) => [String(i * 60), value()]));
    }
    return Array.from({ length: count }, () => structOf(element.struct, row, dice));
  }
  return Array.from({ length: count }, () => dice.below(4000) - 2000);
}

/** What the table cannot say: JSON within text, and fields that are a list, text, or nothing. */
function special(type: string, record: WorldRecord, row: Row, dice: Dice): WorldRecord {
  if (type === "SymptomLog") {
    const symptoms = Array.from({ length: dice.below(3) }, () => {
      return { id: `symptom-${dice.below(9)}`, severity: 1 + dice.below(4) };
    });
    const value = {
      symptoms,
      treatments: [],
      overallFeeling: 1 + dice.below(5),
      icon: "smile",
      notes: "",
    };
    return { ...record, Value: JSON.stringify(value), Type: "SymptomLogEntry", Properties: "{}" };
  }
  if (type === "EnrolledParticipants") {
    const custom = (record["CustomFields"] ?? {}) as WorldRecord;
    for (const name of ["Symptoms", "Treatments"]) {
      const list = [{ id: `${name}-1`, name: "Cough", color: "#1f77b4", inactive: false }];
      // One person in three has a list, one its text, one nothing.
      custom[name] = [list, JSON.stringify(list), ""][(row.person.number + name.length) % 3];
    }
    return { ...record, CustomFields: custom };
  }
  return record;
}

/** Writes a record as the vendor does: on one line, slashes escaped, CRLF. */
export function lineOf(record: WorldRecord): string {
  return `${JSON.stringify(record).replaceAll("/", "\\/")}\r\n`;
}
