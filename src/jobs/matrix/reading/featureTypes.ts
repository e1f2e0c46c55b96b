// What kinds of features a gene table names, and which of them are genes: alike for every format.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";

/** A table of antibodies, guides or peaks alone. */
export class NoGenes extends UnreadableMatrix {}

const GENES = new Set(["geneexpression", "gex"]);
/** What 10x and muon call features that are no genes. */
const NO_GENES = new Set(
  (
    "antibodycapture antibody antibodies antigencapture crisprguidecapture crispr guide guides custom featurecapture " +
    "multiplexingcapture cellhashing hashtag hashtags hashtagoligo hto adt protein proteins peaks peak atac chromatinaccessibility " +
    "vdj vdjt vdjb"
  ).split(" "),
);

function tidy(type: string): string {
  return type.toLowerCase().replace(/[^a-z0-9]+/g, "");
}

/**
 * Tells which of the types of a table's features are no genes. Where some are called gene expression, all others; else only those that
 * are known to be none, for the column may say something else: a biotype, a chromosome. Throws where no gene is left.
 */
export function typesOfOthers(
  name: string,
  types: readonly string[],
  features: number,
): ReadonlySet<string> {
  const named = types.filter((type) => type !== "");
  const hasGenes = named.some((type) => GENES.has(tidy(type)));
  const others = named.filter((type) =>
    hasGenes ? !GENES.has(tidy(type)) : NO_GENES.has(tidy(type)),
  );
  if (!hasGenes && others.length > 0 && others.length === types.length) {
    throw new NoGenes(
      "M_TABLE",
      features === 1
        ? `${name}: its one feature is not of the type Gene Expression`
        : `${name}: none of its ${number(features)} features is of the type Gene Expression`,
    );
  }
  return new Set(others);
}
