// A matrix's page as a model: its numbers and figures by approach, what is odd about it, how it was made, and how to show its figures elsewhere.

import { bytes, count, instant, number, percent } from "../../../format.ts";
import {
  type AssetPaths,
  HTML,
  makeFrame,
  type Menu,
  type PageFile,
  type RenderPage,
} from "../../../render/page.ts";
import { type CellValue, makeTable, type TableModel } from "../../../render/table.ts";
import type { FigureName } from "../figures/figure.ts";
import type { MatrixNote } from "../matrix.ts";
import type { FigureSummary, GroupSummary, MatrixSummary } from "../summary.ts";
import { encodeKey, figureHrefs, figureKeys, type FigurePaths } from "./figurePaths.ts";
import { FOLDER, hrefOutside, MATRIX_PAGE } from "./pageFrame.ts";
import { makeProjectData } from "./projectData.ts";
import {
  byCells,
  type Fact,
  FIGURE_LABELS,
  FIGURE_PARTS,
  FIGURE_READING,
  filledFraction,
  FORMAT_LABELS,
  groupFacts,
  type MatrixMethod,
  methodFacts,
  roundNumber,
  speciesLabel,
} from "./projectWords.ts";

/** A figure as the page takes it: one drawing 600 pixels wide, and one of 350 for narrow screens. */
export interface ProjectFigure {
  readonly approachKey: string;
  readonly name: FigureName;
  /** Of the published PNG, in pixels; it is 600 wide. */
  readonly height: number;
  readonly inlineSvg: string;
  readonly compactSvg: string;
}

/** What the page of a matrix is made from. */
export interface ProjectPageInput {
  readonly summary: MatrixSummary;
  readonly figures: readonly ProjectFigure[];
  /** ISO 8601: when the numbers were last made anew. */
  readonly updatedAt: string;
  readonly method: MatrixMethod;
  /** Where people see the site; null where nobody said. Snippets begin with it. */
  readonly siteUrl: string | null;
  readonly assets: AssetPaths;
  readonly menu: Menu;
  /** Where the site shows the atlas that the matrix belongs to, from its root; null where it does not. */
  readonly atlasPath: string | null;
}

/** A figure as the template takes it, made or left out. */
interface PlateModel {
  readonly id: string;
  readonly title: string;
  readonly label: string;
  readonly isMade: boolean;
  readonly reason: string;
  readonly caption: string;
  readonly alt: string;
  readonly reading: string;
  readonly svg: string;
  readonly compactSvg: string;
  /** Instead of a drawing, the published picture: its height, and the shape of what is drawn in it. */
  readonly isPicture: boolean;
  readonly height: number;
  readonly shape: string;
  readonly files: FigurePaths;
  readonly snippet: string;
}

/** Letters of drawings in a page: those of about four approaches. Pictures of the others come when they are asked for. */
const MOST_DRAWN = 3_000_000;
/** Letters that a headline has room for on a narrow screen. */
const MOST_HEADLINE = 12;
/** What a figure that was left out has of a drawing. */
const NOTHING = {
  caption: "",
  alt: "",
  svg: "",
  compactSvg: "",
  isPicture: false,
  height: 0,
  shape: "",
  files: { png: "", png2x: "", thumbnail: "", svg: "", spec: "" },
  snippet: "",
};
const NOTE_MARKS: Readonly<Record<MatrixNote["severity"], string>> = {
  warning: "Warning",
  info: "Note",
};

/** Makes <id>.html and data/<id>.json, both below the folder of matrices. */
export function makeProjectPage(input: ProjectPageInput, render: RenderPage): readonly PageFile[] {
  const { summary, updatedAt, method } = input;
  return [
    {
      path: pathOf(summary),
      contentType: HTML,
      text: render("matrix/matrix", projectModel(input)),
    },
    makeProjectData({ summary, updatedAt, method, heights: heightsOf(input.figures) }),
  ];
}

function pathOf({ id }: MatrixSummary): string {
  return `${id}.html`;
}

/** Heights of the published pictures, by approach and name. */
function heightsOf(figures: readonly ProjectFigure[]): ReadonlyMap<string, number> {
  return new Map(
    figures.map(({ approachKey, name, height }) => [`${approachKey}/${name}`, height]),
  );
}

/** The box of what is drawn in a picture, without its title and caption, as a viewBox says it; "" for a drawing that does not. */
function shapeOf(svg: string): string {
  return /^<svg [^>]*viewBox="(0 0 [\d.]+ [\d.]+)"/.exec(svg)?.[1] ?? "";
}

function projectModel(input: ProjectPageInput): object {
  const { summary, updatedAt, method, assets, menu } = input;
  const { id, source, groups, notes } = summary;
  const isDrawn = drawnApproaches(input);
  const panels = byCells(groups).map((group, at) =>
    panelModel(group, { isFirst: at === 0, isDrawn: isDrawn.has(group.approach.key) }, input),
  );
  const made = panels.flatMap(({ plates }) => plates).filter(({ isMade }) => isMade);
  return {
    frame: makeFrame({
      title: `${summary.title} · matrix figures`,
      description: `Cells, genes and figures of the gene expression matrix ${summary.title}.`,
      path: FOLDER + pathOf(summary),
      menu,
      loads: MATRIX_PAGE,
      assets,
    }),
    id,
    title: summary.title,
    species: speciesLabel(summary.species),
    atlasId: summary.atlasId ?? "",
    atlasHref: hrefOutside(input.atlasPath),
    pageUrl: webAddress(source.pageUrl),
    meta: [
      FORMAT_LABELS[summary.format],
      ...(source.bytes === null ? [] : [bytes(source.bytes)]),
      `from ${source.label}`,
      `updated ${instant(updatedAt)}`,
    ].join(" · "),
    headlines: headlines(summary),
    hasNotes: notes.length > 0,
    notesTitle: notes.some(({ severity }) => severity === "warning")
      ? "What is odd about this matrix"
      : "Worth knowing",
    notes: notes.map(({ rule, severity, message }) => ({
      rule,
      tone: severity,
      mark: NOTE_MARKS[severity],
      // Sentences begin large; names of files stay as they are.
      message: message.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase()),
    })),
    tabs: [
      ...panels.map(({ tab, key, badge }) => ({ id: tab, label: key, badge })),
      { id: "method", label: "How it was made", badge: "" },
      { id: "reuse", label: "Use the figures", badge: "" },
    ],
    panels,
    sourceFacts: sourceFacts(summary, updatedAt),
    method: methodFacts(method),
    hasFigures: made.length > 0,
    snippet: (made.find(({ label }) => label === FIGURE_LABELS.umap) ?? made[0])?.snippet ?? "",
    hasSite: input.siteUrl !== null,
    keys: keysTable(summary),
    jsonPath: `data/${encodeURIComponent(id)}.json`,
  };
}

/** Lets through what can be followed from a web page; a source may say anything. */
function webAddress(url: string | null): string {
  return url !== null && /^https?:\/\//i.test(url) ? url : "";
}

function headlines(summary: MatrixSummary): readonly Fact[] {
  const { groups } = summary;
  const emptyCells = groups.reduce((sum, group) => sum + group.emptyCells, 0);
  const [only] = groups.length === 1 ? groups : [];
  return [
    {
      label: "Cells",
      value: number(summary.cells),
      note: emptyCells === 0 ? "all with counts" : `${number(emptyCells)} without counts`,
    },
    {
      label: "Genes",
      value: number(summary.genes),
      note: only === undefined ? "in the gene table" : `${number(only.detectedGenes)} with counts`,
    },
    {
      label: "Counts",
      value: roundNumber(summary.counts),
      note: `in ${roundNumber(summary.entries)} entries`,
    },
    {
      label: "Filled",
      value: percent(filledFraction(summary)),
      note: "of cells × genes",
    },
    only === undefined
      ? {
          label: "Approaches",
          value: number(groups.length),
          note: byCells(groups)
            .map(({ approach }) => approach.key)
            .join(", "),
        }
      : {
          label: "Approach",
          value: only.approach.key.length > MOST_HEADLINE ? "1" : only.approach.key,
          note: only.approach.label,
        },
  ];
}

/** Chooses the approaches whose drawings are in the page, largest first: as many as there is room for, and one in any case. */
function drawnApproaches({ summary, figures }: ProjectPageInput): ReadonlySet<string> {
  const chosen = new Set<string>();
  let letters = 0;
  for (const { approach } of byCells(summary.groups)) {
    letters += figures
      .filter(({ approachKey }) => approachKey === approach.key)
      .reduce((sum, { inlineSvg, compactSvg }) => sum + inlineSvg.length + compactSvg.length, 0);
    if (chosen.size > 0 && letters > MOST_DRAWN) break;
    chosen.add(approach.key);
  }
  return chosen;
}

function panelModel(
  group: GroupSummary,
  { isFirst, isDrawn }: { readonly isFirst: boolean; readonly isDrawn: boolean },
  input: ProjectPageInput,
) {
  const { summary } = input;
  const { key, label } = group.approach;
  const drawn = new Map(
    input.figures
      .filter(({ approachKey }) => approachKey === key)
      .map((figure) => [figure.name, figure]),
  );
  const plates = group.figures.map((figure) =>
    plateModel(figure, group, drawn.get(figure.name), isDrawn, input),
  );
  return {
    tab: `lca-${key}`,
    key,
    label,
    badge: number(group.cells),
    isFirst,
    facts: groupFacts(group, summary.genes),
    plates,
    parts: FIGURE_PARTS.map(({ title, isStacked, figures }) => ({
      title,
      isStacked,
      plates: plates.filter((_, at) => figures.includes(group.figures[at]?.name ?? "pca")),
    })).filter((part) => part.plates.length > 0),
  };
}

function plateModel(
  figure: FigureSummary,
  group: GroupSummary,
  drawn: ProjectFigure | undefined,
  isDrawn: boolean,
  { summary, siteUrl }: ProjectPageInput,
): PlateModel {
  const { name, title } = figure;
  const shared = {
    id: `fig-${group.approach.key}-${name}`,
    title,
    label: FIGURE_LABELS[name],
    reading: FIGURE_READING[name],
  };
  if (figure.reason !== null || drawn === undefined) {
    const reason = figure.reason ?? "It was not drawn.";
    return { ...shared, ...NOTHING, isMade: false, reason };
  }
  const { caption, alt } = figure;
  return {
    ...shared,
    isMade: true,
    reason: "",
    caption,
    alt,
    svg: isDrawn ? drawn.inlineSvg : "",
    compactSvg: isDrawn ? drawn.compactSvg : "",
    isPicture: !isDrawn,
    height: drawn.height,
    shape: shapeOf(drawn.inlineSvg),
    files: figureHrefs(summary.id, group.approach, name),
    snippet: snippetOf(
      `${siteRoot(siteUrl)}/${encodeKey(figureKeys(summary.id, group.approach, name).png)}`,
      alt,
      drawn.height,
    ),
  };
}

/** The site's address without the page or slash at its end; "" where nobody said, and snippets then begin at the root. */
function siteRoot(siteUrl: string | null): string {
  return siteUrl === null ? "" : siteUrl.replace(/\/*(\/index\.html)?$/, "");
}

/** Writes the markup that shows a figure in another page. */
function snippetOf(src: string, alt: string, height: number): string {
  const escape = (text: string) =>
    text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return `<img src="${escape(src)}"\n  width="600" height="${height}" loading="lazy"\n  alt="${escape(alt)}">`;
}

function sourceFacts({ source, format, id, projectId, species }: MatrixSummary, updatedAt: string) {
  const fact = (label: string, value: string): Fact => ({ label, value, note: "" });
  return [
    fact("Matrix", id),
    ...(projectId === id ? [] : [fact("Project", projectId)]),
    ...(species === null ? [] : [fact("Species", speciesLabel(species))]),
    fact("Source", source.label),
    fact("File", source.fileName),
    ...(source.bytes === null
      ? []
      : [fact("Size", `${bytes(source.bytes)} (${count(source.bytes, "byte")})`)]),
    fact("Format", FORMAT_LABELS[format]),
    ...Object.entries(source.version).map(([name, value]) => fact(versionLabel(name), value)),
    fact("Updated", instant(updatedAt)),
  ];
}

function versionLabel(name: string): string {
  return { sha256: "SHA-256", etag: "ETag", version: "Version" }[name] ?? name;
}

/** The table of where each figure lies, which can be downloaded as it is shown. */
function keysTable(summary: MatrixSummary): TableModel {
  return makeTable({
    id: "keys",
    name: `${summary.id}-figures`,
    caption: "Keys of the figures",
    columns: [
      { key: "figure", label: "Figure", kind: "text" },
      { key: "approach", label: "Approach", kind: "text" },
      { key: "key", label: "Key", kind: "text", prose: true },
    ],
    rows: byCells(summary.groups).flatMap(({ approach, figures }) =>
      figures.map((figure): readonly CellValue[] => {
        const label = FIGURE_LABELS[figure.name];
        if (figure.reason !== null) {
          return [label, approach.key, { text: "", note: `Left out: ${figure.reason}` }];
        }
        const { png } = figureKeys(summary.id, approach, figure.name);
        return [label, approach.key, { text: png, href: `../${encodeKey(png)}` }];
      }),
    ),
    empty: "The matrix has no cells, and so no figures.",
  });
}
