// The launcher's work: starts the programs of orders one after the other, holds them to their limits, and ends all that they started.

import { setTimeout as sleep } from "node:timers/promises";

import { messageOf } from "../error.ts";
import { endProcesses, type Search } from "./ending.ts";
import { makeFinder } from "./finder.ts";
import type { Cause, Ending, Order } from "./frames.ts";
import { makeMeters, type Meter } from "./meter.ts";
import type { OutputPipe } from "./pipes.ts";
import { startProgram } from "./program.ts";

/** How often processes are looked at while a command runs, in milliseconds: a look takes some 0.3 ms, and memory grows by a GB a second. */
const LOOK_MS = 100;
/** So long a process may take to end after the program that started it: `tee` behind a shell still writes. Milliseconds. */
const SETTLE_MS = 200;
const SETTLE_LOOK_MS = 10;
/** A pipe that has not ended so long after the last process that could be found is held by one that cannot. Milliseconds. */
const UNENDED_MS = 1000;
/** The longest that a timer of Node waits: 24 days. Milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Causes that do not wait: memory and processes become more while one asks. */
const AT_ONCE: readonly (Cause | "gone")[] = ["memory", "processes", "gone"];

export interface LauncherSettings {
  /** Between asking a process to end and killing it. Milliseconds. */
  readonly graceMs: number;
  openPipe(): OutputPipe;
  /** Takes a piece of output; false where it is to be followed by no more until `resume()` is called. */
  output(id: number, bytes: Buffer): boolean;
  end(ending: Ending): void;
}

export interface Launcher {
  start(order: Order): void;
  /** Ends a command for its user; does nothing where it has ended. */
  stop(id: number): void;
  /** Output may flow again. */
  resume(): void;
  /** Kills everything: nobody waits for any of it. */
  abandon(): void;
}

interface Running {
  readonly order: Order;
  readonly pipe: OutputPipe;
  readonly meter: Meter;
  cause: Cause | "gone" | null;
  /** The programs have ended by themselves: no limit is met any more. */
  isOver: boolean;
  /** The ending of everything, once there was a cause for it. */
  stopping: Promise<number> | null;
}

const NOTHING: Omit<Ending, "id" | "refusal"> = {
  kind: "end",
  cause: null,
  exits: [],
  leftBehind: 0,
  wallMs: 0,
  cpuMs: 0,
  peakMemoryBytes: 0,
};

/** Makes a launcher. */
export function makeLauncher(settings: LauncherSettings): Launcher {
  const { graceMs } = settings;
  const running = new Map<number, Running>();
  const byMarker = new Map<string, Running>();
  const finder = makeFinder((marker) => (byMarker.has(marker) ? marker : null));
  const meters = makeMeters();
  let timer: NodeJS.Timeout | null = null;
  let isBlocked = false;

  const searchFor = ({ order: { marker } }: Running): Search => ({
    all: () => finder.findAll().get(marker) ?? [],
    quickly: () => finder.findQuickly().get(marker) ?? [],
  });

  function stop(one: Running, cause: Cause | "gone"): void {
    if (cause === "gone") one.cause = cause;
    if (one.isOver || one.stopping !== null) return;
    one.cause = cause;
    const isHurried = (): boolean => one.cause === "gone";
    const ms = AT_ONCE.includes(cause) ? 0 : graceMs;
    one.stopping = endProcesses(searchFor(one), ms, isHurried);
  }

  function look(): void {
    const found = finder.findQuickly();
    for (const one of byMarker.values()) {
      const processes = found.get(one.order.marker) ?? [];
      const bytes = one.meter.note(processes);
      const { memoryBytes, processes: most } = one.order;
      if (memoryBytes !== null && bytes > memoryBytes) stop(one, "memory");
      else if (most !== null && processes.length > most) stop(one, "processes");
    }
  }

  function forget({ order }: Running): void {
    running.delete(order.id);
    byMarker.delete(order.marker);
    if (running.size === 0 && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  }

  return {
    start(order) {
      let pipe: OutputPipe;
      try {
        pipe = settings.openPipe();
      } catch (error) {
        const refusal = { message: `no pipe can be made: ${messageOf(error)}`, isMachine: true };
        settings.end({ ...NOTHING, id: order.id, refusal });
        return;
      }
      const one: Running = {
        ...{ order, pipe, meter: meters.make(order.memoryBytes) },
        ...{ cause: null, isOver: false, stopping: null },
      };
      pipe.reader.on("data", (bytes: Buffer) => {
        if (one.cause === "gone") return;
        isBlocked = !settings.output(order.id, bytes);
        if (isBlocked) for (const other of running.values()) other.pipe.reader.pause();
      });
      if (isBlocked) pipe.reader.pause();
      // Its close, which follows, is what is waited for.
      pipe.reader.on("error", () => undefined);
      running.set(order.id, one);
      byMarker.set(order.marker, one);
      timer ??= setInterval(look, LOOK_MS);
      const tools = {
        graceMs,
        search: searchFor(one),
        stop: (cause: Cause) => stop(one, cause),
        isBlocked: () => isBlocked,
      };
      void run(one, tools).then((ending) => {
        forget(one);
        if (one.cause !== "gone") settings.end(ending);
      });
    },
    stop(id) {
      const one = running.get(id);
      if (one !== undefined) stop(one, "user");
    },
    resume() {
      isBlocked = false;
      for (const { pipe } of running.values()) pipe.reader.resume();
    },
    abandon() {
      for (const one of running.values()) stop(one, "gone");
    },
  };
}

/** Runs the programs of an order to their end, and ends what is left of them. */
async function run(
  one: Running,
  tools: {
    readonly graceMs: number;
    readonly search: Search;
    stop(cause: Cause): void;
    isBlocked(): boolean;
  },
): Promise<Ending> {
  const { search, graceMs } = tools;
  const { order, pipe, meter } = one;
  const began = performance.now();
  const exits: Ending["exits"][number][] = [];
  let refusal: Ending["refusal"] = null;
  const limit =
    order.timeMs === null
      ? null
      : setTimeout(() => tools.stop("time"), Math.min(order.timeMs, LONGEST_TIMER_MS));
  for (const command of order.script) {
    if (one.cause !== null) break;
    const started = await startProgram(command, order.marker, pipe.writeFd);
    if ("refusal" in started) {
      refusal = started.refusal;
      break;
    }
    const settle = meter.begin(started.child.pid ?? 0);
    const exit = await started.exited;
    await settle();
    exits.push(exit);
    if (exit.code !== 0) break;
  }
  let leftBehind = 0;
  if (one.cause === null) {
    one.isOver = true;
    for (let ms = 0; ms < SETTLE_MS && search.quickly().length > 0; ms += SETTLE_LOOK_MS) {
      await sleep(SETTLE_LOOK_MS);
    }
    leftBehind = await endProcesses(search, graceMs, () => one.cause === "gone");
  } else {
    await one.stopping;
    // What was started in the instant in which it was decided.
    await endProcesses(search, 0);
  }
  if (limit !== null) clearTimeout(limit);
  await drain(one, tools.isBlocked);
  return {
    ...{ kind: "end", id: order.id, refusal, exits, leftBehind },
    cause: one.cause === "gone" ? null : one.cause,
    wallMs: Math.round(performance.now() - began),
    cpuMs: Math.round(meter.cpuMs()),
    peakMemoryBytes: meter.peakMemoryBytes(),
  };
}

/** Waits until all that was said has been handed on. */
async function drain({ pipe, cause }: Running, isBlocked: () => boolean): Promise<void> {
  pipe.closeWriter();
  const isGone = cause === "gone";
  const ended = pipe.reader.closed
    ? Promise.resolve(true)
    : new Promise<boolean>((resolve) => pipe.reader.once("close", () => resolve(true)));
  let isEnded = isGone;
  while (!isEnded) {
    const abort = new AbortController();
    const late = sleep(UNENDED_MS, false, { signal: abort.signal }).catch(() => false);
    isEnded = await Promise.race([ended, late]);
    abort.abort();
    if (!isEnded && !isBlocked()) break;
  }
  pipe.release(isEnded && !isGone);
}
