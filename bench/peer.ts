// The floor for a well-kept library: csv-parse reads the same manifests and views, and nothing is done with what it read.
// node bench/peer.ts WORLD prints a Measurement as JSON.

import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { parse } from "csv-parse";

import { startWatch } from "./stopwatch.ts";

const dir = process.argv[2] ?? "";
const counts = { files: 0, records: 0 };
const watch = startWatch();
for (const folder of ["views", "files"]) {
  const stage = folder === "views" ? "view" : "manifests";
  for (const name of await readdir(join(dir, folder))) {
    counts.files += 1;
    await watch.time(stage, async () => {
      const records = createReadStream(join(dir, folder, name)).pipe(
        parse({ relax_column_count: true, bom: true }),
      );
      for await (const _record of records) counts.records += 1;
    });
  }
}
process.stdout.write(JSON.stringify(watch.stop(counts)));
