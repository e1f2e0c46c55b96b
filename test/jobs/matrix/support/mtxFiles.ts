// Small matrices as files: MatrixMarket text as given, tables of genes and cells, an open reader of it all.

import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { buildCellTable } from "../../../../src/jobs/matrix/approach.ts";
import type { CellTable, GeneTable, MatrixReader } from "../../../../src/jobs/matrix/matrix.ts";
import { makeGeneTable } from "../../../../src/jobs/matrix/reading/geneTable.ts";
import { type MtxSizes, openMtx } from "../../../../src/jobs/matrix/reading/mtxReader.ts";
import type { ByteRegion, MtxPart } from "../../../../src/jobs/matrix/reading/region.ts";

/** Makes a folder that is removed after the test. */
export function makeFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), "hdash-matrix-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Puts bytes into a file of their own. */
export function regionOf(
  dir: string,
  name: string,
  bytes: string | Uint8Array,
  layers: ByteRegion["layers"] = [],
  claimed: ByteRegion["claimed"] = null,
): ByteRegion {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return { path, offset: 0, length: statSync(path).size, layers, name, claimed };
}

/** Names genes G1, G2, …; those listed are mitochondrial. */
export function genesNamed(count: number, mito: readonly number[] = []): GeneTable {
  const symbols = Array.from({ length: count }, (_, at) =>
    mito.includes(at) ? `MT-${at + 1}` : `G${at + 1}`,
  );
  return makeGeneTable(symbols, symbols);
}

/** Makes a table of cells, all of one approach or each of its own. */
export function cellsOf(
  count: number,
  approachOf: (cell: number) => string = () => "10x",
): CellTable {
  const builder = buildCellTable([]);
  for (let cell = 0; cell < count; cell++) builder.add(approachOf(cell));
  return builder.build();
}

/** What a test may say of a matrix; the rest follows from its text. */
export interface MtxOptions {
  readonly genes: number;
  readonly cells: number;
  readonly layers?: ByteRegion["layers"];
  readonly claimed?: ByteRegion["claimed"];
  readonly geneTable?: GeneTable;
  readonly cellTable?: CellTable;
  readonly sizes?: MtxSizes;
}

/** Opens one file of a text or of bytes. */
export async function openText(
  bytes: string | Uint8Array,
  options: MtxOptions,
): Promise<MatrixReader> {
  const { genes, cells, layers, claimed, sizes } = options;
  const dir = makeFolder();
  const matrix = regionOf(dir, "matrix.mtx", bytes, layers, claimed);
  const part: MtxPart = { matrix, genes, cells, geneMap: null, firstCell: 0, cellMap: null };
  const { geneTable = genesNamed(genes), cellTable = cellsOf(cells) } = options;
  return openParts(dir, [part], geneTable, cellTable, sizes);
}

/** Opens parts; the reader is closed after the test. */
export async function openParts(
  dir: string,
  parts: readonly MtxPart[],
  genes: GeneTable,
  cells: CellTable,
  sizes?: MtxSizes,
): Promise<MatrixReader> {
  const known = { parts, genes, cells, notes: [], scratchDir: dir };
  const reader = await openMtx({ ...known, ...(sizes === undefined ? {} : { sizes }) });
  onTestFinished(() => reader.close());
  return reader;
}

/** What a pass gave: gene → count for each cell. */
export async function readCells(
  reader: MatrixReader,
): Promise<{ readonly cells: readonly ReadonlyMap<number, number>[]; readonly summary: object }> {
  const cells: Map<number, number>[] = [];
  const summary = await reader.pass(
    (block) => {
      if (block.firstCell !== cells.length) throw new Error(`cell ${block.firstCell} out of order`);
      for (let cell = 0; cell < block.cells; cell++) {
        const genes = new Map<number, number>();
        for (let at = block.starts[cell] ?? 0; at < (block.starts[cell + 1] ?? 0); at++) {
          const gene = block.genes[at] ?? -1;
          if (genes.has(gene)) throw new Error(`gene ${gene} twice`);
          genes.set(gene, block.counts[at] ?? -1);
        }
        cells.push(genes);
      }
    },
    { signal: new AbortController().signal },
  );
  return { cells, summary };
}
