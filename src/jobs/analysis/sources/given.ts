// What a user gave on the command line, made ready for a plan: tables are read, files are digested.

import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";

import { type Digest, digestOf } from "../../../digest.ts";
import { type FolderEntry, writeManifest } from "../../../engine/folderManifest.ts";
import { walkFolder } from "../../../engine/folderWalk.ts";
import type { LocalFolder } from "../../../engine/step.ts";
import { codeOf, HdashError } from "../../../error.ts";
import { count, oneLine } from "../../../format.ts";
import { readCsv } from "../../../formats/csv.ts";
import { cellText, type CsvRecord } from "../../../formats/csvRecord.ts";
import { nearest } from "../../../settings/nearest.ts";
import type { ContentDigests } from "../../../store/contentDigests.ts";
import { readFilePieces } from "../../../store/filePieces.ts";
import { parseValue, shapeText } from "../data/shapes.ts";
import type { Shape } from "../writing/kinds.ts";
import { type FarPlace, isFar, readFarPlace } from "./farPlaces.ts";

/** A file or a folder of the machine, by content. */
export interface LocalFile {
  readonly path: string;
  readonly sha256: Digest;
  /** Of a folder, of its list. */
  readonly bytes: number;
  /** Where it was named, for people: "in row 4 of s.csv"; null where it was given by itself. */
  readonly place: string | null;
}

/** A file or a folder of a bucket. */
export interface FarFile extends FarPlace {
  readonly kind: "file" | "folder";
  readonly place: string | null;
}

export interface Giving {
  /** Names the value. */
  readonly at: string;
  /** Where it stands, for people; missing where it was given by itself. */
  readonly place?: string | null;
  /** The folder that paths are seen from. */
  readonly base: string;
  readonly digests: ContentDigests;
  readonly signal: AbortSignal;
  /** Tells what is no mistake, and may be one. */
  readonly note: (text: string) => void;
  /** Makes a handle of a file. */
  readonly fileOf: (file: LocalFile) => object;
  readonly folderOf: (folder: LocalFile) => object;
  /** Makes a handle of what lies in a bucket. */
  readonly farOf: (far: FarFile) => object;
}

/** Makes of a value, in which files and folders are paths, what a plan takes. What a plan has declared by itself stays as it is. */
export async function giveValue(shape: Shape, value: unknown, of: Giving): Promise<unknown> {
  if (value === null || value === undefined) return null;
  switch (shape.kind) {
    case "file":
      if (typeof value !== "string") return value;
      if (isFar(value)) return of.farOf(farFile(value, "file", of));
      return of.fileOf(await digestFile(resolve(of.base, value), of));
    case "folder":
      if (typeof value !== "string") return value;
      if (isFar(value)) return of.farOf(farFile(value, "folder", of));
      return of.folderOf(await digestFolder(resolve(of.base, value), of));
    case "optional":
      return giveValue(shape.of, value, of);
    case "list": {
      const all: unknown[] = [];
      for (const [index, one] of (value as readonly unknown[]).entries()) {
        all.push(await giveValue(shape.of, one, { ...of, at: `${of.at}[${index}]` }));
      }
      return all;
    }
    case "table": {
      if (typeof value === "string" && isFar(value)) {
        throw new HdashError(
          "usage",
          `${of.at} is ${value}: a table is read from a file of this machine`,
        );
      }
      const path = typeof value === "string" ? resolve(of.base, value) : null;
      const base = path === null ? of.base : dirname(path);
      const given = path === null ? rowsOf(value, shape, of.at) : await readTable(path, shape, of);
      const rows: unknown[] = [];
      for (const row of given) {
        const cells: Record<string, unknown> = {};
        for (const [name, column] of Object.entries(shape.columns)) {
          const at = `${of.at}, row ${row.number}, ${name}`;
          const place = path === null ? {} : { place: `in row ${row.number} of ${basename(path)}` };
          cells[name] = await giveValue(column, row.cells[name], { ...of, at, base, ...place });
        }
        rows.push(cells);
      }
      return rows;
    }
    case "text":
    case "integer":
    case "number":
    case "boolean":
    case "choice":
    case "json":
      return value;
  }
}

function farFile(value: string, kind: FarFile["kind"], { at, place = null }: Giving): FarFile {
  return { ...readFarPlace(value, at, kind), kind, place };
}

async function statOf(path: string, at: string, what: string): Promise<Stats> {
  return stat(path).catch((error: unknown) => {
    const why =
      codeOf(error) === "ENOENT"
        ? `there is no such ${what}`
        : `it cannot be read (${codeOf(error) ?? "?"})`;
    throw new HdashError("usage", `${at} is ${path}: ${why}`);
  });
}

async function digestFile(
  path: string,
  { at, digests, signal, place = null }: Giving,
): Promise<LocalFile> {
  const stats = await statOf(path, at, "file");
  if (!stats.isFile()) throw new HdashError("usage", `${at} is ${path}, which is no file`);
  const { sha256, bytes } = await digests.of(path, signal);
  return { path, sha256: sha256 as Digest, bytes, place };
}

/** Digests a folder as it is stored: what lies in it, by content, with modes and empty folders. */
async function digestFolder(
  path: string,
  { at, digests, signal, place = null }: Giving,
): Promise<LocalFile> {
  const stats = await statOf(path, at, "folder");
  if (!stats.isDirectory()) throw new HdashError("usage", `${at} is ${path}, which is no folder`);
  const { list } = await lookThrough(path, `${at} is ${path}`, digests, signal);
  return { path, sha256: digestOf(list), bytes: Buffer.byteLength(list), place };
}

/**
 * Looks through a folder: what is stored of it, and where its files lie. Throws usage.
 * @param subject begins what is said where that fails.
 */
export async function lookThrough(
  path: string,
  subject: string,
  digests: ContentDigests,
  signal: AbortSignal,
): Promise<LocalFolder> {
  // What is wrong in it is wrong with what was given.
  const asUsage = (error: unknown): never => {
    if (!(error instanceof HdashError) || error.kind !== "permanent") throw error;
    throw new HdashError("usage", error.message, { cause: error });
  };
  const found = await walkFolder(path, subject, signal).catch(asUsage);
  const files: FolderEntry[] = [];
  const sources = new Map<Digest, string>();
  for (const { path: name, source, isExecutable } of found.files) {
    const { sha256, bytes } = await digests.of(source, signal).catch((error: unknown) => {
      if (signal.aborted) throw error;
      throw new HdashError("usage", `${subject}: ${name} cannot be read`, { cause: error });
    });
    files.push({ path: name, isExecutable, digest: sha256 as Digest, bytes });
    sources.set(sha256 as Digest, source);
  }
  return { list: writeManifest({ files, emptyFolders: found.emptyFolders }), files: sources };
}

/** Rows that were given as they are, with what stands in cells that were left out. */
function rowsOf(value: unknown, { fallbacks = {} }: Table, at: string): readonly TableRow[] {
  if (!Array.isArray(value)) throw new HdashError("usage", `${at} is no table`);
  return (value as readonly Readonly<Record<string, unknown>>[]).map((row, index) => {
    const said = Object.entries(row).filter(([, cell]) => cell !== null && cell !== undefined);
    return { number: index + 1, cells: { ...fallbacks, ...Object.fromEntries(said) } };
  });
}

/** Says what is wrong with a table's first row; null where nothing is. */
function headerProblem(
  header: readonly string[],
  { columns, fallbacks = {} }: Table,
): string | null {
  const twice = header.find((name, at) => header.indexOf(name) !== at);
  if (twice !== undefined && Object.hasOwn(columns, twice)) return `has column ${twice} twice`;
  const missing = Object.entries(columns).find(
    ([name, { kind }]) =>
      kind !== "optional" && !Object.hasOwn(fallbacks, name) && !header.includes(name),
  );
  return missing === undefined ? null : `has no column ${missing[0]}; it has ${header.join(", ")}`;
}

/** Columns that nothing reads and that are spelt almost as one that may be missing, and is. Columns for other readers are nobody's business. */
function misspelt(
  header: readonly string[],
  { columns }: Table,
): readonly (readonly [name: string, meant: string])[] {
  const missing = Object.keys(columns).filter((name) => !header.includes(name));
  const unread = header.filter((name) => !Object.hasOwn(columns, name));
  return unread.flatMap((name) => {
    const meant = nearest(name, missing);
    return meant === null ? [] : [[name, meant] as const];
  });
}

type Table = Extract<Shape, { readonly kind: "table" }>;

interface TableRow {
  /** As a spreadsheet numbers it; the header is 1. */
  readonly number: number;
  readonly cells: Readonly<Record<string, unknown>>;
}

/** Reads a CSV with a header. Throws usage that names file, row and column. */
async function readTable(
  path: string,
  table: Table,
  { at, note }: Pick<Giving, "at" | "note">,
): Promise<readonly TableRow[]> {
  const { columns, fallbacks = {} } = table;
  const rows: TableRow[] = [];
  let header: readonly string[] | null = null;
  let problem: string | null = null;
  const cellsOf = (record: CsvRecord): readonly string[] =>
    Array.from({ length: record.length }, (_none, cell) => cellText(record, cell));
  const take = (record: CsvRecord): boolean => {
    const cells = cellsOf(record);
    if (header === null) {
      header = cells.map((cell) => cell.trim());
      problem = headerProblem(header, table);
      for (const [name, meant] of misspelt(header, table)) {
        note(
          `${at} (${path}) has a column ${oneLine(name)} that nothing reads, and none that is called ${meant}`,
        );
      }
      return problem === null;
    }
    if (cells.length !== header.length) {
      problem = `has ${count(cells.length, "cell")} in row ${record.row}, and ${count(header.length, "column")}`;
      return false;
    }
    const own: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(columns)) {
      const text = cells[header.indexOf(name)] ?? "";
      if (text.trim() === "" && Object.hasOwn(fallbacks, name)) {
        own[name] = fallbacks[name];
        continue;
      }
      const parsed = parseValue(shape, text);
      if (!parsed.ok) {
        problem = `has ${JSON.stringify(text)} in row ${record.row} as ${name}, which should be ${shapeText(shape)}`;
        return false;
      }
      own[name] = parsed.value;
    }
    rows.push({ number: record.row, cells: own });
    return true;
  };
  try {
    const facts = await readCsv(readFilePieces(path), take);
    if (facts.undecodableRow !== null) problem = `is no UTF-8 in row ${facts.undecodableRow}`;
    if (facts.unclosedRow !== null)
      problem ??= `has quotes in row ${facts.unclosedRow} that are not closed`;
    if (facts.overlongRow !== null)
      problem ??= `has a row ${facts.overlongRow} that is too long for a table`;
  } catch (error) {
    const code = codeOf(error);
    if (code === null || code === undefined) throw error;
    problem =
      code === "ENOENT" || code === "ENOTDIR"
        ? "is not there"
        : code === "EISDIR"
          ? "is a folder"
          : `cannot be read (${code})`;
  }
  if (problem === null && header === null) problem = "is empty: it needs a header";
  if (problem !== null) throw new HdashError("usage", `${at} (${path}) ${problem}`);
  return rows;
}
