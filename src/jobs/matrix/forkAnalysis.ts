// Analyses a matrix in a process of its own: what it computes cannot hold up heartbeats, what it takes of memory is given back,
// and what crashes or hangs in it takes nothing else along.

import { fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { getCompileCacheDir } from "node:module";
import { extname, join } from "node:path";

import { type ErrorKind, HdashError } from "../../error.ts";
import type { AnalysisRequest, MatrixAnalysis, OnStage } from "./analysis.ts";

/** What the process is told, and what it tells. The result itself is a file: it may be megabytes. */
export interface ToAnalysis {
  readonly request: AnalysisRequest;
}
export type FromAnalysis =
  | { readonly kind: "stage"; readonly stage: string; readonly fraction: number }
  | { readonly kind: "done" }
  | {
      readonly kind: "failed";
      readonly errorKind: ErrorKind;
      readonly message: string;
      readonly hint: string | null;
      readonly publicly: string | null;
    };

/** The result's name in the scratch folder. */
export const ANALYSIS_FILE = "analysis.json";

/** A process that has said nothing for so long hangs: the longest silent stage, UMAP of 50,000 cells, takes a minute. */
const SILENCE_MS = 30 * 60_000;

/** Analyses a matrix. Throws aborted where the signal aborts, transient where the process dies or hangs. */
export async function forkAnalysis(
  request: AnalysisRequest,
  options: {
    readonly signal: AbortSignal;
    readonly onStage?: OnStage;
    /** Default 30 minutes. */
    readonly silenceMs?: number;
    /** What the process runs; default analysisProcess.ts. */
    readonly script?: URL;
  },
): Promise<MatrixAnalysis> {
  const { signal, onStage, silenceMs = SILENCE_MS } = options;
  if (signal.aborted) throw stopped(signal);
  const own = new URL(`./analysisProcess${extname(import.meta.filename)}`, import.meta.url);
  const compiled = getCompileCacheDir();
  const child = fork(options.script ?? own, [], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    // Nothing of ours but where temporary files go, and what Node has compiled: the process needs no secret.
    env: {
      ...{ TZ: "UTC", TMPDIR: request.scratchDir },
      ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }),
    },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "json",
  });
  const said: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    // The last words only: they say why it died.
    said.push(text);
    if (said.length > 20) said.shift();
  });
  let last: FromAnalysis | null = null;
  let isHung = false;
  const hang = (): void => {
    isHung = true;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(hang, silenceMs);
  const stop = (): void => void child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("error", (cause) =>
        reject(new HdashError("transient", "the analysis could not be started", { cause })),
      );
      child.once("close", (code, killedBy) => {
        if (last?.kind === "done" || last?.kind === "failed") resolve();
        else reject(died(code, killedBy, said.join("")));
      });
      child.on("message", (message) => {
        last = message as FromAnalysis;
        clearTimeout(timer);
        timer = setTimeout(hang, silenceMs);
        if (last.kind === "stage") onStage?.(last.stage, last.fraction);
      });
      child.send({ request } satisfies ToAnalysis, (error) => {
        // A process that died before it listened is told of by its end.
        if (error !== null) child.kill("SIGKILL");
      });
    });
  } catch (error) {
    if (signal.aborted) throw stopped(signal);
    if (isHung) {
      const minutes = Math.round(silenceMs / 60_000);
      throw new HdashError("transient", `the analysis was silent for ${minutes} minutes`, {
        cause: error,
      });
    }
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
  const end = last as FromAnalysis | null;
  if (end?.kind === "failed") {
    const { errorKind, message, hint, publicly } = end;
    throw new HdashError(errorKind, message, {
      ...(hint === null ? {} : { hint }),
      ...(publicly === null ? {} : { publicly }),
    });
  }
  // Written by analysisProcess.ts.
  const text = await readFile(join(request.scratchDir, ANALYSIS_FILE), "utf8");
  return JSON.parse(text) as MatrixAnalysis;
}

function stopped(signal: AbortSignal): HdashError {
  return new HdashError("aborted", "the analysis was stopped", { cause: signal.reason });
}

function died(code: number | null, killedBy: string | null, said: string): HdashError {
  const how = killedBy === null ? `ended with ${code ?? "nothing"}` : `was ended by ${killedBy}`;
  const words = said.trim().split("\n").filter(Boolean).slice(-3).join(" | ").slice(0, 400);
  return new HdashError(
    "transient",
    `the analysis ${how}${words === "" ? "" : `: ${words}`}`,
    killedBy === "SIGKILL" ? { hint: "The machine may be short of memory." } : {},
  );
}
