// Whether a table's first row is a header. Nothing is thrown away on a guess: the matrix's own size decides, words only where it does not.

/** Words that stand above columns of genes and cells, in small letters and without separators. */
const WORDS = new Set(
  (
    "gene genes geneid geneids genename genenames genesymbol genesymbols geneshortname genetype genebiotype symbol symbols " +
    "hgncsymbol mgisymbol externalgenename featurekey featurename featurenames featuretype featuretypes featureid feature features " +
    "ensembl ensemblid ensemblids ensemblgeneid ensgid ensgene accession accessions " +
    "chromosome genomicstart genusspecies featurestart featureend isgene id ids name names index row rowname rownames " +
    "cell cells bcwells cellkey cellid cellname cellnames barcode barcodes cellbarcode cellbarcodes genesdetected assay"
  ).split(" "),
);
/** What R and pandas write above row names: nothing, or a stand-in. */
const STAND_INS = new Set(["", "x", "0", "v1", "unnamed0"]);

/** Tells whether what stands above a column is no name of it. */
export function isStandIn(field = ""): boolean {
  return STAND_INS.has(wordOf(field));
}

/** Writes a word in small letters and without separators: so column names are compared. */
export function wordOf(field: string): string {
  return field.toLowerCase().replace(/[\s_.-]+/g, "");
}

/** What a first row looks like by its words alone. */
export type HeaderLook = "header" | "maybe" | "row";

/**
 * Judges a first row by its words: "header" where a field is one that stands above columns (or holds a dotted name such as HCA's
 * cell metadata), "maybe" where the first field is empty or a stand-in, "row" else.
 */
export function lookOfFirstRow(fields: readonly string[]): HeaderLook {
  const words = fields.map(wordOf);
  if (words.some((word) => WORDS.has(word))) return "header";
  if (fields.some((field) => /^[a-z]+(_[a-z]+)+\.[a-z_]+/.test(field))) return "header";
  return STAND_INS.has(words[0] ?? "") ? "maybe" : "row";
}

/** How many rows a table has, one that may be a header included, and what the first looks like. */
export interface TableLines {
  readonly rows: number;
  readonly look: HeaderLook;
}

/** A table as it was read, and its lines, which tell how many rows it has for matrices of other sizes. */
export interface LinedTable<Table> {
  readonly table: Table;
  readonly lines: TableLines;
}

/**
 * Decides whether a table of `rows` rows in all begins with a header; `sizes` are the matrix's numbers of rows and columns, the
 * one that should fit first. As many rows as the matrix has: no header, whatever the first row says. One row more: a header if it
 * looks at all like one. Neither: as it looks.
 */
export function decideHeader(rows: number, sizes: readonly number[], look: HeaderLook): boolean {
  for (const size of sizes) {
    if (rows === size) return false;
    if (rows === size + 1 && look !== "row") return true;
  }
  return look === "header";
}
