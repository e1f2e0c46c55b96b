// What can be wrong with a matrix, as an error inside the room and as a finding outside of it.

import { HdashError } from "../../error.ts";
import type { Finding } from "../../finding.ts";

/** Rules about matrices: why one cannot be read, and what is worth knowing about one that can. */
export const MATRIX_RULES = {
  M_FORMAT: "the format cannot be read",
  M_INCOMPLETE: "a file that belongs to the matrix is missing",
  M_UNSAFE: "the archive holds what no archive of a matrix should",
  M_CORRUPT: "the bytes are damaged or cut off",
  M_HEADER: "the header does not fit the rest",
  M_ENTRY: "an entry is wrong",
  M_TABLE: "the gene or cell table is wrong",
  M_NOT_COUNTS: "the values are not counts",
  M_EMPTY: "there is nothing in it",
  M_TOO_LARGE: "it is larger than can be handled",
  M_ROUNDED: "values were rounded to whole counts",
  M_DUPLICATES: "entries that occur twice were added up",
  M_SYMBOLS: "gene symbols that occur twice were made unique",
  M_TRANSPOSED: "the matrix lies cells × genes and was turned",
  M_APPROACH: "the library construction approach is not known or not among the usual ones",
  M_NO_MITO: "there are no mitochondrial genes",
  M_DROPLETS: "most cells are nearly empty: droplets that were not filtered",
  M_FIGURE: "a figure could not be made",
  M_SAMPLE: "a figure rests on a sample of the cells",
  M_SKIPPED: "the matrix was not read",
} as const;
export type MatrixRule = keyof typeof MATRIX_RULES;

/** A matrix that cannot be read, with the one reason. Its message names the file within the matrix and the value, and is fit for a public page. */
export class UnreadableMatrix extends HdashError {
  readonly rule: MatrixRule;
  constructor(rule: MatrixRule, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super("permanent", message, { ...options, publicly: message });
    this.name = "UnreadableMatrix";
    this.rule = rule;
  }
}

/** Makes a finding about a matrix; `subject` is the matrix's id. */
export function matrixFinding(
  rule: MatrixRule,
  severity: Finding["severity"],
  subject: string,
  message: string,
  fields: Readonly<Record<string, string>> = {},
): Finding {
  return { rule, severity, subject, row: null, message, fields };
}
