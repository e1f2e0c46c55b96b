// Reads the datasets of an .h5ad's X with h5wasm and throws them away: a floor for any program on that library.

import { Dataset, File, ready } from "h5wasm/node";

/** A multiple of the generator's chunks. */
const SLICE = 1 << 20;

await ready;
const file = new File(process.argv[2] ?? "", "r");
for (const name of ["X/indptr", "X/indices", "X/data"]) {
  const dataset = file.get(name);
  if (!(dataset instanceof Dataset)) throw new Error(`there is no ${name}`);
  const length = dataset.shape?.[0] ?? 0;
  for (let from = 0; from < length; from += SLICE) {
    dataset.slice([[from, Math.min(from + SLICE, length)]]);
  }
}
file.close();
