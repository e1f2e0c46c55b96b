// What an analysis leaves in the ledger: findings to be mended, and numbers that trends are drawn from.

import { digestOf } from "../../digest.ts";
import { countSeverities, type Finding } from "../../finding.ts";
import type { MatrixAnalysis } from "./analysis.ts";
import { matrixFinding, type MatrixRule } from "./problem.ts";

/** Turns what is wrong with a matrix, or worth knowing, into findings; `id` names the matrix. */
export function analysisFindings(id: string, analysis: MatrixAnalysis): readonly Finding[] {
  if (!analysis.isReadable) {
    return [matrixFinding(analysis.rule, "error", id, analysis.message)];
  }
  const { notes, groups } = analysis.facts;
  return [
    ...notes.map(({ rule, severity, message }) =>
      // Notes carry rules of problem.ts.
      matrixFinding(rule as MatrixRule, severity, id, message),
    ),
    ...groups.flatMap(({ approach, figures }) =>
      figures.flatMap(({ name, title, reason }) =>
        reason === null
          ? []
          : [
              matrixFinding("M_FIGURE", "info", id, `${title} (${approach.key}): ${reason}`, {
                figure: name,
                approach: approach.key,
              }),
            ],
      ),
    ),
  ];
}

/** The numbers of a matrix by name. */
export function analysisMeasures(analysis: MatrixAnalysis): Readonly<Record<string, number>> {
  const findings = analysisFindings("", analysis);
  const severities = countSeverities(findings);
  if (!analysis.isReadable) return severities;
  const { genes, cells, entries, counts, groups } = analysis.facts;
  return {
    ...severities,
    // Other content with the same totals is other facts: pages say when they were made anew.
    fingerprint: fingerprintOf(analysis),
    genes,
    cells,
    entries,
    counts,
    figures: groups.reduce(
      (sum, group) => sum + group.figures.filter(({ reason }) => reason === null).length,
      0,
    ),
  };
}

/** 48 bits of a digest over everything that was found: as much as a number holds. */
function fingerprintOf(analysis: MatrixAnalysis): number {
  return Number.parseInt(digestOf(JSON.stringify(analysis)).slice(0, 12), 16);
}
