// The bench's worlds on disk: made once, kept in bench/worlds/ (which git ignores), and made anew when what makes them changes.

import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { parse } from "csv-parse";

import { makeWorld, type World } from "../src/jobs/htan/demo/world.ts";
import { benchPlans } from "./plans.ts";

/** Goes up when worlds come out differently, so that a kept one is made anew. */
const EDITION = 1;

/** Columns of the view that hdash asks Synapse for. */
const COLUMNS: readonly string[] = [
  ...["id", "name", "type", "parentId", "projectId", "Component", "modifiedOn"],
  ...["dataFileSizeBytes", "dataFileMD5Hex"],
];

/** A world that is ready to be measured on. */
export interface BenchWorld extends World {
  readonly dir: string;
  readonly scale: number;
}

/** Finds or makes the world of a scale; `tell` is told when it takes a while. */
export async function benchWorld(scale: number, tell: (text: string) => void): Promise<BenchWorld> {
  const dir = join(import.meta.dirname, "worlds", `edition${EDITION}-x${scale}`);
  const facts = join(dir, "world.json");
  if (!existsSync(facts)) {
    tell(`making a world of 15 atlases × ${600 * scale} participants`);
    await rm(dir, { recursive: true, force: true });
    const world = await makeWorld({ dir, seed: 1, atlases: benchPlans(scale), day: 1 });
    await splitView(dir);
    await writeFile(facts, JSON.stringify(world));
  }
  const world = JSON.parse(await readFile(facts, "utf8")) as World;
  return { ...world, dir, scale };
}

/** Writes each atlas's part of the view to views/<project>.csv, as Synapse answers a query for one project. */
async function splitView(dir: string): Promise<void> {
  await mkdir(join(dir, "views"), { recursive: true });
  const rows = createReadStream(join(dir, "master.csv")).pipe(parse({ columns: true }));
  let project = "";
  let out: ReturnType<typeof createWriteStream> | null = null;
  for await (const row of rows as AsyncIterable<Record<string, string>>) {
    if (row["projectId"] !== project) {
      await close(out);
      project = row["projectId"] ?? "";
      out = createWriteStream(join(dir, "views", `${project}.csv`));
      out.write(`${COLUMNS.join(",")}\n`);
    }
    // Synapse quotes every text in its CSV answers.
    out?.write(`${COLUMNS.map((column) => quoted(row[column] ?? "")).join(",")}\n`);
  }
  await close(out);
}

function quoted(text: string): string {
  return text === "" || /^\d+$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}

function close(out: ReturnType<typeof createWriteStream> | null): Promise<void> {
  return new Promise((resolve) => {
    if (out === null) resolve();
    else out.end(() => resolve());
  });
}
