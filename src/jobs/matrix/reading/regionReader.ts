// Reads regions in a thread of its own, which hands their bytes over in a ring of shared memory.

import { extname } from "node:path";
import { Worker } from "node:worker_threads";

import { HdashError } from "../../../error.ts";
import { makeRing, type Ring } from "../kernel/ring.ts";
import { type MatrixRule, UnreadableMatrix } from "../problem.ts";
import { FILLED, GIVEN_BACK, type HandOver, SLOTS_AND_END, STOPPED } from "./handOver.ts";
import type { ByteRegion } from "./region.ts";
import { openRegionSlots } from "./regionBytes.ts";
import { aborted } from "./spool.ts";

/** What the thread is told. */
export interface ReaderJob {
  readonly region: ByteRegion;
  readonly ring: Ring;
  readonly handOver: HandOver;
}

/** The last that the thread says of a job. */
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

/** Reads one region after the other into a ring; its thread stays until it is closed. */
export interface RegionReader {
  readonly ring: Ring;
  /** Begins to read what will be asked for first, as far as the ring has room. */
  start(region: ByteRegion): void;
  /** Gives the pieces of a region; the one before must have been given, or left. */
  read(region: ByteRegion, signal: AbortSignal): AsyncGenerator<RegionPiece>;
  /** Ends the thread; nothing can be started or read afterwards. */
  close(): Promise<void>;
}

/** A region that the thread reads. */
interface Reading {
  readonly region: ByteRegion;
  readonly handOver: HandOver;
  heard: ReaderMessage | Error | null;
  /** Called when something was heard. */
  wake: () => void;
}

/** Waiting for a slot stops everything else; now and then one hears whether there is something else. */
const WAIT_MS = 10;

/** Makes a reader; a region of no more than `inlineBytes` is read here, for a thread takes longer to start than to read it. */
export function makeRegionReader(slotBytes: number, inlineBytes: number): RegionReader {
  const ring = makeRing(slotBytes);
  let thread: Worker | null = null;
  /** What the thread is at. */
  let reading: Reading | null = null;
  let isClosed = false;

  function checkOpen({ name }: ByteRegion): void {
    if (isClosed) throw new HdashError("permanent", `${name} cannot be read: its reader is closed`);
  }

  function hear(message: ReaderMessage | Error): void {
    if (reading === null) return;
    reading.heard ??= message;
    reading.wake();
  }

  function startThread(): Worker {
    const file = `./regionWorker${extname(import.meta.filename)}`;
    const worker = new Worker(new URL(file, import.meta.url));
    worker.on("message", hear);
    worker.on("error", hear);
    worker.on("exit", () => {
      thread = null;
      hear(new Error("the thread that reads ended too early"));
    });
    return worker;
  }

  function begin(region: ByteRegion): Reading {
    // Also where it was closed since reading was asked for: nobody would end a new thread.
    checkOpen(region);
    const counts = new Int32Array(new SharedArrayBuffer(4 * 4));
    const slots = new Float64Array(new SharedArrayBuffer(ring.slots.length * 2 * 8));
    const handOver: HandOver = { counts, slots };
    thread ??= startThread();
    thread.ref();
    const job: ReaderJob = { region, ring, handOver };
    thread.postMessage(job);
    return { region, handOver, heard: null, wake: () => {} };
  }

  /** Waits until the thread leaves the ring alone. */
  async function leave(left: Reading): Promise<void> {
    const { counts } = left.handOver;
    Atomics.store(counts, STOPPED, 1);
    Atomics.add(counts, GIVEN_BACK, 1);
    Atomics.notify(counts, GIVEN_BACK);
    await heardOf(left);
    reading = null;
    // Nobody waits for it now: a program may end without closing what it opened.
    thread?.unref();
  }

  async function* readInThread(
    region: ByteRegion,
    signal: AbortSignal,
  ): AsyncGenerator<RegionPiece> {
    if (reading !== null && reading.region !== region) await leave(reading);
    if (signal.aborted) throw aborted(signal);
    const own = (reading ??= begin(region));
    const { counts, slots } = own.handOver;
    try {
      for (let used = 0; ; used++) {
        // Lets the program hear that it should stop.
        await new Promise(setImmediate);
        for (;;) {
          if (signal.aborted) throw aborted(signal);
          if (Atomics.load(counts, FILLED) > used) break;
          if (own.heard !== null) return checkEnd(own.heard, region);
          // A message costs the thread that sends it more than this, and here is nothing else to do.
          if (Atomics.wait(counts, FILLED, used, WAIT_MS) === "timed-out") {
            await new Promise(setImmediate);
          }
        }
        if (Atomics.load(counts, SLOTS_AND_END) === used + 1) {
          return checkEnd(await heardOf(own), region);
        }
        const slot = used % ring.slots.length;
        const [length = 0, read = 0] = slots.subarray(slot * 2, slot * 2 + 2);
        yield { at: ring.slots[slot] ?? 0, length, read };
        Atomics.add(counts, GIVEN_BACK, 1);
        Atomics.notify(counts, GIVEN_BACK);
      }
    } finally {
      await leave(own);
    }
  }

  return {
    ring,
    start(region) {
      checkOpen(region);
      if (region.length > inlineBytes) reading ??= begin(region);
    },
    read(region, signal) {
      checkOpen(region);
      return region.length <= inlineBytes
        ? readHere(region, ring, signal)
        : readInThread(region, signal);
    },
    async close() {
      isClosed = true;
      await thread?.terminate();
    },
  };
}

async function heardOf(reading: Reading): Promise<ReaderMessage | Error> {
  while (reading.heard === null) await new Promise<void>((resolve) => (reading.wake = resolve));
  return reading.heard;
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

/** Throws what a last message says, unless it says that all went well. */
function checkEnd(message: ReaderMessage | Error, { name }: ByteRegion): void {
  if (message instanceof Error) {
    throw new HdashError("permanent", `${name} cannot be read`, { cause: message });
  }
  if (message.kind === "end") return;
  const cause = new Error(message.cause);
  if (message.rule === null) throw new HdashError("permanent", message.message, { cause });
  throw new UnreadableMatrix(message.rule, message.message, { cause });
}
