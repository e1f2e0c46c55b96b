// H_LINKS: links between records that lead nowhere, or back to the record itself.

import type { Finding } from "../../../../finding.ts";
import { count } from "../../../../format.ts";
import { isSpecimenLike } from "../ids.ts";
import type { BadLink } from "../lineage.ts";
import type { LackingManifest } from "../unread.ts";
import { type CheckSubject, recordError } from "./check.ts";

/** Finds parents and adjacent specimens that no manifest has, and records that are their own parent. */
export function checkLinks(subject: CheckSubject): Finding[] {
  return missedLinks(subject).map((link) => {
    const fields =
      link.link === "self"
        ? { value: link.value, link: link.link }
        : { record: link.id, value: link.value, link: link.link };
    return recordError("H_LINKS", link.of, link.record, describe(link), fields);
  });
}

/** Counts the links that may lead into a manifest that could not be read, and says so; null where there are none. */
export function whyLinksPassedOver(subject: CheckSubject): string | null {
  const passedOver = subject.lineage.badLinks.length - missedLinks(subject).length;
  if (passedOver === 0) return null;
  const manifests = subject.lacking.map(({ entry }) => entry.entityId).join(", ");
  return `${count(passedOver, "link")} may lead to records of a manifest that could not be read (${manifests}) and ${passedOver === 1 ? "was" : "were"} passed over.`;
}

function missedLinks({ lineage, lacking }: CheckSubject): readonly BadLink[] {
  if (lacking.length === 0) return lineage.badLinks;
  return lineage.badLinks.filter(
    (link) => link.link === "self" || !lacking.some((manifest) => mayHold(manifest, link)),
  );
}

/** Tells whether a manifest may hold the record that a link names. */
function mayHold({ entry, component }: LackingManifest, { of, value, link }: BadLink): boolean {
  if (component === null) return entry.component === null;
  if (link === "adjacent") return component.kind === "biospecimen";
  const column = of.component.parentIdColumn ?? "";
  if (column.includes("Data File")) return component.kind === "assay";
  const isSpecimen = column.includes("Biospecimen") || isSpecimenLike(value);
  return component.kind === (isSpecimen ? "biospecimen" : "clinical");
}

function describe({ id, value, link, of }: BadLink): string {
  if (link === "self") return `${id} of ${of.component.component} is named as its own parent.`;
  if (link === "adjacent") {
    return `Adjacent specimen ${value} of ${id} is in no manifest of this atlas.`;
  }
  const where = whereExpected(of.component.parentIdColumn ?? "", value);
  return `Parent ${value} of ${id} is in no ${where} of this atlas.`;
}

/** Tells in which manifests a parent would have to be. */
function whereExpected(column: string, value: string): string {
  if (column.includes("Biospecimen")) return "Biospecimen manifest";
  if (column.includes("Data File")) return "assay manifest";
  return /^HTA\d+_\w+_\w+$/.test(value) ? "Biospecimen manifest" : "Demographics manifest";
}
