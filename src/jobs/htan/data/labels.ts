// The words that timelines may show: the data model's permitted values for a treatment, for how a specimen was taken and where from.

import { HdashError } from "../../../error.ts";
import { SPECIMEN_COLUMNS, THERAPY_COLUMNS } from "./manifestColumns.ts";
import { isMissing } from "./missing.ts";

/** Stands in the place of whatever the model does not permit: free text may name a person. */
export const OTHER_LABEL = "other (not in the data model)";

/** Permitted values as config/htan_labels.json has them: column → values. */
export type PermittedValues = Readonly<Record<string, readonly string[]>>;

/** What labels may be. */
export interface Labels {
  readonly permitted: PermittedValues;
  /**
   * Reads a cell of a column as a label: as the model spells it, the parts of a list between commas or semicolons each for itself. What
   * is not in the model is OTHER_LABEL; a cell that says nothing is returned as it is.
   */
  read(column: LabelColumn, text: string): string;
}

/** Columns whose values are labels, as the data model calls them. */
export const LABEL_COLUMNS = [
  THERAPY_COLUMNS.label[0],
  SPECIMEN_COLUMNS.method,
  SPECIMEN_COLUMNS.site,
] as const;
export type LabelColumn = (typeof LABEL_COLUMNS)[number];

/** Reads the permitted values from their JSON; throws a config error that names what is wrong. */
export function readLabels(json: unknown): Labels {
  const permitted: Record<string, readonly string[]> = {};
  for (const column of LABEL_COLUMNS) {
    const values: unknown = (json as Readonly<Record<string, unknown>> | null)?.[column];
    if (!Array.isArray(values) || !values.every((value) => typeof value === "string")) {
      throw new HdashError("config", `the list of labels has no list of texts for ${column}`);
    }
    permitted[column] = values;
  }
  return makeLabels(permitted);
}

/** Makes the reader of labels. A column without permitted values permits none. */
export function makeLabels(permitted: PermittedValues): Labels {
  const byFold = new Map(
    Object.entries(permitted).map(([column, values]) => [
      column,
      new Map(values.map((value) => [foldLabel(value), value])),
    ]),
  );
  return {
    permitted,
    read(column, text) {
      if (isMissing(text)) return text;
      const known = byFold.get(column);
      const whole = known?.get(foldLabel(text));
      if (whole !== undefined) return whole;
      const parts = text.split(/[;,]/).filter((part) => part.trim() !== "");
      const read = parts.map((part) => known?.get(foldLabel(part)) ?? OTHER_LABEL);
      return [...new Set(read)].join(", ");
    },
  };
}

/** Older releases of the model had "Lung, NOS" for what is "Lung NOS" now. */
function foldLabel(text: string): string {
  return text.replaceAll(",", " ").trim().replace(/\s+/g, " ").toLowerCase();
}
