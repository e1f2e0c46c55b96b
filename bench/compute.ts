// Measures the HTAN computation alone, in a process of its own: node bench/compute.ts WORLD. Prints a Measurement as JSON.

import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { analyseAtlas } from "../src/jobs/htan/data/analyse.ts";
import { readComponents } from "../src/jobs/htan/data/components.ts";
import { listFiles } from "../src/jobs/htan/data/files.ts";
import { readLabels } from "../src/jobs/htan/data/labels.ts";
import { type Manifest, readManifest } from "../src/jobs/htan/data/manifest.ts";
import { readView } from "../src/jobs/htan/data/view.ts";
import { readAtlases } from "../src/jobs/htan/registry/readAtlases.ts";
import { startWatch } from "./stopwatch.ts";

const dir = process.argv[2] ?? "";
const config = join(import.meta.dirname, "../config/htan_components.json");
const components = readComponents(JSON.parse(await readFile(config, "utf8")));
const labels = readLabels(
  JSON.parse(await readFile(join(import.meta.dirname, "../config/htan_labels.json"), "utf8")),
);
const atlases = readAtlases(await readFile(join(dir, "atlases.csv"), "utf8"));
const world = JSON.parse(await readFile(join(dir, "world.json"), "utf8")) as {
  planted: Record<string, Record<string, number>>;
};

const counts = {
  files: 0,
  manifests: 0,
  records: 0,
  findings: 0,
  gridRows: 0,
  edges: 0,
  events: 0,
};
const wrong: string[] = [];
const watch = startWatch();
for (const atlas of atlases) {
  const view = createReadStream(join(dir, "views", `${atlas.projectId}.csv`));
  const rows = await watch.time("view", () => readView(view));
  const files = await watch.time("files", () => listFiles(atlas, rows));
  const manifests: Manifest[] = [];
  await watch.time("manifests", async () => {
    for (const entry of files.manifests) {
      const content = createReadStream(join(dir, "files", `${entry.entityId}.csv`));
      manifests.push(await readManifest(entry, content, components));
    }
  });
  const analysis = await watch.time("analysis", () =>
    analyseAtlas(atlas, files, manifests, components, { labels }),
  );

  for (const count of Object.values(analysis.fileCounts)) counts.files += count;
  counts.manifests += manifests.length;
  for (const { records } of Object.values(analysis.manifests)) counts.records += records;
  counts.findings += analysis.findings.length;
  for (const grid of Object.values(analysis.grids)) counts.gridRows += grid.rows;
  counts.edges += analysis.sif.length;
  counts.events += analysis.timelineEvents.length;
  for (const { rule, count } of analysis.rules) {
    const planted = world.planted[atlas.atlasId]?.[rule] ?? 0;
    if (count !== planted)
      wrong.push(`${atlas.atlasId} ${rule}: ${count} found, ${planted} planted`);
  }
}
const measurement = watch.stop(counts);
// A fast wrong answer is worth nothing.
if (wrong.length > 0)
  throw new Error(`the findings are not those that were planted:\n${wrong.join("\n")}`);
process.stdout.write(JSON.stringify(measurement));
