// What one manifest spells otherwise than the template and was read all the same: noted while it is read, said in one sentence.

import { count } from "../../../format.ts";
import { keptValue } from "./keptValue.ts";

/** A text as it is written, and what it was read as. */
interface Spelling {
  readonly text: string;
  readonly readAs: string;
}

/** What was noted. */
export interface SpellingNotes {
  readonly columns: readonly Spelling[];
  readonly annotation: Spelling | null;
  readonly cells: number;
  /** The first of the cells. */
  readonly first: (Spelling & { readonly column: string }) | null;
  /** Row of the first cell; null where no cell is noted. */
  readonly row: number | null;
}

/** So many column names are quoted; more would bury the sentence. */
const COLUMNS_NAMED = 3;

export type SpellingTaker = ReturnType<typeof makeSpellingNotes>;

/** Makes what notes are taken in. */
export function makeSpellingNotes() {
  const columns: Spelling[] = [];
  let annotation: Spelling | null = null;
  let cells = 0;
  let first: SpellingNotes["first"] = null;
  let row: number | null = null;
  return {
    addColumn(text: string, readAs: string): void {
      columns.push({ text, readAs });
    },
    addAnnotation(text: string, readAs: string): void {
      annotation = { text, readAs };
    },
    addCell(ofRow: number, column: string, text: string, readAs: string): void {
      cells += 1;
      if (first !== null) return;
      row = ofRow;
      first = { column, text, readAs };
    },
    notes: (): SpellingNotes => ({ columns, annotation, cells, first, row }),
  };
}

/** Says what was noted, after a manifest's name; null where nothing was. */
export function describeSpelling({
  columns,
  annotation,
  cells,
  first,
  row,
}: SpellingNotes): { readonly message: string; readonly fields: Record<string, string> } | null {
  const parts: string[] = [];
  if (columns.length > 0) {
    const named = columns.slice(0, COLUMNS_NAMED).map(quote);
    const others =
      columns.length > named.length ? ` and ${columns.length - named.length} more` : "";
    parts.push(
      `${columns.length === 1 ? "the column" : "the columns"} ${named.join(", ")}${others}`,
    );
  }
  if (annotation !== null) parts.push(`the annotation ${quote(annotation)}`);
  if (first !== null) {
    const where = `${cells === 1 ? "in" : "the first in"} row ${row} of ${first.column}`;
    parts.push(`${count(cells, "cell")}, ${where}: ${quote(first)}`);
  }
  const shown = first ?? annotation ?? columns[0];
  if (shown === undefined) return null;
  return {
    message: `has blanks, unseen characters or letter case that differ from the template's, which were passed over: ${parts.join("; ")}`,
    fields: {
      column: first?.column ?? columns[0]?.readAs ?? "Component",
      value: keptValue(shown.text),
    },
  };
}

function quote({ text, readAs }: Spelling): string {
  return `“${keptValue(text)}” (read as ${keptValue(readAs)}${reason(text, readAs)})`;
}

/** Says what cannot be seen between quotation marks. */
function reason(text: string, readAs: string): string {
  if (/^ | $/.test(text)) return "";
  if (text.trim() === readAs) return ", without the blank that is no plain one";
  return text.toLowerCase() === readAs.toLowerCase() ? "" : ", without what cannot be seen";
}
