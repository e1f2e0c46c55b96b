// Which columns of a gene table hold ids, symbols and types: told by the words above them, and by what stands in many of their rows.

import { isStandIn, wordOf } from "./headerRow.ts";

/** What people and programs write above ids, symbols, either of them, and types; in small letters and without separators, best first. */
const WORDS = {
  id: "featurekey featureid geneid geneids ensembl ensemblid ensemblids ensemblgeneid ensgid ensgene accession accessions id ids",
  symbol:
    "featurename featurenames genesymbol genesymbols genename genenames symbol symbols hgncsymbol mgisymbol geneshortname externalgenename " +
    "originalgenesymbols name names",
  either: "gene genes feature features varnames",
  type: "featuretypes featuretype",
} as const;
export type ColumnRole = keyof typeof WORDS;
const RANKS: Readonly<Record<ColumnRole, readonly string[]>> = {
  id: WORDS.id.split(" "),
  symbol: WORDS.symbol.split(" "),
  either: WORDS.either.split(" "),
  type: WORDS.type.split(" "),
};

const ROLES = Object.keys(RANKS) as readonly ColumnRole[];

/** Gives the names of columns that may have a role, the best first; case and separators do not count. */
export function columnsFor(role: ColumnRole, names: Iterable<string>): readonly string[] {
  const ranks = RANKS[role];
  const rank = (name: string): number => ranks.indexOf(wordOf(name));
  return [...names].filter((name) => rank(name) !== -1).sort((a, b) => rank(a) - rank(b));
}

/** Tells the roles of columns by the words above them. */
export function rolesOf(header: readonly string[]): ReadonlyMap<number, ColumnRole> {
  const roles = new Map<number, ColumnRole>();
  for (const [column, name] of header.entries()) {
    const word = wordOf(name);
    const role = ROLES.find((one) => RANKS[one].includes(word));
    if (role !== undefined) roles.set(column, role);
  }
  return roles;
}

/**
 * What the values of a column are: names of genes, accession numbers of a database, numbers (such as Entrez has), nothing but the numbers
 * of its rows, or nothing that could name a gene (few different words, sentences, no values at all).
 */
export type ColumnKind = "names" | "accessions" | "amounts" | "row numbers" | "nothing";

/** Ensembl, RefSeq, FlyBase, WormBase, TAIR, HGNC and MGI, with a genome before them and a version behind. */
const ACCESSION =
  /^(?:[\w.]+?_+)?(?:ENS[A-Z]{0,6}[GT]\d{8,}|FBgn\d{7}|WBGene\d{8}|AT[1-5CM]G\d{5}|[NX][MR]_\d{6,}|(?:HGNC|MGI):\d+)(?:[.-]\d+)?$/i;
const WHOLE = /^\d{1,15}$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NO_VALUE = /^(|nan|na|n\/a|none|null)$/i;
/** Of fewer values nobody can say that they are few different ones. */
const LEAST_REPEATED = 8;
/** What most values are, all are: tables of Ensembl's ids have spike-ins among them, and columns of symbols some genes without one. */
const MOST = 0.9;
/** Nothing longer is a name: a pattern need not try. */
const LONGEST_NAME = 200;

/** Tells what the values of a column are; `header` is what stands above it, undefined where nothing does. */
export function kindOf(values: readonly string[], header?: string): ColumnKind {
  const present = values.filter((value) => !NO_VALUE.test(value));
  const share = (pattern: RegExp): number =>
    present.filter((value) => pattern.test(value.slice(0, LONGEST_NAME))).length / present.length;
  if (present.length === 0) return "nothing";
  if (areRowNumbers(present, header)) return "row numbers";
  const isRepeated = new Set(present).size * 2 <= present.length;
  if (isRepeated && present.length >= LEAST_REPEATED) return "nothing";
  if (share(ACCESSION) >= MOST) return "accessions";
  if (share(NUMBER) >= MOST) return "amounts";
  return share(/\s/) >= 0.5 ? "nothing" : "names";
}

/** 0, 1, 2 … or 1, 2, 3 …; with gaps where rows were left out, if what stands above is no name: so R and pandas number rows. */
function areRowNumbers(values: readonly string[], header: string | undefined): boolean {
  if (!values.every((value) => WHOLE.test(value))) return false;
  const numbers = values.map(Number);
  const step = (at: number): number => (numbers[at] ?? 0) - (numbers[at - 1] ?? 0);
  const isFull = (numbers[0] ?? 2) <= 1 && numbers.every((_, at) => at === 0 || step(at) === 1);
  if (isFull) return true;
  return header !== undefined && isStandIn(header) && numbers.every((_, at) => !at || step(at) > 0);
}

/** Tells whether texts are symbols rather than ids or numbers of rows, by as many of them as tell. */
export function areSymbols(texts: readonly string[]): boolean {
  return kindOf(sampleOf(texts)) === "names";
}

/** Rows that are looked at. */
export const SAMPLE_ROWS = 1000;

/** Takes some of many, from the first to the last. */
export function sampleOf<T>(all: readonly T[]): readonly T[] {
  const step = Math.ceil(all.length / SAMPLE_ROWS);
  return step <= 1 ? all : all.filter((_, at) => at % step === 0);
}

/** A column as it may be chosen. */
export interface GeneColumn {
  readonly role: ColumnRole | null;
  readonly kind: ColumnKind;
  /** Nothing or a stand-in stands above it. */
  readonly isUnnamed: boolean;
}

/** Where ids, symbols and types stand. */
export interface GeneColumns {
  readonly id: number;
  readonly symbol: number;
  readonly type: number;
}

/** Chooses columns by the words above them, where what stands in them agrees; else the second and the first, as 10x has them. */
export function chooseColumns(columns: readonly GeneColumn[]): GeneColumns {
  const at = (test: (column: GeneColumn) => boolean): readonly number[] =>
    [...columns.keys()].filter((index) => test(columns[index] as GeneColumn));
  const of = (role: ColumnRole): readonly number[] => at((column) => column.role === role);
  // The second before the first: what is there besides an id is the symbol.
  const habit = [1, 0].filter((index) => columns[index]?.role === null);
  const unnamed = at(({ isUnnamed, role }) => isUnnamed && role === null);
  const best = (order: readonly number[], kinds: readonly ColumnKind[]): number | undefined =>
    kinds
      .map((kind) => order.find((index) => columns[index]?.kind === kind))
      .find((index) => index !== undefined);

  const symbolOrder = [...of("symbol"), ...of("either"), ...habit, ...unnamed, ...of("id")];
  const symbol =
    best(symbolOrder, ["names", "accessions", "amounts"]) ?? symbolOrder[0] ?? columns.length - 1;
  const idOrder = [...of("id"), ...of("either"), ...[0, 1], ...unnamed];
  const id =
    idOrder.find((index) => columns[index]?.kind === "accessions") ??
    best(of("id"), ["names", "amounts"]) ??
    [0, ...unnamed].find((index) => /^(names|amounts)$/.test(columns[index]?.kind ?? "")) ??
    symbol;
  return { id, symbol, type: of("type")[0] ?? 2 };
}
