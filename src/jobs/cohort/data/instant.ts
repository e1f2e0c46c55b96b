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

function offsetSeconds(text: string): number | null {
  if (text === "Z" || text === "z") return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(3).replace(":", "") || "0");
  if (hours > 23 || minutes > 59) return null;
  return (text.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** Days since the first of March of year 0, in the Gregorian calendar, which the years begin with so that a leap day ends one. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const m = (month + 9) % 12;
  const days = Math.floor((153 * m + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + days;
}
