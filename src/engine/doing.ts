// Doing a step: pin, look its key up, run it where nothing is found, commit.

import { canonicalJson, type Json } from "../digest.ts";
import { HdashError, isAborted, messageOf } from "../error.ts";
import { digestFacts, makeFacts } from "../store/facts.ts";
import { commitResult, type StoredResult } from "../store/results.ts";
import { endAttempt, listAttempts } from "../store/stepAttempts.ts";
import { type Worked, workInAttempts } from "./attempts.ts";
import { type StepKey, stepKey } from "./key.ts";
import { observe, type Sighting } from "./observing.ts";
import type { Hold } from "./places.ts";
import {
  type AnyStep,
  type InputRecord,
  isList,
  makeRefs,
  mapValues,
  readInputs,
  storeOutputs,
} from "./ports.ts";
import { lostRun, type ScopeState, type Session } from "./session.ts";
import type { OutputRefs, OutputValues, Ports, Step, StepArgs } from "./step.ts";

/** How often a source may move while it is read before we give up for now. */
const MAX_MOVES = 3;

/** Callers are told of a step's progress ten times a second at most. */
const PROGRESS_MS = 100;

/** What a doing came to; "moved" where the source has moved in the meantime, so that the step has to be done again. */
type Done =
  { readonly kind: "hit" | "ran"; readonly stored: StoredResult } | { readonly kind: "moved" };

/** Does a step in a scope, or finds its result. */
export async function doStep<P extends Json, I, O extends Ports, H extends Json>(
  session: Session,
  scope: ScopeState,
  step: Step<P, I, O, H>,
  args: StepArgs<P, I, H>,
): Promise<OutputRefs<O>> {
  // As they are in the key: a step must not see an order of fields that its key does not have.
  const params = plain(step.name, "params", args.params);
  // InputRefs<I> is a ref, or a list of refs, for each input.
  const inputs = args.inputs as InputRecord;
  // StepArgs lets hints be missing only where null will do.
  const hints = plain(step.name, "hints", (args.hints ?? null) as H);
  const any: AnyStep = {
    kind: step.kind,
    name: step.name,
    version: step.version,
    outputs: step.outputs,
    uses: step.uses,
    repin: step.repin === true,
    attempts: step.attempts ?? 1,
    resources: (attempt, last) => {
      const { resources = {} } = step;
      return typeof resources === "function" ? resources(attempt, last) : resources;
    },
    pin: async (signal) =>
      plain(step.name, "pin", (await step.pin?.(params, signal, hints)) ?? null),
    run: async (values, ctx, pin) =>
      // decode() gives for each input what its port's type says.
      (await step.run(values as I, params, { ...ctx, hints }, pin)) satisfies OutputValues<O>,
  };
  const stored = await find(session, scope, any, params, inputs);
  return makeRefs(any, stored) as OutputRefs<O>;
}

/** Copies what a step is given, with its fields in the order that a key has. An error names the place and not the value: a hint may be a signed address. */
function plain<T extends Json>(step: string, what: string, value: T): T {
  try {
    // canonicalJson lets only JSON pass, which comes back as it was.
    return JSON.parse(canonicalJson(value)) as T;
  } catch (error) {
    throw new HdashError(
      "permanent",
      `${what} of step ${step} cannot be used: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

async function find(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  params: Json,
  inputs: InputRecord,
): Promise<StoredResult> {
  const digests = mapValues(inputs, (input) =>
    isList(input) ? input.map(({ digest }) => digest) : input.digest,
  );
  for (let moves = 0; moves <= MAX_MOVES; moves++) {
    session.throwIfStopped();
    const { pin, seen } = await takePin(session, scope, step, params);
    const { key, document } = stepKey({
      kind: step.kind,
      step: step.name,
      version: step.version,
      params,
      pin,
      ...(step.uses === undefined ? {} : { uses: step.uses }),
      inputs: digests,
    });
    const done = await share(session, scope, step, key, () =>
      doOnce(session, scope, step, { key, document, pin, seen, inputs }),
    );
    if (done.kind === "moved") continue;
    scope.facts.set(key, done.stored.factsDigest);
    return done.stored;
  }
  throw new HdashError(
    "transient",
    `the source of ${step.name} moved ${MAX_MOVES + 1} times while it was read`,
  );
}

/** Pins the source, or reads it where that is the pin; a failure counts as the step's. */
async function takePin(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  params: Json,
): Promise<{ readonly pin: Json; readonly seen: Sighting | null }> {
  const startedAt = session.clock();
  const since = performance.now();
  try {
    if (step.kind === "observation") {
      const seen = await observe(session, step, params);
      return { pin: seen.pin, seen };
    }
    const pin = await session.limit(async () => {
      session.throwIfStopped();
      return step.pin(session.signal);
    });
    return { pin, seen: null };
  } catch (error) {
    noteFailure(session, scope, step, { key: null, startedAt, since, error });
    throw error;
  }
}

/** Does what is not being done yet under this key; otherwise waits for the one who does. */
async function share(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  key: StepKey,
  work: () => Promise<Done>,
): Promise<Done> {
  // Only this function puts promises into the map.
  const going = session.doings.get(key) as Promise<Done> | undefined;
  if (going === undefined) {
    const own = work().finally(() => session.doings.delete(key));
    session.doings.set(key, own);
    return own;
  }
  const startedAt = session.clock();
  const since = performance.now();
  try {
    const done = await going;
    if (done.kind !== "moved") noteHit(session, scope, step, key, startedAt, since);
    return done;
  } catch (error) {
    noteFailure(session, scope, step, { key, startedAt, since, error });
    throw error;
  }
}

interface Task {
  readonly key: StepKey;
  readonly document: string;
  readonly pin: Json;
  /** What an observation found; null for every other step. */
  readonly seen: Sighting | null;
  readonly inputs: InputRecord;
}

async function doOnce(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  task: Task,
): Promise<Done> {
  const startedAt = session.clock();
  const since = performance.now();
  let isReplacing = session.isForced && !session.ownKeys.has(task.key);
  if (!isReplacing) {
    const known = await session.journal.find(task.key);
    if (known.kind === "found") {
      noteHit(session, scope, step, task.key, startedAt, since);
      return { kind: "hit", stored: known.stored };
    }
    if (known.kind === "gone") {
      session.log.warn(`${step.name}: a blob of its result is missing; the step is done again`);
      isReplacing = true;
    }
  }
  return session.limit((hold) => run(session, scope, step, task, hold, isReplacing));
}

async function run(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  { key, document, pin, seen, inputs }: Task,
  hold: Hold,
  isReplacing: boolean,
): Promise<Done> {
  session.throwIfStopped();
  const startedAt = seen?.startedAt ?? session.clock();
  const since = performance.now();
  const label = { scope: scope.name === "" ? null : scope.name, step: step.name, key };
  scope.noted.set(key, "running");
  session.onProgress({ kind: "stepStarted", ...label });
  const note = { scope: scope.name, step: step.name, key, error: null, startedAt, endedAt: null };
  session.journal.note({ ...note, state: "running", done: null, total: null });

  let toldAt = -PROGRESS_MS;
  let worked: Worked | null = null;
  /** Ends the attempt that gave a result; those that gave none are ended already. */
  const end = async (state: "succeeded" | "failed" | "cancelled", reason: string | null) => {
    if (worked === null) return;
    const { n, logDigest } = worked;
    const ended = { state, reason, logDigest, code: null, usage: null, endedAt: session.clock() };
    await session.keep(`ending ${step.name}`, () => endAttempt(session.db, { key, n }, ended));
  };
  try {
    if (seen === null) {
      worked = await workInAttempts(session, step, {
        ...{ key, pin, hold, first: (await listAttempts(session.db, key)).length + 1 },
        inputs: (folder) => readInputs(session, inputs, folder),
        isOwn: () => true,
        progress(done, total) {
          const now = performance.now();
          if (now - toldAt < PROGRESS_MS && done !== total) return;
          toldAt = now;
          session.journal.note({ ...note, state: "running", done, total });
          session.onProgress({ kind: "stepProgress", ...label, done, total });
        },
      });
    }
    session.throwIfStopped();
    if (step.repin === true) {
      const again = await step.pin(session.signal);
      if (canonicalJson(again) !== canonicalJson(pin)) {
        session.log.debug(`${step.name}: its source moved while it was read; it is read again`);
        session.journal.drop(scope.name, key);
        await end("cancelled", "its source moved while it was read");
        return { kind: "moved" };
      }
    }
    const outputs =
      worked === null
        ? (seen?.outputs ?? {})
        : await storeOutputs(session, step, worked.values, worked.folder);
    const facts = makeFacts(worked?.findings ?? [], worked?.measures ?? []);
    session.throwIfStopped();
    session.journal.drop(scope.name, key);
    const ms = seen?.ms ?? performance.now() - since;
    const result = {
      key,
      outputs,
      factsDigest: digestFacts(facts),
      step: step.name,
      version: step.version,
      document,
      facts,
      ms,
      scope: scope.name,
      startedAt,
      endedAt: session.clock(),
    };
    const commit = await session.keep(`committing ${step.name}`, () =>
      commitResult(session.db, session.lease, result, isReplacing),
    );
    if (commit.kind === "lost") {
      const lost = lostRun(session.lease);
      session.stop(lost);
      throw lost;
    }
    if (commit.kind === "differs") {
      const which = isReplacing ? "the new one counts" : "the one that was there first counts";
      session.log.warn(`${step.name} gave another result than before for the same key; ${which}`, {
        key,
      });
    }
    await end("succeeded", null);
    session.ownKeys.add(key);
    scope.noted.set(key, "ran");
    session.counts.ran++;
    session.onProgress({ kind: "stepEnded", ...label, state: "ran", durationMs: ms, error: null });
    return { kind: "ran", stored: commit.stored };
  } catch (error) {
    session.journal.drop(scope.name, key);
    noteFailure(session, scope, step, { key, startedAt, since, error });
    // A run that is stopped closes what it has left open.
    if (!session.signal.aborted) await end("failed", messageOf(error));
    throw error;
  } finally {
    await worked?.folder.remove();
  }
}

function noteHit(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  key: StepKey,
  startedAt: Date,
  since: number,
): void {
  const before = scope.noted.get(key);
  if (before !== undefined && before !== "failed") return;
  scope.noted.set(key, "hit");
  session.journal.note({
    scope: scope.name,
    step: step.name,
    key,
    state: "hit",
    done: null,
    total: null,
    error: null,
    startedAt,
    endedAt: session.clock(),
  });
  session.counts.hits++;
  session.onProgress({
    kind: "stepEnded",
    scope: scope.name === "" ? null : scope.name,
    step: step.name,
    key,
    state: "hit",
    durationMs: performance.now() - since,
    error: null,
  });
}

function noteFailure(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  failure: {
    readonly key: StepKey | null;
    readonly startedAt: Date;
    readonly since: number;
    readonly error: unknown;
  },
): void {
  // A step that was stopped has not failed; its replay will tell.
  if (session.signal.aborted || (failure.error instanceof HdashError && isAborted(failure.error)))
    return;
  if (failure.key !== null) {
    if (scope.noted.get(failure.key) === "failed") return;
    scope.noted.set(failure.key, "failed");
  }
  const error = messageOf(failure.error);
  session.journal.note({
    scope: scope.name,
    step: step.name,
    key: failure.key,
    state: "failed",
    done: null,
    total: null,
    error,
    startedAt: failure.startedAt,
    endedAt: session.clock(),
  });
  session.counts.failed++;
  session.onProgress({
    kind: "stepEnded",
    scope: scope.name === "" ? null : scope.name,
    step: step.name,
    key: failure.key,
    state: "failed",
    durationMs: performance.now() - failure.since,
    error,
  });
}
