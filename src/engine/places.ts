// Room for steps on this machine: places, CPUs and memory. Who waits holds nothing; in CPUs and memory nobody overtakes who came earlier.

import { availableParallelism, totalmem } from "node:os";

import { HdashError } from "../error.ts";
import type { Resources } from "./step.ts";

/** What a machine has for steps. */
export interface Capacity {
  /** Steps at work at the same time, most of which wait for the network. */
  readonly places: number;
  readonly cpus: number;
  readonly memoryMiB: number;
}

/** What a step at work holds. It waits for one thing at a time, and holds nothing while it does. */
export interface Hold {
  /** Holds these from now on. What is less than before is given back at once; for more, all is given back and waited for anew. */
  become(need: Resources): Promise<void>;
  /** Holds nothing while work waits for something else, then what it held before, ahead of those who have not begun. */
  without<T>(work: () => Promise<T>): Promise<T>;
}

export interface Places {
  readonly capacity: Capacity;
  /** Does some work in a place of its own, when there is one. Rejects with the signal's reason where that aborts while it waits. */
  run<T>(work: (hold: Hold) => Promise<T>): Promise<T>;
}

const MIB = 1024 * 1024;

/** Tells what this machine, or the container that we are in, has for steps. */
export function machineCapacity(places: number): Capacity {
  // Without a limit of its own a process is told 0, or a number beyond all machines.
  const limit = process.constrainedMemory();
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return { places, cpus: availableParallelism(), memoryMiB: Math.floor(bytes / MIB) };
}

interface Amount {
  readonly places: number;
  readonly cpus: number;
  readonly memoryMiB: number;
}

interface Waiter {
  readonly need: Amount;
  readonly start: () => void;
}

/** Opens the room of a run. */
export function openPlaces(capacity: Capacity, signal: AbortSignal): Places {
  const free = { ...capacity };
  // Those that have begun come before those that have not: what they have fetched lies on disk until they end.
  const begun: Waiter[] = [];
  const fresh: Waiter[] = [];

  function add(amount: Amount, sign: 1 | -1): void {
    free.places += sign * amount.places;
    free.cpus += sign * amount.cpus;
    free.memoryMiB += sign * amount.memoryMiB;
  }

  function take(need: Amount, queue: Waiter[]): Promise<void> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const stop = () => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        need,
        start() {
          signal.removeEventListener("abort", stop);
          resolve();
        },
      };
      signal.addEventListener("abort", stop, { once: true });
      queue.push(waiter);
      startAll();
    });
  }

  /**
   * Starts whoever can. Who lacks CPUs or memory keeps them for itself (what is left for others can be less than nothing), but leaves
   * the places to others; who lacks only a place is the next to get one.
   */
  function startAll(): void {
    let { cpus, memoryMiB } = free;
    for (const queue of [begun, fresh]) {
      for (const waiter of [...queue]) {
        const { need } = waiter;
        const isShort =
          (need.cpus > 0 && need.cpus > cpus) || (need.memoryMiB > 0 && need.memoryMiB > memoryMiB);
        cpus -= need.cpus;
        memoryMiB -= need.memoryMiB;
        if (isShort) continue;
        if (free.places < need.places) return;
        queue.splice(queue.indexOf(waiter), 1);
        add(need, -1);
        waiter.start();
      }
    }
  }

  function giveBack(amount: Amount): void {
    add(amount, 1);
    startAll();
  }

  return {
    capacity,
    async run(work) {
      await take(PLACE, fresh);
      const { hold, release } = makeHold({
        capacity,
        signal,
        take: (need) => take(need, begun),
        giveBack,
      });
      try {
        return await work(hold);
      } finally {
        release();
      }
    },
  };
}

/** The room as one who is at work in it knows it. */
interface Room {
  readonly capacity: Capacity;
  readonly signal: AbortSignal;
  /** Waits for an amount, ahead of those who have not begun. */
  take(need: Amount): Promise<void>;
  giveBack(amount: Amount): void;
}

const NOTHING: Amount = { places: 0, cpus: 0, memoryMiB: 0 };
/** What whoever begins takes: what else it needs it says when it knows. */
const PLACE: Amount = { ...NOTHING, places: 1 };

/** Makes the hold of one who has just been given a place. */
function makeHold({ capacity, signal, take, giveBack }: Room): {
  readonly hold: Hold;
  readonly release: () => void;
} {
  let held = PLACE;
  let isWaiting = false;
  let isOver = false;

  const drop = () => {
    const before = held;
    held = NOTHING;
    giveBack(before);
  };
  async function waitFor<T>(wait: () => Promise<T>): Promise<T> {
    if (isWaiting || isOver) {
      throw new HdashError("permanent", "a step takes one thing at a time, and none after its end");
    }
    isWaiting = true;
    try {
      return await wait();
    } finally {
      isWaiting = false;
    }
  }
  async function regain(need: Amount): Promise<void> {
    await take(need);
    // The step may have ended while something that it did not wait for was waiting here.
    if (isOver) giveBack(need);
    else held = need;
  }

  const hold: Hold = {
    become: (resources) =>
      waitFor(async () => {
        const need = amountOf(resources, capacity);
        if (need.cpus <= held.cpus && need.memoryMiB <= held.memoryMiB && held.places > 0) {
          const before = held;
          held = need;
          giveBack({
            places: 0,
            cpus: before.cpus - need.cpus,
            memoryMiB: before.memoryMiB - need.memoryMiB,
          });
          return;
        }
        drop();
        await regain(need);
      }),
    without: (work) =>
      waitFor(async () => {
        const before = held;
        drop();
        try {
          return await work();
        } finally {
          // What is stopped needs no room to come to its end.
          if (!signal.aborted) await regain(before);
        }
      }),
  };
  return {
    hold,
    release() {
      isOver = true;
      drop();
    },
  };
}

/** What a step asks for, as far as it is counted. Throws a permanent error for what no waiting can bring. */
function amountOf({ cpus = 0, memoryMiB = 0 }: Resources, capacity: Capacity): Amount {
  for (const [name, value] of Object.entries({ cpus, memoryMiB })) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new HdashError("permanent", `${name} of a step's resources is ${value}`);
  }
  if (memoryMiB > capacity.memoryMiB) {
    throw new HdashError(
      "permanent",
      `it asks for ${memoryMiB} MiB of memory, and this machine has ${capacity.memoryMiB} MiB`,
      { hint: "Run it on a machine that has as much." },
    );
  }
  // With fewer CPUs it takes longer, and that is all.
  return { places: 1, cpus: Math.min(cpus, capacity.cpus), memoryMiB };
}
