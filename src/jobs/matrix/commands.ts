// hdash matrix: what can be asked of one matrix on this machine, without configuration, database or network.

import type { Stats } from "node:fs";
import type { Worker } from "node:worker_threads";

import type { Command } from "commander";

import { EXIT, type Shell } from "../../shell.ts";
import type { MatrixStatistics } from "./counting/statistics.ts";
import type { ReportPaint } from "./counting/statsReport.ts";

const EXAMPLES = `
Examples:
  hdash matrix stats ./filtered_feature_bc_matrix      a folder as Cell Ranger writes it
  hdash matrix stats project.homo_sapiens.mtx.zip      a zip of one or many matrices
  hdash matrix stats cells.h5ad --json > stats.json    every number, for programs

Can be read: MatrixMarket with its gene and cell table (.mtx or .mtx.gz, in a folder, a zip or a .tar.gz), .h5ad, 10x .h5, .loom.
`;

/** Adds the commands about matrices to a program; `hdf5Thread` was started early, for it takes a while. */
export function addMatrixCommands(
  program: Command,
  shell: Shell,
  hdf5Thread: Worker | null = null,
): void {
  const matrix = program
    .command("matrix")
    .description("look at a gene expression matrix on this machine");
  matrix
    .command("stats")
    .description("count a matrix: its cells, its genes, its approaches, its variable genes")
    .argument("<path>", "a file or a folder")
    .option("--json", "every number as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (path: string, flags: { json?: boolean }) =>
      shell.exit(await stats(shell, path, flags.json === true, hdf5Thread)),
    );
}

async function stats(
  shell: Shell,
  path: string,
  isJson: boolean,
  hdf5Thread: Worker | null,
): Promise<number> {
  const startedMs = performance.now();
  await checkPath(path);
  const progress = isJson || !shell.isTerminal ? null : makeProgress();
  let readBytes = 0;
  const statistics = await count(shell.signal, path, hdf5Thread, (done, total) => {
    readBytes = done;
    progress?.show(done, total);
  }).finally(() => progress?.clear());

  if (isJson) {
    const { writeStatistics } = await import("./counting/statsJson.ts");
    await writeOut(writeStatistics(statistics), shell.signal);
    return EXIT.ok;
  }
  const { basename, resolve } = await import("node:path");
  const { drawReport } = await import("./counting/statsReport.ts");
  const hasColours = shell.isTerminal && process.stdout.hasColors(16);
  const lines = drawReport(statistics, {
    name: basename(resolve(path)),
    isTerminal: process.stdout.isTTY,
    readBytes,
    tookMs: performance.now() - startedMs,
    paint: hasColours ? COLOURS : UNPAINTED,
  });
  for (const line of lines) shell.print(line);
  return EXIT.ok;
}

async function checkPath(path: string): Promise<void> {
  const { stat } = await import("node:fs/promises");
  const { HdashError } = await import("../../error.ts");
  if (path === "") throw new HdashError("usage", "the path of the matrix is empty");
  let found: Stats;
  try {
    found = await stat(path);
  } catch (error) {
    throw new HdashError("usage", `there is no file or folder ${path}`, { cause: error });
  }
  if (found.isFile() || found.isDirectory()) return;
  throw new HdashError(
    "usage",
    `${path} is no file and no folder: pipes cannot be read, since a matrix is read more than once`,
    { hint: "Write it to a file first." },
  );
}

/** Counts a matrix with a scratch folder that is gone afterwards, whatever happens. */
async function count(
  signal: AbortSignal,
  path: string,
  hdf5Thread: Worker | null,
  onProgress: (done: number, total: number) => void,
): Promise<MatrixStatistics> {
  const { rm } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const { makePassingFolder } = await import("../../engine/scratch.ts");
  const { openMatrix } = await import("./openMatrix.ts");
  const { diskRemedy, HdashError, messageOf } = await import("../../error.ts");
  const parent = tmpdir();
  const scratchDir = await makePassingFolder(parent, "hdash-matrix-").catch((error: unknown) => {
    const why = `${messageOf(error)}${diskRemedy(error, parent, "TMPDIR")}`;
    throw new HdashError("config", `no work folder can be made in ${parent}: ${why}`, {
      cause: error,
    });
  });
  try {
    const [reader, { computeStatistics }] = await Promise.all([
      openMatrix(path, { scratchDir, signal, approaches: [], hdf5Thread }),
      // Loaded while a thread starts.
      import("./counting/computeStatistics.ts"),
    ]);
    try {
      return await computeStatistics(reader, { scratchDir, signal, onProgress });
    } finally {
      await reader.close();
    }
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
}

/** Writes pieces to standard output no faster than they are read; a reader that has seen enough ends it. */
async function writeOut(pieces: Iterable<string>, signal: AbortSignal): Promise<void> {
  const { Readable } = await import("node:stream");
  const { pipeline } = await import("node:stream/promises");
  try {
    await pipeline(Readable.from(pieces), process.stdout, { end: false, signal });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code !== "EPIPE" && code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  }
}

interface ReadProgress {
  show(done: number, total: number): void;
  clear(): void;
}

/** One line of standard error that is written over. */
function makeProgress(): ReadProgress {
  let shown = -1;
  return {
    show(done, total) {
      const pct = total === 0 ? 0 : Math.floor((100 * done) / total);
      if (pct === shown) return;
      shown = pct;
      process.stderr.write(`\rreading ${`${pct}`.padStart(3)}%`);
    },
    clear() {
      if (shown !== -1) process.stderr.write("\r\u001b[K");
    },
  };
}

const painted = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const COLOURS: ReportPaint = { strong: painted(1), dim: painted(2), warn: painted(33) };
const same = (text: string): string => text;
const UNPAINTED: ReportPaint = { strong: same, dim: same, warn: same };
