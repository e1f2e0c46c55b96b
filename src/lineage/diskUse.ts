// What takes how much of the store: by pipeline, step and run, what of it is needed and what not, and what sharing saves.

import type { Digest } from "../digest.ts";
import type { KeptBlob } from "../store/blobs.ts";
import { listAgedRuns, listRunDigests, listWholes } from "../store/keeping.ts";
import type { Database, Db } from "../store/schema.ts";
import { listOwned, readTableSizes } from "../store/sizes.ts";
import type { Looking } from "./find.ts";
import { findRoots, type Keep } from "./roots.ts";
import { addContents, type Amount, amountOf, findUnused, readCutoff, type Store } from "./sweep.ts";

/** What something takes. A blob that several share counts once in each, and once in what is above them. */
export interface Share extends Amount {
  /** Of these what `hdash gc` would remove now. */
  readonly reclaimable: Amount;
}

/** What a step takes, or a pipeline. */
export interface StepShare extends Share {
  readonly pipeline: string;
  /** Null for all of the pipeline. */
  readonly step: string | null;
  readonly results: number;
  /** What it would take if nothing were shared: each output of each result counted for itself. */
  readonly logicalBytes: number;
  readonly logs: Amount;
}

/** What takes how much. */
export interface DiskUse {
  readonly total: Share;
  readonly logicalBytes: number;
  readonly places: Readonly<Partial<Record<KeptBlob["place"], Amount>>>;
  readonly logs: Amount;
  /** Pipelines, each followed by its steps; largest first. */
  readonly steps: readonly StepShare[];
  readonly runs: readonly ({ readonly run: string; readonly pipeline: string } & Share)[];
  /** In no result and no log that the ledger knows. */
  readonly unowned: Share;
  readonly tables: readonly { readonly table: string; readonly bytes: number }[];
}

interface Group {
  readonly pipeline: string;
  readonly step: string | null;
  readonly owners: Set<string>;
  readonly digests: Set<Digest>;
  readonly logs: Set<Digest>;
  logicalBytes: number;
}

/** Measures what takes how much. Runs are measured one by one, where that is asked for: a run has what it found or made. */
export async function measureUse(
  database: Database,
  store: Store,
  asked: {
    readonly keeps: readonly Keep[];
    readonly graceMs: number;
    readonly runs: boolean;
    readonly looking: Looking;
  },
): Promise<DiskUse> {
  const { db, blobs } = store;
  const { now, before } = await readCutoff(database, asked.graceMs);
  const roots = await findRoots(db, asked.keeps, { now, ...asked });
  const unused = new Set((await findUnused(store, roots, before)).levels.flat().map(digestIn));
  const there = new Map<Digest, KeptBlob>();
  for await (const blob of blobs.list()) there.set(blob.digest, blob);
  const groups = await group(db, there);
  const shareOf = (digests: Iterable<Digest>): Share => {
    const own = [...digests].flatMap((digest) => there.get(digest) ?? []);
    return {
      ...amountOf(own),
      reclaimable: amountOf(own.filter(({ digest }) => unused.has(digest))),
    };
  };
  const steps = [...groups.values()].map((one) => ({
    ...{ pipeline: one.pipeline, step: one.step, results: one.owners.size },
    ...shareOf([...one.digests, ...[...one.logs].filter((digest) => !one.digests.has(digest))]),
    logicalBytes: one.logicalBytes,
    logs: amountOf([...one.logs].flatMap((digest) => there.get(digest) ?? [])),
  }));
  const owned = new Set<Digest>();
  const logs = new Set<Digest>();
  for (const one of groups.values()) {
    for (const digest of one.digests) owned.add(digest);
    for (const digest of one.logs) logs.add(digest);
  }
  const unowned = [...there.keys()].filter((digest) => !owned.has(digest) && !logs.has(digest));
  return {
    total: shareOf(there.keys()),
    logicalBytes: steps
      .filter(({ step }) => step === null)
      .reduce((sum, { logicalBytes }) => sum + logicalBytes, 0),
    places: placesOf([...there.values()]),
    logs: amountOf([...logs].flatMap((digest) => there.get(digest) ?? [])),
    steps: inOrder(steps),
    runs: asked.runs ? await measureRuns(db, shareOf) : [],
    unowned: shareOf(unowned),
    tables: await readTableSizes(db),
  };
}

function digestIn({ digest }: KeptBlob): Digest {
  return digest;
}

async function group(
  db: Db,
  there: ReadonlyMap<Digest, KeptBlob>,
): Promise<ReadonlyMap<string, Group>> {
  const groups = new Map<string, Group>();
  const partsOf = await readParts(db);
  const add = (pipeline: string, step: string | null): Group => {
    const name = JSON.stringify([pipeline, step]);
    let found = groups.get(name);
    if (found === undefined) {
      const sets = {
        owners: new Set<string>(),
        digests: new Set<Digest>(),
        logs: new Set<Digest>(),
      };
      found = { pipeline, step, ...sets, logicalBytes: 0 };
      groups.set(name, found);
    }
    return found;
  };
  for await (const { pipeline, step, kind, owner, digest } of listOwned(db)) {
    const digests = kind === "log" ? [digest] : await partsOf(digest);
    const logical = digests.reduce((sum, one) => sum + (there.get(one)?.bytes ?? 0), 0);
    for (const one of [add(pipeline, null), add(pipeline, step)]) {
      if (kind === "output") one.owners.add(owner);
      one.logicalBytes += logical;
      for (const own of digests) one[kind === "log" ? "logs" : "digests"].add(own);
    }
  }
  return groups;
}

/** Gives what an output consists of: itself, and what lies in it where it is a list. */
async function readParts(db: Db): Promise<(digest: Digest) => Promise<readonly Digest[]>> {
  const wholes = new Set(await listWholes(db));
  return async function all(digest): Promise<readonly Digest[]> {
    if (!wholes.has(digest)) return [digest];
    const found = new Set([digest]);
    await addContents(db, found, wholes);
    return [...found];
  };
}

async function measureRuns(
  db: Db,
  shareOf: (digests: Iterable<Digest>) => Share,
): Promise<DiskUse["runs"]> {
  const runs = await listAgedRuns(db);
  const partsOf = await readParts(db);
  const measured: DiskUse["runs"][number][] = [];
  for (const { id, pipeline } of runs) {
    const digests = new Set<Digest>();
    for await (const digest of listRunDigests(db, [id])) {
      for (const one of await partsOf(digest)) digests.add(one);
    }
    measured.push({ run: id, pipeline, ...shareOf(digests) });
  }
  return measured;
}

function placesOf(blobs: readonly KeptBlob[]): DiskUse["places"] {
  const places = [...new Set(blobs.map(({ place }) => place))].sort();
  return Object.fromEntries(
    places.map((place) => [place, amountOf(blobs.filter((blob) => blob.place === place))]),
  );
}

/** Each pipeline before its steps, the largest first. */
function inOrder(steps: readonly StepShare[]): readonly StepShare[] {
  const bySize = (a: StepShare, b: StepShare) =>
    b.storedBytes - a.storedBytes ||
    (`${a.pipeline} ${a.step}` < `${b.pipeline} ${b.step}` ? -1 : 1);
  return steps
    .filter(({ step }) => step === null)
    .sort(bySize)
    .flatMap((whole) => [
      whole,
      ...steps
        .filter(({ pipeline, step }) => step !== null && pipeline === whole.pipeline)
        .sort(bySize),
    ]);
}
