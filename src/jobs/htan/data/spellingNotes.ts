// What one manifest spells otherwise than the template and was read all the same: noted while it is read, said in one sentence.

import { count } from "../../../format.ts";
import { isIdLike } from "./ids.ts";
import { keptValue } from "./keptValue.ts";
import { COMPONENT_COLUMN } from "./manifestColumns.ts";

/** A text as it is written, and what it was read as. */
interface Spelling {
  readonly text: string;
  readonly readAs: string;
}

/** What was noted. */
export interface SpellingNotes {
  /** Those that hdash knows. */
  readonly columns: readonly Spelling[];
  readonly otherColumns: number;
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
  let otherColumns = 0;
  let annotation: Spelling | null = null;
  let cells = 0;
  let first: SpellingNotes["first"] = null;
  let row: number | null = null;
  return {
    /** What hdash does not know by name is only counted: where the first row is a record, it is a record's. */
    addColumn(text: string, readAs: string, isKnown: boolean): void {
      if (isKnown) columns.push({ text, readAs });
      else otherColumns += 1;
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
    notes: (): SpellingNotes => ({ columns, otherColumns, annotation, cells, first, row }),
  };
}

/** Says what was noted, after a manifest's name; null where nothing was. */
export function describeSpelling({
  columns,
  otherColumns,
  annotation,
  cells,
  first,
  row,
}: SpellingNotes): { readonly message: string; readonly fields: Record<string, string> } | null {
  const parts: string[] = [];
  const all = columns.length + otherColumns;
  if (columns.length > 0) {
    const named = columns.slice(0, COLUMNS_NAMED).map(quote);
    const others = all > named.length ? ` and ${all - named.length} more` : "";
    parts.push(`${all === 1 ? "the column" : "the columns"} ${named.join(", ")}${others}`);
  } else if (all > 0) parts.push(count(all, "column name"));
  if (annotation !== null) parts.push(`the annotation ${quote(annotation)}`);
  if (first !== null) {
    const where = `${cells === 1 ? "in" : "the first in"} row ${row} of ${first.column}`;
    const what = isShown(first) ? `: ${quote(first)}` : "";
    parts.push(`${count(cells, "cell")}, ${where}${what}`);
  }
  if (parts.length === 0) return null;
  const shown = first === null ? (annotation ?? columns[0]) : isShown(first) ? first : undefined;
  return {
    message: `has blanks, unseen characters or letter case that differ from the template's, which were passed over: ${parts.join("; ")}`,
    fields: {
      ...(first === null ? {} : { column: first.column }),
      ...(shown === undefined ? {} : { value: keptValue(shown.text) }),
    },
  };
}

/** An id or a component may be shown; in a row whose cells have moved, something else may stand in their place. */
function isShown({ column, readAs }: NonNullable<SpellingNotes["first"]>): boolean {
  return column === COMPONENT_COLUMN || readAs.split(/[;,]/).every((id) => isIdLike(id.trim()));
}

function quote({ text, readAs }: Spelling): string {
  return `“${keptValue(text)}” (read as ${keptValue(readAs)}${reason(text, readAs)})`;
}

/** Says what cannot be seen between quotation marks. */
function reason(text: string, readAs: string): string {
  if (/^ | $/.test(text)) return "";
  if (text.trim() === readAs) return ", without the blank that is no plain one";
  const fold = readAs.toLowerCase();
  if (text.toLowerCase() === fold) return "";
  const isBlanks = text.replaceAll(" ", "").toLowerCase() === fold;
  return isBlanks ? ", without its blanks" : ", without what cannot be seen";
}
