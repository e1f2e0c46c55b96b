// Counts of a few genes put aside cell by cell, in a private file where they are many, to be read gene by gene.

import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";

import { HdashError } from "../../../error.ts";
import { ASIDE_CELLS, MOST_CANDIDATES } from "../kernel/foldKernel.ts";
import { scratchError } from "../reading/spoolFile.ts";

/** Counts by cell for up to 64 genes: chunks of 4,096 cells, of which the last one stays in memory. */
export interface AsideCounts {
  /** Index of the first cell of the chunk at hand. */
  firstCell(): number;
  /** Writes the chunk at hand and begins the next one. */
  next(): void;
  /** Gives the counts of the gene at a place, 4,096 cells a piece, in the order of the cells. */
  read(place: number): Generator<Uint32Array>;
  remove(): Promise<void>;
}

const CHUNK_BYTES = ASIDE_CELLS * MOST_CANDIDATES * 4;

/** Makes a store; `chunk` is the kernel's memory of the chunk at hand, which is cleared. */
export function makeAsideCounts(dir: string, chunk: Uint32Array): AsideCounts {
  const path = join(dir, `aside-${randomUUID()}`);
  let file: number | null = null;
  let written = 0;
  chunk.fill(0);
  return {
    firstCell: () => written * ASIDE_CELLS,
    next() {
      const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      try {
        file ??= openSync(path, "wx+", 0o600);
        for (let done = 0; done < CHUNK_BYTES;) {
          done += writeSync(file, bytes, done, CHUNK_BYTES - done, written * CHUNK_BYTES + done);
        }
      } catch (error) {
        throw scratchError(error, "the counts of a matrix's top genes", dir);
      }
      written++;
      chunk.fill(0);
    },
    *read(place) {
      const piece = new Uint32Array(ASIDE_CELLS);
      const bytes = new Uint8Array(piece.buffer);
      for (let at = 0; at < written; at++) {
        const position = at * CHUNK_BYTES + place * ASIDE_CELLS * 4;
        for (let done = 0; done < bytes.length;) {
          const got = readSync(file ?? -1, bytes, done, bytes.length - done, position + done);
          if (got === 0) {
            throw new HdashError("permanent", "the counts of top genes were cut off on disk");
          }
          done += got;
        }
        yield piece;
      }
      yield chunk.subarray(place * ASIDE_CELLS, (place + 1) * ASIDE_CELLS);
    },
    async remove() {
      if (file === null) return;
      closeSync(file);
      file = null;
      await rm(path, { force: true });
    },
  };
}
