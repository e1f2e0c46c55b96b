// The thread that reads: unpacks a region into the slots of a ring, one after the other, and waits where none is free.

import { parentPort, workerData } from "node:worker_threads";

import { HdashError, messageOf } from "../error.ts";
import { UnreadableMatrix } from "./problem.ts";
import { openRegion, readFully } from "./regionBytes.ts";
import type { ReaderJob, ReaderMessage } from "./regionReader.ts";

/** Reads one region; the slots given away and those given back are counted, so that both sides agree which is next. */
function read(job: ReaderJob): void {
  const { region, ring, freed } = job;
  const memory = new Uint8Array(ring.memory);
  const given = new Int32Array(freed);
  const post = (message: ReaderMessage): void => parentPort?.postMessage(message);
  const bytes = openRegion(region);
  try {
    for (let used = 0; ; used++) {
      for (;;) {
        const back = Atomics.load(given, 0);
        if (used - back < ring.slots.length) break;
        Atomics.wait(given, 0, back);
      }
      const slot = ring.slots[used % ring.slots.length] ?? 0;
      const length = readFully(bytes, memory.subarray(slot, slot + ring.slotBytes));
      if (length > 0) post({ kind: "slot", length, read: bytes.position() });
      if (length < ring.slotBytes) break;
    }
  } finally {
    bytes.close();
  }
  post({ kind: "end" });
}

try {
  read(workerData as ReaderJob);
} catch (error) {
  const known = error instanceof HdashError;
  const message: ReaderMessage = {
    kind: "error",
    rule: error instanceof UnreadableMatrix ? error.rule : null,
    message: known ? error.message : `${(workerData as ReaderJob).region.name} cannot be read`,
    cause: messageOf(known ? error.cause : error),
  };
  parentPort?.postMessage(message);
}
