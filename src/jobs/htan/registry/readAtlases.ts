// The atlas list as people write it: a CSV file with one line per atlas.

import { HdashError } from "../../../error.ts";
import { makeCsvScanner } from "../../../formats/csv.ts";
import { findDialect } from "../../../formats/csvDialect.ts";
import { cellText } from "../../../formats/csvRecord.ts";
import type { Atlas } from "../data/atlas.ts";
import { isAtlasId } from "../data/ids.ts";
import { cleanText, foldName } from "../data/spelling.ts";

const COLUMNS = ["id", "atlas_id", "name", "liaison"] as const;

/** A record of the list, with the line it is at. */
interface Line {
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Reads the atlas list (columns id, atlas_id, name, liaison, in any order; others are passed over). Blanks around names and values, letter
 * case of names, rows and columns of nothing, and semicolons or tabs between the cells are as good as what the bundled list has.
 * Throws one config error that names the line and the value of everything that is wrong.
 */
export function readAtlases(text: string): Atlas[] {
  const { lines, unclosedRow } = readLines(text);
  const [header, ...records] = lines;
  const unclosed = unclosedRow === null ? [] : [`line ${unclosedRow}: a quote is not closed`];
  if (header === undefined) throw refused(unclosed.length > 0 ? unclosed : ["it is empty"]);
  const missing = COLUMNS.filter((name) => !header.cells.includes(name));
  if (missing.length > 0) {
    throw refused(
      missing.map(
        (name) =>
          `line ${header.line}: the column ${name} is missing; there are ${header.cells.join(", ")}`,
      ),
    );
  }
  const problems = [...unclosed];
  if (records.length === 0 && unclosedRow === null) problems.push("it has no atlas");
  const atlases = records.map((record) => readAtlas(header, record, problems));
  findRepeated(records, atlases, "atlasId", problems);
  findRepeated(records, atlases, "projectId", problems);
  if (problems.length > 0) throw refused(problems);
  return atlases;
}

function readLines(text: string) {
  const bytes = Buffer.from(text);
  const lines: Line[] = [];
  const { separator, skipped } = findDialect(bytes, (name) => isColumn(foldName(name)));
  const scanner = makeCsvScanner(
    (record) => {
      const texts = Array.from({ length: record.length }, (_, index) => cellText(record, index));
      const cells = texts.map(lines.length === 0 ? readName : cleanText);
      const width = cells.findLastIndex((cell) => cell !== "") + 1;
      if (width > 0) {
        // Cells of nothing beyond the header's last name are the spreadsheet's.
        const least = Math.min(lines[0]?.cells.length ?? width, cells.length);
        lines.push({ line: record.row, cells: cells.slice(0, Math.max(width, least)) });
      }
      return true;
    },
    '"',
    separator,
  );
  scanner.push(bytes.subarray(skipped));
  return { lines, unclosedRow: scanner.end().unclosedRow };
}

function isColumn(name: string): boolean {
  return COLUMNS.some((column) => column === name);
}

/** A column that is looked at is known whatever blanks and letters it is written with. */
function readName(text: string): string {
  const folded = foldName(text);
  return isColumn(folded) ? folded : cleanText(text);
}

function readAtlas(header: Line, { line, cells }: Line, problems: string[]): Atlas {
  if (cells.length !== header.cells.length) {
    const expected = header.cells.length;
    problems.push(
      `line ${line}: ${cells.length} cells instead of ${expected} (${cells.join(",")})`,
    );
  }
  const cell = (name: (typeof COLUMNS)[number]): string => cells[header.cells.indexOf(name)] ?? "";
  const atlas = {
    atlasId: cell("atlas_id"),
    projectId: cell("id"),
    name: cell("name"),
    liaison: cell("liaison"),
  };
  if (!isAtlasId(atlas.atlasId)) {
    problems.push(
      `line ${line}: atlas_id is ${shown(atlas.atlasId)}, which is none of HTA1 to HTA99 and HTA200 to HTA209`,
    );
  }
  if (!/^syn[1-9]\d*$/.test(atlas.projectId)) {
    problems.push(
      `line ${line}: id is ${shown(atlas.projectId)}, which is no Synapse id (syn and digits)`,
    );
  }
  if (atlas.name === "") problems.push(`line ${line}: name is empty`);
  return atlas;
}

function findRepeated(
  records: readonly Line[],
  atlases: readonly Atlas[],
  field: "atlasId" | "projectId",
  problems: string[],
): void {
  const lineOf = new Map<string, number>();
  for (const [index, atlas] of atlases.entries()) {
    const line = records[index]?.line ?? 0;
    const first = lineOf.get(atlas[field]);
    if (first === undefined) lineOf.set(atlas[field], line);
    else if (atlas[field] !== "") {
      problems.push(`line ${line}: ${atlas[field]} is already in line ${first}`);
    }
  }
}

function refused(problems: readonly string[]): HdashError {
  return new HdashError("config", problems.join("\n"), {
    hint: "The list needs the columns id, atlas_id, name and liaison; see config/htan_projects.csv.",
  });
}

function shown(value: string): string {
  return value === "" ? "empty" : JSON.stringify(value);
}
