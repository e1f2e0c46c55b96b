// An export: the rows of the ledger that say how something was made, and the blobs of all of it, in an order that follows from them.

import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";

import { canonicalJson, type Digest, type Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import { count } from "../format.ts";
import type { BlobStore, StoredBlob } from "../store/blobs.ts";
import { fileSource } from "../store/byteSource.ts";
import { type ExportedRow, type ExportedTable, readRows, textIn } from "../store/exported.ts";
import { type LedgerResult, listRunSteps, readResults } from "../store/lineage.ts";
import type { Db } from "../store/schema.ts";
import { blobPath, type FullPart, RECORDS, refuseExisting, writeArchive } from "./archive.ts";
import { readDocument, userUses } from "./document.ts";
import type { Found } from "./find.ts";
import { walkLineage } from "./graph.ts";
import { makeLacking } from "./lacking.ts";

/** What an export came to. */
export interface Exported {
  readonly results: number;
  readonly runs: readonly string[];
  readonly blobs: number;
  readonly bytes: number;
  /** Files that are left out, since they were temporary and their bytes have gone. */
  readonly dropped: readonly Digest[];
}

/** Where an export reads, and where it may write for a while. */
export interface Exporting {
  readonly db: Db;
  readonly blobs: BlobStore;
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** Writes all that a result or a run was made of to a new archive: the same bytes whenever it is asked for, as long as nothing is added. */
export async function exportFound(
  { db, blobs, scratch, signal }: Exporting,
  found: Found,
  out: string,
  hasData: boolean,
): Promise<Exported> {
  await refuseExisting(out);
  const scope = await gather(db, found, signal);
  const dir = await mkdtemp(join(scratch, "export-"));
  try {
    const path = join(dir, RECORDS);
    const { records, needed } = await writeRecords(db, scope, path);
    const { stored, dropped } = hasData
      ? await listNeeded(blobs, needed)
      : { stored: [], dropped: [] };
    const source = await fileSource(path);
    const parts: readonly FullPart[] = [
      { path: RECORDS, ...records, open: () => source.open() },
      ...stored.map(({ digest, bytes }) => ({
        path: blobPath(digest),
        sha256: digest,
        bytes,
        open: () => blobs.stream(digest),
      })),
    ];
    await writeArchive(out, { asked: askedOf(found), hasData }, parts, signal);
    return {
      results: scope.results.length,
      runs: scope.runIds,
      blobs: stored.length,
      bytes: stored.reduce((sum, { bytes }) => sum + bytes, 0),
      dropped,
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function askedOf(found: Found): { readonly [key: string]: Json } {
  if (found.kind === "run") return { run: found.run.id, pipeline: found.run.pipeline };
  const { result, port, digest, path } = found;
  return { key: result.key, step: result.step, port, digest, path };
}

/** What goes along. */
interface Scope {
  /** By number. */
  readonly results: readonly LedgerResult[];
  /** Runs that have made them, and the one that was asked for; by number. */
  readonly runIds: readonly string[];
  /** The run of which all goes along: also what failed. */
  readonly wholeRun: string | null;
}

async function gather(db: Db, found: Found, signal: AbortSignal): Promise<Scope> {
  if (found.kind === "run" && found.run.finishedAt === null) {
    throw new HdashError("usage", `run ${found.run.id} has not ended; it can be exported then`);
  }
  const wholeRun = found.kind === "run" ? found.run.id : null;
  const from = found.kind === "run" ? await resultsOf(db, found.run.id) : [found.result];
  const { steps, runIds } = await walkLineage(db, from, { runId: wholeRun, signal });
  const made = steps.map(({ result }) => result);
  // By what keeps its name it is found by that elsewhere, too; what else that names does not go along.
  const keeper = found.kind === "result" ? (found.keeper ?? null) : null;
  const results =
    keeper === null || made.some(({ id }) => id === keeper.id) ? made : [...made, keeper];
  const byNumber = (a: string, b: string) => (BigInt(a) < BigInt(b) ? -1 : 1);
  return {
    results: results.toSorted((a, b) => byNumber(a.id, b.id)),
    runIds: [...new Set([...runIds, ...(wholeRun === null ? [] : [wholeRun])])].sort(byNumber),
    wholeRun,
  };
}

async function resultsOf(db: Db, runId: string): Promise<readonly LedgerResult[]> {
  const steps = await listRunSteps(db, runId);
  return readResults(db, [...new Set(steps.flatMap(({ resultId }) => resultId ?? []))]);
}

/** What the records name. */
interface Needed {
  /** Digest → length, where the records say it; a log's is asked of the store. */
  readonly lengths: Map<Digest, number | null>;
  readonly lacking: ReturnType<typeof makeLacking>;
}

async function writeRecords(db: Db, scope: Scope, path: string) {
  const needed: Needed = { lengths: new Map(), lacking: makeLacking() };
  const hash = createHash("sha256");
  let bytes = 0;
  const lines = async function* () {
    for await (const { table, row } of records(db, scope, needed)) {
      const line = Buffer.from(`${canonicalJson({ table, row })}\n`);
      hash.update(line);
      bytes += line.byteLength;
      yield line;
    }
  };
  await pipeline(lines, createWriteStream(path, { mode: 0o600 }));
  return { records: { sha256: hash.digest("hex") as Digest, bytes }, needed };
}

/** Every row: runs, attempts, results each with its facts and verdicts, steps of runs, what lies in lists, code, trust. */
async function* records(
  db: Db,
  { results, runIds, wholeRun }: Scope,
  needed: Needed,
): AsyncGenerator<{ readonly table: ExportedTable; readonly row: ExportedRow }> {
  const ended = new Set<string>();
  for await (const row of readRows(db, "run", "id", runIds)) {
    // One that goes on is nobody else's to know of: what it has made has no run.
    if (row["finished_at"] === null) continue;
    ended.add(textIn(row, "id"));
    const origin = originOf(row["origin"] ?? null, textIn(row, "id") === wholeRun);
    yield { table: "run", row: { ...row, origin, params: withoutPlaces(row["params"] ?? null) } };
  }
  const runs = runIds.filter((id) => ended.has(id));
  const ofRun = (row: ExportedRow): ExportedRow =>
    ended.has(textIn(row, "run_id")) ? row : { ...row, run_id: null };
  for await (const row of readRows(db, "run_scope", "run_id", runs))
    yield { table: "run_scope", row };
  const keys = [...new Set(results.map(({ key }) => key))].sort();
  const known = new Set(keys);
  const others = new Set<string>();
  if (wholeRun !== null) {
    for (const { key } of await listRunSteps(db, wholeRun)) {
      if (key !== null && !known.has(key)) others.add(key);
    }
  }
  for await (const row of readRows(db, "step_attempt", "step_key", [...keys, ...others].sort())) {
    if (row["ended_at"] === null) continue;
    if (row["log_digest"] !== null) {
      needed.lengths.set(row["log_digest"] as Digest, null);
      needed.lacking.add(row["log_digest"] as Digest, false);
    }
    yield { table: "step_attempt", row: ofRun(row) };
  }
  const numbers = new Map(results.map(({ id }, at) => [id, at + 1]));
  const lists = yield* resultRecords(db, results, numbers, needed, ofRun);
  for await (const row of readRows(db, "step_run", "run_id", runs)) {
    const number = numbers.get(textIn(row, "result_id")) ?? null;
    if (number === null && textIn(row, "run_id") !== wholeRun) continue;
    yield { table: "step_run", row: { ...row, result_id: number } };
  }
  yield* listRecords(db, lists, needed);
  const documents = results.map(({ document }) => readDocument(document));
  const codes = new Set(
    documents.flatMap((document) => {
      const uses = userUses(document);
      return uses === null ? [] : [uses.code, ...(uses.uses === null ? [] : [uses.uses])];
    }),
  );
  for await (const row of readRows(db, "code_listing", "digest", [...codes].sort())) {
    yield { table: "code_listing", row };
  }
  for await (const row of readRows(db, "step_trust", "stands_for", [...codes].sort())) {
    yield { table: "step_trust", row };
  }
}

/** Of what a run was begun from, which results it was asked for; of one that does not go along with all it did, that it is a part. */
function originOf(origin: Json, isWhole: boolean): Json {
  if (!isWhole) return { isPartial: true };
  const only = (origin as { readonly only?: Json } | null)?.only ?? null;
  return only === null ? null : { only };
}

/** Results, numbered anew from 1: numbers of a ledger mean nothing elsewhere. Returns the outputs that are lists. */
async function* resultRecords(
  db: Db,
  results: readonly LedgerResult[],
  numbers: ReadonlyMap<string, number>,
  needed: Needed,
  ofRun: (row: ExportedRow) => ExportedRow,
): AsyncGenerator<{ readonly table: ExportedTable; readonly row: ExportedRow }, readonly Digest[]> {
  const lists = new Set<Digest>();
  for (let from = 0; from < results.length; from += RESULTS_AT_ONCE) {
    const page = results.slice(from, from + RESULTS_AT_ONCE);
    const ids = page.map(({ id }) => id);
    const rows = await readGroups(db, "step_result", "id", ids);
    const facts = new Map<ExportedTable, ReadonlyMap<string, readonly ExportedRow[]>>();
    for (const table of FACTS) facts.set(table, await readGroups(db, table, "result_id", ids));
    for (const id of ids) {
      const number = numbers.get(id) ?? null;
      for (const row of rows.get(id) ?? []) {
        yield { table: "step_result", row: ofRun({ ...row, id: number }) };
      }
      for (const [table, groups] of facts) {
        for (const row of groups.get(id) ?? []) yield { table, row: { ...row, result_id: number } };
      }
    }
  }
  for (const { outputs } of results) {
    for (const { digest, bytes, codec, temporary } of Object.values(outputs)) {
      needed.lengths.set(digest, bytes);
      needed.lacking.add(digest, temporary === true);
      if (["tree", "files", "folder", "folders"].includes(codec)) lists.add(digest);
    }
  }
  return [...lists].sort();
}

/** Results whose facts are in memory at a time. */
const RESULTS_AT_ONCE = 100;
const FACTS = ["finding", "measure", "step_verdict"] as const;

/** Reads rows by whose they are. */
async function readGroups(
  db: Db,
  table: ExportedTable,
  column: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly ExportedRow[]>> {
  const groups = new Map<string, ExportedRow[]>();
  for await (const row of readRows(db, table, column, ids)) {
    const id = textIn(row, column);
    const those = groups.get(id);
    if (those === undefined) groups.set(id, [row]);
    else those.push(row);
  }
  return groups;
}

async function* listRecords(
  db: Db,
  lists: readonly Digest[],
  needed: Needed,
): AsyncGenerator<{ readonly table: ExportedTable; readonly row: ExportedRow }> {
  const done = new Set<Digest>();
  for (let next = lists; next.length > 0;) {
    const parts = new Set<Digest>();
    for (const whole of next) done.add(whole);
    for await (const row of readRows(db, "blob_part", "whole", next)) {
      const part = row["part"] as Digest;
      needed.lengths.set(part, row["bytes"] as number);
      needed.lacking.addPart(row["whole"] as Digest, part);
      if (!done.has(part)) parts.add(part);
      yield { table: "blob_part", row };
    }
    // A file that is no list has no rows.
    next = [...parts].sort();
  }
}

/** Values of a run that are paths of this machine, by their names alone. */
function withoutPlaces(value: Json): Json {
  if (typeof value === "string") return value.startsWith("/") ? basename(value) : value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutPlaces);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutPlaces(one)]));
}

/** Makes sure that all blobs are there but for temporary ones, and says how long each is; by digest. */
async function listNeeded(blobs: BlobStore, { lengths, lacking }: Needed) {
  const listed: StoredBlob[] = [];
  for (const [digest, bytes] of [...lengths].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (bytes !== null || !(await blobs.has(digest))) {
      listed.push({ digest, bytes: bytes ?? 0 });
      continue;
    }
    let length = 0;
    for await (const piece of blobs.stream(digest)) length += piece.byteLength;
    listed.push({ digest, bytes: length });
  }
  const mayLack = lacking.end();
  const gone = new Set(await blobs.missing(listed));
  const missing = [...gone].filter((digest) => !mayLack.has(digest));
  const [first] = missing;
  if (first !== undefined) {
    throw new HdashError(
      "permanent",
      `${count(missing.length, "blob")} of what is to be exported ${missing.length === 1 ? "is" : "are"} not there any more, e.g. sha256:${first}`,
      { hint: "A run makes them again; --no-data exports the records alone." },
    );
  }
  return { stored: listed.filter(({ digest }) => !gone.has(digest)), dropped: [...gone] };
}
