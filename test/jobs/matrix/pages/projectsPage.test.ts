import { describe, expect, test } from "vitest";

import {
  makeProjectsPage,
  type ProjectsPageInput,
} from "../../../../src/jobs/matrix/pages/projectsPage.ts";
import type { GroupSummary } from "../../../../src/jobs/matrix/summary.ts";
import { BOTH_MENU, readDesign } from "../../../support/siteSample.ts";
import { LIVER, RETINA, SAMPLE_SKIPS, sampleProjectRows, sampleRow } from "../summarySample.ts";

const { templates, assets } = readDesign();

function files(more: Partial<ProjectsPageInput> = {}) {
  const made = makeProjectsPage(
    {
      rows: sampleProjectRows(),
      skips: SAMPLE_SKIPS,
      run: { startedAt: "2026-11-21T02:00:00.000Z", build: "0.1.0", sourceLabel: "Azul dcp50" },
      assets: assets.paths,
      menu: BOTH_MENU,
      ...more,
    },
    (template, model) => templates.render(template, model),
  );
  return { made, html: made[0]?.text ?? "", json: JSON.parse(made[1]?.text ?? "null") as object };
}

/** Rows of the list, as markup. */
function rowsOf(html: string): readonly string[] {
  const body = html.slice(html.indexOf('<tbody role="rowgroup">'), html.indexOf("</tbody>"));
  return body.split("<tr ").slice(1);
}

describe("makeProjectsPage(input, render)", () => {
  test("makes the index and its data", () => {
    const { made, html } = files();
    expect(made.map(({ path, contentType }) => [path, contentType])).toEqual([
      ["index.html", "text/html; charset=utf-8"],
      ["data/index.json", "application/json; charset=utf-8"],
    ]);
    expect(html).toContain("from Azul dcp50 · built 21 Nov 2026, 02:00 UTC · build 0.1.0");
  });

  test("adds up what is known", () => {
    const totals = (input: Partial<ProjectsPageInput>) =>
      [
        ...files(input).html.matchAll(
          /<dt>(\w+)<\/dt><dd class="figure-value">(.*?)<\/dd><dd class="change">(.*?)<\/dd>/g,
        ),
      ].map((found) => found.slice(1));
    expect(totals({})).toEqual([
      ["Matrices", "3", "2 failed and 2 left out"],
      ["Projects", "3", "of 3 species"],
      ["Cells", "332,779", "1.28 GB of files"],
      ["Counts", "4.69 billion", "in 543 million entries"],
      ["Figures", "29", "10X, SS2 and sci-RNA-seq"],
    ]);
    expect(totals({ rows: [sampleRow(LIVER)], skips: [] })[0]).toEqual([
      "Matrices",
      "1",
      "all that there are",
    ]);
  });

  test("puts what failed on top, with the reason and how old the last numbers are", () => {
    const { html } = files();
    expect(html).toContain('<h2 id="failed">2 matrices could not be read</h2>');
    expect(html).toContain(
      '<li><a href="8185730f-4113-40d3-9cc3-929271784c2b.html"><strong>Whole mouse retina</strong></a> (8185730f-4113-40d3-9cc3-929271784c2b): Not updated since 2 Oct 2026, 02:00 UTC: matrix.mtx.gz ends after 101,233 of 240,000 entries: it is cut off.</li>',
    );
    expect(html).toContain("Never read: barcodes.tsv is missing &lt;img src&#x3D;x");
    expect(html).toContain("they hold the last good numbers");
    const never = files({ rows: sampleProjectRows().slice(3) }).html;
    expect(never).toContain("1 matrix could not be read");
    expect(never).not.toContain("they hold the last good numbers");
    expect(files({ rows: [sampleRow(LIVER)] }).html).not.toContain('class="notice"');
  });

  test("links a row that failed now to the page that it had before, and says since when that is kept", () => {
    const failure = "matrix.mtx is cut off.";
    const [kept = ""] = rowsOf(files({ rows: [sampleRow(LIVER, { failure })] }).html);
    expect(kept).toContain(
      `<a href="${LIVER.id}.html">${LIVER.title}</a><small>${LIVER.id}</small><small class="tone-error">Not updated since 20 Nov 2026, 02:00 UTC: ${failure}</small>`,
    );
  });

  test("names a matrix once that is called as its file is", () => {
    const id = "116965f3-f094-4769-9d28-ae675c1b569c";
    const failed = { id, title: id, summary: null, updatedAt: null };
    const says = (failure: string) => {
      const { html } = files({ rows: [{ ...failed, failure }] });
      expect(rowsOf(html)[0]?.split(id)).toHaveLength(2);
      return /<li>(.*?)<\/li>/.exec(html)?.[1];
    };
    const named = `<strong>${id}</strong>: Never read: `;
    expect(says(`${id}.h5ad: it is not an HDF5 file`)).toBe(`${named}it is not an HDF5 file`);
    expect(says(`${id}.mtx.zip: it is no zip`)).toBe(`${named}it is no zip`);
    expect(says(`${id}: it is empty`)).toBe(`${named}it is empty`);
    expect(says("matrix.mtx: it is cut off")).toBe(`${named}matrix.mtx: it is cut off`);
  });

  test("counts as left out what has no row and is a matrix, and calls the rest files", () => {
    const other = { projectId: LIVER.projectId, title: "x", why: "format", message: "No." };
    const skips = [
      { ...other, id: LIVER.id },
      { ...other, id: "README.txt" },
      { ...other, id: "f81efc03-9f56-4354-aabb-6ce819c3d414.homo_sapiens" },
      { ...other, id: "pbmc3k", why: "blacklisted" },
    ];
    const { html } = files({ rows: [sampleRow(LIVER)], skips });
    expect(html).toContain("<summary>2 matrices and 2 other files left out</summary>");
    expect(html).toContain('<dd class="figure-value">1</dd><dd class="change">2 left out</dd>');
  });

  test("counts a species once, however it is written", () => {
    const rows = ["homo_sapiens", "Homo_Sapiens", "mus_musculus", null].map((species) =>
      sampleRow({ ...LIVER, species }),
    );
    expect(files({ rows }).html).toContain("of 2 species");
  });

  test("gives each approach of a row a line, and sorts by the largest", () => {
    const [liver = ""] = rowsOf(files().html);
    expect(liver).toContain(
      'data-cells="332730" data-counts="2204.5" data-median="820" data-mito="0.0204" data-genes="58347" data-size="1284300112" data-updated="2026-11-20T02:00:00.000Z" data-species="Homo sapiens" data-approaches="10X SS2"',
    );
    expect(liver).toContain("<span>2,205</span><span>812,400</span>");
    expect(liver).toContain("<span>330,000</span><span>2,730</span>");
  });

  test("shows four approaches, and says how many there are besides", () => {
    const groups = Array.from({ length: 7 }, (_, at): GroupSummary => ({
      ...(LIVER.groups[0] as GroupSummary),
      approach: { key: `K${at}`, label: `Kit ${at}` },
      cells: at,
    }));
    const [cells = ""] = rowsOf(files({ rows: [sampleRow({ ...LIVER, groups })] }).html);
    expect([...cells.matchAll(/<b class="lca">(\w+)</g)].map(([, key]) => key)).toEqual([
      "K6",
      "K5",
      "K4",
      "K3",
    ]);
    expect(cells).toContain("<small>and 3 others</small>");
    expect(files({ rows: [sampleRow({ ...LIVER, groups })] }).html).toContain("of 7 approaches");
  });

  test("shows the UMAP, else the violins, else what there is, of the largest approach that has any", () => {
    const picture = (names: readonly string[]) => {
      const groups = LIVER.groups.map((group): GroupSummary => ({
        ...group,
        figures: group.figures.map((figure) =>
          names.includes(`${group.approach.key}/${figure.name}`)
            ? figure
            : { name: figure.name, title: figure.title, reason: "too few cells" },
        ),
      }));
      const [html = ""] = rowsOf(files({ rows: [sampleRow({ ...LIVER, groups })] }).html);
      return /<img src="[^"]*\/(\w+\/[\w-]+)\.png"/.exec(html)?.[1];
    };
    expect(picture(["10X/violin", "10X/umap"])).toBe("10X/umap-thumb");
    expect(picture(["10X/pca", "10X/violin"])).toBe("10X/violin-thumb");
    expect(picture(["10X/pca", "SS2/umap"])).toBe("10X/pca-thumb");
    expect(picture(["SS2/umap"])).toBe("SS2/umap-thumb");
    expect(picture([])).toBe(undefined);
  });

  test("has neither a link nor numbers for what never was read", () => {
    const lost = rowsOf(files().html)[3] ?? "";
    expect(lost).toContain("<b>Lost &amp; &lt;b&gt;found&lt;/b&gt;</b>");
    expect(lost).not.toContain("href=");
    expect(lost).toContain('data-cells="" data-counts=""');
  });

  test("lists what was left out in a fold", () => {
    const { html } = files();
    expect(html).toContain("<summary>2 matrices left out</summary>");
    expect(html).toContain("The blacklist of the source bucket names it.");
    expect(files({ skips: [] }).html).not.toContain("left out</summary>");
  });

  test("shows an index of nothing", () => {
    const { html } = files({ rows: [], skips: [] });
    expect(html).toContain("There is no matrix yet.");
    expect(html).not.toContain("<table");
  });

  test("shows awkward names as text", () => {
    expect(files().html).not.toContain("<img src=x");
    expect(files().html).not.toContain("<b>found");
  });

  test("stays small with a thousand matrices", () => {
    const rows = Array.from({ length: 1000 }, (_, at) =>
      sampleRow(LIVER, { title: `Matrix ${at}` }),
    );
    const { html } = files({ rows });
    expect(rowsOf(html)).toHaveLength(1000);
    expect(html.match(/<img [^>]*loading="lazy"/g)).toHaveLength(1000);
    expect(html.length).toBeLessThan(2_500_000);
  });

  test("writes it all as data, with null for what is not known", () => {
    const rows = [sampleRow(RETINA), ...sampleProjectRows().slice(3)];
    const base = "project-assets/project-stats/8185730f-4113-40d3-9cc3-929271784c2b/SS2";
    expect(files({ rows }).json).toEqual({
      schema: "hdash/matrices/1",
      builtAt: "2026-11-21T02:00:00.000Z",
      build: "0.1.0",
      source: "Azul dcp50",
      matrices: [
        {
          id: "8185730f-4113-40d3-9cc3-929271784c2b",
          title: "Whole mouse retina",
          projectId: "8185730f-4113-40d3-9cc3-929271784c2b",
          species: "mus_musculus",
          atlasId: null,
          page: "matrices/8185730f-4113-40d3-9cc3-929271784c2b.html",
          data: "matrices/data/8185730f-4113-40d3-9cc3-929271784c2b.json",
          updatedAt: "2026-11-20T02:00:00.000Z",
          failure: null,
          bytes: null,
          format: "loom",
          genes: 23_433,
          cells: 48,
          entries: 101_233,
          counts: 910_112,
          approaches: [
            {
              key: "SS2",
              label: "Smart-seq2",
              cells: 48,
              medianCounts: 2204.5,
              medianGenes: 820,
              medianMitoFraction: null,
              clusters: null,
              figures: [
                `${base}/highest_expr_genes.png`,
                `${base}/violin.png`,
                `${base}/scatter_genes_vs_counts.png`,
                `${base}/highly_variable_genes.png`,
                `${base}/pca.png`,
              ],
            },
          ],
        },
        {
          id: "116965f3-f094-4769-9d28-ae675c1b569c",
          title: "Lost & <b>found</b>",
          projectId: null,
          species: null,
          atlasId: null,
          page: null,
          data: null,
          updatedAt: null,
          failure: expect.stringContaining("barcodes.tsv is missing") as string,
          bytes: null,
          format: null,
          genes: null,
          cells: null,
          entries: null,
          counts: null,
          approaches: [],
        },
      ],
      leftOut: SAMPLE_SKIPS,
    });
  });
});
