// Worlds with one trouble each, as people report them of real manifests: read from disk and analysed as the pipeline does it, with what
// their atlases have of each other.

import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";

import { analyseAtlas, inTableOrder } from "../../../src/jobs/htan/data/analyse.ts";
import type { AtlasAnalysis } from "../../../src/jobs/htan/data/analysis.ts";
import { decodeEntityIds, encodeEntityIds } from "../../../src/jobs/htan/data/entityIds.ts";
import { listFiles } from "../../../src/jobs/htan/data/files.ts";
import { readManifest } from "../../../src/jobs/htan/data/manifest.ts";
import {
  findRecords,
  findStrangers,
  settleStrangers,
} from "../../../src/jobs/htan/data/strangers.ts";
import { readView } from "../../../src/jobs/htan/data/view.ts";
import { readAtlases } from "../../../src/jobs/htan/registry/readAtlases.ts";
import { components, labels } from "./fixtureWorld.ts";

const CASES = join(import.meta.dirname, "../../fixtures/cases/htan");

/** Analyses every atlas of a case: atlas id → analysis. */
export async function analyseCase(name: string): Promise<Readonly<Record<string, AtlasAnalysis>>> {
  const dir = join(CASES, name);
  const atlases = readAtlases(readFileSync(join(dir, "atlases.csv"), "utf8"));
  const read = new Map<
    string,
    { analysis: AtlasAnalysis; known: ReturnType<typeof inTableOrder> }
  >();
  for (const atlas of atlases) {
    const view = createReadStream(join(dir, "master.csv"));
    const rows = await readView(view, { projectId: atlas.projectId });
    const files = listFiles(atlas, rows);
    const manifests = [];
    for (const entry of files.manifests) {
      const content = createReadStream(join(dir, "files", `${entry.entityId}.csv`));
      manifests.push(await readManifest(entry, content, components));
    }
    const entities = decodeEntityIds(encodeEntityIds(rows.fileIds));
    const analysis = analyseAtlas(atlas, files, manifests, components, { entities, labels });
    read.set(atlas.atlasId, { analysis, known: inTableOrder(manifests, components) });
  }
  return Object.fromEntries(
    [...read].map(([atlasId, { analysis }]) => {
      const found = Object.entries(findStrangers(analysis)).flatMap(([other, ids]) => {
        const known = read.get(other)?.known;
        return known === undefined ? [] : [[other, findRecords(known, ids)] as const];
      });
      return [atlasId, settleStrangers(analysis, { found: Object.fromEntries(found), unseen: [] })];
    }),
  );
}

/** Analyses the one atlas of a case that has but one. */
export async function analyseOnly(name: string): Promise<AtlasAnalysis> {
  const [analysis, ...others] = Object.values(await analyseCase(name));
  if (analysis === undefined || others.length > 0) throw new Error(`${name} has not one atlas`);
  return analysis;
}
