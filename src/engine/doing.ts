// Doing a step: pin, look its key up, run it where nothing is found, commit.

import { canonicalJson, type Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { BlobError } from "../store/blobs.ts";
import { type StoredResult } from "../store/results.ts";
import { ask, keyOf } from "./asking.ts";
import { waitForClaim, withClaim } from "./claiming.ts";
import { heal, hopeless, MAX_HEALS, rememberProducer, removeDamaged } from "./healing.ts";
import type { StepKey } from "./key.ts";
import { noteFailure, noteHit, noteWaiting } from "./noting.ts";
import { observe, readWorld } from "./observing.ts";
import { type AnyStep, type InputRecord, makeRefs } from "./ports.ts";
import { type Done, run, type Task, type Tried } from "./running.ts";
import type { Producer, Readable, ScopeState, Session, Sighting } from "./session.ts";
import type { OutputRefs, Ports, Ref, Step, StepArgs } from "./step.ts";
import { makeDropped, noteTemporary } from "./temporaries.ts";

/** How often a source may move while it is read before we give up for now. */
const MAX_MOVES = 3;

/** Does a step in a scope, or finds its result. */
export async function doStep<P extends Json, I, O extends Ports, H extends Json>(
  session: Session,
  scope: ScopeState,
  step: Step<P, I, O, H>,
  args: StepArgs<P, I, H>,
): Promise<OutputRefs<O>> {
  const { step: any, params, inputs } = ask(step, args);
  const stored = await find(session, scope, any, params, inputs);
  return makeRefs(any, stored) as OutputRefs<O>;
}

async function find(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  params: Json,
  inputs: InputRecord,
): Promise<StoredResult> {
  const asked = { step, params, inputs };
  for (let moves = 0; moves <= MAX_MOVES; moves++) {
    session.throwIfStopped();
    const { pin, seen } = await takePin(session, scope, step, params);
    const { key, document } = keyOf(session.pipeline, asked, pin);
    const task: Task = { key, document, pin, seen, inputs };
    const done = await share(session, scope, step, key, () => doOnce(session, scope, step, task));
    if (done.kind === "moved") continue;
    scope.facts.set(key, done.stored.factsDigest);
    noteTemporary(session, done);
    for (const { digest } of Object.values(done.stored.outputs)) {
      const make: Producer = (output) => remake(session, scope, step, task, done.stored, output);
      rememberProducer(session, digest, make);
    }
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
    const ask = step.pin;
    if (ask === null) return { pin: null, seen: null };
    const pin = await session.limit(async () => {
      session.throwIfStopped();
      return ask(session.signal);
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
    if (done.kind !== "moved") noteHit(session, scope, step, done.stored, startedAt, since);
    return done;
  } catch (error) {
    noteFailure(session, scope, step, { key, startedAt, since, error });
    throw error;
  }
}

async function doOnce(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  task: Task,
): Promise<Done> {
  const { key } = task;
  const startedAt = session.clock();
  const since = performance.now();
  const isForced = session.isForced(step.name) && !session.ownKeys.has(key);
  let isGone = false;
  const findKnown = async (): Promise<Extract<Done, { kind: "hit" | "ran" }> | null> => {
    if (isForced) return null;
    const known = await session.journal.find(key);
    if (known.kind === "gone" && !isGone) {
      session.log.warn(`${step.name}: a blob of its result is missing; the step is done again`);
      isGone = true;
    }
    return known.kind === "found" ? { kind: "hit", stored: known.stored } : null;
  };
  for (let heals = 0; ;) {
    let known = await findKnown();
    if (known === null) {
      try {
        await makeDropped(session, step.name, task.inputs);
      } catch (error) {
        noteFailure(session, scope, step, { key, startedAt, since, error });
        throw error;
      }
      const tried = await session.limit((hold) =>
        withClaim(session, key, async (n): Promise<Tried> => {
          // Another run may have given the claim back with a result since we looked.
          const made = await findKnown();
          const cause = isForced ? "forced" : isGone ? "gone" : null;
          return made ?? run(session, scope, step, task, { n, hold, isRemake: false, cause });
        }),
      );
      if (tried.kind === "ran" || tried.kind === "moved") return tried;
      if (tried.kind === "busy") {
        noteWaiting(session, scope, step, key, startedAt);
        await waitForClaim(session, step.name, key, tried, async () => {
          known = await findKnown();
          return known !== null;
        });
      }
      if (tried.kind === "damaged") {
        try {
          await healInputs(session, scope, step, tried.inputs, heals++);
        } catch (error) {
          noteFailure(session, scope, step, { key, startedAt, since, error });
          throw error;
        }
      }
      if (tried.kind === "hit") known = tried;
    }
    if (known !== null) {
      noteHit(session, scope, step, known.stored, startedAt, since);
      return known;
    }
  }
}

/** Has the inputs of a step made again that it could not read. */
async function healInputs(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  inputs: ReadonlyMap<Ref<unknown>, BlobError>,
  heals: number,
): Promise<void> {
  for (const [input, error] of inputs) {
    const what = scope.name === "" ? step.name : `${step.name} (${scope.name})`;
    session.log.warn(`${what} cannot read an input: ${error.message}; it is made again`);
    if (heals === MAX_HEALS) throw hopeless(error);
    await heal(session, input);
  }
}

/** Does a step again of whose result something is damaged. Where it gives something else now, the run starts over. */
async function remake(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  task: Task,
  stored: StoredResult,
  output: Readable,
): Promise<void> {
  const { key } = task;
  // Somebody may be at it in this run; there is one at a time for a key.
  while (session.doings.has(key)) await Promise.allSettled([session.doings.get(key)]);
  const doing = remakeOnce(session, scope, step, task, stored, output).finally(() =>
    session.doings.delete(key),
  );
  session.doings.set(key, doing);
  const done = await doing;
  if (done.kind !== "moved") {
    const digests = Object.values(done.stored.outputs).map(({ digest }) => digest);
    if (digests.includes(output.digest)) return;
  }
  session.startOver(
    `${step.name} gives another result than the one that is damaged: ${output.digest}`,
  );
}

async function remakeOnce(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  task: Task,
  stored: StoredResult,
  output: Readable,
): Promise<Done> {
  for (let heals = 0; ;) {
    await makeDropped(session, step.name, task.inputs);
    const tried = await session.limit((hold) =>
      withClaim(session, task.key, async (n): Promise<Tried> => {
        // Another run, or another reader, may have mended it since it was found.
        if ((await removeDamaged(session, output)) === 0) return { kind: "hit", stored };
        const cause = session.mayLackBytes.has(output.digest) ? "gone" : "damaged";
        const turn = { n, hold, isRemake: true, cause } as const;
        if (task.seen === null) return run(session, scope, step, task, turn);
        // Another look; what is seen now may be another result, under another key.
        const seen = await readWorld(session, step, hold);
        if (canonicalJson(seen.pin) !== canonicalJson(task.pin)) return { kind: "moved" };
        return run(session, scope, step, { ...task, seen }, turn);
      }),
    );
    if (tried.kind === "hit" || tried.kind === "ran" || tried.kind === "moved") return tried;
    if (tried.kind === "damaged") await healInputs(session, scope, step, tried.inputs, heals++);
    if (tried.kind === "busy") {
      await waitForClaim(session, step.name, task.key, tried, () => Promise.resolve(false));
    }
  }
}
