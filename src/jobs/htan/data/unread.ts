// Manifests whose content could not be had: which errors are about one manifest alone, and which numbers then lack what it holds.

import { isAborted, isTransient, lackingOf, publicMessageOf } from "../../../error.ts";
import type { Finding } from "../../../finding.ts";
import type { ManifestEntry } from "./analysis.ts";
import type { Component, Components } from "./components.ts";
import { describeManifest, MANIFEST_RULES } from "./manifestProblems.ts";
import { makeComponentReader } from "./spelling.ts";

/** A manifest that counts, but whose content is not there, with the reason in words fit for a page. */
export interface UnreadManifest {
  readonly entityId: string;
  readonly reason: string;
}

/** What came of asking for a manifest's content. */
export type Pulled<T> =
  | { readonly entry: ManifestEntry; readonly content: T }
  | { readonly entry: ManifestEntry; readonly error: unknown };

/**
 * Sorts what could be had from what could not. Throws an error that is about more than its manifest: content that is gone or that may
 * not be read is a matter of one manifest, as is a service that failed at it alone. One that failed at several is the service's: of the
 * others nobody knows whether they were asked for in this run or were known before.
 */
export function sortPulled<T>(pulled: readonly Pulled<T>[]): {
  readonly contents: readonly T[];
  readonly unread: readonly UnreadManifest[];
} {
  const contents = pulled.flatMap((one) => ("content" in one ? [one.content] : []));
  const failures = pulled.filter(
    (one) => "error" in one && lackingOf(one.error) === null && isTransient(one.error),
  ).length;
  const isAlone = failures === 1 && contents.length > 0;
  const unread = pulled.flatMap((one) => {
    if ("content" in one) return [];
    const { entry, error } = one;
    const isOwn = lackingOf(error) !== null || (isTransient(error) && isAlone);
    if (isAborted(error) || !isOwn) throw error;
    return [{ entityId: entry.entityId, reason: publicMessageOf(error) }];
  });
  return { contents, unread };
}

/** An unread manifest as checks and pages need it; its component is what its annotation says, however that is spelt. */
export interface LackingManifest {
  readonly entry: ManifestEntry;
  readonly component: Component | null;
  readonly reason: string;
}

/** Finds the entries of what could not be read. */
export function lackingManifests(
  entries: readonly ManifestEntry[],
  unread: readonly UnreadManifest[],
  components: Components,
): readonly LackingManifest[] {
  const reasons = new Map(unread.map(({ entityId, reason }) => [entityId, reason]));
  const readComponent = makeComponentReader(components);
  return entries.flatMap((entry) => {
    const reason = reasons.get(entry.entityId);
    if (reason === undefined) return [];
    const name = entry.component === null ? null : readComponent(entry.component);
    const component = components.byName.get(name ?? "") ?? null;
    return [{ entry: { ...entry, component: name }, component, reason }];
  });
}

/** The parts of a page that are made from records. */
export type RecordPart = "completeness" | "longitudinal" | "network";

/** Lists the parts of a page that lack what such a manifest holds; those of a manifest whose component nobody knows may be any. */
export function partsOf(component: Component | null): readonly RecordPart[] {
  if (component === null) return ["completeness", "longitudinal", "network"];
  const isTimed = component.kind === "biospecimen" || component.component === "Therapy";
  const isLinked =
    component.kind !== "clinical" ||
    ["Demographics", "SRRSClinicalDataTier2"].includes(component.component);
  return [
    "completeness",
    ...(isTimed ? (["longitudinal"] as const) : []),
    ...(isLinked ? (["network"] as const) : []),
  ];
}

/** Says of a manifest that it could not be read, and what that does to the numbers. */
export function unreadFinding({ entry, reason }: LackingManifest): Finding {
  const it = describeManifest(entry, entry.component);
  return {
    rule: "M_UNREADABLE",
    severity: MANIFEST_RULES.M_UNREADABLE.severity,
    subject: entry.entityId,
    row: null,
    message: `${it} could not be read: ${reason}. None of the numbers has its records.`,
    fields: { manifest: entry.entityId, component: entry.component ?? "" },
  };
}
