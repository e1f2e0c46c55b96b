// How a spool's entries lie in memory and on disk: five bytes each, by chunks.

/**
 * A place of a chunk: four bytes for the cell within the bucket and the gene, one for the count. A count that does not fit has 0
 * there, and takes the four bytes of the place behind it.
 */
export const PLACE_BYTES = 5;
/** The largest count that fits. */
export const MOST_SMALL = 255;
/** Chunks one after the other: the first word of each is the place that is free next, then come the words and the small counts of its places. */
export interface Chunk {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/** How a chunk is read. */
export interface ChunkLayout {
  readonly places: number;
  readonly geneBits: number;
}

/** Makes empty chunks. */
export function makeChunks(count: number, places: number): Chunk {
  const words = new Uint32Array((count * places * PLACE_BYTES) / 4);
  for (let chunk = 0; chunk < count; chunk++) words[(chunk * places * PLACE_BYTES) / 4] = 1;
  return { words, bytes: new Uint8Array(words.buffer) };
}

/** Puts a chunk's entries where they belong: `next` has where each cell's next one goes, from the cell `first` of the bucket on. */
export function scatter(
  { words, bytes }: Chunk,
  { places, geneBits }: ChunkLayout,
  first: number,
  next: Uint32Array,
  genes: Uint32Array,
  counts: Uint32Array,
): void {
  const cells = next.length - 1;
  const mask = 2 ** geneBits - 1;
  const end = words[0] ?? 0;
  for (let at = 1; at < end; at++) {
    const word = words[at] ?? 0;
    const small = bytes[places * 4 + at] ?? 0;
    const count = small === 0 ? (words[++at] ?? 0) : small;
    // Cells before the first wrap around to large numbers, and are left out likewise.
    const cell = ((word >>> geneBits) - first) >>> 0;
    if (cell >= cells) continue;
    const place = next[cell] ?? 0;
    genes[place] = word & mask;
    counts[place] = count;
    next[cell] = place + 1;
  }
}
