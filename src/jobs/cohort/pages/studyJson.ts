// What pages about cohorts hand out as JSON, each with its JSON Schema beside it.

import { JSON_TYPE, jsonText, type PageFile } from "../../../render/page.ts";
import type { Comparison } from "../data/comparison.ts";
import type { Study, TypeLine } from "../data/study.ts";
import { studyProblems } from "../data/studyProblems.ts";
import { verdictOf } from "./overviewPage.ts";
import type { PageContext } from "./pageFrame.ts";

/** Makes data/index.json, data/checks.json and their schemas. */
export function studyJson(context: PageContext): readonly PageFile[] {
  return [
    json("data/index.json", indexJson(context)),
    json("data/checks.json", checksJson(context)),
    json("data/index.schema.json", INDEX_SCHEMA),
    json("data/checks.schema.json", CHECKS_SCHEMA),
    json("data/type.schema.json", TYPE_SCHEMA),
    ...(context.comparison === null
      ? []
      : [
          json("data/compare.json", compareJson(context, context.comparison)),
          json("data/compare.schema.json", COMPARE_SCHEMA),
        ]),
  ];
}

/** Makes the data of a type's page. */
export function typeJson({ study }: PageContext, type: TypeLine): PageFile {
  const { checks, ...line } = type;
  return json(`data/${type.type}.json`, {
    ...{ schema: "hdash/cohort-type/1", $schema: "type.schema.json" },
    ...{ namespace: study.namespace, leastPeople: study.leastPeople },
    ...line,
    checks,
  });
}

function json(path: string, value: object): PageFile {
  return { path, contentType: JSON_TYPE, text: jsonText(value) };
}

function indexJson({ study, run }: PageContext): object {
  const problems = studyProblems(study);
  const { tone, text } = verdictOf(study, problems);
  return {
    ...{ schema: "hdash/cohorts/1", $schema: "index.schema.json" },
    ...{ builtAt: run.startedAt, build: run.build, source: run.sourceLabel },
    ...{ namespace: study.namespace, datasetBuild: study.build, leastPeople: study.leastPeople },
    verdict: { tone, text },
    problems: problems.map((one) => ({ severity: one.severity, text: one.text })),
    ...{ isAccountedFor: study.isWhole, flow: study.flow, cohorts: study.cohorts },
    exports: study.exports.map(exportJson),
    types: study.types.map(typeLineJson),
    dropped: study.dropped,
  };
}

function exportJson({
  members: _members,
  memberCount,
  findings,
  ...one
}: Study["exports"][number]): object {
  const codes = [...new Set(findings.map(({ code }) => code))];
  return { ...one, members: memberCount, findings: codes };
}

function typeLineJson(type: TypeLine): object {
  const { type: name, deletes, stand, blocked, withheld, people, newest, rows, quarantined } = type;
  return {
    ...{ type: name, deletes, stand, blocked, withheld, people, newest, rows, quarantined },
    page: `cohorts/${name}.html`,
    data: `cohorts/data/${name}.json`,
  };
}

function checksJson({ study, run, trends }: PageContext): object {
  const withheld = new Set(study.withheld);
  return {
    ...{ schema: "hdash/cohort-checks/1", $schema: "checks.schema.json" },
    ...{ builtAt: run.startedAt, namespace: study.namespace },
    checks: study.checks.map((check) => ({
      ...check,
      history: withheld.has(check.type) ? [] : (trends[check.id] ?? []),
    })),
  };
}

function compareJson({ run, study }: PageContext, comparison: Comparison): object {
  return {
    ...{ schema: "hdash/cohort-comparison/1", $schema: "compare.schema.json" },
    ...{ builtAt: run.startedAt, namespace: study.namespace },
    ...comparison,
  };
}

type Schema = Readonly<Record<string, unknown>>;
const text: Schema = { type: "string" };
const textOrNull: Schema = { type: ["string", "null"] };
const whole: Schema = { type: "integer", minimum: 0 };
const wholeOrNull: Schema = { type: ["integer", "null"], minimum: 0 };
const flag: Schema = { type: "boolean" };
const day: Schema = { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\d$" };
const dayOrNull: Schema = { type: ["string", "null"], pattern: "^\\d{4}-\\d\\d-\\d\\d$" };
const moment: Schema = { type: "string", format: "date-time" };

function listOf(items: Schema): Schema {
  return { type: "array", items };
}

function mapOf(values: Schema): Schema {
  return { type: "object", additionalProperties: values };
}

/** An object that has all of these. */
function objectOf(properties: Readonly<Record<string, Schema>>): Schema {
  return { type: "object", properties, required: Object.keys(properties) };
}

function described(schema: Schema, description: string): Schema {
  return { ...schema, description };
}

function schemaOf(title: string, properties: Readonly<Record<string, Schema>>): Schema {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title,
    ...objectOf({ schema: text, ...properties }),
  };
}

const PEOPLE = described(
  listOf(objectOf({ cohort: text, count: wholeOrNull })),
  "Participants by cohort; null: fewer than leastPeople",
);
const BLOCKED: Schema = {
  anyOf: [{ type: "null" }, objectOf({ type: text, checks: listOf(text), since: moment })],
};
const WITHHELD_WHY: Schema = { enum: ["few", "people", "unknown", null] };
const STAND: Schema = { enum: ["current", "behind", "failed", "blocked", "empty"] };
const CHECK = {
  ...{ id: text, dataset: text, type: text, column: textOrNull, kind: text, text },
  ...{ outcome: { enum: ["passed", "failed", "not_run"] }, blocks: flag, why: textOrNull },
  severity: { enum: ["error", "warning"] },
  ...{ rows: wholeOrNull, missing: wholeOrNull, unexpected: wholeOrNull },
};
const FLOW = described(
  objectOf({
    ...{ read: whole, written: whole, quarantined: mapOf(whole), superseded: whole },
    ...{ duplicates: whole, deleted: whole, deletions: whole, kept: whole, waiting: whole },
  }),
  "Where lines went, without types whose numbers are withheld",
);

const INDEX_SCHEMA = schemaOf("Cohorts of a namespace", {
  ...{ builtAt: moment, build: text, source: text, namespace: text, datasetBuild: textOrNull },
  leastPeople: whole,
  verdict: objectOf({ tone: { enum: ["good", "warning", "error"] }, text }),
  problems: listOf(objectOf({ severity: { enum: ["error", "warning"] }, text })),
  isAccountedFor: described(flag, "Whether read = written + set aside for every member"),
  flow: FLOW,
  cohorts: listOf(
    objectOf({
      ...{ cohort: text, exports: whole, first: dayOrNull, newest: dayOrNull },
      ...{ gaps: listOf(day), unread: listOf(day), records: mapOf(whole) },
    }),
  ),
  exports: listOf(
    objectOf({
      ...{ key: text, cohort: text, name: text, day: dayOrNull, stand: text, why: textOrNull },
      ...{ isNew: flag, schema: textOrNull, members: whole, superseded: whole, read: whole },
      ...{ written: whole, supersededRecords: whole, manifest: whole },
      ...{ quarantined: mapOf(whole), findings: listOf(text) },
    }),
  ),
  types: listOf(
    objectOf({
      ...{ type: text, deletes: textOrNull, stand: STAND, blocked: BLOCKED },
      ...{ withheld: WITHHELD_WHY, people: PEOPLE, newest: dayOrNull, rows: wholeOrNull },
      ...{ quarantined: mapOf(wholeOrNull), page: text, data: text },
    }),
  ),
  dropped: described(listOf(text), "Columns that no dataset has"),
});

const CHECKS_SCHEMA = schemaOf("Checks of datasets", {
  ...{ builtAt: moment, namespace: text },
  checks: listOf(
    objectOf({ ...CHECK, history: listOf(objectOf({ at: moment, value: { type: "number" } })) }),
  ),
});

const TYPE_SCHEMA = schemaOf("A data type", {
  ...{ namespace: text, leastPeople: whole, type: text, deletes: textOrNull, stand: STAND },
  ...{ blocked: BLOCKED, withheld: WITHHELD_WHY, people: PEOPLE },
  days: described(mapOf(mapOf(whole)), "Records that count, by cohort and day"),
  presence: described(listOf(day), "Days of which there are records"),
  newest: dayOrNull,
  datasets: listOf(
    objectOf({
      ...{ name: text, isChild: flag, rows: wholeOrNull },
      columns: listOf(
        objectOf({
          ...{ name: text, type: text, isIdentifying: flag },
          filled: described(
            { type: ["number", "null"], minimum: 0, maximum: 1 },
            "Share of rows that have a value",
          ),
        }),
      ),
    }),
  ),
  ...{ rows: wholeOrNull, rowsBefore: wholeOrNull },
  quarantined: described(mapOf(wholeOrNull), "Lines set aside, by reason"),
  casts: described(mapOf(wholeOrNull), "Values that were changed, by field and how"),
  schemas: described(mapOf(whole), "Exports, by the schema that they were read with"),
  counts: described(mapOf(mapOf(whole)), "Rows by event and day"),
  checks: listOf(objectOf(CHECK)),
});

const SIDE = objectOf({ label: text, build: text });
const BOTH = { staging: whole, main: whole };
const OR_WITHHELD = (schema: Schema): Schema => ({ anyOf: [{ type: "null" }, schema] });
const COMPARED_ROWS = objectOf({
  ...{ ...BOTH, inCommon: whole, onlyStaging: whole, onlyMain: whole },
  ...{ someUnequal: whole, noneUnequal: whole },
});

const COMPARE_SCHEMA = schemaOf("A comparison of two builds", {
  ...{ builtAt: moment, namespace: text, staging: SIDE, main: SIDE },
  isLimited: described(flag, "Whether main is limited to the exports that staging holds"),
  datasets: listOf(
    objectOf({
      ...{ dataset: text, type: text, isChild: flag, isLimited: flag, isSame: flag },
      rows: OR_WITHHELD(COMPARED_ROWS),
      duplicates: OR_WITHHELD(objectOf(BOTH)),
      ...{ onlyStaging: listOf(text), onlyMain: listOf(text) },
      unequal: listOf(
        objectOf({
          ...{ name: text, types: objectOf({ staging: text, main: text }) },
          ...{ unequal: wholeOrNull, nullDiff: wholeOrNull },
        }),
      ),
    }),
  ),
  notCompared: listOf(objectOf({ dataset: text, why: text })),
  days: described(
    objectOf({ onlyStaging: mapOf(whole), onlyMain: mapOf(whole), unequal: mapOf(whole) }),
    "Rows of parents by the day that their export ends",
  ),
});
