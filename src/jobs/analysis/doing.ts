// The work of a user's step in the world: a function is called, a program is run; what they give is looked at.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

import { canonicalJson, type Json } from "../../digest.ts";
import type { StepContext } from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import { putTogether } from "./data/skeleton.ts";
import { gotOf } from "./inputs.ts";
import type { Declared, OpenedStep } from "./opened.ts";
import { givenByFunction, givenByProgram } from "./outputs.ts";
import { stage } from "./staging.ts";
import { type CallInputs, type CallParams, type DoStep, isStubbed, type PinStep } from "./steps.ts";
import type { StepTools } from "./writing/declare.ts";
import type { Script } from "./writing/script.ts";

/** A program to be run, and what it may use. */
export interface ProgramRun {
  /** Names the attempt. */
  readonly key: string;
  readonly argv: readonly string[];
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly memoryMiB: number | null;
  readonly diskMiB: number | null;
  readonly minutes: number | null;
  readonly signal: AbortSignal;
  onLine(line: string): void;
}

/** How it ended, in the words of all runners. */
export interface ProgramEnd {
  readonly state: string;
  readonly reason: string | null;
  /** A sentence where the rest does not say it all. */
  readonly message: string | null;
  /** What it has said last. */
  readonly tail: string;
}

export interface WorkEffects {
  runProgram(program: ProgramRun): Promise<ProgramEnd>;
  /** The value of an environment variable; null where it is not set. */
  secret(name: string): string | null;
  /** The machine's cores. */
  readonly cpus: number;
  readonly isStub: boolean;
}

/** Makes what does the work of steps. */
export function makeWork(effects: WorkEffects): { readonly work: DoStep; readonly pin: PinStep } {
  return {
    async work(opened, inputs, params, ctx) {
      const values = valuesOf(opened.declared, inputs, params);
      const { kind } = opened.declared;
      if (kind === "function" || kind === "source")
        return callFunction(effects, opened, values, ctx);
      // A stub needs no image.
      if (kind === "command" || isStubbed(opened.declared, effects.isStub)) {
        return runCommand(effects, opened, values, ctx);
      }
      throw new HdashError(
        "permanent",
        `${opened.declared.name} runs in an image, which this hdash cannot do yet`,
      );
    },
    async pin({ declared }, params, signal) {
      const values = valuesOf(declared, {}, params);
      const found = await declared.pin?.(values, { signal });
      // What JSON would drop or change is refused here, with its place.
      return JSON.parse(canonicalJson((found ?? null) as Json)) as Json;
    },
  };
}

/** Puts a call's values together, as the step's declaration says they are. */
function valuesOf(
  { takes }: Declared,
  inputs: CallInputs,
  { values }: CallParams,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(takes).map(([name, { shape }]) => {
      const skeleton = values[name] ?? (["value", null] as const);
      const whole = putTogether(skeleton, (index) => inputs[name]?.[index]);
      return [name, gotOf(shape, whole, name)];
    }),
  );
}

async function callFunction(
  effects: WorkEffects,
  { declared }: OpenedStep,
  values: Readonly<Record<string, unknown>>,
  ctx: StepContext,
): Promise<Readonly<Record<string, unknown>>> {
  const tools: StepTools = {
    signal: ctx.signal,
    attempt: ctx.attempt,
    resources: ctx.resources,
    workDir: () => ctx.workDir(),
    async write(name, content) {
      const dir = await ctx.workDir();
      const path = resolve(dir, name);
      if (!path.startsWith(dir + sep)) {
        throw new HdashError("permanent", `${name} lies outside of the step's folder`);
      }
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      return { path };
    },
    log: (line) => ctx.log(line),
    progress: (done, total) => ctx.progress(done, total),
    secret: (name) => {
      if (declared.secrets?.includes(name) !== true) {
        throw new HdashError("permanent", `${name} is none of the secrets that the step declares`);
      }
      return secretOf(effects, name);
    },
  };
  const given = isStubbed(declared, effects.isStub)
    ? await declared.stub?.(values, tools)
    : await declared.run?.(values, tools);
  return givenByFunction(declared.gives, given, () => ctx.workDir());
}

function secretOf(effects: WorkEffects, name: string): string {
  const value = effects.secret(name);
  if (value === null) throw new HdashError("config", `the secret ${name} is not set`);
  return value;
}

/** How a shell is started: it stops at the first command that fails, also in a pipe, and at a variable that is not set. */
const SHELL = ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c"] as const;

async function runCommand(
  effects: WorkEffects,
  { declared, used }: OpenedStep,
  values: Readonly<Record<string, unknown>>,
  ctx: StepContext,
): Promise<Readonly<Record<string, unknown>>> {
  const root = await ctx.workDir();
  const dir = join(root, "work");
  const [home, tmp] = [join(root, "home"), join(root, "tmp")];
  for (const one of [dir, home, tmp]) await mkdir(one, { mode: 0o700 });
  const staged = await stage(dir, declared.takes, values, used);
  const argv = argvOf(declared, staged, effects.isStub);
  const secrets = Object.fromEntries(
    (declared.secrets ?? []).map((name) => [name, secretOf(effects, name)]),
  );
  const { cpus, memoryMiB, diskMiB, minutes } = ctx.resources;
  const end = await effects.runProgram({
    ...{ key: `${declared.name}.${ctx.attempt}`, argv, dir },
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ...{ HOME: home, TMPDIR: tmp, LC_ALL: "C.UTF-8", TZ: "UTC" },
      HDASH_CPUS: String(Math.max(1, Math.min(effects.cpus, cpus ?? 1))),
      HDASH_ATTEMPT: String(ctx.attempt),
      ...(memoryMiB === undefined ? {} : { HDASH_MEMORY_MIB: String(memoryMiB) }),
      ...declared.env,
      ...secrets,
    },
    secrets: Object.values(secrets),
    memoryMiB: memoryMiB ?? null,
    diskMiB: diskMiB ?? null,
    minutes: minutes ?? null,
    signal: ctx.signal,
    onLine: (line) => ctx.log(line),
  });
  if (end.state !== "succeeded") throw ended(end, ctx.signal);
  return givenByProgram(declared.gives, dir);
}

function argvOf(
  declared: Declared,
  staged: Readonly<Record<string, unknown>>,
  isStub: boolean,
): readonly string[] {
  const by = isStubbed(declared, isStub) ? "stub" : "run";
  if (by === "run" && declared.argv !== undefined) return declared.argv(staged).map(String);
  const script = declared[by]?.(staged, undefined as never) as Script | undefined;
  if (script?.kind !== "script") {
    throw new HdashError("permanent", `${by} gave no command line: it returns sh\`…\``);
  }
  return [...SHELL, script.text];
}

/** How much of what a program has said last an error repeats. */
const LAST_LINES = 5;

function ended({ state, reason, message, tail }: ProgramEnd, stop: AbortSignal): Error {
  if (state === "cancelled" && stop.aborted) {
    return stop.reason instanceof Error
      ? stop.reason
      : new HdashError("aborted", "told to stop", { cause: stop.reason });
  }
  const last = tail.trimEnd().split("\n").slice(-LAST_LINES).join("\n");
  const why = `${state}${reason === null ? "" : ` · ${reason}`}`;
  const said = message === null ? why : `${message} (${why})`;
  return new HdashError("permanent", last === "" ? said : `${said}; it said last:\n${last}`);
}
