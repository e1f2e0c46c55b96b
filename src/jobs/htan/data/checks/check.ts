// What the checks have in common: what they are given, and how they say what they found.

import type { Finding } from "../../../../finding.ts";
import type { Atlas } from "../atlas.ts";
import type { EntityIds } from "../entityIds.ts";
import type { KnownManifest, Lineage } from "../lineage.ts";
import { type Manifest, rowOf } from "../manifest.ts";
import type { LackingManifest } from "../unread.ts";
import type { Suggestions } from "./expected.ts";
import type { KnownPassedOver } from "./passedOver.ts";

/** What a check may look at. */
export interface CheckSubject {
  readonly atlas: Atlas;
  /** All manifests in the order of their components' names; one of several components is there once for each. */
  readonly manifests: readonly Manifest[];
  /** Those of components that are in the table. */
  readonly known: readonly KnownManifest[];
  readonly lineage: Lineage;
  /** Manifests that count but could not be read: whatever may be in them is not missed. */
  readonly lacking: readonly LackingManifest[];
  readonly suggestions: Suggestions;
  /** The files of the project; null where nobody knows them. */
  readonly entities: EntityIds | null;
  /** Manifests that do not count, since their folder has a newer one. */
  readonly passedOver: readonly KnownPassedOver[];
}

/** Makes an error about a record of a manifest, or about the manifest where `record` is null. */
export function recordError(
  rule: string,
  { manifest, component }: KnownManifest,
  record: number | null,
  message: string,
  fields: Readonly<Record<string, string>>,
): Finding {
  return {
    rule,
    severity: "error",
    subject: manifest.entry.entityId,
    row: record === null ? null : rowOf(manifest, record),
    message,
    fields: { manifest: manifest.entry.entityId, component: component.component, ...fields },
  };
}

/** Makes an error about the atlas as a whole. */
export function atlasError(rule: string, atlas: Atlas, message: string): Finding {
  return { rule, severity: "error", subject: atlas.projectId, row: null, message, fields: {} };
}
