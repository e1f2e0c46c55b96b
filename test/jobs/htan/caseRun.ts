// Worlds of files as the pipeline runs them: a look-alike Synapse that may have faults, an embedded ledger, and a site in memory.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { digestOf } from "../../../src/digest.ts";
import type { RunOutcome } from "../../../src/engine/ending.ts";
import { readComponents } from "../../../src/jobs/htan/data/components.ts";
import { makeHtan } from "../../../src/jobs/htan/plan.ts";
import { readAtlases } from "../../../src/jobs/htan/registry/readAtlases.ts";
import { SILENT } from "../../../src/log.ts";
import type { SynapseFaults } from "../../../src/lookalikes/synapse/synapseFaults.ts";
import { startSynapse } from "../../../src/lookalikes/synapse/synapseServer.ts";
import { loadDesign } from "../../../src/render/design.ts";
import { sparkline } from "../../../src/render/sparkline.ts";
import { makeHttp } from "../../../src/sources/http.ts";
import { makeSynapse } from "../../../src/sources/synapse.ts";
import { makeMemorySite, type MemorySite, play, type World } from "../../engine/world.ts";
import { DASHBOARD_MENU } from "../../support/siteSample.ts";
import { labels } from "./fixtureWorld.ts";

const ROOT = join(import.meta.dirname, "../../..");
/** Worlds with one trouble each. */
export const CASES = join(ROOT, "test/fixtures/cases/htan");

/** What a run of a world left. */
export interface CaseRun {
  readonly outcome: RunOutcome;
  readonly site: MemorySite;
  /** A published file's JSON. */
  json<T>(path: string): T;
  /** How often Synapse was asked for a manifest's content. */
  readonly downloads: number;
}

/** Runs the dashboard once for the world in a folder. */
export async function runCase(
  world: World,
  dir: string,
  {
    faults = {},
    atlases = null,
    site = makeMemorySite(),
  }: {
    readonly faults?: SynapseFaults;
    readonly atlases?: readonly string[] | null;
    readonly site?: MemorySite;
  } = {},
): Promise<CaseRun> {
  const synapse = await startSynapse({ world: dir, tokens: { secret: "ada" }, faults });
  const http = makeHttp();
  try {
    const { render, assets, digest: designDigest, drawnBy } = await loadDesign(ROOT);
    const table: unknown = JSON.parse(
      await readFile(join(ROOT, "config/htan_components.json"), "utf8"),
    );
    const listed = readAtlases(await readFile(join(dir, "atlases.csv"), "utf8"));
    const pipeline = makeHtan({
      synapse: makeSynapse({
        ...{ endpoint: synapse.url, token: "secret", userName: "ada", http, log: SILENT },
        policy: { attempts: 2, minDelayMs: 1, maxDelayMs: 2 },
        pollMs: { first: 1, max: 10 },
      }),
      listAtlases: async () => listed,
      components: readComponents(table),
      componentsDigest: digestOf(JSON.stringify(table)),
      labels,
      tools: { render, sparkline },
      ...{ assets, designDigest, drawnBy, siteUrl: null },
      galleries: { read: async () => ({}) },
      readMenu: async () => DASHBOARD_MENU,
    });
    const params = { atlases, viewId: "syn20446927" };
    const { outcome } = await play(world, (plan) => pipeline.plan(plan, params), {
      ...{ name: "htan", publisher: site, params },
    });
    return {
      outcome,
      site,
      json: (path) => JSON.parse(site.files.get(path)?.text ?? "null") as never,
      downloads: synapse.requests.fileDownload,
    };
  } finally {
    await http.close();
    await synapse.close();
  }
}
