// One synthetic atlas on one day: its participants, specimens and assays as manifests, and its files and folders as view rows.

import { addClutter } from "./worldClutter.ts";
import type { Planted } from "./worldFaults.ts";
import { type Content, type ManifestDraft, startManifest } from "./worldManifest.ts";
import { ORGANS } from "./worldParts.ts";
import { addClinical, addSpecimens } from "./worldPeople.ts";
import { type AtlasPlan, isBare } from "./worldPlan.ts";
import { addSeries } from "./worldSeries.ts";
import { personOf, type Workshop } from "./worldShop.ts";
import { startView } from "./worldView.ts";

/** What an atlas holds on a day. */
export interface AtlasContent {
  readonly projectId: string;
  readonly viewLines: readonly string[];
  readonly contents: readonly Content[];
  /** Rule → findings that a right reading makes. */
  readonly planted: Planted;
}

/** Makes an atlas as it stands on a day. `firstId` is the number of its project; its entities have the numbers that follow. */
export function makeAtlas(
  plan: AtlasPlan,
  firstId: number,
  seed: number,
  day: number,
): AtlasContent {
  const view = startView(firstId);
  const drafts: ManifestDraft[] = [];
  const planted: Planted = {};
  const shop: Workshop = {
    plan,
    organ: ORGANS[plan.organ],
    seed,
    day,
    view,
    planted,
    manifest(component, folder, lead, attributes) {
      const hasEntityColumn = !isBare(plan, component, day);
      const id = view.id();
      const draft = startManifest({
        ...{ plan, seed, day, component, folder, attributes, hasEntityColumn, id },
        lead: ["Component", ...lead],
      });
      drafts.push(draft);
      return draft;
    },
  };
  const people = Array.from({ length: plan.participants }, (_, number) => personOf(shop, number));
  addClinical(shop, people);
  addSpecimens(shop, people);
  addSeries(shop, people);

  const contents: Content[] = [];
  const components = new Set<string>();
  for (const draft of drafts) {
    const content = draft.finish(view);
    if (content === null) continue;
    contents.push(content);
    components.add(draft.component);
    if (isBare(plan, draft.component, day)) bump(planted, "H_ENTITY_ID");
  }
  contents.push(...addClutter(plan, view, seed, day, planted));
  plantGaps(plan, components, planted);
  return { projectId: `syn${firstId}`, viewLines: view.lines, contents, planted };
}

function bump(planted: Planted, rule: string): void {
  planted[rule] = (planted[rule] ?? 0) + 1;
}

/** Counts the findings about manifests that are not there at all. */
function plantGaps(plan: AtlasPlan, components: ReadonlySet<string>, planted: Planted): void {
  if (!components.has("Demographics")) {
    delete planted["H_NON_DEM"];
    bump(planted, plan.atlasId === "HTA15" ? "H_NON_DEM" : "H_DEM");
  }
  if (!components.has("Biospecimen") && !components.has("SRRSBiospecimen")) {
    bump(planted, "H_BIOSPEC");
  }
}
