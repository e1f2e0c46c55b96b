// Writes counts as the HCA matrix service does: a zip with one folder of MatrixMarket and two tables.

import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";

import { type ZipEntry, zipOf } from "../../../lookalikes/zipWriter.ts";
import type { CellCounts } from "./matrixCells.ts";

const pack = promisify(gzip);

/** The column by which HCA's cell tables tell how each cell was made. */
const APPROACH_COLUMN = "library_preparation_protocol.library_construction_method.ontology_label";

const README = `Expression matrix in MatrixMarket format, genes by cells.

matrix.mtx.gz  the counts
genes.tsv.gz   one line a gene, in the order of the rows
cells.tsv.gz   one line a cell, in the order of the columns

All of it is synthetic: made by hdash for its demo.
`;

/** Writes a matrix.mtx.zip whose folder has the given name. */
export async function writeMtxZip(path: string, folder: string, made: CellCounts): Promise<void> {
  const readme = { name: `${folder}/README.txt`, bytes: Buffer.from(README), isDeflated: true };
  await writeFile(path, zipOf([...(await mtxEntries(folder, made)), readme]));
}

/** Makes what belongs to a matrix: the counts first, then genes and cells, each gzipped. */
export async function mtxEntries(folder: string, made: CellCounts): Promise<readonly ZipEntry[]> {
  const parts: readonly (readonly [name: string, text: Buffer | string])[] = [
    ["matrix.mtx.gz", matrixMarket(made)],
    ["genes.tsv.gz", geneTable(made)],
    ["cells.tsv.gz", cellTable(made)],
  ];
  return Promise.all(
    parts.map(async ([name, text]) => ({ name: `${folder}/${name}`, bytes: await pack(text) })),
  );
}

/** Writes counts as MatrixMarket text: real values, as the service writes them. */
function matrixMarket({ genes, cells, starts, geneOf, counts }: CellCounts): Buffer {
  const pieces = [
    Buffer.from(
      `%%MatrixMarket matrix coordinate real general\n%synthetic\n${genes.length} ${cells.length} ${counts.length}\n`,
    ),
  ];
  let text = "";
  for (let cell = 0; cell < cells.length; cell++) {
    for (let at = starts[cell] ?? 0; at < (starts[cell + 1] ?? 0); at++) {
      text += `${(geneOf[at] ?? 0) + 1} ${cell + 1} ${counts[at]}.0\n`;
    }
    // Strings of a megabyte or so: one long one would be copied again and again.
    if (text.length > 1 << 20 || cell === cells.length - 1) {
      pieces.push(Buffer.from(text));
      text = "";
    }
  }
  return Buffer.concat(pieces);
}

function geneTable({ genes }: CellCounts): string {
  const lines = genes.map(({ id, symbol }) => `${id}\t${symbol}\tHomo sapiens`);
  return `featurekey\tfeaturename\tgenus_species\n${lines.join("\n")}\n`;
}

function cellTable({ cells, starts }: CellCounts): string {
  const lines = cells.map(({ barcode, approach }, cell) => {
    return `${barcode}\t${(starts[cell + 1] ?? 0) - (starts[cell] ?? 0)}\t${approach}`;
  });
  return `cellkey\tgenes_detected\t${APPROACH_COLUMN}\n${lines.join("\n")}\n`;
}
