// A matrix's gene table: symbols made unique, mitochondrial genes marked.

import type { GeneTable } from "../matrix.ts";
import { isMitochondrial } from "./mitochondria.ts";

/** Makes a gene table; `symbols` are as given, `ids` are parallel (the symbols themselves where there are none). */
export function makeGeneTable(ids: readonly string[], symbols: readonly string[]): GeneTable {
  const isMito = new Uint8Array(symbols.length);
  symbols.forEach((symbol, gene) => {
    if (isMitochondrial(symbol)) isMito[gene] = 1;
  });
  return { ids, symbols: uniqueNames(symbols), isMito };
}

/** Makes names unique as AnnData's var_names_make_unique does: the first keeps its name, others get the first free of -1, -2, … */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set(names);
  if (taken.size === names.length) return names;
  const last = new Map<string, number>();
  return names.map((name) => {
    const before = last.get(name);
    if (before === undefined) {
      last.set(name, 0);
      return name;
    }
    let number = before + 1;
    while (taken.has(`${name}-${number}`)) number++;
    last.set(name, number);
    const unique = `${name}-${number}`;
    taken.add(unique);
    return unique;
  });
}
