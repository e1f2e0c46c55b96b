// The walk from results to all that they were made of: documents name their inputs by content, the ledger knows who made it. Level by level,
// each with a few statements, whatever its width.

import type { Digest } from "../digest.ts";
import type { StepDocument } from "../engine/key.ts";
import {
  type CallOfRun,
  findCandidates,
  findMakersInRuns,
  findWholesOf,
  listCalls,
  listSightingsIn,
  listTrust,
  listVerdicts,
  type MadeBy,
  readAttempts,
  type Trust,
  type Verdict,
} from "../store/ancestry.ts";
import { type LedgerResult, readResults } from "../store/lineage.ts";
import type { Db } from "../store/schema.ts";
import { inputsOf, readDocument, userUses } from "./document.ts";

/** Where some content is from. */
export interface Origin {
  /** The result that has it, or the list that names it, as an output. */
  readonly resultId: string;
  readonly port: string;
  /** Where it lies in that list; null where it is the output itself. */
  readonly path: string | null;
}

/** Something that a result was made of. */
export interface LineageInput {
  /** "tables", or "tables[1]". */
  readonly name: string;
  readonly digest: Digest;
  /** Null where nobody knows, or the walk has ended before. */
  readonly from: Origin | null;
}

/** A result with what it was made of, and how. */
export interface LineageStep {
  readonly result: LedgerResult;
  readonly document: StepDocument;
  readonly inputs: readonly LineageInput[];
  /** How far it is from what was asked for: 0 is the result itself. */
  readonly level: number;
  /** How it was called, in the runs that this lineage is of; the one that made it comes first. */
  readonly calls: readonly CallOfRun[];
  /** The attempt that made it; null for results from before attempts were kept. */
  readonly attempt: MadeBy | null;
  readonly verdict: Verdict | null;
  readonly trusted: readonly Trust[];
}

/** Results and all that they were made of, as far as the walk went. */
export interface Lineage {
  /** Every maker before who has read it; results of equal rank by their ids. */
  readonly steps: readonly LineageStep[];
  /** The runs that made them, by id, ascending. */
  readonly runIds: readonly string[];
  /** True where there is more, beyond the depth that was asked for. */
  readonly isCut: boolean;
}

/** How far to walk, and for whom. */
export interface Walking {
  /** Levels behind what was asked for; null: all. */
  readonly depth?: number | null;
  /** A run whose calls are told, too, whoever made the results. */
  readonly runId?: string | null;
  readonly signal?: AbortSignal;
}

/** Who is taken to have made something: a result that has some content, in which what was read lies at a path. */
interface Chosen {
  readonly id: string;
  readonly content: Digest;
  readonly path: string | null;
}

interface Met {
  readonly result: LedgerResult;
  readonly document: StepDocument;
  readonly level: number;
  readonly from: Map<Digest, Chosen>;
}

/** Walks from results to what they were made of. */
export async function walkLineage(
  db: Db,
  from: readonly LedgerResult[],
  { depth = null, runId = null, signal }: Walking = {},
): Promise<Lineage> {
  const met = new Map<string, Met>();
  const origins = makeOrigins(db);
  let level = from.map((result) => meet(met, result, 0));
  let isCut = false;
  for (let at = 1; level.length > 0; at++) {
    signal?.throwIfAborted();
    if (depth !== null && at > depth) {
      isCut = level.some(({ document }) => inputsOf(document).length > 0);
      break;
    }
    const found = await origins.find(level);
    const unknown = [...new Set(found)].filter((id) => !met.has(id));
    const results = await readResults(db, unknown);
    level = results.map((result) => meet(met, result, at));
  }
  return { ...(await describe(db, met, runId)), isCut };
}

function meet(met: Map<string, Met>, result: LedgerResult, level: number): Met {
  const one = { result, document: readDocument(result.document), level, from: new Map() };
  met.set(result.id, one);
  return one;
}

/** Finds where the inputs of levels are from; what one level has found out of some content is not asked again. */
function makeOrigins(db: Db) {
  const makers = new Map<Digest, readonly string[]>();
  const popularOnes = new Set<Digest>();
  const inRuns = new Map<string, readonly string[]>();

  /** What may have made each content, for results of each of these runs. */
  async function candidates(digests: readonly Digest[], level: readonly Met[]) {
    const found = await findCandidates(
      db,
      digests.filter((digest) => !makers.has(digest)),
    );
    for (const digest of digests) {
      if (!makers.has(digest)) makers.set(digest, found.makers.get(digest) ?? []);
    }
    for (const digest of found.popular) popularOnes.add(digest);
    const popular = digests.filter((digest) => popularOnes.has(digest));
    const runIds = [...new Set(level.flatMap(({ result }) => result.runId ?? []))];
    const unasked = popular.filter((digest) =>
      runIds.some((runId) => !inRuns.has(`${runId} ${digest}`)),
    );
    const own = await findMakersInRuns(db, unasked, unasked.length === 0 ? [] : runIds);
    const those = Map.groupBy(own, ({ runId, digest }) => `${runId} ${digest}`);
    for (const digest of unasked) {
      for (const runId of runIds) {
        const place = `${runId} ${digest}`;
        inRuns.set(
          place,
          (those.get(place) ?? []).map(({ resultId }) => resultId),
        );
      }
    }
    const several = digests.flatMap((digest) => {
      const ids = popularOnes.has(digest) ? [] : (makers.get(digest) ?? []);
      return ids.length > 1 ? ids : [];
    });
    const sightings = await listSightingsIn(db, [...new Set(several)], runIds);
    const seen = new Set(sightings.map((one) => `${one.runId} ${one.resultId}`));
    return (reader: LedgerResult, digest: Digest) => {
      const own = inRuns.get(`${reader.runId} ${digest}`) ?? [];
      // Of what is popular, the run's own count; where it has seen none, or is forgotten, any.
      const ids = own.length > 0 ? own : (makers.get(digest) ?? []);
      return ids.map((id) => ({ id, isSeen: own.length > 0 || seen.has(`${reader.runId} ${id}`) }));
    };
  }

  return {
    /** Notes for each of a level where its inputs are from, and gives the ids of those results. */
    async find(level: readonly Met[]): Promise<readonly string[]> {
      const digests = [
        ...new Set(level.flatMap(({ document }) => inputsOf(document).map((one) => one.digest))),
      ];
      const makersOf = await candidates(digests, level);
      const wholes = await findWholesOf(db, digests);
      const listed = Map.groupBy(wholes, ({ part }) => part);
      const wholeMakersOf = await candidates([...new Set(wholes.map(({ whole }) => whole))], level);
      const ids: string[] = [];
      for (const { result, document, from } of level) {
        for (const { digest } of inputsOf(document)) {
          if (from.has(digest)) continue;
          const places = [
            ...makersOf(result, digest).map((one) => ({ ...one, content: digest, path: null })),
            ...(listed.get(digest) ?? []).flatMap(({ whole, path }) =>
              wholeMakersOf(result, whole).map((one) => ({ ...one, content: whole, path })),
            ),
          ];
          const chosen = choose(result, places);
          if (chosen === null) continue;
          from.set(digest, chosen);
          ids.push(chosen.id);
        }
      }
      return ids;
    },
  };
}

/**
 * Chooses who has made what a result was made of, where several have given the same: a result that was there before, and that the run has
 * seen; the newest of those.
 */
function choose(
  reader: LedgerResult,
  places: readonly (Chosen & { readonly isSeen: boolean })[],
): Chosen | null {
  let best: Chosen | null = null;
  let bestRank = -1;
  for (const { isSeen, ...one } of places) {
    if (one.id === reader.id) continue;
    const rank = (Number(one.id) < Number(reader.id) ? 2 : 0) + (isSeen ? 1 : 0);
    const isNewer = best === null || Number(one.id) > Number(best.id);
    if (rank > bestRank || (rank === bestRank && isNewer)) [best, bestRank] = [one, rank];
  }
  return best;
}

/** The port of an output; null where a result has no such content. */
function originOf(met: ReadonlyMap<string, Met>, chosen: Chosen | undefined): Origin | null {
  if (chosen === undefined) return null;
  const outputs = met.get(chosen.id)?.result.outputs ?? {};
  const port = Object.entries(outputs).find(([, { digest }]) => digest === chosen.content)?.[0];
  return port === undefined ? null : { resultId: chosen.id, port, path: chosen.path };
}

/** Puts every maker before who has read it. Ids are in the order of making; what was brought from elsewhere may not be. */
function inOrder(met: ReadonlyMap<string, Met>): readonly Met[] {
  const done = new Set<string>();
  const order: Met[] = [];
  const sorted = [...met.values()].sort((a, b) =>
    Number(BigInt(a.result.id) - BigInt(b.result.id)),
  );
  for (const start of sorted) {
    const waiting = [start];
    // A stack of our own: a chain of 100,000 steps is deeper than the program's.
    const open = new Set<string>();
    for (let one = waiting.at(-1); one !== undefined; one = waiting.at(-1)) {
      const { id } = one.result;
      const before = [...one.from.values()].flatMap(({ id: before }) => {
        const maker = met.get(before);
        return maker === undefined || done.has(before) || open.has(before) ? [] : [maker];
      });
      if (done.has(id) || open.has(id) || before.length === 0) {
        waiting.pop();
        if (!done.has(id)) order.push(one);
        done.add(id);
        continue;
      }
      open.add(id);
      waiting.push(...before);
    }
  }
  return order;
}

/** Adds how each was called, tried, verified and trusted. */
async function describe(
  db: Db,
  met: ReadonlyMap<string, Met>,
  runId: string | null,
): Promise<Pick<Lineage, "steps" | "runIds">> {
  const order = inOrder(met);
  const made = order.flatMap(({ result }) => result.runId ?? []);
  const runIds = [...new Set(made)].sort((a, b) => Number(a) - Number(b));
  const ids = order.map(({ result }) => result.id);
  const codes = order.flatMap(({ document }) => userUses(document)?.code ?? []);
  const [calls, attempts, verdicts, trusts] = await Promise.all([
    listCalls(db, ids, runId === null ? runIds : [...new Set([...runIds, runId])]),
    readAttempts(
      db,
      order.flatMap(({ result: { key, attempt } }) =>
        attempt === null ? [] : [{ key, n: attempt }],
      ),
    ),
    listVerdicts(db, ids),
    listTrust(db, codes),
  ]);
  const callsOf = Map.groupBy(calls, ({ resultId }) => resultId);
  const attemptOf = new Map(attempts.map((one) => [`${one.key} ${one.n}`, one]));
  const verdictOf = new Map([...verdicts].reverse().map((one) => [one.resultId, one]));
  const steps = order.map(({ result, document, level, from }): LineageStep => {
    const code = userUses(document)?.code;
    return {
      ...{ result, document, level },
      inputs: inputsOf(document).map(({ name, digest }) => ({
        ...{ name, digest, from: originOf(met, from.get(digest)) },
      })),
      calls: (callsOf.get(result.id) ?? []).sort(
        (a, b) => Number(b.runId === result.runId) - Number(a.runId === result.runId),
      ),
      attempt: attemptOf.get(`${result.key} ${result.attempt ?? ""}`) ?? null,
      verdict: verdictOf.get(result.id) ?? null,
      trusted: trusts.filter(
        (one) =>
          one.standsFor === code &&
          one.pipeline === document.pipeline &&
          one.step === document.step,
      ),
    };
  });
  return { steps, runIds };
}
