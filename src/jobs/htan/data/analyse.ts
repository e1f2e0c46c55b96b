// Everything about one atlas, from its files and manifests.

import type { Finding } from "../../../finding.ts";
import type { AtlasAnalysis, AtlasFiles, ManifestSummary, RuleOutcome } from "./analysis.ts";
import type { Atlas } from "./atlas.ts";
import { checkEntityIds, checkIds } from "./checks/assayIds.ts";
import type { CheckSubject } from "./checks/check.ts";
import { checkLinks } from "./checks/links.ts";
import { knowPassedOver } from "./checks/passedOver.ts";
import {
  checkBiospecimens,
  checkCategories,
  checkDemographics,
  checkParticipants,
} from "./checks/presence.ts";
import { makeGrids } from "./completeness.ts";
import type { Components } from "./components.ts";
import { makeKeyed } from "./keyed.ts";
import { buildLineage, type KnownManifest, sifLines } from "./lineage.ts";
import type { Manifest } from "./manifest.ts";
import { MANIFEST_RULES } from "./manifestProblems.ts";
import { compareNatural, compareText } from "./naturalOrder.ts";
import { partsOf } from "./ownComponents.ts";
import { CHECKS, ruleText } from "./ruleText.ts";
import { makeTimelines } from "./timeline.ts";

/** Analyses an atlas. The order in which manifests are given makes no difference. */
export function analyseAtlas(
  atlas: Atlas,
  files: AtlasFiles,
  manifests: readonly Manifest[],
  components: Components,
): AtlasAnalysis {
  const byName = [...manifests].sort(
    (a, b) => compareText(a.component ?? "", b.component ?? "") || compareEntities(a, b),
  );
  const parts = byName.flatMap(partsOf);
  const known = inTableOrder(parts, components);
  const lineage = buildLineage(known, components);
  const passedOver = knowPassedOver(files.passedOver, components);
  const subject = { atlas, manifests: parts, known, lineage, passedOver };
  const fields = sum(manifests.map((manifest) => manifest.fields));
  const filledFields = sum(manifests.map((manifest) => manifest.filledFields));
  const { findings, rules } = runChecks(subject, byName, files, components);
  return {
    atlasId: atlas.atlasId,
    totalFileSize: files.totalFileSize,
    fileCounts: files.fileCounts,
    rootFolders: files.rootFolders,
    percentMetadataComplete: share(filledFields, fields),
    fields,
    filledFields,
    manifests: makeKeyed(
      byName.map((manifest): [string, ManifestSummary] => [
        manifest.entry.entityId,
        summarise(manifest),
      ]),
    ),
    rules,
    findings,
    grids: makeGrids(known, lineage, components),
    sif: sifLines(lineage, components),
    timelineEvents: makeTimelines(known),
  };
}

/** Orders manifests by the table, in which level 1 comes before level 2, so that a repeated id is found where it is used later. */
function inTableOrder(manifests: readonly Manifest[], components: Components): KnownManifest[] {
  const byComponent = Map.groupBy(
    [...manifests].sort(compareEntities),
    ({ component }) => component,
  );
  return components.list.flatMap((component) =>
    (byComponent.get(component.component) ?? []).map((manifest) => ({ manifest, component })),
  );
}

function compareEntities(a: Manifest, b: Manifest): number {
  return compareNatural(a.entry.entityId, b.entry.entityId);
}

function summarise(manifest: Manifest): ManifestSummary {
  const { component, entry, records, fields, filledFields } = manifest;
  const { name, path, modifiedAt } = entry;
  const percentComplete = share(filledFields, fields);
  return { component, name, path, modifiedAt, records, fields, filledFields, percentComplete };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

type Check = (typeof CHECKS)[number];

/** Runs the checks in their order, and adds what was found of manifests and view as files. */
function runChecks(
  subject: CheckSubject,
  manifests: readonly Manifest[],
  files: AtlasFiles,
  components: Components,
): { readonly findings: readonly Finding[]; readonly rules: readonly RuleOutcome[] } {
  const demographics = checkDemographics(subject);
  const results: Readonly<Record<Check, readonly Finding[] | { readonly notRun: string }>> = {
    H_CATEGORIES: checkCategories(subject, (component) => components.byName.has(component)),
    H_DEM: demographics,
    H_NON_DEM:
      demographics.length === 0
        ? checkParticipants(subject)
        : { notRun: "There is no Demographics manifest to compare participants with." },
    H_BIOSPEC: checkBiospecimens(subject),
    H_ID_SPEC: checkIds(subject),
    H_LINKS: checkLinks(subject),
    H_ENTITY_ID: checkEntityIds(subject),
    H_FILE_NAMES: files.findings.filter(({ rule }) => rule === "H_FILE_NAMES"),
  };
  const checks = CHECKS.map((rule) => {
    const result = results[rule];
    const isRun = !("notRun" in result);
    const findings = isRun ? result : [];
    const outcome: RuleOutcome = {
      rule,
      title: ruleText(rule, rule).title,
      severity: rule === "H_FILE_NAMES" ? "warning" : "error",
      status: !isRun ? "not run" : findings.length === 0 ? "passed" : "found",
      reason: isRun ? null : result.notRun,
      count: findings.length,
    };
    return { outcome, findings };
  });
  const problems = [
    ...manifests.flatMap((manifest) => manifest.problems),
    ...files.findings.filter(({ rule }) => rule !== "H_FILE_NAMES"),
  ];
  const further = Object.entries(MANIFEST_RULES).map(([rule, { title, severity }]) => {
    const findings = problems.filter((finding) => finding.rule === rule);
    const outcome: RuleOutcome = {
      rule,
      title,
      severity,
      status: "found",
      reason: null,
      count: findings.length,
    };
    return { outcome, findings };
  });
  const all = [...checks, ...further.filter(({ findings }) => findings.length > 0)];
  return {
    findings: all.flatMap(({ findings }) => findings),
    rules: all.map(({ outcome }) => outcome),
  };
}
