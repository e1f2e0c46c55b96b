// How figures say their numbers: in sentences, with as many digits as a reader can use.

import { count, number } from "../../../format.ts";

/** Writes a number with two or three digits, and whole ones whole, e.g. "2,197", "12.4", "0.031", "<0.001". */
export function amount(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 0.001) return value < 0 ? ">−0.001" : "<0.001";
  if (size >= 100 || Number.isInteger(value)) return number(Math.round(value));
  return number(Number(value.toPrecision(size >= 10 ? 3 : 2)));
}

/** Writes percent, e.g. "2.1%". */
export function pct(value: number): string {
  return `${amount(value)}%`;
}

/** Writes a share 0-1 as percent. */
export function share(fraction: number): string {
  return pct(fraction * 100);
}

/** Writes how many cells a figure rests on, e.g. "2,638 of 2,700 cells" or "2,700 cells". */
export function cellsOf(shown: number, all: number): string {
  return shown === all ? count(all, "cell") : `${number(shown)} of ${count(all, "cell")}`;
}

/** Letters of a gene's name in a sentence; symbols have up to a dozen, Ensembl's ids with their version up to 20. */
const MOST_NAME = 24;

/** Shortens a gene's name in its middle where it is too long for a sentence. */
export function geneName(symbol: string): string {
  const letters = [...symbol];
  return letters.length <= MOST_NAME
    ? symbol
    : `${letters.slice(0, 15).join("")}…${letters.slice(-8).join("")}`;
}

/** Ends what is to be a sentence with a full stop, once, and begins it large. */
export function sentence(text: string): string {
  const trimmed = text.trim().replace(/\.+$/, "");
  return `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1)}.`;
}
