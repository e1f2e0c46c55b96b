// One process that runs users' pipelines as the program does, one after the other as its parent asks: what a start costs is paid once.
// Modules are kept by the file that they are in: a change of code is to lie in another folder.

import { makeEffects } from "../../../../src/effects.ts";
import { bindAnalysis } from "../../../../src/jobs/analysis/bind.ts";
import { loadModule, pipelineOf } from "../../../../src/jobs/analysis/sources/loadPipeline.ts";
import { NOTHING_TOLD } from "../../../../src/jobs/analysis/told.ts";
import { SILENT } from "../../../../src/log.ts";
import { readConfig } from "../../../../src/settings/config.ts";
import { execute } from "../../../../src/work/work.ts";

/** A run that is asked for. */
export interface AskedRun {
  /** Absolute path of the pipeline's module. */
  readonly file: string;
  /** What it takes; what is left out is its default. Paths of files are absolute, or seen from the worker's folder. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly isStub?: boolean;
  /** When it begins, as hdash believes; default now. */
  readonly now?: string;
}

/** What became of it. */
export interface EndedRun {
  /** Null where it did not finish. */
  readonly runId: string | null;
  readonly status: string;
  readonly error: string | null;
}

if (process.send !== undefined) await serve();

async function serve(): Promise<void> {
  const config = readConfig(process.env, ["database"], []);
  let now: Date | null = null;
  const effects = makeEffects(config, SILENT, { clock: () => now ?? new Date() });

  async function run({ file, values, isStub = false, now: at }: AskedRun): Promise<EndedRun> {
    now = at === undefined ? null : new Date(at);
    const releases: (() => Promise<void>)[] = [];
    // What a run opens for itself ends with it.
    const own = { ...effects, onClose: (release: () => Promise<void>) => releases.push(release) };
    try {
      const pipeline = pipelineOf(await loadModule(file), file, []);
      const defaults = Object.entries(pipeline.takes).flatMap(([name, { fallback }]) =>
        fallback === undefined ? [] : [[name, fallback] as const],
      );
      const given = { ...Object.fromEntries(defaults), ...values };
      const settings = { values: given, secrets: {}, out: null, told: { ...NOTHING_TOLD, isStub } };
      const bound = await bindAnalysis(
        own,
        settings,
        () => Promise.reject(new Error("nothing is published here")),
        { path: file, pipeline, cwd: process.cwd() },
      );
      const { signal } = new AbortController();
      const outcome = await execute(own, bound, { force: false, wait: false }, signal, () => {});
      if (outcome.kind !== "finished") return { runId: null, status: outcome.kind, error: null };
      const { id, status, error } = outcome.record;
      return { runId: id, status, error };
    } catch (error) {
      return { runId: null, status: "thrown", error: String(error) };
    } finally {
      for (const release of releases) await release();
    }
  }

  let last = Promise.resolve();
  process.on("message", (asked: AskedRun) => {
    last = last.then(async () => void process.send?.(await run(asked)));
  });
  process.once("disconnect", () => void last.then(() => effects.close()));
  // Its parent may ask for the first run.
  await effects.database();
  process.send?.("ready");
}
