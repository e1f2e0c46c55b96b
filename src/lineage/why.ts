// Why a result was made: its document beside that of the same call in the run before, field by field, and through what has changed to the
// steps that ran before it.

import type { Digest } from "../digest.ts";
import type { BlobAccess } from "../engine/blobAccess.ts";
import { streamBlob } from "../engine/codec.ts";
import { BlobError } from "../store/blobs.ts";
import { readListings } from "../store/codeListings.ts";
import {
  describeContents,
  findLastGoodRun,
  type LedgerResult,
  type LedgerRun,
  listSightings,
  readResults,
  type RunCall,
  type Sighted,
} from "../store/lineage.ts";
import { readVoid } from "../store/results.ts";
import type { Db } from "../store/schema.ts";
import { type Attempt, type Cause, listAttempts } from "../store/stepAttempts.ts";
import { type CallName, type RunCalls, takenBy } from "./calls.ts";
import { findOffset } from "./comparing.ts";
import type { Difference, Leaf } from "./difference.ts";
import { readGiven } from "./given.ts";
import { isHousework } from "./givenSteps.ts";
import { nearest, NO_CALL, readCalls, withMakers } from "./planned.ts";
import { codeIn, digestsIn, type Reason, reasonsOf } from "./reasons.ts";

/** A difference, and why what is there now was made. */
export interface Because extends Reason {
  /** Where the bytes of both begin to differ; null where that is not known: one of them is no file any more, or none at all. */
  readonly offset: number | null;
  /** Why the step ran that gave what is there now; null where it did not run in that run. */
  readonly ran: Explained | null;
}

/** Why a result was made. */
export interface Explained {
  readonly call: CallName;
  readonly key: string;
  readonly resultId: string;
  /** The run that made it; null where that is forgotten. */
  readonly runId: string | null;
  readonly madeAt: string;
  readonly ms: number;
  /** The attempt that made it; null where none is kept. */
  readonly attempt: Attempt | null;
  /** Where it was seen last, if that is in another run than made it: found there, or done again. */
  readonly seenIn: Sighted | null;
  /** Why it was done again there; null where it was found. */
  readonly redone: Cause | null;
  /** The run that it is compared with; null where there was none before. */
  readonly against: string | null;
  /** Why it was done although its result was known. */
  readonly cause: Cause | null;
  /** Why a result that was known does not count any more, where there is one. */
  readonly voided: string | null;
  /** Whether a call like it was in that run. */
  readonly isNew: boolean;
  /** How the call before was called, where it had another name. */
  readonly before: CallName | null;
  /** True where the call before had given the same. */
  readonly isSame: boolean;
  readonly reasons: readonly Because[];
  /** What did not change. */
  readonly same: readonly string[];
}

/** What explaining takes. */
export interface Explaining {
  readonly db: Db;
  readonly access: BlobAccess;
  /** The run to compare with; null: the last one before that ended well. */
  readonly against: string | null;
}

/** So many steps behind one another, and inputs of one step, are followed: the rest is asked for by itself. */
const DEEPEST = 8;
const MOST_FOLLOWED = 5;
/** Larger files are not read to find where they differ. */
const MOST_COMPARED = 256 * 2 ** 20;

/** Explains why a result was made. */
export function explain(explaining: Explaining, result: LedgerResult): Promise<Explained> {
  return openExplainer(explaining)(result);
}

/** Makes what explains results; it reads each run's calls once, and follows each result once. */
function openExplainer({
  db,
  access,
  against,
}: Explaining): (result: LedgerResult) => Promise<Explained> {
  const callsOf = remembered((runId) => readCalls(db, runId));
  const runBefore = remembered(async (runId, pipeline: string) => {
    return against ?? (await findLastGoodRun(db, pipeline, runId))?.id ?? null;
  });
  const takenIn = remembered((_pair, last: RunCalls, now: RunCalls | null) =>
    takenBy(last, now?.all ?? []),
  );
  const explainOne = remembered((_id, own: LedgerResult, depth: number) => explainNew(own, depth));
  return (result) => explainOne(result.id, result, 0);

  async function explainNew(own: LedgerResult, depth: number): Promise<Explained> {
    const { key, id: resultId, runId, ms } = own;
    const sightings = await listSightings(db, resultId, 100);
    const made = sightings.find((one) => one.runId === runId && one.state === "ran");
    const call = nameOf(own, made ?? sightings[0]);
    const attempts = await listAttempts(db, key);
    // A run that has done it again with the same result has an attempt of its own.
    const ofRun = attempts.findLast((one) => one.runId === runId && one.end?.state === "succeeded");
    const attempt = ofRun ?? attempts.find(({ n }) => n === own.attempt) ?? null;
    const newest = sightings[0] ?? null;
    const seen = newest?.runId === runId ? null : newest;
    const document = readGiven(own.document);
    const than = runId === null ? against : await runBefore(runId, document.pipeline);
    const last = than === null ? null : await callsOf(than);
    const now = runId === null ? null : await callsOf(runId);
    const { before, difference } = await findBefore(own, call, last, now);
    return {
      ...{ call, key, resultId, runId, ms, attempt, madeAt: own.createdAt.toISOString() },
      seenIn: seen,
      against: than,
      cause: attempt?.cause ?? null,
      voided: (await readVoid(db, [key])).get(key) ?? null,
      isNew: before === null,
      before: before === null ? null : renamed(call, before),
      isSame: isSameResult(own, before),
      redone: redoneIn(attempts, seen),
      reasons: difference === null ? [] : await becauseOf(difference, own, { depth, last, now }),
      same: difference?.same ?? [],
    };
  }

  async function findBefore(
    own: LedgerResult,
    call: CallName,
    last: RunCalls | null,
    now: RunCalls | null,
  ) {
    if (last === null) return NO_CALL;
    const rows = last.candidates(call, () =>
      takenIn(`${last.runId} ${now?.runId ?? ""}`, last, now),
    );
    const results = await readResults(db, [...new Set(rows.map(({ resultId }) => resultId))]);
    const documents = new Map(results.map(({ id, document }) => [id, document]));
    return nearest(own.document, rows, documents);
  }

  async function becauseOf(
    difference: Difference,
    own: LedgerResult,
    { depth, last, now }: Between,
  ): Promise<readonly Because[]> {
    const digests = digestsIn(difference);
    const known = await describeContents(db, digests);
    const contents = withMakers(known, digests, now);
    const contentsBefore = withMakers(known, digests, last);
    const listings = await readListings(db, codeIn(difference));
    const reasons = reasonsOf(difference, { contents, contentsBefore, listings });
    let followed = 0;
    const found: Because[] = [];
    for (const [index, reason] of reasons.entries()) {
      const change = difference.changes[index];
      const { from } = reason;
      const isFollowed =
        from !== null &&
        // Who handed on what it was given made it later than who gave it: nothing is followed in a circle.
        BigInt(from.resultId) < BigInt(own.id) &&
        from.runId === own.runId &&
        !isHousework(from.step) &&
        depth < DEEPEST;
      let ran: Explained | null = null;
      if (isFollowed && followed++ < MOST_FOLLOWED) {
        const [maker] = await readResults(db, [from.resultId]);
        if (maker !== undefined) ran = await explainOne(maker.id, maker, depth + 1);
      }
      // Where the step says why, how its bytes differ says less.
      const isFile = from === null || from.codec === "file";
      const offset =
        ran === null && isFile && (from?.bytes ?? 0) <= MOST_COMPARED
          ? await offsetOf(change?.before ?? null, change?.after ?? null)
          : null;
      found.push({ ...reason, offset, ran });
    }
    return found;
  }

  async function offsetOf(before: Leaf | null, after: Leaf | null): Promise<number | null> {
    if (before?.kind !== "content" || after?.kind !== "content") return null;
    return firstDifference(access, before.digest, after.digest);
  }
}

/** Makes of a function one that does its work once for a name: what else it is told follows from that. */
function remembered<A extends readonly unknown[], T>(
  make: (name: string, ...of: A) => T,
): (name: string, ...of: A) => T {
  const known = new Map<string, T>();
  return (name, ...of) => {
    const made = known.get(name) ?? make(name, ...of);
    known.set(name, made);
    return made;
  };
}

/** The calls of the run that made a result, and of the run that it is compared with. */
interface Between {
  readonly depth: number;
  readonly last: RunCalls | null;
  readonly now: RunCalls | null;
}

/** Why a result was made again in a run; null where it was found there, or nobody knows. */
function redoneIn(attempts: readonly Attempt[], seen: Sighted | null): Cause | null {
  if (seen?.state !== "ran") return null;
  return attempts.findLast(({ runId }) => runId === seen.runId)?.cause ?? null;
}

function nameOf({ step }: LedgerResult, seen: Sighted | undefined): CallName {
  return { step, scope: seen?.scope ?? "", label: seen?.label ?? null };
}

function renamed(call: CallName, { scope, step, label }: RunCall): CallName | null {
  return scope === call.scope && label === call.label ? null : { scope, step, label };
}

function isSameResult({ outputs }: LedgerResult, before: RunCall | null): boolean {
  if (before === null) return false;
  const digests = (of: RunCall["outputs"]): string =>
    JSON.stringify(
      Object.entries(of)
        .map(([port, { digest }]) => [port, digest])
        .sort(),
    );
  return digests(outputs) === digests(before.outputs);
}

/** Where two blobs begin to differ, in bytes; null where one of them is not there. */
async function firstDifference(access: BlobAccess, a: Digest, b: Digest): Promise<number | null> {
  try {
    return await findOffset(streamBlob(access, a), streamBlob(access, b));
  } catch (error) {
    if (error instanceof BlobError) return null;
    throw error;
  }
}

/** Why the steps of a run ran, without given files and what is kept of results. */
export async function explainRun(
  explaining: Explaining,
  run: LedgerRun,
  steps: readonly RunCall[],
): Promise<readonly Explained[]> {
  const own = steps.filter(({ step, state }) => state === "ran" && !isHousework(step));
  const results = await readResults(
    explaining.db,
    own.map(({ resultId }) => resultId),
  );
  const byId = new Map(results.map((result) => [result.id, result]));
  const explainOne = openExplainer(explaining);
  const explained: Explained[] = [];
  for (const { resultId } of own) {
    const result = byId.get(resultId);
    if (result !== undefined) explained.push(await explainOne({ ...result, runId: run.id }));
  }
  return explained;
}
