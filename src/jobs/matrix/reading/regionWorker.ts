// The thread that reads: unpacks regions into the slots of a ring, one after the other, and waits where none is free.

import { parentPort } from "node:worker_threads";

import { HdashError, messageOf } from "../../../error.ts";
import { UnreadableMatrix } from "../problem.ts";
import { FILLED, GIVEN_BACK, SLOTS_AND_END, STOPPED } from "./handOver.ts";
import { openRegionSlots } from "./regionBytes.ts";
import type { ReaderJob, ReaderMessage } from "./regionReader.ts";

/** Reads one region; the slots given away and those given back are counted, so that both sides agree which is next. */
function read({ region, ring, handOver }: ReaderJob): void {
  const { counts, slots } = handOver;
  const bytes = openRegionSlots(region, ring);
  try {
    for (let used = 0; ; used++) {
      for (;;) {
        const back = Atomics.load(counts, GIVEN_BACK);
        if (Atomics.load(counts, STOPPED) === 1) return;
        if (used - back < ring.slots.length) break;
        Atomics.wait(counts, GIVEN_BACK, back);
      }
      const slot = used % ring.slots.length;
      const length = bytes.fill(slot);
      if (length === 0) return;
      slots.set([length, bytes.position()], slot * 2);
      Atomics.add(counts, FILLED, 1);
      Atomics.notify(counts, FILLED);
    }
  } finally {
    bytes.close();
  }
}

/** Tells how reading ended. */
function attempt(job: ReaderJob): ReaderMessage {
  try {
    read(job);
    return { kind: "end" };
  } catch (error) {
    const known = error instanceof HdashError;
    return {
      kind: "error",
      rule: error instanceof UnreadableMatrix ? error.rule : null,
      message: known ? error.message : `${job.region.name} cannot be read`,
      cause: messageOf(known ? error.cause : error),
    };
  }
}

const port = parentPort;
port?.on("message", (job: ReaderJob) => {
  port.postMessage(attempt(job));
  const { counts } = job.handOver;
  Atomics.store(counts, SLOTS_AND_END, Atomics.load(counts, FILLED) + 1);
  Atomics.add(counts, FILLED, 1);
  Atomics.notify(counts, FILLED);
});
