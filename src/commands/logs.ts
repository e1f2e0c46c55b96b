// hdash logs: what steps have said, of a run, of one step, of one attempt at it; while it is said, too.

import { type Command, InvalidArgumentError } from "commander";

import { HdashError } from "../error.ts";
import { callName } from "../lineage/callName.ts";
import type { LogEntry, LogPlaces } from "../lineage/logs.ts";
import { type Standing, STANDING_WORDS } from "../lineage/standing.ts";
import { EXIT, type Shell } from "../shell.ts";
import { livenessOf } from "../store/processIdentity.ts";
import type { LoggedAttempt } from "../store/watching.ts";
import { type Asked, askLedger, findRun, heldText, PIPELINE } from "./asking.ts";

interface LogsFlags {
  readonly attempt?: number;
  readonly failed?: boolean;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** Adds the command to hdash. */
export function addLogs(program: Command, shell: Shell): void {
  program
    .command("logs")
    .description("show what the steps of a run have said, or one step")
    .argument("<run|key>", "a run; a step's key, 8 digits of it, or the name of a result")
    .option("--attempt <n>", "this attempt at the step; default: the last one", parseAttempt)
    .option("--failed", "of a run only the attempts that ended badly")
    .option("--follow", "go on as lines come, until the run has ended; its end is the exit code")
    .option("--json", "as JSON lines (docs/schemas/logs.schema.json)")
    .addHelpText("after", "\nExamples: hdash logs 17 --failed · hdash logs 3f2a91bc --attempt 1")
    .action(async (word: string, flags: LogsFlags) =>
      shell.exit(
        await askLedger(
          shell,
          (asked) => showLogs(shell, asked, word, flags),
          (error) => {
            const hint =
              "With the embedded database logs can be read when that process has ended; with Postgres (HDASH_DB_HOST) also while it works.";
            throw new HdashError("busy", heldText(error), { cause: error, hint });
          },
        ),
      ),
    );
}

function parseAttempt(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new InvalidArgumentError(
    "It must be a whole number from 1: attempts at a step are counted.",
  );
}

/** What is meant: a run, or attempts at one key of which one was asked for. */
type Meant =
  | { readonly kind: "run"; readonly runId: string }
  | { readonly kind: "key"; readonly key: string; readonly attempt: number | null };

async function showLogs(
  shell: Shell,
  asked: Asked,
  word: string,
  flags: LogsFlags,
): Promise<number> {
  const places = { db: asked.db, blobs: await asked.effects.blobs() };
  const meant = await findMeant(asked, word);
  if (meant.kind === "run" && flags.attempt !== undefined) {
    throw new HdashError(
      "usage",
      `--attempt ${flags.attempt}: ${word} is a run, whose steps have attempts`,
      {
        hint: "Name a step by its key, or 8 digits of it.",
      },
    );
  }
  if (flags.follow === true) return follow(shell, places, meant, flags);
  return meant.kind === "run"
    ? showRun(shell, places, meant.runId, flags)
    : showKey(shell, places, meant.key, flags.attempt ?? meant.attempt, flags);
}

/** The fewest digits of a key that may stand for it. */
const KEY = /^[0-9a-f]{8,64}$/;
const MOST_NAMED = 5;

async function findMeant(asked: Asked, word: string): Promise<Meant> {
  const { db, effects } = asked;
  const { findAttempted } = await import("../store/watching.ts");
  // Digits alone may be the number of a run, which goes first.
  const isRun =
    /^(run )?\d{1,18}$/.test(word) && (await findRun(asked, word).catch(() => null)) !== null;
  if (!isRun && KEY.test(word)) {
    // A step that has failed has no result, by which others find it.
    const [found, ...others] = await findAttempted(db, word, MOST_NAMED + 1);
    if (found !== undefined && others.length === 0) {
      return { kind: "key", key: found.key, attempt: null };
    }
    if (found !== undefined) {
      const named = [found, ...others].slice(0, MOST_NAMED);
      const keys = named.map(({ key, step }) => `${key.slice(0, 16)} (${step})`).join(", ");
      const rest = others.length >= MOST_NAMED ? ", …" : "";
      throw new HdashError("usage", `several keys begin with ${word}: ${keys}${rest}`, {
        hint: "Give more of its digits.",
      });
    }
  }
  if (isRun || PIPELINE.test(word)) {
    const run = await findRun(asked, word);
    return { kind: "run", runId: run.id };
  }
  const { findResult } = await import("../lineage/find.ts");
  const looking = { siteUrl: effects.config.siteUrl, signal: new AbortController().signal };
  const found = await findResult(db, word, looking);
  if (found.kind === "run") return { kind: "run", runId: found.run.id };
  return { kind: "key", key: found.result.key, attempt: found.result.attempt };
}

async function showRun(
  shell: Shell,
  places: LogPlaces,
  runId: string,
  { failed, json }: LogsFlags,
): Promise<number> {
  const { attemptsOfRun, logOf } = await import("../lineage/logs.ts");
  let hasAny = false;
  for await (const attempt of attemptsOfRun(places.db, runId, { onlyBad: failed === true })) {
    let isFirst = true;
    for await (const entry of logOf(places, attempt)) {
      if (isFirst && json !== true) shell.print(`${hasAny ? "\n" : ""}── ${headOf(attempt)}`);
      isFirst = false;
      hasAny = true;
      shell.print(json === true ? jsonOf(entry) : entry.line);
    }
  }
  if (!hasAny && json !== true) {
    shell.print(
      `no step of run ${runId} ${failed === true ? "that ended badly " : ""}has said anything`,
    );
  }
  return EXIT.ok;
}

async function showKey(
  shell: Shell,
  places: LogPlaces,
  key: string,
  n: number | null,
  { json }: LogsFlags,
): Promise<number> {
  const { logOf } = await import("../lineage/logs.ts");
  const { listKeyAttempts } = await import("../store/watching.ts");
  const attempts = await listKeyAttempts(places.db, key);
  const attempt = n === null ? attempts.at(-1) : attempts.find((one) => one.n === n);
  if (attempt === undefined) {
    const numbers = attempts.map((one) => one.n).join(", ");
    const there = numbers === "" ? "none is known" : `there are ${numbers}`;
    const which = n === null ? "attempt" : `attempt ${n}`;
    throw new HdashError("usage", `step ${key.slice(0, 12)} has no ${which}: ${there}`);
  }
  let hasAny = false;
  for await (const entry of logOf(places, attempt)) {
    hasAny = true;
    shell.print(json === true ? jsonOf(entry) : entry.line);
  }
  if (!hasAny && json !== true) shell.print(`${headOf(attempt)}: it has said nothing`);
  return EXIT.ok;
}

/** Says which attempt it is, e.g. "count A_1 · attempt 2 · failed · exit · 3f2a91bc". */
function headOf({ n, state, reason, key, ...call }: LoggedAttempt): string {
  const end = reason === null ? state : `${state} · ${reason}`;
  return `${callName(call)} · attempt ${n} · ${end} · ${key.slice(0, 8)}`;
}

function jsonOf({ attempt, seq, at, line }: LogEntry): string {
  const { runId, step, label, key, n, state, reason } = attempt;
  return JSON.stringify({
    ...{ run: runId === null ? null : Number(runId), step, label, key, attempt: n, state, reason },
    ...{ seq, at: at?.toISOString() ?? null, line },
  });
}

async function follow(
  shell: Shell,
  places: LogPlaces,
  meant: Meant,
  { json, attempt: n }: LogsFlags,
): Promise<number> {
  const { followRun } = await import("../lineage/logs.ts");
  const runId = meant.kind === "run" ? meant.runId : await runOf(places, meant.key);
  const lines = followRun(places, {
    ...{ runId, key: meant.kind === "key" ? meant.key : null, signal: shell.signal },
    isDead: (worker) => livenessOf(worker) === "dead",
  });
  for (;;) {
    const next = await lines.next();
    if (next.done === true) return tellEnd(shell, runId, next.value, json === true);
    const entry = next.value;
    if (n !== undefined && entry.attempt.n !== n) continue;
    const { attempt, line } = entry;
    const name = `${callName(attempt)}${attempt.n > 1 ? ` (${attempt.n})` : ""}`;
    shell.print(json === true ? jsonOf(entry) : `${name} │ ${line}`);
  }
}

/** The run that attempted a key last: that is the one which may still be at it. */
async function runOf({ db }: LogPlaces, key: string): Promise<string> {
  const { listKeyAttempts } = await import("../store/watching.ts");
  const runId = (await listKeyAttempts(db, key)).at(-1)?.runId ?? null;
  if (runId !== null) return runId;
  throw new HdashError("usage", `step ${key.slice(0, 12)}: the run that attempted it is forgotten`);
}

/** How a run that was followed stands, as an exit code: the same that the run itself has ended with. */
const CODES: Readonly<Record<Standing, number>> = {
  succeeded: EXIT.ok,
  degraded: EXIT.degraded,
  cancelled: EXIT.handedBack,
  handedBack: EXIT.handedBack,
  failed: EXIT.failed,
  dead: EXIT.failed,
  silent: EXIT.failed,
  queued: EXIT.failed,
  running: EXIT.failed,
};

function tellEnd(shell: Shell, runId: string, standing: Standing | null, isJson: boolean): number {
  if (isJson) shell.print(JSON.stringify({ run: Number(runId), standing }));
  else {
    const words = standing === null ? "was forgotten" : STANDING_WORDS[standing];
    shell.print(`run ${runId}: ${words}`);
  }
  return standing === null ? EXIT.failed : CODES[standing];
}
