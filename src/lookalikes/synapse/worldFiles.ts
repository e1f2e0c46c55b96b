// A world on disk (atlases.csv, master.csv, files/<entity>.csv), as the look-alike Synapse serves it. The master view stays
// one buffer with an index into it, so that a million rows cost little more than their bytes.

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { HdashError } from "../../error.ts";

/** One loaded state of a world. Rows are numbered from 0, without the header. */
export interface World {
  readonly dir: string;
  /** Changes with the content of master.csv, and only with it. */
  readonly etag: string;
  /** ISO 8601: when master.csv was last written. */
  readonly lastUpdatedOn: string;
  readonly columns: readonly string[];
  readonly count: number;
  readonly projects: ReadonlyMap<string, string>;
  /** A row's cells, in the order of `columns`; "" for none. */
  row(index: number): readonly string[];
  indexOf(entityId: string): number | null;
  rowsOf(projectId: string): readonly number[];
  childrenOf(parentId: string): readonly number[];
}

/** Splits RFC 4180 text into records: quoted cells may hold commas, line ends and doubled quotes. */
export function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let cells: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|(?!")([^,\r\n]*))(,|\r?\n|\r|$)/y;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (match === null) throw new HdashError("usage", "a quote in the CSV is never closed");
    cells.push(match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'));
    const isLast = match[3] !== ",";
    if (match[3] === "," && cell.lastIndex === text.length) cells.push("");
    if (isLast || cell.lastIndex === text.length) {
      if (cells.length > 1 || cells[0] !== "") records.push(cells);
      cells = [];
    }
  }
  return records;
}

/** Loads a world. Throws usage where the folder does not hold one. */
export async function loadWorld(dir: string): Promise<World> {
  const [master, atlases, { mtime }] = await Promise.all([
    readFile(join(dir, "master.csv")),
    readFile(join(dir, "atlases.csv"), "utf8"),
    stat(join(dir, "master.csv")),
  ]).catch((error: unknown) => {
    throw new HdashError("usage", `${dir} does not hold a world`, {
      cause: error,
      hint: "A world is a folder with atlases.csv, master.csv and files/<entity id>.csv.",
    });
  });
  const starts = recordStarts(master);
  const columns = parseRecord(master, starts, 0);
  const index = indexRows(master, starts, columns);
  let children: Map<string, number[]> | null = null;
  const row = (number: number): readonly string[] => parseRecord(master, starts, number + 1);
  const count = Math.max(0, starts.length - 2);
  return {
    dir,
    etag: asUuid(createHash("md5").update(master).digest("hex")),
    lastUpdatedOn: mtime.toISOString(),
    columns,
    count,
    projects: readProjects(atlases),
    row,
    indexOf: (entityId) => index.byId.get(numberOf(entityId)) ?? null,
    rowsOf: (projectId) => index.byProject.get(projectId) ?? [],
    childrenOf(parentId) {
      children ??= groupRows(count, row, columns.indexOf("parentId"));
      return children.get(parentId) ?? [];
    },
  };
}

/** Watches a world's folder: `current` loads it again when master.csv was written since. */
export function watchWorld(dir: string): { current(): Promise<World> } {
  let stamp = "";
  let loading: Promise<World> | null = null;
  return {
    async current() {
      const { mtimeMs, size } = await stat(join(dir, "master.csv")).catch(() => ({
        mtimeMs: 0,
        size: 0,
      }));
      if (loading === null || stamp !== `${mtimeMs}/${size}`) {
        stamp = `${mtimeMs}/${size}`;
        loading = loadWorld(dir);
      }
      return loading;
    },
  };
}

/** Writes 32 hex digits as Synapse writes its etags. */
export function asUuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

const QUOTE = 0x22;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Where each record starts, and where the last one ends. */
function recordStarts(bytes: Buffer): readonly number[] {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const starts = [hasMark ? 3 : 0];
  let isQuoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) isQuoted = !isQuoted;
    else if (byte === NEWLINE && !isQuoted) starts.push(at + 1);
  }
  if (starts.at(-1) !== bytes.length) starts.push(bytes.length);
  return starts;
}

function parseRecord(bytes: Buffer, starts: readonly number[], record: number): string[] {
  const start = starts[record] ?? 0;
  let end = starts[record + 1] ?? 0;
  while (end > start && (bytes[end - 1] === NEWLINE || bytes[end - 1] === RETURN)) end--;
  const text = bytes.toString("utf8", start, end);
  return text.includes('"') ? (parseCsv(text)[0] ?? []) : text.split(",");
}

/** Ids are kept as numbers: a million of their texts would hold on to a million rows. */
function indexRows(
  bytes: Buffer,
  starts: readonly number[],
  columns: readonly string[],
): { readonly byId: Map<number, number>; readonly byProject: Map<string, number[]> } {
  const idAt = columns.indexOf("id");
  const projectAt = columns.indexOf("projectId");
  const byId = new Map<number, number>();
  const byProject = new Map<string, number[]>();
  for (let row = 0; row < starts.length - 2; row++) {
    const cells = parseRecord(bytes, starts, row + 1);
    byId.set(numberOf(cells[idAt] ?? ""), row);
    add(byProject, cells[projectAt] ?? "", row);
  }
  return { byId, byProject };
}

function groupRows(
  count: number,
  row: (index: number) => readonly string[],
  column: number,
): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (let index = 0; index < count; index++) add(groups, row(index)[column] ?? "", index);
  return groups;
}

function add(groups: Map<string, number[]>, key: string, row: number): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [row]);
  else group.push(row);
}

function numberOf(entityId: string): number {
  return /^syn\d+$/.test(entityId) ? Number(entityId.slice(3)) : -1;
}

function readProjects(text: string): ReadonlyMap<string, string> {
  const [header = [], ...records] = parseCsv(text.replace(/^\uFEFF/, ""));
  const [idAt, nameAt] = [header.indexOf("id"), header.indexOf("name")];
  return new Map(records.map((record) => [record[idAt] ?? "", record[nameAt] ?? ""]));
}
