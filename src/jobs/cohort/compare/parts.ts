// How two sides are cut into parts, each of which DuckDB can join in the memory that it has: of two sides that are many times larger it
// cannot, spilling or not.

import { literal, name } from "../build/duck.ts";
import { type Comparing, SIDES } from "./statements.ts";

/** Counts the rows of both sides, and the bytes that some of them take in a join. */
export function sizeStatement({ sides }: Comparing): string {
  const widths = SIDES.map((side) => {
    const texts = sides[side].map(
      ({ name: column }) => `coalesce(strlen(${name(column)}::varchar), 0)`,
    );
    return `(select avg(${texts.join(" + ")}) from (select * from ${side} limit ${SAMPLED}))`;
  });
  return `select ${SIDES.map((side) => `(select count(*) from ${side})`).join(" + ")}, greatest(${widths.map((one) => `coalesce(${one}, 0)`).join(", ")})`;
}
const SAMPLED = 20_000;

/**
 * Cuts both sides into parts of so many rows by the first column of the key, by which files are sorted: of each part other stretches of them
 * are read. Gives where parts begin, and their rows.
 */
export function cutStatement({ key: [first = ""] }: Comparing, mostRows: number): string {
  const counted = SIDES.map(
    (side) => `select ${name(first)} as k, count(*) as n from ${side} group by k`,
  );
  const values = `select k, sum(n) as n from (${counted.join(" union all ")}) group by k`;
  const cut = `select k, n, (sum(n) over (order by k nulls first) - n) // ${mostRows} as g from (${values})`;
  return `select min(k)::varchar, sum(n)::bigint from (${cut}) group by g order by g`;
}

/** The parts as conditions; one that has more rows than it should, since they are of one value, is cut by the hash of the key. */
export function partConditions(
  { key }: Pick<Comparing, "key">,
  cuts: readonly { readonly from: string | null; readonly rows: number }[],
  mostRows: number,
): readonly string[] {
  const first = name(key[0] ?? "");
  return cuts.flatMap(({ rows }, at) => {
    const [from, to] = [cuts[at]?.from ?? null, cuts[at + 1]?.from ?? null];
    const bounds = [
      // The first has all below it, and null.
      ...(at === 0 || from === null ? [] : [`${first} >= ${literal(from)}`]),
      ...(to === null
        ? []
        : [`(${first} < ${literal(to)}${at === 0 ? ` or ${first} is null` : ""})`]),
    ];
    const own = bounds.length === 0 ? "true" : bounds.join(" and ");
    const pieces = Math.ceil(rows / (2 * mostRows));
    if (pieces < 2) return [own];
    const hash = `hash(${key.map(name).join(", ")})`;
    return Array.from(
      { length: pieces },
      (_, piece) => `${own} and ${hash} % ${pieces} = ${piece}`,
    );
  });
}
