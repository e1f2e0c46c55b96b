// A namespace of the fixture, read and built without a ledger.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import {
  type Catalog,
  EMPTY_CATALOG,
  sortListing,
  withEntries,
} from "../../../../src/jobs/cohort/data/catalog.ts";
import { byText } from "../../../../src/jobs/cohort/data/text.ts";
import { typeInputs } from "../../../../src/jobs/cohort/data/typeInput.ts";
import { build, type BuiltType, fileRanges, ingest, type Rig } from "./cohortRig.ts";

/** A namespace that has been read and built. */
export interface Worked {
  readonly home: string;
  readonly out: string;
  readonly outcomes: Readonly<Record<string, string>>;
  readonly catalog: Catalog;
  readonly built: ReadonlyMap<string, BuiltType>;
}

/** Lists a folder as a bucket's namespace. */
async function list(folder: string) {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(folder.length + 1))
    .map((key) => ({ key, bytes: 1, etag: key }));
}

/** Reads every export of a namespace's folder, in the order of their names, and builds every type. */
export async function workThrough(rig: Rig, folder: string): Promise<Worked> {
  const [home, out] = [await rig.folder(), await rig.folder()];
  const { exports, others } = sortListing(await list(folder), rig.schema.cohorts);
  const outcomes: Record<string, string> = {};
  for (const { key, outcome } of others) outcomes[key] = outcome;
  let catalog = EMPTY_CATALOG;
  // By name, so that the later one's copies come last.
  for (const { key } of exports.toSorted((a, b) => byText(a.export, b.export))) {
    const entry = await ingest(rig, home, key, fileRanges(join(folder, key)));
    outcomes[key] = entry.report.outcome;
    if (entry.report.outcome === "read") catalog = withEntries(catalog, [entry]);
  }
  const inputs = typeInputs(catalog, rig.shapes);
  const built = new Map<string, BuiltType>();
  for (const type of rig.shapes.keys()) {
    built.set(type, await build(rig, home, inputs, type, out));
  }
  return { home, out, outcomes, catalog, built };
}
