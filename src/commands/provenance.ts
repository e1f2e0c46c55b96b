// hdash provenance: what a result was made of, as text, JSON, a graph, a page, a crate or a statement.

import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { type Command, InvalidArgumentError, Option } from "commander";

import type { Effects } from "../effects.ts";
import { HdashError } from "../error.ts";
import type { Provenance } from "../lineage/provenance.ts";
import { EXIT, type Shell } from "../shell.ts";

const FORMATS = ["text", "json", "dot", "html", "ro-crate", "slsa"] as const;

interface Flags {
  readonly format: (typeof FORMATS)[number];
  readonly json?: boolean;
  readonly depth?: number;
  readonly withData?: boolean;
  readonly out?: string;
}

const EXAMPLES = `
Examples:
  hdash provenance kmer.merged                            what made a result, by its name
  hdash provenance results/merged.tsv --depth 1           of a file at hand, its last step alone
  hdash provenance kmer --format ro-crate --out crate     a crate of all that the last good run gave
`;

/** Adds the command to hdash. */
export function addProvenance(program: Command, shell: Shell): void {
  program
    .command("provenance")
    .description("tell what made a result, or all that a run gave: steps, files, values, code")
    .argument(
      "<result>",
      "PIPELINE.NAME, a run's number, a key, sha256:DIGEST, an address or a path",
    )
    .addOption(new Option("--format <format>", "how it is told").choices(FORMATS).default("text"))
    .option("--json", "the same as --format json")
    .option("--depth <n>", "steps behind the result (default: all)", parseDepth)
    .option("--with-data", "a crate with its files, not only their digests")
    .option("--out <path>", "a file, or a crate's folder (default: standard output)")
    .addHelpText("after", EXAMPLES)
    .action(async (word: string, flags: Flags) => shell.exit(await tell(shell, word, flags)));
}

function parseDepth(value: string): number {
  const depth = Number(value);
  if (!/^\d{1,6}$/.test(value))
    throw new InvalidArgumentError("It must be a whole number from 0 on.");
  return depth;
}

async function tell(shell: Shell, word: string, flags: Flags): Promise<number> {
  const format = flags.json === true ? "json" : flags.format;
  const { out } = flags;
  if (format === "ro-crate" && out === undefined) {
    throw new HdashError("usage", "a crate is a folder: --out says where");
  }
  if (format !== "ro-crate" && flags.withData === true) {
    throw new HdashError("usage", `--with-data is for --format ro-crate, and not for ${format}`);
  }
  const config = shell.config(["database"]);
  return shell.withEffects(config, shell.log(config), async (effects) => {
    const { findResult } = await import("../lineage/find.ts");
    const { readProvenance } = await import("../lineage/provenance.ts");
    const { db } = await effects.database();
    const { siteUrl } = config;
    const { signal } = shell;
    const found = await findResult(db, word, { siteUrl, signal });
    const provenance = await readProvenance(db, word, found, {
      depth: flags.depth ?? null,
      signal,
    });
    if (format === "ro-crate") {
      const { writeCrate } = await import("./crate.ts");
      const file = found.kind === "run" ? found.run.origin : await originOf(effects, provenance);
      await writeCrate(effects, provenance, {
        ...{ out: out ?? "", origin: file, withData: flags.withData === true, signal },
      });
      shell.print(out ?? "");
      return EXIT.ok;
    }
    const text = await write(effects, provenance, format);
    if (out === undefined) for (const line of text.trimEnd().split("\n")) shell.print(line);
    else await writeOut(out, text);
    return EXIT.ok;
  });
}

/** From what the run that made it can be begun again. */
async function originOf(effects: Effects, { run }: Provenance) {
  const { readLedgerRun } = await import("../store/lineage.ts");
  const { db } = await effects.database();
  return run === null ? null : ((await readLedgerRun(db, run.id))?.origin ?? null);
}

async function write(
  effects: Effects,
  provenance: Provenance,
  format: Exclude<Flags["format"], "ro-crate">,
): Promise<string> {
  switch (format) {
    case "text": {
      const { provenanceText } = await import("../lineage/provenanceText.ts");
      return provenanceText(provenance).join("\n");
    }
    case "json":
      return JSON.stringify(provenance, null, 2);
    case "dot": {
      const { provenanceDot } = await import("../lineage/provenanceDot.ts");
      return provenanceDot(provenance);
    }
    case "slsa": {
      const { makeStatement } = await import("../lineage/statement.ts");
      const { namespace, siteUrl } = effects.config;
      const isWeb = siteUrl !== null && /^https?:/.test(siteUrl);
      const own = namespace === null ? null : `urn:hdash:builder:${namespace}`;
      const statement = makeStatement(provenance, { id: isWeb ? siteUrl : own });
      if (statement.subject.length === 0) {
        throw new HdashError(
          "usage",
          `${provenance.asked} is no stored content, so that there is nothing to make a statement of`,
        );
      }
      return JSON.stringify(statement, null, 2);
    }
    case "html": {
      const { loadDesign } = await import("../render/design.ts");
      const { makeProvenancePage } = await import("../lineage/provenancePage.ts");
      const { selfContained } = await import("../render/selfContained.ts");
      const { dir } = await effects.artifacts();
      const { render, assets } = await loadDesign(effects.root, dir);
      return selfContained(
        makeProvenancePage(provenance, { render, assets: assets.paths }),
        assets,
      );
    }
  }
}

/** Writes a file as a whole: what stood there stays until all of it is written. */
async function writeOut(out: string, text: string): Promise<void> {
  const isFolder = await stat(out).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isFolder) throw new HdashError("usage", `--out is ${out}, which is a folder`);
  const { rename, writeFile } = await import("node:fs/promises");
  const part = join(dirname(out), `.${basename(out)}.part`);
  try {
    await writeFile(part, text.endsWith("\n") ? text : `${text}\n`);
    await rename(part, out);
  } catch (error) {
    throw new HdashError("usage", `--out is ${out}, which cannot be written`, { cause: error });
  }
}
