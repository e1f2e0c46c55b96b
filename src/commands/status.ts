// hdash status: what goes on now, and how one run is getting on.

import type { Command } from "commander";

import { bytesOf, count, duration, instant, number, oneLine } from "../format.ts";
import { callName } from "../lineage/callName.ts";
import { type Standing, STANDING_WORDS, standingOf } from "../lineage/standing.ts";
import { EXIT, type Shell } from "../shell.ts";
import type { FolderInUse } from "../store/lockFile.ts";
import { livenessOf } from "../store/processIdentity.ts";
import type { FailedStep, LoggedAttempt, StepAtWork, WatchedRun } from "../store/watching.ts";
import { type Asked, askLedger, findRun, heldText, stopText } from "./asking.ts";
import { columns } from "./columns.ts";

/** More runs than this are told by their number; more steps of each kind. */
const MOST_RUNS = 1000;
const MOST_STEPS = 50;
/** Lines of an error that are shown; the log has the rest. */
const MOST_LINES = 3;

interface StatusFlags {
  readonly json?: boolean;
}

/** Adds the command to hdash. */
export function addStatus(program: Command, shell: Shell): void {
  program
    .command("status")
    .description("say what goes on now, or how one run is getting on")
    .argument("[run]", "its number, or a pipeline's name: its newest run")
    .option("--json", "as JSON (docs/schemas/status.schema.json)")
    .addHelpText("after", "\nExample: hdash status 17")
    .action(async (word: string | undefined, flags: StatusFlags) =>
      shell.exit(
        await askLedger(
          shell,
          (asked) => tell(shell, asked, word, flags),
          (error) => tellHeld(shell, error, word, flags),
        ),
      ),
    );
}

/** Says that another process has the embedded database. */
function tellHeld(
  shell: Shell,
  error: FolderInUse,
  word: string | undefined,
  { json }: StatusFlags,
): number {
  const { holder, since } = error;
  if (json === true) {
    shell.print(JSON.stringify({ heldBy: { pid: holder.pid, host: holder.host, since } }));
  } else {
    shell.print(heldText(error));
    shell.print("What it does stands in its own output; the ledger can be read when it has ended.");
    shell.print(stopText(error));
  }
  // That something goes on is an answer; how a certain run is getting on is not known.
  return word === undefined ? EXIT.ok : EXIT.failed;
}

async function tell(
  shell: Shell,
  asked: Asked,
  word: string | undefined,
  { json }: StatusFlags,
): Promise<number> {
  const { db, effects } = asked;
  const now = effects.clock();
  const { listActive, readWatched } = await import("../store/watching.ts");
  if (word === undefined) {
    const runs = await listActive(db, MOST_RUNS);
    if (json === true) for (const run of runs) shell.print(JSON.stringify(briefOf(run)));
    else for (const line of activeText(runs, now)) shell.print(line);
    return EXIT.ok;
  }
  const { id } = await findRun(asked, word);
  const run = await readWatched(db, id);
  if (run === null) throw new Error(`run ${id} was forgotten while it was looked at`);
  const found = await lookInto(asked, run);
  if (json === true) shell.print(JSON.stringify(wholeOf(found)));
  else for (const line of runText(found, now)) shell.print(line);
  return EXIT.ok;
}

function isDead(worker: Parameters<typeof livenessOf>[0]): boolean {
  return livenessOf(worker) === "dead";
}

function standing(run: WatchedRun): Standing {
  return standingOf(run, isDead);
}

function activeText(runs: readonly WatchedRun[], now: Date): readonly string[] {
  if (runs.length === 0) return ["nothing goes on; `hdash runs` lists what was run"];
  return columns(
    runs.map((run) => [
      `run ${run.id}`,
      run.pipeline,
      STANDING_WORDS[standing(run)],
      since(run.startedAt ?? run.requestedAt, now),
      countsText(run),
      adviceFor(run) ?? run.worker ?? "",
    ]),
  );
}

function since(at: Date, now: Date): string {
  return duration(Math.max(0, now.getTime() - at.getTime()));
}

function countsText({ steps: { hits, ran, failed, running } }: WatchedRun): string {
  const all = `${count(hits, "hit")}, ${number(ran)} ran, ${number(failed)} failed`;
  return running === 0 ? all : `${all}, ${number(running)} at work`;
}

/** What to do about a run that nobody does; null where somebody does, or it has ended well. */
function adviceFor(run: WatchedRun): string | null {
  const resume = `\`hdash resume ${run.id}\``;
  switch (standing(run)) {
    case "handedBack":
      return `${resume} goes on with it`;
    case "dead":
      return `${run.worker ?? "its worker"} is dead; ${resume} goes on with it`;
    case "silent":
      return `nothing is heard of ${run.worker ?? "its worker"}; ${resume} goes on with it`;
    case "failed":
    case "cancelled":
    case "degraded":
      return `${resume} does what is missing, and finds the rest`;
    case "queued":
    case "running":
    case "succeeded":
      return null;
  }
}

/** A run, and what of its steps wants to be seen. */
interface LookedInto {
  readonly run: WatchedRun;
  readonly atWork: readonly StepAtWork[];
  readonly failed: readonly (FailedStep & { readonly lastLine: string | null })[];
}

async function lookInto({ db, effects }: Asked, run: WatchedRun): Promise<LookedInto> {
  const { listAtWork, listFailed } = await import("../store/watching.ts");
  const { lastLineOf } = await import("../lineage/logs.ts");
  const places = { db, blobs: await effects.blobs() };
  const failed: LookedInto["failed"][number][] = [];
  for (const step of await listFailed(db, run.id, MOST_STEPS)) {
    const { attempt } = step;
    // A log that is gone is no reason to say nothing of the run.
    const last = attempt === null ? null : await lastLineOf(places, attempt).catch(() => null);
    failed.push({ ...step, lastLine: last });
  }
  return { run, atWork: await listAtWork(db, run.id, MOST_STEPS), failed };
}

function runText({ run, atWork, failed }: LookedInto, now: Date): readonly string[] {
  const begun = run.startedAt ?? run.requestedAt;
  const at = instant(begun.toISOString());
  const took = since(begun, run.finishedAt ?? now);
  const words = STANDING_WORDS[standing(run)];
  const how =
    run.finishedAt !== null
      ? `${words} after ${took}, begun ${at}`
      : `${words}, ${run.startedAt === null ? "asked for" : "begun"} ${at}, ${took} ago`;
  const by = run.worker !== null && run.finishedAt === null ? `, ${run.worker}` : "";
  const advice = adviceFor(run);
  const working = atWork.map((step) => [
    step.waitsFor === null ? "at work" : "waits",
    callName(step),
    step.key?.slice(0, 8) ?? "",
    since(step.startedAt, now),
    progressOf(step),
  ]);
  return [
    `run ${run.id} of ${run.pipeline}: ${how}${by}`,
    // What ended it is mostly the error of a step, which is told there.
    ...(run.error === null || failed.some(({ error }) => run.error?.includes(error) === true)
      ? []
      : linesOf(run.error, "  ")),
    `  ${countsText(run)}`,
    ...columns(working).map((line) => `  ${line}`),
    ...more(run.steps.running - atWork.length, "at work"),
    ...failed.flatMap((step) => [
      `  failed   ${callName(step)}${placeOf(step)}`,
      ...linesOf(step.error, "           "),
      ...(step.lastLine === null ? [] : [`           its last line: ${oneLine(step.lastLine)}`]),
      ...(step.key === null ? [] : [`           hdash logs ${step.key.slice(0, 8)}`]),
    ]),
    ...more(run.steps.failed - failed.length, "failed"),
    ...(advice === null ? [] : [`  ${advice}`]),
  ];
}

function more(left: number, what: string): readonly string[] {
  return left <= 0 ? [] : [`  and ${number(left)} more ${what}`];
}

function placeOf({ scope, key, attempt }: FailedStep): string {
  const parts = [
    ...(scope === "" ? [] : [`in ${scope}`]),
    ...(key === null ? [] : [key.slice(0, 8)]),
    ...(attempt === null ? [] : [`attempt ${attempt.n}`, endOf(attempt)]),
  ];
  return parts.length === 0 ? "" : `  ${parts.join(", ")}`;
}

/** "failed · exit". */
function endOf({ state, reason }: LoggedAttempt): string {
  return reason === null ? state : `${state} · ${reason}`;
}

function linesOf(text: string, indent: string): readonly string[] {
  return text
    .split("\n")
    .slice(0, MOST_LINES)
    .map((line) => `${indent}${oneLine(line)}`);
}

function progressOf({ done, total, attempt, waitsFor }: StepAtWork): string {
  if (waitsFor !== null) return `for run ${waitsFor.runId} (${waitsFor.worker}), which does it`;
  const far =
    done === null
      ? ""
      : total === null
        ? number(done)
        : // What is counted in millions is bytes.
          total >= 1e6
          ? bytesOf(done, total)
          : `${number(done)} of ${number(total)}`;
  const again = attempt !== null && attempt > 1 ? `attempt ${attempt}` : "";
  return [far, again].filter((part) => part !== "").join(", ");
}

function briefOf(run: WatchedRun) {
  return {
    run: Number(run.id),
    pipeline: run.pipeline,
    standing: standing(run),
    status: run.status,
    attempt: run.attempt,
    worker: run.worker,
    leaseUntil: run.leaseUntil?.toISOString() ?? null,
    requestedAt: run.requestedAt.toISOString(),
    requestedBy: run.requestedBy,
    startedAt: run.startedAt?.toISOString() ?? null,
    finishedAt: run.finishedAt?.toISOString() ?? null,
    error: run.error,
    steps: run.steps,
  };
}

function wholeOf({ run, atWork, failed }: LookedInto) {
  return {
    ...briefOf(run),
    atWork: atWork.map((step) => ({
      ...{ scope: step.scope, step: step.step, label: step.label, key: step.key },
      ...{ done: step.done, total: step.total, attempt: step.attempt },
      startedAt: step.startedAt.toISOString(),
      waitsFor:
        step.waitsFor === null
          ? null
          : { run: Number(step.waitsFor.runId), worker: step.waitsFor.worker },
    })),
    failed: failed.map(({ scope, step, label, key, error, attempt, lastLine }) => ({
      ...{ scope, step, label, key, error, lastLine },
      attempt:
        attempt === null
          ? null
          : { n: attempt.n, state: attempt.state, reason: attempt.reason, code: attempt.code },
    })),
  };
}
