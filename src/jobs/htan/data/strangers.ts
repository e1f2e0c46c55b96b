// Links to records of other atlases: joint projects work on each other's specimens, so that such a link is not simply broken.

import type { Finding } from "../../../finding.ts";
import type { AtlasAnalysis } from "./analysis.ts";
import { splitNote } from "./checks/passedOver.ts";
import { atlasOfId, isExternalId } from "./ids.ts";
import { type KnownManifest, ownIds } from "./lineage.ts";

/** Other atlases' records by atlas: ids that this atlas names, and no record of its own has. */
export type Strangers = Readonly<Record<string, readonly string[]>>;

/** What became of looking for strangers. */
export interface Elsewhere {
  /** Atlas → those of the ids asked for that are its records, with their components; only atlases that could be looked at whole. */
  readonly found: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Atlases that are listed, but could not be looked at in this run. */
  readonly unseen: readonly string[];
}

/** Lists what an atlas's broken links name that has the form of another atlas's records. */
export function findStrangers({ atlasId, findings }: AtlasAnalysis): Strangers {
  const strangers = new Map<string, Set<string>>();
  for (const finding of findings) {
    const other = strangerIn(finding, atlasId);
    if (other === null) continue;
    const ids = strangers.get(other) ?? new Set();
    strangers.set(other, ids.add(finding.fields["value"] ?? ""));
  }
  return Object.fromEntries([...strangers].sort().map(([id, ids]) => [id, [...ids].sort()]));
}

/** Names the atlas whose record a broken link would lead to; null where that is this one, or none. */
function strangerIn({ rule, fields }: Finding, atlasId: string): string | null {
  const { link = "", value = "" } = fields;
  const isBroken = rule === "H_LINKS" && (link === "parent" || link === "adjacent");
  const other = isBroken && !isExternalId(value) ? atlasOfId(value) : null;
  return other === atlasId ? null : other;
}

/** Looks for ids among an atlas's records: id → component, for those that are there. */
export function findRecords(
  manifests: readonly KnownManifest[],
  ids: readonly string[],
): Readonly<Record<string, string>> {
  const asked = new Set(ids);
  const found = new Map<string, string>();
  for (const of of manifests) {
    for (const id of ownIds(of) ?? []) {
      if (asked.has(id) && !found.has(id)) found.set(id, of.component.component);
    }
  }
  return Object.fromEntries([...found].sort());
}

/**
 * Says of broken links what was found elsewhere. A record of another atlas, or of one that could not be looked at, is a warning: nothing
 * may be wrong with it. Which findings there are, and their fields, stay the same, so that a run of one atlas alone makes none new.
 */
export function settleStrangers(
  analysis: AtlasAnalysis,
  { found, unseen }: Elsewhere,
): AtlasAnalysis {
  const findings = analysis.findings.map((finding): Finding => {
    const other = strangerIn(finding, analysis.atlasId);
    if (other === null) return finding;
    const value = finding.fields["value"] ?? "";
    const component = found[other]?.[value];
    if (component !== undefined) {
      const message = `${whatLinks(finding)} is a record of ${other} (${component}), another atlas, and not of this one.`;
      return { ...finding, severity: "warning", message };
    }
    if (unseen.includes(other)) {
      const message = `${whatLinks(finding)} is no record of this atlas; it may be one of ${other}, which this run could not look at.`;
      return { ...finding, severity: "warning", message };
    }
    if (found[other] === undefined) return finding;
    const [said, note] = splitNote(finding.message);
    const sentence = said.replace(/[.?]$/, "").replace(/; did you mean .*$/, "");
    return { ...finding, message: `${sentence}, and ${other} has no such record either.${note}` };
  });
  const links = findings.filter(({ rule }) => rule === "H_LINKS");
  const isWarning = links.length > 0 && links.every(({ severity }) => severity === "warning");
  const rules = analysis.rules.map((outcome) =>
    outcome.rule === "H_LINKS" && isWarning
      ? { ...outcome, severity: "warning" as const }
      : outcome,
  );
  return { ...analysis, findings, rules };
}

/** Begins the sentence as the broken link's own does. */
function whatLinks({ fields }: Finding): string {
  const { link, value = "", record, component = "" } = fields;
  const whose = record === undefined ? `in a record of ${component}` : `of ${record}`;
  return `${link === "adjacent" ? "Adjacent specimen" : "Parent"} ${value} ${whose}`;
}
