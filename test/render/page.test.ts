import { describe, expect, test } from "vitest";

import { type FrameInput, jsonText, makeFrame, TABLE_PAGE } from "../../src/render/page.ts";

const MENU = {
  brand: { label: "Tides", path: "index.html" },
  places: [
    { label: "Ports", path: "index.html" },
    { label: "Buoys", path: "buoys/index.html" },
  ],
};

function frame(more: Partial<FrameInput>) {
  const input = { title: "Tides", description: "All tides.", path: "index.html", menu: MENU };
  return makeFrame({ ...input, loads: TABLE_PAGE, assets: {}, ...more });
}

describe("makeFrame(input)", () => {
  test("gives a page its brand, its place in the menu and its assets under their published names", () => {
    const assets = {
      "site.css": "assets/site.1a2b3c4d.css",
      "theme.js": "assets/theme.00000000.js",
    };
    expect(frame({ assets })).toEqual({
      title: "Tides",
      description: "All tides.",
      brand: { label: "Tides", href: "index.html" },
      links: [
        { label: "Ports", href: "index.html", isCurrent: true },
        { label: "Buoys", href: "buoys/index.html", isCurrent: false },
      ],
      styles: [
        "assets/theme.css",
        "assets/site.1a2b3c4d.css",
        "assets/table.css",
        "assets/print.css",
      ],
      themeScript: "assets/theme.00000000.js",
      scripts: ["assets/address.js", "assets/controls.js", "assets/rows.js", "assets/table.js"],
    });
  });

  test("leads to the same places from a page in a folder", () => {
    expect(frame({ path: "buoys/index.html" })).toMatchObject({
      brand: { label: "Tides", href: "../index.html" },
      links: [
        { href: "../index.html", isCurrent: false },
        { href: "index.html", isCurrent: true },
      ],
    });
    expect(frame({ path: "buoys/north/1.html" }).links).toMatchObject([
      { href: "../../index.html", isCurrent: false },
      { href: "../index.html", isCurrent: false },
    ]);
  });
});

describe("jsonText(value)", () => {
  test("writes a key or an item a line", () => {
    expect(jsonText({ a: [1, 2], b: null })).toBe('{\n"a": [1,2],\n"b": null\n}\n');
    expect(jsonText([{ a: 1 }, 2])).toBe('[\n{"a":1},\n2\n]\n');
    expect([jsonText({}), jsonText([])]).toEqual(["{}\n", "[]\n"]);
  });
});
