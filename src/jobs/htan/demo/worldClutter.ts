// What lies about in real projects besides data: notes, hidden files, archives, manifests of old, and folders nobody understands.

import { makeDice } from "../../../lookalikes/dice.ts";
import { plant, type Planted } from "./worldFaults.ts";
import { addManifestFile, type Content } from "./worldManifest.ts";
import { type AtlasPlan, momentOf } from "./worldPlan.ts";
import type { ProjectView } from "./worldView.ts";

/** Adds an atlas's clutter to its view and returns the contents of the manifests among it. */
export function addClutter(
  plan: AtlasPlan,
  view: ProjectView,
  seed: number,
  day: number,
  planted: Planted,
): Content[] {
  const contents: Content[] = [];
  const dice = makeDice(seed, plan.atlasId, "clutter");

  function file(parent: number, name: string, sizeBytes: number | null, component = ""): void {
    const id = view.id();
    const md5 = dice
      .below(2 ** 32)
      .toString(16)
      .padStart(32, "0");
    view.file({ id, parent, name, component, sizeBytes, md5, modifiedOn: momentOf(1, id) });
  }
  /** Takes an id in any case: what comes after it must not move when this comes or goes. */
  function manifest(
    folder: number,
    name: string,
    component: string,
    text: string,
    age: { readonly days: number; readonly isThere?: boolean },
  ): void {
    const id = view.id();
    if (age.isThere === false) return;
    const modifiedOn = momentOf(1 - age.days, id);
    addManifestFile(view, { id, folder, name, component, text, modifiedOn });
    contents.push({ id: `syn${id}`, text });
  }

  file(view.project, "README.md", 2_400);
  file(view.project, ".DS_Store", 6_148);
  file(view.project, "data_sharing_plan.pdf", 310_000);
  const documents = view.folder(
    view.project,
    plan.awkward === true ? '"Q&A" <drafts>' : "documents",
  );
  for (const name of ["protocol_v1.pdf", "protocol_v2.pdf", "panel.xlsx", ".Rhistory", "LICENSE"]) {
    file(documents, name, 1_000 + dice.below(900_000), name === "panel.xlsx" ? "OtherAssay" : "");
  }
  file(documents, "ranks.rnk", null);

  // Superseded: the manifest beside it is newer.
  const people = view.folder(view.project, "participants");
  const header = "Component,HTAN Participant ID,Comorbidity,BMI\n";
  const participant = `${plan.atlasId}_1001`;
  if (plan.srrs !== true) {
    const old = `${header}FollowUp,${participant},Asthma,\n`;
    manifest(people, "synapse_storage_manifest_followup_old.csv", "FollowUp", old, { days: 300 });
    const text = `${header}FollowUp,${participant},"Diabetes, type II",27\n`;
    manifest(people, "synapse_storage_manifest_followup.csv", "FollowUp", text, { days: 20 });
  }
  // Of the kind that came before manifests had a component in their name: left out.
  manifest(people, "synapse_storage_manifest.csv", "", "Component\nFollowUp\n", { days: 700 });

  const archive = view.folder(view.project, "archive");
  const year = view.folder(archive, "2024");
  const retired = view.folder(view.project, "archived_protocols");
  for (let i = 1; i <= 6; i += 1) file(year, `run_${i} (old).fastq.gz`, 4_000_000 * i);
  file(retired, "protocol_v0.pdf", 90_000);
  const unknown = "Component,Filename,HTAN Data File ID\nSpatialGlycomicsLevel1,g.raw,none\n";
  manifest(year, "synapse_storage_manifest_glycomics.csv", "SpatialGlycomicsLevel1", unknown, {
    days: 500,
  });

  // A component that nobody knows, until somebody removes it.
  const pilot = view.folder(view.project, "glycomics_pilot", plan.unknownComponent !== undefined);
  const [from, until] = plan.unknownComponent ?? [0, 0];
  const isThere = from <= day && day < until;
  const pilotName = "synapse_storage_manifest_spatialglycomicslevel1.csv";
  manifest(pilot, pilotName, "SpatialGlycomicsLevel1", unknown, { days: 0, isThere });
  if (isThere) planted["H_CATEGORIES"] = (planted["H_CATEGORIES"] ?? 0) + 1;
  if (plan.awkward === true) {
    file(documents, 'notes <b>"final"</b>, v2.txt', 512);
    plant(planted, "badFileName");
  }
  return contents;
}
