// Hides secrets in what programs say, also where one comes in two pieces.

/** What stands where a secret was. */
const MASK = "***";
/** A line of a secret of several lines that is shorter is none: "}" is in every program's output. Bytes. */
const LEAST_LINE = 4;

export interface Mask {
  /** Masks the next piece of a stream. What may be the beginning of a secret is held back until more is known. */
  push(piece: Uint8Array): Buffer;
  /** Returns what is held back: the stream has ended. */
  flush(): Buffer;
}

/** Makes masks of secrets: as a whole, and of those of several lines also each line. Empty ones are ignored. */
export function makeMasks(secrets: readonly string[]): {
  readonly stream: () => Mask;
  readonly text: (text: string) => string;
} {
  const lines = secrets
    .flatMap((secret) => (secret.includes("\n") ? secret.split(/\r?\n/) : []))
    .filter((line) => Buffer.byteLength(line) >= LEAST_LINE);
  const whole = secrets.filter((secret) => secret !== "");
  // Bytes as letters of Latin 1: searched as text is, and cut anywhere.
  const hidden = [...new Set([...whole, ...lines])].map((secret) =>
    Buffer.from(secret).toString("latin1"),
  );
  const stream = (): Mask => makeMask(hidden);
  return {
    stream,
    text(text) {
      const mask = stream();
      return Buffer.concat([mask.push(Buffer.from(text)), mask.flush()]).toString();
    },
  };
}

function makeMask(secrets: readonly string[]): Mask {
  let held = "";
  /** How much of what is held has been masked already: a secret ended in it. */
  let covered = 0;

  function emit(text: string, end: number): Buffer {
    let out = "";
    let at = covered;
    for (const [from, to] of placesOf(secrets, text)) {
      if (from >= end) break;
      // One that begins in what was masked needs no mask of its own.
      if (from >= at) out += text.slice(at, from) + MASK;
      at = Math.max(at, to);
    }
    if (at < end) out += text.slice(at, end);
    covered = Math.max(0, at - end);
    held = text.slice(end);
    return Buffer.from(out, "latin1");
  }

  return {
    push(piece) {
      if (secrets.length === 0) return Buffer.from(piece);
      const text = held + Buffer.from(piece).toString("latin1");
      return emit(text, text.length - beginningAtEnd(secrets, text));
    },
    flush: () => emit(held, held.length),
  };
}

/** Finds where secrets are, in order; those that overlap are one place. */
function placesOf(
  secrets: readonly string[],
  text: string,
): readonly (readonly [number, number])[] {
  const places = secrets.flatMap((secret) => {
    const found: [number, number][] = [];
    for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + 1)) {
      found.push([at, at + secret.length]);
    }
    return found;
  });
  const merged: [number, number][] = [];
  for (const [from, to] of places.sort(([a], [b]) => a - b)) {
    const last = merged.at(-1);
    if (last !== undefined && from < last[1]) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

/** The length of the longest end of a text that a secret begins with, and does not end with. */
function beginningAtEnd(secrets: readonly string[], text: string): number {
  let longest = 0;
  for (const secret of secrets) {
    for (let length = Math.min(secret.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(secret.slice(0, length))) longest = length;
    }
  }
  return longest;
}
