// HTAN's data model as its CSV has it (in the form of schematic), held against the component table: what the table lacks.

import { HdashError } from "../../../error.ts";
import { list } from "../../../format.ts";
import { makeCsvScanner } from "../../../formats/csv.ts";
import { cellText } from "../../../formats/csvRecord.ts";
import type { Component, Components } from "./components.ts";
import type { Labels, PermittedValues } from "./labels.ts";

/** A template of the model: a kind of manifest, as far as the table has to know it. */
export interface ModelTemplate {
  /** As manifests name it: "ScRNA-seqLevel1" for "scRNA-seq Level 1". */
  readonly component: string;
  readonly primaryIdColumn: string | null;
  readonly parentIdColumns: readonly string[];
  readonly adjacentIdColumn: string | null;
}

/** What differs between model and table. */
export interface ModelDifferences {
  /** Templates that the table has no entry for. */
  readonly lacking: readonly ModelTemplate[];
  /** Entries whose columns are not the template's, with what differs in words. */
  readonly differing: readonly { readonly component: string; readonly what: string }[];
  /** Entries that the model has no template for; manifests of an older model may still be around. */
  readonly gone: readonly string[];
}

/** Columns of a record's own id, of which the first that a template has is its own: files are of participants, too. */
const OWN_ID_COLUMNS = [
  "HTAN Data File ID",
  "HTAN Biospecimen ID",
  "HTAN Channel Metadata ID",
  "HTAN RPPA Antibody Table ID",
  "Accessory Synapse ID",
] as const;
const PARTICIPANT_COLUMN = "HTAN Participant ID";
/** So many columns say nothing but what and whose a record is: such a row only groups others. */
const EMPTY_TEMPLATE = 2;

/** A model as hdash needs it. */
export interface DataModel {
  readonly templates: readonly ModelTemplate[];
  /** Attribute → the values that it may have; only those of which the model lists any. */
  readonly permitted: PermittedValues;
}

/** Reads a model's CSV, all in its order. Throws a config error where it is no such file. */
export function readModel(text: string): DataModel {
  const rows: string[][] = [];
  const scanner = makeCsvScanner((record) => {
    rows.push(Array.from({ length: record.length }, (_, at) => cellText(record, at).trim()));
    return true;
  });
  scanner.push(Buffer.from(text.replace(/^\uFEFF/, "")));
  const { unclosedRow } = scanner.end();
  const [header = [], ...records] = rows;
  const [name, columns, values] = ["Attribute", "DependsOn", "Valid Values"].map((column) =>
    header.indexOf(column),
  ) as [number, number, number];
  if (unclosedRow !== null || name < 0 || columns < 0) {
    const why =
      unclosedRow === null
        ? "it has no columns Attribute and DependsOn"
        : `a quote in line ${unclosedRow} is not closed`;
    throw new HdashError("config", `this is no data model: ${why}`, {
      hint: "Give the HTAN.model.csv of a release of ncihtan/data-models.",
    });
  }
  return {
    templates: records.flatMap((cells) => {
      const template = readTemplate(cells[name] ?? "", cells[columns] ?? "");
      return template === null ? [] : [template];
    }),
    permitted: Object.fromEntries(
      records.flatMap((cells) => {
        const listed = listOf(cells[values] ?? "");
        return listed.length === 0 ? [] : [[cells[name] ?? "", listed]];
      }),
    ),
  };
}

function listOf(cell: string): readonly string[] {
  return cell
    .split(",")
    .map((value) => value.trim())
    .filter((value) => value !== "");
}

/** What a column's labels lack of a model; null: the model lists no values for it. */
export interface LabelDifference {
  readonly column: string;
  readonly lacking: readonly string[] | null;
}

/** Lists the permitted values of a model that labels lack, and columns of labels that the model lists nothing for. */
export function compareLabels(
  { permitted: inModel }: Pick<DataModel, "permitted">,
  { permitted }: Pick<Labels, "permitted">,
): readonly LabelDifference[] {
  return Object.entries(permitted).flatMap(([column, known]): readonly LabelDifference[] => {
    const values = inModel[column];
    if (values === undefined) return [{ column, lacking: null }];
    const lacking = values.filter((value) => !known.includes(value));
    return lacking.length === 0 ? [] : [{ column, lacking }];
  });
}

function readTemplate(attribute: string, dependsOn: string): ModelTemplate | null {
  const columns = dependsOn.split(",").map((column) => column.trim());
  const isTemplate =
    columns.includes("Component") || columns.some((one) => /^HTAN .*ID$/.test(one));
  if (!isTemplate || columns.length <= EMPTY_TEMPLATE) return null;
  const parents = columns.filter((column) => /HTAN Parent\b.*ID$/.test(column));
  const own =
    OWN_ID_COLUMNS.find((column) => columns.includes(column)) ??
    // Of a template with parents, the participant is no more than a reminder.
    (columns.includes(PARTICIPANT_COLUMN) && parents.length === 0 ? PARTICIPANT_COLUMN : null);
  return {
    component: componentName(attribute),
    primaryIdColumn: own,
    parentIdColumns: parents,
    adjacentIdColumn: columns.find((column) => /^Adjacent .*IDs?$/.test(column)) ?? null,
  };
}

/** Manifests name a template without spaces, and with a capital in front. */
function componentName(attribute: string): string {
  const name = attribute.replaceAll(" ", "");
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Compares the templates of a model with the table. Names are compared without regard to case, which releases have changed. */
export function compareModel(
  templates: readonly ModelTemplate[],
  { list: table }: Components,
): ModelDifferences {
  const keyOf = (name: string): string => name.toLowerCase();
  const known = new Map(table.map((component) => [keyOf(component.component), component]));
  const inModel = new Set(templates.map(({ component }) => keyOf(component)));
  return {
    lacking: templates.filter(({ component }) => !known.has(keyOf(component))),
    differing: templates.flatMap((template) => {
      const component = known.get(keyOf(template.component));
      const what = component === undefined ? [] : differences(template, component);
      return what.length === 0 ? [] : [{ component: template.component, what: what.join("; ") }];
    }),
    gone: table
      .map(({ component }) => component)
      .filter((component) => !inModel.has(keyOf(component))),
  };
}

function differences(template: ModelTemplate, component: Component): readonly string[] {
  const said = (columns: readonly (string | null)[]): string =>
    list(columns.filter((column) => column !== null)) || "none";
  const compare = (
    what: string,
    model: readonly (string | null)[],
    table: readonly (string | null)[],
  ): readonly string[] =>
    [...model].sort().join() === [...table].sort().join()
      ? []
      : [`${what} ${said(model)}, not ${said(table)}`];
  return [
    ...compare("own id is", [template.primaryIdColumn], [component.primaryIdColumn]),
    ...compare("parents are in", template.parentIdColumns, component.parentIdColumns),
    ...compare("adjacent ids are in", [template.adjacentIdColumn], [component.adjacentIdColumn]),
  ];
}

/** Writes the entry that a template would have in the table; kind, group and abbreviation are to be looked at. */
export function draftEntry(template: ModelTemplate): string {
  const { component, primaryIdColumn, parentIdColumns, adjacentIdColumn } = template;
  const kind =
    primaryIdColumn === PARTICIPANT_COLUMN
      ? "clinical"
      : primaryIdColumn === "HTAN Biospecimen ID"
        ? "biospecimen"
        : primaryIdColumn === "HTAN Data File ID"
          ? "assay"
          : "table";
  const parentIdColumn =
    parentIdColumns.length > 1 ? parentIdColumns : (parentIdColumns[0] ?? null);
  const entry = { component, kind, group: "?", abbreviation: "?", primaryIdColumn };
  return JSON.stringify({ ...entry, parentIdColumn, adjacentIdColumn, rare: true });
}
