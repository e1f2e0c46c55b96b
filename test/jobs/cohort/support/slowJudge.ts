// What becomes of a line, the slow and simple way: JSON.parse with the source text of numbers, plain objects, no bytes. Written from the
// rules alone, to be held against the judge.

import type { DataType, Field, Fields, Scalar } from "../../../../src/jobs/cohort/data/schema.ts";

/** A number as it was written. */
class Num {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}
type Value = null | boolean | string | Num | Value[] | { [name: string]: Value };
type Obj = { [name: string]: Value };

export interface SlowRow {
  readonly index: number | null;
  readonly outer: number | null;
  readonly columns: Record<string, string>;
  readonly extras: Record<string, string>;
}
export interface SlowLine {
  readonly reason: string | null;
  /** Rows by table: "" or the path of an array. */
  readonly rows: Record<string, SlowRow[]>;
  readonly tie: string | null;
  readonly casts: Record<string, number>;
  /** The record as its copy has it. */
  readonly copy: unknown;
}

export function parseWithSource(text: string): Value {
  type Reviver = (name: string, value: Value, context: { source?: string }) => Value;
  const revive: Reviver = (_name, value, { source = "" }) =>
    typeof value === "number" ? new Num(source) : value;
  return (JSON.parse as (text: string, revive: Reviver) => Value)(text, revive);
}

/** A value without regard to the order of names. */
export function plain(value: Value): unknown {
  if (value instanceof Num) return `number ${value.source}`;
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [`.${name}`, plain(one)]));
}

const isObject = (value: Value | undefined): value is Obj =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Num);

function compact(value: Value): string {
  if (value instanceof Num) return value.source;
  if (Array.isArray(value)) return `[${value.map(compact).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(
    ([name, one]) => `${JSON.stringify(name)}:${compact(one)}`,
  );
  return `{${pairs.join(",")}}`;
}

const loose = (name: string): string => name.toLowerCase().replaceAll(/\s/g, "");

interface Facts {
  readonly subtype: string | null;
  readonly start: string | null;
  readonly end: string;
  readonly cohort: string;
}

const BAD = (reason: string): SlowLine => ({ reason, rows: {}, tie: null, casts: {}, copy: null });

export function judgeSlowly(type: DataType, tie: string, facts: Facts, text: string): SlowLine {
  let record: Value;
  try {
    record = parseWithSource(text);
  } catch {
    return BAD("bad_json");
  }
  if (!isObject(record)) return BAD("not_object");
  const slow = new Slow(type, facts);
  const own = slow.row("", null, null);
  slow.fields(type.fields, record, own, "", "", []);
  if (slow.isBadValue) return BAD("bad_value");
  for (const key of type.key) if ((own.columns[key] ?? "") === "") return BAD("missing_key");
  return {
    reason: null,
    rows: slow.rows,
    tie: typeof slow.tops[tie] === "string" ? microseconds(slow.tops[tie]) : null,
    casts: slow.casts,
    copy: plain({
      ...record,
      ...(facts.subtype === null ? {} : { Type: facts.subtype }),
      ...{ export_start_date: facts.start, export_end_date: facts.end, cohort: facts.cohort },
    }),
  };
}

class Slow {
  readonly type: DataType;
  readonly facts: Facts;
  readonly rows: Record<string, SlowRow[]> = {};
  readonly casts: Record<string, number> = {};
  /** Values of the record's own fields. */
  readonly tops: Record<string, Value> = {};
  isBadValue = false;
  constructor(type: DataType, facts: Facts) {
    this.type = type;
    this.facts = facts;
  }

  row(table: string, index: number | null, outer: number | null): SlowRow {
    const row: SlowRow = { index, outer, columns: {}, extras: {} };
    (this.rows[table] ??= []).push(row);
    return row;
  }

  count(path: string, what: string): void {
    const name = `${path}:${what}`;
    this.casts[name] = (this.casts[name] ?? 0) + 1;
  }

  /** Puts an object's values into a row. Values that have another form in the copy are changed in place. */
  fields(
    fields: Fields,
    object: Obj,
    row: SlowRow,
    path: string,
    table: string,
    below: readonly string[],
  ): void {
    const known = new Map<string, string>();
    for (const field of Object.keys(fields)) known.set(field, field);
    for (const field of Object.keys(fields)) {
      if (!known.has(loose(field))) known.set(loose(field), field);
    }
    for (const field of Object.keys(fields)) {
      for (const alias of this.type.aliases[path + field] ?? []) {
        if (!known.has(loose(alias))) known.set(loose(alias), field);
      }
    }
    const fieldOf = (name: string): string | undefined =>
      name in fields ? name : (known.get(loose(name)) ?? undefined);
    for (const [field, declared] of Object.entries(fields)) {
      const named = Object.keys(object).filter((name) => fieldOf(name) === field);
      const inOrder = [
        ...named.filter((name) => name === field),
        ...named.filter((n) => n !== field),
      ];
      const filled = inOrder.filter((name) => object[name] !== null);
      if (table === "" && below.length === 0 && field === "Type" && this.facts.subtype !== null) {
        for (const name of filled) if (name !== field) this.count(field, "conflict");
        row.columns["Type"] = this.facts.subtype;
        continue;
      }
      for (let at = 1; at < filled.length; at++) this.count(path + field, "conflict");
      const [name] = filled;
      if (name === undefined) continue;
      if (path === "") this.tops[field] = object[name] as Value;
      this.field(declared, object, name, row, path + field, table, [...below, field]);
    }
    for (const [name, value] of Object.entries(object)) {
      if (value === null || fieldOf(name) !== undefined) continue;
      const owned = ["export_start_date", "export_end_date", "cohort"];
      if (path === "" && owned.includes(name)) continue;
      if (path === "" && owned.includes(loose(name))) this.count(loose(name), "conflict");
      else row.extras[[...below, name].join("\u001f")] = this.text(value, path + name);
    }
  }

  column(table: string, below: readonly string[]): string {
    const name = below.join("_");
    const taken = ["id", "index", "cohort", "ParticipantID", ...this.type.key];
    return table !== "" && taken.includes(name) ? `${table.replaceAll(".", "_")}_${name}` : name;
  }

  field(
    declared: Field,
    object: Obj,
    name: string,
    row: SlowRow,
    path: string,
    table: string,
    below: readonly string[],
  ): void {
    const value = object[name] as Value;
    if (typeof declared === "string") {
      const cast = this.cast(declared, value, path);
      if (cast !== null) row.columns[this.column(table, below)] = cast;
    } else if ("struct" in declared) {
      let whole: Value = value;
      if (declared.from === "text" && !isObject(value)) {
        if (value === "") whole = null;
        else {
          const decoded = typeof value === "string" ? decode(value) : undefined;
          whole = decoded === undefined ? "?" : decoded;
          if (whole !== null && !isObject(whole)) this.isBadValue = true;
        }
        if (value === "" || typeof value === "string") {
          object[name] = typeof value === "string" && value !== "" ? (decode(value) ?? null) : null;
        }
      }
      if (isObject(whole)) {
        // What lies in text stands in the copy as the text has it.
        const own = whole === value ? whole : structuredCloneOf(whole);
        this.fields(declared.struct, own, row, `${path}.`, table, below);
      } else if (whole !== null && whole !== "" && !this.isBadValue) this.count(path, "failed");
    } else this.array(declared, object, name, row, path, table, below);
  }

  array(
    declared: Extract<Field, { readonly array: unknown }>,
    object: Obj,
    name: string,
    row: SlowRow,
    path: string,
    table: string,
    below: readonly string[],
  ): void {
    const value = object[name] as Value;
    let elements: Value[] | null = Array.isArray(value) ? value : null;
    if (elements === null && declared.from === "text") {
      const list = typeof value === "string" ? decode(value) : undefined;
      elements = Array.isArray(list) ? list : [];
      if (!Array.isArray(list) && value !== "") this.count(path, "failed");
      object[name] = Array.isArray(list) ? structuredCloneOf(list) : [];
    } else if (elements === null && declared.from === "offsets" && isObject(value)) {
      elements = this.offsets(declared.array as { struct: Fields }, value, path);
      object[name] = elements;
      elements = structuredCloneOf(elements);
    }
    if (elements === null) {
      if (value !== "") this.count(path, "failed");
      return;
    }
    row.columns[this.column(table, below)] = "true";
    for (const [index, element] of elements.entries()) {
      const own = this.row(path, index, row.index);
      const { array: of } = declared;
      if (typeof of === "string") {
        const cast = element === null ? null : this.cast(of, element, path);
        if (cast !== null) own.columns[`${below.at(-1) ?? ""}_val`] = cast;
      } else if (isObject(element)) this.fields(of.struct, element, own, `${path}.val.`, path, []);
      else if (element !== null) this.count(path, "failed");
    }
  }

  /** Pairs by offset, then by the offset's text; what is no number last. */
  offsets({ struct }: { struct: Fields }, map: Obj, path: string): Value[] {
    const [offset = "", value = ""] = Object.keys(struct);
    const pairs = Object.entries(map).map(([text, one]) => {
      const cast = this.cast("int", text, `${path}.val.${offset}`);
      if (text.trim() === "") this.count(`${path}.val.${offset}`, "failed");
      return { text, one, number: cast === null ? null : BigInt(cast) };
    });
    pairs.sort((a, b) => {
      if (a.number !== null && b.number !== null && a.number !== b.number) {
        return a.number < b.number ? -1 : 1;
      }
      if ((a.number === null) !== (b.number === null)) return a.number === null ? 1 : -1;
      return Buffer.compare(Buffer.from(a.text), Buffer.from(b.text));
    });
    return pairs.map(({ one, number }) => {
      const kind = struct[value] as Scalar;
      const quiet = new Slow(this.type, this.facts);
      const cast = one === null ? null : quiet.cast(kind, one, "");
      // The note of the value is counted where the element's row is made; a cast of what has been cast changes nothing.
      for (const note of Object.keys(quiet.casts))
        this.count(`${path}.val.${value}`, note.slice(1));
      return {
        [offset]: number === null ? null : new Num(String(number)),
        [value]: cast === null ? null : kind === "string" ? cast : new Num(cast),
      };
    });
  }

  text(value: Value, path: string): string {
    if (typeof value !== "string") return compact(value);
    if (!value.isWellFormed()) this.count(path, "repaired");
    return value.toWellFormed();
  }

  cast(kind: Scalar, value: Value, path: string): string | null {
    if (value === null) return null;
    if (kind === "string") return this.text(value, path);
    const isWord = typeof value === "boolean";
    if (isObject(value) || Array.isArray(value) || (isWord && kind !== "boolean")) {
      this.count(path, "failed");
      return null;
    }
    const text = (value instanceof Num ? value.source : String(value)).trim();
    if (text === "") return null;
    const parts = /^([-+]?)([0-9]*)\.?([0-9]*)([eE][-+]?[0-9]+)?$/.exec(text);
    const [, sign = "", whole = "", fraction = "", exponent = "e0"] = parts ?? [];
    const isNumber = parts !== null && whole + fraction !== "";
    const double = isNumber ? Number(text) : NaN;
    let found: string | null = null;
    if (kind === "boolean") {
      if (/^(true|false)$/i.test(text)) found = text.toLowerCase();
      else if (double === 0 || double === 1) found = double === 1 ? "true" : "false";
    } else if (kind === "double") {
      if (Number.isFinite(double)) found = String(double === 0 ? 0 : double);
    } else if (isNumber && Math.abs(Number(exponent.slice(1))) < 500) {
      const shift = Number(exponent.slice(1)) - fraction.length;
      const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
      const number = shift > 0 ? digits * 10n ** BigInt(shift) : digits;
      const below = shift < 0 ? 10n ** BigInt(-shift) : 1n;
      const cut = number / below;
      if (cut >= -(2n ** 63n) && cut < 2n ** 63n) {
        found = String(cut);
        if (cut * below !== number) this.count(path, "truncated");
      }
    }
    if (found === null) this.count(path, "failed");
    return found;
  }
}

function decode(text: string): Value | undefined {
  try {
    return parseWithSource(text);
  } catch {
    return undefined;
  }
}

function structuredCloneOf<T extends Value>(value: T): T {
  return parseWithSource(compact(value)) as T;
}

/** Microseconds since the first of March of year 0, by Date; texts are those of tests, which have a fraction of six digits or none. */
function microseconds(text: string): string | null {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{6}))?(Z|[-+]\d\d:\d\d)?$/.exec(text);
  if (parts === null) return null;
  const time = new Date(`${parts[1] ?? ""}${parts[3] ?? "Z"}`).getTime();
  const day = (parts[1] ?? "").slice(0, 10);
  // Date takes the 30th of February for the 2nd of March.
  if (Number.isNaN(time) || !new Date(day).toISOString().startsWith(day)) return null;
  const since = time - new Date("0000-03-01T00:00:00Z").getTime();
  return String(BigInt(since) * 1000n + BigInt(parts[2] ?? "0"));
}
