// Writes a synthetic world of exports into a folder, as large as it is asked to be:
//   node bench/cohortWorld.ts FOLDER [--seed 1] [--exports 3] [--participants 12] [--rows 20] [--faults]

import { createWriteStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";

import { makeWorld } from "../src/jobs/cohort/demo/world.ts";
import type { WorldTables } from "../src/jobs/cohort/demo/worldRecords.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    exports: { type: "string", default: "3" },
    participants: { type: "string", default: "12" },
    rows: { type: "string", default: "20" },
    namespace: { type: "string", default: "main" },
    faults: { type: "boolean", default: false },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error("name a folder");
const schema = join(import.meta.dirname, "../config/cohort/1.json");
// Its form is checked where the job reads it.
const { types } = JSON.parse(await readFile(schema, "utf8")) as { readonly types: WorldTables };
const world = makeWorld(types, {
  seed: Number(values.seed),
  namespace: values.namespace,
  cohorts: ["adults_v1", "pediatric_v1"],
  exports: Number(values.exports),
  participants: Number(values.participants),
  rowsPerDay: Number(values.rows),
  faults: values.faults,
});
for (const { key, bytes } of world.objects) {
  const path = join(folder, key);
  await mkdir(dirname(path), { recursive: true });
  await pipeline(Readable.from(bytes()), createWriteStream(path));
}
await writeFile(join(folder, "identifiers.txt"), `${world.identifiers.join("\n")}\n`);
await writeFile(join(folder, "planted.json"), `${JSON.stringify(world.planted, null, 1)}\n`);
console.log(`${world.objects.length} objects → ${folder}`);
