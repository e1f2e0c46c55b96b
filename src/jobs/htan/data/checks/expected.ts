// What kind of record a column with parents or neighbours is to name, and which known ones somebody may have meant.

import type { Components } from "../components.ts";
import { type DerivedKind, isDerivedId, isParticipantId, isSpecimenLike } from "../ids.ts";
import type { Lineage } from "../lineage.ts";
import { makeSuggest, type Suggest } from "../suggest.ts";

/** A kind of record that a link can lead to. */
export type Expected = "participant" | "specimen" | "file" | "channels";

/** Tells what a column's ids are to name; where the column says parents only, the form of the id tells. */
export function expectedIn(column: string, value: string): Expected {
  if (column.includes("Channel")) return "channels";
  if (column.includes("Data File")) return "file";
  return column.includes("Biospecimen") || isSpecimenLike(value) ? "specimen" : "participant";
}

/** Tells which form ids of a column have. */
export function formIn(column: string): DerivedKind {
  if (column.includes("Data File")) return "file";
  return column.includes("Biospecimen") ? "specimen" : "any";
}

/** Lookups of ids that somebody may have meant, by the kind of record; `missing` are ids that links name, and no record has. */
export type Suggestions = Readonly<Record<Expected | "missing" | "component", Suggest>>;

/** Makes the lookups of an atlas. Ids that are malformed themselves are not suggested, but specimens are numbered as their atlas does. */
export function makeSuggestions(lineage: Lineage, components: Components): Suggestions {
  const { ids, componentOf, badLinks } = lineage;
  const idsOf = (kinds: readonly string[], isForm: (id: string) => boolean) => () =>
    ids.filter((id, record) => {
      const kind = components.list[componentOf[record] ?? 0]?.kind ?? "";
      return kinds.includes(kind) && isForm(id);
    });
  const isDerived = (id: string): boolean => isDerivedId(id);
  return {
    participant: makeSuggest(idsOf(["clinical"], isParticipantId)),
    specimen: makeSuggest(idsOf(["biospecimen"], () => true)),
    file: makeSuggest(idsOf(["assay"], isDerived)),
    channels: makeSuggest(idsOf(["table", "assay"], isDerived)),
    missing: makeSuggest(() =>
      badLinks.flatMap(({ link, value }) =>
        (link === "parent" || link === "adjacent") && isDerivedId(value) ? [value] : [],
      ),
    ),
    component: makeSuggest(() => components.byName.keys()),
  };
}
