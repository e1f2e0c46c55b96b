import { describe, expect, test } from "vitest";

import { jsonText, makeFrame } from "../../src/render/page.ts";

const ASSETS = { "site.css": "assets/site.1a2b3c4d.css", "theme.js": "assets/theme.00000000.js" };

describe("makeFrame(page, input)", () => {
  test("gives a page of the dashboard its brand, its place and its assets under their published names", () => {
    expect(makeFrame("runs", { title: "Runs", description: "All runs.", assets: ASSETS })).toEqual({
      title: "Runs",
      description: "All runs.",
      brand: { label: "HTAN data dashboard", href: "index.html" },
      links: [
        { label: "Atlases", href: "index.html", isCurrent: false },
        { label: "Runs", href: "runs.html", isCurrent: true },
      ],
      styles: ["assets/theme.css", "assets/site.1a2b3c4d.css", "assets/table.css"],
      themeScript: "assets/theme.00000000.js",
      scripts: ["assets/address.js", "assets/controls.js", "assets/rows.js", "assets/table.js"],
    });
  });

  test("leads from pages about matrices up to the dashboard where there is one", () => {
    const frame = (hasDashboard: boolean) =>
      makeFrame("matrices", { title: "", description: "", assets: {}, hasDashboard });
    expect(frame(true)).toMatchObject({
      brand: { label: "HTAN data dashboard", href: "../index.html" },
      links: [
        { label: "Atlases", href: "../index.html", isCurrent: false },
        { label: "Runs", href: "../runs.html", isCurrent: false },
        { label: "Matrices", href: "index.html", isCurrent: true },
      ],
    });
    expect(frame(false)).toMatchObject({
      brand: { label: "Matrix figures", href: "index.html" },
      links: [{ label: "Matrices", href: "index.html", isCurrent: true }],
    });
  });

  test("adds the styles that only this page has use for, last", () => {
    const { styles } = makeFrame("index", {
      title: "",
      description: "",
      assets: { "gallery.css": "assets/gallery.x.css" },
      moreStyles: ["gallery.css"],
    });
    expect(styles.slice(-2)).toEqual(["assets/table.css", "assets/gallery.x.css"]);
  });
});

describe("jsonText(value)", () => {
  test("writes a key or an item a line", () => {
    expect(jsonText({ a: [1, 2], b: null })).toBe('{\n"a": [1,2],\n"b": null\n}\n');
    expect(jsonText([{ a: 1 }, 2])).toBe('[\n{"a":1},\n2\n]\n');
    expect([jsonText({}), jsonText([])]).toEqual(["{}\n", "[]\n"]);
  });
});
