// One gene table for matrices of one file: the same genes in order as they are, else their union by id.

import { count, list, number } from "../../../format.ts";
import type { GeneTable, MatrixNote } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { type GeneRows, MOST_GENES } from "./geneRows.ts";
import { makeGeneTable } from "./geneTable.ts";

/** What a row of a matrix that is no gene is mapped to: its entries are left out. */
export const NO_GENE = 0xff_ff_ff_ff;

export interface UnitedGenes {
  readonly genes: GeneTable;
  /** Symbols as they were given, before they were made unique. */
  readonly symbols: readonly string[];
  /** For each table the index of each of its rows among the genes; null where they are the same. */
  readonly geneMaps: readonly (Uint32Array | null)[];
  /** Tells whether two tables, by their number, have no gene in common. */
  areApart(one: number, other: number): boolean;
  readonly notes: readonly MatrixNote[];
}

/** Takes gene tables one after the other; of each no more is kept than what is new in it. */
export interface GeneUnion {
  add(table: GeneRows): void;
  build(): UnitedGenes;
}

interface Seen {
  readonly table: GeneRows;
  readonly map: Uint32Array;
}

/** Unites gene tables, in order of first appearance; the n-th row of an id matches the n-th of other tables. */
export function makeGeneUnion(most = MOST_GENES): GeneUnion {
  // Of one table alone, or of many that are the same, no index is made.
  let ids: string[] = [];
  let symbols: string[] = [];
  let indexOf: Map<string, number> | null = null;
  const maps: Uint32Array[] = [];
  const others = { types: new Set<string>(), most: 0 };
  const sizes = { least: Infinity, most: 0 };
  let isDifferent = false;
  // Samples of one project mostly have the same table: then they share its map.
  let first: Seen | null = null;
  let last: Seen | null = null;

  function mapFirst(table: GeneRows): Uint32Array {
    if (table.isOther === null) {
      ids = [...table.ids];
      symbols = [...table.symbols];
      return new Uint32Array(ids.length).map((_, row) => row);
    }
    const isGene = (_: string, row: number): boolean => table.isOther?.[row] !== 1;
    ids = table.ids.filter(isGene);
    symbols = table.symbols.filter(isGene);
    let next = 0;
    return Uint32Array.from(table.ids, (id, row) => (isGene(id, row) ? next++ : NO_GENE));
  }

  function mapOf(table: GeneRows): Uint32Array {
    indexOf ??= indexIds(ids);
    const index = indexOf;
    const times = new Map<string, number>();
    return Uint32Array.from(table.ids, (id, row) => {
      if (table.isOther?.[row] === 1) return NO_GENE;
      const key = nthKey(times, id);
      const known = index.get(key);
      if (known !== undefined) return known;
      if (ids.length === most) {
        throw new UnreadableMatrix(
          "M_TOO_LARGE",
          `the gene tables of the matrices have more than ${number(most)} genes together`,
        );
      }
      index.set(key, ids.length);
      symbols.push(table.symbols[row] ?? id);
      return ids.push(id) - 1;
    });
  }

  return {
    add(table) {
      const twin = [first, last].find((one) => one !== null && isSame(one.table, table));
      const map = twin?.map ?? (first === null ? mapFirst(table) : mapOf(table));
      first ??= { table, map };
      if (twin === undefined) last = { table, map };
      if (map !== first.map) isDifferent = true;
      maps.push(map);
      sizes.least = Math.min(sizes.least, table.ids.length);
      sizes.most = Math.max(sizes.most, table.ids.length);
      for (const type of table.otherTypes) others.types.add(type);
      others.most = Math.max(others.most, table.isOther?.reduce((a, b) => a + b, 0) ?? 0);
    },
    build() {
      const notes: MatrixNote[] = [];
      if (others.types.size > 0) {
        const kinds = list([...others.types].slice(0, 5));
        notes.push({
          rule: "M_TABLE",
          severity: "info",
          message: `${count(others.most, "feature")} that ${others.most === 1 ? "is" : "are"} not gene expression (${kinds}) ${others.most === 1 ? "is" : "are"} left out`,
        });
      }
      if (isDifferent) {
        const each =
          sizes.least === sizes.most
            ? number(sizes.most)
            : `${number(sizes.least)} to ${number(sizes.most)}`;
        notes.push({
          rule: "M_TABLE",
          severity: "info",
          message: `the gene tables of the ${maps.length} matrices differ (${each} rows each): the union of ${count(ids.length, "gene")} by id is taken`,
        });
      }
      const isPlain = (map: Uint32Array): boolean =>
        map.length === ids.length && map.every((gene, row) => gene === row);
      const plain = new Map([...new Set(maps)].map((map) => [map, isPlain(map) ? null : map]));
      return {
        genes: makeGeneTable(ids, symbols),
        symbols,
        geneMaps: maps.map((map) => plain.get(map) ?? null),
        areApart: compareMaps(maps, ids.length),
        notes,
      };
    },
  };
}

/** Compares tables by the genes that they were mapped to; most that have any in common have one of the first. */
function compareMaps(maps: readonly Uint32Array[], genes: number): UnitedGenes["areApart"] {
  let isMarked = new Uint8Array(0);
  let marked: Uint32Array | null = null;
  return (one, other) => {
    const [a, b] = [maps[one], maps[other]];
    if (a === undefined || b === undefined || a === b) return false;
    if (marked !== a) {
      isMarked = new Uint8Array(genes);
      for (const gene of a) if (gene !== NO_GENE) isMarked[gene] = 1;
      marked = a;
    }
    return !b.some((gene) => isMarked[gene] === 1);
  };
}

function indexIds(ids: readonly string[]): Map<string, number> {
  const times = new Map<string, number>();
  return new Map(ids.map((id, index) => [nthKey(times, id), index]));
}

/** The key of an id's n-th occurrence; `times` counts them. */
function nthKey(times: Map<string, number>, id: string): string {
  const before = times.get(id) ?? 0;
  times.set(id, before + 1);
  return before === 0 ? id : `${id}\u0000${before}`;
}

function isSame(a: GeneRows, b: GeneRows): boolean {
  if (a.ids.length !== b.ids.length || (a.isOther === null) !== (b.isOther === null)) return false;
  return a.ids.every((id, row) => id === b.ids[row] && a.isOther?.[row] === b.isOther?.[row]);
}
