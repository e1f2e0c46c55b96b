// hdash report: the pages of a run in a folder.

import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import type { Command } from "commander";

import { HdashError, messageOf } from "../error.ts";
import { count } from "../format.ts";
import type { SiteFile } from "../render/siteFiles.ts";
import { EXIT, type Shell } from "../shell.ts";
import { type Asked, askLedger, findRun } from "./asking.ts";

interface ReportFlags {
  readonly out: string;
  readonly json?: boolean;
}

/** Adds the command to hdash. */
export function addReport(program: Command, shell: Shell): void {
  program
    .command("report")
    .description("write pages of a run: what it did, what failed, how its results were made")
    .argument("<run>", "its number, or a pipeline's name: its newest run")
    .requiredOption("--out <dir>", "a folder; what an earlier report has left there is replaced")
    .option("--json", "as JSON (docs/schemas/report.schema.json)")
    .addHelpText("after", "\nExample: hdash report kmer --out report")
    .action(async (word: string, flags: ReportFlags) =>
      shell.exit(await askLedger(shell, (asked) => report(shell, asked, word, flags))),
    );
}

async function report(
  shell: Shell,
  asked: Asked,
  word: string,
  { out, json }: ReportFlags,
): Promise<number> {
  const run = await findRun(asked, word);
  await checkOut(out);
  const { db, effects } = asked;
  const { loadDesign } = await import("../render/design.ts");
  const { makeRunFiles } = await import("../lineage/runFiles.ts");
  const design = await loadDesign(effects.root, (await effects.artifacts()).dir);
  const files = await makeRunFiles({
    ...{ db, design, run, isPublic: false, prefix: "", signal: shell.signal },
    blobs: await effects.blobs(),
    menu: { brand: { label: run.pipeline, path: "index.html" }, places: [] },
  });
  await writeFolder(out, files);
  const index = join(out, "index.html");
  if (json === true) {
    const paths = files.map(({ path }) => path).sort();
    shell.print(
      JSON.stringify({ run: Number(run.id), pipeline: run.pipeline, index, files: paths }),
    );
  } else
    shell.print(
      `${index} tells of run ${run.id} of ${run.pipeline} (${count(files.length, "file")})`,
    );
  return EXIT.ok;
}

/** What is in every folder that a report was written to. */
const MARK = ".hdash-report";

/** Throws usage where the folder holds something else than a report. */
async function checkOut(out: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(out);
  } catch (error) {
    if (isMissing(error)) return;
    throw new HdashError("usage", `--out is ${out}, which is no folder: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (names.length === 0 || names.includes(MARK)) return;
  throw new HdashError("usage", `--out is ${out}, which holds something else than a report`, {
    hint: "Name a folder that is empty or not there yet.",
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Writes a folder as a whole: what stood there stays until all of it is written. */
async function writeFolder(out: string, files: readonly SiteFile[]): Promise<void> {
  const whole = resolve(out);
  const part = join(dirname(whole), `.${basename(whole)}.part`);
  try {
    await rm(part, { recursive: true, force: true });
    for (const { path, bytes } of files) {
      const to = join(part, path);
      await mkdir(dirname(to), { recursive: true });
      await writeFile(to, bytes);
    }
    await writeFile(join(part, MARK), "");
    await rm(whole, { recursive: true, force: true });
    await rename(part, whole);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw new HdashError("usage", `--out is ${out}, which cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
