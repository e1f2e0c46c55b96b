// Unpacks deflate (RFC 1951). Input and output lie in buffers that the caller (inflateKernel.ts) fills, moves and empties:
// unpacking stops where either is nearly used up, and goes on where it stopped.

const NEED_INPUT: i32 = 0;
const NEED_ROOM: i32 = 1;
const END: i32 = 2;
const CUT_OFF: i32 = 3;
const DAMAGED: i32 = 4;

// Entries of the tables: bits 0-5 what to consume, 8-11 the codes' own bits, 16-31 a value; bits 12-15 are marks.
// Entries of JOINED_AT stand for up to two literals and perhaps a length: bits 32-47 the literals, 56-57 their number, the
// others as above (LITERAL: no length). So whether a literal or a match comes next need not be foreseen.
const LITERAL: u32 = 0x8000;
const RARE: u32 = 0x4000;
/** Bits of a code that is never joined: more than fit. */
const UNFIT: u32 = 0xf00;
const SUBTABLE: u32 = 0x2000;
const BLOCK_END: u32 = 0x1000;

const LENGTH_BITS: u32 = 11;
const LENGTH_PLACES: u32 = 1 << LENGTH_BITS;
const DISTANCE_BITS: u32 = 9;
const LENGTHS_AT: u32 = 1024;
/** At most 144 subtables of 16 entries. */
const JOINED_AT: u32 = LENGTHS_AT + (LENGTH_PLACES + 144 * 16) * 4;
const DISTANCES_AT: u32 = JOINED_AT + LENGTH_PLACES * 8;
/** 512 entries and at most 16 subtables of 64. */
const CODES_AT: u32 = DISTANCES_AT + (512 + 16 * 64) * 4;
const SIZES_AT: u32 = CODES_AT + 128 * 4;
const COUNTS_AT: u32 = SIZES_AT + 320;
const NEXT_AT: u32 = COUNTS_AT + 64;

/** The longest description of a block's codes takes less. */
const HEADER_BYTES: u32 = 512;
/** What one turn of the loop reads and writes at most: four literals, one match, and what is stored beyond them. */
const TURN_INPUT: u32 = 32;
const TURN_ROOM: u32 = 300;

const HEADER: i32 = 0;
const CODES: i32 = 1;
const STORED: i32 = 2;
const DONE: i32 = 3;

let input: u32 = 0;
let output: u32 = 0;
let bits: u64 = 0;
let held: u32 = 0;
let phase: i32 = HEADER;
let isFinal: bool = false;
let storedLeft: u32 = 0;
let isFixed: bool = false;
/** Where the oldest byte lies that a match may name. */
let oldest: u32 = 0;

export function reset(): void {
  bits = 0;
  held = 0;
  phase = HEADER;
  isFinal = false;
  isFixed = false;
}
export function inputAt(): u32 {
  return input;
}
export function outputAt(): u32 {
  return output;
}

@inline
function refill(): void {
  bits |= load<u64>(input) << held;
  input += (63 - held) >> 3;
  held |= 56;
}

@inline
function take(count: u32): u32 {
  const value = <u32>bits & ((1 << count) - 1);
  bits >>= count;
  held -= count;
  return value;
}

/** Unpacks from..to into at..end; bytes from `first` on are what matches may name. Input is padded with 64 zeros behind its end. */
export function inflate(from: u32, to: u32, isLast: bool, first: u32, at: u32, end: u32): i32 {
  input = from;
  output = at;
  oldest = first;
  const status = run(to, isLast, end);
  // Whole bytes that were not used are given back.
  input -= held >> 3;
  held &= 7;
  bits &= (1 << held) - 1;
  // What lies behind the end is no data, and may look damaged.
  if (input > to || (status == DAMAGED && isLast && input + 8 > to)) return CUT_OFF;
  return status;
}

function run(to: u32, isLast: bool, end: u32): i32 {
  while (true) {
    if (phase == DONE) return END;
    if (phase == STORED) {
      const size = min<u32>(min<u32>(storedLeft, to - input), end - output);
      memory.copy(output, input, size);
      input += size;
      output += size;
      storedLeft -= size;
      if (storedLeft == 0) phase = isFinal ? DONE : HEADER;
      else if (output == end) return NEED_ROOM;
      else return isLast ? CUT_OFF : NEED_INPUT;
      continue;
    }
    if (phase == HEADER) {
      if (input + HEADER_BYTES - (held >> 3) > to && !isLast) return NEED_INPUT;
      if (input - (held >> 3) > to) return CUT_OFF;
      refill();
      isFinal = take(1) != 0;
      const kind = take(2);
      if (kind == 0) {
        take(held & 7);
        input -= held >> 3;
        held = 0;
        bits = 0;
        if (input + 4 > to) return CUT_OFF;
        storedLeft = load<u16>(input);
        if (storedLeft != (<u32>load<u16>(input + 2) ^ 0xffff)) return DAMAGED;
        input += 4;
        phase = STORED;
      } else if (kind == 1) {
        if (!isFixed) fixedTables();
        isFixed = true;
        phase = CODES;
      } else if (kind == 2) {
        isFixed = false;
        const status = dynamicTables();
        // What lies behind the end reads as zeros and may look damaged.
        if (input - (held >> 3) > to) return CUT_OFF;
        if (status != 0) return status;
        phase = CODES;
      } else return DAMAGED;
      continue;
    }
    const status = codes(isLast ? to + TURN_INPUT : to - TURN_INPUT, end);
    if (input - (held >> 3) > to) return CUT_OFF;
    if (status == BLOCK_DONE) {
      phase = isFinal ? DONE : HEADER;
      continue;
    }
    return status;
  }
}

const BLOCK_DONE: i32 = 9;

/** Unpacks symbols until the block ends, or input or room are nearly used up. */
function codes(to: u32, end: u32): i32 {
  if (end < output + TURN_ROOM) return NEED_ROOM;
  const safeRoom = end - TURN_ROOM;
  let at = output;
  let p = input;
  let b = bits;
  let n = held;
  const first = oldest;
  let status: i32 = -1;
  while (true) {
    if (at > safeRoom) {
      status = NEED_ROOM;
      break;
    }
    if (p > to) {
      status = NEED_INPUT;
      break;
    }
    b |= load<u64>(p) << n;
    p += (63 - n) >> 3;
    n |= 56;
    let joined = load<u64>((<u32>b & (LENGTH_PLACES - 1)) << 3, JOINED_AT);
    store<u32>(at, <u32>(joined >> 32));
    at += <u32>(joined >> 56);
    let e = <u32>joined;
    if (e & (LITERAL | RARE)) {
      if (e & LITERAL) {
        b >>= e;
        n -= e & 63;
        joined = load<u64>((<u32>b & (LENGTH_PLACES - 1)) << 3, JOINED_AT);
        store<u32>(at, <u32>(joined >> 32));
        at += <u32>(joined >> 56);
        e = <u32>joined;
        if (e & LITERAL) {
          b >>= e;
          n -= e & 63;
          continue;
        }
        b |= load<u64>(p) << n;
        p += (63 - n) >> 3;
        n |= 56;
      }
      if (e & RARE) {
        if (e & SUBTABLE) {
          e = load<u32>(
            ((e >> 16) + ((<u32>b >> LENGTH_BITS) & ((1 << (e & 15)) - 1))) << 2,
            LENGTHS_AT,
          );
          if (e & LITERAL) {
            b >>= e;
            n -= e & 63;
            store<u8>(at, e >> 16);
            at++;
            continue;
          }
        }
        if (e & RARE) {
          if (e & BLOCK_END) {
            b >>= e;
            n -= e & 63;
            status = BLOCK_DONE;
          } else status = DAMAGED;
          break;
        }
      }
    }
    // A length: its extra bits lie between the codes' own bits and all that is consumed. That and a distance are at most 48
    // bits, so nothing need be fetched between them.
    let mask = ((<u64>1) << e) - 1;
    const length = (e >> 16) + <u32>((b & mask) >> ((e >> 8) & 15));
    b >>= e;
    n -= e & 63;

    e = load<u32>((<u32>b & 511) << 2, DISTANCES_AT);
    if (e & RARE) {
      if (e & SUBTABLE) {
        e = load<u32>(
          DISTANCES_AT + (((e >> 16) + ((<u32>b >> DISTANCE_BITS) & ((1 << (e & 15)) - 1))) << 2),
        );
      }
      if (e & RARE) {
        status = DAMAGED;
        break;
      }
    }
    mask = ((<u64>1) << e) - 1;
    const distance = (e >> 16) + <u32>((b & mask) >> ((e >> 8) & 15));
    b >>= e;
    n -= e & 63;
    if (distance > at - first) {
      status = DAMAGED;
      break;
    }
    let source = at - distance;
    const stop = at + length;
    if (distance >= 8) {
      // Most matches are shorter than 16 bytes: copying so many at once spares a branch that cannot be foreseen.
      store<u64>(at, load<u64>(source));
      store<u64>(at + 8, load<u64>(source + 8));
      while (at + 16 < stop) {
        at += 16;
        source += 16;
        store<u64>(at, load<u64>(source));
        store<u64>(at + 8, load<u64>(source + 8));
      }
    } else {
      do {
        store<u8>(at, load<u8>(source));
        at++;
        source++;
      } while (at < stop);
    }
    at = stop;
  }
  output = at;
  input = p;
  bits = b;
  held = n;
  return status;
}

/** What a symbol of a table stands for, without the bits of its code. Kind: 0 lengths of codes, 1 literals and lengths, 2 distances. */
function meaning(kind: i32, symbol: u32): u32 {
  if (kind == 0) return symbol << 16;
  if (kind == 1) {
    if (symbol < 256) return LITERAL | (symbol << 16);
    if (symbol == 256) return RARE | BLOCK_END;
    if (symbol > 285) return RARE;
    if (symbol == 285) return 258 << 16;
    const place = symbol - 257;
    if (place < 8) return (place + 3) << 16;
    const extra = (place >> 2) - 1;
    return ((((4 + (place & 3)) << extra) + 3) << 16) | extra;
  }
  if (symbol > 29) return RARE;
  if (symbol < 4) return (symbol + 1) << 16;
  const more = (symbol >> 1) - 1;
  return ((((2 + (symbol & 1)) << more) + 1) << 16) | more;
}

@inline
function entryOf(means: u32, size: u32, extra: u32): u32 {
  return (means & ~(<u32>63)) | (means & RARE ? UNFIT : size << 8) | (size + extra);
}

/** Makes the entries of JOINED_AT: a literal takes in what follows it, a literal or a length, where both codes fit. */
function joinLiterals(): void {
  for (let place: u32 = 0; place < LENGTH_PLACES; place++) {
    const e = load<u32>(place << 2, LENGTHS_AT);
    let joined: u64 = e;
    if (e & LITERAL) {
      const size = e & 63;
      let literals: u32 = 0x01000000 | ((e >> 16) & 255);
      let rest = e & 0xffff;
      const next = load<u32>((place >> size) << 2, LENGTHS_AT);
      if (((next >> 8) & 15) <= LENGTH_BITS - size) {
        // Of both codes together: their own bits and what to consume.
        rest = next + size * 0x101;
        if (next & LITERAL) {
          literals += 0x01000000 + (((next >> 16) & 255) << 8);
          rest &= 0xffff;
        }
      }
      joined = (<u64>literals << 32) | rest;
    }
    store<u64>(place << 3, joined, JOINED_AT);
  }
}

/** Builds a table from the lengths of codes; false where they make no code, as zlib sees it. */
function build(kind: i32, sizes: u32, symbols: u32, table: u32, root: u32): bool {
  memory.fill(COUNTS_AT, 0, 64);
  for (let i: u32 = 0; i < symbols; i++) {
    const slot = COUNTS_AT + (<u32>load<u8>(sizes + i) << 2);
    store<u32>(slot, load<u32>(slot) + 1);
  }
  store<u32>(COUNTS_AT, 0);
  let longest: u32 = 15;
  while (longest > 0 && load<u32>(COUNTS_AT + (longest << 2)) == 0) longest--;
  let left: i32 = 1;
  let code: u32 = 0;
  for (let size: u32 = 1; size <= 15; size++) {
    const count = load<u32>(COUNTS_AT + (size << 2));
    left = (left << 1) - <i32>count;
    if (left < 0) return false;
    store<u32>(NEXT_AT + (size << 2), code);
    code = (code + count) << 1;
  }
  if (left > 0 && longest > 0 && (kind == 0 || longest != 1)) return false;
  const places: u32 = 1 << root;
  if (left > 0) for (let i: u32 = 0; i < places; i++) store<u32>(table + (i << 2), RARE | UNFIT);
  const below = longest > root ? longest - root : 0;
  let free = places;
  if (below > 0) {
    // Marks the places that need a subtable.
    for (let i: u32 = 0; i < places; i++) store<u32>(table + (i << 2), 0);
  }
  for (let symbol: u32 = 0; symbol < symbols; symbol++) {
    const size = <u32>load<u8>(sizes + symbol);
    if (size == 0) continue;
    const slot = NEXT_AT + (size << 2);
    let value = load<u32>(slot);
    store<u32>(slot, value + 1);
    // Codes come with their first bit lowest.
    let reversed: u32 = 0;
    for (let i: u32 = 0; i < size; i++) {
      reversed = (reversed << 1) | (value & 1);
      value >>= 1;
    }
    const means = meaning(kind, symbol);
    // The low bits of a meaning are its extra bits.
    const extra = means & 63;
    if (size <= root) {
      const entry = entryOf(means, size, extra);
      for (let i = reversed; i < places; i += 1 << size) store<u32>(table + (i << 2), entry);
    } else {
      const place = table + ((reversed & (places - 1)) << 2);
      if (load<u32>(place) == 0) {
        store<u32>(place, RARE | SUBTABLE | UNFIT | (free << 16) | below);
        free += 1 << below;
      }
      const subtable = load<u32>(place) >> 16;
      const entry = entryOf(means, size, extra);
      const step: u32 = 1 << (size - root);
      for (let i = reversed >> root; i < <u32>(1 << below); i += step) {
        store<u32>(table + ((subtable + i) << 2), entry);
      }
    }
  }
  return true;
}

function fixedTables(): void {
  memory.fill(SIZES_AT, 8, 144);
  memory.fill(SIZES_AT + 144, 9, 112);
  memory.fill(SIZES_AT + 256, 7, 24);
  memory.fill(SIZES_AT + 280, 8, 8);
  build(1, SIZES_AT, 288, LENGTHS_AT, LENGTH_BITS);
  joinLiterals();
  memory.fill(SIZES_AT, 5, 32);
  build(2, SIZES_AT, 32, DISTANCES_AT, DISTANCE_BITS);
}

/** The order in which the lengths of the codes for lengths come: 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1 15. */
@inline
function codeOrder(place: u32): u32 {
  if (place < 3) return 16 + place;
  if (place == 3) return 0;
  const step = (place - 4) >> 1;
  return place & 1 ? 7 - step : 8 + step;
}

function dynamicTables(): i32 {
  refill();
  const lengths = take(5) + 257;
  const distances = take(5) + 1;
  const codeSizes = take(4) + 4;
  if (lengths > 286 || distances > 30) return DAMAGED;
  memory.fill(SIZES_AT, 0, 19);
  for (let place: u32 = 0; place < codeSizes; place++) {
    refill();
    store<u8>(SIZES_AT + codeOrder(place), take(3));
  }
  if (!build(0, SIZES_AT, 19, CODES_AT, 7)) return DAMAGED;
  const all = lengths + distances;
  for (let at: u32 = 0; at < all; ) {
    refill();
    const e = load<u32>(CODES_AT + ((<u32>bits & 127) << 2));
    if (e & RARE || e == 0) return DAMAGED;
    take(e & 63);
    const symbol = e >> 16;
    if (symbol < 16) {
      store<u8>(SIZES_AT + at, symbol);
      at++;
      continue;
    }
    let value: u8 = 0;
    let times: u32 = 0;
    if (symbol == 16) {
      if (at == 0) return DAMAGED;
      value = load<u8>(SIZES_AT + at - 1);
      times = 3 + take(2);
    } else if (symbol == 17) times = 3 + take(3);
    else times = 11 + take(7);
    if (at + times > all) return DAMAGED;
    memory.fill(SIZES_AT + at, value, times);
    at += times;
  }
  if (load<u8>(SIZES_AT + 256) == 0) return DAMAGED;
  if (!build(1, SIZES_AT, lengths, LENGTHS_AT, LENGTH_BITS)) return DAMAGED;
  joinLiterals();
  if (!build(2, SIZES_AT + lengths, distances, DISTANCES_AT, DISTANCE_BITS)) return DAMAGED;
  return 0;
}
