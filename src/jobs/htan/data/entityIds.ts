// The ids of all files of a project, small enough to be kept and fast to look in.

/** The files of a project, by the digits of their ids. */
export interface EntityIds {
  has(number: number): boolean;
}

const BASE = 36;

/** Writes ids as text: sorted, each as its distance from the one before, some two or three characters for a file. */
export function encodeEntityIds(numbers: readonly number[]): string {
  const sorted = Float64Array.from(numbers).sort();
  let before = 0;
  const distances: string[] = [];
  for (const number of sorted) {
    if (number === before) continue;
    distances.push((number - before).toString(BASE));
    before = number;
  }
  return distances.join(",");
}

/** Reads what encodeEntityIds wrote. */
export function decodeEntityIds(text: string): EntityIds {
  const distances = text === "" ? [] : text.split(",");
  const numbers = new Float64Array(distances.length);
  let number = 0;
  for (const [index, distance] of distances.entries()) {
    number += Number.parseInt(distance, BASE);
    numbers[index] = number;
  }
  return {
    has(wanted) {
      let low = 0;
      let high = numbers.length - 1;
      while (low <= high) {
        const middle = (low + high) >> 1;
        const at = numbers[middle] ?? 0;
        if (at === wanted) return true;
        if (at < wanted) low = middle + 1;
        else high = middle - 1;
      }
      return false;
    },
  };
}
