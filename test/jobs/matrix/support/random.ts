// Seeded random numbers for tests.

/** Random numbers that are the same in every run. */
export interface Random {
  /** A whole number from 0 to below `n`. */
  below(n: number): number;
  shuffle<T>(values: readonly T[]): T[];
}

/** Makes random numbers (mulberry32). */
export function makeRandom(seed: number): Random {
  let state = seed;
  const below = (n: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n);
  };
  return {
    below,
    shuffle(values) {
      const shuffled = [...values];
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = below(at + 1);
        const value = shuffled[at];
        const moved = shuffled[other];
        if (value === undefined || moved === undefined) continue;
        shuffled[at] = moved;
        shuffled[other] = value;
      }
      return shuffled;
    },
  };
}
