// Pages as models and files: what they say, and that they say it again byte for byte.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "csv-parse/sync";
import { describe, expect, test } from "vitest";

import type { Finding } from "../../src/finding.ts";
import { flattenFinding } from "../../src/finding.ts";
import { MANIFEST_RULES } from "../../src/htan/manifestProblems.ts";
import { makeAtlasPage, type PageTools } from "../../src/htan/page.ts";
import { csvCell } from "../../src/htan/publicData.ts";
import { CHECKS, ruleText } from "../../src/htan/ruleText.ts";
import {
  bigAnalysis,
  plainSparkline,
  readDesign,
  SAMPLE_ATLASES,
  sampleAnalysis,
  sampleBefore,
  sampleVersions,
} from "../support/siteSample.ts";

const { templates, assets } = readDesign();
const TOOLS: PageTools = {
  render: (name, model) => templates.render(name, model),
  sparkline: plainSparkline,
};

type Json = Readonly<Record<string, unknown>>;

function files(overrides: Partial<Parameters<typeof makeAtlasPage>[0]> = {}) {
  const analysis = overrides.analysis ?? sampleAnalysis("HTA1");
  const made = makeAtlasPage(
    {
      atlas: SAMPLE_ATLASES.HTA1,
      analysis,
      versions: sampleVersions(analysis),
      before: sampleBefore(analysis),
      figures: [],
      gallery: [],
      assets: assets.paths,
      ...overrides,
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
        readFileSync(join(import.meta.dirname, "../fixtures/htan/expected.json"), "utf8"),
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

  test("has a Figures tab only where there are figures", () => {
    expect(files().text("HTA1.html")).not.toContain('data-tab="figures"');
    const gallery = [
      { id: "knee", title: "Knee", alt: "", svg: "<svg></svg>", svgPath: "", pngPath: "" },
    ];
    expect(files({ gallery }).text("HTA1.html")).toContain('data-tab="figures"');
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
    const matrices = Object.fromEntries(Object.keys(none.matrices).map((name) => [name, empty]));
    const analysis = {
      ...none,
      matrices: matrices as unknown as typeof none.matrices,
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
    ["line\nbreak", '"line\nbreak"'],
    [-5, "-5"],
    [true, "true"],
  ])("writes %j as %j", (value, text) => {
    expect(csvCell(value)).toBe(text);
  });
});
