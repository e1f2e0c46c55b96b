// Which components the records of a manifest name, each in its own row.

/** A component that records name: how many, and where first. */
export interface OwnComponent {
  readonly name: string;
  readonly records: number;
  readonly firstRow: number;
}

/** Records from a number on that name one component, as its place in the list; -1 where they name none. */
export type ComponentRun = readonly [record: number, place: number];

/** A manifest that names more components that nobody knows names something else. */
const MOST_UNKNOWN = 20;
/** Components are called by one word. */
const COMPONENT_LIKE = /^(?!.*\d{4})[\w.+-]{1,60}$/;

/** Collects what records say. Only what looks like a component's name is one: text that got into the column may name a person. */
export function makeOwnComponents(isKnown: (name: string) => boolean) {
  const list: { name: string; records: number; firstRow: number }[] = [];
  const placeOf = new Map<string, number>();
  const runs: [number, number][] = [];
  let place = -1;
  let unknown = 0;

  return { list, runs, add, repeat };

  /** Adds a record that names a component; "": none. Tells whether the name was taken for one. */
  function add(record: number, row: number, text: string): boolean {
    const isName = text === "" || placeOf.has(text) || isKnown(text) || mayBeNew(text);
    addName(record, row, isName ? text : "");
    return isName;
  }

  function mayBeNew(text: string): boolean {
    if (unknown >= MOST_UNKNOWN || !COMPONENT_LIKE.test(text)) return false;
    unknown += 1;
    return true;
  }

  function addName(record: number, row: number, name: string): void {
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
