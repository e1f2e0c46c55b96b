// Instants of InsertedDate as numbers that order them. The text itself is never rewritten.

/** ISO 8601: a date and a time with seconds, perhaps a fraction, perhaps an offset. */
const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|z|[+-]\d\d(?::?\d\d)?)?$/;
const DAY_SECONDS = 86_400;
/**
 * Turns an instant into microseconds since the first of March of year 0, as decimal text (they exceed what a number holds exactly);
 * without an offset it is UTC. Null where the text is no instant.
 */
export function instantDigits(text: string): string | null {
  const parts = INSTANT.exec(text);
  if (parts === null) return null;
  const [, year = "", month = "", day = "", hour = "", minute = "", second = ""] = parts;
  const [y, m, d] = [Number(year), Number(month), Number(day)];
  if (y < 1 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m)) return null;
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)];
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const offset = offsetSeconds(parts[8] ?? "Z");
  if (offset === null) return null;
  const micros = `${parts[7] ?? ""}000000`.slice(0, 6);
  const whole = dayNumber(y, m, d) * DAY_SECONDS + hours * 3600 + minutes * 60 + seconds - offset;
  return `${whole}${micros}`;
}

const PLAIN_BYTES = 20;
/** Bytes of a plain instant that are no digits. */
const MARKS: readonly (readonly [at: number, byte: number])[] = [
  [4, 0x2d],
  [7, 0x2d],
  [10, 0x54],
  [13, 0x3a],
  [16, 0x3a],
  [19, 0x5a],
];

/** The same of bytes in the form that nearly all have, 2026-01-12T02:15:00Z, without a pattern; null for every other, and for what is no instant. */
export function plainInstant(buffer: Uint8Array, from: number, to: number): string | null {
  if (to - from !== PLAIN_BYTES) return null;
  for (const [at, byte] of MARKS) if (buffer[from + at] !== byte) return null;
  const y = twoDigits(buffer, from) * 100 + twoDigits(buffer, from + 2);
  const m = twoDigits(buffer, from + 5);
  const d = twoDigits(buffer, from + 8);
  const hours = twoDigits(buffer, from + 11);
  const minutes = twoDigits(buffer, from + 14);
  const seconds = twoDigits(buffer, from + 17);
  // What is no digit makes what it is a part of NaN, which nothing is true of.
  const isInstant =
    y >= 1 && m >= 1 && m <= 12 && d >= 1 && hours <= 23 && minutes <= 59 && seconds <= 59;
  if (!isInstant || d > daysIn(y, m)) return null;
  return `${dayNumber(y, m, d) * DAY_SECONDS + hours * 3600 + minutes * 60 + seconds}000000`;
}

function twoDigits(buffer: Uint8Array, at: number): number {
  const tens = (buffer[at] as number) - 0x30;
  const ones = (buffer[at + 1] as number) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function offsetSeconds(text: string): number | null {
  if (text === "Z" || text === "z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(":", "") || "0");
  if (hours > 23 || minutes > 59) return null;
  return (text.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since the first of March of year 0, in the Gregorian calendar, which the years begin with so that a leap day ends one. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const m = (month + 9) % 12;
  const days = Math.floor((153 * m + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + days;
}
