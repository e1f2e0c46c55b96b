// Pages of a run on the site, where the user asks for them: below a folder of the pipeline's name, and with nothing that only its owner may read.

import { digestOf } from "../../digest.ts";
import type { Effects } from "../../effects.ts";
import { HdashError } from "../../error.ts";
import { type JobPages, pagesUrl } from "../../job.ts";
import { makeRunFiles } from "../../lineage/runFiles.ts";
import type { SiteFile } from "../../publish/site.ts";
import { loadDesign } from "../../render/design.ts";
import { readLedgerRun } from "../../store/lineage.ts";
import type { DeclaredPipeline } from "./writing/pipeline.ts";

/** Publishes the pages of a run that has ended, in place of those of the run before it; gives their address, null where nobody said. */
export async function publishRun(
  effects: Effects,
  { name, title }: Pick<DeclaredPipeline, "name" | "title">,
  runId: string,
  signal: AbortSignal,
): Promise<string | null> {
  const { db } = await effects.database();
  const run = await readLedgerRun(db, runId);
  if (run === null) throw new HdashError("permanent", `run ${runId} is forgotten`);
  const prefix = `pipelines/${name}/`;
  const first = { label: title ?? name, path: `${prefix}index.html` };
  const pages: JobPages = { brand: first.label, places: [first] };
  const files = await makeRunFiles({
    ...{ db, run, isPublic: true, prefix, signal },
    blobs: await effects.blobs(),
    design: await loadDesign(effects.root, (await effects.artifacts()).dir),
    menu: { brand: first, places: [] },
  });
  const publisher = await effects.publisher();
  await publisher.publish(
    files.map(({ path, contentType, bytes }): SiteFile => {
      const isHashed = /\.[0-9a-f]{8}\.\w+$/.test(path);
      return {
        ...{ path, contentType, digest: digestOf(bytes), bytes: bytes.byteLength, scope: null },
        cacheControl: isHashed ? "public, max-age=31536000, immutable" : "no-cache",
        read: () => Promise.resolve(bytes),
      };
    }),
    { owner: name, keepScopes: [], index: first.path, signal, onProgress: () => {} },
  );
  return pagesUrl(pages, effects.config.siteUrl);
}
