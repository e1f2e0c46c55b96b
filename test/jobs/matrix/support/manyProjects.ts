// Many tiny projects in a folder, a few of them bad in ways of their own.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { mtxEntries } from "../../../../src/jobs/matrix/demo/matrixFiles.ts";
import { tinyCells } from "../../../../src/jobs/matrix/demo/tinyMatrices.ts";
import { uuidOf } from "../../../../src/jobs/matrix/demo/uuid.ts";
import { type ZipEntry, zipOf } from "../../../../src/lookalikes/zipWriter.ts";

export interface ManyProjects {
  /** "<uuid>.homo_sapiens", in the order of the making. */
  readonly ids: readonly string[];
  /** Those among them whose matrix cannot be read. */
  readonly badIds: readonly string[];
}

/** What a bad project suffers from: the first bad one has the first of these, and so on in turn. */
const HARMS: readonly ((entries: readonly ZipEntry[]) => readonly ZipEntry[])[] = [
  // The gzip stream of the counts ends in its middle.
  ([counts, ...tables]) => {
    return counts === undefined
      ? tables
      : [{ ...counts, bytes: counts.bytes.subarray(0, counts.bytes.length >> 1) }, ...tables];
  },
  // Left as it is: the counts were made with an index that is out of range.
  (entries) => entries,
  // The counts lie outside of the archive's folder.
  (entries) => entries.map((entry) => ({ ...entry, name: `../../${entry.name}` })),
];
const OUT_OF_RANGE = 1;

/** Writes tiny projects as `<uuid>.homo_sapiens.mtx.zip`, the bad ones spread among the others. */
export async function makeManyProjects(
  dir: string,
  options: { readonly count: number; readonly bad: number },
): Promise<ManyProjects> {
  await mkdir(dir, { recursive: true });
  const ids: string[] = [];
  const badIds: string[] = [];
  for (let index = 0; index < options.count; index++) {
    const id = `${uuidOf("many", index)}.homo_sapiens`;
    // Evenly spread: the nth bad one where n of `bad` parts of the way are done.
    const before = Math.floor((index * options.bad) / options.count);
    const isBad = Math.floor(((index + 1) * options.bad) / options.count) > before;
    const harm = isBad ? before % HARMS.length : -1;
    const made = tinyCells({ seed: index, cells: 60, genes: 80 });
    if (harm === OUT_OF_RANGE) made.geneOf[made.geneOf.length >> 1] = made.genes.length;
    const entries = await mtxEntries("tiny.mtx", made);
    await writeFile(join(dir, `${id}.mtx.zip`), zipOf(HARMS[harm]?.(entries) ?? entries));
    ids.push(id);
    if (isBad) badIds.push(id);
  }
  return { ids, badIds };
}
