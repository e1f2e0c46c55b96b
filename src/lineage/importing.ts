// An import: an archive is read to its end and checked before anything of it is believed, then its blobs are put, then its rows, all or none.

import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { canonicalJson, type Digest } from "../digest.ts";
import { HdashError } from "../error.ts";
import { count } from "../format.ts";
import { type BlobStore, readAll, type StoredBlob } from "../store/blobs.ts";
import {
  enterRun,
  type ExportedRow,
  insertResult,
  insertRows,
  type KnownResult,
  readAttemptStarts,
  readKnown,
  textIn,
} from "../store/exported.ts";
import type { Db } from "../store/schema.ts";
import { type ArchiveManifest, type Part, readArchive, RECORDS } from "./archive.ts";
import {
  type ArchivedResult,
  type Checked,
  isListed,
  type ListedAs,
  makeRecordCheck,
  readRecords,
} from "./records.ts";

/** What an import came to. */
export interface Imported {
  /** Results that are new here. */
  readonly results: number;
  /** Results that were here already. */
  readonly known: number;
  readonly runs: readonly string[];
  /** Blobs that are new here. */
  readonly blobs: number;
  readonly bytes: number;
  /** Rows by which somebody has vouched for code, and that were not taken over. */
  readonly trustsLeft: number;
}

/** Where an import goes, and where it may write for a while. */
export interface Importing {
  readonly db: Db;
  readonly blobs: BlobStore;
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** What is larger goes through a file. */
const LARGEST_IN_MEMORY = 1 << 20;

/**
 * Takes an archive into the ledger. Throws a permanent error that names what is wrong with it, before anything is written. Where it says that a
 * key has other outputs than it has here, it is refused, unless it is trusted: then its result is added and counts, as the newest.
 */
export async function importArchive(
  to: Importing,
  path: string,
  isTrusted: boolean,
): Promise<Imported> {
  const { manifest, checked } = await checkArchive(path, to.signal);
  const known = await compare(to.db, checked, isTrusted, path);
  const put = manifest.hasData ? await putBlobs(to, path, manifest) : { blobs: 0, bytes: 0 };
  const rows = await enterAll(to, path, { known, isTrusted, checked });
  return { ...rows, ...put };
}

async function checkArchive(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly manifest: ArchiveManifest; readonly checked: Checked }> {
  const check = makeRecordCheck(`${path}: ${RECORDS}`);
  let manifest: ArchiveManifest | null = null;
  let checked: Checked | null = null;
  await readArchive(
    path,
    (found) => {
      manifest = found;
      return Promise.resolve();
    },
    async (part, content) => {
      signal.throwIfAborted();
      if (checked === null) {
        for await (const record of readRecords(content, `${path}: ${RECORDS}`)) check.add(record);
        checked = check.end();
        if (manifest !== null) checkBlobs(path, manifest, checked);
        return true;
      }
      await checkBlob(path, part, content, checked.lists);
      return true;
    },
  );
  if (manifest === null || checked === null) {
    throw new HdashError("permanent", `${path} has no ${RECORDS}`);
  }
  return { manifest, checked };
}

/** Every blob that is named has to be there, with the length that is said, and no other; bytes of temporary outputs may have gone. */
function checkBlobs(
  path: string,
  { hasData, parts }: ArchiveManifest,
  { needed, mayLack }: Checked,
): void {
  const there = new Map(parts.slice(1).map(({ sha256, bytes }) => [sha256, bytes]));
  const refuse = (how: string): never => {
    throw new HdashError("permanent", `${path}: ${how}`);
  };
  for (const digest of there.keys()) {
    if (!hasData || !needed.has(digest)) refuse(`blob ${digest} is there, and nothing names it`);
  }
  if (!hasData) return;
  for (const [digest, bytes] of needed) {
    const found = there.get(digest);
    if (found === undefined && mayLack.has(digest)) continue;
    if (found === undefined) refuse(`blob ${digest} is missing`);
    if (bytes !== null && found !== bytes) {
      refuse(`blob ${digest} has ${found} bytes, and the records say ${bytes}`);
    }
  }
}

async function checkBlob(
  path: string,
  { sha256 }: Part,
  content: AsyncIterable<Uint8Array>,
  lists: ReadonlyMap<Digest, ListedAs>,
): Promise<void> {
  const list = lists.get(sha256);
  if (list === undefined) {
    for await (const _piece of content);
    return;
  }
  if (isListed(list, sha256, await readAll(content))) return;
  throw new HdashError(
    "permanent",
    `${path}: blob ${sha256} lists other files than the records say`,
  );
}

/** Which results of an archive are here already, by their number in it. Throws where the ledger knows better. */
async function compare(
  db: Db,
  { results }: Checked,
  isTrusted: boolean,
  path: string,
): Promise<ReadonlyMap<number, string>> {
  const here = Map.groupBy(
    await readKnown(db, [...new Set(results.map(({ key }) => key))]),
    ({ key }) => key,
  );
  const known = new Map<number, string>();
  const others: ArchivedResult[] = [];
  for (const result of results) {
    const own = here.get(result.key) ?? [];
    const same = own.find((one) => isSame(one, result));
    if (same !== undefined) known.set(result.n, same.id);
    else if (own.length > 0) others.push(result);
  }
  const [first] = others;
  if (first === undefined || isTrusted) return known;
  throw new HdashError(
    "permanent",
    `${path} has ${count(others.length, "result")} that ${others.length === 1 ? "is" : "are"} others here: e.g. ${first.step}, key ${first.key.slice(0, 16)}`,
    { hint: "--trust adds them: they count from then on, and what is here stays beside them." },
  );
}

function isSame(known: KnownResult, { outputs, factsDigest }: ArchivedResult): boolean {
  return (
    known.factsDigest === factsDigest && canonicalJson(known.outputs) === canonicalJson(outputs)
  );
}

/** Puts what is not here yet: without rows that name them they are unused blobs, and go as such. */
async function putBlobs(
  { blobs, scratch, signal }: Importing,
  path: string,
  { parts }: ArchiveManifest,
): Promise<Pick<Imported, "blobs" | "bytes">> {
  const all = parts.slice(1).map(({ sha256: digest, bytes }): StoredBlob => ({ digest, bytes }));
  const missing = new Set(await blobs.missing(all));
  const dir = await mkdtemp(join(scratch, "import-"));
  let [number, total] = [0, 0];
  try {
    await readArchive(
      path,
      () => Promise.resolve(),
      async ({ sha256, bytes, path: name }, content) => {
        signal.throwIfAborted();
        if (name === RECORDS || !missing.has(sha256)) {
          for await (const _piece of content);
          return true;
        }
        if (bytes <= LARGEST_IN_MEMORY) await blobs.put(await readAll(content));
        else {
          const file = join(dir, sha256);
          await pipeline(content, createWriteStream(file, { mode: 0o600 }));
          await blobs.putFile(file, signal);
          await rm(file);
        }
        number++;
        total += bytes;
        return true;
      },
    );
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return { blobs: number, bytes: total };
}

/** What is known before rows are entered. */
interface Entering {
  readonly known: ReadonlyMap<number, string>;
  readonly isTrusted: boolean;
  readonly checked: Checked;
}

/** Enters all rows in one transaction: whatever the ledger refuses, nothing of the archive is in it then. */
async function enterAll(
  { db, signal }: Importing,
  path: string,
  entering: Entering,
): Promise<Omit<Imported, "blobs" | "bytes">> {
  return db.transaction().execute(async (trx) => {
    // What somebody has committed since it was compared would not be known.
    const again = await compare(trx, entering.checked, entering.isTrusted, path);
    const entry = makeEntry(trx, { ...entering, known: again });
    await readArchive(
      path,
      () => Promise.resolve(),
      async (_part, content) => {
        for await (const { table, row } of readRecords(content, `${path}: ${RECORDS}`)) {
          signal.throwIfAborted();
          await entry.add(table, row);
        }
        await entry.flush();
        return false;
      },
    );
    return entry.done();
  });
}

/** Rows that wait to be inserted together. */
const ROWS_AT_ONCE = 1000;

function makeEntry(trx: Db, { known, isTrusted, checked }: Entering) {
  type Table = Parameters<typeof insertRows>[1];
  const runs = new Map<number, { readonly id: string; readonly isNew: boolean }>();
  const results = new Map<number, string>(known);
  const numbers = makeAttemptNumbers(trx, checked, known);
  let waiting: { table: Table; rows: ExportedRow[] } | null = null;
  let isKnown = false;
  let inserted = 0;

  async function flush(): Promise<void> {
    if (waiting === null) return;
    const { table, rows } = waiting;
    waiting = null;
    await insertRows(trx, table, rows);
  }
  async function put(table: Table, row: ExportedRow): Promise<void> {
    if (waiting !== null && (waiting.table !== table || waiting.rows.length === ROWS_AT_ONCE)) {
      await flush();
    }
    waiting ??= { table, rows: [] };
    waiting.rows.push(row);
  }
  const runOf = (row: ExportedRow) => runs.get(Number(row["run_id"])) ?? null;
  const withRun = (row: ExportedRow): ExportedRow => ({ ...row, run_id: runOf(row)?.id ?? null });
  const withResult = (row: ExportedRow): ExportedRow => ({
    ...row,
    result_id: results.get(Number(row["result_id"])) ?? null,
  });

  return {
    async add(table: string, row: ExportedRow): Promise<void> {
      switch (table) {
        case "run":
          runs.set(Number(row["id"]), await enterRun(trx, row));
          return;
        case "step_attempt": {
          const n = await numbers.of(textIn(row, "step_key"), Number(row["n"]), row["started_at"]);
          if (n !== null) await put(table, { ...withRun(row), n });
          return;
        }
        case "step_result": {
          const n = Number(row["id"]);
          isKnown = known.has(n);
          if (isKnown) return;
          await flush();
          const attempt = numbers.shifted(textIn(row, "step_key"), row["attempt"] as number | null);
          results.set(n, await insertResult(trx, { ...withRun(row), attempt }));
          inserted++;
          return;
        }
        case "finding":
        case "measure":
        case "step_verdict":
          if (!isKnown) await put(table, withResult(row));
          return;
        case "step_run":
          // Without a key it would be there twice.
          if (row["step_key"] !== null || runOf(row)?.isNew === true) {
            await put(table, withResult(withRun(row)));
          }
          return;
        case "run_scope":
          await put(table, withRun(row));
          return;
        case "step_trust":
          if (isTrusted) await put(table, row);
          return;
        case "blob_part":
        case "code_listing":
          await put(table, row);
      }
    },
    flush,
    done: () => ({
      results: inserted,
      known: known.size,
      runs: [...runs.values()].map(({ id }) => id),
      trustsLeft: isTrusted ? 0 : checked.trusts,
    }),
  };
}

/** Numbers the attempts of an archive behind those that the ledger has for the same key; null for such as it has. */
function makeAttemptNumbers(trx: Db, { results }: Checked, known: ReadonlyMap<number, string>) {
  const knownKeys = new Set(results.filter(({ n }) => known.has(n)).map(({ key }) => key));
  const shifts = new Map<string, number>();
  const here = new Map<string, ReadonlyMap<number, string>>();
  return {
    async of(key: string, n: number, startedAt: unknown): Promise<number | null> {
      let starts = here.get(key);
      if (starts === undefined) {
        starts = await readAttemptStarts(trx, key);
        // One key after the other.
        here.clear();
        here.set(key, starts);
        const isOwn = starts.size === 0 || starts.get(n) === startedAt;
        shifts.set(key, isOwn ? 0 : Math.max(...starts.keys()));
      }
      const shift = shifts.get(key) ?? 0;
      if (shift === 0 && (knownKeys.has(key) || starts.has(n))) return null;
      return n + shift;
    },
    shifted: (key: string, attempt: number | null) =>
      attempt === null ? null : attempt + (shifts.get(key) ?? 0),
  };
}
