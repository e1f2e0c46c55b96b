// The shapes of HTAN ids, and lists of them in one cell.

const DERIVED_ID = /^HTA[1-9]\d?_(EXT)?\d+_\d+$/;

/** Tells whether an id has the form of a biospecimen's or data file's, e.g. "HTA3_8001_12" or "HTA3_EXT7_1". */
export function isDerivedId(id: string): boolean {
  return DERIVED_ID.test(id);
}

/** Tells whether an id names a record outside HTAN, which no manifest holds. */
export function isExternalId(id: string): boolean {
  return id.includes("EXT");
}

/** Tells whether a parent id has the form of a specimen's rather than a participant's: whatever hangs on it is derived. */
export function isSpecimenLike(parentId: string): boolean {
  return parentId.indexOf("_", parentId.indexOf("_") + 1) > 0;
}

/** Splits a cell into its ids, which stand between semicolons or commas. */
export function splitIds(cell: string): readonly string[] {
  if (!cell.includes(",") && !cell.includes(";")) {
    const id = cell.trim();
    return id === "" ? [] : [id];
  }
  return cell
    .split(/[;,]/)
    .map((id) => id.trim())
    .filter((id) => id !== "");
}
