// Neighbours, UMAP and clusters of cells from their principal components, computed in a child process under a time limit.

import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

import { HdashError } from "../../../error.ts";
import type { Clusters } from "./louvain.ts";

/** scanpy's n_neighbors = 10 counts the cell itself. */
const NEIGHBOURS = 9;
/** Cells up to which neighbours are searched exactly (about 1 s); beyond, by an approximate index that is just as repeatable. */
const EXACT_CELLS = 10_000;
/** As umap-learn: more rounds where they are cheap. */
const SMALL_CELLS = 10_000;
const SMALL_EPOCHS = 500;
const LARGE_EPOCHS = 200;
/** scanpy's default. */
const MIN_DIST = 0.5;
/** More gain little: only the search for neighbours and UMAP's rounds use them, and the bytes are the same. */
const MOST_THREADS = 4;

/** What goes to the process. */
export interface NeighbourhoodTask {
  /** components values for each cell, cell after cell. */
  readonly scores: Float64Array;
  readonly components: number;
  readonly cells: number;
  readonly neighbours: number;
  readonly isApproximate: boolean;
  readonly epochs: number;
  readonly minDist: number;
  readonly threads: number;
  readonly seed: number;
}

export interface Neighbourhood extends Clusters {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

/** What comes back. */
export type NeighbourhoodAnswer = Neighbourhood | { readonly failure: string };

export interface NeighbourhoodOptions {
  readonly seed: number;
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** As many as there are processors, at most 4, where it is not said. */
  readonly threads?: number;
  /** Where it is not said: searched exactly up to 10,000 cells. */
  readonly isApproximate?: boolean;
}

/** Tells how long the process may take: some 20 × what it takes on an idle machine. */
export function limitMsOf(cells: number): number {
  return 120_000 + 15 * cells;
}

/** Fewest cells with which there are as many neighbours as asked for. */
export const FEWEST_CELLS = NEIGHBOURS + 2;

/**
 * Computes UMAP coordinates and Louvain clusters of cells; the same bytes for any number of threads. Returns the reason, in one sentence,
 * where the data made it fail; throws an aborted error when the signal aborts, and a transient one for what another run may not meet:
 * a process that could not be started, was killed or took too long.
 */
export async function mapNeighbourhood(
  scores: Float64Array,
  components: number,
  options: NeighbourhoodOptions,
): Promise<Neighbourhood | string> {
  const cells = scores.length / components;
  const { signal, seed, limitMs } = options;
  const task: NeighbourhoodTask = {
    scores,
    components,
    cells,
    neighbours: NEIGHBOURS,
    isApproximate: options.isApproximate ?? cells > EXACT_CELLS,
    epochs: cells <= SMALL_CELLS ? SMALL_EPOCHS : LARGE_EPOCHS,
    minDist: MIN_DIST,
    threads: options.threads ?? Math.min(MOST_THREADS, availableParallelism()),
    seed,
  };
  const limit = AbortSignal.timeout(limitMs);
  const answer = signal.aborted ? null : await ask(task, AbortSignal.any([signal, limit]));
  if (signal.aborted) {
    throw new HdashError("aborted", "stopped while computing UMAP", { cause: signal.reason });
  }
  if (answer !== null && "failure" in answer) {
    return `neighbours, UMAP and clusters could not be computed: ${answer.failure}`;
  }
  if (answer !== null && "x" in answer) return answer;
  throw new HdashError(
    "transient",
    limit.aborted
      ? `neighbours, UMAP and clusters took longer than ${Math.ceil(limitMs / 1_000)} s and were stopped`
      : `neighbours, UMAP and clusters could not be computed: ${answer?.died ?? "stopped"}`,
  );
}

/** Runs the process until it answers, ends or is stopped; tells how it died where it leaves no answer. */
function ask(
  task: NeighbourhoodTask,
  stop: AbortSignal,
): Promise<NeighbourhoodAnswer | { readonly died: string }> {
  const { promise, resolve } = Promise.withResolvers<
    NeighbourhoodAnswer | { readonly died: string }
  >();
  const child = startProcess();
  const kill = (): void => void child.kill("SIGKILL");
  stop.addEventListener("abort", kill);
  let answer: NeighbourhoodAnswer | null = null;
  child.once("message", (message: NeighbourhoodAnswer) => {
    answer = message;
    // Whatever it still has open is of no use to anybody.
    kill();
  });
  // Comes after everything the process sent was read.
  child.once("close", (code, killedBy) => {
    stop.removeEventListener("abort", kill);
    resolve(answer ?? { died: `the process ended with ${killedBy ?? `code ${code}`}` });
  });
  child.on("error", (error: NodeJS.ErrnoException) => {
    // Not started at all, or ended before it had the task. Without the error's message: it names local paths.
    stop.removeEventListener("abort", kill);
    kill();
    resolve({ died: `the process could not be started (${error.code ?? error.name})` });
  });
  child.send(task);
  if (stop.aborted) kill();
  return promise;
}

function startProcess(): ChildProcess {
  // Compiled, this file and the process are .js.
  const extension = extname(import.meta.filename);
  const file = fileURLToPath(new URL(`./neighbourhoodProcess${extension}`, import.meta.url));
  return fork(file, [], {
    serialization: "advanced",
    // Flags of the calling process (a test runner's, a debugger's) are not for this one.
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
}
