// The fields of findings as the answers of the fixture's world have them: those were written down before every finding named its column.

import { OTHER_LABEL } from "../../src/jobs/htan/data/labels.ts";

/** Leaves out the column where the answers do not have it: of links, participants, repeated ids and files. */
export function asExpected(
  rule: string,
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const isRepeated = typeof fields["firstManifest"] === "string";
  const isEntity = rule === "H_ENTITY_ID" && typeof fields["value"] === "string";
  if (rule !== "H_LINKS" && rule !== "H_NON_DEM" && !isRepeated && !isEntity) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== "column"));
}

/**
 * What is right of an answer since free text is not published: events are called as the data model permits, sources are not named, and
 * what is no Synapse id is not quoted.
 */
export function asPublished<
  T extends {
    readonly findings: Readonly<Record<string, readonly object[]>>;
    readonly timelineEvents: readonly object[];
  },
>(answer: T): T {
  const findings = Object.entries(answer.findings).map(([rule, found]) => [
    rule,
    found.map((fields) => {
      if (!("value" in fields) || fields.value !== "not-a-synapse-id") return fields;
      const { value: _, ...others } = fields;
      return { ...others, column: "entityId" };
    }),
  ]);
  const timelineEvents = answer.timelineEvents.map((event) => ({
    ...event,
    ...("Event" in event && event.Event === "Radiation" ? { Event: OTHER_LABEL } : {}),
    Location: "NA",
  }));
  return { ...answer, findings: Object.fromEntries(findings) as T["findings"], timelineEvents };
}
