// Tables that are handed out as CSV, each with its description beside it in the vocabulary of CSV on the Web (W3C, CSVW).

import { csvText } from "../../../render/csvText.ts";
import { CSV_TYPE, JSON_TYPE, jsonText, type PageFile } from "../../../render/page.ts";

export interface CsvColumn {
  readonly name: string;
  readonly datatype: "string" | "integer" | "date" | "boolean" | "decimal";
  readonly description: string;
}

export interface CsvTable {
  /** Its name without ending. */
  readonly name: string;
  readonly title: string;
  readonly columns: readonly CsvColumn[];
  /** Null: nothing is known, or it is withheld; an empty cell. */
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}

/** Makes the file of a table and that of its description, below data/. */
export function csvFiles({ name, title, columns, rows }: CsvTable): readonly PageFile[] {
  const metadata = {
    "@context": "http://www.w3.org/ns/csvw",
    url: `${name}.csv`,
    "dc:title": title,
    dialect: { header: true, encoding: "utf-8" },
    tableSchema: {
      columns: columns.map((column) => ({
        name: column.name,
        titles: column.name,
        datatype: column.datatype,
        "dc:description": column.description,
        null: "",
      })),
    },
  };
  const text = csvText(
    columns.map((column) => column.name),
    rows.map((row) => row.map((cell) => cell ?? "")),
  );
  return [
    { path: `data/${name}.csv`, contentType: CSV_TYPE, text },
    { path: `data/${name}.csv-metadata.json`, contentType: JSON_TYPE, text: jsonText(metadata) },
  ];
}
