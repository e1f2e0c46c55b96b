// Repeatable chance: the same keys always give the same throws, on every machine.

/** A source of chance that belongs to one thing of a synthetic world. */
export interface Dice {
  /** Returns a number from 0 up to, not including, 1. */
  fraction(): number;
  /** Returns a whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
  /** Returns one of the list, which must not be empty. */
  pick<T>(list: readonly T[]): T;
  /** Returns true in the given share of throws. */
  chance(share: number): boolean;
}

/**
 * Makes the dice that belong to these keys. Things are told apart by their keys, not by the order in which they are made, so that
 * what is added to a world leaves everything else in it as it was.
 */
export function makeDice(...keys: readonly (string | number)[]): Dice {
  let state = 0x811c9dc5;
  for (const key of keys) state = stir(typeof key === "number" ? state ^ key : spell(state, key));
  if (state === 0) state = 1;

  function next(): number {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    // The generator's low bits are its weak ones: stirring spreads the good ones over the word.
    return stir(state) >>> 0;
  }
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return {
    fraction: () => next() / 2 ** 32,
    below,
    pick<T>(list: readonly T[]): T {
      return list[below(list.length)] as T;
    },
    chance: (share) => next() / 2 ** 32 < share,
  };
}

function spell(state: number, text: string): number {
  let hash = state;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash;
}

function stir(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
