// What a run would do, and why: a plan played dry, with each call that is no hit beside what it was the last time.

import type { Digest, Json } from "../digest.ts";
import { type DrySpec, playDry } from "../engine/dry.ts";
import type { DryCall } from "../engine/dryCalls.ts";
import { oneLine } from "../format.ts";
import { type CodeListing, readListings } from "../store/codeListings.ts";
import {
  contentOf,
  describeContents,
  findLastGoodRun,
  type KnownContent,
  listRunCalls,
  readResults,
  type RunCall,
} from "../store/lineage.ts";
import { readVoid } from "../store/results.ts";
import type { Db } from "../store/schema.ts";
import { callInScope } from "./callName.ts";
import { isNumbered, openCalls, type RunCalls, takenBy } from "./calls.ts";
import { compareDocuments, type Difference } from "./difference.ts";
import { readGiven } from "./given.ts";
import { bringsIn, isHousework } from "./givenSteps.ts";
import { codeIn, digestsIn, type Reason, reasonsOf } from "./reasons.ts";

/** A call of a step in a run that is planned. */
export interface PlannedCall {
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
  /** hit · run · unknown: that depends on what runs, or on the world · failed: it cannot be asked for. */
  readonly state: DryCall["state"];
  readonly key: string | null;
  /** The same for what depends on what runs: another one where anything of the call is another. */
  readonly shape: string | null;
  /** Why it would run: what differs from the last time. Empty where that is said by `because`. */
  readonly reasons: readonly Reason[];
  /** The same in a sentence; null for hits. */
  readonly because: string | null;
  /** Calls that have to be done first. */
  readonly waitsFor: readonly string[];
  /** What the work took the last time, of this call or one like it; null where nobody knows. Milliseconds. */
  readonly ms: number | null;
}

/** A run that is planned. */
export interface Planned {
  readonly pipeline: string;
  /** The run that it is compared with; null where there is none that ended well. */
  readonly against: string | null;
  /** In the order of the plan, without given files and what is kept of results. */
  readonly calls: readonly PlannedCall[];
  readonly given: number;
  /** Calls of which the plan reads what they give before it goes on: what comes then is not known. */
  readonly unread: readonly string[];
  readonly failedScopes: Readonly<Record<string, string>>;
}

/** Plans a run of a pipeline: asks what would become of each call, and does nothing. */
export async function planRun(
  spec: Omit<DrySpec<Json>, "before"> & { readonly listings: ReadonlyMap<Digest, CodeListing> },
): Promise<Planned> {
  const { db, pipeline } = spec;
  const last = await readCalls(db, (await findLastGoodRun(db, pipeline.name))?.id ?? null);
  const before = (call: DryCall): RunCall | null => last?.sole(call) ?? null;
  const play = await playDry({ ...spec, before });
  const own = play.calls.filter(({ step }) => !isHousework(step));
  const compared = await compareAll(db, own, last);
  const known = await learn(db, compared, last, play.makers, spec.listings);
  const lost = own.filter(({ state, cause }) => state === "run" && cause === null);
  const voids = await readVoid(db, [...new Set(lost.flatMap(({ key }) => key ?? []))]);
  const calls = own.map((call): PlannedCall => {
    const { scope, step, label, state, key, shape } = call;
    const of = compared.get(call) ?? NO_CALL;
    const reasons = of.difference === null ? [] : reasonsOf(of.difference, known);
    return {
      ...{ scope, step, label, state, key, shape, reasons },
      because: voids.get(key ?? "") ?? becauseOf(call, of, reasons),
      waitsFor: call.waitsFor.map(callInScope),
      ms: (of.before ?? before(call))?.ms ?? null,
    };
  });
  return {
    ...{ pipeline: pipeline.name, against: last?.runId ?? null, calls },
    given: play.calls.filter(({ step }) => bringsIn(step) !== null).length,
    unread: play.unread.map(callInScope),
    failedScopes: play.failedScopes,
  };
}

/** Reads the calls of a run. */
export async function readCalls(db: Db, runId: string | null): Promise<RunCalls | null> {
  return runId === null ? null : openCalls(runId, await listRunCalls(db, runId));
}

/** A call beside what it was. */
interface Compared {
  /** Null where no call of the last run is like it. */
  readonly before: RunCall | null;
  readonly difference: Difference | null;
}
/** Nothing is like it, or nobody asks. */
export const NO_CALL: Compared = { before: null, difference: null };

/** Documents are read so many at a time: they have a KiB each. */
const READ_AT_ONCE = 500;

/** Compares calls that would run with what they were the last time: the call of the same name, else the one that was given most alike. */
async function compareAll(
  db: Db,
  calls: readonly DryCall[],
  last: RunCalls | null,
): Promise<ReadonlyMap<DryCall, Compared>> {
  const found = new Map<DryCall, Compared>();
  if (last === null) return found;
  const taken = takenBy(last, calls);
  const asked = calls.filter(({ state, document }) => state === "run" && document !== null);
  for (let from = 0; from < asked.length; from += READ_AT_ONCE) {
    const some = asked.slice(from, from + READ_AT_ONCE).map((call) => {
      return { call, rows: last.candidates(call, () => taken) };
    });
    const ids = new Set(some.flatMap(({ rows }) => rows.map(({ resultId }) => resultId)));
    const results = await readResults(db, [...ids]);
    const documents = new Map(results.map(({ id, document }) => [id, document]));
    for (const { call, rows } of some) {
      found.set(call, nearest(call.document ?? "", rows, documents));
    }
  }
  return found;
}

/** Finds the call whose document differs least. */
export function nearest(
  document: string,
  rows: readonly RunCall[],
  documents: ReadonlyMap<string, string>,
): Compared {
  const own = readGiven(document);
  let best = NO_CALL;
  for (const before of rows) {
    const text = documents.get(before.resultId);
    if (text === undefined) continue;
    const difference = compareDocuments(readGiven(text), own);
    const fewest = best.difference?.changes.length ?? Infinity;
    if (difference.changes.length < fewest) best = { before, difference };
  }
  return best;
}

/** Reads what is to be said of contents and code: also of what this run would bring in, which no result has yet. */
async function learn(
  db: Db,
  compared: ReadonlyMap<DryCall, Compared>,
  last: RunCalls | null,
  makers: ReadonlyMap<Digest, DryCall>,
  own: ReadonlyMap<Digest, CodeListing>,
) {
  const differences = [...compared.values()].flatMap(({ difference }) => difference ?? []);
  const digests = [...new Set(differences.flatMap(digestsIn))];
  const contents = new Map(await describeContents(db, digests));
  const contentsBefore = withMakers(contents, digests, last);
  const places = new Map<Digest, string>();
  for (const digest of digests) {
    const maker = makers.get(digest);
    if (maker === undefined || bringsIn(maker.step) === null) continue;
    const { label, step } = maker;
    const hints = maker.hints as { readonly place?: string; readonly bytes?: number } | null;
    if (label !== null) places.set(digest, [label, hints?.place].filter((one) => one).join(" "));
    if (!contents.has(digest)) {
      const bytes = hints?.bytes ?? 0;
      const content: KnownContent = {
        ...{ digest, step, label, bytes, resultId: "", port: "file", codec: "file", runId: null },
      };
      contents.set(digest, content);
    }
  }
  const listings = await readListings(db, [...new Set(differences.flatMap(codeIn))]);
  return { contents, contentsBefore, listings: new Map([...listings, ...own]), places };
}

/** Why a call is no hit, in a sentence. */
function becauseOf(
  { state, cause, label, waitsFor, neededBy, found, error }: DryCall,
  of: Compared,
  reasons: readonly Reason[],
): string | null {
  if (state === "hit") return null;
  if (state === "failed") return error;
  if (state === "unknown") {
    if (waitsFor.length === 0) return "looks at the world in every run";
    return found === null ? null : "a hit if that gives what it gave";
  }
  if (cause === "forced") return "you insist: --force";
  if (cause === "dropped" && neededBy !== null) {
    return `its bytes were dropped: made again for ${callInScope(neededBy)}`;
  }
  if (cause === "gone") return "its result is known, but a blob of it is gone";
  if (reasons.length > 0) return null;
  if (of.before !== null) return "its result of the last run was forgotten";
  return isNumbered(label)
    ? "it has not run before"
    : `it has not run before as ${oneLine(label ?? "")}`;
}

/** What is known of contents, with the call of a run as what gave them where it has one: another run may have had the same bytes of another. */
export function withMakers(
  contents: ReadonlyMap<Digest, KnownContent>,
  digests: readonly Digest[],
  calls: RunCalls | null,
): ReadonlyMap<Digest, KnownContent> {
  const own = new Map(contents);
  if (calls === null) return own;
  for (const digest of digests) {
    const call = calls.maker(digest);
    if (call === null) continue;
    const runId = call.state === "ran" ? calls.runId : null;
    own.set(digest, contentOf(digest, { ...call, runId }));
  }
  return own;
}
