// Casts of single values to the types of datasets: exact, and never a guess. A value that does not fit is null and counted.

/** What a cast may have done to a value, as it is counted. */
export type CastNote = "failed" | "truncated" | "repaired" | "conflict";

/** A value as it goes into a dataset (null: none), and what became of it on the way. */
export interface Cast {
  readonly text: string | null;
  readonly note: CastNote | null;
}

const NONE: Cast = { text: null, note: null };
const FAILED: Cast = { text: null, note: "failed" };
/** Numbers of JSON, and what people write for them: a leading plus or zero, .5 and 5. */
const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const MOST_INT = 2n ** 63n - 1n;
const LEAST_INT = -(2n ** 63n);
/** Digits of the largest 64-bit integer. */
const INT_DIGITS = 19;

/** Casts text to a 64-bit integer in decimal. A fraction is cut towards zero; empty text is null. */
export function castInt(text: string): Cast {
  const trimmed = text.trim();
  if (trimmed === "") return NONE;
  const parts = NUMBER.exec(trimmed);
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = parts ?? [];
  if (parts === null || (whole === "" && fraction === "")) return FAILED;
  const digits = (whole + fraction).replace(/^0+/, "");
  if (digits === "") return { text: "0", note: null };
  const leading = whole.length + fraction.length - digits.length;
  // Digits before the point once the exponent has moved it. An exponent that no number holds is beyond all limits, or nothing.
  const point = whole.length + Number(exponent) - leading;
  if (point > INT_DIGITS) return FAILED;
  const kept = point <= 0 ? "" : digits.slice(0, point).padEnd(point, "0");
  const isCut = /[1-9]/.test(point <= 0 ? digits : digits.slice(point));
  const value = BigInt(`${sign === "-" && kept !== "" ? "-" : ""}${kept === "" ? "0" : kept}`);
  if (value > MOST_INT || value < LEAST_INT) return FAILED;
  return { text: String(value), note: isCut ? "truncated" : null };
}

/** Casts text to a double, as the shortest decimal that gives it back; minus zero is zero, empty text is null. */
export function castDouble(text: string): Cast {
  const trimmed = text.trim();
  if (trimmed === "") return NONE;
  const value = readNumber(trimmed);
  if (value === null) return FAILED;
  return { text: value === 0 ? "0" : String(value), note: null };
}

/** Casts text to true or false: these words in any case, and numbers equal to 1 or 0; empty text is null. */
export function castBoolean(text: string): Cast {
  const trimmed = text.trim();
  if (trimmed === "") return NONE;
  const word = trimmed.toLowerCase();
  if (word === "true" || word === "false") return { text: word, note: null };
  const value = readNumber(trimmed);
  if (value === 1) return { text: "true", note: null };
  if (value === 0) return { text: "false", note: null };
  return FAILED;
}

/** Reads a finite number as people write them; null where it is none. */
function readNumber(text: string): number | null {
  const parts = NUMBER.exec(text);
  if (parts === null || ((parts[2] ?? "") === "" && (parts[3] ?? "") === "")) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}
