// Reads a region in a thread of its own, which hands its bytes over in a ring of shared memory.

import { extname } from "node:path";
import { Worker } from "node:worker_threads";

import { HdashError } from "../error.ts";
import type { Ring } from "./kernel/mtxKernel.ts";
import { type MatrixRule, UnreadableMatrix } from "./problem.ts";
import type { ByteRegion } from "./region.ts";
import { openRegion, readFully } from "./regionBytes.ts";
import { aborted } from "./spool.ts";

/** What the thread is told. */
export interface ReaderJob {
  readonly region: ByteRegion;
  readonly ring: Ring;
  /** Counts the slots given back, from 0. */
  readonly freed: SharedArrayBuffer;
}

/** What the thread says. */
export type ReaderMessage =
  | { readonly kind: "slot"; readonly length: number; readonly read: number }
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
  const memory = new Uint8Array(ring.memory);
  const bytes = openRegion(region);
  try {
    for (let slot = 0; ; slot++) {
      // Lets the program hear that it should stop.
      await new Promise(setImmediate);
      if (signal.aborted) throw aborted(signal);
      const at = ring.slots[slot % ring.slots.length] ?? 0;
      const length = readFully(bytes, memory.subarray(at, at + ring.slotBytes));
      if (length > 0) yield { at, length, read: bytes.position() };
      if (length < ring.slotBytes) return;
    }
  } finally {
    bytes.close();
  }
}

/** Gives pieces that a thread reads. The thread ends when the loop does, however it ends. */
async function* readInThread(
  region: ByteRegion,
  ring: Ring,
  signal: AbortSignal,
): AsyncGenerator<RegionPiece> {
  if (signal.aborted) throw aborted(signal);
  const freed = new SharedArrayBuffer(4);
  const given = new Int32Array(freed);
  const job: ReaderJob = { region, ring, freed };
  const file = `./regionWorker${extname(import.meta.filename)}`;
  const worker = new Worker(new URL(file, import.meta.url), { workerData: job });
  const heard: (ReaderMessage | Error)[] = [];
  let wake: () => void = () => {};
  const hear = (message: ReaderMessage | Error): void => {
    heard.push(message);
    wake();
  };
  const stop = (): void => hear(aborted(signal));
  worker.on("message", hear);
  worker.on("error", hear);
  worker.on("exit", () => hear(new Error("the thread that reads ended too early")));
  signal.addEventListener("abort", stop, { once: true });
  try {
    for (let slot = 0; ;) {
      const message = heard.shift();
      if (message === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      if (message instanceof HdashError) throw message;
      if (message instanceof Error) {
        throw new HdashError("permanent", `${region.name} cannot be read`, { cause: message });
      }
      if (message.kind === "end") return;
      if (message.kind === "error") {
        const cause = new Error(message.cause);
        if (message.rule === null) throw new HdashError("permanent", message.message, { cause });
        throw new UnreadableMatrix(message.rule, message.message, { cause });
      }
      const at = ring.slots[slot % ring.slots.length] ?? 0;
      slot++;
      yield { at, length: message.length, read: message.read };
      Atomics.add(given, 0, 1);
      Atomics.notify(given, 0);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await worker.terminate();
  }
}
