// Namespaces in folders, as runs leave them: what was read and built is put there, and readers are switched to it.

import { chmod, cp } from "node:fs/promises";
import { join } from "node:path";

import { datasetsOf } from "../../../../src/jobs/cohort/build/buildType.ts";
import { columnTypes } from "../../../../src/jobs/cohort/building.ts";
import type { Catalog } from "../../../../src/jobs/cohort/data/catalog.ts";
import {
  type Current,
  type Dataset,
  nextCurrent,
} from "../../../../src/jobs/cohort/data/current.ts";
import type { RecordShape } from "../../../../src/jobs/cohort/data/recordShape.ts";
import { saveCatalog, switchTo } from "../../../../src/jobs/cohort/state.ts";
import { openFolderBucket } from "../../../../src/store/folderBucket.ts";
import type { BuiltType } from "./cohortRig.ts";

export interface Published {
  readonly catalog: Catalog;
  readonly built: ReadonlyMap<string, BuiltType>;
  /** Where `build` has put datasets. */
  readonly home: string;
  /** Every type that datasets are of. */
  readonly shapes: readonly RecordShape[];
}

/** Publishes a build into the folder of a namespace, on top of the build that is there. */
export async function publish(
  dir: string,
  build: string,
  { catalog, built, home, shapes }: Published,
  before: Current | null = null,
  how: { readonly stale?: readonly string[]; readonly keepBuilds?: number } = {},
): Promise<Current> {
  await cp(join(home, "processed"), dir, { recursive: true });
  await chmod(dir, 0o700);
  const types = [...built].map(([type, { datasets, segments, counts }]) => {
    const own = datasets.map(({ name, rows, columns }): Dataset => {
      const files = segments.segments.flatMap((segment) => segment.files[name] ?? []);
      return { name, rows, columns: columnTypes(columns), files };
    });
    const names = own.map(({ name }) => name);
    const state = { inputs: "0".repeat(64) as never, datasets: names, counts, build };
    return [type, { state, datasets: own }] as const;
  });
  const empty = shapes.flatMap((shape) =>
    datasetsOf(shape, { extras: shape.tables.map(() => new Set()), dropped: new Set() }).map(
      ({ name, columns }) => ({ name, columns: columnTypes(columns), rows: 0, files: [] }),
    ),
  );
  const current = nextCurrent(before, new Map(types), {
    ...{
      empty,
      failed: [],
      blocked: [],
      stale: how.stale ?? [],
      types: new Set(built.keys()),
      schema: 1,
    },
    ...{ build, dropped: [], keepBuilds: how.keepBuilds ?? 2 },
  });
  const processed = openFolderBucket(dir, { isPrivate: true });
  await saveCatalog(processed, catalog);
  await switchTo(processed, { current, segments: {}, run: "1" });
  return current;
}
