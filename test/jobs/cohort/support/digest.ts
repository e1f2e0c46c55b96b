// The digest of a dataset as its fixture defines it, computed from the Parquet files by whoever reads them.

import { createHash } from "node:crypto";

/** A dataset's column types, as the fixture names them. */
export type ColumnKind = "string" | "bigint" | "double" | "boolean" | "surrogate";

/** Digests rows: an array of values for each, in the order of `columns`; of bigints decimal text, of doubles numbers. */
export function digestRows(
  columns: readonly (readonly [name: string, kind: ColumnKind])[],
  rows: Iterable<readonly unknown[]>,
): { readonly rows: number; readonly sha256: string } {
  const order = columns
    .map(([name, kind], at) => ({ name, kind, at }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const lines: Buffer[] = [];
  for (const row of rows) {
    lines.push(
      Buffer.from(JSON.stringify(order.map(({ kind, at }) => valueText(kind, row[at] as Plain)))),
    );
  }
  lines.sort(Buffer.compare);
  const hash = createHash("sha256");
  for (const line of lines) hash.update(line).update("\n");
  return { rows: lines.length, sha256: hash.digest("hex") };
}

const bits = Buffer.alloc(8);

/** What readers of Parquet give for a value. */
type Plain = string | number | bigint | boolean | null | undefined;

function valueText(kind: ColumnKind, value: Plain): string | null {
  if (value === null || value === undefined) return null;
  if (kind === "surrogate") return "#";
  if (kind !== "double") return String(value);
  const number = Number(value);
  bits.writeDoubleBE(number === 0 ? 0 : number);
  return bits.toString("hex");
}
