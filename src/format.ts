// How numbers, sizes, shares, moments and durations are written for people. Pure, and the same on every machine and locale.

const MINUS = "−";
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
/** Decimal, as storage is sold and as most services count. */
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/** Control characters but the line break, marks that turn the direction of text around, and separators that some take for line breaks. */
const UNPRINTABLE =
  /(?!\n)\p{Cc}|\u{61c}|[\u{200e}\u{200f}]|[\u{2028}-\u{202e}]|[\u{2066}-\u{2069}]/gu;

/** Makes a text fit for a terminal: what comes from data may not move the cursor, colour anything or turn words around. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, "\uFFFD");
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Writes a name from outside on one line, with an escape for every character that cannot be seen or moves others, e.g. a\nb, a\u{202e}b. */
export function oneLine(name: string): string {
  return name.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (char) => ESCAPES[char] ?? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** Writes a number with commas between thousands, e.g. 12,345 or −1,200.5. */
export function number(value: number): string {
  const [whole = "", part] = String(Math.abs(value)).split(".");
  const grouped = whole.includes("e") ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${value < 0 ? MINUS : ""}${grouped}${part === undefined ? "" : `.${part}`}`;
}

/** Writes a change with its sign, e.g. +3, −1,200 or ±0. */
export function signed(value: number): string {
  return value === 0 ? "±0" : value > 0 ? `+${number(value)}` : number(value);
}

/** Writes a count with its noun, in the number that the count asks for, e.g. "1 file", "2,000 files". */
export function count(value: number, singular: string, plural = `${singular}s`): string {
  return `${number(value)} ${value === 1 ? singular : plural}`;
}

/** Writes bytes to three digits in decimal units, e.g. "2.51 TB". */
export function bytes(value: number): string {
  const size = Math.abs(value);
  let unit = 0;
  let scaled = size;
  // 999.5 is where three digits would round up to 1000 of the smaller unit.
  while (scaled >= (unit === 0 ? 1000 : 999.5) && unit < BYTE_UNITS.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${value < 0 ? MINUS : ""}${scaled.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** Writes how many of how many bytes in one unit, e.g. "3.5 of 7.0 MB". */
export function bytesOf(done: number, total: number): string {
  let unit = 0;
  let scale = 1;
  while (total / scale >= (unit === 0 ? 1000 : 999.5) && unit < BYTE_UNITS.length - 1) {
    scale *= 1000;
    unit += 1;
  }
  const digits = unit === 0 || total / scale >= 99.95 ? 0 : 1;
  const part = (value: number): string => (value / scale).toFixed(digits);
  return `${part(done)} of ${part(total)} ${BYTE_UNITS[unit]}`;
}

/** Writes a change of bytes with its sign. */
export function signedBytes(value: number): string {
  return value === 0 ? "±0" : value > 0 ? `+${bytes(value)}` : bytes(value);
}

/** Writes a fraction 0-1 as a percentage, e.g. "82.0%"; what is not all or nothing never reads as 100% or 0%. */
export function percent(fraction: number): string {
  const pct = fraction * 100;
  if (pct === 0 || pct === 100) return `${pct}%`;
  if (pct > 0 && pct < 0.1) return "<0.1%";
  if (pct < 100 && pct > 99.9) return ">99.9%";
  return `${pct.toFixed(1)}%`;
}

/** Writes how many of a number as whole percent; some never reads as 0%, nor nearly all as 100%; of none it is "–". */
export function wholePercent(part: number, of: number): string {
  if (of === 0) return "–";
  const pct = Math.round((100 * part) / of);
  if (part > 0 && pct === 0) return "1%";
  return part < of && pct === 100 ? "99%" : `${pct}%`;
}

/** Writes a change between two fractions in percentage points, e.g. "+1.3 points". */
export function signedPoints(fraction: number): string {
  const points = Math.round(fraction * 1000) / 10;
  if (points === 0)
    return fraction === 0 ? "±0 points" : `${fraction > 0 ? "+" : MINUS}<0.1 points`;
  return `${signed(points)} ${Math.abs(points) === 1 ? "point" : "points"}`;
}

/** Writes an ISO instant's day, e.g. "19 Nov 2026". */
export function date(at: string): string {
  const when = new Date(at);
  return `${when.getUTCDate()} ${month(at)} ${when.getUTCFullYear()}`;
}

/** Writes the month of an ISO instant's day, e.g. "Nov"; "" where that is no day. */
export function month(at: string): string {
  return MONTHS[new Date(at).getUTCMonth()] ?? "";
}

/** Writes an ISO instant to the minute, e.g. "19 Nov 2026, 02:00 UTC". */
export function instant(at: string): string {
  return `${date(at)}, ${new Date(at).toISOString().slice(11, 16)} UTC`;
}

/** Writes milliseconds in the one or two units that matter, e.g. "850 ms", "4.2 s", "3 min 20 s", "2 h 5 min". */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** Joins words as a sentence lists them, e.g. "BAM, FASTQ and image". */
export function list(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

/** A value of a setting needs no more to be known again. */
const LONGEST_SHOWN = 200;

/** Quotes the value of a setting in a message: its first line, since what a quote has swallowed may be secrets, and no more than is needed. */
export function quoted(value: string): string {
  const [line = ""] = value.split(/[\r\n]/);
  const shown = line.slice(0, LONGEST_SHOWN);
  return JSON.stringify(shown === value ? value : `${shown}…`);
}

/** Names that a sentence has room for. */
const FEW = 5;

/** Lists the first few words and says how many more there are, e.g. "a, b, c, d, e and 3 more". */
export function listFew(words: readonly string[], few = FEW): string {
  const more = words.length - few;
  return words.slice(0, few).join(", ") + (more <= 0 ? "" : ` and ${number(more)} more`);
}
