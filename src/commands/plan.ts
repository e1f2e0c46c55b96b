// hdash plan: what a run would do, and why. It runs nothing.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Command } from "commander";

import { canonicalJson, digestOf, type Json } from "../digest.ts";
import type { Effects } from "../effects.ts";
import { HdashError, messageOf } from "../error.ts";
import { count } from "../format.ts";
import type { BoundPipeline, Job } from "../job.ts";
import { callInScope } from "../lineage/callName.ts";
import type { Planned } from "../lineage/planned.ts";
import { EXIT, type Shell } from "../shell.ts";
import { addJobFlags, type Forced, forceOption, takeJobFlags } from "./jobOptions.ts";

interface PlanFlags {
  readonly all?: boolean;
  readonly json?: boolean;
  readonly save?: string;
  readonly force?: Forced;
}

const HELP = `
Examples:
  hdash plan ./kmer.ts --sheet s.csv --k 6          what would run, and why
  hdash plan ./kmer.ts --sheet s.csv --save p.json  keep it; \`hdash run ./kmer.ts --sheet s.csv --plan p.json\` refuses
                                                    when it would do anything else
`;

/** Adds the command to hdash. */
export function addPlan(program: Command, shell: Shell, jobs: readonly Job[]): void {
  const command = program
    .command("plan")
    .description("say what a run would do, and why; runs nothing")
    .usage("<pipeline> [options]")
    .addHelpText("after", HELP);
  for (const job of jobs) {
    const own = command
      .command(job.name)
      .description(`plan: ${job.title}`)
      .option("--all", "list hits, too, and every call by itself")
      .option("--json", "as one JSON object")
      .option("--save <file>", "keep the plan in a file, for `hdash run --plan`")
      .addOption(forceOption(job.ownFlags !== undefined));
    addJobFlags(own, job);
    own.action(async (flags: PlanFlags, self: Command) =>
      shell.exit(await plan(shell, jobs, job, flags, self)),
    );
  }
}

async function plan(
  shell: Shell,
  jobs: readonly Job[],
  job: Job,
  flags: PlanFlags,
  command: Command,
): Promise<number> {
  const { force = false } = flags;
  const said = await takeJobFlags(job, command, force);
  const config = shell.config(job.needs, said.overrides, [job.name], said.flags);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const { bindJob } = await import("../work/work.ts");
    const since = performance.now();
    const bound = await bindJob(effects, { job, jobs }, { scopes: said.scopes });
    const planned = await planBound(effects, bound, shell.signal, force === true);
    const tookMs = performance.now() - since;
    if (flags.save !== undefined) await savePlan(flags.save, bound, planned);
    if (flags.json === true) shell.print(JSON.stringify(await planJson(planned)));
    else {
      const { planText } = await import("../lineage/planText.ts");
      for (const line of planText(planned, flags.all === true, tookMs)) shell.print(line);
    }
    const isFailed = planned.calls.some(({ state }) => state === "failed");
    return isFailed || Object.keys(planned.failedScopes).length > 0 ? EXIT.failed : EXIT.ok;
  });
}

/** Plays a pipeline dry. Throws what its plan throws. */
export async function planBound(
  effects: Effects,
  { pipeline, params, isForced = false, forcedSteps = [], listings = new Map() }: BoundPipeline,
  signal: AbortSignal,
  isAllForced: boolean,
): Promise<Planned> {
  const { planRun } = await import("../lineage/planned.ts");
  const made: string[] = [];
  try {
    return await planRun({
      ...{ pipeline, params, db: (await effects.database()).db, blobs: await effects.blobs() },
      ...{ build: effects.build, clock: effects.clock, signal },
      dir: async () => {
        const dir = await mkdtemp(join(tmpdir(), "hdash-plan-"));
        made.push(dir);
        return dir;
      },
      isForced: (step) => isAllForced || isForced || forcedSteps.includes(step),
      listings,
    });
  } finally {
    for (const dir of made) await rm(dir, { recursive: true, force: true });
  }
}

async function planJson(planned: Planned): Promise<object> {
  const { tallyOf } = await import("../lineage/planText.ts");
  const calls = planned.calls.map(({ reasons, ...call }) => ({
    ...call,
    reasons: reasons.map(({ from, ...reason }) => ({
      ...reason,
      from: from === null ? null : { step: from.step, label: from.label, port: from.port },
    })),
  }));
  return { ...planned, tally: tallyOf(planned), calls };
}

/** What a saved plan is told from another one by: each call with its key, as far as it is known. */
interface SavedPlan {
  readonly hdashPlan: 1;
  readonly pipeline: string;
  readonly params: string;
  readonly calls: readonly SavedCall[];
}
interface SavedCall {
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
  readonly state: string;
  readonly shape: string | null;
}

function savedOf({ pipeline, params }: BoundPipeline, { calls }: Planned): SavedPlan {
  return {
    ...{ hdashPlan: 1, pipeline: pipeline.name, params: digestOf(canonicalJson(params)) },
    calls: calls.map(({ scope, step, label, state, shape }) => ({
      scope,
      step,
      label,
      state,
      shape,
    })),
  };
}

async function savePlan(file: string, bound: BoundPipeline, planned: Planned): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(savedOf(bound, planned), null, 1)}\n`);
  } catch (error) {
    throw new HdashError("usage", `the plan cannot be saved as ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** How many differences an error names. */
const MOST_NAMED = 5;

/** Refuses a run that would do anything else than a saved plan says. Throws usage that names what differs. */
export async function refuseMoved(
  file: string,
  bound: BoundPipeline,
  planned: Planned,
): Promise<void> {
  const saved = await readPlan(file);
  const now = savedOf(bound, planned);
  const moved = (what: string): HdashError =>
    new HdashError("permanent", `the world has moved since ${file} was saved: ${what}`, {
      hint: "`hdash plan` says what would be done now.",
    });
  if (saved.pipeline !== now.pipeline) {
    throw new HdashError("usage", `${file} is a plan of ${saved.pipeline}, not of ${now.pipeline}`);
  }
  if (saved.params !== now.params) throw moved(`${now.pipeline} was given other values then`);
  const keyed = (calls: readonly SavedCall[]): Map<string, SavedCall[]> =>
    Map.groupBy(calls, (call) => JSON.stringify([call.scope, call.step, call.label]));
  const [before, after] = [keyed(saved.calls), keyed(now.calls)];
  const differs: string[] = [];
  for (const [name, calls] of after) {
    const old = before.get(name);
    const [call] = calls;
    if (call === undefined) continue;
    if (old === undefined) differs.push(`${callInScope(call)} is new`);
    else if (canonicalJson(textsOf(old)) !== canonicalJson(textsOf(calls))) {
      const [was] = old;
      const what =
        was?.state === call.state
          ? "is another call now"
          : `was ${was?.state ?? "–"}, is ${call.state}`;
      differs.push(`${callInScope(call)} ${what}`);
    }
  }
  for (const [name, [call]] of before) {
    if (!after.has(name) && call !== undefined) differs.push(`${callInScope(call)} is gone`);
  }
  if (differs.length === 0) return;
  const more = differs.length - MOST_NAMED;
  const said = differs.slice(0, MOST_NAMED).join("; ");
  throw moved(more > 0 ? `${said}; and ${count(more, "other call")}` : said);
}

function textsOf(calls: readonly SavedCall[]): Json {
  return calls.map(({ state, shape }) => `${state} ${shape ?? ""}`).sort();
}

async function readPlan(file: string): Promise<SavedPlan> {
  let found: unknown;
  try {
    found = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new HdashError("usage", `${file} cannot be read as a plan: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (
    typeof found !== "object" ||
    found === null ||
    !("hdashPlan" in found) ||
    found.hdashPlan !== 1
  ) {
    throw new HdashError("usage", `${file} is no plan that hdash has saved`, {
      hint: "`hdash plan … --save FILE` makes one.",
    });
  }
  // Written by savePlan; whatever else is in it differs from what would be done.
  return found as unknown as SavedPlan;
}
