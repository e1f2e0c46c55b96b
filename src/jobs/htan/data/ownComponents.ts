// Which components the records of a manifest name, each in its own row.

/** A component that records name: how many, and where first. */
export interface OwnComponent {
  readonly name: string;
  readonly records: number;
  readonly firstRow: number;
}

/** Records from a number on that name one component, as its place in the list; -1 where they name none. */
export type ComponentRun = readonly [record: number, place: number];

/** Collects what records say. */
export function makeOwnComponents() {
  const list: { name: string; records: number; firstRow: number }[] = [];
  const placeOf = new Map<string, number>();
  const runs: [number, number][] = [];
  let place = -1;

  return { list, runs, add, repeat };

  /** Adds a record that names a component; "": none. */
  function add(record: number, row: number, name: string): void {
    const at =
      name === "" ? -1 : (placeOf.get(name) ?? list.push({ name, records: 0, firstRow: row }) - 1);
    if (at >= 0) placeOf.set(name, at);
    if (at !== place || runs.length === 0) runs.push([record, at]);
    place = at;
    repeat();
  }

  /** Adds a record that names the same as the one before. */
  function repeat(): void {
    const one = list[place];
    if (one !== undefined) one.records += 1;
  }
}
