// One pass over a member: its records are counted, judged and staged, its bytes digested, its two copies written.

import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";

import { gzipFrame } from "../../../formats/gzipFrame.ts";
import type { ZipMember } from "../../../formats/zipMember.ts";
import { type LineJudge, type LineReason, makeLineJudge } from "../data/lineJudge.ts";
import { type LineParts, partLines } from "../data/lines.ts";
import type { LineMemory, MemberFacts } from "../data/lineState.ts";
import type { RecordShape } from "../data/recordShape.ts";
import type { FieldSet } from "../data/undeclared.ts";
import type { MemberQuarantine } from "./quarantine.ts";
import {
  HELD_BYTES,
  makeGzipFile,
  makeScratchFile,
  type ScratchFile,
  type WrittenFile,
} from "./scratchFile.ts";
import type { Staging } from "./staging.ts";

/** What one pass over a member found. */
export interface MemberPass {
  readonly sha256: string;
  /** Copies of it, written and not yet put anywhere. */
  readonly raw: WrittenFile;
  /** Null where its lines are not used. */
  readonly copy: WrittenFile | null;
  readonly read: number;
  readonly written: number;
  readonly quarantined: Partial<Record<LineReason, number>>;
  readonly casts: Readonly<Record<string, number>>;
  readonly extras: readonly FieldSet[];
}

export interface PassOptions {
  readonly dir: string;
  readonly memory: LineMemory;
  /** Names its files within the folder. */
  readonly number: number;
  /** Null: its name says nothing, and none of its lines is used. */
  readonly facts: MemberFacts | null;
  /** Null: a type that nobody declared. */
  readonly shape: RecordShape | null;
  /** Null: its rows are not wanted. */
  readonly staging: Staging | null;
  /** Null: its lines that are set aside are known already. */
  readonly quarantine: MemberQuarantine | null;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** Copies are handed on in pieces of this size. */
const PIECE_BYTES = 256 << 10;

/**
 * Reads a member to its end. Throws BadMember where it is not what its archive states: then nothing of it may be used, and what was staged
 * of it is known by its number.
 */
export async function passMember(member: ZipMember, options: PassOptions): Promise<MemberPass> {
  const { dir, number, facts } = options;
  const rawFile = makeScratchFile(join(dir, `raw-${number}.gz`), HELD_BYTES);
  const copyFile =
    facts === null ? null : makeGzipFile(join(dir, `copy-${number}.gz`), member.entry.bytes);
  try {
    // Two ends of one pass: each waits for the other, so both are read at once; and both are over before anything else begins.
    const ends = [copyRaw(member, rawFile), readContent(member, copyFile, options)] as const;
    await Promise.allSettled(ends);
    const [, reading] = await Promise.all(ends);
    return { ...reading, raw: await rawFile.end(), copy: (await copyFile?.end()) ?? null };
  } catch (error) {
    rawFile.destroy();
    copyFile?.destroy();
    throw error;
  }
}

async function copyRaw({ entry, deflated }: ZipMember, file: ScratchFile): Promise<void> {
  for await (const piece of gzipFrame(entry, deflated)) await file.write(piece);
}

/** What is read of a member's content, as it goes on. */
interface Reading {
  read: number;
  written: number;
  readonly quarantined: Partial<Record<LineReason, number>>;
  readonly judge: LineJudge | null;
  readonly parts: LineParts;
}

async function readContent(
  { content }: ZipMember,
  copyFile: ScratchFile | null,
  { facts, shape, memory, staging, quarantine, signal, onBytes }: PassOptions,
): Promise<Omit<MemberPass, "raw" | "copy">> {
  const hash = createHash("sha256");
  const reading = makeReading(
    facts === null ? null : makeLineJudge(shape, facts, memory),
    (line, reason, digest) => quarantine?.add(line, reason, digest),
  );
  const { judge, parts } = reading;
  const handOn = async (leastBytes: number): Promise<void> => {
    await quarantine?.flush();
    if (judge === null || copyFile === null) return;
    if (judge.copy.length > leastBytes) {
      await copyFile.write(judge.copy.view());
      judge.copy.clear();
    }
    if (shape === null || judge.rows.every(({ length }) => length <= leastBytes)) return;
    if (staging === null) judge.rows.forEach((sink) => sink.clear());
    else await staging.take(shape, judge);
  };
  for await (const piece of content) {
    signal.throwIfAborted();
    hash.update(piece);
    parts.push(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    onBytes(piece.byteLength);
    await handOn(PIECE_BYTES);
  }
  parts.end();
  await handOn(0);
  const { read, written, quarantined } = reading;
  const casts = Object.fromEntries([...(judge?.casts ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    sha256: hash.digest("hex"),
    read,
    written,
    quarantined,
    casts,
    extras: judge?.extras ?? [],
  };
}

function makeReading(
  judge: LineJudge | null,
  onQuarantine: (line: number, reason: LineReason, digest: string) => void,
): Reading {
  const quarantined: Partial<Record<LineReason, number>> = {};
  const setAside = (line: number, reason: LineReason, digest: Hash): void => {
    quarantined[reason] = (quarantined[reason] ?? 0) + 1;
    onQuarantine(line, reason, digest.digest("hex"));
  };
  /** Of the line that is too long. */
  let long: Hash | null = null;
  const reading: Reading = {
    read: 0,
    written: 0,
    quarantined,
    judge,
    parts: partLines({
      line(buffer, from, to, number, isValid) {
        reading.read++;
        const reason: LineReason | null =
          judge === null ? "bad_member_name" : judge.judge(buffer, from, to, number, isValid);
        if (reason === null) reading.written++;
        else setAside(number, reason, createHash("sha256").update(buffer.subarray(from, to)));
      },
      longPiece(piece) {
        long = (long ?? createHash("sha256")).update(piece);
      },
      longEnd(number) {
        reading.read++;
        const reason = judge === null ? "bad_member_name" : "line_too_long";
        setAside(number, reason, long ?? createHash("sha256"));
        long = null;
      },
    }),
  };
  return reading;
}
