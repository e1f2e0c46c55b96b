// H_LINKS: links between records that lead nowhere, or back to the record itself.

import type { Finding } from "../../../../finding.ts";
import type { BadLink } from "../lineage.ts";
import { type CheckSubject, recordError } from "./check.ts";
import { notePassedOver } from "./passedOver.ts";

type Where = "Biospecimen" | "assay" | "Demographics";

/** Finds parents and adjacent specimens that no manifest has, and records that are their own parent. */
export function checkLinks({ lineage, passedOver }: CheckSubject): Finding[] {
  const notes: Readonly<Record<Where, string>> = {
    Biospecimen: notePassedOver(passedOver, ({ kind }) => kind === "biospecimen"),
    assay: notePassedOver(passedOver, ({ kind }) => kind === "assay"),
    Demographics: notePassedOver(passedOver, ({ component }) => component === "Demographics"),
  };
  return lineage.badLinks.map((link) => {
    const fields =
      link.link === "self"
        ? { value: link.value, link: link.link }
        : { record: link.id, value: link.value, link: link.link };
    return recordError("H_LINKS", link.of, link.record, describe(link, notes), fields);
  });
}

function describe({ id, value, link, of }: BadLink, notes: Readonly<Record<Where, string>>) {
  if (link === "self") return `${id} of ${of.component.component} is named as its own parent.`;
  if (link === "adjacent") {
    return `Adjacent specimen ${value} of ${id} is in no manifest of this atlas.${notes.Biospecimen}`;
  }
  const where = whereExpected(of.component.parentIdColumn ?? "", value);
  return `Parent ${value} of ${id} is in no ${where} manifest of this atlas.${notes[where]}`;
}

/** Tells in which manifests a parent would have to be. */
function whereExpected(column: string, value: string): Where {
  if (column.includes("Biospecimen")) return "Biospecimen";
  if (column.includes("Data File")) return "assay";
  return /^HTA\d+_\w+_\w+$/.test(value) ? "Biospecimen" : "Demographics";
}
