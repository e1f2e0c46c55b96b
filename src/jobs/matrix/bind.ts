// The matrix job bound to the world: a source, a place to publish, the analysis in a process of its own, the design.

import { statfs } from "node:fs/promises";
import { join } from "node:path";

import type { Effects } from "../../effects.ts";
import { HdashError } from "../../error.ts";
import { quoted } from "../../format.ts";
import { type BoundPipeline, type JobRequest, pagesUrl, type ReadMenu } from "../../job.ts";
import type { Publisher } from "../../publish/site.ts";
import { loadDesign, versionsOf } from "../../render/design.ts";
import type { Menu } from "../../render/page.ts";
import { meant } from "../../settings/nearest.ts";
import type { Bucket } from "../../store/bucket.ts";
import { missingTargets } from "./choice.ts";
import { forkAnalysis } from "./forkAnalysis.ts";
import { PAGES } from "./pages/pageFrame.ts";
import { makeMatrix } from "./plan.ts";
import { openPublishedFigures } from "./published.ts";
import type { MatrixSettings } from "./settings.ts";
import type { MatrixSource } from "./source.ts";

/** Another version of one of these may compute other numbers. */
const ANALYSING = [
  "h5wasm",
  "h5wasm-plugins",
  "scran.js",
  "graphology",
  "graphology-communities-louvain",
];
/** Of what is free on the disk, what is left to others. */
const LEFT_FREE = 0.1;

/** Tells where another job on a site with this menu shows an atlas, from its root; null where none does. */
export type AtlasPath = (atlasId: string, menu: Menu) => string | null;

/** Binds the pipeline. */
export async function bindMatrix(
  effects: Effects,
  matrix: MatrixSettings,
  request: JobRequest,
  atlasPath: AtlasPath,
  readMenu: ReadMenu,
): Promise<BoundPipeline> {
  const { config } = effects;
  await effects.fonts();
  const design = await loadDesign(effects.root, (await effects.artifacts()).dir);
  const source = await openSource(effects, matrix);
  await checkTargets(source, matrix.targets);
  const { bucket, publisher } = await openTarget(effects, matrix);
  // Before the work, not after it: what may not be listed cannot be published to either.
  for await (const _object of (await bucket()).list()) break;
  const published = await openPublishedFigures(effects, publisher.site, bucket);
  const isOnSite = matrix.targetBucket === null;
  const siteUrl = isOnSite ? pagesUrl(PAGES, config.siteUrl) : null;
  const pipeline = makeMatrix({
    source,
    analyse: forkAnalysis,
    analysedBy: await versionsOf(effects.root, ANALYSING),
    atlases: matrix.atlases,
    render: design.render,
    assets: design.assets,
    designDigest: design.digest,
    drawnBy: design.drawnBy,
    siteUrl: config.site.kind === "s3" && isOnSite ? config.siteUrl : null,
    readMenu: () => readMenu(publisher.site),
    atlasPath,
    published,
    mayRemove: request.force === true || matrix.isForced,
    warn: (message) => effects.log.warn(message),
  });
  const { source: from, useBlacklist, targets, isForced } = matrix;
  const params = { source: { ...from }, useBlacklist, targets };
  return { pipeline, params, publisher, siteUrl, isForced };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.|$)/i;

/**
 * Throws usage where a folder has no matrix of a name that was asked for: it was mistyped, and a run that leaves out what was meant is none.
 * A uuid may well be one of a source that does not have it yet: that is the run's to say.
 */
async function checkTargets(
  source: MatrixSource,
  targets: readonly string[] | null,
): Promise<void> {
  const names = (targets ?? []).filter((target) => !UUID.test(target));
  if (source.kind !== "local" || names.length === 0) return;
  const never = new AbortController().signal;
  const listing = await source.list(never, { isWanted: () => false });
  for (const name of names) {
    const choice = { blacklist: null, targets: [name], isByTitle: true };
    if (missingTargets(listing, choice).length === 0) continue;
    const { entries } = listing;
    const known = [...new Set(entries.map(({ title }) => title))];
    const hint = known.length === 0 ? "It has no matrix at all." : meant(name, known);
    throw new HdashError(
      "usage",
      `--targets (MATRIX_TARGET_UUIDS) has ${quoted(name)}, which ${source.where ?? source.label} does not have. ${hint}`,
    );
  }
}

async function openTarget(
  effects: Effects,
  { targetBucket, isPublicRead }: MatrixSettings,
): Promise<{ bucket: () => Promise<Bucket>; publisher: Publisher }> {
  if (targetBucket === null) {
    return { bucket: effects.bucket, publisher: await effects.publisher() };
  }
  const opened = await effects.openBucket(targetBucket, { isPublicRead });
  return {
    bucket: () => Promise.resolve(opened),
    publisher: await effects.publisherTo(opened, { isPublicRead }),
  };
}

/** Opens the source that is configured. */
export async function openSource(effects: Effects, matrix: MatrixSettings): Promise<MatrixSource> {
  const { log, config } = effects;
  const { source } = matrix;
  if (source.kind === "local") {
    const { openLocalMatrices } = await import("./sources/localMatrices.ts");
    const rememberIn = join(config.home, "local-matrices.json");
    return openLocalMatrices(source.dir, { rememberIn, log });
  }
  const { makeDiskBudget } = await import("../../sources/diskBudget.ts");
  const scratch = await effects.scratch();
  const freeBytes = async (): Promise<number> => {
    const { bavail, bsize } = await statfs(scratch);
    return bavail * bsize * (1 - LEFT_FREE);
  };
  const budget = makeDiskBudget({
    bytes: matrix.diskBytes ?? (await freeBytes()),
    freeBytes,
    noun: "matrix",
  });
  const { openCannedMatrices } = await import("./sources/cannedMatrices.ts");
  const openCanned = (bucket: string): MatrixSource => {
    const opened = openCannedMatrices({ ...config.s3, bucket, log, budget });
    effects.onClose(() => opened.close());
    return opened;
  };
  if (source.kind === "canned") return openCanned(source.bucket);
  const options = {
    http: await effects.http(),
    log,
    budget,
    // A service's blacklist lies in the bucket of its stage.
    blacklist: (signal: AbortSignal) => openCanned(matrix.sourceBucket).blacklist(signal),
    baseUrl: source.endpoint,
  };
  if (source.kind === "cellxgene") {
    const { makeCellxgeneSource } = await import("./sources/cellxgene.ts");
    return makeCellxgeneSource({ ...options, collectionId: source.collectionId });
  }
  const { azulDescriptions, makeAzulSource, makeOldAzulSource } = await import("./sources/azul.ts");
  // The matrix service knows no titles; the Azul of its time does.
  const { titlesEndpoint } = source;
  const describe = (signal: AbortSignal) =>
    azulDescriptions(
      { ...options, baseUrl: titlesEndpoint, catalog: null, generation: "older" },
      signal,
    );
  switch (source.service) {
    case "azul":
      return makeAzulSource({ ...options, catalog: source.catalog });
    case "azul-v0":
      return makeOldAzulSource(options);
    case "hca": {
      const { makeHcaMatrixSource } = await import("./sources/hcaMatrix.ts");
      return makeHcaMatrixSource({ ...options, pollMs: source.pollMs, describe });
    }
  }
}
