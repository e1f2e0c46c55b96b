// Pages as models and files: what they say, and that they say it again byte for byte.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";

import { canonicalJson, type Json as AnyJson } from "../../../../src/digest.ts";
import type { Finding } from "../../../../src/finding.ts";
import { flattenFinding } from "../../../../src/finding.ts";
import type { AtlasAnalysis, TimelineEvent } from "../../../../src/jobs/htan/data/analysis.ts";
import { MANIFEST_RULES } from "../../../../src/jobs/htan/data/manifestProblems.ts";
import { CHECKS, ruleText } from "../../../../src/jobs/htan/data/ruleText.ts";
import { makeAtlasPage, type PageTools } from "../../../../src/jobs/htan/pages/atlasPage.ts";
import { csvCell } from "../../../../src/render/csvText.ts";
import {
  bigAnalysis,
  DASHBOARD_MENU,
  plainSparkline,
  readComponentList,
  readDesign,
  SAMPLE_ATLASES,
  sampleAnalysis,
  sampleBefore,
  sampleVersions,
} from "../../../support/siteSample.ts";

const { templates, assets } = readDesign();
const TOOLS: PageTools = {
  render: (name, model) => templates.render(name, model),
  sparkline: plainSparkline,
};

const COMPONENTS = readComponentList();

type Json = Readonly<Record<string, unknown>>;

/** Makes an analysis as pages get it: stored, by which its keys lose their order. */
function stored(analysis: AtlasAnalysis): AtlasAnalysis {
  return JSON.parse(canonicalJson(analysis as unknown as AnyJson)) as AtlasAnalysis;
}

/** Reads the text of a page's table, row by row. */
function tableRows(html: string, id: string): readonly (readonly string[])[] {
  const table = html.split(`id="${id}-table"`)[1]?.split("</table>")[0] ?? "";
  const body = table.split("<tbody>")[1] ?? "";
  return [...body.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = ""]) =>
    [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell = ""]) =>
      cell.replace(/<[^>]*>/g, ""),
    ),
  );
}

function files(overrides: Partial<Parameters<typeof makeAtlasPage>[0]> = {}) {
  const analysis = stored(overrides.analysis ?? sampleAnalysis("HTA1"));
  const made = makeAtlasPage(
    {
      atlas: SAMPLE_ATLASES.HTA1,
      versions: sampleVersions(analysis),
      before: sampleBefore(analysis),
      components: COMPONENTS,
      figures: [],
      gallery: [],
      assets: assets.paths,
      menu: DASHBOARD_MENU,
      ...overrides,
      analysis,
    },
    TOOLS,
  );
  const text = (path: string) => made.find((file) => file.path === path)?.text ?? "";
  return { made, text, json: (path: string) => JSON.parse(text(path)) as Json };
}

describe("makeAtlasPage(input, tools)", () => {
  test("makes the page, the SIF and the data files, each with its type", () => {
    expect(files().made.map(({ path, contentType }) => [path, contentType])).toEqual([
      ["HTA1.html", "text/html; charset=utf-8"],
      ["HTA1_network.sif", "text/plain; charset=utf-8"],
      ["data/HTA1.json", "application/json; charset=utf-8"],
      ["data/HTA1-findings.json", "application/json; charset=utf-8"],
      ["data/HTA1-findings.csv", "text/csv; charset=utf-8"],
    ]);
  });

  test("makes the same bytes again, and names no other host but Synapse", () => {
    const [first, again] = [files().made, files().made];
    expect(again).toEqual(first);
    const links =
      files()
        .text("HTA1.html")
        .match(/(?:href|src)="(?!#|data:)[^"]*"/g) ?? [];
    const outside = links.filter((link) => /"(\w+:|\/)/.test(link));
    expect(new Set(outside.map((link) => link.replace(/syn\d+/, "syn")))).toEqual(
      new Set(['href="https://www.synapse.org/Synapse:syn"']),
    );
    expect(files().text("HTA1.html")).not.toMatch(/<script>|<script [^>]*src="http| on\w+="/);
  });

  test.each(["HTA1", "HTA2", "HTA3"] as const)(
    "carries the expected numbers of %s under their names",
    (id) => {
      const expected = JSON.parse(
        readFileSync(join(import.meta.dirname, "../../../fixtures/htan/expected.json"), "utf8"),
      ) as Readonly<Record<string, Json>>;
      const data = files({ atlas: SAMPLE_ATLASES[id], analysis: sampleAnalysis(id) }).json(
        `data/${id}.json`,
      );
      for (const [key, value] of Object.entries(expected[id] ?? {}))
        expect(data[key], key).toEqual(value);
    },
  );

  test("carries the findings as flat objects with their marks", () => {
    const analysis = sampleAnalysis("HTA1");
    // The first three were not there before; of three alike, the last is the one that came.
    const NEW = new Set([0, 1, 4]);
    const flat = JSON.parse(files().text("data/HTA1-findings.json")) as Json[];
    expect(flat).toEqual(
      analysis.findings.map((finding, index) => ({
        ...flattenFinding(finding),
        isNew: NEW.has(index),
      })),
    );
    const rows = parse<Json>(files().text("data/HTA1-findings.csv"), { bom: true, columns: true });
    expect(rows).toHaveLength(flat.length);
    expect(rows[0]).toMatchObject({
      rule: "H_NON_DEM",
      isNew: "true",
      value: "HTA1_9999",
      row: "2",
    });
  });

  test("keeps findings about manifests out of the eight checks, and explains them", () => {
    const base = sampleAnalysis("HTA1");
    const odd: Finding = {
      rule: "M_EMPTY",
      severity: "error",
      subject: "syn5",
      row: null,
      message: "The manifest is empty.",
      fields: { manifest: "syn5", extra: "=1+1" },
    };
    const made = files({
      analysis: {
        ...base,
        findings: [odd],
        rules: [
          {
            rule: "M_EMPTY",
            title: "t",
            severity: "error",
            status: "found",
            reason: null,
            count: 1,
          },
        ],
      },
      before: null,
    });
    const data = made.json("data/HTA1.json");
    expect(data["otherFindings"]).toEqual({ M_EMPTY: [odd.fields] });
    expect(Object.keys(data["findings"] as Json)).toEqual([...CHECKS]);
    expect(made.text("HTA1.html")).toContain("Manifests have content");
    expect(made.text("data/HTA1-findings.csv")).toContain(",'=1+1,");
  });

  test("marks nothing in a first version, and says so", () => {
    const analysis = sampleAnalysis("HTA3");
    const made = files({ analysis, versions: sampleVersions(analysis).slice(-1), before: null });
    expect(made.text("HTA1.html")).toContain("nothing to compare with yet");
    expect(made.text("HTA1.html")).not.toContain("since 1");
    expect(made.json("data/HTA3.json")).toMatchObject({
      comparedWith: null,
      newFindings: 0,
      fixedFindings: 0,
    });
  });

  test("says what came, went and grew since the version before", () => {
    const html = files().text("HTA1.html");
    expect(html).toContain("▲ 3 new · ▼ 2 fixed since 17 Nov 2026");
    expect(html).toContain("▲ +176 GB since 17 Nov 2026");
    expect(html).toContain("Compared with 17 Nov 2026: 3 new, 2 fixed.");
    expect(html).toContain("as of 19 Nov 2026, 02:00 UTC");
  });

  test("lists manifests by component and folders as people count, though the order of keys is lost", () => {
    const base = sampleAnalysis("HTA1");
    const manifest = { ...Object.values(base.manifests)[0], name: "m.csv" };
    const made = (component: string | null, name = "m.csv") => ({ ...manifest, component, name });
    const manifests = {
      syn9: made("B"),
      syn10: made("B"),
      syn1: made("B", "n.csv"),
      syn3: made("A", "z.csv"),
      syn2: made(null),
    } as AtlasAnalysis["manifests"];
    const folder = { synapseId: null, annotated: 1, unannotated: 0 };
    const rootFolders = { f10: folder, f9: folder, "": folder };
    const html = files({ analysis: { ...base, manifests, rootFolders } }).text("HTA1.html");
    expect(tableRows(html, "manifests").map(([, , id]) => id)).toEqual([
      "syn2",
      "syn3",
      "syn9",
      "syn10",
      "syn1",
    ]);
    expect(tableRows(html, "folders").map(([name]) => name)).toEqual([
      "(project root)",
      "f9",
      "f10",
    ]);
  });

  test("counts links by component, whatever underscores their abbreviations hold", () => {
    const sif = [
      "D_HTA1_1\tconnect\tB_HTA1_1_1",
      "B_HTA1_1_1\tconnect\tB_HTA1_1_2",
      "SRRS_TIER2_HTA1_1\tconnect\tB_SRRS_HTA1_1_3",
    ];
    const components = [
      { component: "Demographics", abbreviation: "D" },
      { component: "Biospecimen", abbreviation: "B" },
      { component: "SRRSBiospecimen", abbreviation: "B_SRRS" },
      { component: "SRRSClinicalDataTier2", abbreviation: "SRRS_TIER2" },
    ];
    const sample = sampleAnalysis("HTA1");
    const findings = sample.findings.filter(({ rule }) => rule === "H_LINKS").slice(0, 2);
    const html = files({ analysis: { ...sample, sif, findings }, components }).text("HTA1.html");
    expect(tableRows(html, "links")).toEqual([
      ["Demographics", "Biospecimen", "1"],
      ["SRRSClinicalDataTier2", "SRRSBiospecimen", "1"],
      ["Biospecimen", "Biospecimen", "1"],
      ["(broken)", "Biospecimen", "2"],
    ]);
    expect(html).toContain("3 links from parent to child, 2 broken links.");
    const whole = files({ analysis: { ...sample, sif, findings: [] }, components });
    expect(whole.text("HTA1.html")).toContain("3 links from parent to child.");
    const lost = files({ analysis: { ...sample, sif: [], findings }, components });
    expect(tableRows(lost.text("HTA1.html"), "links")).toEqual([["(broken)", "Biospecimen", "2"]]);
  });

  test("says of how many specimens an event is, on the page but not in the data", () => {
    const base = sampleAnalysis("HTA1");
    const timelineEvents: TimelineEvent[] = [
      {
        Event: "Biopsy",
        Start: 0,
        Finish: 1,
        Grouping: "HTA1_1 Lung",
        Samples: ["1", "2"],
        Location: "NA",
        participant: "HTA1_1",
      },
    ];
    const made = files({ analysis: { ...base, timelineEvents } });
    expect(tableRows(made.text("HTA1.html"), "events")[0]?.[2]).toBe("Biopsy (2)");
    expect(made.json("data/HTA1.json")["timelineEvents"]).toMatchObject([{ Event: "Biopsy" }]);
  });

  test("keeps a share of each rule where findings do not all fit, what is new first", () => {
    const base = bigAnalysis(24_000, 1);
    const [first] = base.findings;
    const rare = { ...first, rule: "H_CATEGORIES", message: "a rare one" } as Finding;
    const ofRule = base.findings.map((finding, index) => ({
      ...finding,
      rule: index < 23_000 ? "H_LINKS" : "H_ID_SPEC",
    }));
    const last = ofRule[22_999] as Finding;
    const analysis = { ...base, atlasId: "HTA1", findings: [...ofRule, rare] };
    const before = analysis.findings.filter((finding) => finding !== last);
    const html = files({ analysis, before }).text("HTA1.html");
    const data = html.split('id="findings-table"')[1]?.split('class="rows">')[1] ?? "";
    const rows = JSON.parse(data.split("</script>")[0] ?? "") as [string, unknown, unknown][];
    const shown = Map.groupBy(rows, ([rule]) => rule);
    expect([...shown].map(([rule, of]) => [rule, of.length])).toEqual([
      ["H_LINKS", 18_999],
      ["H_ID_SPEC", 1_000],
      ["H_CATEGORIES", 1],
    ]);
    expect(rows.filter(([, , mark]) => mark !== "")).toHaveLength(1);
    expect(html).toContain(
      '<p class="cut">20,000 of 24,001 rows in the table. <a href="data/HTA1-findings.csv">All rows</a></p>',
    );
  });

  test("links to nothing from a table that is cut where all its rows are nowhere else", () => {
    const { findings } = bigAnalysis(20_001, 1);
    const html = files({ before: findings }).text("HTA1.html");
    expect(html).toContain('<p class="cut">20,000 of 20,001 rows in the table.</p>');
  });

  test("has a Figures tab only where there are matrices with figures", () => {
    expect(files().text("HTA1.html")).not.toContain('data-tab="figures"');
    const picture = {
      src: "project-assets/project-stats/a%20b/10X/umap.png",
      src2x: "project-assets/project-stats/a%20b/10X/umap%402x.png",
      alt: 'Nine clusters, the largest "B cells" & <T cells>',
      title: "UMAP",
      approach: "",
      width: 600,
      height: 320,
    };
    const gallery = [
      {
        title: "Colon <10x>",
        href: "matrices/a%20b.html",
        facts: "10X: 2,700 cells",
        figures: [picture],
      },
    ];
    const html = files({ gallery }).text("HTA1.html");
    expect(html).toContain('data-tab="figures">Figures <span class="badge">1</span>');
    expect(html).toContain(
      '<h3><a href="matrices/a%20b.html">Colon &lt;10x&gt;</a></h3><p class="lead">10X: 2,700 cells</p>',
    );
    expect(html).toContain(
      '<a href="project-assets/project-stats/a%20b/10X/umap%402x.png"><img src="project-assets/project-stats/a%20b/10X/umap.png" srcset="project-assets/project-stats/a%20b/10X/umap.png 600w, project-assets/project-stats/a%20b/10X/umap%402x.png 1200w" sizes="(min-width: 46rem) 46rem, 100vw" alt="UMAP. Nine clusters, the largest &quot;B cells&quot; &amp; &lt;T cells&gt;" width="600" height="320" loading="lazy" decoding="async"></a></li></ul>',
    );
    expect(html).not.toContain("<h4>");
    const figures = [picture, { ...picture, approach: "10X" }, { ...picture, approach: "SS2" }];
    const both = gallery.map((one) => ({ ...one, figures: [...figures, ...figures.slice(1)] }));
    const shown = files({ gallery: both }).text("HTA1.html");
    expect(
      [...shown.matchAll(/(?:<h4>(\w+)<\/h4>\n)?<ul class="contact">(.*?)<\/ul>/g)].map(
        ([, approach, items = ""]) => [approach, items.split("<li>").length - 1],
      ),
    ).toEqual([
      [undefined, 1],
      ["10X", 2],
      ["SS2", 2],
    ]);
  });

  test("shows an atlas without anything", () => {
    const none = {
      ...sampleAnalysis("HTA1"),
      findings: [],
      manifests: {},
      rootFolders: {},
      sif: [],
      timelineEvents: [],
    };
    const empty = { columns: [], counts: {}, rows: 0, rowIds: [], ones: {} };
    const grids = Object.fromEntries(Object.keys(none.grids).map((name) => [name, empty]));
    const analysis = {
      ...none,
      grids: grids as unknown as typeof none.grids,
      totalFileSize: 0,
    };
    const made = files({
      analysis,
      versions: [],
      before: null,
      atlas: { ...SAMPLE_ATLASES.HTA1, liaison: "" },
    });
    const html = made.text("HTA1.html");
    expect(html).toContain("No metadata manifest has been submitted yet.");
    expect(html).toContain("No therapy and no specimen has usable days.");
    expect(html).not.toContain("liaison");
    expect(html).not.toContain("as of");
    expect(made.text("HTA1_network.sif")).toBe("");
  });

  test("keeps thousands of rows within reach: data, not markup", () => {
    const html = files({ analysis: bigAnalysis(5000, 600), before: null }).text("HTA1.html");
    expect(html.match(/<tr>/g)?.length).toBeLessThan(600);
    expect(html.length).toBeLessThan(1_500_000);
    expect(html).toContain("The first 50 of 5,000 rows.");
  });
});

describe("ruleText(rule, title)", () => {
  test("explains every rule there is", () => {
    for (const rule of [...CHECKS, ...Object.keys(MANIFEST_RULES)]) {
      expect(ruleText(rule, "no words"), rule).not.toMatchObject({ title: "no words" });
    }
    expect(ruleText("X_NEW", "A title").title).toBe("A title");
  });
});

describe("csvCell(value)", () => {
  test.each([
    ["a", "a"],
    ['a "b", c', '"a ""b"", c"'],
    ["=SUM(A1)", "'=SUM(A1)"],
    ["-1", "'-1"],
    ["@x", "'@x"],
    ["\tx", "'\tx"],
    ["\t=x", "'\t'=x"],
    ["reads;=HYPERLINK(A1);.fastq", "reads;'=HYPERLINK(A1);.fastq"],
    ["a; +1\t-1", "a; '+1\t'-1"],
    ['a;"=1"', '"a;""\'=1"""'],
    ["line\n@x", '"line\n\'@x"'],
    ["\uFF1D1", "'\uFF1D1"],
    ["a-b=c; d+e", "a-b=c; d+e"],
    ["line\nbreak", '"line\nbreak"'],
    [-5, "-5"],
    [true, "true"],
  ])("writes %j as %j", (value, text) => {
    expect(csvCell(value)).toBe(text);
  });
});
