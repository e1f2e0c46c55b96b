// The fixture's world, read from disk and analysed as the pipeline does it.

import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";

import { analyseAtlas } from "../../src/htan/analyse.ts";
import type { AtlasAnalysis } from "../../src/htan/analysis.ts";
import type { Atlas } from "../../src/htan/atlas.ts";
import { readComponents } from "../../src/htan/components.ts";
import { listFiles } from "../../src/htan/files.ts";
import { readManifest } from "../../src/htan/manifest.ts";
import { readAtlases } from "../../src/htan/registry.ts";
import { readView } from "../../src/htan/view.ts";

export const WORLD = join(import.meta.dirname, "../fixtures/htan");
const TABLE = join(import.meta.dirname, "../../config/htan_components.json");

export const components = readComponents(JSON.parse(readFileSync(TABLE, "utf8")));
export const atlases = readAtlases(readFileSync(join(WORLD, "atlases.csv"), "utf8"));

/** Analyses an atlas of the fixture, with its manifests read in an order that `order` decides. */
export async function analyseFixture(
  atlas: Atlas,
  order: <T>(items: readonly T[]) => readonly T[] = (items) => items,
): Promise<AtlasAnalysis> {
  const view = createReadStream(join(WORLD, "master.csv"));
  const files = listFiles(atlas, await readView(view, { projectId: atlas.projectId }));
  const manifests = [];
  for (const entry of order(files.manifests)) {
    const content = createReadStream(join(WORLD, "files", `${entry.entityId}.csv`));
    manifests.push(await readManifest(entry, content, components));
  }
  return analyseAtlas(atlas, files, manifests, components);
}
