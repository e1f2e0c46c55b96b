// Opens a matrix, whatever it comes as: a folder, a zip, a tar, a MatrixMarket file with its tables beside it, or one of the HDF5 formats.

import type { Stats } from "node:fs";
import { mkdtemp, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Worker } from "node:worker_threads";

import { HdashError } from "../../error.ts";
import type { MatrixNote, MatrixReader, OpenOptions } from "./matrix.ts";
import { UnreadableMatrix } from "./problem.ts";
import {
  mostUnpackedBytes,
  showName,
  stopIfAborted,
  unpackRegion,
  wholeFile,
} from "./reading/boundedRegion.ts";
import { checkCells } from "./reading/cellRows.ts";
import { makeTableReader, type MtxTables } from "./reading/chooseTables.ts";
import { knowFile, unpacked } from "./reading/fileKinds.ts";
import {
  damaged,
  findMatrices,
  type FoundMatrices,
  isWanted,
  type MtxFiles,
  notReadable,
  skipped,
} from "./reading/findMatrices.ts";
import { listFolder } from "./reading/folderFiles.ts";
import { joinCells, type ReadMatrix } from "./reading/joinCells.ts";
import { readMatrixSize } from "./reading/matrixSize.ts";
import type { ByteRegion, MtxPart } from "./reading/region.ts";
import type { RegionReader } from "./reading/regionReader.ts";
import { settleCells } from "./reading/settleCells.ts";
import { isTableName } from "./reading/tableNames.ts";
import { noteApproaches, noteMito, noteSymbols } from "./reading/tableNotes.ts";
import { listTar } from "./reading/tarEntries.ts";
import { makeGeneUnion } from "./reading/unionGenes.ts";
import { watchNames } from "./reading/zarrNames.ts";
import { listZip } from "./reading/zipEntries.ts";
import { watchLinks } from "./strayLinks.ts";

/** What opening may use, and a thread for HDF5 that was started already. */
export interface EarlyOpenOptions extends OpenOptions {
  readonly hdf5Thread?: Worker | null;
}

/** Opens the matrix at a path, a file or a folder; what it is is decided by content first, by name second. */
export async function openMatrix(path: string, options: EarlyOpenOptions): Promise<MatrixReader> {
  stopIfAborted(options.signal);
  const name = basename(path);
  let real: string;
  let found: Stats;
  try {
    real = await realpath(path);
    found = await stat(real);
  } catch (error) {
    throw new HdashError("permanent", `there is no matrix ${showName(name)}: it cannot be opened`, {
      cause: error,
    });
  }
  if (found.isDirectory()) return openFolder(real, options);
  if (!found.isFile()) {
    throw new UnreadableMatrix(
      "M_FORMAT",
      `${showName(name)} is ${found.isFIFO() ? "a pipe" : "no file and no folder"}: a matrix is read more than once, so it must be a file on disk`,
    );
  }
  // Its tables lie beside the name that was given, also where that is a link.
  return openFile(wholeFile(real, name, found.size), dirname(path), options);
}

async function openFolder(dir: string, options: EarlyOpenOptions): Promise<MatrixReader> {
  const { signal } = options;
  const watch = watchNames(isWanted);
  const links = watchLinks(dir, watch.isWanted);
  const files = await listFolder(dir, { isDeep: true, isWanted: links.isWanted, signal });
  watch.refuseZarr("the folder");
  links.refuseStray();
  const found = await findMatrices(files, "the folder", signal);
  const { single } = found;
  if (single?.kind === "zip") {
    const { path, name } = single.region;
    return sayBefore(await openZip(path, name, options), found.notes);
  }
  if (single?.kind === "tar") return sayBefore(await openTar(single.region, options), found.notes);
  return openFound(found, options);
}

async function openFile(
  file: ByteRegion,
  folder: string,
  options: EarlyOpenOptions,
): Promise<MatrixReader> {
  const { path, name } = file;
  const known = await knowFile(file);
  const { kind, region, words } = known;
  switch (kind) {
    case "hdf5":
      return openSingle(region, options);
    case "zip":
      return openZip(path, name, options);
    case "tar":
      return openTar(region, options);
    case "mtx": {
      const tables = await listFolder(folder, {
        isDeep: false,
        isWanted: (one) => isWanted(one) && isTableName(one),
        signal: options.signal,
      });
      const found = await findMatrices(
        [...tables.filter((table) => table.name !== name), region],
        "the folder",
        options.signal,
      );
      return openFound(found, options);
    }
    case "damaged":
      throw damaged(known);
    case "other":
      throw /\.zip$/i.test(name)
        ? new UnreadableMatrix("M_CORRUPT", `${showName(name)} is no zip, or its start is damaged`)
        : notReadable(name, words);
  }
}

async function openZip(
  path: string,
  name: string,
  options: EarlyOpenOptions,
): Promise<MatrixReader> {
  const watch = watchNames(isWanted);
  const entries = await listZip(path, watch.isWanted, options.signal);
  watch.refuseZarr(showName(name));
  return openFound(await findInArchive(entries, name, options.signal), options);
}

/** Finds the matrices of an archive; what lies in archives within it is not looked for. */
async function findInArchive(
  entries: readonly ByteRegion[],
  name: string,
  signal: AbortSignal,
): Promise<FoundMatrices> {
  const found = await findMatrices(entries, showName(name), signal);
  const { single } = found;
  if (single?.kind !== "zip" && single?.kind !== "tar") return found;
  const what = single.kind === "zip" ? "a zip" : "a tar archive";
  throw new UnreadableMatrix(
    "M_FORMAT",
    `${showName(name)} holds ${what}${single.kind === "zip" ? " once more" : ""} (${showName(single.region.name)}); unpack it first`,
  );
}

/** A tar is read where it lies; one that is packed is unpacked to the scratch folder until the reader is closed. */
async function openTar(region: ByteRegion, options: EarlyOpenOptions): Promise<MatrixReader> {
  const { path, name, layers } = region;
  const { signal } = options;
  const isPacked = layers.length > 0;
  if (/\.zip$/i.test(name)) {
    throw new UnreadableMatrix(
      "M_FORMAT",
      `${showName(name)} is no zip, but a tar archive${isPacked ? " packed by gzip" : ""}; name it .tar${isPacked ? ".gz" : ""}, or make a zip of what it holds`,
    );
  }
  const list = async (file: string): Promise<MatrixReader> => {
    const watch = watchNames(isWanted);
    const entries = await listTar(file, name, watch.isWanted, signal);
    watch.refuseZarr(showName(name));
    return openFound(await findInArchive(entries, name, signal), options);
  };
  if (!isPacked) return list(path);
  return unpacking(region, "matrix.tar", options, list);
}

/** Unpacks a region to the scratch folder, and removes what was unpacked once the reader is closed. */
async function unpacking(
  region: ByteRegion,
  fileName: string,
  { scratchDir, signal }: EarlyOpenOptions,
  use: (file: string) => Promise<MatrixReader>,
): Promise<MatrixReader> {
  const dir = await mkdtemp(join(scratchDir, "unpacked-"));
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    const file = join(dir, fileName);
    await unpackRegion(region, file, mostUnpackedBytes(region), signal);
    const reader = await use(file);
    return {
      format: reader.format,
      genes: reader.genes,
      cells: reader.cells,
      notes: () => reader.notes(),
      pass: (onBlock, options) => reader.pass(onBlock, options),
      async close() {
        try {
          await reader.close();
        } finally {
          await remove();
        }
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function openFound(found: FoundMatrices, options: EarlyOpenOptions): Promise<MatrixReader> {
  return found.single === null
    ? openMtxFiles(found.mtx, found.notes, options)
    : sayBefore(await openSingle(found.single.region, options), found.notes);
}

/** Puts what was found before a matrix was opened before what it says itself. */
function sayBefore(reader: MatrixReader, notes: readonly MatrixNote[]): MatrixReader {
  if (notes.length === 0) return reader;
  return { ...reader, notes: () => [...notes, ...reader.notes()] };
}

/** Loaded only where it is needed: most matrices are not HDF5. */
async function openHdf5(
  path: string,
  name: string,
  options: EarlyOpenOptions,
): Promise<MatrixReader> {
  const { openHdf5: open } = await import("./hdf5/openHdf5.ts");
  return open(path, name, options, options.hdf5Thread);
}

/** HDF5 reads files only: what lies in an archive is unpacked to the scratch folder until the reader is closed. */
async function openSingle(region: ByteRegion, options: EarlyOpenOptions): Promise<MatrixReader> {
  const { path, name, layers, offset, claimed } = region;
  if (layers.length === 0 && offset === 0 && claimed === null) {
    return withNotes(await openHdf5(path, name, options));
  }
  return unpacking(region, "matrix.h5", options, async (file) =>
    withNotes(await openHdf5(file, name, options)),
  );
}

/** Adds what every format's tables may need to say, where the reader does not say it itself. */
function withNotes(reader: MatrixReader): MatrixReader {
  const own = [...noteApproaches(reader.cells), ...noteMito(reader.genes)];
  return {
    format: reader.format,
    genes: reader.genes,
    cells: reader.cells,
    notes() {
      const theirs = reader.notes();
      const rules = new Set(theirs.map(({ rule }) => rule));
      return [...theirs, ...own.filter(({ rule }) => !rules.has(rule))];
    },
    pass: (onBlock, options) => reader.pass(onBlock, options),
    close: () => reader.close(),
  };
}

async function openMtxFiles(
  files: readonly MtxFiles[],
  found: readonly MatrixNote[],
  options: OpenOptions,
): Promise<MatrixReader> {
  const { makeMtxSource } = await import("./reading/mtxReader.ts");
  const source = makeMtxSource();
  try {
    return await openTables(files, found, source, options);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Reads the tables, while the first matrix is being read already. */
async function openTables(
  files: readonly MtxFiles[],
  found: readonly MatrixNote[],
  source: RegionReader,
  options: OpenOptions,
): Promise<MatrixReader> {
  const { signal, approaches, scratchDir } = options;
  const union = makeGeneUnion();
  const readOnce = makeTableReader(approaches, signal);
  const readTables = async (one: MtxFiles): Promise<MtxTables> => {
    stopIfAborted(signal);
    return readOnce(one, await readMatrixSize(await unpacked(one.matrix)));
  };
  const settled = await settleCells(files, readTables, signal);
  const read: (ReadMatrix & { readonly matrix: ByteRegion; readonly genes: number })[] = [];
  let cellCount = 0;
  for (const one of settled.files) {
    stopIfAborted(signal);
    const matrix = await unpacked(one.matrix);
    if (read.length === 0) source.start(matrix);
    const { genes, ...ofCells } = await readTables(one);
    union.add(genes);
    cellCount += ofCells.cells.count;
    checkCells("the matrices together have", cellCount);
    const { name } = matrix;
    const joint = settled.joints.get(name) ?? null;
    read.push({ name, matrix, genes: genes.ids.length, ...ofCells, joint });
  }
  const { genes, symbols, geneMaps, areApart, notes } = union.build();
  const joined = await joinCells(read, areApart, signal);
  const { cells, places, isSummed } = joined;
  const parts: readonly MtxPart[] = read.map((part, index) => ({
    matrix: part.matrix,
    genes: part.genes,
    cells: part.cells.count,
    geneMap: geneMaps[index] ?? null,
    ...(places[index] ?? { firstCell: 0, cellMap: null }),
  }));
  const { openMtx } = await import("./reading/mtxReader.ts");
  return openMtx({
    parts,
    genes,
    cells,
    isSummed,
    notes: [
      ...found,
      ...settled.passed.map(skipped),
      ...joined.notes,
      ...notes,
      ...noteSymbols(genes, symbols),
      ...noteApproaches(cells),
      ...noteMito(genes),
    ],
    scratchDir,
    source,
  });
}
