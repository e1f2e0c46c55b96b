// Synthetic HTAN worlds on disk: atlases.csv, master.csv (the master file view) and files/<synapse id>.csv.

import { createWriteStream } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { DEMO_ATLASES } from "./demoAtlases.ts";
import { type AtlasContent, makeAtlas } from "./worldAtlas.ts";
import type { Planted } from "./worldFaults.ts";
import { type AtlasPlan, LAST_DAY } from "./worldPlan.ts";
import { csvCell, VIEW_HEADER } from "./worldView.ts";

/** Ids that no real project has, and how many of them an atlas may use: enough for ten thousand participants. */
const FIRST_ID = 90_000_000;
const IDS_PER_ATLAS = 600_000;

/** Days of the demo's story. */
export const DEMO_DAYS = LAST_DAY;

/** What to make. The same options always make the same bytes. */
export interface WorldOptions {
  /** Made if it is not there; files of an earlier day are overwritten. */
  readonly dir: string;
  readonly seed: number;
  readonly atlases: readonly AtlasPlan[];
  /** From 1; nothing happens after LAST_DAY. */
  readonly day: number;
}

/** What was made. */
export interface World {
  /** Of the master view, without its header. */
  readonly rows: number;
  /** Metadata files, whether or not they count. */
  readonly manifests: number;
  /** Of all metadata files. */
  readonly bytes: number;
  /** Atlas id → rule → how many findings a right reading makes. */
  readonly planted: Readonly<Record<string, Planted>>;
}

/** Writes a world as it stands on a day, one atlas at a time; the master view appears last. */
export async function makeWorld(options: WorldOptions): Promise<World> {
  const { dir, atlases } = options;
  const filesDir = join(dir, "files");
  await mkdir(filesDir, { recursive: true });
  const planted: Record<string, Planted> = {};
  let rows = 0;
  let manifests = 0;
  let bytes = 0;

  async function* view(): AsyncGenerator<string> {
    yield `${VIEW_HEADER}\n`;
    for (const [index, plan] of atlases.entries()) {
      const atlas = makeAtlas(plan, projectNumber(index), options.seed, options.day);
      planted[plan.atlasId] = atlas.planted;
      rows += atlas.viewLines.length;
      manifests += atlas.contents.length;
      bytes += await writeContents(filesDir, atlas);
      yield `${atlas.viewLines.join("\n")}\n`;
    }
  }
  // A server that watches the folder never sees half a view.
  const unfinished = join(dir, "master.csv.part");
  await pipeline(Readable.from(view()), createWriteStream(unfinished));
  await writeFile(join(dir, "atlases.csv"), atlasList(atlases));
  await rename(unfinished, join(dir, "master.csv"));
  return { rows, manifests, bytes, planted };
}

/** Writes the world of the demo as it stands on a day from 1 to DEMO_DAYS. */
export function demoWorld(dir: string, day: number): Promise<World> {
  return makeWorld({ dir, seed: 20_250_303, atlases: DEMO_ATLASES, day });
}

async function writeContents(dir: string, atlas: AtlasContent): Promise<number> {
  let bytes = 0;
  for (const { id, text } of atlas.contents) {
    const content = Buffer.from(text);
    bytes += content.length;
    await writeFile(join(dir, `${id}.csv`), content);
  }
  return bytes;
}

function projectNumber(index: number): number {
  return FIRST_ID + index * IDS_PER_ATLAS;
}

function atlasList(atlases: readonly AtlasPlan[]): string {
  const lines = atlases.map((plan, index) =>
    [`syn${projectNumber(index)}`, plan.atlasId, plan.name, plan.liaison].map(csvCell).join(","),
  );
  return `id,atlas_id,name,liaison\n${lines.join("\n")}\n`;
}
