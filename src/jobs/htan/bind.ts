// The HTAN dashboard bound to the world: registered atlases, Synapse, the design, and the galleries that its pages show.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { digestOf } from "../../digest.ts";
import type { Effects } from "../../effects.ts";
import { HdashError } from "../../error.ts";
import type { BoundPipeline, JobRequest, ReadMenu } from "../../job.ts";
import { loadDesign } from "../../render/design.ts";
import { sparkline } from "../../render/sparkline.ts";
import { readComponents } from "./data/components.ts";
import { readLabels } from "./data/labels.ts";
import { openSynapse } from "./openSynapse.ts";
import { makeHtan } from "./plan.ts";
import { registeredAtlases } from "./registry/atlasList.ts";
import type { HtanSettings } from "./settings.ts";
import type { Galleries } from "./steps.ts";

/** Opens what another job shows of atlases on a site. */
export type OpenGalleries = (effects: Effects, site: string) => Promise<Galleries>;

/** Binds the pipeline. Throws usage for an atlas that is not registered. */
export async function bindHtan(
  effects: Effects,
  settings: HtanSettings,
  { scopes: asked }: JobRequest,
  openGalleries: OpenGalleries,
  readMenu: ReadMenu,
): Promise<BoundPipeline> {
  const atlases = await registeredAtlases(effects);
  for (const id of asked ?? []) {
    if (atlases.some(({ atlasId }) => atlasId === id)) continue;
    throw new HdashError("usage", `${id} is not a registered atlas`, {
      hint: `Registered: ${atlases.map(({ atlasId }) => atlasId).join(", ")}. \`hdash-util init\` registers a list.`,
    });
  }
  await effects.fonts();
  const { dir: given } = await effects.artifacts();
  const design = await loadDesign(effects.root, given);
  const readConfig = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(given, "config", name), "utf8"));
  const componentsJson = await readConfig("htan_components.json");
  const publisher = await effects.publisher();
  const pipeline = makeHtan({
    synapse: await openSynapse(effects, settings),
    listAtlases: () => registeredAtlases(effects),
    components: readComponents(componentsJson),
    componentsDigest: digestOf(JSON.stringify(componentsJson)),
    labels: readLabels(await readConfig("htan_labels.json")),
    tools: { render: design.render, sparkline },
    assets: design.assets,
    designDigest: design.digest,
    drawnBy: design.drawnBy,
    siteUrl: effects.config.site.kind === "s3" ? effects.config.siteUrl : null,
    galleries: await openGalleries(effects, publisher.site),
    readMenu: () => readMenu(publisher.site),
  });
  const params = {
    atlases: asked === null ? null : [...new Set(asked)].sort(),
    viewId: settings.masterView,
  };
  return { pipeline, params, publisher, siteUrl: effects.config.siteUrl };
}
