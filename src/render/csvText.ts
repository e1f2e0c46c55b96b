// CSV as it is handed out (RFC 4180, UTF-8 with a byte-order mark, without which Excel takes it for another encoding).

/** Where a spreadsheet may begin a cell: at the start, and behind what it separates cells by where people write decimals with a comma. */
const FORMULA = /(^|[;\t\r\n]["\s]*)(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;

/** Writes one cell; text that a spreadsheet would run as a formula is set behind an apostrophe. */
export function csvCell(value: string | number | boolean): string {
  const text = String(value);
  const safe =
    typeof value === "string" ? text.replace(/^(?=[\t\r])/, "'").replace(FORMULA, "$1'") : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Writes rows below a header. */
export function csvText(
  columns: readonly string[],
  rows: Iterable<readonly (string | number | boolean)[]>,
): string {
  const lines = [columns.join(",")];
  for (const row of rows) lines.push(row.map(csvCell).join(","));
  return `\ufeff${lines.join("\r\n")}\r\n`;
}
