// Library construction approaches: what the data call them, and the key under which their figures lie.

import { count as counted } from "../../format.ts";
import type { Approach, CellTable } from "./matrix.ts";

/** The column of HCA's cell tables that gives each cell's approach, and CELLxGENE's name for the same. */
export const APPROACH_COLUMNS = [
  "library_preparation_protocol.library_construction_method.ontology_label",
  "library_preparation_protocol.library_construction_approach",
  "assay",
] as const;

const UNKNOWN: Approach = { key: "unknown", label: "not stated" };
/** A portal shows a folder of figures for each; beyond that the rare ones are not told apart. */
export const MOST_APPROACHES = 64;
/** Told apart until all cells are seen, since only then it is known which are rare: an index is a byte. */
const MOST_SEEN = 255;
/** A column of names of cells has as many labels as cells: neither all of them are kept, nor are they counted further. */
const MOST_REMEMBERED = 10_000;
/** Longer labels are no names of anything. */
const LONGEST_LABEL = 256;
/** Labels of one key that are shown. */
const MOST_LABELS = 8;
const RARER = /^[\d,]+(?: or more)? rarer approach(?:es)?$/;

/** Tells whether an approach's label says that rare ones were put together. */
export function isFolded({ label }: Approach): boolean {
  return label.split(" / ").some((one) => RARER.test(one));
}

/** Gives an approach its key: Smart-seq2 → SS2, anything that starts with 10x → 10X, others a key-safe form of their name. */
function approachKey(label: string): string {
  const name = label.slice(0, LONGEST_LABEL).trim();
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
  /** Throws nothing: of more than 64 approaches, the rare ones are folded into "unknown". */
  build(): CellTable;
}

/** Gives cells their approaches by key; of more than can be held or shown, the rare ones become "unknown". */
export interface ApproachKeys {
  /** The index of a key, with a label that was seen for it. */
  indexOf(key: string, label: string): number;
  /** The table of cells whose indexes these are; they are changed in place. */
  build(of: Uint8Array<ArrayBuffer>): CellTable;
}

/** Starts a collection of keys. */
export function makeApproachKeys(): ApproachKeys {
  const indexOfKey = new Map<string, number>();
  const found: { readonly key: string; readonly labels: Set<string> }[] = [];
  const beyond = new Set<string>();

  function indexOf(key: string, label: string): number {
    const known = indexOfKey.get(key);
    if (known === undefined && key !== UNKNOWN.key) {
      // The last place is for what is not known.
      const room = indexOfKey.has(UNKNOWN.key) ? MOST_SEEN : MOST_SEEN - 1;
      if (found.length >= room) {
        if (beyond.size < MOST_REMEMBERED) beyond.add(key);
        return placeOf(UNKNOWN.key);
      }
    }
    const index = known ?? placeOf(key);
    const labels = found[index]?.labels;
    if (labels !== undefined && labels.size < MOST_LABELS) labels.add(label);
    return index;
  }

  function placeOf(key: string): number {
    const known = indexOfKey.get(key);
    if (known !== undefined) return known;
    const index = found.push({ key, labels: new Set() }) - 1;
    indexOfKey.set(key, index);
    return index;
  }

  return {
    indexOf,
    build(of) {
      const cells = new Float64Array(found.length);
      for (const index of of) cells[index] = (cells[index] ?? 0) + 1;
      const kept = new Set(found.keys());
      if (found.length > MOST_APPROACHES) {
        const named = [...found.keys()].filter((index) => found[index]?.key !== UNKNOWN.key);
        // Of equally many cells the one that came first.
        named.sort((a, b) => (cells[b] ?? 0) - (cells[a] ?? 0) || a - b);
        for (const index of named.slice(MOST_APPROACHES - 1)) kept.delete(index);
        kept.add(placeOf(UNKNOWN.key));
      }
      const folded = found.length - kept.size + beyond.size;
      if (folded > 0) {
        const more = beyond.size === MOST_REMEMBERED ? " or more" : "";
        const words = counted(folded, "rarer approach", "rarer approaches").replace(
          " ",
          `${more} `,
        );
        found[placeOf(UNKNOWN.key)]?.labels.add(words);
      }
      const order = [...found.keys()].filter((index) => kept.has(index));
      const rest = order.findIndex((index) => found[index]?.key === UNKNOWN.key);
      const places = Uint8Array.from(found.keys(), (index) =>
        kept.has(index) ? order.indexOf(index) : rest,
      );
      if (folded > 0) {
        for (let cell = 0; cell < of.length; cell++) of[cell] = places[of[cell] ?? 0] ?? 0;
      }
      const approaches = order.map((index) => {
        const { key, labels } = found[index] ?? { key: UNKNOWN.key, labels: [] };
        return { key, label: [...labels].join(" / ") };
      });
      return { count: of.length, approaches, approachOf: order.length > 1 ? of : null };
    },
  };
}

/** Makes a builder; `fallback` are the approaches that the project's metadata name. */
export function buildCellTable(fallback: readonly string[]): CellTableBuilder {
  const only = new Set(fallback.map(approachKey)).size === 1 ? fallback[0] : undefined;
  const keys = makeApproachKeys();
  const indexOfLabel = new Map<string, number>();
  let of = new Uint8Array(1024);
  let count = 0;

  function indexOf(given: string): number {
    const known = indexOfLabel.get(given);
    if (known !== undefined) return known;
    const isKnown = approachKey(given) !== UNKNOWN.key;
    const label = isKnown ? given : (only ?? given);
    const shown = label === "" ? UNKNOWN.label : label.slice(0, LONGEST_LABEL).trim();
    const index = keys.indexOf(approachKey(label), shown);
    if (indexOfLabel.size < MOST_REMEMBERED && given.length <= LONGEST_LABEL) {
      indexOfLabel.set(given, index);
    }
    return index;
  }

  return {
    add(label) {
      const index = indexOf(label ?? "");
      if (count === of.length) {
        const larger = new Uint8Array(of.length * 2);
        larger.set(of);
        of = larger;
      }
      of[count++] = index;
    },
    build() {
      const table = keys.build(of.slice(0, count));
      if (count > 0) return table;
      const key = only === undefined ? UNKNOWN.key : approachKey(only);
      return { ...table, approaches: [{ key, label: only ?? UNKNOWN.label }] };
    },
  };
}
