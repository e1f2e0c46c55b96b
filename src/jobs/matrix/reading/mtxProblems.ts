// What is wrong with the entries of a MatrixMarket file, in words.

import { count, number } from "../../../format.ts";
import { type MtxKernel, STATUS } from "../kernel/mtxKernel.ts";
import { UnreadableMatrix } from "../problem.ts";
import { type MtxHeader, shown } from "./mtxHeader.ts";
import type { MtxPart } from "./region.ts";

/** Says that a part lies on its side. */
export function turned({ matrix, genes, cells }: MtxPart): string {
  return `${matrix.name} lies cells × genes (${number(cells)} × ${number(genes)}) and was turned`;
}

/** Says that a file ends within an entry. */
export function cutOff(name: string, lines: number, header: MtxHeader | null): UnreadableMatrix {
  const claimed = number(header?.entries ?? 0);
  return new UnreadableMatrix(
    "M_CORRUPT",
    `${name} is truncated: it ends within entry ${number(lines + 1)} of ${claimed}`,
  );
}

/** Says that a file does not hold as many entries as its header says. */
export function wrongNumber(name: string, lines: number, claimed: number): UnreadableMatrix {
  const entries = `${count(lines, "entry", "entries")} of the ${number(claimed)} that its header says`;
  return new UnreadableMatrix(
    "M_CORRUPT",
    lines < claimed
      ? `${name} is truncated: it holds ${entries}`
      : `${name} holds more entries than the ${number(claimed)} that its header says`,
  );
}

/** Says what is wrong with the entry at which parsing stopped. */
export function wrongEntry(
  kernel: MtxKernel,
  status: number,
  part: MtxPart | undefined,
  header: MtxHeader | null,
): UnreadableMatrix {
  const name = part?.matrix.name ?? "the matrix";
  if (status === STATUS.badSum) {
    return new UnreadableMatrix(
      "M_ENTRY",
      `${name}: entries that name the same gene and cell add up to more than 4,294,967,295`,
    );
  }
  const { text, column } = kernel.wrong();
  const value = `"${shown(text)}"`;
  const where = `${name}, entry ${number(kernel.seen().lines + 1)}`;
  const bad = (what: string): UnreadableMatrix =>
    new UnreadableMatrix("M_ENTRY", `${where}: ${what}`);
  if (status === STATUS.longLine) return bad(`the line that begins with ${value} does not end`);
  if (status === STATUS.badFields) return bad(`${value} is not a row, a column and a value`);
  if (status === STATUS.badIndex) {
    const of = column === 1 ? header?.rows : header?.columns;
    const noun = column === 1 ? "row" : "column";
    return bad(`${noun} ${value} is not a whole number from 1 to ${number(of ?? 0)}`);
  }
  const given = Number(text);
  if (given < 0 && Number.isFinite(given) && !Number.isInteger(given)) {
    return new UnreadableMatrix(
      "M_NOT_COUNTS",
      `${where}: the value ${value} is negative and not whole: these are scaled or centred values, not counts`,
    );
  }
  if (/^[-]/.test(text) && given < 0) return bad(`the value ${value} is negative`);
  if (/^[+-]?(nan|inf(inity)?)$/i.test(text)) return bad(`the value ${value} is not finite`);
  if (Number(text) > 0xffffffff) return bad(`the value ${value} is above 4,294,967,295`);
  return bad(`the value ${value} is not a number`);
}
