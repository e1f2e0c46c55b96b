// The work of checking datasets in the world: files are fetched and verified, DuckDB reads the columns that are asked for, counts come back.

import { join } from "node:path";

import type { StepContext } from "../../engine/step.ts";
import type { Bucket } from "../../store/bucket.ts";
import type { Duck } from "./build/duck.ts";
import {
  columnScansStatement,
  isColumnScan,
  parentStatement,
  recentStatement,
  uniqueStatement,
} from "./build/scanStatements.ts";
import type { KeptObject } from "./data/report.ts";
import type { Scan, Tally } from "./data/scan.ts";
import { type CohortEffects, withDuck } from "./doing.ts";
import { fetchObject } from "./sources/fetchObject.ts";

export type InspectParams = { readonly dataset: string; readonly scans: readonly Scan[] };

export interface InspectInputs {
  readonly files: readonly KeptObject[];
  /** Files of the dataset that its rows belong to; none where no scan asks for them. */
  readonly parents: readonly KeptObject[];
}

/** Counts what scans look for; in their order. */
export async function inspect(
  effects: CohortEffects,
  { files, parents }: InspectInputs,
  { dataset, scans }: InspectParams,
  ctx: StepContext,
): Promise<readonly Tally[]> {
  const what = `checking ${dataset}`;
  const own = await bring(effects.places.processed, files, "rows", ctx);
  const others = await bring(effects.places.processed, parents, "parents", ctx);
  return withDuck(effects, async (duck) => {
    const columns = scans.filter(isColumnScan);
    const found = new Map<Scan, Tally>();
    if (columns.length > 0) {
      const [, ...counts] = await numbers(duck, what, columnScansStatement(own, columns));
      columns.forEach((scan, at) => found.set(scan, tallyOf(counts.slice(2 * at, 2 * at + 2))));
    }
    for (const scan of scans) {
      if (scan.kind === "unique") {
        found.set(scan, tallyOf(await numbers(duck, what, uniqueStatement(own, scan.columns))));
      } else if (scan.kind === "has_parent") {
        const statement = parentStatement(own, others, scan.parent);
        found.set(scan, tallyOf(await numbers(duck, what, statement)));
      }
    }
    return scans.map((scan) => found.get(scan) ?? { missing: 0, unexpected: 0 });
  });
}

export type RecentParams = {
  readonly dataset: string;
  readonly column: string;
  /** Days, "YYYY-MM-DD", both included. */
  readonly from: string;
  readonly to: string;
};

/** Counts rows of some days. */
export async function countRecent(
  effects: CohortEffects,
  { files }: Pick<InspectInputs, "files">,
  params: RecentParams,
  ctx: StepContext,
): Promise<number> {
  const own = await bring(effects.places.processed, files, "rows", ctx);
  return withDuck(effects, async (duck) => {
    const statement = recentStatement(own, params);
    const [count = 0] = await numbers(duck, `checking ${params.dataset}`, statement);
    return count;
  });
}

/** Brings objects to this disk, each checked against its digest. */
async function bring(
  bucket: Bucket,
  objects: readonly KeptObject[],
  label: string,
  ctx: StepContext,
): Promise<readonly string[]> {
  const paths: string[] = [];
  const dir = await ctx.workDir();
  for (const [at, object] of objects.entries()) {
    const path = join(dir, `${label}-${at}.parquet`);
    await fetchObject(bucket, object, path, ctx.signal);
    paths.push(path);
  }
  return paths;
}

async function numbers(duck: Duck, what: string, statement: string): Promise<readonly number[]> {
  const [row = []] = await duck.rows(what, statement);
  return row.map(Number);
}

function tallyOf([missing = 0, unexpected = 0]: readonly number[]): Tally {
  return { missing, unexpected };
}
