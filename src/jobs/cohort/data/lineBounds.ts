// How much a line may ask of memory, whatever its length: 64 MiB of the smallest values would be gigabytes once they are told apart.

/** Thrown where a line is more than is held at once; the judge sets it aside as one that is too long. */
export class LineTooLarge extends Error {}

/**
 * Values of a line, names included: 64 MiB of pairs of an offset and a number have some 11 million. Where they lie takes 256 MiB.
 */
export const MOST_VALUES = 1 << 24;
/** Names of objects, and values in each other, that are held at once; each takes some hundred bytes. A day has 86,400 seconds. */
export const MOST_NAMES = 1 << 20;
/** Spellings of an object's fields that are not their own: each is compared with those before. */
export const MOST_SPELLINGS = 1000;
/** Bytes of the rows of a line. */
export const MOST_ROW_BYTES = 256 << 20;
/** Values of a line that a cast changed. */
export const MOST_NOTES = 1 << 20;

/** Throws LineTooLarge where a count is more than there may be. */
export function checkBound(count: number, most: number): void {
  if (count > most) throw new LineTooLarge();
}
