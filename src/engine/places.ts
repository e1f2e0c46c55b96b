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
  /** Gives up whatever is still waited for, which rejects; what is held stays. For a piece of work that is over, before the next. */
  interrupt(): void;
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
  start(): void;
  fail(reason: Error): void;
}

/** Waiters in the order in which they came. Anyone leaves it without the others being moved or looked at: a wide plan has thousands. */
interface Queue {
  add(waiter: Waiter): void;
  delete(waiter: Waiter): void;
  [Symbol.iterator](): Iterator<Waiter>;
}

function makeQueue(): Queue {
  interface Link {
    readonly waiter: Waiter | null;
    before: Link;
    after: Link;
  }
  const links = new Map<Waiter, Link>();
  // Before the first and behind the last.
  const end = { waiter: null } as unknown as Link;
  end.before = end;
  end.after = end;
  return {
    add(waiter) {
      const link = { waiter, before: end.before, after: end };
      end.before.after = link;
      end.before = link;
      links.set(waiter, link);
    },
    delete(waiter) {
      const link = links.get(waiter);
      if (link === undefined) return;
      link.before.after = link.after;
      link.after.before = link.before;
      links.delete(waiter);
    },
    *[Symbol.iterator]() {
      for (let link = end.after; link.waiter !== null; link = link.after) yield link.waiter;
    },
  };
}

/** Opens the room of a run. */
export function openPlaces(capacity: Capacity, stop: AbortSignal): Places {
  const free = { ...capacity };
  // Those that have begun come before those that have not: what they have fetched lies on disk until they end.
  const begun = makeQueue();
  const fresh = makeQueue();
  // One listener for all: each that a signal has is looked at when another is added.
  stop.addEventListener("abort", () => {
    for (const queue of [begun, fresh]) {
      for (const waiter of [...queue]) {
        queue.delete(waiter);
        waiter.fail(stop.reason as Error);
      }
    }
  });

  function add(amount: Amount, sign: 1 | -1): void {
    free.places += sign * amount.places;
    free.cpus += sign * amount.cpus;
    free.memoryMiB += sign * amount.memoryMiB;
  }

  /** Waits for an amount; rejects where the run is stopped, or what is waited for is not needed any more. */
  function take(need: Amount, queue: Queue, own: AbortSignal | null): Promise<void> {
    stop.throwIfAborted();
    own?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = () => {
        queue.delete(waiter);
        reject(own?.reason as Error);
        // Those behind it may have waited for it alone.
        startAll();
      };
      const waiter: Waiter = {
        need,
        start() {
          own?.removeEventListener("abort", leave);
          resolve();
        },
        fail(reason) {
          own?.removeEventListener("abort", leave);
          reject(reason);
        },
      };
      own?.addEventListener("abort", leave, { once: true });
      queue.add(waiter);
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
      for (const waiter of queue) {
        // Everyone needs one: without them nobody has to be looked at.
        if (free.places < 1) return;
        const { need } = waiter;
        const isShort =
          (need.cpus > 0 && need.cpus > cpus) || (need.memoryMiB > 0 && need.memoryMiB > memoryMiB);
        cpus -= need.cpus;
        memoryMiB -= need.memoryMiB;
        if (isShort) continue;
        if (free.places < need.places) return;
        queue.delete(waiter);
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
      await take(PLACE, fresh, null);
      const { hold, release } = makeHold({
        capacity,
        stop,
        take: (need, own) => take(need, begun, own),
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
  readonly stop: AbortSignal;
  /** Waits for an amount, ahead of those who have not begun; rejects where the signal aborts, or the run is stopped. */
  take(need: Amount, own: AbortSignal): Promise<void>;
  giveBack(amount: Amount): void;
}

const NOTHING: Amount = { places: 0, cpus: 0, memoryMiB: 0 };
/** What whoever begins takes: what else it needs it says when it knows. */
const PLACE: Amount = { ...NOTHING, places: 1 };

/** Makes the hold of one who has just been given a place. */
function makeHold({ capacity, stop, take, giveBack }: Room): {
  readonly hold: Hold;
  readonly release: () => void;
} {
  let held = PLACE;
  let isWaiting = false;
  let isOver = false;
  /** Aborts with the piece of work that goes on. */
  let turn = new AbortController();

  const drop = () => {
    const before = held;
    held = NOTHING;
    giveBack(before);
  };
  async function waitFor<T>(wait: (own: AbortSignal) => Promise<T>): Promise<T> {
    if (isWaiting || isOver) {
      throw new HdashError("permanent", "a step takes one thing at a time, and none after its end");
    }
    isWaiting = true;
    const own = turn.signal;
    try {
      return await wait(own);
    } finally {
      if (!own.aborted) isWaiting = false;
    }
  }
  async function regain(need: Amount, own: AbortSignal): Promise<void> {
    await take(need, own);
    // The step may have ended while something that it did not wait for was waiting here.
    if (isOver || own.aborted) giveBack(need);
    else held = need;
    own.throwIfAborted();
  }

  const hold: Hold = {
    become: (resources) =>
      waitFor(async (own) => {
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
        await regain(need, own);
      }),
    without: (work) =>
      waitFor(async (own) => {
        const before = held;
        drop();
        try {
          return await work();
        } finally {
          // What is stopped needs no room to come to its end.
          if (!stop.aborted && !own.aborted) await regain(before, own);
        }
      }),
    interrupt() {
      // An error that nobody gets is not made: it is what costs most here.
      if (!isWaiting) return;
      const last = turn;
      turn = new AbortController();
      isWaiting = false;
      last.abort(new HdashError("aborted", "the work that waited for room is over"));
    },
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
