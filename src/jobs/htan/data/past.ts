// An atlas's past as its page needs it: the versions of its facts up to the present, and the findings of the one before.

import type { Finding } from "../../../finding.ts";

/** A moment in an atlas's history: its measures as they stood from then on. */
export interface AtlasVersion {
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly measures: Readonly<Record<string, number>>;
}

/** What a page is told of the past. It changes only when the facts do, so that a page does too. */
export interface AtlasPast {
  /** Oldest first, ending with the present facts; neighbours differ. */
  readonly versions: readonly AtlasVersion[];
  /** The findings of the version before the present; null where there is none. */
  readonly before: readonly Finding[] | null;
}

/** A version of an atlas's facts as the ledger tells of it. */
export interface LedgerVersion {
  readonly runId: string;
  readonly startedAt: string;
  readonly factsDigest: string;
  readonly measures: Readonly<Record<string, number>>;
}

/** Joins the past and the present: the newest `most` versions ending with the present, and the run whose findings the present is compared with. */
export function joinPresent(
  known: readonly LedgerVersion[],
  present: Omit<LedgerVersion, "runId">,
  most: number,
): { readonly versions: readonly AtlasVersion[]; readonly beforeRunId: string | null } {
  const isUnchanged = known.at(-1)?.factsDigest === present.factsDigest;
  const older = isUnchanged ? known.slice(0, -1) : known;
  // Unchanged facts stand since the run that first saw them, not since today.
  const startedAt = isUnchanged
    ? (known.at(-1)?.startedAt ?? present.startedAt)
    : present.startedAt;
  return {
    versions: [
      ...older
        .slice(-(most - 1))
        .map((version) => ({ startedAt: version.startedAt, measures: version.measures })),
      { startedAt, measures: present.measures },
    ],
    beforeRunId: older.at(-1)?.runId ?? null,
  };
}
