// The SQL of a comparison. Pure text: rows are joined once, what differs is kept by the places of its rows, and is fetched by these.

import { literal, name } from "../build/duck.ts";
import type { ComparedColumn, ComparedColumns, SideColumn } from "../data/comparedTables.ts";
import { END, OUTER } from "../data/comparedTables.ts";
import type { BySide } from "../data/compareResult.ts";
import { COHORT } from "../data/recordShape.ts";

export type Side = keyof BySide<unknown>;
export const SIDES: readonly Side[] = ["staging", "main"];

/** A dataset of a side: its columns, the cohort among them, and its files, each of one cohort. */
export interface SideRows {
  readonly columns: readonly SideColumn[];
  readonly files: readonly { readonly cohort: string; readonly path: string }[];
}

/** Names that no column has. */
const ROW = name("^row");
const NUMBER = name("^number");
/** What is kept of the join. */
const DIFF = "diff";
/** Where a row of DIFF is: in both, in staging alone, in main alone. */
const [BOTH, ONLY_STAGING, ONLY_MAIN] = [0, 1, 2];
/** So many columns a number of 64 bits tells apart. */
const WORD = 62;

const SQL_TYPES: Readonly<Record<string, string>> = {
  ...{ string: "VARCHAR", bigint: "BIGINT", double: "DOUBLE", boolean: "BOOLEAN" },
  surrogate: "BIGINT",
};
const sqlType = (type: string): string => SQL_TYPES[type] ?? type;

/** Places of files are counted from here on: a row's is its cohort's, its file's and its own in one number. */
const [COHORT_BITS, FILE_BITS] = [56, 36];

/** All rows of a side, with their places. Cohorts are written in: what a folder's name says is for its readers to unescape. */
export function rowsOf({ columns, files }: SideRows): string {
  const own = columns.filter((column) => column.name !== COHORT);
  if (files.length === 0) {
    const none = own.map((column) => `null::${sqlType(column.type)} as ${name(column.name)}`);
    return `select ${[...none, `null::varchar as ${COHORT}`, `null::bigint as ${ROW}`].join(", ")} where false`;
  }
  const names = own.map((column) => name(column.name));
  const selects = [...Map.groupBy(files, ({ cohort }) => cohort)].map(([cohort, some], number) => {
    const paths = some.map(({ path }) => literal(path)).join(", ");
    const row = `(${number}::bigint << ${COHORT_BITS}) + (file_index::bigint << ${FILE_BITS}) + file_row_number`;
    const read = `read_parquet([${paths}], hive_partitioning = false)`;
    return `select ${[...names, `${literal(cohort)} as ${COHORT}`, `${row} as ${ROW}`].join(", ")} from ${read}`;
  });
  return selects.join(" union all ");
}

/** A child of a table that rows are taken of: its rows, and the column by which the table stands for it. */
export interface Below {
  readonly rows: string;
  readonly surrogate: string;
}

/** Rows that belong to those of their parent. */
export function rowsBelow(rows: string, { rows: parents, surrogate }: Below): string {
  return `select * from (${rows}) where id in (select ${name(surrogate)} from (${parents}))`;
}

/** Rows of the exports that count. */
export function rowsOfExports(rows: string): string {
  return `select * from (${rows}) where (${COHORT}, ${name(END)}) in (select c, e from export)`;
}

/** Rows of an array in an array with the index of their element. The same surrogate always has the same. */
export function rowsWithOuter(rows: string, { rows: parents, surrogate }: Below): string {
  const places = `select ${name(surrogate)} as s, min("index") as i from (${parents}) group by s`;
  return `select t.*, o.i as ${name(OUTER)} from (${rows}) t left join (${places}) o on t.id = o.s`;
}

export function exportStatements(
  exports: readonly { readonly cohort: string; readonly end: string }[],
): readonly string[] {
  const make = "create or replace temp table export (c varchar, e varchar)";
  const rows = exports.map(({ cohort, end }) => `(${literal(cohort)}, ${literal(end)})`);
  return rows.length === 0 ? [make] : [make, `insert into export values ${rows.join(", ")}`];
}

/** How two sides are compared. */
export interface Comparing {
  readonly key: readonly string[];
  readonly columns: ComparedColumns;
  /** Columns of each side, as its files have them. */
  readonly sides: BySide<readonly SideColumn[]>;
  /** Which sides have a day for each row. */
  readonly hasDays: BySide<boolean>;
}

export function viewStatement(side: Side, rows: string): string {
  return `create or replace temp view ${side} as ${rows}`;
}

const keysOf = (key: readonly string[], of: string): string =>
  key.map((one) => `${of}.${name(one)}`).join(", ");

/**
 * Finds keys that come more than once, by their hashes: keys that are equal have equal ones, so that where no hash comes twice, no key
 * does. What it takes is a number a row.
 */
export function repeatedStatements(
  side: Side,
  { key }: Comparing,
  parts: readonly string[],
): readonly string[] {
  return [
    `create or replace temp table repeated_${side} (h ubigint)`,
    ...parts.map(
      (part) =>
        `insert into repeated_${side} select h from (select hash(${keysOf(key, "t")}) as h ` +
        `from (select * from ${side} where ${part}) t) group by h having count(*) > 1`,
    ),
  ];
}

/** Numbers the rows of these keys by their other common columns as text, null first; the first of a key is not kept. */
export function numberStatements(
  side: Side,
  { key, columns }: Comparing,
  parts: readonly string[],
): readonly string[] {
  const order = columns.compared.map((one) => `t.${name(one.name)}::varchar nulls first`);
  const number =
    `row_number() over (partition by ${keysOf(key, "t")} ` +
    `order by ${[...order, `t.${ROW}`].join(", ")})`;
  return [
    `create or replace temp table number_${side} (r bigint, n bigint)`,
    ...parts.map(
      (part) =>
        `insert into number_${side} select r, n from (select t.${ROW} as r, ${number} as n ` +
        `from (select * from ${side} where ${part}) t ` +
        `where hash(${keysOf(key, "t")}) in (select h from repeated_${side})) where n > 1`,
    ),
  ];
}

/** A side with its rows' numbers among those of their key. */
function numbered(side: Side, areNumbered: boolean, part = "true"): string {
  const rows = part === "true" ? side : `(select * from ${side} where ${part})`;
  if (!areNumbered) return rows;
  return `(select t.*, coalesce(b.n, 1) as ${NUMBER} from ${rows} t left join number_${side} b on t.${ROW} = b.r)`;
}

/**
 * Tells whether two values differ. Null is null; numbers of two types are compared as numbers, all else of two types as text.
 */
function differs({ name: column, types }: ComparedColumn): string {
  const [s, m] = [`s.${name(column)}`, `m.${name(column)}`];
  if (types.staging === types.main) return `${s} is distinct from ${m}`;
  const pair = [types.staging, types.main].toSorted().join();
  if (pair !== "bigint,double") return `${s}::varchar is distinct from ${m}::varchar`;
  const [whole, double] = types.staging === "bigint" ? [s, m] : [m, s];
  // A double that is no whole number is none of 64 bits; a cast would round it.
  const isEqual = `trunc(${double}) = ${double} and try_cast(${double} as bigint) = ${whole}`;
  return `(case when ${s} is null or ${m} is null then (${s} is null) <> (${m} is null) else not coalesce(${isEqual}, false) end)`;
}

/** Columns in words of bits: which word, and which bit of it. */
function bitOf(at: number): { readonly word: number; readonly bit: bigint } {
  return { word: Math.floor(at / WORD), bit: 1n << BigInt(at % WORD) };
}

function words(columns: readonly ComparedColumn[], test: (one: ComparedColumn) => string) {
  const count = Math.max(1, Math.ceil(columns.length / WORD));
  return Array.from({ length: count }, (_, word) => {
    const own = columns.slice(word * WORD, (word + 1) * WORD);
    const bits = own.map(
      (one, at) => `(case when ${test(one)} then ${1n << BigInt(at)} else 0 end)`,
    );
    return bits.length === 0 ? "0" : bits.join(" | ");
  });
}

/** Null is null; keys of two types are compared as text. */
function sameKey({ key, sides }: Comparing): string[] {
  return key.map((one) => {
    const [staging, main] = SIDES.map(
      (side) => sides[side].find((column) => column.name === one)?.type,
    );
    const as = staging === main ? "" : "::varchar";
    return `s.${name(one)}${as} is not distinct from m.${name(one)}${as}`;
  });
}

/**
 * The one full outer join, part by part, into files: what it gives goes by, and no memory is asked for beside the join's. Of rows that differ
 * the files have where they are, and, in bits, which columns do and which of these by a null; of all others that they are there, and their day.
 */
export function joinStatements(
  comparing: Comparing,
  areNumbered: boolean,
  parts: readonly string[],
  fileOf: (part: number) => string,
): readonly string[] {
  const { columns, hasDays } = comparing;
  const { compared } = columns;
  const same = sameKey(comparing);
  if (areNumbered) same.push(`s.${NUMBER} = m.${NUMBER}`);
  const days = [
    ...(hasDays.staging ? [`s.${name(END)}`] : []),
    ...(hasDays.main ? [`m.${name(END)}`] : []),
  ];
  const isEither = `s.${ROW} is null or m.${ROW} is null`;
  const some = compared.length === 0 ? "false" : compared.map(differs).join(" or ");
  const of = (bits: string): string =>
    `(case when ${isEither} then 0 when ${some} then ${bits} else 0 end)::bigint`;
  const unequal = words(compared, differs).map(of);
  const nulls = words(compared, ({ name: column }) => {
    return `(s.${name(column)} is null) <> (m.${name(column)} is null)`;
  }).map(of);
  const isKept = ["s is null", "m is null", ...unequal.map((_, at) => `u${at} <> 0`)].join(" or ");
  const joined = [
    ...[`s.${ROW} as s`, `m.${ROW} as m`],
    ...unequal.map((bits, at) => `${bits} as u${at}`),
    ...nulls.map((bits, at) => `${bits} as n${at}`),
    `${days.length === 0 ? "null::varchar" : `coalesce(${days.join(", ")})`} as d`,
  ];
  const kind = `case when s is null then ${ONLY_MAIN} when m is null then ${ONLY_STAGING} else ${BOTH} end`;
  const copies = parts.map((part, at) => {
    const [staging, main] = SIDES.map((side) => numbered(side, areNumbered, part));
    const from = `${staging ?? ""} s full join ${main ?? ""} m on ${same.join(" and ")}`;
    const kept =
      `select ${kind} as k, * replace (case when ${isKept} then s end as s, case when ${isKept} then m end as m) ` +
      `from (select ${joined.join(", ")} from ${from})`;
    return `copy (${kept}) to ${literal(fileOf(at))} (format parquet, row_group_size 122880)`;
  });
  const files = parts.map((_, at) => literal(fileOf(at))).join(", ");
  return [
    ...copies,
    `create or replace temp view ${DIFF} as select * from read_parquet([${files}], hive_partitioning = false)`,
  ];
}

const isUnequal = ({ columns: { compared } }: Comparing): string =>
  words(compared, () => "true")
    .map((_, word) => `u${word} <> 0`)
    .join(" or ");

/** Counts rows by day: in common, in staging alone, in main alone, in common with some inequality. */
export function dayStatement(comparing: Comparing): string {
  const sum = (test: string): string => `count(*) filter (where ${test})`;
  const kinds = [BOTH, ONLY_STAGING, ONLY_MAIN].map((kind) => sum(`k = ${kind}`));
  return `select d, ${[...kinds, sum(isUnequal(comparing))].join(", ")} from ${DIFF} group by d order by d nulls first`;
}

/** Counts, for each compared column, the rows in common that are unequal in it, and those of them in which one is null. */
export function columnStatement({ columns: { compared } }: Comparing): string {
  const sums = compared.flatMap((_, at) => {
    const { word, bit } = bitOf(at);
    return ["u", "n"].map((of) => `count(*) filter (where (${of}${word} & ${bit}) <> 0)`);
  });
  return `select ${["1", ...sums].join(", ")} from ${DIFF}`;
}

/** Counts the rows of a side beyond the first of their key. */
export const countNumbered = (side: Side): string => `select count(*) from number_${side}`;

/** A side's rows that are on no other, or that come after the first of their key, in the order of the key. */
export function rowsStatement(
  side: Side,
  of: "diff" | "dups",
  comparing: Comparing,
  areNumbered: boolean,
  how: { readonly columns: readonly string[]; readonly most?: number },
): string {
  const { columns, most = null } = how;
  const kind = side === "staging" ? ONLY_STAGING : ONLY_MAIN;
  const [table, place, where] =
    of === "diff"
      ? [DIFF, side === "staging" ? "d.s" : "d.m", `where d.k = ${kind}`]
      : [`number_${side}`, "d.r", ""];
  const number = areNumbered ? [`t.${NUMBER}`] : [];
  const order = [keysOf(comparing.key, "t"), ...number].join(", ");
  const selected = columns
    .map((column) => (most === null ? `t.${name(column)}` : `${shown(`t.${name(column)}`)}`))
    .join(", ");
  return (
    `select ${selected} from ${numbered(side, areNumbered)} t join ${table} d on t.${ROW} = ${place} ` +
    `${where} order by ${order}${most === null ? "" : ` limit ${most}`}`
  );
}

/** Writes what is selected as CSV by RFC 4180: a header, lines that end with CR LF, null as nothing and empty text as "". */
export function csvStatement(select: string, path: string): string {
  return `copy (${select}) to ${literal(path)} (format csv, header true, new_line '\\r\\n', use_tmp_file false)`;
}

/** Letters of a value that a sample shows; one may have megabytes. */
const SHOWN = 60;
const shown = (value: string): string => {
  const text = `${value}::varchar`;
  return `(case when length(${text}) > ${SHOWN} then left(${text}, ${SHOWN}) || '…' else ${text} end)`;
};

/** Takes rows of each column that is unequal, the first by their places in staging. */
export function sampleStatement(columns: readonly number[], most: number): string {
  const selects = columns.map((at) => {
    const { word, bit } = bitOf(at);
    const test = `(u${word} & ${bit}) <> 0`;
    return `select * from (select ${at} as c, s, m from ${DIFF} where ${test} order by s limit ${most})`;
  });
  return `create or replace temp table sample as ${selects.join(" union all ")}`;
}

/** Shows the samples: the column's place, the key, both values. */
export function shownStatement({ key, columns }: Comparing, unequal: readonly number[]): string {
  const keys = key.map((one) => shown(`s.${name(one)}`));
  const value = (of: string): string => {
    const cases = unequal.map(
      (at) => `when ${at} then ${shown(`${of}.${name(columns.compared[at]?.name ?? "")}`)}`,
    );
    return `case p.c ${cases.join(" ")} end`;
  };
  return (
    `select p.c, ${[...keys, value("s"), value("m")].join(", ")} from sample p ` +
    `join staging s on s.${ROW} = p.s join main m on m.${ROW} = p.m ` +
    `order by p.c, ${keysOf(key, "s")}, p.s`
  );
}

/** Columns of numbers on both sides. */
export function isNumeric({ types: { staging, main } }: ComparedColumn): boolean {
  return [staging, main].every((type) => type === "bigint" || type === "double");
}

/** Finds the greatest difference of each of these columns, as text. */
export function greatestStatement(
  { columns: { compared } }: Comparing,
  unequal: readonly number[],
): string {
  const tests = unequal.map((at) => {
    const { word, bit } = bitOf(at);
    return `(d.u${word} & ${bit}) <> 0`;
  });
  const greatest = unequal.map((at, number) => {
    const { name: column = "", types } = compared[at] ?? {};
    // Whole numbers of 64 bits differ by up to 65 bits.
    const type = types?.staging === "bigint" && types.main === "bigint" ? "hugeint" : "double";
    const [s, m] = [`s.${name(column)}::${type}`, `m.${name(column)}::${type}`];
    return `max(abs(${s} - ${m})) filter (where ${tests[number] ?? "false"})::varchar`;
  });
  return (
    `select ${greatest.join(", ")} from ${DIFF} d join staging s on s.${ROW} = d.s ` +
    `join main m on m.${ROW} = d.m where d.k = ${BOTH} and (${tests.join(" or ")})`
  );
}
