// Worlds with one trouble each, as people report them of real manifests: read from disk and analysed as the pipeline does it.

import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";

import { analyseAtlas } from "../../../src/jobs/htan/data/analyse.ts";
import type { AtlasAnalysis } from "../../../src/jobs/htan/data/analysis.ts";
import { listFiles } from "../../../src/jobs/htan/data/files.ts";
import { readManifest } from "../../../src/jobs/htan/data/manifest.ts";
import { readView } from "../../../src/jobs/htan/data/view.ts";
import { readAtlases } from "../../../src/jobs/htan/registry/readAtlases.ts";
import { components } from "./fixtureWorld.ts";

const CASES = join(import.meta.dirname, "../../fixtures/cases/htan");

/** Analyses the one atlas of a case. */
export async function analyseCase(name: string): Promise<AtlasAnalysis> {
  const dir = join(CASES, name);
  const [atlas] = readAtlases(readFileSync(join(dir, "atlases.csv"), "utf8"));
  if (atlas === undefined) throw new Error(`${name} has no atlas`);
  const view = createReadStream(join(dir, "master.csv"));
  const files = listFiles(atlas, await readView(view, { projectId: atlas.projectId }));
  const manifests = [];
  for (const entry of files.manifests) {
    const content = createReadStream(join(dir, "files", `${entry.entityId}.csv`));
    manifests.push(await readManifest(entry, content, components));
  }
  return analyseAtlas(atlas, files, manifests, components);
}
