// Reads a region in a thread of its own, which hands its bytes over in a ring of shared memory.

import { extname } from "node:path";
import { Worker } from "node:worker_threads";

import { HdashError } from "../error.ts";
import { FILLED, GIVEN_BACK, type HandOver, SLOTS_AND_END } from "./handOver.ts";
import type { Ring } from "./kernel/mtxKernel.ts";
import { type MatrixRule, UnreadableMatrix } from "./problem.ts";
import type { ByteRegion } from "./region.ts";
import { openRegionSlots } from "./regionBytes.ts";
import { aborted } from "./spool.ts";

/** What the thread is told. */
export interface ReaderJob {
  readonly region: ByteRegion;
  readonly ring: Ring;
  readonly handOver: HandOver;
}

/** The last that the thread says. */
export type ReaderMessage =
  | { readonly kind: "end" }
  | {
      readonly kind: "error";
      readonly rule: MatrixRule | null;
      readonly message: string;
      readonly cause: string;
    };

/** A piece of the region, in the ring's memory until the next one is asked for. */
export interface RegionPiece {
  readonly at: number;
  readonly length: number;
  /** Bytes of the file read so far. */
  readonly read: number;
}

/** Gives the pieces of a region; one of no more than `inlineBytes` is read here, for a thread takes longer to start than to read it. */
export function readRegion(
  region: ByteRegion,
  ring: Ring,
  signal: AbortSignal,
  inlineBytes: number,
): AsyncGenerator<RegionPiece> {
  return region.length <= inlineBytes
    ? readHere(region, ring, signal)
    : readInThread(region, ring, signal);
}

async function* readHere(
  region: ByteRegion,
  ring: Ring,
  signal: AbortSignal,
): AsyncGenerator<RegionPiece> {
  const bytes = openRegionSlots(region, ring);
  try {
    for (let slot = 0; ; slot++) {
      // Lets the program hear that it should stop.
      await new Promise(setImmediate);
      if (signal.aborted) throw aborted(signal);
      const index = slot % ring.slots.length;
      const length = bytes.fill(index);
      if (length === 0) return;
      yield { at: ring.slots[index] ?? 0, length, read: bytes.position() };
    }
  } finally {
    bytes.close();
  }
}

/** Waiting for a slot stops everything else; now and then one hears whether there is something else. */
const WAIT_MS = 10;

/** Gives pieces that a thread reads. The thread ends when the loop does, however it ends. */
async function* readInThread(
  region: ByteRegion,
  ring: Ring,
  signal: AbortSignal,
): AsyncGenerator<RegionPiece> {
  if (signal.aborted) throw aborted(signal);
  const counts = new Int32Array(new SharedArrayBuffer(3 * 4));
  const slots = new Float64Array(new SharedArrayBuffer(ring.slots.length * 2 * 8));
  const job: ReaderJob = { region, ring, handOver: { counts, slots } };
  const file = `./regionWorker${extname(import.meta.filename)}`;
  const worker = new Worker(new URL(file, import.meta.url), { workerData: job });
  let heard: ReaderMessage | Error | null = null;
  let wake: () => void = () => {};
  const hear = (message: ReaderMessage | Error): void => {
    heard ??= message;
    wake();
  };
  const stop = (): void => hear(aborted(signal));
  worker.on("message", hear);
  worker.on("error", hear);
  worker.on("exit", () => hear(new Error("the thread that reads ended too early")));
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (let used = 0; ; used++) {
      // Lets the program hear that it should stop.
      await new Promise(setImmediate);
      for (;;) {
        if (signal.aborted) throw aborted(signal);
        if (Atomics.load(counts, FILLED) > used) break;
        if (heard !== null) return checkEnd(heard, region);
        // A message costs the thread that sends it more than this, and here is nothing else to do.
        if (Atomics.wait(counts, FILLED, used, WAIT_MS) === "timed-out") {
          await new Promise(setImmediate);
        }
      }
      if (Atomics.load(counts, SLOTS_AND_END) === used + 1) {
        while (heard === null) await new Promise<void>((resolve) => (wake = resolve));
        return checkEnd(heard, region);
      }
      const slot = used % ring.slots.length;
      const [length = 0, read = 0] = slots.subarray(slot * 2, slot * 2 + 2);
      yield { at: ring.slots[slot] ?? 0, length, read };
      Atomics.add(counts, GIVEN_BACK, 1);
      Atomics.notify(counts, GIVEN_BACK);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await worker.terminate();
  }
}

/** Throws what a last message says, unless it says that all went well. */
function checkEnd(message: ReaderMessage | Error, { name }: ByteRegion): void {
  if (message instanceof HdashError) throw message;
  if (message instanceof Error) {
    throw new HdashError("permanent", `${name} cannot be read`, { cause: message });
  }
  if (message.kind === "end") return;
  const cause = new Error(message.cause);
  if (message.rule === null) throw new HdashError("permanent", message.message, { cause });
  throw new UnreadableMatrix(message.rule, message.message, { cause });
}
