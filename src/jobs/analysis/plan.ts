// A user's plan, played by the engine: each call of a step is a do(), each handle its result, each scope a scope.

import type { Json } from "../../digest.ts";
import type { Pipeline, Plan, Ref, StoredFolder } from "../../engine/step.ts";
import { HdashError, isAborted } from "../../error.ts";
import { inFull, valueProblem } from "./data/shapes.ts";
import { type Skeleton, takeApart } from "./data/skeleton.ts";
import { callFailed, failureOf, firstFailure, NotRun } from "./failing.ts";
import {
  begun,
  endingOf,
  isHandle,
  lazily,
  makeHandle,
  type Promised,
  promisedOf,
} from "./handles.ts";
import { blobOf, gotOf } from "./inputs.ts";
import type { Opened, OpenedStep } from "./opened.ts";
import type { Secrets } from "./secrets.ts";
import type { CallParams, UserStep } from "./steps.ts";
import { dataName, dataOf, type DeclaredData } from "./writing/data.ts";
import type { Shape } from "./writing/kinds.ts";
import type { PlanTools, ScopeResult } from "./writing/pipeline.ts";

/** What playing a plan needs beside the engine. */
export interface Playing {
  readonly opened: Opened;
  /** Values of which nothing may be told or kept. */
  readonly secrets: Secrets;
  stepOf(declared: object): { readonly step: UserStep; readonly opened: OpenedStep };
  /** Makes of what the user gave what the plan takes: files become handles. */
  takes(
    plan: Plan,
    handle: (promised: Promised, isFolder: boolean) => object,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Brings a file that is known by its digest. */
  fetchData(plan: Plan, data: DeclaredData): Promise<Ref<unknown>>;
  /** Runs something with the plan of a scope as the one that steps are done in. */
  inScope<R>(plan: Plan, part: () => Promise<R>): Promise<R>;
  /** The plan of the scope that is going on here; null outside of scopes. */
  scopePlan(): Plan | null;
  /** Results that are to be made, and nothing that they do not need; null: all that the plan calls. */
  readonly only: readonly string[] | null;
  /** Whether steps that have a stub are done by that. */
  readonly isStub: boolean;
  /** Keeps what the pipeline has given, and tells of it. */
  give(plan: Plan, results: readonly Result[]): Promise<void>;
}

/** One of the values that a pipeline gives, in parts: a list is as many as it has. */
export interface Result {
  /** "merged", "merged[1]". */
  readonly name: string;
  readonly value: Json | Ref<unknown>;
  readonly isRef: boolean;
  /** How the name of its file ends, where it is one and something tells that. */
  readonly ending: string;
}

type Row = Readonly<Record<string, unknown>>;

/** Makes the engine's pipeline of a user's. */
export function makeUserPipeline(playing: Playing): Pipeline<Json> {
  const { pipeline } = playing.opened;
  return {
    name: nameOfRuns(pipeline.name, playing),
    async plan(plan) {
      const made: Promised[] = [];
      const all = { calls: new Map<string, number>(), made };
      const tools = makeTools(playing, plan, all);
      const values = await playing.takes(plan, (promised, isFolder) =>
        handleOf(plan, promised, isFolder),
      );
      // Its declaration has given it its types.
      const userPlan = pipeline.plan as unknown as (values: Row, tools: PlanTools) => Promise<Row>;
      const given = await wholly(playing, made, () => userPlan(values, tools));
      const wanted = Object.entries(pipeline.gives).filter(
        ([name]) => playing.only === null || playing.only.includes(name),
      );
      const results = await resultsOf(playing, plan, Object.fromEntries(wanted), given);
      for (const { name, value, isRef } of results) {
        if (!isRef) refuseSecret(playing, `the plan's ${name}`, value);
      }
      await playing.give(plan, results);
    },
  };
}

/** Under which name runs are kept. With stubs it is one of their own: no name of a pipeline has a colon, and nobody takes the one's results for the other's. */
export function nameOfRuns(pipeline: string, { isStub }: { readonly isStub: boolean }): string {
  return isStub ? `${pipeline}:stub` : pipeline;
}

interface Made {
  /** How often a step was called by now, for who has no other name. */
  readonly calls: Map<string, number>;
  /** Handles of what was called outside of scopes. */
  readonly made: Promised[];
}

function makeTools(playing: Playing, outside: Plan, all: Made): PlanTools {
  /** Handles of the scopes that are going on, by their plan. */
  const inScopes = new Map<Plan, Promised[]>();
  const tools = {
    run(declared: object, values: Row, { label }: { readonly label?: string } = {}) {
      const plan = playing.scopePlan() ?? outside;
      const { step, opened } = playing.stepOf(declared);
      const { name, takes, gives } = opened.declared;
      const number = (all.calls.get(name) ?? 0) + 1;
      all.calls.set(name, number);
      const called = playing.secrets.mask(label ?? labelOf(values, number));
      const subject = `${name} ${called}`;
      const strange = Object.keys(values).find((one) => !Object.hasOwn(takes, one));
      if (strange !== undefined) {
        throw new HdashError(
          "permanent",
          `${subject} is given ${strange}, which it does not take: it takes ${Object.keys(takes).join(", ")}`,
        );
      }
      let going: ReturnType<typeof call> | null = null;
      const named = { subject, label: called };
      const calling = () => (going ??= call(playing, plan, { step, opened }, values, named));
      // A scope has to know whether it fails.
      const isLazy = playing.only !== null && plan === outside;
      const handles = Object.entries(gives).map(([port, { shape }]) => {
        const promised = lazily(
          `${subject}.${port}`,
          async () => (await calling())[port] as Ref<unknown>,
          { label: called, path: shape.kind === "file" ? shape.path : null },
        );
        if (!isLazy) begun(promised);
        (inScopes.get(plan) ?? all.made).push(promised);
        return [port, handleOf(plan, promised, shape.kind === "folder")] as const;
      });
      return Object.fromEntries(handles);
    },

    async read(handle: unknown) {
      const plan = playing.scopePlan() ?? outside;
      const file = dataOf(handle);
      const promised =
        file === null
          ? promisedOf(handle)
          : lazily(dataName(file.url), () => playing.fetchData(plan, file), {
              path: dataName(file.url),
            });
      if (promised === null) {
        throw new HdashError("permanent", "read() takes a handle, as run() gives it");
      }
      const ref = await promised.ref;
      const value = await plan.read(ref);
      return gotOf(readShape(ref), value, promised.subject);
    },

    async scope<R>(name: string, part: () => Promise<R> | R): Promise<ScopeResult<R>> {
      refuseSecret(playing, "the name of a scope", name);
      const outcome = await outside.scope(name, (plan) => {
        const made: Promised[] = [];
        inScopes.set(plan, made);
        return playing.inScope(plan, () => wholly(playing, made, part));
      });
      return outcome.ok ? outcome : { ok: false, error: outcome.error };
    },
  };
  return tools as unknown as PlanTools;
}

/** As what a stored result is read where nobody says of which kind it is. */
function readShape({ codec }: Ref<unknown>): Shape {
  if (codec === "file") return { kind: "file", path: null };
  if (codec === "folder") return { kind: "folder", path: null };
  if (codec === "files") return { kind: "list", of: { kind: "file", path: null } };
  if (codec === "folders") return { kind: "list", of: { kind: "folder", path: null } };
  return { kind: "json" };
}

/** Does a step once all that it takes is there. */
async function call(
  playing: Playing,
  plan: Plan,
  { step, opened }: { readonly step: UserStep; readonly opened: OpenedStep },
  values: Row,
  { subject, label }: { readonly subject: string; readonly label: string },
): Promise<Readonly<Record<string, Ref<unknown>>>> {
  const { declared } = opened;
  const skeletons: Record<string, Skeleton> = {};
  const inputs: Record<string, readonly Ref<unknown>[]> = {};
  for (const [name, { shape }] of Object.entries(declared.takes)) {
    const handles: unknown[] = [];
    const value = inFull(shape, values[name] ?? null);
    if (value === null && shape.kind !== "optional") {
      throw new HdashError("permanent", `${subject} is not given ${name}`);
    }
    const problem = valueProblem(shape, value, name, isHeld);
    if (problem !== null) throw new HdashError("permanent", `${subject}: ${problem}`);
    const skeleton = takeApart(value, isHeld, handles);
    refuseSecret(playing, `${name} of ${subject}`, skeleton);
    skeletons[name] = skeleton;
    if (handles.length > 0) inputs[name] = await refsOf(playing, plan, handles, subject);
  }
  refuseSecret(playing, `env of ${subject}`, declared.env ?? {});
  const params: CallParams = {
    values: skeletons,
    ...(declared.cache === "run" ? { run: plan.run.id } : {}),
  };
  try {
    return await plan.do(step, { params, inputs, label });
  } catch (error) {
    if (isAborted(error) || error instanceof NotRun) throw error;
    throw callFailed(subject, error);
  }
}

/** Refuses a value that would be kept with a secret in it: in the ledger, and wherever it tells of what a result was made. */
function refuseSecret({ secrets }: Playing, what: string, value: unknown): void {
  if (secrets.isEmpty) return;
  const name = secrets.nameIn(JSON.stringify(value) ?? "");
  if (name === null) return;
  throw new HdashError("permanent", `${what} holds the secret ${name}, and would be kept`, {
    hint: `A step gets a secret by its name: secrets: ["${name}"].`,
  });
}

/** Handles, files that were read, and those known by their digest. */
function isHeld(value: unknown): value is object {
  return isHandle(value) || blobOf(value) !== null || dataOf(value) !== null;
}

async function refsOf(
  playing: Playing,
  plan: Plan,
  handles: readonly unknown[],
  subject: string,
): Promise<readonly Ref<unknown>[]> {
  const refs: Ref<unknown>[] = [];
  for (const handle of handles) {
    const blob = blobOf(handle);
    if (blob !== null) {
      const { digest, bytes } = blob;
      refs.push({ digest, bytes, codec: "file", visibility: "private" });
      continue;
    }
    const file = dataOf(handle);
    try {
      const ref = file === null ? promisedOf(handle)?.ref : playing.fetchData(plan, file);
      refs.push((await ref) as Ref<unknown>);
    } catch (error) {
      if (isAborted(error)) throw error;
      throw new NotRun(subject, firstFailure(error));
    }
  }
  return refs;
}

async function findFile(plan: Plan, folder: Promised, path: string): Promise<Ref<unknown>> {
  // Only what is a folder has at().
  const found = await plan.fileIn((await folder.ref) as Ref<StoredFolder>, path);
  if (found !== null) return found;
  throw new HdashError("permanent", `${folder.subject} has no file ${path}`);
}

function handleOf(plan: Plan, promised: Promised, isFolder: boolean): object {
  return makeHandle(promised, isFolder, (folder, path) => findFile(plan, folder, path));
}

/** Does a part of a plan to its end, with all that it has called; what failed first is thrown, when all else has ended. */
async function wholly<R>(
  { secrets }: Playing,
  made: readonly Promised[],
  part: () => Promise<R> | R,
): Promise<R> {
  const [own] = await Promise.allSettled([(async () => part())()]);
  const failed = await settleAll(made);
  if (own.status === "fulfilled" && failed.length === 0) return own.value;
  const failures = own.status === "rejected" ? [own.reason as unknown, ...failed] : failed;
  throw secrets.maskError(failureOf(failures));
}

function begunOf(made: readonly Promised[]): readonly Promise<Ref<unknown>>[] {
  return made.flatMap((one) => (one.isBegun ? [one.ref] : []));
}

/** Waits for all handles, and gives what they failed with. */
async function settleAll(made: readonly Promised[]): Promise<readonly unknown[]> {
  let ended: readonly PromiseSettledResult<unknown>[] = [];
  // What is called while others end is waited for, too.
  while (ended.length !== begunOf(made).length) {
    ended = await Promise.allSettled(begunOf(made));
  }
  return ended.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
}

/** How a call is called where its plan says nothing: by the texts that it is given, by its files, else by its number. */
function labelOf(values: Row, number: number): string {
  const words = Object.values(values).flatMap((value) => {
    if (typeof value === "string" && value !== "" && value.length <= MOST_LABEL) return [value];
    if (!Array.isArray(value)) return wordOf(value);
    const [first, ...others] = value as readonly unknown[];
    const word = wordOf(first);
    return word.length === 0 || others.length === 0 ? word : [...word, `+${others.length}`];
  });
  // A file that is given twice is named once.
  const label = [...new Set(words)].join(" ");
  return label === "" || label.length > LONGEST_LABEL ? `#${number}` : label;
}

/** What is said of a handle: the name of the file that was given, or how the call is called that gives it. */
function wordOf(value: unknown): readonly string[] {
  const promised = promisedOf(value);
  if (promised === null) return [];
  const { subject, label } = promised;
  if (label !== undefined) return label.startsWith("#") ? [] : [label];
  return subject.startsWith(GIVEN) ? [subject.slice(GIVEN.length)] : [];
}
const MOST_LABEL = 40;
const LONGEST_LABEL = 120;
/** How handles of what the user gave are called: by the name of their file. */
export const GIVEN = "given ";

async function resultsOf(
  playing: Playing,
  plan: Plan,
  gives: Readonly<Record<string, { readonly shape: Shape }>>,
  given: Row,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  if (typeof given !== "object" || given === null) {
    throw new HdashError(
      "permanent",
      "the plan returned nothing; it returns what the pipeline gives",
    );
  }
  const add = async (name: string, shape: Shape, value: unknown): Promise<void> => {
    if (isHeld(value)) {
      const [ref] = await refsOf(playing, plan, [value], name);
      const data = dataOf(value);
      const ending = data === null ? promisedOf(value)?.ending : endingOf(dataName(data.url));
      if (ref !== undefined) results.push({ name, value: ref, isRef: true, ending: ending ?? "" });
    } else if (shape.kind === "list" && Array.isArray(value)) {
      for (const [at, one] of value.entries()) await add(`${name}[${at}]`, shape.of, one);
    } else if (value === null || value === undefined) {
      if (shape.kind !== "optional") {
        throw new HdashError(
          "permanent",
          `the plan did not return ${name}, which the pipeline gives`,
        );
      }
    } else {
      const problem = valueProblem(shape, value, name);
      if (problem !== null) throw new HdashError("permanent", `the plan's ${problem}`);
      results.push({ name, value: value as Json, isRef: false, ending: "" });
    }
  };
  for (const [name, { shape }] of Object.entries(gives)) await add(name, shape, given[name]);
  return results;
}
