import { describe, expect, test } from "vitest";

import {
  makeProjectPage,
  type ProjectPageInput,
} from "../../../../src/jobs/matrix/pages/projectPage.ts";
import type { MatrixSummary } from "../../../../src/jobs/matrix/summary.ts";
import { BOTH_MENU, readDesign } from "../../../support/siteSample.ts";
import { AWKWARD, HOSTILE, LIVER, RETINA, sampleFigures } from "../summarySample.ts";

const { templates, assets } = readDesign();
const METHOD = { seed: 1, sampleCells: 50_000, madeWith: { "scran.js": "4.1.0" } };

function files(summary: MatrixSummary, more: Partial<ProjectPageInput> = {}) {
  const made = makeProjectPage(
    {
      summary,
      figures: sampleFigures(summary),
      updatedAt: "2026-11-20T02:00:00.000Z",
      method: METHOD,
      siteUrl: "https://data.example.org/",
      assets: assets.paths,
      menu: BOTH_MENU,
      atlasPath: null,
      ...more,
    },
    (template, model) => templates.render(template, model),
  );
  return { made, html: made[0]?.text ?? "", json: made[1]?.text ?? "" };
}

/** What stands between two marks, both found once. */
function between(html: string, from: string, to: string): string {
  const start = html.indexOf(from);
  return html.slice(start, html.indexOf(to, start));
}

describe("makeProjectPage(input, render)", () => {
  test("makes a page and its data, below the folder of matrices", () => {
    expect(files(RETINA).made.map(({ path, contentType }) => [path, contentType])).toEqual([
      ["8185730f-4113-40d3-9cc3-929271784c2b.html", "text/html; charset=utf-8"],
      ["data/8185730f-4113-40d3-9cc3-929271784c2b.json", "application/json; charset=utf-8"],
    ]);
    expect(files(RETINA).html).toContain(
      '<a href="data/8185730f-4113-40d3-9cc3-929271784c2b.json">',
    );
  });

  test("says what the matrix is, from where, and since when", () => {
    const { html } = files(LIVER);
    expect(html).toContain(
      '<p class="meta"><i>Homo sapiens</i> · MatrixMarket · 1.28 GB · from Azul dcp50 · updated 20 Nov 2026, 02:00 UTC · <a href="https://example.org/projects/4d6f6c96">about the project</a></p>',
    );
    expect(files(RETINA).html).toContain(
      '<p class="meta"><i>Mus musculus</i> · Loom · from s3://staging.project-assets.data.humancellatlas.org · updated 20 Nov 2026, 02:00 UTC</p>',
    );
  });

  test("has a tab for each approach, the one with the most cells first, then how and what for", () => {
    const tabs = [
      ...files(LIVER).html.matchAll(
        /data-tab="([^"]+)">([^<]+?)(?: <span class="badge">([^<]+)|<)/g,
      ),
    ];
    expect(tabs.map(([, id, label, badge]) => [id, label, badge])).toEqual([
      ["lca-10X", "10X", "330,000"],
      ["lca-SS2", "SS2", "2,730"],
      ["method", "How it was made", undefined],
      ["reuse", "Use the figures", undefined],
    ]);
    expect(files(LIVER).html.match(/class="panel is-shown" id="([^"]+)"/)?.[1]).toBe(
      "panel-lca-10X",
    );
  });

  test("shows the numbers at the top: those of the one approach where there is one", () => {
    const top = (summary: MatrixSummary) =>
      [
        ...between(files(summary).html, '<dl class="headlines"', "</dl>").matchAll(
          /<dt>(.*?)<\/dt><dd class="figure-value">(.*?)<\/dd><dd class="change">(.*?)<\/dd>/g,
        ),
      ].map((found) => found.slice(1));
    expect(top(LIVER)).toEqual([
      ["Cells", "332,730", "12 without counts"],
      ["Genes", "58,347", "in the gene table"],
      ["Counts", "2.35 billion", "in 271 million entries"],
      ["Filled", "1.4%", "of cells × genes"],
      ["Approaches", "2", "10X, SS2"],
    ]);
    expect(top(RETINA)).toEqual([
      ["Cells", "48", "all with counts"],
      ["Genes", "23,433", "17,952 with counts"],
      ["Counts", "910,112", "in 101,233 entries"],
      ["Filled", "9.0%", "of cells × genes"],
      ["Approach", "SS2", "Smart-seq2"],
    ]);
  });

  test("counts to one where the only approach has a name too long for a headline", () => {
    const approach = { key: "single-nucleus-combinatorial-indexing", label: "sci" };
    const groups = RETINA.groups.map((group) => ({ ...group, approach }));
    expect(files({ ...RETINA, groups }).html).toContain(
      '<dt>Approach</dt><dd class="figure-value">1</dd><dd class="change">sci</dd>',
    );
  });

  test("shows a figure with its caption, how it is read, its words and its files", () => {
    const plate = between(files(LIVER).html, 'id="fig-10X-umap"', "</article>");
    const folder =
      "../project-assets/project-stats/4d6f6c96-2a83-43d8-8fe1-0f53bffd4674.homo_sapiens/10X";
    expect([...plate.matchAll(/href="([^"]+)"/g)].map(([, href]) => href)).toEqual([
      `${folder}/umap.png`,
      `${folder}/umap%402x.png`,
      `${folder}/umap.svg`,
      `${folder}/umap.vl.json`,
    ]);
    expect(plate).toContain('<p class="caption">330,000 of 330,000 cells.</p>');
    expect(plate).toContain("Only closeness has a meaning");
    expect(plate).toContain("<b>Here:</b> UMAP by cluster and by CST3: the median cell has");
    expect(plate.match(/<svg /g)).toHaveLength(2);
    expect(plate).toContain('viewBox="0 0 350 320"');
  });

  test("keeps the place of a figure that was left out, with its reason", () => {
    const { html } = files(RETINA);
    const plate = between(html, 'id="fig-SS2-umap"', "</article>");
    expect(plate).toContain(
      "Left out.</span> 48 cells are too few for a graph of 10 neighbours each.",
    );
    expect(plate).not.toContain("<svg");
    expect(html.match(/<article class="plate is-left-out"/g)).toHaveLength(3);
    expect(html).toContain("Left out: There are no clusters to compare.");
    // It would be a hole in the contact sheet.
    expect(html).toContain(
      '<a class="is-left-out" href="#fig-SS2-umap"><i aria-hidden="true">left out</i><span>UMAP</span></a>',
    );
  });

  test("says so of a figure that should be there and was not drawn", () => {
    const { html } = files(LIVER, { figures: [] });
    expect(html.match(/Left out\.<\/span> It was not drawn\./g)).toHaveLength(16);
    expect(html).not.toContain("<pre");
  });

  test("tells what is odd about the matrix, or only worth knowing", () => {
    const remarks = between(files(RETINA).html, '<section class="remarks"', "</section>");
    expect(remarks).toContain("What is odd about this matrix");
    expect(
      [...remarks.matchAll(/tone-(\w+)">(\w+)<\/span> <span>(.*?)<\/span>/g)].map((one) =>
        one.slice(1),
      ),
    ).toEqual([
      [
        "warning",
        "Warning",
        "matrix.mtx.gz: 1,204 of 101,233 values were not whole, the first is 2.51; they were rounded to the nearest.",
      ],
      [
        "warning",
        "Warning",
        "genes.tsv.gz: 31 symbols occur twice, the first is Ptp4a1; they were made unique (Ptp4a1-1).",
      ],
      ["info", "Note", "No gene symbol starts with MT- or mt-."],
    ]);
    expect(files(LIVER).html).toContain("Worth knowing");
    const message = "no gene symbol starts with MT- or mt-";
    expect(
      files({ ...LIVER, notes: [{ rule: "M_NO_MITO", severity: "info", message }] }).html,
    ).toContain("<span>No gene symbol starts with MT- or mt-</span>");
    expect(files({ ...LIVER, notes: [] }).html).not.toContain('class="remarks"');
  });

  test("leads to the atlas only where another job shows it", () => {
    const atlasPath = "HTA9.html#figures";
    expect(files(LIVER, { atlasPath }).html).toContain('<a href="../HTA9.html#figures">HTA9</a>');
    expect(files(LIVER).html).not.toContain("HTA9.html");
  });

  test("offers markup with the stable key, from the site's root where its address is not known", () => {
    const snippet = (html: string) =>
      /<div class="snippet"><pre[^>]*Markup of a figure[^>]*>(.*?)<\/pre>/s.exec(html)?.[1];
    const key =
      "project-assets/project-stats/4d6f6c96-2a83-43d8-8fe1-0f53bffd4674.homo_sapiens/10X/umap.png";
    const rest =
      '"\n  width="600" height="406" loading="lazy"\n  alt="UMAP by cluster and by CST3: the median cell has 2,204 counts &amp; 820 genes, the highest &quot;share&quot; is 3.1%.">';
    const escaped = (text: string) =>
      text
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(">", "&gt;")
        .replaceAll('"', "&quot;")
        .replaceAll("=", "&#x3D;");
    expect(snippet(files(LIVER).html)).toBe(
      escaped(`<img src="https://data.example.org/${key}${rest}`),
    );
    expect(snippet(files(LIVER, { siteUrl: "https://data.example.org/index.html" }).html)).toBe(
      escaped(`<img src="https://data.example.org/${key}${rest}`),
    );
    const { html } = files(LIVER, { siteUrl: null });
    expect(snippet(html)).toBe(escaped(`<img src="/${key}${rest}`));
    expect(html).toContain("Put the address of the site before the path.");
  });

  test("draws every approach that there is room for, and shows published pictures of the others", () => {
    const drawings = (html: string, key: string) =>
      between(html, `id="panel-lca-${key}"`, "</section>").match(/<svg [^>]*role="img"/g)?.length ??
      0;
    const all = files(LIVER).html;
    expect([drawings(all, "10X"), drawings(all, "SS2")]).toEqual([16, 16]);
    expect(all).not.toContain('<div class="drawing picture"');
    // Each as heavy as a fifth of what there is room for: the second approach has none left.
    const heavy = sampleFigures(LIVER).map((figure) => ({
      ...figure,
      compactSvg: figure.compactSvg.replace("</svg>", `<!--${"x".repeat(600_000)}--></svg>`),
    }));
    const { html } = files(LIVER, { figures: heavy });
    expect([drawings(html, "10X"), drawings(html, "SS2")]).toEqual([16, 0]);
    const plate = between(html, 'id="fig-SS2-umap"', "</article>");
    const folder = `../project-assets/project-stats/${LIVER.id}/SS2`;
    expect(plate).toContain(
      `<div class="drawing picture"><svg viewBox="0 0 600 320" aria-hidden="true"></svg><img src="${folder}/umap.png" srcset="${folder}/umap.png 600w, ${folder}/umap%402x.png 1200w" sizes="(min-width: 82rem) 56rem, (min-width: 62rem) 37.5rem, 100vw" alt="UMAP by cluster and by CST3: the median cell has 2,204 counts &amp; 820 genes, the highest &quot;share&quot; is 3.1%." width="600" height="406" loading="lazy" decoding="async"></div>`,
    );
    const figures = heavy.map((figure) => ({ ...figure, inlineSvg: "<svg></svg>" }));
    expect(files(LIVER, { figures }).html).toContain('<div class="drawing picture"><img');
  });

  test("lets no word turn its neighbours around", () => {
    const turned = "a\u202eb\u2066c\u0085d\u0001e";
    const notes = [{ rule: "M_TABLE", severity: "info", message: turned } as const];
    const { html } = files({ ...LIVER, title: turned, notes });
    expect(html).toContain("<h1>abcde</h1>");
    expect(html).toContain("<span>abcde</span>");
    expect(html).not.toMatch(/[\u0001\u0085\u202e\u2066]/);
  });

  test("shows awkward names as text wherever they are", () => {
    const { html } = files(AWKWARD);
    expect(html).not.toContain("<img src=x");
    expect(html).not.toContain("javascript:");
    expect(html).not.toContain("<b>sons");
    expect(html).toContain(
      "<h1>A &lt;i&gt;census&lt;/i&gt; &amp; &quot;atlas&quot; of &lt;img src&#x3D;x",
    );
    expect(html).toContain("O&#x27;Neil &amp; &lt;b&gt;sons&lt;/b&gt;.h5ad");
  });

  test("shows a matrix without cells", () => {
    const { html } = files({ ...RETINA, cells: 0, entries: 0, groups: [], notes: [] });
    expect(html).toContain("The matrix has no cells, and so no figures.");
  });

  test("writes everything as data, figures with their sizes and keys", () => {
    const data = JSON.parse(files(RETINA).json) as {
      groups: readonly { figures: readonly object[] }[];
    };
    const { groups, notes, ...matrix } = RETINA;
    const { figures: _figures, ...group } = groups[0] ?? {};
    const [{ figures = [], ...read } = { figures: [] }] = data.groups;
    expect({ ...data, groups: [] }).toEqual({
      schema: "hdash/matrix/1",
      updatedAt: "2026-11-20T02:00:00.000Z",
      page: "matrices/8185730f-4113-40d3-9cc3-929271784c2b.html",
      ...matrix,
      groups: [],
      notes,
      method: METHOD,
    });
    expect(read).toEqual(group);
    const base = "project-assets/project-stats/8185730f-4113-40d3-9cc3-929271784c2b/SS2/violin";
    expect(figures[1]).toEqual({
      name: "violin",
      title: "Counts, genes and mitochondrial share per cell",
      caption: "48 of 48 cells.",
      alt: 'Counts, genes and mitochondrial share per cell: the median cell has 2,204 counts & 820 genes, the highest "share" is 3.1%.',
      reason: null,
      width: 600,
      height: 446,
      files: {
        png: `${base}.png`,
        png2x: `${base}@2x.png`,
        thumbnail: `${base}-thumb.png`,
        svg: `${base}.svg`,
        spec: `${base}.vl.json`,
      },
    });
    expect(figures[6]).toEqual({
      name: "umap",
      title: "UMAP by cluster and by CST3",
      caption: null,
      alt: null,
      reason: "48 cells are too few for a graph of 10 neighbours each.",
      width: null,
      height: null,
      files: null,
    });
    expect(figures).toHaveLength(8);
    expect(files(RETINA, { figures: [] }).json).toContain('"width":600,"height":null');
    expect(files(AWKWARD).json).toContain(JSON.stringify(HOSTILE));
  });

  test("is the same whenever it is made", () => {
    expect(files(LIVER)).toEqual(files(LIVER));
  });
});
