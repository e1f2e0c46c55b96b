// The records of an archive, checked line by line: each key is that of its document, facts are what their digest says, and nothing is named that
// is not there. What a step really gave nobody can see from them.

import { canonicalJson, type Digest, digestOf, type Json } from "../digest.ts";
import { hasFiles } from "../engine/codec.ts";
import { parseManifest } from "../engine/folderManifest.ts";
import { HdashError, messageOf } from "../error.ts";
import type { Finding } from "../finding.ts";
import { oneLine } from "../format.ts";
import { columnsOf, type ExportedRow, type ExportedTable, textIn } from "../store/exported.ts";
import { digestFacts, makeFacts, type Measure } from "../store/facts.ts";
import type { StoredOutput } from "../store/results.ts";
import { makeLacking } from "./lacking.ts";

/** A row of an archive. */
export interface Record {
  readonly table: ExportedTable;
  readonly row: ExportedRow;
}

/** A result of an archive, as far as it is compared with what is here. */
export interface ArchivedResult {
  /** Its number in the archive, from 1. */
  readonly n: number;
  readonly key: string;
  readonly step: string;
  readonly outputs: Json;
  readonly factsDigest: string | null;
}

/** What the records come to. */
export interface Checked {
  readonly results: readonly ArchivedResult[];
  readonly runs: ReadonlySet<number>;
  /** Every blob that is named, with its length where that is said. */
  readonly needed: ReadonlyMap<Digest, number | null>;
  /** Of these what may not be there all the same. */
  readonly mayLack: ReadonlySet<Digest>;
  /** What lies in lists, as the records say it. */
  readonly lists: ReadonlyMap<Digest, ListedAs>;
  readonly trusts: number;
}

/** A list with its files: path → digest and length. */
export interface ListedAs {
  readonly codec: string;
  readonly files: Map<string, string>;
}

const DIGEST = /^[0-9a-f]{64}$/;
const CODECS = ["json", "text", "file", "tree", "files", "folder", "folders"];
const ENDED = ["succeeded", "degraded", "failed", "cancelled"];
/** A result with some 200,000 findings has no line of more. */
const LONGEST_LINE = 64 << 20;

/** Reads lines of records. */
export async function* readRecords(
  content: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Record> {
  let n = 0;
  for await (const line of linesIn(content, name)) yield parseRecord(line, `${name}, line ${++n}`);
}

async function* linesIn(content: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  let length = 0;
  for await (const piece of content) {
    let from = 0;
    for (let at = piece.indexOf(10); at !== -1; at = piece.indexOf(10, from)) {
      yield Buffer.concat([...rest, piece.subarray(from, at)]).toString("utf8");
      [rest, length] = [[], 0];
      from = at + 1;
    }
    rest.push(Buffer.from(piece.subarray(from)));
    length += piece.byteLength - from;
    if (length > LONGEST_LINE) throw wrong(name, "has a line that is too long");
  }
  if (length > 0) throw wrong(name, "ends in the middle of a line");
}

function parseRecord(line: string, at: string): Record {
  let value: unknown;
  try {
    value = JSON.parse(line);
    if (canonicalJson(value as Json) !== line) throw new Error("it is not written as hdash does");
  } catch (error) {
    throw new HdashError("permanent", `${at} is no record: ${messageOf(error)}`, { cause: error });
  }
  const { table, row } = (value ?? {}) as Partial<Record>;
  const columns = typeof table === "string" ? columnsOf(table) : null;
  if (table === undefined || columns === null || typeof row !== "object") {
    throw wrong(at, `is of no table that goes along: ${oneLine(line.slice(0, 80))}`);
  }
  const names = Object.keys(row).sort();
  if (names.join() !== [...columns].sort().join()) {
    throw wrong(at, `has other columns than ${table}: ${oneLine(names.join(", "))}`);
  }
  return { table, row };
}

function shown(value: Json | undefined): string {
  return oneLine(JSON.stringify(value ?? null));
}

/** Tells what may go along of what a run was begun from: nothing that `hdash resume` would begin. */
function isOrigin(origin: Json): boolean {
  if (origin === null) return true;
  if (typeof origin !== "object" || Array.isArray(origin)) return false;
  const [[name, value] = [], ...others] = Object.entries(origin);
  if (others.length > 0) return false;
  const isNames = Array.isArray(value) && value.every((one) => typeof one === "string");
  return (name === "isPartial" && value === true) || (name === "only" && isNames);
}

/** Throws, with the place of what is wrong in front. */
type Fail = (how: string) => never;

/** Collects the blobs that records name, and what lies in lists. */
function makeNeeds(fail: Fail) {
  const needed = new Map<Digest, number | null>();
  const lists = new Map<Digest, ListedAs>();
  return {
    needed,
    lists,
    lacking: makeLacking(),
    /** Notes a blob, with its length where that is said. */
    need(digest: Json | undefined, bytes: Json | undefined): Digest {
      if (!isDigest(digest)) {
        return fail(`names a digest that is none: ${oneLine(JSON.stringify(digest ?? null))}`);
      }
      if (bytes !== null && !isLength(bytes)) return fail(`says no length of blob ${digest}`);
      const known = needed.get(digest) ?? null;
      if (known !== null && bytes !== null && known !== bytes) {
        return fail(`says that blob ${digest} has ${bytes} bytes, another line ${known}`);
      }
      needed.set(digest, bytes ?? known);
      return digest;
    },
    listOf(digest: Digest, codec: string): ListedAs {
      const known = lists.get(digest) ?? { codec, files: new Map<string, string>() };
      lists.set(digest, known);
      return known;
    },
  };
}

/** Checks a result by itself: its key, and that its document is of this step. */
function checkResult(row: ExportedRow, fail: Fail): void {
  const { document, step, version, facts_digest: facts } = row;
  if (typeof document !== "string" || digestOf(document) !== row["step_key"]) {
    return fail(`has key ${oneLine(textIn(row, "step_key"))}, which is not that of its document`);
  }
  const said = readJson(document) as Readonly<{ [name: string]: Json }> | null;
  if (typeof step !== "string" || said?.["step"] !== step || said["version"] !== version) {
    fail(`is a result of ${oneLine(textIn(row, "step"))}, and its document is another step's`);
  }
  if (facts !== null && !isDigest(facts)) fail("has a digest of facts that is none");
}

function outputsIn({ outputs }: ExportedRow, fail: Fail): readonly StoredOutput[] {
  if (typeof outputs !== "object" || outputs === null || Array.isArray(outputs)) {
    return fail("has no outputs");
  }
  return Object.values(outputs).map((output: Json) => {
    const { codec, visibility, digest, bytes, temporary, ...more } = (output ?? {}) as StoredOutput;
    const isTemporary = temporary === true;
    const isWell =
      CODECS.includes(codec) &&
      ["private", "public"].includes(visibility) &&
      (isTemporary || temporary === undefined) &&
      Object.keys(more).length === 0;
    if (!isWell) return fail(`has an output that is none: ${oneLine(JSON.stringify(output))}`);
    return { codec, visibility, digest, bytes, ...(isTemporary ? { temporary } : {}) };
  });
}

/** Makes what checks records one after the other; end() says what they come to. */
export function makeRecordCheck(name: string) {
  const runs = new Set<number>();
  const results: ArchivedResult[] = [];
  let facts: { findings: Finding[]; measures: Measure[] } = { findings: [], measures: [] };
  let trusts = 0;
  let line = 0;
  const fail: Fail = (how) => {
    throw wrong(`${name}, line ${line}`, how);
  };
  const { need, listOf, needed, lists, lacking } = makeNeeds(fail);

  function endFacts(): void {
    const last = results.at(-1);
    if (last === undefined) return;
    const found = digestFacts(makeFacts(facts.findings, facts.measures));
    if (found !== last.factsDigest) {
      fail(`comes behind findings and measures of ${last.key} that are not those of its digest`);
    }
    facts = { findings: [], measures: [] };
  }

  function ofRun(row: ExportedRow, mayBeNone: boolean): void {
    const id = row["run_id"];
    if (id === null && mayBeNone) return;
    if (typeof id !== "number" || !runs.has(id))
      fail(`names run ${textIn(row, "run_id")}, which is not there`);
  }

  function addResult(row: ExportedRow): void {
    endFacts();
    const n = results.length + 1;
    if (row["id"] !== n) fail(`has result ${textIn(row, "id")}, not ${n}`);
    ofRun(row, true);
    checkResult(row, fail);
    for (const output of outputsIn(row, fail)) {
      const { digest, bytes, codec, temporary } = output;
      lacking.add(need(digest, bytes), temporary === true);
      if (hasFiles(codec)) listOf(digest, codec);
    }
    results.push({
      ...{ n, key: textIn(row, "step_key"), step: textIn(row, "step") },
      outputs: row["outputs"] ?? null,
      factsDigest: row["facts_digest"] === null ? null : textIn(row, "facts_digest"),
    });
  }

  function ofResult(row: ExportedRow): void {
    if (row["result_id"] !== results.length)
      fail("belongs to a result that does not stand before it");
  }

  const checks: Readonly<{ [table in ExportedTable]: (row: ExportedRow) => void }> = {
    run(row) {
      const { id, status, finished_at: finishedAt, origin = null } = row;
      if (!isLength(id) || id < 1 || runs.has(id)) return fail(`has a run of number ${shown(id)}`);
      if (typeof status !== "string" || !ENDED.includes(status) || finishedAt === null) {
        return fail(`has a run that is ${textIn(row, "status")}`);
      }
      if (!isOrigin(origin)) return fail(`has a run that is begun again from ${shown(origin)}`);
      runs.add(id);
    },
    run_scope: (row) => ofRun(row, false),
    step_attempt(row) {
      ofRun(row, true);
      if (row["ended_at"] === null) fail("has an attempt that has not ended");
      if (row["log_digest"] !== null) lacking.add(need(row["log_digest"], null), false);
    },
    step_result: addResult,
    finding(row) {
      ofResult(row);
      const { rule, severity, subject, row: at, message, fields } = row;
      facts.findings.push({
        rule,
        severity,
        subject,
        row: at,
        message,
        fields,
      } as unknown as Finding);
    },
    measure(row) {
      ofResult(row);
      const { subject, name: measure, value } = row;
      facts.measures.push({ subject, name: measure, value } as unknown as Measure);
    },
    step_verdict: ofResult,
    step_run(row) {
      ofRun(row, false);
      const n = row["result_id"];
      if (n !== null && !(isLength(n) && n >= 1 && n <= results.length)) {
        fail(`names result ${textIn(row, "result_id")}, which is not there`);
      }
    },
    blob_part(row) {
      const { whole, path, part, bytes } = row;
      const own = need(whole, null);
      const list = listOf(own, "folder");
      const digest = need(part, bytes);
      lacking.addPart(own, digest);
      if (typeof path !== "string") return fail("has no path");
      list.files.set(path, `${digest} ${textIn(row, "bytes")}`);
    },
    code_listing({ digest }) {
      if (!isDigest(digest)) fail("has code without a digest");
    },
    step_trust: () => void trusts++,
  };

  return {
    add({ table, row }: Record): void {
      line++;
      checks[table](row);
    },
    end(): Checked {
      endFacts();
      return { results, runs, needed, mayLack: lacking.end(), lists, trusts };
    },
  };
}

/** Says whether a stored list has the files that the records say. */
export function isListed({ codec, files }: ListedAs, digest: Digest, bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString("utf8");
  let found: readonly { readonly path: string; readonly digest: string; readonly bytes: number }[];
  try {
    found =
      codec === "folder"
        ? parseManifest(digest, text).files
        : (JSON.parse(text) as typeof found).map((one) => one);
  } catch {
    return false;
  }
  return (
    found.length === files.size &&
    found.every((one) => files.get(one.path) === `${one.digest} ${one.bytes}`)
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isDigest(value: Json | undefined): value is Digest {
  return typeof value === "string" && DIGEST.test(value);
}

function isLength(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function wrong(at: string, how: string): HdashError {
  return new HdashError("permanent", `${at} ${how}`);
}
