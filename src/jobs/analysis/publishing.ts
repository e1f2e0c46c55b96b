// Pages of a run on the site, where the user asks for them: below a folder of the pipeline's name, and with nothing that only its owner may
// read; and the page that lists all pipelines that have some there.

import { digestOf } from "../../digest.ts";
import type { Effects } from "../../effects.ts";
import { HdashError } from "../../error.ts";
import { pagesUrl, PIPELINES, PIPELINES_FOLDER, type ReadMenu } from "../../job.ts";
import { makePipelinesFiles } from "../../lineage/pipelinesPage.ts";
import { makeRunFiles } from "../../lineage/runFiles.ts";
import type { SiteFile } from "../../publish/site.ts";
import { loadDesign } from "../../render/design.ts";
import type { SiteFile as MadeFile } from "../../render/siteFiles.ts";
import { listShownRuns, readLedgerRun } from "../../store/lineage.ts";
import { listUnder } from "../../store/publications.ts";

/** Who publishes the list; no pipeline can be called so. */
const LIST_OWNER = "the list of pipelines";

/** Publishes the pages of a run that has ended, in place of those of the run before it; gives their address, null where nobody said. */
export async function publishRun(
  effects: Effects,
  name: string,
  runId: string,
  { readMenu, signal }: { readonly readMenu: ReadMenu; readonly signal: AbortSignal },
): Promise<string | null> {
  const { db } = await effects.database();
  const run = await readLedgerRun(db, runId);
  if (run === null) throw new HdashError("permanent", `run ${runId} is forgotten`);
  const publisher = await effects.publisher();
  const { site } = publisher;
  const design = await loadDesign(effects.root, (await effects.artifacts()).dir);
  const menu = await readMenu(site);
  const prefix = `${PIPELINES_FOLDER}${name}/`;
  const first = { label: name, path: `${prefix}index.html` };
  const blobs = await effects.blobs();
  const files = await makeRunFiles({
    ...{ db, run, isPublic: true, prefix, signal },
    ...{ blobs, design, menu },
  });
  const how = { keepScopes: [], signal, onProgress: () => {} };
  await publisher.publish(files.map(asPublished), { ...how, owner: name, index: first.path });

  const listed = async (): Promise<readonly string[]> =>
    (await listUnder(db, site, PIPELINES_FOLDER)).filter((owner) => owner !== LIST_OWNER);
  for (let names: readonly string[] = []; ;) {
    const now = await listed();
    // Another pipeline may have been published for the first time meanwhile, and its run have seen no more than this one.
    if (now.join("\n") === names.join("\n")) break;
    names = now;
    const runs = await listShownRuns(db, names);
    const index = makePipelinesFiles({ names, runs, menu, design });
    await publisher.publish(index.map(asPublished), { ...how, owner: LIST_OWNER });
  }
  return pagesUrl({ brand: PIPELINES.brand, places: [first] }, effects.config.siteUrl);
}

function asPublished({ path, contentType, bytes }: MadeFile): SiteFile {
  const isHashed = /\.[0-9a-f]{8}\.\w+$/.test(path);
  return {
    ...{ path, contentType, digest: digestOf(bytes), bytes: bytes.byteLength, scope: null },
    cacheControl: isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    read: () => Promise.resolve(bytes),
  };
}
