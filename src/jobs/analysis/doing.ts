// The work of a user's step in the world: a function is called, a program is run; what they give is looked at.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

import { canonicalJson, type Json } from "../../digest.ts";
import type { StepContext } from "../../engine/step.ts";
import { HdashError, isAborted } from "../../error.ts";
import type { ExecEnd } from "../../runners/runner.ts";
import { putTogether } from "./data/skeleton.ts";
import { gotOf } from "./inputs.ts";
import type { Declared, OpenedStep } from "./opened.ts";
import { type Given, givenByFunction, givenByProgram, refuseSecrets } from "./outputs.ts";
import type { Secrets } from "./secrets.ts";
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

/** How it ended. */
export type ProgramEnd = Omit<ExecEnd, "log">;

export interface WorkEffects {
  runProgram(program: ProgramRun): Promise<ProgramEnd>;
  /** The value of an environment variable; null where it is not set. */
  secret(name: string): string | null;
  /** All that is set of them, of all steps. */
  readonly secrets: Secrets;
  /** The machine's cores, and its memory. */
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly isStub: boolean;
}

/** Makes what does the work of steps. */
export function makeWork(effects: WorkEffects): { readonly work: DoStep; readonly pin: PinStep } {
  const { secrets } = effects;
  async function given(
    opened: OpenedStep,
    values: Readonly<Record<string, unknown>>,
    ctx: StepContext,
  ): Promise<Given> {
    const { kind, name } = opened.declared;
    if (kind === "function" || kind === "source") return callFunction(effects, opened, values, ctx);
    // A stub needs no image.
    if (kind === "command" || isStubbed(opened.declared, effects.isStub)) {
      return runCommand(effects, opened, values, ctx);
    }
    throw new HdashError("permanent", `${name} runs in an image, which this hdash cannot do yet`);
  }
  return {
    async work(opened, inputs, params, ctx) {
      try {
        const values = valuesOf(opened.declared, inputs, params);
        return await given(opened, values, {
          ...ctx,
          log: (line) => ctx.log(secrets.mask(line)),
        });
      } catch (error) {
        throw secrets.maskError(error);
      }
    },
    async pin({ declared }, params, signal) {
      try {
        const values = valuesOf(declared, {}, params);
        // What JSON would drop or change is refused here, with its place.
        const found = canonicalJson(((await declared.pin?.(values, { signal })) ?? null) as Json);
        const held = secrets.nameIn(found);
        if (held !== null) {
          const what = `what it is pinned by holds the secret ${held}, and would be kept`;
          throw new HdashError("permanent", what);
        }
        return JSON.parse(found) as Json;
      } catch (error) {
        throw secrets.maskError(error);
      }
    },
  };
}

/** Looks at what a step has given; where that will not do, the step has failed by its output. */
async function looked(
  { secrets }: WorkEffects,
  { gives, secrets: own = [] }: Declared,
  ctx: StepContext,
  look: () => Promise<Given>,
): Promise<Given> {
  try {
    const given = await look();
    await refuseSecrets(gives, given, secrets, own.length > 0);
    return given;
  } catch (error) {
    if (!isAborted(error)) ctx.report({ end: { state: "failed", reason: "output" } });
    throw error;
  }
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
): Promise<Given> {
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
  return looked(effects, declared, ctx, () =>
    givenByFunction(declared.gives, given, () => ctx.workDir()),
  );
}

function secretOf(effects: WorkEffects, name: string): string {
  const value = effects.secret(name);
  if (value === null) throw new HdashError("config", `the secret ${name} is not set`);
  return value;
}

/** Where programs of steps look for others. */
export const PROGRAM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** How a shell is started: it stops at the first command that fails, also in a pipe, and at a variable that is not set. */
const SHELL = ["bash", "--noprofile", "--norc", "-euo", "pipefail"] as const;

/** The file of a script that is too long for a command line. */
const SCRIPT = "script.sh";

async function runCommand(
  effects: WorkEffects,
  { declared, used }: OpenedStep,
  values: Readonly<Record<string, unknown>>,
  ctx: StepContext,
): Promise<Given> {
  const root = await ctx.workDir();
  const dir = join(root, "work");
  const [home, tmp] = [join(root, "home"), join(root, "tmp")];
  for (const one of [dir, home, tmp]) await mkdir(one, { mode: 0o700 });
  const staged = await stage(dir, declared.takes, values, used);
  const argv = await argvOf(declared, staged, effects.isStub, root);
  const secrets = Object.fromEntries(
    (declared.secrets ?? []).flatMap((name) => {
      // A stub may do without.
      const isOptional = isStubbed(declared, effects.isStub) && effects.secret(name) === null;
      return isOptional ? [] : [[name, secretOf(effects, name)]];
    }),
  ) as Readonly<Record<string, string>>;
  const { cpus, memoryMiB, diskMiB, minutes } = ctx.resources;
  const end = await effects.runProgram({
    ...{ key: `${declared.name}.${ctx.attempt}`, argv, dir },
    env: {
      PATH: PROGRAM_PATH,
      ...{ HOME: home, TMPDIR: tmp, LC_ALL: "C.UTF-8", TZ: "UTC" },
      HDASH_CPUS: String(Math.max(1, Math.min(effects.cpus, cpus ?? 1))),
      HDASH_ATTEMPT: String(ctx.attempt),
      HDASH_MEMORY_MIB: String(Math.min(effects.memoryMiB, memoryMiB ?? Infinity)),
      ...declared.env,
      ...secrets,
    },
    secrets: effects.secrets.formsOf(Object.keys(secrets)),
    memoryMiB: memoryMiB ?? null,
    diskMiB: diskMiB ?? null,
    minutes: minutes ?? null,
    signal: ctx.signal,
    onLine: (line) => ctx.log(line),
  });
  const { state, reason, exitCode, leftBehind, usage } = end;
  const { wallMs, ...measured } = usage;
  ctx.report({
    ...(state === "succeeded" || state === "cancelled" || reason === null
      ? {}
      : { end: { state, reason } }),
    ...{ code: exitCode, usage: { programMs: wallMs, ...measured, leftBehind } },
  });
  if (state !== "succeeded") throw ended(end, ctx.signal);
  return looked(effects, declared, ctx, () => givenByProgram(declared.gives, dir));
}

/** What a word of a command line may have, its end apart (Linux: MAX_ARG_STRLEN). */
const MAX_WORD_BYTES = 128 * 1024 - 1;

/** The words that are run. @param root a folder of the attempt in which the program does not work. */
async function argvOf(
  declared: Declared,
  staged: Readonly<Record<string, unknown>>,
  isStub: boolean,
  root: string,
): Promise<readonly string[]> {
  const by = isStubbed(declared, isStub) ? "stub" : "run";
  if (by === "run" && declared.argv !== undefined) {
    const argv = declared.argv(staged).map(String);
    const wrong = argv.findIndex((word) => word.includes("\0"));
    if (wrong === -1) return argv;
    throw new HdashError(
      "permanent",
      `word ${wrong + 1} of its argv has a NUL, which no program can be given`,
    );
  }
  const script = declared[by]?.(staged, undefined as never) as Script | undefined;
  if (script?.kind !== "script") {
    throw new HdashError("permanent", `${by} gave no command line: it returns sh\`…\``);
  }
  if (Buffer.byteLength(script.text) <= MAX_WORD_BYTES) return [...SHELL, "-c", script.text];
  await writeFile(join(root, SCRIPT), script.text, { mode: 0o400 });
  // By a relative name: the shell puts it in front of what it has to complain of.
  return [...SHELL, join("..", SCRIPT)];
}

function ended({ state, message }: ProgramEnd, stop: AbortSignal): Error {
  if (state === "cancelled" && stop.aborted) {
    return stop.reason instanceof Error
      ? stop.reason
      : new HdashError("aborted", "told to stop", { cause: stop.reason });
  }
  return new HdashError("permanent", message ?? `it ended as ${state}`);
}
