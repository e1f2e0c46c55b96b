// What the site's scripts share through the window. They are classic scripts, so that pages work from a folder.

/** The part of the address that says what is shown: `#<tab>?<table>.<setting>=<value>&…`. */
interface HdashAddress {
  readonly tab: string;
  /** A copy of the settings. */
  params(): URLSearchParams;
  /** Shows a tab as a new entry of the history. */
  setTab(tab: string): void;
  /** Replaces the settings that start with a prefix, in place. */
  setParams(prefix: string, values: ReadonlyMap<string, string>): void;
  /** Calls back when the address was changed by other means than this object (a link, the back button). */
  onChange(listener: () => void): void;
}

/** A cell of a table: its text, what it compares by, and how it looks. */
interface HdashCell {
  readonly text: string;
  readonly value: number | string;
  readonly href: string;
  readonly tone: string;
  readonly note: string;
  /** Percent, or null for no bar. */
  readonly bar: number | null;
}

interface HdashColumn {
  readonly key: string;
  readonly label: string;
  readonly kind: string;
  readonly link: string;
  readonly classes: string;
}

/** What can be asked of rows without a page. */
interface HdashRows {
  /** Reads the short form of a cell that pages carry as data. */
  readCell(given: unknown, column: HdashColumn): HdashCell;
  /** What a search for contained text looks into, in lower case. */
  searchText(cell: HdashCell): string;
  /** Makes a test of a filter as typed for a column's kind: `abc`, `=abc`, `>10`, `<2 TB`, of a share `>80 %`; null where nothing is typed. */
  makeFilter(typed: string, kind: string): ((cell: HdashCell) => boolean) | null;
  compare(a: HdashCell, b: HdashCell): number;
  toCsv(columns: readonly HdashColumn[], rows: readonly (readonly HdashCell[])[]): string;
  toTsv(columns: readonly HdashColumn[], rows: readonly (readonly HdashCell[])[]): string;
  toJson(columns: readonly HdashColumn[], rows: readonly (readonly HdashCell[])[]): string;
}

/** What controls are made of; nothing of it knows a table or a gallery. */
interface HdashControls {
  /** Makes an element; strings become text, never markup. */
  make<K extends keyof HTMLElementTagNameMap>(
    name: K,
    attributes?: Readonly<Record<string, string>>,
    ...children: readonly (Node | string)[]
  ): HTMLElementTagNameMap[K];
  makeSearch(label: string): HTMLInputElement;
  /** Puts a button into each head, in the place of its words. */
  makeSortButtons(
    heads: readonly HTMLTableCellElement[],
    labels: readonly string[],
  ): readonly HTMLButtonElement[];
  /** Makes the way through pages: buttons that call back with −1 or 1, and where one is, which `show` tells it (pages count from 0). */
  makePager(
    attributes: Readonly<Record<string, string>>,
    onStep: (step: number) => void,
  ): { readonly box: HTMLDivElement; show(page: number, pages: number): void };
}

interface Window {
  hdashAddress: HdashAddress;
  hdashControls: HdashControls;
  hdashRows: HdashRows;
}
