// What is new and what is gone between two sets of findings.

import { canonicalJson } from "../../../digest.ts";
import type { Finding } from "../../../finding.ts";

/** What changed between two sets of findings. */
export interface FindingChanges {
  /** For each present finding, in order: whether it was not there before. */
  readonly isNew: readonly boolean[];
  /** Findings that were there before and no longer are, in their order then. */
  readonly fixed: readonly Finding[];
}

/**
 * Compares findings by rule, subject and fields, whatever their row, so that a row inserted above does not make all below it new.
 * Of findings that are alike, as many count as known as there were before. Without a before, nothing is new.
 */
export function compareFindings(
  now: readonly Finding[],
  before: readonly Finding[] | null,
): FindingChanges {
  if (before === null) return { isNew: now.map(() => false), fixed: [] };
  const known = tally(before);
  const isNew = now.map((finding) => !takeOne(known, finding));
  const present = tally(now);
  return { isNew, fixed: before.filter((finding) => !takeOne(present, finding)) };
}

function identityOf(finding: Finding): string {
  return canonicalJson([finding.rule, finding.subject, finding.fields]);
}

function tally(findings: readonly Finding[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const finding of findings) {
    const identity = identityOf(finding);
    counts.set(identity, (counts.get(identity) ?? 0) + 1);
  }
  return counts;
}

function takeOne(counts: Map<string, number>, finding: Finding): boolean {
  const identity = identityOf(finding);
  const left = counts.get(identity) ?? 0;
  if (left === 0) return false;
  counts.set(identity, left - 1);
  return true;
}
