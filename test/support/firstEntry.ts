// The first of the matrices that a source lists, for tests that need any one of them.

import type { MatrixEntry, MatrixSource } from "../../src/jobs/matrix/source.ts";

/** Lists what a source has and gives the first; throws where there is none. */
export async function firstEntry(source: MatrixSource): Promise<MatrixEntry> {
  const [entry] = (await source.list(new AbortController().signal)).entries;
  if (entry === undefined) throw new Error("there is no entry");
  return entry;
}
