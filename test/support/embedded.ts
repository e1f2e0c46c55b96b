// Embedded databases for tests, each from the template that hdash itself begins with.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import type { Database } from "../../src/store/database.ts";
import { makeEmbedded, openPglite, startPglite } from "../../src/store/embedded.ts";
import { makeTemplate, templatePath } from "../../src/store/template.ts";

/** Creates an embedded database in memory with every table, empty. */
export async function createEmbeddedDatabase(): Promise<Database> {
  if (!existsSync(templatePath())) {
    const dir = await mkdtemp(join(tmpdir(), "hdash-template-"));
    await makeTemplate(join(dir, "data"), makeEmbedded);
    await rm(dir, { recursive: true });
  }
  const loadDataDir = new Blob([gunzipSync(await readFile(templatePath()))]);
  return openPglite(await startPglite({ loadDataDir }), "embedded test database");
}
