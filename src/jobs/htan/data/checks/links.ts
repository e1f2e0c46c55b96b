// H_LINKS: links between records that lead nowhere, or back to the record itself.

import type { Finding } from "../../../../finding.ts";
import { count, list } from "../../../../format.ts";
import { isDerivedId } from "../ids.ts";
import { type BadLink, ownIds } from "../lineage.ts";
import { didYouMean, isSameButForm } from "../suggest.ts";
import type { LackingManifest } from "../unread.ts";
import { areLinksChecked } from "./assayIds.ts";
import { type CheckSubject, recordError } from "./check.ts";
import { expectedIn, formIn } from "./expected.ts";

/** A ring of more names its first members only. */
const MEMBERS_NAMED = 20;

/** Finds parents and adjacent specimens that no manifest has, and records that are their own parent, by themselves or in a ring. */
export function checkLinks(subject: CheckSubject): Finding[] {
  return missedLinks(subject).map((link) => {
    const { of, record, id, value, column, ring } = link;
    const fields = {
      column,
      ...(link.link === "self" || id === "" ? {} : { record: id }),
      value,
      link: link.link,
      ...(ring.length === 0 ? {} : { ring: ring.join(" ") }),
    };
    return recordError("H_LINKS", of, record, describe(subject, link), fields);
  });
}

/** Counts the links that may lead into a manifest that could not be read, and says so; null where there are none. */
export function whyLinksPassedOver(subject: CheckSubject): string | null {
  const { lacking, lineage } = subject;
  const passedOver = lineage.badLinks.filter((link) =>
    lacking.some((manifest) => mayHold(manifest, link)),
  ).length;
  if (passedOver === 0) return null;
  const manifests = lacking.map(({ entry }) => entry.entityId).join(", ");
  return `${count(passedOver, "link")} may lead to records of a manifest that could not be read (${manifests}) and ${passedOver === 1 ? "was" : "were"} passed over.`;
}

/** The links that are this rule's affair: not those that an unread manifest may mend, nor those whose cause is another finding. */
function missedLinks(subject: CheckSubject): readonly BadLink[] {
  const { lineage, lacking } = subject;
  const isKnownOtherwise = findMalformedOwn(subject);
  return lineage.badLinks.filter((link) => {
    if (link.link === "self" || link.link === "ring") return true;
    if (lacking.some((manifest) => mayHold(manifest, link))) return false;
    return !isMalformed(link) && !isKnownOtherwise(link.value);
  });
}

/** Tells whether H_ID_SPEC has reported what a link names as malformed. */
function isMalformed({ of, column, value }: BadLink): boolean {
  const { parentIdColumns, adjacentIdColumn } = of.component;
  const isChecked = [...parentIdColumns, adjacentIdColumn].includes(column) && areLinksChecked(of);
  return isChecked && !isDerivedId(value, formIn(column));
}

/** Tells of an id that no record has whether a record's own id is the same but for case or signs, which H_ID_SPEC reports. */
function findMalformedOwn({ known, lineage }: CheckSubject): (id: string) => boolean {
  if (!lineage.badLinks.some(({ link }) => link === "parent" || link === "adjacent")) {
    return () => false;
  }
  const forms = isSameButForm(
    known
      .filter(({ component }) => component.kind === "biospecimen" || component.kind === "assay")
      .flatMap((of) => (ownIds(of) ?? []).filter((id) => id !== "" && !isDerivedId(id))),
  );
  return (id) => isDerivedId(id) && forms(id);
}

/** Tells whether a manifest that could not be read may hold the record that a link names. */
function mayHold({ entry, component }: LackingManifest, { value, column, link }: BadLink): boolean {
  if (link === "self" || link === "ring") return false;
  if (component === null) return entry.component === null;
  const kinds = {
    participant: ["clinical"],
    specimen: ["biospecimen"],
    file: ["assay"],
    channels: ["table"],
  } as const;
  return (kinds[expectedIn(column, value)] as readonly string[]).includes(component.kind);
}

function describe({ suggestions }: CheckSubject, link: BadLink): string {
  const { id, value, column, ring, of } = link;
  const { component } = of.component;
  if (link.link === "self") return `${id} of ${component} is named as its own parent.`;
  if (link.link === "ring") return describeRing(ring, component);
  const near = didYouMean(suggestions[expectedIn(column, value)](value, id)) || ".";
  if (link.link === "adjacent") {
    return `Adjacent specimen ${value} of ${id} is in no manifest of this atlas${near}`;
  }
  const whose = id === "" ? `in a record of ${component}` : `of ${id}`;
  return `Parent ${value} ${whose} is in no ${whereExpected(column, value)} of this atlas${near}`;
}

function describeRing(ring: readonly string[], component: string): string {
  const named = ring.slice(0, MEMBERS_NAMED);
  const further = ring.length - named.length;
  const steps = named.map((id, at) => `${id} from ${ring[(at + 1) % ring.length] ?? ""}`);
  const more = further > 0 ? [`so on through ${count(further, "record")}`] : [];
  return `${list(further > 0 ? [...named, `${further} others`] : named)} of ${component} descend from each other in a ring: ${[...steps, ...more].join(", ")}.`;
}

/** Tells in which manifests a parent would have to be. */
function whereExpected(column: string, value: string): string {
  return {
    participant: "Demographics manifest",
    specimen: "Biospecimen manifest",
    file: "assay manifest",
    channels: "ImagingLevel3Channels manifest",
  }[expectedIn(column, value)];
}
