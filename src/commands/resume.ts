// hdash resume: begins a run again that failed, was cancelled, handed back, or whose worker is gone; of every job alike.

import type { Command } from "commander";

import { canonicalJson, type Json } from "../digest.ts";
import type { ProgressEvent } from "../engine/progress.ts";
import { HdashError } from "../error.ts";
import { duration, oneLine } from "../format.ts";
import type { BoundPipeline, Job, OpenRunJob } from "../job.ts";
import { type Standing, standingOf } from "../lineage/standing.ts";
import type { Log } from "../log.ts";
import { EXIT, type Shell } from "../shell.ts";
import type { LedgerRun } from "../store/lineage.ts";
import { livenessOf } from "../store/processIdentity.ts";
import { askLedger, findRun, heldText, stopText } from "./asking.ts";

interface ResumeFlags {
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** Adds the command to hdash. */
export function addResume(
  program: Command,
  shell: Shell,
  jobs: readonly Job[],
  openRunJob: OpenRunJob,
): void {
  program
    .command("resume")
    .description("go on with a run that has not succeeded: what it has done is found")
    .argument("<run>", "its number, or a pipeline's name: its newest run")
    .option("--wait", "if the run is going on elsewhere, wait for it to end")
    .option("--json", "tell what came of it as JSON (docs/schemas/resume.schema.json)")
    .addHelpText("after", "\nExample: hdash resume 17")
    .action(async (word: string, flags: ResumeFlags) =>
      shell.exit(await resume(shell, { jobs, openRunJob }, word, flags)),
    );
}

/** A run, and how it stands. */
interface Found {
  readonly run: LedgerRun;
  readonly standing: Standing;
}

async function resume(
  shell: Shell,
  { jobs, openRunJob }: { readonly jobs: readonly Job[]; readonly openRunJob: OpenRunJob },
  word: string,
  flags: ResumeFlags,
): Promise<number> {
  const { run, standing } = await look(shell, word);
  const { id, pipeline } = run;
  const tell = (text: string, more: object): void =>
    shell.print(
      flags.json === true ? JSON.stringify({ run: Number(id), standing, ...more }) : text,
    );
  if (standing === "succeeded") {
    tell(
      `run ${id} of ${pipeline} has succeeded: there is nothing to go on with; \`hdash run\` does it anew`,
      { by: null, code: EXIT.ok },
    );
    return EXIT.ok;
  }
  if (standing === "running" && flags.wait !== true) {
    tell(
      `run ${id} of ${pipeline} goes on: ${run.worker ?? "an unknown worker"} does it; nothing was started (use --wait to wait for it)`,
      { by: null, code: EXIT.ok },
    );
    return EXIT.ok;
  }
  const job = await openJob(shell, jobs, openRunJob, run);
  const { configure, work } = await import("../work/work.ts");
  const config = configure(shell, [job], { overrides: {}, flags: {} });
  const scopes = job.scopesOf?.(run.params) ?? null;
  const own: Job = {
    ...job,
    async bind(effects, settings, request, readMenu) {
      const bound = await job.bind(effects, settings, request, readMenu);
      refuseOthers(run, bound);
      return bound;
    },
  };
  let by: string | null = null;
  const onEvent = (event: ProgressEvent, log: Log): void => {
    if (event.kind !== "runStarted" || by === event.runId) return;
    by = event.runId;
    log.info(
      by === id
        ? `run ${id} of ${pipeline} goes on, as attempt ${event.attempt}: it ${WAS[standing]}`
        : `run ${id} of ${pipeline} ${WAS[standing]}: run ${by} does what is missing, and finds what that has done`,
    );
  };
  const options = { scopes, force: false, wait: flags.wait === true, onEvent };
  const code = await work(shell, config, { job: own, jobs: [...jobs, own] }, options, [own]);
  if (flags.json === true) tell("", { by: by === null ? null : Number(by), code });
  return code;
}

const WAS: Readonly<Record<Standing, string>> = {
  queued: "was asked for",
  running: "was going on elsewhere",
  handedBack: "was handed back",
  dead: "had lost its worker, which is dead",
  silent: "had lost its worker, of which nothing is heard",
  succeeded: "had succeeded",
  degraded: "ended degraded",
  failed: "has failed",
  cancelled: "was cancelled",
};

async function look(shell: Shell, word: string): Promise<Found> {
  const found: { one: Found | null } = { one: null };
  await askLedger(
    shell,
    async (asked) => {
      const run = await findRun(asked, word);
      const { readWatched } = await import("../store/watching.ts");
      const watched = await readWatched(asked.db, run.id);
      const isDead = (worker: Parameters<typeof livenessOf>[0]): boolean =>
        livenessOf(worker) === "dead";
      const standing = watched === null ? run.status : standingOf(watched, isDead);
      found.one = { run, standing };
      const { LONGEST_PAUSE_MS } = await import("../store/claims.ts");
      const ageMs = asked.effects.clock().getTime() - (run.startedAt?.getTime() ?? Infinity);
      if (isLeft(standing) && ageMs > LONGEST_PAUSE_MS) asked.effects.log.info(oldText(run, ageMs));
      return EXIT.ok;
    },
    (error) => {
      const hint = `Go on with it when that has ended. ${stopText(error)}`;
      throw new HdashError("busy", heldText(error), { cause: error, hint });
    },
  );
  if (found.one === null) throw new Error(`${word} was not looked for`);
  return found.one;
}

/** Nobody has ended it, and nobody does it. */
function isLeft(standing: Standing): boolean {
  return ["handedBack", "dead", "silent"].includes(standing);
}

function oldText({ id }: LedgerRun, ageMs: number): string {
  return `run ${id} began ${duration(ageMs)} ago: what it says of itself would be of another day, so it ends as failed, and a new run does what is missing`;
}

async function openJob(
  shell: Shell,
  jobs: readonly Job[],
  openRunJob: OpenRunJob,
  { id, pipeline, params, origin }: LedgerRun,
): Promise<Job> {
  if (origin !== null) {
    const names = jobs.map(({ name }) => name);
    const job = await openRunJob({ id, pipeline, params, origin }, names);
    shell.learn(job);
    return job;
  }
  const job = jobs.find(({ name }) => name === pipeline);
  if (job !== undefined) return job;
  throw new HdashError("usage", `run ${id} is of ${pipeline}, which is no job of this hdash`, {
    hint: "Nothing is known of where its pipeline came from: run it again by its file.",
  });
}

/** Throws usage where what the environment says is another run than the one that is meant. */
function refuseOthers({ id, pipeline, params }: LedgerRun, bound: BoundPipeline): void {
  const differences = differing(params, bound.params, "");
  if (differences.length === 0) return;
  throw new HdashError(
    "usage",
    `the environment is not that of run ${id} of ${pipeline}: ${differences.join("; ")}`,
    {
      hint: `Set it as it was, or do another run: hdash run ${pipeline}`,
    },
  );
}

/** Values are told up to so many characters. */
const LONGEST_VALUE = 60;

/** Names the fields in which two values differ, with both. */
function differing(was: Json, is: Json, at: string): readonly string[] {
  if (canonicalJson(was) === canonicalJson(is)) return [];
  if (isRecord(was) && isRecord(is)) {
    const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
    return names.flatMap((name) =>
      differing(was[name] ?? null, is[name] ?? null, at === "" ? name : `${at}.${name}`),
    );
  }
  return [`${at === "" ? "its parameters" : at} was ${shown(was)} and is ${shown(is)}`];
}

function isRecord(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: Json): string {
  const text = oneLine(JSON.stringify(value));
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
