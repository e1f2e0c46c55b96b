// What a command says: lines as they come, and of the whole its beginning and its end, in bounded memory.

import { makeMasks } from "./mask.ts";

/** Kept of each end where nothing else is said: enough to see what a program was asked and why it failed. */
const KEPT_BYTES = 64 * 1024;
/** A line that is longer is handed on in pieces: a program may never end one. */
const LONGEST_LINE = 64 * 1024;
const NEWLINE = 0x0a;

export interface ExecLogWriter {
  write(bytes: Uint8Array): void;
  /** Hands on the last line, and returns what was kept. */
  end(): { readonly head: string; readonly tail: string; readonly truncatedBytes: number };
}

/** Makes a log. @param mostBytes as ExecLimits.logBytes. */
export function makeExecLog(
  mostBytes: number | null,
  secrets: readonly string[],
  onLine: (line: string) => void,
): ExecLogWriter {
  const mask = makeMasks(secrets).stream();
  const kept = keepEnds(mostBytes === null ? KEPT_BYTES : Math.ceil(mostBytes / 2));
  const lines = splitLines(onLine);
  const take = (bytes: Buffer): void => {
    kept.take(bytes);
    lines.take(bytes);
  };
  return {
    write: (bytes) => take(mask.push(bytes)),
    end() {
      take(mask.flush());
      lines.end();
      return kept.read();
    },
  };
}

function keepEnds(most: number) {
  const head: Buffer[] = [];
  let headBytes = 0;
  let tail: Buffer[] = [];
  let tailBytes = 0;
  let truncatedBytes = 0;
  const trim = (): void => {
    const all = Buffer.concat(tail);
    const over = Math.max(0, all.length - most);
    truncatedBytes += over;
    // A copy: a part of a piece would keep all of it.
    tail = [Buffer.from(all.subarray(over))];
    tailBytes = all.length - over;
  };
  return {
    take(bytes: Buffer): void {
      const first = bytes.subarray(0, most - headBytes);
      if (first.length > 0) head.push(Buffer.from(first));
      headBytes += first.length;
      const rest = bytes.subarray(first.length);
      if (rest.length === 0) return;
      tail.push(rest);
      tailBytes += rest.length;
      if (tailBytes > 2 * most + LONGEST_LINE || tail.length > 1000) trim();
    },
    read() {
      trim();
      // A letter that was cut in two becomes two signs of a lost one.
      const join = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString();
      return truncatedBytes === 0
        ? splitAt(Buffer.concat([...head, ...tail]), headBytes)
        : { head: join(head), tail: join(tail), truncatedBytes };
    },
  };
}

/** Where nothing is missing, no letter is cut. */
function splitAt(all: Buffer, at: number) {
  const cut = beforeLetter(all, at);
  return {
    head: all.subarray(0, cut).toString(),
    tail: all.subarray(cut).toString(),
    truncatedBytes: 0,
  };
}

function splitLines(onLine: (line: string) => void) {
  let rest: Buffer[] = [];
  let restBytes = 0;
  return {
    take(bytes: Buffer): void {
      let from = 0;
      for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, from)) {
        const piece = bytes.subarray(from, at);
        onLine((rest.length === 0 ? piece : Buffer.concat([...rest, piece])).toString());
        from = at + 1;
        [rest, restBytes] = [[], 0];
      }
      if (from === bytes.length) return;
      rest.push(Buffer.from(bytes.subarray(from)));
      restBytes += bytes.length - from;
      while (restBytes > LONGEST_LINE) {
        const all = Buffer.concat(rest);
        const cut = beforeLetter(all, LONGEST_LINE);
        onLine(all.subarray(0, cut).toString());
        [rest, restBytes] = [[all.subarray(cut)], all.length - cut];
      }
    },
    end(): void {
      if (restBytes > 0) onLine(Buffer.concat(rest).toString());
    },
  };
}

/** The nearest place at or before one that is not within a letter of UTF-8. */
function beforeLetter(bytes: Buffer, at: number): number {
  for (let cut = at; cut > 0 && cut > at - 4; cut--) {
    if (((bytes[cut] ?? 0) & 0xc0) !== 0x80) return cut;
  }
  return at;
}
