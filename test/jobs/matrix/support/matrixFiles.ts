// Files for tests of matrices: folders and zips of small MatrixMarket matrices, and what a reader gives of them, whole.

import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { crc32, deflateRawSync } from "node:zlib";

import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { ZipFile } from "yazl";

import { HdashError } from "../../../../src/error.ts";
import { computeStatistics } from "../../../../src/jobs/matrix/counting/computeStatistics.ts";
import type { MatrixStatistics } from "../../../../src/jobs/matrix/counting/statistics.ts";
import type { Approach, MatrixReader } from "../../../../src/jobs/matrix/matrix.ts";
import { openMatrix } from "../../../../src/jobs/matrix/openMatrix.ts";
import { UnreadableMatrix } from "../../../../src/jobs/matrix/problem.ts";
import { wholeFile } from "../../../../src/jobs/matrix/reading/boundedRegion.ts";
import type { ByteRegion } from "../../../../src/jobs/matrix/reading/region.ts";

export const FIXTURES = join(import.meta.dirname, "../../../fixtures/matrix");
/** The fixture's matrix in every HDF5 format, and what each is called. */
export const HDF5_FIXTURES: readonly (readonly [file: string, format: string])[] = [
  ["csr.h5ad", "h5ad"],
  ["csc.h5ad", "h5ad"],
  ["dense.h5ad", "h5ad"],
  ["raw.h5ad", "h5ad"],
  ["tenx.h5", "10x-h5"],
  ["cells.loom", "loom"],
];

export type Content = string | Uint8Array;
export type Files = Readonly<Record<string, Content>>;

/** A private folder for a test file, and a scratch folder in it whose leftovers can be asked for. */
export interface Workplace {
  readonly dir: string;
  readonly scratchDir: string;
  /** Writes files into a new folder; returns its path. */
  folder(files: Files): Promise<string>;
  /** Writes one file; returns its path. */
  file(name: string, content: Content): Promise<string>;
  /** Writes one file; returns the region that is the whole of it. */
  region(name: string, content: Content): Promise<ByteRegion>;
  leftovers(): Promise<readonly string[]>;
}

/** A workplace for all tests of a file: each has to leave its scratch folder empty, and after the last it is removed. */
export function useWorkplace(): Workplace {
  const dir = join(tmpdir(), `hdash-test-matrix-${randomUUID()}`);
  const place = workplaceAt(dir);
  beforeAll(() => mkdir(place.scratchDir, { recursive: true, mode: 0o700 }));
  afterEach(async () => {
    expect(await place.leftovers()).toEqual([]);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return place;
}

function workplaceAt(dir: string): Workplace {
  const scratchDir = join(dir, "scratch");
  let next = 0;
  const write = async (folder: string, files: Files): Promise<void> => {
    for (const [name, content] of Object.entries(files)) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    }
  };
  const file = async (name: string, content: Content): Promise<string> => {
    const folder = join(dir, `file-${next++}`);
    await write(folder, { [name]: content });
    return join(folder, name);
  };
  return {
    dir,
    scratchDir,
    async folder(files) {
      const folder = join(dir, `folder-${next++}`);
      await mkdir(folder);
      await write(folder, files);
      return folder;
    },
    file,
    async region(name, content) {
      const path = await file(name, content);
      return wholeFile(path, name, (await stat(path)).size);
    },
    leftovers: () => readdir(scratchDir),
  };
}

/** One entry: gene and cell (from 1) and its value. */
export type Entry = readonly [gene: number, cell: number, value: number | string];

export function mtx(
  genes: number,
  cells: number,
  entries: readonly Entry[],
  { field = "integer", claimed = entries.length }: { field?: string; claimed?: number } = {},
): string {
  const lines = entries.map((entry) => entry.join(" "));
  return [
    `%%MatrixMarket matrix coordinate ${field} general`,
    `${genes} ${cells} ${claimed}`,
    ...lines,
    "",
  ].join("\n");
}

/** The lines of a table. */
export function rows(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** Three genes (one of them mitochondrial) and two cells. */
export const SMALL = {
  "matrix.mtx": mtx(3, 2, [
    [1, 1, 5],
    [3, 1, 1],
    [2, 2, 7],
  ]),
  "genes.tsv": rows("ENSG1\tA", "ENSG2\tB", "ENSG3\tMT-C"),
  "barcodes.tsv": rows("AAA-1", "AAC-1"),
} as const;
/** What is read of it. */
export const SMALL_READ = {
  ids: ["ENSG1", "ENSG2", "ENSG3"],
  symbols: ["A", "B", "MT-C"],
  cells: [{ A: 5, "MT-C": 1 }, { B: 7 }],
} as const;

export interface ReadMatrix {
  readonly ids: readonly string[];
  readonly symbols: readonly string[];
  /** The counts of each cell by symbol. */
  readonly cells: readonly Readonly<Record<string, number>>[];
  readonly approaches: readonly Approach[];
  readonly approachOf: readonly string[];
  readonly notes: readonly string[];
}

/** Opens a matrix, reads it whole and closes it. */
export async function readMatrix(
  path: string,
  place: Workplace,
  approaches: readonly string[] = [],
): Promise<ReadMatrix> {
  const { signal } = new AbortController();
  const reader = await openMatrix(path, { scratchDir: place.scratchDir, signal, approaches });
  try {
    return await readAll(reader);
  } finally {
    await reader.close();
  }
}

async function readAll(reader: MatrixReader): Promise<ReadMatrix> {
  const { genes, cells } = reader;
  const found: Record<string, number>[] = [];
  await reader.pass(
    (block) => {
      for (let cell = 0; cell < block.cells; cell++) {
        const counts: [string, number][] = [];
        for (let at = block.starts[cell] ?? 0; at < (block.starts[cell + 1] ?? 0); at++) {
          counts.push([genes.symbols[block.genes[at] ?? -1] ?? "?", block.counts[at] ?? -1]);
        }
        found[block.firstCell + cell] = Object.fromEntries(counts);
      }
    },
    { signal: new AbortController().signal },
  );
  return {
    ids: genes.ids,
    symbols: genes.symbols,
    cells: found,
    approaches: cells.approaches,
    approachOf: Array.from(
      { length: cells.count },
      (_, cell) => cells.approaches[cells.approachOf?.[cell] ?? 0]?.key ?? "?",
    ),
    notes: reader.notes().map(({ rule, severity, message }) => `${rule} ${severity}: ${message}`),
  };
}

/** What counting gives of a matrix at a path, of SMALL with other files, and of a file; the latter two must fail, and say how. */
export interface Counting {
  count(path: string): Promise<MatrixStatistics>;
  /** Writes the folder of SMALL with other files in their place or beside them. */
  small(changes: Files): Promise<string>;
  countSmall(changes: Files): Promise<string>;
  countFile(name: string, content: Content): Promise<string>;
}

/** Opens and counts as the command does. */
export function countingIn(place: Workplace): Counting {
  const { scratchDir } = place;
  const count = async (path: string): Promise<MatrixStatistics> => {
    const { signal } = new AbortController();
    const reader = await openMatrix(path, { scratchDir, signal, approaches: ["10x v2"] });
    try {
      return await computeStatistics(reader, { scratchDir, signal });
    } finally {
      await reader.close();
    }
  };
  const small = (changes: Files): Promise<string> => place.folder({ ...SMALL, ...changes });
  return {
    count,
    small,
    countSmall: async (changes) => failure(count(await small(changes))),
    countFile: async (name, content) => failure(count(await place.file(name, content))),
  };
}

/** How reading fails: "RULE: message" for what is wrong with the data, "kind: message" else. */
export async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof UnreadableMatrix) return `${error.rule}: ${error.message}`;
    if (error instanceof HdashError) return `${error.kind}: ${error.message}`;
    throw error;
  }
  return "it was read";
}

/** A zip as well-behaved programs write it; data descriptors and deflate as yazl does. */
export async function zipOf(
  files: Files,
  options: { compress?: boolean; mode?: number; forceZip64Format?: boolean } = {},
): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith("/")) zip.addEmptyDirectory(name);
    else zip.addBuffer(Buffer.from(content), name, { compress: true, ...options });
  }
  zip.end({ forceZip64Format: options.forceZip64Format ?? false, comment: "" });
  return buffer(zip.outputStream);
}

/** An entry of a zip made by hand: everything can be a lie. */
export interface RawEntry {
  readonly name: string;
  readonly data: Content;
  readonly method?: 0 | 8 | 12;
  /** What central directory and local header state in place of the truth. */
  readonly localName?: string;
  readonly bytes?: number;
  readonly packedBytes?: number;
  readonly crc?: number;
  readonly flags?: number;
  /** Unix mode, e.g. 0o120777 for a link. */
  readonly mode?: number;
  /** Index of the entry whose local header this one shares. */
  readonly sameAs?: number;
}

/** A zip of hand-made bytes. */
export function rawZip(entries: readonly RawEntry[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const entry of entries) {
    const plain = Buffer.from(entry.data);
    const method = entry.method ?? 0;
    const packed = method === 8 ? deflateRawSync(plain) : plain;
    const name = Buffer.from(entry.name);
    const localName = Buffer.from(entry.localName ?? entry.name);
    const fields = Buffer.alloc(22);
    fields.writeUInt16LE(entry.flags ?? 0, 0);
    fields.writeUInt16LE(method, 2);
    fields.writeUInt32LE((entry.crc ?? crc32(plain)) >>> 0, 8);
    fields.writeUInt32LE(entry.packedBytes ?? packed.length, 12);
    fields.writeUInt32LE(entry.bytes ?? plain.length, 16);
    const shared = entry.sameAs === undefined ? undefined : offsets[entry.sameAs];
    offsets.push(shared ?? offset);
    if (shared === undefined) {
      const head = Buffer.concat([
        Buffer.from("PK\x03\x04\x14\x00", "latin1"),
        fields.subarray(0, 20),
        Buffer.from([localName.length, 0, 0, 0]),
        localName,
        packed,
      ]);
      local.push(head);
      offset += head.length;
    }
    const tail = Buffer.alloc(18);
    tail.writeUInt16LE(name.length, 0);
    tail.writeUInt32LE(((entry.mode ?? 0) << 16) >>> 0, 10);
    tail.writeUInt32LE(offsets.at(-1) ?? 0, 14);
    central.push(
      Buffer.concat([
        Buffer.from("PK\x01\x02\x14\x03\x14\x00", "latin1"),
        fields.subarray(0, 20),
        tail,
        name,
      ]),
    );
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...local, directory, end]);
}
