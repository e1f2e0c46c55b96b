// `hdash demo`: the real worker against look-alike services on loopback, with the embedded database and a local folder for a site.

import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { digestOf } from "../digest.ts";
import type { Effects } from "../effects.ts";
import type { ProgressEvent } from "../engine/progress.ts";
import { HdashError } from "../error.ts";
import { duration } from "../format.ts";
import { PIPELINES } from "../jobList.ts";
import { DEMO_DAYS, demoWorld } from "../jobs/htan/demo/world.ts";
import { loadAtlasFile } from "../jobs/htan/registry/atlasList.ts";
import { saveAtlases } from "../jobs/htan/registry/atlasTable.ts";
import { startSlack } from "../lookalikes/slackServer.ts";
import { startSynapse, type SynapseServer } from "../lookalikes/synapse/synapseServer.ts";
import { type Config, type Environment } from "../settings/config.ts";
import { VARIABLES } from "../settings/variables.ts";
import { EXIT, type Shell, worse } from "../shell.ts";
import { conclude, execute, withProgress } from "../work/work.ts";

/** What the demo's look-alike Synapse takes for a token; it opens nothing else. */
const TOKEN = "demo-token";
/** What the look-alike Azul calls its catalogue. */
const CATALOG = "demo";
const DAY_MS = 24 * 60 * 60 * 1000;

export interface DemoFlags {
  /** A folder in the form of a world (atlases.csv, master.csv, files/); without it the bundled story of a few days. */
  readonly world?: string;
  /** A folder of matrices, `<uuid>[.<species>]` each; without it the bundled ones, or none with a world of one's own. */
  readonly matrices?: string;
  readonly site: string;
}

/** Publishes a site from a world of files and says where to look; returns the exit code. */
export async function demo(shell: Shell, flags: DemoFlags): Promise<number> {
  const site = resolve(flags.site);
  const world = flags.world === undefined ? null : resolve(flags.world);
  if (world !== null) await checkWorld(world);
  const matrices = flags.matrices === undefined ? null : resolve(flags.matrices);
  if (matrices !== null) await checkFolder(matrices);
  const home = homeOf(shell, [world ?? "bundled", matrices ?? "bundled", site]);
  const story = world === null ? join(home, "story") : null;
  const synapse = await startSynapse({
    world: world ?? (await makeDay(join(home, "story"), 1)),
    tokens: { [TOKEN]: "demo" },
  });
  const slack = await startSlack({});
  const azul = world === null && matrices === null ? await serveMatrices(home) : null;
  try {
    const config = demoConfig(shell, {
      SYNAPSE_ENDPOINT_URL: synapse.url,
      SLACK_WEBHOOK_URL: slack.url,
      HDASH_SITE_DIR: site,
      HDASH_HOME: home,
      ...(matrices === null ? {} : { MATRIX_SOURCE: "local", MATRIX_PATH: matrices }),
      ...azul?.variables,
    });
    return await withProgress(shell, config, "hdash demo", (log, onProgress) => {
      const stage = { now: () => new Date() };
      return shell.withEffects(
        config,
        log,
        async (effects) => {
          const code =
            story === null
              ? await oneRun(shell, effects, world ?? "", onProgress)
              : await tellStory(shell, effects, { story, synapse, stage }, onProgress);
          for (const message of slack.messages.slice(-1))
            shell.print(`Slack was told:\n${indent(textOf(message))}`);
          if (code !== EXIT.ok && code !== EXIT.degraded) return code;
          shell.print(
            `The site is in ${site}\nOpen ${pathToFileURL(join(site, "index.html")).href}`,
          );
          if (config.matrix !== null) {
            shell.print(`Open ${pathToFileURL(join(site, "matrices", "index.html")).href}`);
          }
          return code;
        },
        { clock: () => stage.now() },
      );
    });
  } finally {
    await azul?.close();
    await slack.close();
    await synapse.close();
  }
}

/** Serves the bundled matrices as Azul does, and says by which variables they are found. */
async function serveMatrices(home: string) {
  const { demoMatrices } = await import("../jobs/matrix/demo/matrixWorld.ts");
  const { startAzul } = await import("../jobs/matrix/demo/azulServer.ts");
  const projects = (await demoMatrices(join(home, "matrices"))).filter(
    ({ isBlacklisted }) => !isBlacklisted,
  );
  const azul = await startAzul({ projects, catalog: CATALOG });
  return {
    variables: {
      MATRIX_SOURCE: "fresh",
      MATRIX_ENDPOINT_URL: azul.url,
      MATRIX_CATALOG: CATALOG,
      MATRIX_ATLASES: projects.map((one) => `${one.atlasId}=${one.projectId}`).join(","),
    },
    close: () => azul.close(),
  };
}

async function checkFolder(dir: string): Promise<void> {
  if ((await stat(dir).catch(() => null))?.isDirectory() === true) return;
  throw new HdashError("usage", `${dir} is not a folder of matrices`, {
    hint: "Name each matrix <uuid>[.<species>].mtx.zip, .h5ad, .h5 or .loom, or give it a folder of that name.",
  });
}

async function checkWorld(world: string): Promise<void> {
  for (const name of ["atlases.csv", "master.csv", "files"]) {
    const path = join(world, name);
    const found = await stat(path).catch(() => null);
    if (found === null) {
      throw new HdashError("usage", `${world} is not a world: there is no ${name} in it`, {
        hint: "A world is a folder with atlases.csv, master.csv and files/<synapse id>.csv.",
      });
    }
  }
}

/** The environment of the demo: nothing of the real one but how it logs, so that it can never reach a real service. */
function demoConfig(shell: Shell, variables: Environment): Config {
  const kept = new Set(["HDASH_LOG_LEVEL", "HDASH_LOG_FORMAT", "HDASH_CONCURRENCY"]);
  const cleared: Environment = Object.fromEntries(
    VARIABLES.filter(({ name }) => !kept.has(name)).map(({ name }) => [name, undefined]),
  );
  return shell.config(["synapse"], {
    ...cleared,
    SYNAPSE_USER: "demo",
    SYNAPSE_PASSWORD: TOKEN,
    ...variables,
  });
}

/** A ledger for each choice of worlds and site: what another world found yesterday says nothing about this one. */
function homeOf(shell: Shell, parts: readonly string[]): string {
  const home = resolve(shell.environment()["HDASH_HOME"]?.trim() || ".hdash");
  return join(home, "demo", digestOf(parts.join("\n")).slice(0, 12));
}

/** Writes a day of the bundled story, unless it lies there from an earlier demo: then nothing has moved, and the run shows it. */
async function makeDay(story: string, day: number): Promise<string> {
  const dir = join(story, String(day));
  if ((await stat(join(dir, "master.csv")).catch(() => null)) === null) await demoWorld(dir, day);
  return dir;
}

async function oneRun(
  shell: Shell,
  effects: Effects,
  world: string,
  onProgress: (event: ProgressEvent) => void,
): Promise<number> {
  await registerAtlases(effects, world);
  return runAll(shell, effects, onProgress);
}

/** Lives through the days of the bundled story, so that the site has a past to show; a later demo adds one run in which nothing moved. */
async function tellStory(
  shell: Shell,
  effects: Effects,
  parts: { story: string; synapse: SynapseServer; stage: { now: () => Date } },
  onProgress: (event: ProgressEvent) => void,
): Promise<number> {
  const { listRuns } = await import("../store/runs.ts");
  // Two pipelines a day.
  const known = await listRuns((await effects.database()).db, { limit: 2 * DEMO_DAYS });
  const done = known.filter(
    ({ pipeline, status }) =>
      pipeline === "htan" && (status === "succeeded" || status === "degraded"),
  ).length;
  let code: number = EXIT.ok;
  for (let day = Math.min(done + 1, DEMO_DAYS); day <= DEMO_DAYS; day++) {
    const world = await makeDay(parts.story, day);
    await parts.synapse.setWorld(world);
    const before = (DEMO_DAYS - day) * DAY_MS;
    parts.stage.now = () => new Date(Date.now() - before);
    const startedAt = performance.now();
    await registerAtlases(effects, world);
    code = await runAll(shell, effects, onProgress);
    effects.log.info(
      `day ${day} of ${DEMO_DAYS} → published in ${duration(performance.now() - startedAt)}`,
    );
    if (code !== EXIT.ok && code !== EXIT.degraded) return code;
  }
  return code;
}

async function registerAtlases(effects: Effects, world: string): Promise<void> {
  const { db } = await effects.database();
  await saveAtlases(db, await loadAtlasFile(join(world, "atlases.csv")));
}

async function runAll(
  shell: Shell,
  effects: Effects,
  onProgress: (event: ProgressEvent) => void,
): Promise<number> {
  let code: number = EXIT.ok;
  for (const entry of PIPELINES.filter(({ isConfigured }) => isConfigured(effects.config.given))) {
    const options = { atlases: null, force: false, wait: false };
    const bound = await entry.bind(effects, options);
    const outcome = await execute(effects, bound, options, shell.signal, onProgress);
    code = worse(code, await conclude(effects, bound, outcome, shell.signal));
  }
  return code;
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
