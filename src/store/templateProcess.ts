// The program that makes the template of the embedded database for an installation: the second half of `npm run build`. Its clock stands still
// and its dice always fall alike, so that the same sources make the same file, and with it the same layer of the image.

import crypto from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The date that every file of the image has. */
const AT = Date.UTC(2000, 0, 1);

// Postgres, as WebAssembly, has no other way to the clock and to chance than these.
Date.now = () => AT;
globalThis.Date = new Proxy(Date, {
  construct: (date, args: readonly unknown[]) =>
    Reflect.construct(date, args.length === 0 ? [AT] : args) as Date,
});
performance.now = () => 0;
crypto.randomFillSync = (bytes) => bytes;

// Loaded under the clock that stands.
const { makeEmbedded } = await import("./embedded.ts");
const { makeTemplate, templatePath } = await import("./template.ts");

const dir = mkdtempSync(join(tmpdir(), "hdash-template-"));
try {
  await makeTemplate(join(dir, "data"), makeEmbedded);
  process.stdout.write(`template of the embedded database → ${templatePath()}\n`);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
