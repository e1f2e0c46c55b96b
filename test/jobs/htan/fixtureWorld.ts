// The fixture's world, read from disk and analysed as the pipeline does it.

import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";

import { analyseAtlas } from "../../../src/jobs/htan/data/analyse.ts";
import type { AtlasAnalysis } from "../../../src/jobs/htan/data/analysis.ts";
import type { Atlas } from "../../../src/jobs/htan/data/atlas.ts";
import { readComponents } from "../../../src/jobs/htan/data/components.ts";
import { listFiles } from "../../../src/jobs/htan/data/files.ts";
import { readLabels } from "../../../src/jobs/htan/data/labels.ts";
import { readManifest } from "../../../src/jobs/htan/data/manifest.ts";
import { readView } from "../../../src/jobs/htan/data/view.ts";
import { readAtlases } from "../../../src/jobs/htan/registry/readAtlases.ts";

export const WORLD = join(import.meta.dirname, "../../fixtures/htan");
const TABLE = join(import.meta.dirname, "../../../config/htan_components.json");

export const components = readComponents(JSON.parse(readFileSync(TABLE, "utf8")));
export const labels = readLabels(
  JSON.parse(readFileSync(TABLE.replace("components", "labels"), "utf8")),
);
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
  return analyseAtlas(atlas, files, manifests, components, { labels });
}
