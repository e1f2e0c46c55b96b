// An export read once: every member passed, its copies handed over, its rows staged, its manifest compared. One bad line or member never
// stops another.

import { unlink } from "node:fs/promises";
import { join } from "node:path";

import { BadMember } from "../../../formats/badMember.ts";
import type { RangeSource } from "../../../formats/rangeSource.ts";
import { listMembers, type ZipEntry } from "../../../formats/zip.ts";
import { readMembers, type ZipMember } from "../../../formats/zipMember.ts";
import { type ByteSource, digestSource, fileSource } from "../../../store/byteSource.ts";
import type { Duck } from "../build/duck.ts";
import { nameFindings } from "../data/exportName.ts";
import { contentName, QUARANTINE, STAGED } from "../data/keptObjects.ts";
import { type LineMemory, makeLineMemory } from "../data/lineState.ts";
import { MANIFEST, type Manifest, MOST_MANIFEST_BYTES, readManifest } from "../data/manifest.ts";
import { manifestName, type MemberName, metadataOf } from "../data/memberName.ts";
import { copyId } from "../data/ranking.ts";
import type { RecordShape } from "../data/recordShape.ts";
import type {
  ExportReport,
  KeptObject,
  MemberReport,
  MemberStatus,
  ReportFinding,
  StagedPart,
  StagedTable,
} from "../data/report.ts";
import { pickFields, tooMany } from "../data/undeclared.ts";
import { type MemberPass, passMember } from "./ingestMember.ts";
import { isIgnored, isMember, type Numbered, numbered } from "./numbered.ts";
import { makeQuarantine, type Quarantine } from "./quarantine.ts";
import type { WrittenFile } from "./scratchFile.ts";
import { makeStaging, type Staging } from "./staging.ts";

/** A file on this disk, or bytes that know themselves. */
export type KeptFile =
  { readonly path: string } | { readonly source: ByteSource; readonly sha256: string };

/** Keeps a file under a key of a place, below the namespace. Where its digest is known, what has another is not kept. */
export type Keep = (
  place: "raw" | "intermediate" | "processed",
  key: string,
  file: KeptFile,
  metadata?: Readonly<Record<string, string>>,
) => Promise<KeptObject>;

export interface IngestRequest {
  readonly cohort: string;
  readonly export: string;
  /** Names what is staged of this version of the export. */
  readonly version: string;
  readonly source: RangeSource;
  readonly schema: string;
  readonly shapes: ReadonlyMap<string, RecordShape>;
  readonly dir: string;
  readonly duck: Duck;
  readonly keep: Keep;
  /** Tells whether the copies of a member, by its id and its name, are those that the places hold: no later export has sent it again. */
  readonly isLatest: (id: string) => boolean;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number, total: number) => void;
}

/** Reads an export; what cannot be read of it is said in its report. Throws what the source and the places throw. */
export async function ingestExport(request: IngestRequest): Promise<ExportReport> {
  const { cohort, export: name, schema, source, signal } = request;
  const head = { schema, cohort, export: name };
  const listing = await listMembers(source, signal);
  if (listing.refusal !== null) {
    return { ...head, outcome: listing.refusal, why: listing.why, ...NOTHING };
  }
  const members = numbered(listing.entries.filter(isMember), cohort);
  const manifestEntry = listing.entries.find((entry) => entry.name === MANIFEST);
  const staging = makeStaging(request.dir, request.duck);
  const quarantine = makeQuarantine(join(request.dir, "quarantine.ndjson.gz"));
  try {
    const reading = await readAll(request, { members, manifestEntry, staging, quarantine });
    const { reports, manifest } = reading;
    const staged = await keepStaged(request, staging);
    const counted = reports.map((report) => withManifest(report, manifest));
    return {
      ...head,
      outcome: "read",
      why: null,
      findings: [
        ...nameFindings(name),
        ...listing.dropped.map(({ name: member }) => finding("duplicate_member", member)),
        ...reading.findings,
        ...compareCounts(counted, manifest),
      ],
      members: counted.sort((a, b) => (a.name < b.name ? -1 : 1)),
      ignored: listing.entries.filter(isIgnored).map((entry) => entry.name),
      staged,
      quarantine: await keepQuarantine(request, quarantine),
    };
  } finally {
    staging.destroy();
    quarantine.destroy();
  }
}

const NOTHING = { findings: [], members: [], ignored: [], staged: [], quarantine: null } as const;

interface Readings {
  readonly reports: MemberReport[];
  readonly findings: ReportFinding[];
  /** Null where there is none; a clause where it is none. */
  readonly manifest: Manifest | string | null;
}

/** Reads all members in one pass over the archive, the manifest as it comes by. */
async function readAll(
  request: IngestRequest,
  parts: {
    readonly members: readonly Numbered[];
    readonly manifestEntry: ZipEntry | undefined;
    readonly staging: Staging;
    readonly quarantine: Quarantine;
  },
): Promise<Readings> {
  const { members, manifestEntry } = parts;
  const reports: MemberReport[] = [];
  const findings: ReportFinding[] = [];
  let manifest: Manifest | string | null = null;
  const byEntry = new Map(members.map((member) => [member.entry, member]));
  const entries = [...byEntry.keys(), ...(manifestEntry === undefined ? [] : [manifestEntry])];
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  let seen = 0;
  const onBytes = (bytes: number): void => request.onBytes((seen += bytes), total);
  const memory = makeLineMemory();
  for await (const member of readMembers(request.source, entries, request.signal)) {
    const own = byEntry.get(member.entry);
    if (own === undefined) {
      manifest = await readWholeManifest(member);
      continue;
    }
    const report = await readMember(request, own, member, { ...parts, memory, findings, onBytes });
    if (report instanceof BadMember) {
      const bad = { sha256: null, raw: null, copy: null, read: null, written: 0, manifest: null };
      const nothing = { status: "bad_member" as const, quarantined: {}, casts: {}, ...UNSTAGED };
      reports.push({ ...describe(own.entry, own.said), ...bad, ...nothing });
      findings.push({ code: "bad_member", member: report.member, why: report.what });
      continue;
    }
    reports.push(report);
    if (report.status !== "ok") findings.push(finding(report.status, report.name));
  }
  return { reports, findings, manifest };
}

async function readWholeManifest({
  entry,
  content,
  deflated,
}: ZipMember): Promise<Manifest | string> {
  if (entry.bytes > MOST_MANIFEST_BYTES) return "it is larger than any manifest";
  const pieces: Uint8Array[] = [];
  const passOver = (async () => {
    for await (const _piece of deflated);
  })();
  try {
    for await (const piece of content) pieces.push(piece);
    await passOver;
  } catch (error) {
    await passOver.catch(() => {});
    if (error instanceof BadMember) return "it is damaged";
    throw error;
  }
  return readManifest(Buffer.concat(pieces));
}

/** Passes a member and keeps what it gave; of one that is not what its archive states, says so. */
async function readMember(
  request: IngestRequest,
  own: Numbered,
  member: ZipMember,
  parts: {
    readonly staging: Staging;
    readonly quarantine: Quarantine;
    readonly memory: LineMemory;
    readonly findings: ReportFinding[];
    readonly onBytes: (bytes: number) => void;
  },
): Promise<MemberReport | BadMember> {
  const { entry, number, said } = own;
  const { cohort, dir, shapes, signal } = request;
  const shape = said === null ? null : (shapes.get(said.type) ?? null);
  const quarantine = parts.quarantine.open(entry.name);
  let pass;
  try {
    pass = await passMember(member, {
      ...{ dir, memory: parts.memory, number, shape, quarantine, signal },
      facts: said === null ? null : { ...said, index: number, cohort },
      staging: parts.staging,
      onBytes: parts.onBytes,
    });
  } catch (error) {
    await quarantine.drop();
    if (error instanceof BadMember) return error;
    throw error;
  }
  await quarantine.keep();
  pass.extras.forEach(({ kept, left }, table) => {
    const why = tooMany(shape?.tables[table]?.dataset ?? "", left(), kept.size);
    if (why !== null) parts.findings.push({ code: "too_many_fields", member: entry.name, why });
  });
  const id = said?.id ?? (own.rawKey === null ? null : copyId(own.rawKey));
  const isKept = id === null || request.isLatest(id);
  const copies = await keepCopies(request, own, pass, isKept);
  const { sha256, read, written, quarantined, casts } = pass;
  const hasExtras = pass.extras.some(({ kept }) => kept.size > 0);
  const extras = hasExtras ? pass.extras.map(({ kept }) => pickFields(kept)) : [];
  const staging = shape === null ? UNSTAGED : { staged: number, extras };
  const status: MemberStatus =
    said === null ? "bad_member_name" : shape === null ? "unknown_type" : "ok";
  const base = { ...describe(entry, said), status, manifest: null };
  return { ...base, sha256, ...copies, read, written, quarantined, casts, ...staging };
}

/** Keeps both copies of a member. */
async function keepCopies(
  request: Pick<IngestRequest, "keep" | "cohort">,
  { said, rawKey, copyKey }: Pick<Numbered, "said" | "rawKey" | "copyKey">,
  pass: Pick<MemberPass, "raw" | "copy">,
  isKept: boolean,
): Promise<Pick<MemberReport, "raw" | "copy">> {
  const raw = rawKey === null ? null : await keepCopy(request, isKept, "raw", rawKey, pass.raw, {});
  if (pass.copy === null || said === null || copyKey === null) return { raw, copy: null };
  const metadata = metadataOf(said, request.cohort);
  const copy = await keepCopy(request, isKept, "intermediate", copyKey, pass.copy, metadata);
  return { raw, copy };
}

const UNSTAGED = { staged: null, extras: [] } as const;

function describe(entry: ZipEntry, said: MemberName | null) {
  const { type = null, subtype = null, start = null, end = null, id = null } = said ?? {};
  return { name: entry.name, bytes: entry.bytes, type, subtype, start, end, id };
}

async function keepCopy(
  { keep }: Pick<IngestRequest, "keep">,
  isKept: boolean,
  place: "raw" | "intermediate",
  key: string,
  file: WrittenFile,
  metadata: Record<string, string>,
): Promise<KeptObject> {
  const { bytes, sha256 } = file;
  // Where a later export has sent the member again, the place holds that one's.
  const kept = isKept ? await keep(place, key, file, metadata) : { key, bytes, sha256, etag: null };
  await file.remove();
  return kept;
}

async function keepStaged(
  { keep, version }: IngestRequest,
  staging: Staging,
): Promise<readonly StagedPart[]> {
  const parts: StagedPart[] = [];
  for (const [part, { type, layout, tables }] of (await staging.end()).entries()) {
    const kept: StagedTable[] = [];
    for (const { table, path, rows } of tables) {
      // By its content: another DuckDB may write other bytes, and those that the catalog names must stay until it names these.
      const sha256 = await digestSource(await fileSource(path));
      const name = `${type}.${part}.${table}.${contentName(sha256)}`;
      const key = `${STAGED}${version}/${name}.parquet`;
      kept.push({ table, rows, object: await keep("intermediate", key, { path, sha256 }) });
      await unlink(path);
    }
    parts.push({ type, layout, tables: kept });
  }
  return parts;
}

async function keepQuarantine(
  { keep, version }: IngestRequest,
  quarantine: Quarantine,
): Promise<KeptObject | null> {
  const file = await quarantine.end();
  if (file === null) return null;
  const key = `${QUARANTINE}${version}.${contentName(file.sha256)}.ndjson.gz`;
  const kept = await keep("processed", key, file);
  await file.remove();
  return kept;
}

function finding(code: ReportFinding["code"], member: string | null): ReportFinding {
  return { code, member };
}

function withManifest(report: MemberReport, manifest: Manifest | string | null): MemberReport {
  if (manifest === null || typeof manifest === "string") return report;
  return { ...report, manifest: manifest.get(manifestName(report.name)) ?? null };
}

/** Holds what was read against what the sender has counted. Members whose lines are unknown are no mismatch: they are a finding already. */
function compareCounts(
  reports: readonly MemberReport[],
  manifest: Manifest | string | null,
): readonly ReportFinding[] {
  if (manifest === null) return [finding("no_manifest", null)];
  if (typeof manifest === "string")
    return [{ code: "bad_manifest", member: MANIFEST, why: manifest }];
  const read = new Map<string, number | null>([...manifest.keys()].map((name) => [name, 0]));
  for (const report of reports) {
    const name = manifestName(report.name);
    const before = read.get(name) ?? 0;
    read.set(name, report.read === null || read.get(name) === null ? null : before + report.read);
  }
  return [...read].flatMap(([member, count]) => {
    const counted = manifest.get(member) ?? null;
    if (count === null || count === counted) return [];
    return [{ code: "manifest_mismatch" as const, member, manifest: counted, read: count }];
  });
}

/**
 * Reads some members of an export again for their copies alone; the others are passed over. A member that cannot be read any more has none:
 * the export is then another one than it was.
 */
export async function copyMembers(
  request: Omit<IngestRequest, "duck" | "schema" | "version" | "isLatest">,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Pick<MemberReport, "raw" | "copy">>> {
  const { cohort, source, shapes, dir, signal } = request;
  const copies = new Map<string, Pick<MemberReport, "raw" | "copy">>();
  const listing = await listMembers(source, signal);
  if (listing.refusal !== null) return copies;
  const members = numbered(listing.entries.filter(isMember), cohort).filter(({ entry }) =>
    names.has(entry.name),
  );
  const byEntry = new Map(members.map((member) => [member.entry, member]));
  const total = members.reduce((sum, { entry }) => sum + entry.bytes, 0);
  let seen = 0;
  const memory = makeLineMemory();
  for await (const member of readMembers(source, [...byEntry.keys()], signal)) {
    const own = byEntry.get(member.entry);
    if (own === undefined) continue;
    const { number, said } = own;
    const pass = await passMember(member, {
      ...{ dir, memory, number, signal, staging: null, quarantine: null },
      shape: said === null ? null : (shapes.get(said.type) ?? null),
      facts: said === null ? null : { ...said, index: number, cohort },
      onBytes: (bytes) => request.onBytes((seen += bytes), total),
    });
    copies.set(member.entry.name, await keepCopies(request, own, pass, true));
  }
  return copies;
}
