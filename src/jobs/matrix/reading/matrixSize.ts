// The size line of a MatrixMarket file, read from its head: what its tables have to fit.

import { readHead } from "./boundedRegion.ts";
import type { ByteRegion } from "./region.ts";

export interface MatrixSize {
  readonly rows: number;
  readonly columns: number;
}

/** Packed bytes to look into, one try after the other: comments (10x puts JSON there) seldom fill the first. */
const TRIES = [4096, 64 << 10, 1 << 20];

/** Reads the size line; null where there is none to be seen, which whoever reads the matrix will explain. */
export async function readMatrixSize(region: ByteRegion): Promise<MatrixSize | null> {
  for (const rawBytes of TRIES) {
    const head = await readHead(region, rawBytes);
    if (head === null) return null;
    if (!/^(\xef\xbb\xbf)?%%MatrixMarket\b/i.test(head.toString("latin1", 0, 20))) return null;
    const size = sizeOf(head, rawBytes >= region.length);
    if (size !== "further on") return size;
  }
  return null;
}

function sizeOf(head: Buffer, isWhole: boolean): MatrixSize | null | "further on" {
  let at = 0;
  for (let index = 0; ; index++) {
    const found = head.indexOf(0x0a, at);
    if (found === -1 && !isWhole) return "further on";
    const end = found === -1 ? head.length : found;
    const line = head.toString("latin1", at, Math.min(end, at + 200)).trim();
    if (index > 0 && line !== "" && !line.startsWith("%")) {
      const match = /^(\d{1,15})\s+(\d{1,15})\s+\d+$/.exec(line);
      return match === null ? null : { rows: Number(match[1]), columns: Number(match[2]) };
    }
    if (found === -1) return null;
    at = end + 1;
  }
}
