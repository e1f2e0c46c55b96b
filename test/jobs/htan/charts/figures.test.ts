import { describe, expect, test } from "vitest";

import { HdashError } from "../../../../src/error.ts";
import { drawFigure, figureSpec } from "../../../../src/jobs/htan/charts/figure.ts";
import type {
  CompletenessData,
  FigureData,
  FigureSize,
} from "../../../../src/jobs/htan/charts/figureData.ts";
import { atlasFigures } from "../../../../src/jobs/htan/pages/figures.ts";
import { fitText, textWidth, wrapName } from "../../../../src/render/glyphs.ts";
import { escapeXml } from "../../../../src/render/svg.ts";
import { INK } from "../../../../src/render/theme.ts";
import { renderFigure, type VegaLiteSpec } from "../../../../src/render/vega.ts";
import { bigAnalysis, sampleAnalysis } from "../../../support/siteSample.ts";

const LONGEST = "10xVisiumSpatialTranscriptomics-RNA-seqLevel1";
const HOSTILE = `</text><script>alert("x")</script>&amp; 'q' \u202eאב\u0000`;

/** Every figure of an atlas, and of one that is all hostile, long or empty. */
const SAMPLES: readonly { readonly name: string; readonly data: FigureData }[] = [
  ...atlasFigures(sampleAnalysis("HTA1"), []).map(({ id, data }) => ({ name: `HTA1 ${id}`, data })),
  ...atlasFigures(bigAnalysis(20, 600), []).map(({ id, data }) => ({ name: `600 ${id}`, data })),
  ...[LONGEST, HOSTILE].flatMap((word) =>
    awkward(word).map((data) => ({ name: `${data.kind} of ${word}`, data })),
  ),
];
const SIZES: readonly FigureSize[] = ["wide", "compact"];

function awkward(word: string): readonly FigureData[] {
  return [
    {
      kind: "completeness",
      noun: "participant",
      rowIds: [word, "b"],
      columns: [
        { name: word, rows: [0] },
        { name: `${word}2`, rows: [] },
      ],
    },
    {
      kind: "bars",
      unit: "file",
      bars: [{ label: word, value: 123_456_789, note: null, tone: "plain" }],
    },
    {
      kind: "timeline",
      participants: 9,
      kinds: Array.from({ length: 9 }, (_, index) => ({ name: `${word} ${index}`, count: 9_999 })),
      rows: Array.from({ length: 9 }, (_, kind) => ({
        participant: word,
        label: word,
        events: [{ kind, start: 0, finish: 12_000, hover: word }],
      })),
    },
    {
      kind: "network",
      nodes: [
        { name: word, records: 1_234_567, inner: 1_234_567, layer: 0 },
        { name: word, records: 1, inner: 0, layer: 1 },
      ],
      edges: [{ from: 0, to: 1, links: 1_234_567 }],
      broken: [{ to: 1, links: 1_234_567 }],
    },
  ];
}

type Plain = Readonly<Record<string, number | string>>;

interface Text {
  readonly said: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where the texts of a drawing are; upright ones are measured along their height. */
function textsOf(body: string): readonly Text[] {
  const found = [...body.matchAll(/<text([^>]*)>([^<]*)<\/text>/g)];
  return found.map(([, attributes = "", raw = ""]) => {
    const said = raw
      .replace(/&lt;/g, "<")
      .replace(/&gt;/g, ">")
      .replace(/&quot;/g, '"')
      .replace(/&amp;/g, "&");
    const number = (pattern: RegExp): number => Number(pattern.exec(attributes)?.[1] ?? Number.NaN);
    const size = number(/font-size="([\d.]+)px"/);
    const weight = /font-weight="600"/.test(attributes) ? 600 : 400;
    const [x, y] = [number(/translate\((-?[\d.]+),/), number(/translate\(-?[\d.]+,(-?[\d.]+)\)/)];
    const width = textWidth(said, size, weight);
    const anchor = /text-anchor="(\w+)"/.exec(attributes)?.[1] ?? "start";
    const before = { start: 0, middle: width / 2, end: width }[anchor] ?? Number.NaN;
    // Letters reach about 0.8 of their size above the line they stand on, and 0.2 below; upright ones to the left of it.
    const stands = x + number(/rotate\(270\) translate\(0,(-?[\d.]+)\)/);
    return attributes.includes("rotate(270)")
      ? {
          said,
          left: stands - 0.8 * size,
          right: stands + 0.2 * size,
          top: y - (width - before),
          bottom: y + before,
        }
      : {
          said,
          left: x - before,
          right: x - before + width,
          top: y - 0.8 * size,
          bottom: y + 0.2 * size,
        };
  });
}

async function draw(data: FigureData, size: FigureSize) {
  return renderFigure(figureSpec(data, size), { id: "f" });
}

describe("renderFigure(spec, {id})", () => {
  test("gives the same bytes for the same spec, one after the other and side by side", async () => {
    const clipped = (): VegaLiteSpec => ({
      data: { values: [{ a: 1, b: 2 }] },
      mark: {
        type: "bar",
        clip: true,
        color: {
          gradient: "linear",
          stops: [
            { offset: 0, color: "red" },
            { offset: 1, color: "blue" },
          ],
        },
      },
      encoding: {
        x: { field: "a", type: "quantitative" },
        y: { field: "b", type: "quantitative" },
      },
    });
    const alone = await renderFigure(clipped(), { id: "f" });
    const together = await Promise.all([1, 2, 3].map(() => renderFigure(clipped(), { id: "f" })));
    expect(together.map(({ body }) => body)).toEqual([alone.body, alone.body, alone.body]);
    expect(alone.body).toContain('id="f-0"');
    expect(alone.body).toContain("url(#f-1)");
  });

  test("gives ids of its own to each figure of a page", async () => {
    const spec: VegaLiteSpec = {
      data: { values: [{ a: 1 }] },
      mark: { type: "bar", clip: true },
      encoding: { x: { field: "a", type: "quantitative" } },
    };
    const [one, two] = await Promise.all(["one", "two"].map((id) => renderFigure(spec, { id })));
    expect(one?.body).toContain('<clipPath id="one-0">');
    expect(two?.body).toContain('<clipPath id="two-0">');
  });

  const refused: readonly (readonly [string, VegaLiteSpec])[] = [
    ["a mark that does not exist", { data: { values: [] }, mark: JSON.parse('"blob"') as "bar" }],
    [
      "a type that does not exist",
      {
        data: { values: [{ a: 1 }] },
        mark: "bar",
        encoding: { x: { field: "a", type: JSON.parse('"nonsense"') as "nominal" } },
      },
    ],
    [
      "a scale that cannot hold its values",
      {
        data: { values: [{ a: -1 }, { a: 0 }] },
        mark: "point",
        encoding: {
          x: { field: "a", type: "quantitative", scale: { type: "log", domain: [0, 1] } },
        },
      },
    ],
    ["data from elsewhere", { data: { url: "https://example.org/data.json" }, mark: "bar" }],
    [
      "data from a file",
      { data: { url: "file:///etc/hostname", format: { type: "csv" } }, mark: "bar" },
    ],
    [
      "an image from elsewhere",
      {
        data: { values: [{ u: "https://example.org/a.png" }] },
        mark: { type: "image", width: 9, height: 9 },
        encoding: { url: { field: "u", type: "nominal" } },
      },
    ],
    [
      "a link",
      {
        data: { values: [{ u: "javascript:alert(1)" }] },
        mark: "point",
        encoding: { href: { field: "u", type: "nominal" } },
      },
    ],
  ];
  test.each(refused)("refuses %s", async (_, spec) => {
    const refusal = await renderFigure(spec, { id: "bad" }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(HdashError);
    expect(refusal).toMatchObject({
      kind: "permanent",
      message: expect.stringMatching(/^figure bad: ./) as string,
    });
  });
});

describe("figureSpec(data, size)", () => {
  test.each(SAMPLES)("keeps every text of $name inside its figure", async ({ data }) => {
    for (const size of SIZES) {
      const { body, width, height } = await draw(data, size);
      const texts = textsOf(body);
      expect(texts.length).toBeGreaterThan(0);
      const outside = texts.filter(
        ({ left, right, top, bottom }) =>
          !(left >= -0.5 && right <= width + 0.5 && top >= -0.5 && bottom <= height + 0.5),
      );
      expect(outside).toEqual([]);
    }
  });

  test("says hostile names as text", async () => {
    for (const data of awkward(HOSTILE)) {
      for (const size of SIZES) {
        const { body } = await draw(data, size);
        expect(body).not.toMatch(/<script|<(?!\/?(?:g|path|line|text)\b)|\u0000/);
        expect(body).toContain("&lt;");
      }
    }
  });

  const empty: readonly (readonly [string, FigureData, string])[] = [
    [
      "grid",
      {
        kind: "completeness",
        noun: "biospecimen",
        rowIds: [],
        columns: [{ name: "ImagingLevel1", rows: [] }],
      },
      "No biospecimen has data of these components",
    ],
    [
      "grid without columns",
      { kind: "completeness", noun: "biospecimen", rowIds: [], columns: [] },
      "No biospecimen has data of these components",
    ],
    [
      "grid whose people have nothing",
      {
        kind: "completeness",
        noun: "participant",
        rowIds: ["a", "b"],
        columns: [{ name: "X", rows: [] }],
      },
      "None of 2 participants has data of these components",
    ],
    [
      "grid of one who has nothing",
      {
        kind: "completeness",
        noun: "participant",
        rowIds: ["a"],
        columns: [{ name: "X", rows: [] }],
      },
      "The one participant has none of these data",
    ],
    [
      "timeline",
      { kind: "timeline", rows: [], kinds: [], participants: 0 },
      "No therapy or biospecimen has a usable day",
    ],
    ["network", { kind: "network", nodes: [], edges: [], broken: [] }, "No record names a parent"],
    ["bar chart", { kind: "bars", unit: "file", bars: [] }, "No files"],
  ];
  test.each(empty)("draws an empty %s as a sentence", async (_, data, sentence) => {
    for (const size of SIZES) {
      const { body, height } = await draw(data, size);
      expect(textsOf(body).map(({ said }) => said)).toContain(sentence);
      expect(height).toBeGreaterThan(20);
    }
  });

  test.each([
    [
      "past one column and several",
      [0, 1, 2, 3, 3],
      ["0-1", "1-2", "2-3", "0-2", "0-3", "1-4", "0-4"],
    ],
    [
      "back to the left, from afar and from beside",
      [0, 1, 2, 3],
      ["0-1", "1-2", "2-3", "3-0", "2-1"],
    ],
    ["between boxes of one column", [0, 1, 1, 1], ["0-1", "0-2", "0-3", "1-3", "3-2"]],
    [
      "through columns that are full",
      [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3],
      ["0-1", "0-3", "0-5", "1-6", "2-7", "3-8", "4-9", "5-10", "0-11", "0-8", "3-11", "6-11"],
    ],
  ])("leads links %s around every box", (_, layers, edges) => {
    const data: FigureData = {
      kind: "network",
      nodes: layers.map((layer, at) => ({ name: `C${at}`, records: 9, inner: 0, layer })),
      edges: edges.map((edge) => {
        const [from = 0, to = 0] = edge.split("-").map(Number);
        return { from, to, links: 10 };
      }),
      broken: [
        { to: layers.length - 1, links: 7 },
        { to: 0, links: 3 },
      ],
    };
    const spec = figureSpec(data, "wide");
    const rows = (name: string) => (spec.datasets?.[name] ?? []) as unknown as Plain[];
    const boxes = [...rows("components"), ...rows("broken")];
    expect(boxes).toHaveLength(layers.length + 1);
    const lines = Map.groupBy([...rows("links"), ...rows("brokenLinks")], ({ edge }) => edge);
    expect(lines.size).toBe(edges.length + 2);
    const height = Number(Reflect.get(spec, "height"));
    for (const points of lines.values()) {
      points.sort((a, b) => Number(a.order) - Number(b.order));
      for (const [at, end] of points.slice(1).entries()) {
        const start = points[at] as Plain;
        for (let part = 0; part <= 1; part += 1 / 16) {
          const x = Number(start.x) + (Number(end.x) - Number(start.x)) * part;
          const y = Number(start.y) + (Number(end.y) - Number(start.y)) * part;
          const hit = boxes.filter(
            (box) =>
              x > Number(box.x) + 0.5 &&
              x < Number(box.x2) - 0.5 &&
              y > Number(box.y) - 3 &&
              y < Number(box.y2) + 3,
          );
          expect(hit, `link ${start.edge} at ${x}, ${y}`).toEqual([]);
          expect(y).toBeGreaterThan(0);
          expect(y).toBeLessThan(height);
          expect(x).toBeLessThanOrEqual(Number(Reflect.get(spec, "width")));
        }
      }
    }
    // Every link has its number, the broken ones theirs.
    const counts = [...rows("counts"), ...rows("backCounts")].map(({ text }) => text);
    expect(counts.toSorted()).toEqual([...edges.map(() => "10"), "3", "7"].toSorted());
  });

  test("lists broken links on a narrow page as well, in the colour of what is to be mended", () => {
    const data: FigureData = {
      kind: "network",
      nodes: [{ name: "Biospecimen", records: 4, inner: 0, layer: 0 }],
      edges: [],
      broken: [{ to: 0, links: 12 }],
    };
    expect(figureSpec(data, "compact").datasets?.["bars"]).toMatchObject([
      { name: "Broken links of Biospecimen", text: "12", bar: INK.warn },
    ]);
    expect(figureSpec(data, "wide").datasets).toMatchObject({
      names: [{ text: "Biospecimen" }, { text: "Broken links" }],
      records: [{ text: "4 records" }, { text: "12 links" }],
    });
  });

  test("writes an event's own label beside it, and its kind in the legend", () => {
    const data: FigureData = {
      kind: "timeline",
      participants: 1,
      kinds: [{ name: "Biopsy", count: 1 }],
      rows: [
        {
          participant: "P",
          label: "Lung",
          events: [{ kind: 0, label: "Biopsy (2)", start: 0, finish: 1, hover: "" }],
        },
      ],
    };
    const spec = figureSpec(data, "wide");
    expect(spec.datasets?.["texts"]).toMatchObject([{ text: "Biopsy (2)" }]);
    expect(spec.datasets?.["events"]).toMatchObject([{ kind: "Biopsy" }]);
  });

  test("tells presence by form: one block for each, none for the others", () => {
    const data: CompletenessData = {
      kind: "completeness",
      noun: "participant",
      rowIds: ["a", "b", "c"],
      columns: [{ name: "X", rows: [0, 2] }],
    };
    const spec = figureSpec(data, "wide");
    expect(spec.datasets?.["blocks"]).toMatchObject([{ share: 1 }, { share: 1 }]);
    expect(spec.datasets?.["components"]).toMatchObject([{ count: "2 of 3", share: "67%" }]);
  });

  test("puts people together where there are more than pixels, and says the share by height", async () => {
    const rowIds = Array.from({ length: 1000 }, (_, index) => `p${index}`);
    const all = rowIds.map((_, index) => index);
    const data: CompletenessData = {
      kind: "completeness",
      noun: "participant",
      rowIds,
      columns: [
        { name: "all", rows: all },
        { name: "half", rows: all.filter((index) => index % 2 === 0) },
        { name: "nearly all", rows: all.slice(1) },
        { name: "hardly any", rows: [0] },
      ],
    };
    const spec = figureSpec(data, "wide");
    const blocks = JSON.parse(JSON.stringify(spec.datasets?.["blocks"])) as {
      component: string;
      share: number;
    }[];
    expect(blocks.filter(({ component }) => component === "all")).toMatchObject([{ share: 1 }]);
    expect(spec.datasets?.["components"]).toMatchObject([
      { share: "100%" },
      { share: "50%" },
      { share: "99%" },
      { share: "1%" },
    ]);
    expect(blocks.length).toBeLessThan(400);
    expect((await draw(data, "wide")).body.length).toBeLessThan(20_000);
  });

  test("gives twelve kinds of event marks of their own, and the others the plain one and one entry in the legend", () => {
    const data: FigureData = {
      kind: "timeline",
      participants: 1,
      kinds: Array.from({ length: 15 }, (_, index) => ({ name: `Kind ${index}`, count: 1 })),
      rows: [
        { participant: "P", label: "L", events: [{ kind: 0, start: 0, finish: 1, hover: "" }] },
      ],
    };
    const spec = figureSpec(data, "wide");
    const legend = JSON.parse(JSON.stringify(spec.datasets?.["legend"])) as {
      text: string;
      color: string;
      shape: string;
    }[];
    expect(legend).toHaveLength(13);
    expect(legend[12]?.text).toBe("3 other kinds (3)");
    expect(new Set(legend.map(({ color, shape }) => `${color} ${shape}`)).size).toBe(13);
  });
});

describe("drawFigure(figure)", () => {
  const figure = {
    id: "grid",
    title: `Grid <of> "A"`,
    alt: `1 participant: <X> & "Y"`,
    data: {
      kind: "completeness",
      noun: "participant",
      rowIds: ["a"],
      columns: [{ name: "X", rows: [0] }],
    },
  } as const;

  test("follows the page's theme inside a page, and is on white, in Inter and with its title in a file", async () => {
    const { inlineSvg, compactSvg, fileSvg } = await drawFigure(figure);
    for (const svg of [inlineSvg, compactSvg]) {
      expect(svg).toContain('fill="var(--fig-accent, #0072b2)"');
      expect(svg.replace(/var\(--[a-z0-9-]+, #[0-9a-f]{6}\)/g, "")).not.toMatch(
        /#[0-9a-f]{6}|font-family|style=/,
      );
    }
    expect(fileSvg).toContain('<rect width="800"');
    expect(fileSvg).not.toContain("var(");
    expect(fileSvg).toContain("<title>Grid &lt;of&gt; &quot;A&quot;</title>");
    expect(fileSvg).toContain('font-family="Inter, sans-serif"');
  });

  test("is one image with its words for those who do not see it", async () => {
    const { inlineSvg } = await drawFigure(figure);
    expect(inlineSvg).toMatch(
      /^<svg [^>]*role="img" aria-label="1 participant: &lt;X&gt; &amp; &quot;Y&quot;"/,
    );
    expect(inlineSvg.slice(5)).not.toMatch(/ role="(?!img)| aria-(?!label)/);
  });
});

describe("escapeXml(text)", () => {
  test("escapes markup and replaces what XML cannot hold", () => {
    expect(escapeXml(`<a b="c">&'\u0000\ud800x\ud83d\ude00\tü`)).toBe(
      "&lt;a b=&quot;c&quot;&gt;&amp;'��x😀\tü",
    );
  });
});

describe("fitText(text, maxPx, sizePx)", () => {
  test("leaves what fits, shortens the middle of what does not, and gives up gracefully", () => {
    expect(fitText("short", 100, 12)).toBe("short");
    const fitted = fitText(LONGEST, 150, 12);
    expect(fitted).toMatch(/^10xVisium.+….+Level1$/);
    expect(textWidth(fitted, 12)).toBeLessThanOrEqual(150);
    expect(fitText(LONGEST, 1, 12)).toBe("…");
  });

  test("keeps as much as fits, whatever the width", () => {
    for (let width = 20; width < 290; width += 7) {
      const kept = fitText(LONGEST, width, 12).length - 1;
      const head = Math.ceil((kept + 1) * 0.6);
      const tail = LONGEST.slice(LONGEST.length - (kept + 1 - head));
      expect(textWidth(`${LONGEST.slice(0, head)}…${tail}`, 12), `${width}`).toBeGreaterThan(width);
    }
  });

  test("shortens a text of any length in no time", () => {
    // So long that a search which looked at every length would outlast the test's limit by far.
    expect(fitText("W".repeat(400_000), 100, 12)).toMatch(/^W+…W+$/);
  });
});

describe("wrapName(name, maxPx, sizePx)", () => {
  test("breaks where a name has a seam, into two lines at most", () => {
    expect(wrapName("Biospecimen", 130, 11)).toEqual(["Biospecimen"]);
    expect(wrapName("MassSpectrometryLevel2", 100, 11)).toEqual(["MassSpectrometry", "Level2"]);
    const lines = wrapName(LONGEST, 130, 11, 600);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(textWidth(line, 11, 600)).toBeLessThanOrEqual(130);
  });
});

describe("a timeline with mistyped dates", () => {
  test("keeps every mark on its sheet where an event ends long before it starts", async () => {
    const { fileSvg } = await drawFigure({
      id: "timeline",
      title: "T",
      alt: "A",
      data: {
        kind: "timeline",
        participants: 1,
        kinds: [{ name: "Chemotherapy", count: 2 }],
        rows: [
          {
            participant: "HTA1_1",
            label: "Therapy",
            events: [
              { kind: 0, start: 0, finish: 14, hover: "" },
              { kind: 0, start: 20_220_000, finish: 20, hover: "" },
              { kind: 0, start: 30, finish: -20_000_000, hover: "" },
            ],
          },
        ],
      },
    });
    const xs = [...fileSvg.matchAll(/translate\((-?[\d.]+),/g)].map((match) => Number(match[1]));
    expect(xs.length).toBeGreaterThan(0);
    for (const x of xs) expect(Math.abs(x)).toBeLessThan(2_000);
  });
});
