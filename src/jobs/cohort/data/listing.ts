// What a listing of the source says beside its exports: that there is none, and what lies there and is not read. Names, never contents.

import type { Finding } from "../../../finding.ts";
import { count, listFew, oneLine } from "../../../format.ts";
import type { OtherObject, SortedListing } from "./catalog.ts";
import { mostOfAKind } from "./findings.ts";

/** The scope of what is wrong with the source: no export and no data type is called so. */
export const SOURCE_SCOPE = "the source";

/** A source, and what it is searched for. */
export interface SourceFacts {
  readonly label: string;
  readonly namespace: string;
  readonly cohorts: readonly string[];
}

/** Objects that look like something to be read, and are not. */
export function notRead({ others }: SortedListing): readonly OtherObject[] {
  return others.filter(({ outcome }) => outcome !== "ignored");
}

/** Says in a clause why an object is not read. */
export function whyNotRead({ key, outcome, why }: OtherObject): string {
  if (why !== undefined) return why;
  const [cohort = ""] = key.split("/");
  return outcome === "unknown_cohort" ? `the schema has no cohort ${oneLine(cohort)}` : outcome;
}

/** Says that there is no export where they should be, and where that is. */
export function noExports({ label, namespace, cohorts }: SourceFacts): {
  readonly says: string;
  readonly advice: string;
} {
  return {
    says: `${label} lists ${count(0, "export")} of ${cohorts.join(", ")}`,
    advice: `Exports lie at NAMESPACE/COHORT/EXPORT below COHORT_SOURCE; the namespace is ${namespace}.`,
  };
}

/** Turns a listing into findings of the source. */
export function listingFindings(listing: SortedListing, facts: SourceFacts): readonly Finding[] {
  const of = (found: Pick<Finding, "rule" | "severity" | "subject" | "message">): Finding => ({
    ...{ row: null, fields: {} },
    ...found,
  });
  const unread = notRead(listing).map((other) =>
    of({
      ...{ rule: other.outcome, severity: "error", subject: oneLine(other.key) },
      message: `${oneLine(other.key)} is not read: ${whyNotRead(other)}.`,
    }),
  );
  const { says, advice } = noExports(facts);
  const none =
    listing.exports.length > 0
      ? []
      : [
          of({
            rule: "no_exports",
            severity: "warning",
            subject: "",
            message: `${says}. ${advice}`,
          }),
        ];
  return [...none, ...mostOfAKind(unread, "object")];
}

/** The same for the log, in a sentence or two however much it is. */
export function listingWarnings(listing: SortedListing, facts: SourceFacts): readonly string[] {
  const { says, advice } = noExports(facts);
  const unread = notRead(listing);
  const named = unread.map((other) => `${oneLine(other.key)} (${whyNotRead(other)})`);
  const rest = `${count(unread.length, "object")} of ${facts.label} cannot be read: ${listFew(named)}`;
  return [
    ...(listing.exports.length > 0 ? [] : [`${says}. ${advice}`]),
    ...(unread.length > 0 ? [`${rest}. hdash cohort audit lists them all.`] : []),
  ];
}
