// `hdash demo`: the real worker against look-alike services on loopback, with the embedded database and a local folder for a site.

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { type Command, Option } from "commander";

import { digestOf } from "../digest.ts";
import type { Effects } from "../effects.ts";
import type { ProgressEvent } from "../engine/progress.ts";
import { HdashError } from "../error.ts";
import { duration } from "../format.ts";
import { type BoundPipeline, type DemoPart, type Job, PIPELINES } from "../job.ts";
import { type Config, type Environment, variablesOf } from "../settings/config.ts";
import { envFileText } from "../settings/envFile.ts";
import { EXIT, type Shell, worse } from "../shell.ts";
import { checkFolder, checkSiteFolder, LEAST_BYTES } from "../store/folderCheck.ts";
import { inMenuOrder } from "../work/menu.ts";
import { withProgress } from "../work/shown.ts";
import { bindJob, conclude, execute } from "../work/work.ts";

/** What the whole story takes: 190 MB of ledger, blobs and bundled data, and 40 MB of pages, which may lie on the same disk. */
const LEAST_DEMO_BYTES = 250_000_000;
const TITLE = "hdash demo";
const DAY_MS = 24 * 60 * 60 * 1000;

/** A job with its part of the demo. */
interface Player {
  readonly job: Job;
  readonly part: DemoPart;
}

/** Adds the command to hdash, with a flag for the data of each job that takes some. */
export function addDemo(program: Command, shell: Shell, jobs: readonly Job[]): void {
  const command = program
    .command("demo")
    .description(
      "run the whole worker on bundled data: embedded database, local folder, look-alike services",
    );
  for (const { demo } of jobs) {
    if (demo?.option !== undefined) command.option(demo.option.flags, demo.option.description);
  }
  command
    .option("--site <dir>", "where to publish", "site")
    .action(async (flags: Readonly<Record<string, string>>) =>
      shell.exit(await demo(shell, jobs, flags)),
    );
}

async function demo(
  shell: Shell,
  jobs: readonly Job[],
  flags: Readonly<Record<string, string>>,
): Promise<number> {
  // Nothing is the current folder to resolve(), and a variable that is not set to a shell.
  if (flags["site"]?.trim() === "") {
    throw new HdashError("usage", "--site is empty: name the folder to publish to");
  }
  const site = resolve(flags["site"] ?? "site");
  const own = new Map<Job, string>();
  for (const job of jobs) {
    const { option, check } = job.demo ?? {};
    const given = option && flags[new Option(option.flags).attributeName()];
    if (given === undefined) continue;
    own.set(job, resolve(given));
    await check?.(resolve(given));
  }
  const home = homeOf(shell, jobs, own, site);
  // Before look-alikes and databases are started for what cannot end well.
  const isNew = !existsSync(home);
  // A demo of this site has been here before: what it left half done is its own.
  await checkSiteFolder(site, "--site", () => Promise.resolve(!isNew));
  const leastBytes = isNew ? LEAST_DEMO_BYTES : LEAST_BYTES;
  await checkFolder(home, { setting: "HDASH_HOME", leastBytes });
  await mkdir(home, { recursive: true, mode: 0o700 });
  const { startSlack } = await import("../lookalikes/slackServer.ts");
  const slack = await startSlack({});
  const players: Player[] = [];
  try {
    for (const job of jobs) {
      const part = await job.demo?.start(home, own.get(job) ?? null, own.size === 0);
      if (part !== undefined && part !== null) players.push({ job, part });
    }
    const config = demoConfig(shell, players, {
      ...{ SLACK_WEBHOOK_URL: slack.url, HDASH_SITE_DIR: site, HDASH_HOME: home },
    });
    return await withProgress(shell, config, TITLE, (log, onProgress, _endLog, restart) => {
      const stage = { now: () => new Date() };
      const story: string[] = [];
      return shell.withEffects(
        config,
        log,
        async (effects) => {
          const code = await tellStory(
            shell,
            effects,
            { players, stage, restart, told: story },
            onProgress,
          );
          // The last that each job has said.
          const told = slack.messages.slice(-players.length).map(textOf);
          if (told.length > 0) shell.print(`Slack was told:\n${indent(told.join("\n"))}`);
          if (code !== EXIT.ok && code !== EXIT.degraded) return code;
          for (const line of story) shell.print(line);
          shell.print(`The site is in ${site}`);
          for (const { pages: own, isUsers } of inMenuOrder(players.map(({ job }) => job))) {
            const pages = isUsers === true ? PIPELINES : own;
            if (pages === null) continue;
            shell.print(`Open ${pathToFileURL(join(site, pages.places[0].path)).href}`);
          }
          await tellAfterwards(shell, players, { HDASH_HOME: home, HDASH_SITE_DIR: site });
          return code;
        },
        { clock: () => stage.now() },
      );
    });
  } finally {
    for (const { part } of players.reverse()) await part.close();
    await slack.close();
  }
}

/** The environment of the demo: nothing of the real one but how it logs, so that it can never reach a real service. */
function demoConfig(shell: Shell, players: readonly Player[], variables: Environment): Config {
  const kept = new Set(["HDASH_LOG_LEVEL", "HDASH_LOG_FORMAT", "HDASH_CONCURRENCY"]);
  const cleared: Environment = Object.fromEntries(
    variablesOf(shell.jobs)
      .filter(({ name }) => !kept.has(name))
      .map(({ name }) => [name, undefined]),
  );
  const parts: Environment = Object.fromEntries(
    players.flatMap(({ part }) => Object.entries(part.variables)),
  );
  return shell.config(
    [],
    { ...cleared, ...variables, ...parts },
    players.map(({ job }) => job.name),
  );
}

/** Says what else there is to look at, each with commands that work now, and leaves their variables in a file of the home. */
async function tellAfterwards(
  shell: Shell,
  players: readonly Player[],
  places: { readonly HDASH_HOME: string; readonly HDASH_SITE_DIR: string },
): Promise<void> {
  const isByNpm = shell.environment()["npm_lifecycle_event"] === "hdash";
  const program = isByNpm ? "npm run -s hdash --" : "hdash";
  for (const { job, part } of players) {
    if (part.afterwards === undefined) continue;
    const { says, commands } = part.afterwards;
    const file = join(places.HDASH_HOME, `${job.name}.env`);
    await writeFile(file, envFileText({ ...places, ...part.variables }), { mode: 0o600 });
    const lines = commands.map(
      (command) => `  ${program} --env-file ${shellWord(file)} ${command}`,
    );
    shell.print([`${says}:`, ...lines].join("\n"));
  }
}

/** A word as a shell takes it. */
function shellWord(text: string): string {
  return /^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A ledger for each choice of data and site: what another world found yesterday says nothing about this one. */
function homeOf(
  shell: Shell,
  jobs: readonly Job[],
  own: ReadonlyMap<Job, string>,
  site: string,
): string {
  const home = resolve(shell.environment()["HDASH_HOME"]?.trim() || ".hdash");
  // What has no page on the site makes no other one of it.
  const shown = jobs.filter(({ pages }) => pages !== null);
  const parts = shown.map((job) => own.get(job) ?? "bundled");
  return join(home, "demo", digestOf([...parts, site].join("\n")).slice(0, 12));
}

interface Story {
  readonly players: readonly Player[];
  readonly stage: { now: () => Date };
  /** Begins a picture of its own, with a clock of its own. */
  readonly restart: (title: string) => void;
  /** Gets what is to be printed when the story is over: in the middle of it a picture is drawn. */
  readonly told: string[];
}

/** Lives through the days of the story, so that the site has a past to show; a later demo adds one run in which nothing moved. */
async function tellStory(
  shell: Shell,
  effects: Effects,
  { players, stage, restart, told }: Story,
  onProgress: (event: ProgressEvent) => void,
): Promise<number> {
  const days = Math.max(1, ...players.map(({ part }) => part.days ?? 1));
  const teller = players.find(({ part }) => part.days === days)?.job ?? null;
  const done = days === 1 || teller === null ? 0 : await countDays(effects, teller);
  let code: number = EXIT.ok;
  for (let day = Math.min(done + 1, days); day <= days; day++) {
    const before = (days - day) * DAY_MS;
    stage.now = () => new Date(Date.now() - before);
    const startedAt = performance.now();
    if (days > 1) restart(`${TITLE}, day ${day} of ${days}`);
    const playing = players.filter(({ part }) => ownDay(part, day, days) > 0);
    const isExplained = (part: DemoPart): boolean => ownDay(part, day, days) > 1;
    for (const { part } of playing) await part.prepare?.(effects, ownDay(part, day, days));
    const playedToday = playing.map(({ job, part }) => ({
      job,
      ...(part.explains !== undefined && isExplained(part) ? { explains: part.explains } : {}),
    }));
    code = await runAll(shell, effects, playedToday, { onProgress, told });
    if (code !== EXIT.ok && code !== EXIT.degraded) return code;
    if (days > 1) {
      const took = duration(performance.now() - startedAt);
      effects.log.info(`day ${day} of ${days} → published in ${took}`);
    }
  }
  return code;
}

/** A part's own day on a day of the story: all stories end on one day. Below 1 it has not begun. */
function ownDay({ days: own }: DemoPart, day: number, days: number): number {
  return own === null ? day : day - (days - own);
}

/** Counts the days of the story that an earlier demo has told. */
async function countDays(effects: Effects, { name }: Job): Promise<number> {
  const { listRuns } = await import("../store/runs.ts");
  // More than a story has days: runs that were stopped or failed are among them.
  const known = await listRuns((await effects.database()).db, { pipeline: name, limit: 1000 });
  return known.filter(({ status }) => status === "succeeded" || status === "degraded").length;
}

async function runAll(
  shell: Shell,
  effects: Effects,
  players: readonly { readonly job: Job; readonly explains?: string }[],
  { onProgress, told }: Pick<Story, "told"> & { onProgress: (event: ProgressEvent) => void },
): Promise<number> {
  let code: number = EXIT.ok;
  const jobs = players.map(({ job }) => job);
  for (const { job, explains } of players) {
    const options = { scopes: null, force: false, wait: false };
    const bound = await bindJob(effects, { job, jobs }, options);
    const lines = explains === undefined ? [] : await planOf(effects, bound, shell.signal);
    const outcome = await execute(effects, bound, options, shell.signal, onProgress);
    code = worse(code, await conclude(effects, job, bound, outcome, shell.signal));
    if (explains === undefined) continue;
    lines.push(
      `hdash why ${explains}`,
      ...(await whyOf(effects, explains, shell.signal)).map(inset),
    );
    told.push(...lines);
  }
  return code;
}

async function planOf(
  effects: Effects,
  bound: BoundPipeline,
  signal: AbortSignal,
): Promise<string[]> {
  const { planBound } = await import("./plan.ts");
  const { planText } = await import("../lineage/planText.ts");
  const since = performance.now();
  const planned = await planBound(effects, bound, signal, false);
  const lines = planText(planned, false, performance.now() - since);
  return [`hdash plan ${bound.pipeline.name}, before its last run`, ...lines.map(inset)];
}

async function whyOf(
  effects: Effects,
  word: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { whyLines } = await import("./why.ts");
  return whyLines(effects, word, { isJson: false, signal });
}

function inset(line: string): string {
  return `  ${line}`;
}

function textOf(message: unknown): string {
  return typeof message === "object" && message !== null && "text" in message
    ? String(message.text)
    : "";
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
