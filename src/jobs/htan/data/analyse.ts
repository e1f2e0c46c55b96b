// Everything about one atlas, from its files and manifests.

import type { Finding } from "../../../finding.ts";
import type { AtlasAnalysis, AtlasFiles, ManifestSummary, RuleOutcome } from "./analysis.ts";
import type { Atlas } from "./atlas.ts";
import { checkIds } from "./checks/assayIds.ts";
import type { CheckSubject } from "./checks/check.ts";
import { checkEntityIds } from "./checks/entityIds.ts";
import { makeSuggestions } from "./checks/expected.ts";
import { checkLinks, whyLinksUnchecked } from "./checks/links.ts";
import { knowPassedOver } from "./checks/passedOver.ts";
import {
  checkBiospecimens,
  checkCategories,
  checkDemographics,
  checkParticipants,
  whyNoParticipants,
} from "./checks/presence.ts";
import { makeGrids } from "./completeness.ts";
import { asTemplated, type Components } from "./components.ts";
import type { EntityIds } from "./entityIds.ts";
import { makeKeyed } from "./keyed.ts";
import { type Labels, makeLabels } from "./labels.ts";
import { buildLineage, type KnownManifest, sifLines } from "./lineage.ts";
import type { Manifest } from "./manifest.ts";
import { MANIFEST_RULES } from "./manifestProblems.ts";
import { compareNatural, compareText } from "./naturalOrder.ts";
import { CHECKS, ruleText } from "./ruleText.ts";
import { splitByComponent } from "./splitByComponent.ts";
import { checkDays, makeTimelines } from "./timeline.ts";
import { type LackingManifest, partsOf, unreadFinding } from "./unread.ts";

/** What is known of an atlas besides its files and manifests. */
export interface FurtherFacts {
  /** Manifests that could not be read. */
  readonly lacking?: readonly LackingManifest[];
  /** The files of the project; without them nobody can tell whether a record's file is one. */
  readonly entities?: EntityIds | null;
  /** The words that timelines may show; without them there are none but "other". */
  readonly labels?: Labels;
}

/** Analyses an atlas. The order in which manifests are given makes no difference. */
export function analyseAtlas(
  atlas: Atlas,
  files: AtlasFiles,
  manifests: readonly Manifest[],
  components: Components,
  { lacking = [], entities = null, labels = makeLabels({}) }: FurtherFacts = {},
): AtlasAnalysis {
  const byName = [...manifests].sort(
    (a, b) => compareText(a.component ?? "", b.component ?? "") || compareEntities(a, b),
  );
  const pieces = byName.flatMap(splitByComponent);
  const known = inTableOrder(pieces, components);
  const lineage = buildLineage(known, components);
  const subject = {
    ...{ atlas, manifests: pieces, known, lineage, entities },
    // What is no manifest at all may stand where one is missed, just as what could not be had.
    lacking: [...lacking, ...byName.flatMap((manifest) => withoutContent(manifest, components))],
    suggestions: makeSuggestions(lineage, components),
    passedOver: knowPassedOver(files.passedOver, components),
  };
  const fields = sum(manifests.map((manifest) => manifest.fields));
  const filledFields = sum(manifests.map((manifest) => manifest.filledFields));
  const { findings, rules } = runChecks(subject, byName, files, components, lacking);
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
    unread: lacking.map(({ entry, component, reason }) => ({
      entityId: entry.entityId,
      component: entry.component,
      name: entry.name,
      path: entry.path,
      reason,
      parts: partsOf(component),
    })),
    rules,
    findings,
    grids: makeGrids(known, lineage, components),
    sif: sifLines(lineage, components),
    timelineEvents: makeTimelines(known, labels),
  };
}

/** Orders manifests by the table, in which level 1 comes before level 2, so that a repeated id is found where it is used later; one of several components is there once for each. */
export function inTableOrder(
  manifests: readonly Manifest[],
  components: Components,
): readonly KnownManifest[] {
  const byComponent = Map.groupBy(
    manifests.flatMap(splitByComponent).sort(compareEntities),
    ({ component }) => component,
  );
  return components.list.flatMap((component) =>
    (byComponent.get(component.component) ?? []).map((manifest) => ({
      manifest,
      component: asTemplated(component, manifest.columns),
    })),
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

/** A manifest of which nothing was read, since it is no CSV or has not even column names; another finding says why. */
function withoutContent(manifest: Manifest, { byName }: Components): readonly LackingManifest[] {
  if (manifest.columns.length > 0) return [];
  const { entry, component: name } = manifest;
  return [{ entry, component: byName.get(name ?? "") ?? null, reason: "" }];
}

type Check = (typeof CHECKS)[number];

/** What a check found, or why it did not run; `unchecked` says what it could not look at. */
type CheckResult =
  | { readonly findings: readonly Finding[]; readonly unchecked?: string | null }
  | { readonly notRun: string };

/** Runs the checks in their order, and adds what was found of manifests and view as files. */
function runChecks(
  subject: CheckSubject,
  manifests: readonly Manifest[],
  files: AtlasFiles,
  components: Components,
  unread: readonly LackingManifest[],
): { readonly findings: readonly Finding[]; readonly rules: readonly RuleOutcome[] } {
  const demographics = checkDemographics(subject);
  const results: Readonly<Record<Check, CheckResult>> = {
    H_CATEGORIES: {
      findings: checkCategories(subject, (component) => components.byName.has(component)),
    },
    H_DEM: { findings: demographics },
    H_NON_DEM: compareParticipants(subject, demographics.length === 0),
    H_BIOSPEC: { findings: checkBiospecimens(subject) },
    H_ID_SPEC: { findings: checkIds(subject) },
    H_LINKS: { findings: checkLinks(subject), unchecked: whyLinksUnchecked(subject) },
    H_ENTITY_ID: { findings: checkEntityIds(subject) },
    H_FILE_NAMES: { findings: files.findings.filter(({ rule }) => rule === "H_FILE_NAMES") },
  };
  const checks = CHECKS.map((rule) => {
    const result = results[rule];
    const isRun = !("notRun" in result);
    const findings = isRun ? result.findings : [];
    const outcome: RuleOutcome = {
      rule,
      title: ruleText(rule, rule).title,
      severity: rule === "H_FILE_NAMES" ? "warning" : "error",
      status: !isRun ? "not run" : findings.length === 0 ? "passed" : "found",
      reason: isRun ? (result.unchecked ?? null) : result.notRun,
      count: findings.length,
    };
    return { outcome, findings };
  });
  const problems = [
    ...unread.map(unreadFinding),
    ...checkDays(subject.known),
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

function compareParticipants(subject: CheckSubject, hasDemographics: boolean): CheckResult {
  if (!hasDemographics) {
    return { notRun: "There is no Demographics manifest to compare participants with." };
  }
  const why = whyNoParticipants(subject);
  return why === null ? { findings: checkParticipants(subject) } : { notRun: why };
}
