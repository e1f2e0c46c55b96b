// H_CATEGORIES, H_DEM, H_NON_DEM, H_BIOSPEC: whether the manifests are there that all others rest on, and of kinds that are known.

import type { Finding } from "../../../../finding.ts";
import { count } from "../../../../format.ts";
import type { Component } from "../components.ts";
import { atlasError, type CheckSubject, recordError } from "./check.ts";
import { notePassedOver } from "./passedOver.ts";

const DEMOGRAPHICS = "Demographics";
const BIOSPECIMEN = ["Biospecimen", "SRRSBiospecimen"];
/** An atlas of shared specimens, whose participants are other atlases'. */
const WITHOUT_DEMOGRAPHICS: ReadonlySet<string> = new Set(["HTA15"]);

/** Finds components that are not in the table, each once. */
export function checkCategories(
  subject: CheckSubject,
  isKnown: (component: string) => boolean,
): Finding[] {
  const unknown = Map.groupBy(
    subject.manifests.filter(({ component }) => component !== null && !isKnown(component)),
    ({ component }) => component ?? "",
  );
  return [...unknown].map(([component, manifests]) => ({
    rule: "H_CATEGORIES",
    severity: "error",
    subject: manifests[0]?.entry.entityId ?? subject.atlas.projectId,
    row: null,
    message: `Component ${component} (${count(manifests.length, "manifest")}) is not in the list of components that the dashboard knows, so nothing in it was checked.`,
    fields: { value: component },
  }));
}

/** Finds whether Demographics are lacking. */
export function checkDemographics({ atlas, known, passedOver }: CheckSubject): Finding[] {
  const isThere = known.some(({ component }) => isDemographics(component));
  if (isThere || WITHOUT_DEMOGRAPHICS.has(atlas.atlasId)) return [];
  const note = notePassedOver(passedOver, isDemographics);
  return [atlasError("H_DEM", atlas, `${atlas.atlasId} has no Demographics manifest.${note}`)];
}

/** Finds participants of clinical records whom Demographics does not list. */
export function checkParticipants({ atlas, known, passedOver }: CheckSubject): Finding[] {
  const note = notePassedOver(passedOver, isDemographics);
  const lists = known
    .filter(({ component }) => isDemographics(component))
    .flatMap(({ manifest, component }) => manifest.cells.get(component.primaryIdColumn) ?? []);
  const isReadable = known.some(
    ({ manifest, component }) =>
      isDemographics(component) && manifest.cells.has(component.primaryIdColumn),
  );
  if (!isReadable) {
    const message = `The participants of ${atlas.atlasId} cannot be assessed, for want of a Demographics manifest to compare them with.${note}`;
    return [atlasError("H_NON_DEM", atlas, message)];
  }
  const participants = new Set(lists);
  participants.delete("");
  return known
    .filter(({ component }) => component.kind === "clinical" && !isDemographics(component))
    .flatMap((of) => {
      const ids = of.manifest.cells.get(of.component.primaryIdColumn) ?? [];
      return ids.flatMap((value, record) => {
        if (participants.has(value)) return [];
        const who =
          value === ""
            ? `A record of ${of.component.component} names no participant`
            : `Participant ${value} of ${of.component.component} is in no Demographics manifest of this atlas`;
        const hint = value === "" ? "" : note;
        return [recordError("H_NON_DEM", of, record, `${who}.${hint}`, { value })];
      });
    });
}

/** Finds whether specimens are lacking. */
export function checkBiospecimens({ atlas, known, passedOver }: CheckSubject): Finding[] {
  const isOfSpecimens = ({ component }: Component): boolean => BIOSPECIMEN.includes(component);
  if (known.some(({ component }) => isOfSpecimens(component))) return [];
  const message = `${atlas.atlasId} has neither a Biospecimen nor an SRRSBiospecimen manifest.`;
  const note = notePassedOver(passedOver, isOfSpecimens);
  return [atlasError("H_BIOSPEC", atlas, `${message}${note}`)];
}

function isDemographics({ component }: Component): boolean {
  return component === DEMOGRAPHICS;
}
