// A manifest taken apart by the components that its records name, where nobody annotated it.

import type { BadEntityId } from "./entityColumn.ts";
import type { Manifest } from "./manifest.ts";
import type { NotId } from "./manifestCells.ts";
import type { OwnComponent } from "./ownComponents.ts";

/**
 * Takes a manifest apart by the components that its records name, so that each counts under its own; records that name none stay with
 * the first. One of a single component, or of an annotated one, which is believed, stays whole.
 */
export function splitByComponent(manifest: Manifest): readonly Manifest[] {
  const { ownComponents, componentRuns } = manifest;
  if (manifest.isAnnotated || ownComponents.length < 2) return [manifest];
  const placeOf = new Int32Array(manifest.records);
  for (const [at, [from, place]] of componentRuns.entries()) {
    placeOf.fill(Math.max(0, place), from, componentRuns[at + 1]?.[0] ?? manifest.records);
  }
  const pieces = ownComponents.map((own) => startPiece(manifest, own));
  const numberOf = new Int32Array(manifest.records);
  let at = 0;
  for (let record = 0; record < manifest.records; record++) {
    while ((manifest.rowsFrom[at + 1]?.[0] ?? Infinity) <= record) at += 1;
    const [from, fromRow] = manifest.rowsFrom[at] ?? [0, 2];
    const piece = pieces[placeOf[record] ?? 0];
    if (piece === undefined) continue;
    const row = fromRow + record - from;
    if (row !== piece.nextRow) piece.rowsFrom.push([piece.records, row]);
    piece.nextRow = row + 1;
    numberOf[record] = piece.records;
    piece.records += 1;
    for (const [column, values] of manifest.cells) {
      piece.cells.get(column)?.push(values[record] ?? "");
    }
    // Without the column there is no number for any record.
    const entity = manifest.entityNumbers[record];
    if (entity !== undefined) piece.entityNumbers.push(entity);
  }
  for (const list of ["badEntityIds", "oddEntityIds"] as const) {
    for (const { record, value } of manifest[list]) {
      pieces[placeOf[record] ?? 0]?.[list].push({ record: numberOf[record] ?? 0, value });
    }
  }
  for (const { record, column } of manifest.notIds) {
    pieces[placeOf[record] ?? 0]?.notIds.push({ record: numberOf[record] ?? 0, column });
  }
  return pieces.map(({ nextRow: _, ...piece }) => ({ ...manifest, ...piece }));
}

function startPiece(manifest: Manifest, own: OwnComponent) {
  return {
    component: own.name,
    // A piece is of one component, so that it is not taken apart again.
    ownComponents: [own],
    componentRuns: [[0, 0]] as const,
    records: 0,
    cells: new Map([...manifest.cells.keys()].map((column): [string, string[]] => [column, []])),
    entityNumbers: [] as number[],
    notIds: [] as NotId[],
    badEntityIds: [] as BadEntityId[],
    oddEntityIds: [] as BadEntityId[],
    rowsFrom: [] as [number, number][],
    nextRow: -1,
  };
}
