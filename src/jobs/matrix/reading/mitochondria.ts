// Which genes are mitochondrial: told by their symbols as genomes and tools spell them, and by Ensembl's ids of human and mouse.

/**
 * The 37 genes of the mitochondrial genome, 13 of proteins, 2 of ribosomal and 22 of transfer RNA, in the order of the genome, which is
 * that of the symbols beside them. Ids are Ensembl's without "ENSG00000" or "ENSMUSG00000".
 */
const GENES =
  "TF RNR1 TV RNR2 TL1 ND1 TI TQ TM ND2 TW TA TN TC TY CO1 TS1 TD CO2 TK ATP8 ATP6 CO3 TG ND3 TR ND4L ND4 TH TS2 TL2 ND5 ND6 TE CYB TT TP";
const HUMAN =
  "210049 211459 210077 210082 209082 198888 210100 210107 210112 198763 210117 210127 210135 210140 210144 198804 210151 210154 198712 " +
  "210156 228253 198899 198938 210164 198840 210174 212907 198886 210176 210184 210191 198786 198695 210194 198727 210195 210196";
const MOUSE =
  "064336 064337 064338 064339 064340 064341 064342 064343 064344 064345 064346 064347 064348 064349 064350 064351 064352 064353 064354 " +
  "064355 064356 064357 064358 064359 064360 064361 065947 064363 064364 064365 064366 064367 064368 064369 064370 064371 064372";

function idsOf(stem: string, numbers: string): readonly (readonly [id: string, gene: string])[] {
  const names = GENES.split(" ");
  return numbers.split(" ").map((number, at) => [`${stem}00000${number}`, names[at] ?? ""]);
}

/** Ensembl's ids of mitochondrial genes, and what each gene is called behind "MT-". */
export const MITOCHONDRIAL_IDS: ReadonlyMap<string, string> = new Map([
  ...idsOf("ENSG", HUMAN),
  ...idsOf("ENSMUSG", MOUSE),
]);

/** "MT-ND1", "mt-Nd1", R's "MT.ND1"; behind a genome ("GRCh38_", "mm10___") or an id ("ENSG00000198888_"), with Seurat's hyphens too. */
const SYMBOL = /^(?:.*_|(?:GRC[a-z]|hg|mm|rn)\d+(?:\.p\d+)?-+)?mt[-.]/i;
/** An id with its version behind it, and a genome before it. */
const ID = /(?:^|[_-])(ENS(?:MUS)?G\d{11})(?!\d)/;

/** Tells whether a gene is mitochondrial; `symbol` is its id where it has no symbol. */
export function isMitochondrial(symbol: string): boolean {
  return SYMBOL.test(symbol) || MITOCHONDRIAL_IDS.has(ID.exec(symbol)?.[1] ?? "");
}
