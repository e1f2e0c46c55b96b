// H_CATEGORIES, H_DEM, H_NON_DEM, H_BIOSPEC: whether the manifests are there that all others rest on, and of kinds that are known.

import type { Finding } from "../../../../finding.ts";
import { count } from "../../../../format.ts";
import type { Component } from "../components.ts";
import { ownIds } from "../lineage.ts";
import { didYouMean } from "../suggest.ts";
import { isReported } from "./assayIds.ts";
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
  return [...unknown].map(([component, manifests]) => {
    const near = subject.suggestions.component(component);
    return {
      rule: "H_CATEGORIES",
      severity: "error",
      subject: manifests[0]?.entry.entityId ?? subject.atlas.projectId,
      row: null,
      message: `Component ${component} (${count(manifests.length, "manifest")}) is not in the list of components that the dashboard knows, so nothing in it was checked${didYouMean(near) || "."}`,
      fields: { value: component },
    };
  });
}

/** Finds whether Demographics are lacking. */
export function checkDemographics(subject: CheckSubject): Finding[] {
  const { atlas, known, lacking, passedOver } = subject;
  const isThere =
    known.some(({ component }) => isDemographics(component)) ||
    unreadOf(lacking, isDemographics).length > 0;
  if (isThere || WITHOUT_DEMOGRAPHICS.has(atlas.atlasId)) return [];
  const note = notePassedOver(passedOver, isDemographics);
  return [atlasError("H_DEM", atlas, `${atlas.atlasId} has no Demographics manifest.${note}`)];
}

/** Says why participants cannot be compared: the list of them, or a part of it, could not be read. Null: it could. */
export function whyNoParticipants({ lacking }: CheckSubject): string | null {
  const [first] = unreadOf(lacking, isDemographics);
  if (first === undefined) return null;
  return `The Demographics manifest ${first.entry.entityId}, with which participants are compared, could not be read.`;
}

/** Unread manifests that are of a component that is looked for, or may be. */
function unreadOf(
  lacking: CheckSubject["lacking"],
  isLookedFor: (component: Component) => boolean,
): CheckSubject["lacking"] {
  return lacking.filter(
    ({ entry, component }) =>
      entry.component === null || (component !== null && isLookedFor(component)),
  );
}

/** Finds participants of clinical records whom Demographics does not list. */
export function checkParticipants(subject: CheckSubject): Finding[] {
  const { atlas, known, suggestions, passedOver } = subject;
  const note = notePassedOver(passedOver, isDemographics);
  const lists = known
    .filter(({ component }) => isDemographics(component))
    .flatMap((of) => ownIds(of) ?? []);
  const isReadable = known.some((of) => isDemographics(of.component) && ownIds(of) !== undefined);
  if (!isReadable) {
    const message = `The participants of ${atlas.atlasId} cannot be assessed, for want of a Demographics manifest to compare them with.${note}`;
    return [atlasError("H_NON_DEM", atlas, message)];
  }
  const participants = new Set(lists);
  participants.delete("");
  return known
    .filter(({ component }) => component.kind === "clinical" && !isDemographics(component))
    .flatMap((of) => {
      const column = of.component.primaryIdColumn ?? "";
      const isOtherwise = isReported(of, column);
      return (ownIds(of) ?? []).flatMap((value, record) => {
        // Several participants in one cell are H_ID_SPEC's affair.
        if (participants.has(value) || /[;,]/.test(value)) return [];
        if (value === "" && isOtherwise(record)) return [];
        const near = didYouMean(suggestions.participant(value)) || ".";
        const who =
          value === ""
            ? `A record of ${of.component.component} names no participant.`
            : `Participant ${value} of ${of.component.component} is in no Demographics manifest of this atlas${near}${note}`;
        return [recordError("H_NON_DEM", of, record, who, { column, value })];
      });
    });
}

/** Finds whether specimens are lacking. */
export function checkBiospecimens({ atlas, known, lacking, passedOver }: CheckSubject): Finding[] {
  const isOfSpecimens = ({ component }: Component): boolean => BIOSPECIMEN.includes(component);
  if (known.some(({ component }) => isOfSpecimens(component))) return [];
  if (unreadOf(lacking, isOfSpecimens).length > 0) return [];
  const message = `${atlas.atlasId} has neither a Biospecimen nor an SRRSBiospecimen manifest.`;
  const note = notePassedOver(passedOver, isOfSpecimens);
  return [atlasError("H_BIOSPEC", atlas, `${message}${note}`)];
}

function isDemographics({ component }: Component): boolean {
  return component === DEMOGRAPHICS;
}
