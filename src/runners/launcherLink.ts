// The worker's side of the launcher: starts its process and passes orders and answers.

import { type ChildProcess, spawn } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import type { Socket } from "node:net";
import { extname } from "node:path";

import {
  type Ending,
  frameMessage,
  type FromLauncher,
  makeFrameReader,
  type Order,
  type ToLauncher,
} from "./frames.ts";

/** Of the launcher's last words, so many characters are kept: they say why it died. */
const LAST_WORDS = 2000;

export interface LauncherLink {
  readonly pid: number | null;
  /** Resolves with null when it can take orders, or with why it died. */
  readonly ready: Promise<string | null>;
  /** Resolves when its process is gone, with how that happened. */
  readonly gone: Promise<string>;
  /** Passes an order; resolves with its ending, or with null where the launcher died before. */
  execute(order: Order, onOutput: (bytes: Buffer) => void): Promise<Ending | null>;
  stop(id: number): void;
  /** Makes the launcher end everything, and itself. */
  close(): void;
}

interface Waiting {
  readonly onOutput: (bytes: Buffer) => void;
  readonly settle: (ending: Ending | null) => void;
}

/** Starts a launcher. It keeps this process from ending only while it has orders. @param folder where it makes pipes. */
export function startLauncher(folder: string, graceMs: number): LauncherLink {
  const compiled = getCompileCacheDir();
  const script = `${import.meta.dirname}/launcherProcess${extname(import.meta.filename)}`;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--", script, folder, String(graceMs)],
    {
      env: { TZ: "UTC", ...(compiled === undefined ? {} : { NODE_COMPILE_CACHE: compiled }) },
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      // A terminal's Ctrl-C is for the worker.
      detached: true,
    },
  );
  const waiting = new Map<number, Waiting>();
  const link = child.stdio[3] as Socket; // "pipe", as asked for above
  const errors = child.stderr as Socket | null;
  let said = "";
  errors?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-LAST_WORDS);
  });
  const gone = goneOf(child, () => said);
  let [isReady, isGone] = [false, false];
  const hold = (): void => {
    for (const one of [child, link, errors]) {
      if (isReady && waiting.size === 0) one?.unref();
      else one?.ref();
    }
  };
  const ready = new Promise<string | null>((resolve) => {
    void gone.then(resolve);
    const read = makeFrameReader<FromLauncher>({
      message(message) {
        if (message.kind === "end") return waiting.get(message.id)?.settle(message);
        isReady = true;
        hold();
        resolve(null);
      },
      output: (id, bytes) => waiting.get(id)?.onOutput(bytes),
    });
    link.on("data", read);
  });
  // A launcher that died cannot be written to; its end tells of that.
  link.on("error", () => undefined);
  void gone.then(() => {
    isGone = true;
    for (const { settle } of waiting.values()) settle(null);
  });
  const send = (message: ToLauncher): void => void link.write(frameMessage(message));
  return {
    ...{ pid: child.pid ?? null, ready, gone },
    async execute(order, onOutput) {
      if (isGone) return null;
      const ending = new Promise<Ending | null>((settle) => {
        waiting.set(order.id, { onOutput, settle });
      });
      hold();
      send(order);
      try {
        return await ending;
      } finally {
        waiting.delete(order.id);
        hold();
      }
    },
    stop: (id) => send({ kind: "stop", id }),
    close() {
      child.ref();
      link.destroy();
    },
  };
}

function goneOf(child: ChildProcess, words: () => string): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`it could not be started: ${error.message}`));
    child.once("close", (code, killedBy) => {
      const how = killedBy === null ? `it ended with ${code ?? "nothing"}` : `${killedBy} ended it`;
      // Of a trace, the line that names the error.
      const lines = words().trim().split("\n");
      const said = lines.find((line) => /^\w*Error\b.*: /.test(line)) ?? lines.at(-1) ?? "";
      resolve(said === "" ? how : `${how}: ${said}`);
    });
  });
}
