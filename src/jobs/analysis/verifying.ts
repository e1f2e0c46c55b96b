// Doing a step of a user's pipeline again, as a result says that it was done, and comparing. The pipeline's module is opened anew: what its
// code gives now is of interest only where it is the code that the result was made by, or is trusted to stand for it.

import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";

import type { Json } from "../../digest.ts";
import type { Effects } from "../../effects.ts";
import { redo } from "../../engine/redoing.ts";
import { makePassingFolder, type WorkFolder } from "../../engine/scratch.ts";
import type { Resources } from "../../engine/step.ts";
import { isAborted, isSetup, messageOf } from "../../error.ts";
import { compareOutputs, type Difference } from "../../lineage/comparing.ts";
import { bringsIn } from "../../lineage/givenSteps.ts";
import type { LineageStep } from "../../lineage/graph.ts";
import { RESULTS_STEP } from "../../lineage/namedResult.ts";
import type { Trust } from "../../store/ancestry.ts";
import { BlobError } from "../../store/blobs.ts";
import { makeContentDigests } from "../../store/contentDigests.ts";
import { listHolding } from "../../store/trust.ts";
import { isSameCode, sayChanged } from "./changedCode.ts";
import type { Declared, OpenedStep } from "./opened.ts";
import { nameOfRuns } from "./plan.ts";
import { makeRunnable } from "./runnable.ts";
import { type Secrets } from "./secrets.ts";
import { loadModule, pipelineOf } from "./sources/loadPipeline.ts";
import { openSteps } from "./sources/openSteps.ts";
import { type CallParams, type UserStep } from "./steps.ts";
import { findInputs } from "./storedInputs.ts";
import { withTrust, wordsOf } from "./trusting.ts";
import { declaredSteps } from "./writing/declare.ts";

/** What came of a result. blocked: it could not be done again · the others are verdicts. */
export interface Verified {
  readonly state: "same" | "different" | "failed" | "blocked";
  /** Why it failed or could not be done; null for the others. */
  readonly why: string | null;
  readonly differences: readonly Difference[];
  readonly ms: number;
  /** Words that the code of now stands for that of the result; none where it is the same code. */
  readonly trusted: readonly Trust[];
}

/** A pipeline that is there to be done again. */
export interface Verifier {
  verify(of: LineageStep): Promise<Verified>;
}

/** How a pipeline is opened. */
export interface Verifying {
  /** Its module. */
  readonly path: string;
  /** Names of hdash's own jobs. */
  readonly names: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Processors that the machine has. */
  readonly cpus: number;
  readonly signal: AbortSignal;
}

/** Opens a pipeline as it is now. Throws usage where it cannot be loaded. */
export async function openVerifier(effects: Effects, how: Verifying): Promise<Verifier> {
  const pipeline = pipelineOf(await loadModule(how.path), how.path, how.names);
  const { signal } = how;
  const opened = await openSteps(how.path, pipeline, { contents: makeContentDigests(), signal });
  const names = declaredSteps().flatMap((one) => (one as Declared).secrets ?? []);
  const secrets = Object.fromEntries(names.map((name) => [name, how.environment[name] ?? null]));
  const { hidden, stepsOf } = makeRunnable(effects, opened, secrets);
  const steps = { stubs: stepsOf(true), real: stepsOf(false) };
  return {
    async verify(of) {
      const { document } = of;
      const isStub = document.pipeline === nameOfRuns(pipeline.name, { isStub: true });
      if (!isStub && document.pipeline !== pipeline.name) {
        return blocked(`${how.path} is the pipeline ${pipeline.name}, not ${document.pipeline}`);
      }
      const own = opened.steps.find(({ declared }) => declared.name === document.step);
      if (own === undefined) {
        return blocked(`${how.path} has no step ${document.step} any more`);
      }
      const { db } = await effects.database();
      const words = wordsOf(own, await listHolding(db, document.pipeline));
      const isOwn = isSameCode(document, own, isStub);
      const trusted = isOwn ? [] : words;
      const standsIn = withTrust({ ...opened, steps: [own] }, trusted).steps[0] ?? own;
      if (!isSameCode(document, standsIn, isStub)) {
        return blocked(await sayChanged(db, document, { step: own, opened, isStub }));
      }
      if (own.declared.kind === "container" && !isStub) {
        return blocked(`${document.step} runs in an image, which this hdash cannot do yet`);
      }
      const { step } = (isStub ? steps.stubs : steps.real)(own.declared);
      return verifyStep(effects, how, of, { step, own, hidden, trusted });
    },
  };
}

function blocked(why: string): Verified {
  return { state: "blocked", why, differences: [], ms: 0, trusted: [] };
}

/** A step as it is done now. */
interface Now {
  readonly step: UserStep;
  readonly own: OpenedStep;
  readonly hidden: Secrets;
  readonly trusted: readonly Trust[];
}

async function verifyStep(
  effects: Effects,
  { cpus, signal }: Verifying,
  { document, result, attempt }: LineageStep,
  { step, own, hidden, trusted }: Now,
): Promise<Verified> {
  const since = performance.now();
  const blobs = await effects.blobs();
  const { db } = await effects.database();
  const root = await makePassingFolder(await effects.scratch(), "verify-");
  const left = availableParallelism();
  const givenCpus = (asked: number): number => Math.max(1, Math.min(asked - 1, left));
  const seen = new Set<number>([left]);
  const ended = (rest: Pick<Verified, "state" | "why"> & Partial<Verified>): Verified => ({
    ...{ differences: [], trusted, ms: Math.round(performance.now() - since) },
    ...rest,
  });
  try {
    const began = effects.clock();
    const inputs = await findInputs({ db, blobs }, own.declared.takes, document);
    const call = { params: document.params as CallParams, inputs };
    const done = await redo(step, call, {
      ...{ blobs, signal, newFolder: folderIn(root) },
      resources(asked: Resources) {
        if (asked.cpus === undefined) return asked;
        seen.add(givenCpus(asked.cpus));
        return { ...asked, cpus: givenCpus(asked.cpus) };
      },
    });
    if (done.kind === "unread") return ended({ state: "blocked", why: done.error.message });
    if (done.kind === "failed") {
      return ended({ state: "failed", why: hidden.mask(messageOf(done.error)) });
    }
    const before = [cpus, attempt?.resources["cpus"] ?? cpus, 1];
    const differences = await compareOutputs(result.outputs, {
      ...{ stored: blobs, redone: done.redone },
      doings: { began, ended: effects.clock(), folder: root, cpus: { before, now: [...seen] } },
    });
    return ended({
      ...{ state: differences.length === 0 ? "same" : "different", why: null, differences },
    });
  } catch (error) {
    if (isAborted(error)) throw error;
    // What is not there to be done with says nothing about the step.
    if (!isSetup(error) && !(error instanceof BlobError)) throw error;
    return ended({ state: "blocked", why: hidden.mask(messageOf(error)) });
  } finally {
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Makes folders of attempts; names that are other ones each time. */
function folderIn(root: string): () => WorkFolder {
  return () => {
    let made: string | null = null;
    return {
      async make() {
        made ??= join(root, `step-${randomUUID().slice(0, 8)}`);
        await mkdir(made, { recursive: true });
        return made;
      },
      remove: () => Promise.resolve(),
    };
  };
}

/** Why a result is not done again; whether anybody takes it for work. */
export interface NotVerified {
  readonly isWork: boolean;
  readonly why: string;
}

/** Tells why a result is none of those that can be done again; null where it may be one. */
export function whyNot({ document }: Pick<LineageStep, "document">): NotVerified | null {
  const { uses, params } = document;
  const run = (params as { readonly run?: Json } | null)?.run;
  const kind = (uses as { readonly kind?: Json } | undefined)?.kind;
  if (bringsIn(document.step) !== null) return { isWork: false, why: "it was given" };
  if (document.step === RESULTS_STEP) return { isWork: false, why: "it names results" };
  if (typeof kind !== "string") {
    return { isWork: true, why: "only steps of a pipeline of your own can be done again" };
  }
  if (kind === "source") {
    return { isWork: true, why: "it reads the world, which may be another by now" };
  }
  if (run !== undefined) {
    return {
      isWork: true,
      why: 'it is done in every run (cache: "run"), and need not give the same',
    };
  }
  return null;
}
