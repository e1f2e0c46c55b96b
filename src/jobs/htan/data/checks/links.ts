// H_LINKS: links between records that lead nowhere, or back to the record itself.

import type { Finding } from "../../../../finding.ts";
import { count, list } from "../../../../format.ts";
import type { Component } from "../components.ts";
import { isDerivedId } from "../ids.ts";
import { type BadLink, ownIds } from "../lineage.ts";
import { didYouMean, isSameButForm } from "../suggest.ts";
import type { LackingManifest } from "../unread.ts";
import { areLinksChecked, reportsMalformedIds } from "./assayIds.ts";
import { type CheckSubject, recordError } from "./check.ts";
import { type Expected, expectedIn, formIn } from "./expected.ts";
import { notePassedOver } from "./passedOver.ts";

/** A ring of more names its first members only, in a sentence and as a field. */
const MEMBERS_NAMED = 20;
const MEMBERS_LISTED = 100;

/** The manifests that hold what a link can lead to. */
const HOLDERS: Readonly<
  Record<Expected, { readonly name: string; readonly has: (component: Component) => boolean }>
> = {
  participant: {
    name: "Demographics",
    has: ({ component }) => component === "Demographics" || component === "SRRSClinicalDataTier2",
  },
  specimen: { name: "Biospecimen", has: ({ kind }) => kind === "biospecimen" },
  file: { name: "assay", has: ({ kind }) => kind === "assay" },
  channels: {
    name: "ImagingLevel3Channels",
    has: ({ component }) => component === "ImagingLevel3Channels",
  },
};

/** What is said of every link that leads to a kind of record: which manifests that do not count may hold it. */
type Notes = Readonly<Record<Expected, string>>;

/** Finds parents and adjacent specimens that no manifest has, and records that are their own parent, by themselves or in a ring. */
export function checkLinks(subject: CheckSubject): Finding[] {
  const noteOf = (kind: Expected): string => notePassedOver(subject.passedOver, HOLDERS[kind].has);
  const notes: Notes = {
    participant: noteOf("participant"),
    specimen: noteOf("specimen"),
    file: noteOf("file"),
    channels: noteOf("channels"),
  };
  return missedLinks(subject).map((link) => {
    const { of, record, id, value, column, ring } = link;
    const fields = {
      column,
      ...(link.link === "self" || id === "" ? {} : { record: id }),
      value,
      link: link.link,
      ...(ring.length === 0 ? {} : { ring: membersOf(ring) }),
    };
    return recordError("H_LINKS", of, record, describe(subject, link, notes), fields);
  });
}

/** Counts the links that may lead into a manifest that could not be read, and says so; null where there are none. */
export function whyLinksUnchecked(subject: CheckSubject): string | null {
  const { lacking, lineage } = subject;
  const unchecked = lineage.badLinks.filter((link) =>
    lacking.some((manifest) => mayHold(manifest, link)),
  ).length;
  if (unchecked === 0) return null;
  const manifests = lacking.map(({ entry }) => entry.entityId).join(", ");
  return `${count(unchecked, "link")} may lead to records of a manifest that could not be read (${manifests}) and ${unchecked === 1 ? "was" : "were"} not checked.`;
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
      .filter(reportsMalformedIds)
      .flatMap((of) => (ownIds(of) ?? []).filter((id) => id !== "" && !isDerivedId(id))),
  );
  return (id) => isDerivedId(id) && forms(id);
}

/** Tells whether a manifest that could not be read may hold the record that a link names. */
function mayHold({ entry, component }: LackingManifest, { value, column, link }: BadLink): boolean {
  if (link === "self" || link === "ring") return false;
  if (component === null) return entry.component === null;
  return HOLDERS[expectedIn(column, value)].has(component);
}

function describe({ suggestions }: CheckSubject, link: BadLink, notes: Notes): string {
  const { id, value, column, ring, of } = link;
  const { component } = of.component;
  if (link.link === "self") return `${id} of ${component} is named as its own parent.`;
  if (link.link === "ring") return describeRing(ring, component);
  const expected = expectedIn(column, value);
  const near = didYouMean(suggestions[expected](value, id)) || ".";
  if (link.link === "adjacent") {
    return `Adjacent specimen ${value} of ${id} is in no manifest of this atlas${near}${notes[expected]}`;
  }
  const whose = id === "" ? `in a record of ${component}` : `of ${id}`;
  return `Parent ${value} ${whose} is in no ${HOLDERS[expected].name} manifest of this atlas${near}${notes[expected]}`;
}

/** Lists the members of a ring as the field of a finding; of one with thousands only the first. */
function membersOf(ring: readonly string[]): string {
  const listed = ring.slice(0, MEMBERS_LISTED).join(" ");
  return ring.length > MEMBERS_LISTED ? `${listed} …` : listed;
}

function describeRing(ring: readonly string[], component: string): string {
  const named = ring.slice(0, MEMBERS_NAMED);
  const further = ring.length - named.length;
  const steps = named.map((id, at) => `${id} from ${ring[(at + 1) % ring.length] ?? ""}`);
  const more = further > 0 ? [`so on through ${count(further, "record")}`] : [];
  return `${list(further > 0 ? [...named, `${further} others`] : named)} of ${component} descend from each other in a ring: ${[...steps, ...more].join(", ")}.`;
}
