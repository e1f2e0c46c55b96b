// The four figures at the top of an atlas's page, each with its trend and what changed since the version before.

import type { Severity } from "../../../finding.ts";
import {
  bytes,
  date,
  number,
  percent,
  signed,
  signedBytes,
  signedPoints,
} from "../../../format.ts";
import type { AtlasAnalysis } from "../data/analysis.ts";
import type { FindingChanges } from "../data/changes.ts";
import type { AtlasVersion } from "../data/past.ts";
import type { DrawSparkline } from "./pageFrame.ts";

/** A headline as the template takes it. */
export interface Headline {
  readonly label: string;
  readonly value: string;
  /** "" where there is no version before. */
  readonly change: string;
  readonly tone: "good" | "bad" | "plain";
  readonly sparkline: string;
}

/** A measure as a headline: how it and its changes are written, and whether more of it is good. */
interface Measure {
  readonly name: string;
  readonly label: string;
  readonly write: (value: number) => string;
  readonly writeChange: (difference: number) => string;
  readonly moreIs: Headline["tone"];
}

const MEASURES: readonly Measure[] = [
  { name: "totalFileSize", label: "Size", write: bytes, writeChange: signedBytes, moreIs: "plain" },
  { name: "files", label: "Files", write: number, writeChange: signed, moreIs: "plain" },
  { name: "errors", label: "Errors", write: number, writeChange: signed, moreIs: "bad" },
  {
    name: "percentMetadataComplete",
    label: "Metadata complete",
    write: percent,
    writeChange: signedPoints,
    moreIs: "good",
  },
];

/** Makes the headlines of an atlas. */
export function makeHeadlines(
  analysis: AtlasAnalysis,
  changes: FindingChanges,
  versions: readonly AtlasVersion[],
  sparkline: DrawSparkline,
): readonly Headline[] {
  const now: Readonly<Record<string, number>> = {
    totalFileSize: analysis.totalFileSize,
    files: Object.values(analysis.fileCounts).reduce((sum, files) => sum + files, 0),
    errors: analysis.findings.filter(({ severity }) => severity === "error").length,
    percentMetadataComplete: analysis.percentMetadataComplete,
  };
  const before = versions.at(-2);
  return MEASURES.map((measure) => {
    const value = now[measure.name] ?? 0;
    const points = versions.flatMap(({ startedAt, measures }) => {
      const known = measures[measure.name];
      return known === undefined ? [] : [{ at: startedAt, value: known }];
    });
    const moved = measure.name === "errors" ? cameAndWent(analysis, changes, "error") : null;
    return {
      label: measure.label,
      value: measure.write(value),
      ...(before === undefined
        ? { change: "", tone: "plain" as const }
        : describe(moved ?? difference(measure, value, before), before)),
      sparkline: sparkline(points, measure.label, { format: measure.write }),
    };
  });
}

type Change = Pick<Headline, "change" | "tone">;

function describe({ change, tone }: Change, before: AtlasVersion): Change {
  const since = `since ${date(before.startedAt)}`;
  return { change: change === "" ? `Unchanged ${since}` : `${change} ${since}`, tone };
}

function difference(measure: Measure, now: number, before: AtlasVersion): Change {
  const then = before.measures[measure.name] ?? now;
  if (now === then) return { change: "", tone: "plain" };
  const isMore = now > then;
  const opposite = { good: "bad", bad: "good", plain: "plain" } as const;
  return {
    change: `${isMore ? "▲" : "▼"} ${measure.writeChange(now - then)}`,
    tone: isMore ? measure.moreIs : opposite[measure.moreIs],
  };
}

/** Counts findings that came and went, which says more than their balance; null where none did. */
function cameAndWent(
  analysis: AtlasAnalysis,
  changes: FindingChanges,
  severity: Severity,
): Change | null {
  const fixed = changes.fixed.filter((finding) => finding.severity === severity).length;
  const added = analysis.findings.filter(
    (finding, index) => finding.severity === severity && changes.isNew[index] === true,
  ).length;
  if (added === 0 && fixed === 0) return null;
  return {
    change: changeMarks(added, fixed),
    tone: added > fixed ? "bad" : added < fixed ? "good" : "plain",
  };
}

/** Writes what came and went with a sign each, e.g. "▲ 3 new · ▼ 1 fixed"; "" where nothing did. */
export function changeMarks(added: number, fixed: number): string {
  return [
    ...(added > 0 ? [`▲ ${number(added)} new`] : []),
    ...(fixed > 0 ? [`▼ ${number(fixed)} fixed`] : []),
  ].join(" · ");
}
