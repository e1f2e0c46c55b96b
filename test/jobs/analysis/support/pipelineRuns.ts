// Pipelines written by a test, and run by hdash as users run it, in a folder of their own.

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { type Ended, hdash } from "../../../support/command.ts";

/** As long as a test of several runs may take. */
export const LONG_MS = 60_000;

export interface PipelineRuns {
  readonly dir: string;
  /** Puts a file into the folder. */
  put(name: string, content: string | Uint8Array): Promise<void>;
  /** Runs a pipeline of the folder with these words behind it. */
  run(pipeline: string, words?: readonly string[], env?: Environment): Promise<Ended>;
  /** The same, with words in front of it. */
  runWith(before: readonly string[], pipeline: string, words: readonly string[]): Promise<Ended>;
  /** What a run with `--out` has copied under a name. */
  given(name: string): Promise<string>;
  /** Words by which results are copied to where `given` looks. */
  readonly out: readonly string[];
  remove(): Promise<void>;
}
type Environment = Readonly<Record<string, string>>;

export async function openPipelineRuns(): Promise<PipelineRuns> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-pipelines-"));
  await writeFile(join(dir, "package.json"), '{ "type": "module" }');
  const start = (words: readonly string[], env: Environment = {}): Promise<Ended> =>
    hdash(["run", ...words], { HDASH_HOME: join(dir, "home"), ...env });
  return {
    dir,
    async put(name, content) {
      const path = join(dir, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    },
    run: (pipeline, words = [], env = {}) => start([join(dir, pipeline), ...words], env),
    runWith: (before, pipeline, words) => start([...before, join(dir, pipeline), ...words]),
    given: (name) => readFile(join(dir, "out", name), "utf8"),
    out: ["--out", join(dir, "out")],
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** What ran and what was known, as the run's last word says. */
export function tally({ stderr, stdout }: Ended): string {
  return /\((\d+ hits?, \d+ ran, \d+ failed)\)/.exec(stderr + stdout)?.[1] ?? stderr;
}
