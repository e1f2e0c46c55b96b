// What pages about cohorts share: their place in the menu, what they load, the way from one to another, and how numbers that may not be told
// are written.

import { date, number } from "../../../format.ts";
import type { JobPages } from "../../../job.ts";
import {
  type AssetPaths,
  makeFrame,
  type Menu,
  type PageAssets,
  type RenderPage,
  TABLE_PAGE,
} from "../../../render/page.ts";
import type { CellValue, TableCell } from "../../../render/table.ts";
import type { Comparison } from "../data/comparison.ts";
import type { ToldPeople } from "../data/disclosure.ts";
import type { Study } from "../data/study.ts";

/** All pages lie below it, with assets of their own: the files of other jobs are theirs. */
export const FOLDER = "cohorts/";

/** The job in the menu of its site. */
export const PAGES: JobPages = {
  brand: "Digital-health cohorts",
  isOfNoScope: true,
  places: [{ label: "Cohorts", path: `${FOLDER}index.html` }],
};

const LOADS: PageAssets = {
  styles: [...TABLE_PAGE.styles, "figures.css", "cohorts.css"],
  scripts: TABLE_PAGE.scripts,
};

/** Numbers of checks over runs, by the id of the check. */
export type Trends = Readonly<
  Record<string, readonly { readonly at: string; readonly value: number }[]>
>;

/** What every page is made with. */
export interface PageContext {
  readonly study: Study;
  readonly run: {
    readonly startedAt: string;
    readonly build: string;
    readonly sourceLabel: string;
  };
  readonly trends: Trends;
  /** The last comparison; null where there was none. */
  readonly comparison: Comparison | null;
  readonly assets: AssetPaths;
  readonly menu: Menu;
  readonly render: RenderPage;
}

/** The parts of a study's pages, in the order in which they are read in the morning. */
const PARTS = [
  { label: "Overview", href: "index.html" },
  { label: "Exports", href: "exports.html" },
  { label: "Checks", href: "checks.html" },
  { label: "Record counts", href: "counts.html" },
  { label: "Comparison", href: "compare.html" },
] as const;

/** The head of a page of cohorts; `file` is its name in their folder. */
export function headOf(
  { assets, menu, study }: PageContext,
  { title, description, file }: { title: string; description: string; file: string },
) {
  return {
    frame: makeFrame({ title, description, path: FOLDER + file, menu, loads: LOADS, assets }),
    namespace: study.namespace,
    parts: PARTS.map((part) => ({ ...part, isCurrent: part.href === file })),
  };
}

export const WITHHELD: TableCell = { text: "withheld", tone: "muted" };

/** A number of a type, or that it is withheld. */
export function toldCell(value: number | null, cell: Omit<TableCell, "text"> = {}): CellValue {
  return value === null ? WITHHELD : { text: number(value), value, ...cell };
}

/** People of a cohort: how many, or that they are few. */
export function peopleText({ count }: ToldPeople, least: number): string {
  return count === null ? `<${number(least)}` : number(count);
}

/** Few people sort before none are known, and behind nobody. */
export function peopleCell(told: ToldPeople | undefined, least: number): CellValue {
  if (told === undefined) return "";
  return { text: peopleText(told, least), value: told.count ?? 0.5 };
}

/** A day in a table; "" where there is none. */
export function dayCell(day: string | null, cell: Omit<TableCell, "text"> = {}): CellValue {
  return day === null ? "" : { text: date(day), value: day, ...cell };
}

/** Why the numbers of a type are withheld, in a sentence. */
export function withheldText(why: string, least: number): string {
  switch (why) {
    case "few":
      return `Fewer than ${number(least)} people of a cohort have data of this type: no number of it is shown here, nor is it in any sum.`;
    case "people":
      return "Each record of this type is a person: how many there are is shown by cohort alone, and they are in no sum.";
    default:
      return "Nobody could count the people of this type: no number of it is shown, nor is it in any sum.";
  }
}
