// H_ID_SPEC: the ids of specimens, data files and tables, and those by which they name others.

import type { Finding } from "../../../../finding.ts";
import type { ComponentKind } from "../components.ts";
import { type DerivedKind, exampleIds, isDerivedId, splitIds } from "../ids.ts";
import { type KnownManifest, ownIds } from "../lineage.ts";
import { rowOf } from "../manifest.ts";
import { NOT_SHOWN } from "../manifestProblems.ts";
import { isMissing } from "../missing.ts";
import { isNotApplicable } from "../spelling.ts";
import { didYouMean } from "../suggest.ts";
import { type CheckSubject, recordError } from "./check.ts";
import { expectedIn, formIn } from "./expected.ts";

/** Describes files that are not of the atlas's data model, so its own ids are Synapse ids, and it has no entityId. */
export const ACCESSORY = "AccessoryManifest";
/** Manifests that the data coordinating centre has agreed to take as they are: an expansion sequencing set with ids of its own. */
const EXEMPT: ReadonlySet<string> = new Set(["syn42292434"]);
/** Components whose records may hang on a specimen instead of a file of level 1. */
const MAY_LACK_PARENT: ReadonlySet<string> = new Set(["BulkWESLevel2", "BulkRNA-seqLevel2"]);

/** Finds ids that are not formed as HTAN ids are, and own ids that are used twice in the atlas. */
export function checkIds(subject: CheckSubject): Finding[] {
  const firstUse: FirstUse = { manifests: [], numberOf: new Map() };
  const notIds = subject.known.flatMap((of) => findNotIds(subject, of));
  const others = subject.known
    .filter(({ manifest }) => !EXEMPT.has(manifest.entry.entityId))
    .flatMap((of) => {
      const own = checkOwnIds(subject, of, firstUse);
      if (!areLinksChecked(of)) return own;
      const { parentIdColumns, adjacentIdColumn } = of.component;
      const columns = [
        ...parentIdColumns,
        ...(adjacentIdColumn === null ? [] : [adjacentIdColumn]),
      ];
      return [...own, ...columns.flatMap((column) => checkLinkedIds(subject, of, column))];
    });
  return [...notIds, ...others];
}

/** Says where something else stands in an id's place, in manifests of every kind. The value is not in what is said. */
function findNotIds({ atlas }: CheckSubject, of: KnownManifest): readonly Finding[] {
  const { component, primaryIdColumn } = of.component;
  return of.manifest.notIds.map(({ record, column }) => {
    const id = column === primaryIdColumn ? "" : (ownIds(of)?.[record] ?? "");
    const whose = id === "" ? `of a record of ${component}` : `of ${id}`;
    const { participant, specimen } = exampleIds(atlas.atlasId);
    const example = /participant/i.test(column) ? participant : specimen;
    const message = `${column} ${whose} holds something that is not shaped like an HTAN id, like ${example}; ${NOT_SHOWN}.`;
    const fields = { column, ...(id === "" ? {} : { record: id }) };
    return recordError("H_ID_SPEC", of, record, message, fields);
  });
}

/** Makes a test of whether a record's cell held something else than an id, which is reported then. */
export function isReported(
  { manifest }: KnownManifest,
  column: string,
): (record: number) => boolean {
  const records = new Set(
    manifest.notIds.filter((cell) => cell.column === column).map(({ record }) => record),
  );
  return (record) => records.has(record);
}

/** Tells whether H_ID_SPEC looks at the ids by which a manifest's records name others; those of specimens are left to H_LINKS. */
export function areLinksChecked({ manifest, component }: KnownManifest): boolean {
  const { kind } = component;
  return (
    (kind === "assay" || kind === "table" || kind === "publication") &&
    !EXEMPT.has(manifest.entry.entityId)
  );
}

/** Where each own id was first used. Records are numbered throughout, since there may be hundreds of thousands. */
interface FirstUse {
  /** Manifests with the number of their first record. */
  readonly manifests: { readonly of: KnownManifest; readonly from: number }[];
  readonly numberOf: Map<string, number>;
}

function checkOwnIds(subject: CheckSubject, of: KnownManifest, firstUse: FirstUse): Finding[] {
  const { component, kind, primaryIdColumn: column } = of.component;
  if (component === ACCESSORY || column === null) return [];
  const { manifests, numberOf } = firstUse;
  const last = manifests.at(-1);
  const from = last === undefined ? 0 : last.from + last.of.manifest.records;
  manifests.push({ of, from });
  const findings: Finding[] = [];
  const isOtherwise = isReported(of, column);
  for (const [record, value] of (ownIds(of) ?? []).entries()) {
    if (value === "" && isOtherwise(record)) continue;
    const isList = /[;,]/.test(value);
    // Who is a participant is H_NON_DEM's affair.
    if (kind === "clinical" && !isList) continue;
    // How specimens are numbered is left to their atlas, but several ids are not one, and none is two records'.
    const isSpecimen = kind === "biospecimen" && !isList;
    if (isSpecimen ? isMissing(value) : !isDerivedId(value, formOfKind(kind))) {
      if (!isSpecimen) findings.push(malformedOwnId(subject, of, record, column, value));
      continue;
    }
    const first = numberOf.get(value);
    if (first === undefined) numberOf.set(value, from + record);
    // The rows of a table have its id in common.
    else if (kind !== "table" || first < from) {
      findings.push(repeatedId(of, record, column, value, manifests, first));
    }
  }
  return findings;
}

/** Tells whether H_ID_SPEC reports the own ids of a manifest's records that are malformed. */
export function reportsMalformedIds({ manifest, component }: KnownManifest): boolean {
  const { kind } = component;
  return (
    kind !== "clinical" &&
    kind !== "biospecimen" &&
    component.component !== ACCESSORY &&
    !EXEMPT.has(manifest.entry.entityId)
  );
}

function formOfKind(kind: ComponentKind): DerivedKind {
  return kind === "biospecimen" ? "specimen" : kind === "assay" ? "file" : "any";
}

function malformedOwnId(
  { atlas, suggestions }: CheckSubject,
  of: KnownManifest,
  record: number,
  column: string,
  value: string,
): Finding {
  const { component, kind } = of.component;
  const { participant, specimen, file } = exampleIds(atlas.atlasId);
  const example = kind === "clinical" ? participant : kind === "biospecimen" ? specimen : file;
  const near = kind === "clinical" ? [] : suggestions.missing(value);
  const what =
    value === ""
      ? `A record of ${component} has no ${column}.`
      : `${column} ${value} of ${component} is not formed as an HTAN id, like ${example}${didYouMean(near) || "."}`;
  return recordError("H_ID_SPEC", of, record, what, { column, value });
}

function repeatedId(
  of: KnownManifest,
  record: number,
  column: string,
  value: string,
  manifests: FirstUse["manifests"],
  firstNumber: number,
): Finding {
  const first = manifests.findLast(({ from }) => from <= firstNumber) ?? { of, from: 0 };
  const firstManifest = first.of.manifest.entry.entityId;
  const firstComponent = first.of.component.component;
  const firstRow = rowOf(first.of.manifest, firstNumber - first.from);
  const message = `${column} ${value} of ${of.component.component} is already used in row ${firstRow} of ${firstComponent} (${firstManifest}).`;
  const fields = { column, value, firstManifest, firstComponent };
  return recordError("H_ID_SPEC", of, record, message, fields);
}

function checkLinkedIds(subject: CheckSubject, of: KnownManifest, column: string): Finding[] {
  const { component } = of.component;
  const cells = of.manifest.cells.get(column);
  if (cells === undefined) return [];
  const { atlas, suggestions } = subject;
  const form = formIn(column);
  const { specimen, file } = exampleIds(atlas.atlasId);
  const example = form === "specimen" ? specimen : file;
  const findings: Finding[] = [];
  for (const [record, cell] of cells.entries()) {
    if (cell === "" || isDerivedId(cell, form) || isExcused(of, column, record, cell)) continue;
    for (const value of splitIds(cell)) {
      if (isDerivedId(value, form)) continue;
      const near = suggestions[expectedIn(column, value)](value, ownIds(of)?.[record]);
      const message = `${column} ${value} in a record of ${component} is not formed as an HTAN id, like ${example}${didYouMean(near) || "."}`;
      findings.push(recordError("H_ID_SPEC", of, record, message, { column, value }));
    }
  }
  return findings;
}

/** Tells whether a record may say that it has no such parent: its component allows it, or another of its columns names one. */
function isExcused(of: KnownManifest, column: string, record: number, cell: string): boolean {
  const { component, parentIdColumns } = of.component;
  const isNone = isNotApplicable(cell);
  if (MAY_LACK_PARENT.has(component) && isNone) return true;
  if (!isNone && !isMissing(cell)) return false;
  return parentIdColumns.some((other) => {
    const value = of.manifest.cells.get(other)?.[record] ?? "";
    return other !== column && !isMissing(value);
  });
}
