// Library construction approaches: what the data call them, and the key under which their figures lie.

import type { Approach, CellTable } from "./matrix.ts";

/** The column of HCA's cell tables that gives each cell's approach, and CELLxGENE's name for the same. */
export const APPROACH_COLUMNS = [
  "library_preparation_protocol.library_construction_method.ontology_label",
  "library_preparation_protocol.library_construction_approach",
  "assay",
] as const;

const UNKNOWN: Approach = { key: "unknown", label: "not stated" };
/** approachOf is a byte a cell. */
const MOST_APPROACHES = 255;

/** Gives an approach its key: Smart-seq2 → SS2, anything that starts with 10x → 10X, others a key-safe form of their name. */
export function approachKey(label: string): string {
  const name = label.trim();
  if (/^smart-?\s?seq\s?2$/i.test(name)) return "SS2";
  if (/^10x/i.test(name)) return "10X";
  const safe = name
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
    .slice(0, 64);
  return safe === "" || /^(unspecified|nan|none|na|n-a|null)$/i.test(safe) ? UNKNOWN.key : safe;
}

/** Tells whether an approach is one of those that portals expect. */
export function isUsualApproach({ key }: Approach): boolean {
  return key === "SS2" || key === "10X";
}

/** Collects the approaches of cells one after the other, with a byte a cell. */
export interface CellTableBuilder {
  /** Adds a cell; null or "" where its table does not say. */
  add(label: string | null): void;
  /** Throws nothing: more than 255 approaches are folded into "unknown". */
  build(): CellTable;
}

/** Makes a builder; `fallback` are the approaches that the project's metadata name. */
export function buildCellTable(fallback: readonly string[]): CellTableBuilder {
  const only = new Set(fallback.map(approachKey)).size === 1 ? fallback[0] : undefined;
  const indexOfLabel = new Map<string, number>();
  const indexOfKey = new Map<string, number>();
  const found: { key: string; labels: string[] }[] = [];
  let of = new Uint8Array(1024);
  let count = 0;
  let mixed = false;

  function indexOf(label: string): number {
    const known = indexOfLabel.get(label);
    if (known !== undefined) return known;
    let key = label === "" ? UNKNOWN.key : approachKey(label);
    if (!indexOfKey.has(key) && found.length === MOST_APPROACHES) key = UNKNOWN.key;
    let index = indexOfKey.get(key);
    if (index === undefined) {
      index = found.push({ key, labels: [] }) - 1;
      indexOfKey.set(key, index);
    }
    const shown = key === UNKNOWN.key && label === "" ? UNKNOWN.label : label.trim();
    const labels = found[index]?.labels ?? [];
    if (!labels.includes(shown) && labels.length < 8) labels.push(shown);
    indexOfLabel.set(label, index);
    return index;
  }

  return {
    add(label) {
      const given =
        label === null || approachKey(label) === UNKNOWN.key ? (only ?? label ?? "") : label;
      const index = indexOf(given);
      if (count === of.length) {
        const larger = new Uint8Array(of.length * 2);
        larger.set(of);
        of = larger;
      }
      of[count++] = index;
      if (index > 0) mixed = true;
    },
    build() {
      const approaches = found.map(({ key, labels }) => ({ key, label: labels.join(" / ") }));
      if (approaches.length === 0) {
        const label = only ?? UNKNOWN.label;
        approaches.push({ key: only === undefined ? UNKNOWN.key : approachKey(only), label });
      }
      return { count, approaches, approachOf: mixed ? of.slice(0, count) : null };
    },
  };
}
