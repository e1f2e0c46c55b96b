// The ring of slots that a reader fills and the parser empties, at the bottom of the memory that both share.

import {
  INFLATE_INPUT_BYTES,
  INFLATE_TABLE_BYTES,
  ROOM_BYTES,
  WINDOW_BYTES,
} from "./inflateKernel.ts";
import { type KernelMemory, makeLayout, makeMemory, MOST_PAGES } from "./instance.ts";

/** How memory for bytes to be parsed is divided. */
export interface Ring {
  /** Grows for what the parser needs behind the ring. */
  readonly memory: KernelMemory;
  /** Where each slot begins; before it there is room for a window of unpacked bytes. */
  readonly slots: readonly number[];
  /** A slot is full with so many bytes; unpacking may put up to ROOM_BYTES more into it. */
  readonly slotBytes: number;
  /** Where an inflater's input lies; its tables are at the bottom. */
  readonly inputAt: number;
  /** Where the ring ends. */
  readonly end: number;
}

/** Four: one being filled, one being parsed, two so that neither side waits for the other's hiccups. */
const SLOTS = 4;
/** Before each slot there is room for the window, and so for the beginning of a line whose end it holds; behind it, for reading ahead. */
const HEAD_BYTES = WINDOW_BYTES;
const TAIL_BYTES = ROOM_BYTES + 64;

/** Makes a ring in memory of its own. */
export function makeRing(slotBytes: number): Ring {
  const layout = makeLayout();
  layout.reserve(INFLATE_TABLE_BYTES);
  const inputAt = layout.reserve(INFLATE_INPUT_BYTES);
  const slots = Array.from(
    { length: SLOTS },
    () => layout.reserve(HEAD_BYTES + slotBytes + TAIL_BYTES) + HEAD_BYTES,
  );
  const end = layout.reserve(0);
  const memory = makeMemory(layout.pages(), true, MOST_PAGES);
  return { memory, slots, slotBytes, inputAt, end };
}
