// The header of a MatrixMarket file: what it must say, and how the sizes in it fit the tables.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import type { MtxPart } from "./region.ts";

/** What a header says. */
export interface MtxHeader {
  readonly rows: number;
  readonly columns: number;
  readonly entries: number;
  /** Rows are cells and columns genes. */
  readonly isTurned: boolean;
}

/** Reads a header line by line: gives it once the line of sizes was read, null before. */
export type HeaderReader = (line: string) => MtxHeader | null;

/** Longer headers (comments are a line or two) are no headers. */
export const LONGEST_HEADER_BYTES = 1 << 20;

/** Makes a reader for a part's header. */
export function makeHeaderReader(part: MtxPart): HeaderReader {
  const { name } = part.matrix;
  let isFirst = true;
  return (line) => {
    const text = line.trim();
    if (isFirst) {
      checkBanner(name, text);
      isFirst = false;
      return null;
    }
    if (text === "" || text.startsWith("%")) return null;
    return readSizes(part, text);
  };
}

/** Says that a file ended before its sizes. */
export function headerMissing(name: string): UnreadableMatrix {
  return new UnreadableMatrix("M_HEADER", `${name} ends before the line with its sizes`);
}

/** Says that a header does not end where headers do. */
export function headerTooLong(name: string): UnreadableMatrix {
  return new UnreadableMatrix(
    "M_HEADER",
    `${name}: a line is too long, or the sizes are missing: the header goes on beyond ${number(LONGEST_HEADER_BYTES)} bytes`,
  );
}

function checkBanner(name: string, line: string): void {
  const words = line
    .replace(/^\u00ef\u00bb\u00bf/, "")
    .toLowerCase()
    .split(/\s+/);
  const [banner, object, layout, field, symmetry] = words;
  if (banner !== "%%matrixmarket") {
    throw bad(`${name} does not begin with %%MatrixMarket, but with "${shown(line)}"`);
  }
  if (object !== "matrix") throw bad(`${name} holds "${shown(object ?? "")}", not a matrix`);
  if (layout !== "coordinate") {
    throw bad(`${name} is laid out as "${shown(layout ?? "")}"; only "coordinate" can be read`);
  }
  if (field === "pattern") throw bad(`${name} is a pattern: it has no counts`);
  // SciPy writes uint32 and uint64 so.
  if (field !== "integer" && field !== "unsigned-integer" && field !== "real") {
    throw bad(
      `${name} holds "${shown(field ?? "")}" values; only integer, unsigned-integer and real can be read`,
    );
  }
  if (symmetry !== "general") {
    throw bad(`${name} is "${shown(symmetry ?? "")}"; only "general" can be read`);
  }
}

function readSizes(part: MtxPart, line: string): MtxHeader {
  const { name } = part.matrix;
  const words = line.split(/\s+/);
  const [rows = NaN, columns = NaN, entries = NaN] = words.map((word) =>
    /^\d{1,15}$/.test(word) ? Number(word) : NaN,
  );
  if (words.length !== 3 || Number.isNaN(rows + columns + entries)) {
    throw bad(`${name} has "${shown(line)}" where rows, columns and entries should be`);
  }
  const fits = rows === part.genes && columns === part.cells;
  const isTurned = !fits && rows === part.cells && columns === part.genes;
  if (!fits && !isTurned) {
    throw bad(
      `${name} is ${number(rows)} × ${number(columns)}, but its tables list ` +
        `${number(part.genes)} genes and ${number(part.cells)} cells`,
    );
  }
  return { rows, columns, entries, isTurned };
}

function bad(message: string): UnreadableMatrix {
  return new UnreadableMatrix("M_HEADER", message);
}

/** Shortens what a file says, so that it can be shown. */
export function shown(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]+/g, "?");
  return plain.length > 40 ? `${plain.slice(0, 40)}…` : plain;
}
