// hdash verify: steps are done again, in folders of their own, and what they give is compared with what is kept. Nothing is replaced.

import { randomInt } from "node:crypto";
import { machine as machineArch, totalmem } from "node:os";

import { type Command, InvalidArgumentError } from "commander";

import { digestOf, type Json } from "../../../digest.ts";
import type { Effects } from "../../../effects.ts";
import { HdashError, messageOf } from "../../../error.ts";
import { count, duration, listFew, oneLine } from "../../../format.ts";
import { callName } from "../../../lineage/callName.ts";
import { type Difference, MOST_DIFFERENCES } from "../../../lineage/comparing.ts";
import type { LineageStep } from "../../../lineage/graph.ts";
import { EXIT, type Shell } from "../../../shell.ts";
import type { Db } from "../../../store/schema.ts";
import type { Verified, Verifier } from "../verifying.ts";
import { voidTrusted } from "../voiding.ts";

const HELP = `
RESULT is PIPELINE.NAME, a key or 8 digits of it, sha256:DIGEST, a path or an address; RUN is a number, or PIPELINE for its last good run. A
step is done again with one processor less, later, and in another folder: what depends on these shows. Nothing that is kept is replaced; the
verdict is kept beside it. Exit code 0: all gave the same · 1: something did not, or could not be done again.

Examples:
  hdash verify kmer.merged[1]                  the step that made it
  hdash verify kmer.merged[1] --deep           and all that it was made of
  hdash verify kmer --sample 5%                some steps of the last good run
`;

interface Flags {
  readonly deep?: boolean;
  readonly sample?: number;
  readonly seed?: string;
  readonly with?: string;
  readonly json?: boolean;
}

/** Adds the command to hdash; `names` are those of its own jobs. */
export function addVerify(program: Command, shell: Shell, names: readonly string[]): void {
  program
    .command("verify")
    .description("do steps again in a clean folder, and compare what they give with what is kept")
    .argument("<result>", "a result or a run")
    .option("--deep", "of a result, also all that it was made of")
    .option("--sample <share>", "a part of the steps, by chance: 5%", parseShare)
    .option("--seed <word>", "choose the same part as with this word before")
    .option("--with <file>", "the pipeline's module, where it is not where it was run from")
    .option("--json", "as one object (docs/schemas/verify.schema.json)")
    .addHelpText("after", HELP)
    .action(async (word: string, flags: Flags) =>
      shell.exit(await verify(shell, names, word, flags)),
    );
}

function parseShare(word: string): number {
  const share = Number(/^(\d+(?:\.\d+)?)%$/.exec(word)?.[1] ?? NaN);
  if (share > 0 && share <= 100) return share / 100;
  throw new InvalidArgumentError("It must be a share above 0% and up to 100%: 5%.");
}

/** What was asked for, and which of it is done again. */
interface Chosen {
  readonly run: string | null;
  readonly steps: readonly LineageStep[];
  /** Steps that are none to be done again, with why. */
  readonly left: readonly { readonly step: LineageStep; readonly why: string }[];
  /** So many could be done; those that --sample has passed over are not among `steps`. */
  readonly total: number;
  readonly seed: string;
}

/** What came of a step, with what was said of trust. */
interface Outcome extends Verified {
  readonly step: LineageStep;
  /** Why words of trust were withdrawn; null where none were. */
  readonly withdrawn: string | null;
  /** Keys of results that the trusted code has made meanwhile: they stand under the code that it stood for. */
  readonly madeMeanwhile: readonly string[];
}

async function verify(
  shell: Shell,
  names: readonly string[],
  word: string,
  flags: Flags,
): Promise<number> {
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const { db } = await effects.database();
    const chosen = await choose(db, word, flags, {
      ...{ siteUrl: config.siteUrl, signal: shell.signal },
    });
    const { availableParallelism } = await import("node:os");
    const { takeProcessorAway } = await import("../../../runners/affinity.ts");
    const cpus = availableParallelism();
    const processors = { before: cpus, now: await takeProcessorAway() };
    const verifiers = openVerifiers(shell, effects, { names, cpus, with: flags.with });
    const outcomes: Outcome[] = [];
    for (const step of chosen.steps) {
      shell.signal.throwIfAborted();
      const outcome = await verifyOne(effects, await verifiers(step), step);
      outcomes.push(outcome);
      if (flags.json !== true) for (const line of linesOf(outcome)) shell.print(line);
    }
    if (flags.json === true) {
      shell.print(JSON.stringify(documentOf(word, chosen, outcomes, processors)));
    } else for (const line of endOf(chosen, outcomes, processors)) shell.print(line);
    const isAllSame = outcomes.length > 0 && outcomes.every(({ state }) => state === "same");
    return isAllSame ? EXIT.ok : EXIT.failed;
  });
}

async function choose(
  db: Db,
  word: string,
  { deep, sample = 1, seed = String(randomInt(1_000_000)) }: Flags,
  looking: { readonly siteUrl: string | null; readonly signal: AbortSignal },
): Promise<Chosen> {
  const { findResult } = await import("../../../lineage/find.ts");
  const { walkLineage } = await import("../../../lineage/graph.ts");
  const { listRunSteps, readResults } = await import("../../../store/lineage.ts");
  const { whyNot } = await import("../verifying.ts");
  const found = await findResult(db, word, looking);
  if (found.kind === "result" && found.value !== undefined) {
    throw new HdashError("usage", `${word} is a value that the plan gave: no step made it`);
  }
  const run = found.kind === "run" ? found.run.id : null;
  const ids =
    run === null ? [] : (await listRunSteps(db, run)).flatMap((one) => one.resultId ?? []);
  const from = found.kind === "result" ? [found.result] : await readResults(db, [...new Set(ids)]);
  const depth = found.kind === "result" && deep === true ? null : 0;
  const { steps } = await walkLineage(db, from, { depth, runId: run, signal: looking.signal });
  const judged = steps.map((step) => ({ step, not: whyNot(step) }));
  const possible = judged.flatMap(({ step, not }) => (not === null ? [step] : []));
  const most = Math.ceil(possible.length * sample);
  const lots = possible.map((step) => ({ step, lot: digestOf(`${seed} ${step.result.key}`) }));
  const drawn = new Set(
    lots
      .sort((a, b) => (a.lot < b.lot ? -1 : 1))
      .slice(0, most)
      .map(({ step }) => step),
  );
  return {
    ...{ run, seed, total: possible.length },
    steps: possible.filter((step) => drawn.has(step)),
    left: judged.flatMap(({ step, not }) => {
      // What was asked for by name is told whatever it is.
      const isAsked = found.kind === "result" && step.level === 0;
      return not !== null && (not.isWork || isAsked) ? [{ step, why: not.why }] : [];
    }),
  };
}

/** Opens each pipeline once; what cannot be opened blocks all of its results. */
function openVerifiers(
  shell: Shell,
  effects: Effects,
  how: { names: readonly string[]; cpus: number; with: string | undefined },
): (step: LineageStep) => Promise<Verifier> {
  const opened = new Map<string, Promise<Verifier>>();
  const open = async (path: string): Promise<Verifier> => {
    const { openVerifier } = await import("../verifying.ts");
    const { names, cpus } = how;
    const environment = shell.environment();
    return openVerifier(effects, { path, names, cpus, environment, signal: shell.signal });
  };
  return async (step) => {
    const path = how.with ?? (await findModule((await effects.database()).db, step));
    if (path === null) {
      const why = `nobody knows where the module of ${step.document.pipeline} is: name it by --with`;
      return blocking(why);
    }
    const known = opened.get(path) ?? open(path);
    opened.set(path, known);
    try {
      return await known;
    } catch (error) {
      shell.signal.throwIfAborted();
      return blocking(messageOf(error));
    }
  };
}

function blocking(why: string): Verifier {
  const verdict = { state: "blocked", why, differences: [], ms: 0, trusted: [] } as const;
  return { verify: () => Promise.resolve(verdict) };
}

/** Where the module lies from which a result was made, or else from which its pipeline was run last; null where nobody knows. */
async function findModule(db: Db, { result, document }: LineageStep): Promise<string | null> {
  const { findLastGoodRun, readLedgerRun } = await import("../../../store/lineage.ts");
  const own = result.runId === null ? null : await readLedgerRun(db, result.runId);
  const last = await findLastGoodRun(db, document.pipeline);
  for (const run of [own, last]) {
    // Written where the pipeline is bound.
    const file = (run?.origin as { readonly file?: unknown } | null | undefined)?.file;
    if (typeof file === "string") return file;
  }
  return null;
}

async function verifyOne(
  effects: Effects,
  verifier: Verifier,
  step: LineageStep,
): Promise<Outcome> {
  const { addVerdict } = await import("../../../store/verdicts.ts");
  const { db } = await effects.database();
  const verified = await verifier.verify(step);
  const { state, differences, ms, trusted } = verified;
  const outcome = { ...verified, step, withdrawn: null, madeMeanwhile: [] };
  if (state === "blocked") return outcome;
  await addVerdict(db, {
    ...{ resultId: step.result.id, state, ms, build: effects.build, checkedAt: effects.clock() },
    machine: await thisMachine(),
    differences: kept(verified),
  });
  if (state !== "different" || trusted.length === 0) return outcome;
  const { withdrawTrust } = await import("../../../store/trust.ts");
  const { pipeline, step: name } = step.document;
  // What stands in the contents is kept nowhere.
  const withdrawn = `done again, it gave something else: ${sayDifference(differences[0], false)}`;
  const codes = trusted.map(({ code }) => code);
  await withdrawTrust(db, { pipeline, step: name, codes }, { at: effects.clock(), why: withdrawn });
  return { ...outcome, withdrawn, madeMeanwhile: await voidTrusted(db, trusted, withdrawn) };
}

async function thisMachine() {
  const { availableParallelism } = await import("node:os");
  const memoryMiB = Math.floor(totalmem() / (1024 * 1024));
  return { cpus: availableParallelism(), memoryMiB, arch: machineArch() };
}

/** What of a verdict is kept: never what stands in the contents, which an export without data must not have. */
function kept({ differences, why }: Verified): Json {
  if (why !== null) return [{ kind: "error", message: why }];
  return differences.slice(0, MOST_DIFFERENCES).map(({ port, path, kind, offset, bytes }) => ({
    port,
    path,
    kind,
    offset,
    bytes: { ...bytes },
  }));
}

function nameOf({ document, calls }: LineageStep): string {
  return callName({ step: document.step, label: calls[0]?.label ?? null });
}

const KINDS: Readonly<Record<Difference["kind"], string>> = {
  time: "a time stamp",
  path: "a path of its work folder",
  cpus: "the number of processors",
  number: "a number",
  random: "random digits",
  size: "the size",
  text: "the text",
  bytes: "the bytes",
  order: "the same in another order",
  missing: "it is not there this time",
  added: "it was not there before",
  mode: "whether it may be executed",
  gone: "it is another, and what is kept cannot be read any more",
};

function sayDifference(difference: Difference | undefined, withWords = true): string {
  if (difference === undefined) return "";
  const { port, path, kind, offset, bytes, before, now } = difference;
  const where = path === null ? port : `${port}/${path}`;
  const at = offset === null ? "" : ` from byte ${offset} on`;
  const sizes =
    bytes.before !== null && bytes.now !== null && bytes.before !== bytes.now
      ? `, ${bytes.before} → ${count(bytes.now, "byte")}`
      : "";
  const words =
    !withWords || before === null || now === null ? "" : `: ${oneLine(before)} → ${oneLine(now)}`;
  return `${where}${at}: ${KINDS[kind]}${words}${sizes}`;
}

function linesOf(outcome: Outcome): readonly string[] {
  const { step, state, why, differences, ms, withdrawn, madeMeanwhile } = outcome;
  const [first, ...others] = differences
    .slice(0, MOST_DIFFERENCES)
    .map((one) => sayDifference(one));
  const head = `${state.padEnd(9)}  ${nameOf(step)} (${step.result.key.slice(0, 8)})`;
  const more = differences.length - MOST_DIFFERENCES;
  const said = [first, why === null ? undefined : oneLine(why)].find((one) => one !== undefined);
  return [
    `${head}  ${said ?? duration(ms)}`,
    ...others.map((one) => `           ${one}`),
    ...(more > 0 ? [`           and ${count(more, "other difference")}`] : []),
    ...(withdrawn === null
      ? []
      : ["           its code is trusted no more: the next run does the step"]),
    ...(madeMeanwhile.length === 0
      ? []
      : [
          `           it has made ${count(madeMeanwhile.length, "result")} meanwhile, under the old code: ${listFew(madeMeanwhile.map((key) => key.slice(0, 8)))}`,
        ]),
  ];
}

const STATES = ["same", "different", "failed", "blocked"] as const;

function tallyOf(outcomes: readonly Outcome[]) {
  const of = (state: Verified["state"]): number =>
    outcomes.filter((one) => one.state === state).length;
  return Object.fromEntries(STATES.map((state) => [state, of(state)]));
}

interface Processors {
  readonly before: number;
  readonly now: number;
}

function endOf(
  { left, steps, total, seed }: Chosen,
  outcomes: readonly Outcome[],
  { before, now }: Processors,
): readonly string[] {
  const tally = Object.entries(tallyOf(outcomes)).flatMap(([state, n]) =>
    n === 0 ? [] : [`${n} ${state === "blocked" ? "could not be done" : state}`],
  );
  const cpus = before === now ? `${count(now, "processor")}` : `${now} of ${before} processors`;
  const part = steps.length === total ? "" : ` of ${total}, chosen by --seed ${seed}`;
  return [
    ...left.map(({ step, why }) => `–          ${nameOf(step)}  not verified: ${why}`),
    steps.length === 0
      ? "nothing of it can be verified"
      : `${count(steps.length, "step")}${part}, with ${cpus}: ${tally.join(", ")}`,
  ];
}

/** What --json says; its schema is docs/schemas/verify.schema.json. */
function documentOf(
  asked: string,
  { run, seed, total, left }: Chosen,
  outcomes: readonly Outcome[],
  processors: Processors,
): object {
  const named = (step: LineageStep) => ({
    key: step.result.key,
    pipeline: step.document.pipeline,
    step: step.document.step,
    label: step.calls[0]?.label ?? null,
  });
  return {
    ...{ asked, run, seed, total, processors, tally: tallyOf(outcomes) },
    steps: outcomes.map(({ step, trusted, ...rest }) => ({
      ...named(step),
      ...{ ...rest, isTrusted: trusted.length > 0 },
    })),
    left: left.map(({ step, why }) => ({ ...named(step), why })),
  };
}
