// Parts a member's content into lines as it streams by.

import { isUtf8 } from "node:buffer";

/** Lines up to this are records; longer ones are counted and left. */
const MOST_LINE_BYTES = 64 * 1024 * 1024;

export interface LineTaker {
  /** Takes the line buffer[from, to), without its end; `isValid` says that its UTF-8 is known to be right. Not called for blank lines. */
  line(buffer: Buffer, from: number, to: number, number: number, isValid: boolean): void;
  /** Takes a piece of a line that is too long: it may be longer than memory is large, and is kept nowhere. */
  longPiece(piece: Buffer): void;
  /** Ends that line. */
  longEnd(number: number): void;
}

export interface LineParts {
  push(piece: Buffer): void;
  /** Ends the content: what has no line feed behind it is a line as well. */
  end(): void;
}

const LF = 0x0a;
const BOM = [0xef, 0xbb, 0xbf];

/** Makes the parts; numbers count from 1, blank lines included. */
export function partLines(taker: LineTaker, mostBytes = MOST_LINE_BYTES): LineParts {
  let number = 0;
  /** What of a line has come so far; its pieces are the giver's buffers, which nobody writes to again. */
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  /** True while the line at work is too long: what came of it has been handed on. */
  let isLong = false;

  function take(buffer: Buffer, from: number, to: number, isValid: boolean): void {
    number++;
    let begin = from;
    let end = to;
    while (end > begin && isBlank(buffer[end - 1] as number)) end--;
    if (end - begin >= 3 && BOM.every((byte, at) => buffer[begin + at] === byte)) begin += 3;
    let at = begin;
    while (at < end && isBlank(buffer[at] as number)) at++;
    if (at === end) return;
    taker.line(buffer, begin, end, number, isValid);
  }

  function hold(piece: Buffer): void {
    pending.push(piece);
    pendingBytes += piece.length;
    if (pendingBytes <= mostBytes) return;
    isLong = true;
    for (const one of pending) taker.longPiece(one);
    pending = [];
  }

  function finish(): void {
    if (isLong) taker.longEnd(++number);
    else {
      const line = pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending);
      take(line, 0, line.length, false);
    }
    pending = [];
    pendingBytes = 0;
    isLong = false;
  }

  return {
    push(piece) {
      let from = 0;
      if (pendingBytes > 0) {
        const end = piece.indexOf(LF);
        hold(piece.subarray(0, end === -1 ? piece.length : end));
        if (end === -1) return;
        finish();
        from = end + 1;
      }
      const last = piece.lastIndexOf(LF);
      // One look at all lines at once is cheaper than one at each; where there is a bad byte, each is looked at.
      const isValid = last >= from && isUtf8(piece.subarray(from, last));
      while (from <= last) {
        const end = piece.indexOf(LF, from);
        if (end - from > mostBytes) {
          hold(piece.subarray(from, end));
          finish();
        } else take(piece, from, end, isValid);
        from = end + 1;
      }
      if (from < piece.length) hold(piece.subarray(from));
    },
    end() {
      if (pendingBytes > 0) finish();
    },
  };
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}
