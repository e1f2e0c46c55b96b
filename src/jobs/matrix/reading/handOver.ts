// How slots go from the thread that reads to the one that parses, and back.

/** Counts that both threads see, and what each slot holds. */
export interface HandOver {
  /** By the places below. */
  readonly counts: Int32Array;
  /** By slot: its bytes, then the bytes of the file read until there. */
  readonly slots: Float64Array;
}

/** Slots filled so far, and the end, which counts as one. */
export const FILLED = 0;
/** Slots given back so far. */
export const GIVEN_BACK = 1;
/** All slots and the end, once the end has come; 0 before. */
export const SLOTS_AND_END = 2;
/** 1 once nobody wants the rest. */
export const STOPPED = 3;
