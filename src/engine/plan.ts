// The plan as a pipeline sees it, bound to a scope or to none.

import { canonicalJson, type Digest, type Json } from "../digest.ts";
import { HdashError, isAborted, messageOf, publicMessageOf } from "../error.ts";
import type { FindingDelta } from "../finding.ts";
import { countDelta, listFindings, noDelta } from "../store/facts.ts";
import { listRunsBefore } from "../store/runs.ts";
import { endScope, findLastDone, listVersions, readMeasures, startScope } from "../store/scopes.ts";
import { pruneSteps } from "../store/stepRuns.ts";
import { decode, listContents, readManifest, streamBlob } from "./codec.ts";
import { doStep } from "./doing.ts";
import { heal, readHealed, rememberProducer, removeDamaged } from "./healing.ts";
import { publishPlace, publishSite } from "./publishing.ts";
import { factsDigestOf, lostRun, newScope, type ScopeState, type Session } from "./session.ts";
import type {
  BlobFile,
  Codec,
  Plan,
  Ref,
  ScopeHistory,
  ScopeOutcome,
  StoredFolder,
} from "./step.ts";

/** Versions of a scope's facts that history() tells where nobody says how many: years of weekly changes. */
const DEFAULT_VERSIONS = 200;

/** What is given before its content is read. */
const LATER: readonly Codec[] = ["file", "files", "folder", "folders"];

/** Makes the plan of a session for a scope ('' is none). */
export function makePlan(session: Session, scope: ScopeState): Plan {
  const { db, lease, withLedger } = session;

  /** Nothing can be asked of a plan whose scope or run is over: whoever still has it is a loose end. */
  function check(): void {
    session.throwIfStopped();
    if (!scope.isOpen) {
      throw new HdashError(
        "permanent",
        scope.name === "" ? "the run is over" : `the scope ${scope.name} is over`,
      );
    }
  }

  function scopeNamed(name: string | undefined): string {
    const found = name ?? scope.name;
    if (found === "")
      throw new HdashError("permanent", "outside of a scope, the scope has to be named");
    return found;
  }

  return {
    run: { id: lease.runId, startedAt: session.startedAt.toISOString(), build: session.build },

    do(step, args) {
      const doing = (async () => {
        check();
        return doStep(session, scope, step, args);
      })();
      scope.inFlight.add(doing);
      const forget = () => void scope.inFlight.delete(doing);
      doing.then(forget, forget);
      return doing;
    },

    async read<Out>(ref: Ref<Out>): Promise<Out> {
      check();
      // A file is read later, by whoever gets it: what is damaged of it has to be found now.
      if (LATER.includes(ref.codec)) await healFiles(session, ref);
      const folder = session.scratch.newFolder();
      // decode() gives what the ref's port says.
      const read = () => decode(session, ref, () => folder.make()) as Promise<Out>;
      return readHealed(session, ref, read);
    },

    async fileIn(folder, path) {
      check();
      return findFile(session, folder, path);
    },

    async value<T>(value: T): Promise<Ref<T, "private">> {
      check();
      let bytes: Uint8Array;
      try {
        // canonicalJson checks what it is given.
        bytes = new TextEncoder().encode(canonicalJson(value as Json));
      } catch (error) {
        throw new HdashError(
          "permanent",
          `a value of the plan cannot be stored: ${messageOf(error)}`,
          { cause: error },
        );
      }
      const put = () => withLedger("storing a value", () => session.blobs.put(bytes));
      const blob = await put();
      rememberProducer(session, blob.digest, async (output) => {
        if ((await removeDamaged(session, output)) > 0) await put();
      });
      return { ...blob, codec: "json", visibility: "private" };
    },

    async scope(name, fn, { title = null } = {}) {
      check();
      if (scope.name !== "") {
        throw new HdashError(
          "permanent",
          `scope ${name} is inside of scope ${scope.name}; scopes do not nest`,
        );
      }
      return doScope(session, name, title, fn);
    },

    async history(name, limit = DEFAULT_VERSIONS) {
      check();
      return readHistory(session, scopeNamed(name), limit);
    },

    async findings(runId, name) {
      check();
      if (runId === lease.runId) await session.journal.flush();
      return withLedger("reading findings", () => listFindings(db, runId, scopeNamed(name)));
    },

    async deltas() {
      check();
      return sortedRecord(session.deltas);
    },

    async runs(limit) {
      check();
      return withLedger("listing runs", () => listRunsBefore(db, lease.runId, limit));
    },

    say(news) {
      check();
      session.news = news;
    },

    async site(contents) {
      check();
      return publishSite(session, contents);
    },

    async publish(place, contents) {
      check();
      return publishPlace(session, place, contents);
    },
  };
}

/** Reads what a scope was before; its last time is the last that a finished run did it. */
async function readHistory(session: Session, scope: string, limit: number): Promise<ScopeHistory> {
  const { db, lease, pipeline, withLedger } = session;
  const versions = await withLedger("reading history", () =>
    listVersions(db, pipeline, lease.runId, scope, limit),
  );
  const done = await withLedger("reading history", () =>
    findLastDone(db, pipeline, lease.runId, scope),
  );
  const factsDigest = factsDigestOf(session.scopes.get(scope));
  if (done === null) return { factsDigest, versions, last: null };
  const measures = await withLedger("reading measures", () =>
    readMeasures(db, [done.runId], [scope]),
  );
  return {
    factsDigest,
    versions,
    last: {
      runId: done.runId,
      startedAt: done.startedAt.toISOString(),
      measures: measures.get(done.runId)?.get(scope) ?? {},
    },
  };
}

async function healFiles(session: Session, ref: Ref<unknown>): Promise<void> {
  await readHealed(session, ref, async () => {
    const contents = (await listContents(session, ref)).map(({ digest }) => digest);
    for (const digest of ref.codec === "file" ? [ref.digest] : contents) {
      for await (const _piece of streamBlob(session, digest));
    }
    // The plan may hand each of them on by itself.
    for (const digest of contents) rememberPart(session, digest, ref);
  });
}

async function findFile(
  session: Session,
  folder: Ref<StoredFolder>,
  path: string,
): Promise<Ref<BlobFile, "private"> | null> {
  const read = () => readManifest(session, folder.digest);
  const { files } = await readHealed(session, folder, read);
  const found = files.find((file) => file.path === path);
  if (found === undefined) return null;
  const { digest, bytes } = found;
  rememberPart(session, digest, folder);
  if (session.mayLackBytes.has(folder.digest)) session.mayLackBytes.add(digest);
  return { digest, bytes, codec: "file", visibility: "private" };
}

/** Has a file that belongs to an output made again by whoever made that. */
function rememberPart(session: Session, digest: Digest, whole: Ref<unknown>): void {
  rememberProducer(session, digest, () => heal(session, whole));
}

async function doScope<R>(
  session: Session,
  name: string,
  title: string | null,
  fn: (plan: Plan) => Promise<R>,
): Promise<ScopeOutcome<R>> {
  const { db, lease } = session;
  if (name === "") throw new HdashError("permanent", "a scope needs a name");
  const state = session.scopes.get(name) ?? newScope(name);
  if (session.scopes.has(name) && state.isOpen) {
    throw new HdashError("permanent", `scope ${name} is going on already`);
  }
  session.scopes.set(name, state);
  state.isOpen = true;
  const since = performance.now();
  const isOurs = await session.withLedger(`starting scope ${name}`, () =>
    startScope(db, lease, name, session.clock(), title),
  );
  if (!isOurs) stopLost(session);
  const called = title === null || title === name ? {} : { title };
  session.onProgress({ kind: "scopeStarted", scope: name, ...called });

  let outcome: ScopeOutcome<R>;
  try {
    outcome = { ok: true, value: await fn(makePlan(session, state)) };
  } catch (error) {
    // What stops the run is not the scope's affair.
    session.throwIfStopped();
    if (error instanceof HdashError && isAborted(error)) throw error;
    state.error ??= messageOf(error);
    outcome = { ok: false, error: messageOf(error), publicly: publicMessageOf(error) };
  }
  // Steps that nobody waits for any more still belong to the scope.
  await settle(state);
  state.isOpen = false;
  await closeScope(session, state);
  session.onProgress({
    kind: "scopeEnded",
    scope: name,
    ok: outcome.ok,
    error: outcome.ok ? null : outcome.error,
    durationMs: performance.now() - since,
  });
  return outcome;
}

/** Waits until nothing is going on in a scope, also not what the ends of steps have begun. */
export async function settle(scope: ScopeState): Promise<void> {
  while (scope.inFlight.size > 0) {
    await Promise.allSettled(scope.inFlight);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function closeScope(session: Session, scope: ScopeState): Promise<void> {
  const { db, lease, withLedger } = session;
  session.throwIfStopped();
  await session.journal.flush();
  const isDone = scope.error === null;
  const factsDigest = factsDigestOf(scope);
  let delta: FindingDelta | null = null;
  if (isDone) {
    if (lease.attempt > 1)
      await withLedger("forgetting steps", () => pruneSteps(db, lease, scope.name));
    delta = await withLedger("comparing findings", () => compare(session, scope.name, factsDigest));
    session.deltas.set(scope.name, delta);
  } else {
    session.deltas.delete(scope.name);
  }
  const isOurs = await withLedger(`ending scope ${scope.name}`, () =>
    endScope(db, lease, scope.name, {
      status: isDone ? "done" : "failed",
      error: scope.error,
      factsDigest: isDone ? factsDigest : null,
      delta,
      endedAt: session.clock(),
    }),
  );
  if (!isOurs) stopLost(session);
}

async function compare(
  { db, pipeline, lease }: Session,
  scope: string,
  factsDigest: string,
): Promise<FindingDelta | null> {
  const last = await findLastDone(db, pipeline, lease.runId, scope);
  if (last === null) return null;
  if (last.factsDigest === factsDigest) return noDelta();
  return countDelta(db, scope, lease.runId, last.runId);
}

function stopLost(session: Session): never {
  const lost = lostRun(session.lease);
  session.stop(lost);
  throw lost;
}

/** Makes a record in the order of its keys: the order in which scopes end is chance. */
export function sortedRecord<T>(map: ReadonlyMap<string, T>): Readonly<Record<string, T>> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
