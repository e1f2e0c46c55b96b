// Runs an example as its reader does: a copy of its folder, hdash as a process of its own, and which steps it says have run.

import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { hdash } from "../../support/command.ts";

const EXAMPLES = join(import.meta.dirname, "../../../examples");

/** What a run did, by the names of steps, sorted; one that was called several times is named as often. */
export interface Played {
  readonly code: number | null;
  readonly ran: readonly string[];
  readonly hits: number;
  readonly failed: readonly string[];
  readonly stderr: string;
}

export interface Example {
  readonly dir: string;
  /** Runs the pipeline with options that are paths in the folder, or values; results are copied to its folder `results`. */
  run(options: Readonly<Record<string, string>>): Promise<Played>;
  /** Reads a file of the folder. */
  text(path: string): Promise<string>;
  /** Replaces the one place of a file that has this text. */
  edit(path: string, from: string, to: string): Promise<void>;
  remove(): Promise<void>;
}

interface StepLine {
  readonly step?: string;
  readonly state?: string;
}

/** Copies an example, to be run and changed. */
export async function openExample(name: string, pipeline: string): Promise<Example> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-example-"));
  await cp(join(EXAMPLES, name), dir, { recursive: true });
  const env = {
    ...{ HDASH_HOME: join(dir, "home"), HDASH_LOG_FORMAT: "json", HDASH_LOG_LEVEL: "debug" },
  };
  const text = (path: string): Promise<string> => readFile(join(dir, path), "utf8");
  return {
    ...{ dir, text },
    async run(options) {
      const args = Object.entries({ ...options, out: "results" }).flatMap(([option, value]) => [
        ...[`--${option}`, /[./]|^results$/.test(value) ? join(dir, value) : value],
      ]);
      const { code, stdout, stderr } = await hdash(["run", join(dir, pipeline), ...args], env);
      const steps = `${stdout}\n${stderr}`
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as StepLine)
        .filter(({ state }) => state !== undefined);
      const named = (state: string): readonly string[] =>
        steps.flatMap((one) => (one.state === state ? [one.step ?? ""] : [])).sort();
      const known = new Set(["hit", "ran", "failed"]);
      const strange = steps.find(({ state }) => !known.has(state ?? ""));
      if (strange !== undefined) throw new Error(`a step's state is ${strange.state}`);
      return {
        ...{ code, stderr, ran: named("ran"), failed: named("failed") },
        hits: named("hit").length,
      };
    },
    async edit(path, from, to) {
      const before = await text(path);
      if (before.split(from).length !== 2) throw new Error(`${path} does not have ${from} once`);
      await writeFile(
        join(dir, path),
        before.replace(from, () => to),
      );
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

/** A name as often as is said. */
export function times(name: string, often: number): readonly string[] {
  return Array.from({ length: often }, () => name);
}
