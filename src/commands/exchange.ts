// hdash export and hdash import: results with all that they were made of, from one ledger to another.

import { resolve } from "node:path";

import type { Command } from "commander";

import { bytes, count } from "../format.ts";
import { EXIT, type Shell } from "../shell.ts";

const EXPORT_EXAMPLES = `
RESULT is PIPELINE.NAME, a key or 8 digits of it, sha256:DIGEST, a path or an address; RUN is a number. A name that ends in .tar.zst is a
file, any other a folder. Nothing is written over.

Examples:
  hdash export kmer.merged[1] merged.tar.zst
  hdash export 17 run17 --no-data              the records alone
`;

const IMPORT_EXAMPLES = `
All of an archive is checked before anything of it is written: that it is whole, that each key is that of its document, each blob what its
digest says. Whether a result is true nobody can see from it: import what you believe, or \`hdash verify\` it. --trust says that the archive
is believed rather than what is here: results that are others here are added, and count; and code that its maker has trusted is trusted.

Examples:
  hdash import merged.tar.zst
`;

/** Adds both commands to hdash. */
export function addExchange(program: Command, shell: Shell): void {
  program
    .command("export")
    .description("write a result or a run, with all that it was made of, to an archive")
    .argument("<result>", "a result or a run")
    .argument("<out>", "a new file (….tar.zst) or folder")
    .option("--no-data", "without the bytes: how it was made, and not what it is")
    .option("--json", "as JSON")
    .addHelpText("after", EXPORT_EXAMPLES)
    .action(async (word: string, out: string, flags: { data: boolean; json?: boolean }) =>
      shell.exit(await exportTo(shell, word, out, flags)),
    );
  program
    .command("import")
    .description("take what was exported elsewhere into the ledger")
    .argument("<archive>", "a file or folder that hdash export has written")
    .option("--trust", "believe it rather than what is here")
    .option("--json", "as JSON")
    .addHelpText("after", IMPORT_EXAMPLES)
    .action(async (path: string, flags: { trust?: boolean; json?: boolean }) =>
      shell.exit(await importFrom(shell, path, flags)),
    );
}

async function exportTo(
  shell: Shell,
  word: string,
  out: string,
  flags: { readonly data: boolean; readonly json?: boolean },
): Promise<number> {
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const { findResult } = await import("../lineage/find.ts");
    const { exportFound } = await import("../lineage/exporting.ts");
    const { db } = await effects.database();
    const { signal } = shell;
    const found = await findResult(db, word, { siteUrl: config.siteUrl, signal });
    const from = { db, blobs: await effects.blobs(), scratch: await effects.scratch(), signal };
    const done = await exportFound(from, found, resolve(out), flags.data);
    if (flags.json === true) shell.print(JSON.stringify(done));
    else {
      const data = flags.data ? `${count(done.blobs, "blob")}, ${bytes(done.bytes)}` : "no data";
      const runs = count(done.runs.length, "run");
      shell.print(`${out}: ${count(done.results, "result")} of ${runs}, ${data}`);
      const [first] = done.dropped;
      if (first !== undefined) {
        const left = count(done.dropped.length, "temporary file");
        shell.print(`${left} left out, whose bytes have gone, e.g. sha256:${first.slice(0, 12)}`);
      }
    }
    return EXIT.ok;
  });
}

async function importFrom(
  shell: Shell,
  path: string,
  flags: { readonly trust?: boolean; readonly json?: boolean },
): Promise<number> {
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const { importArchive } = await import("../lineage/importing.ts");
    const { db } = await effects.database();
    const { signal } = shell;
    const to = { db, blobs: await effects.blobs(), scratch: await effects.scratch(), signal };
    const done = await importArchive(to, resolve(path), flags.trust === true);
    if (flags.json === true) {
      shell.print(JSON.stringify(done));
      return EXIT.ok;
    }
    const { results, known, runs, blobs, bytes: size, trustsLeft } = done;
    const here = known === 0 ? "" : `, ${count(known, "result")} known already`;
    const named = runs.length === 0 ? "no run" : `run ${runs.join(", ")}`;
    const data = `${count(blobs, "blob")}, ${bytes(size)}`;
    shell.print(`${path}: ${count(results, "result")}${here}, ${named}, ${data}`);
    if (trustsLeft > 0) {
      shell.print(
        `${count(trustsLeft, "word of trust", "words of trust")} left out; --trust takes them`,
      );
    }
    return EXIT.ok;
  });
}
