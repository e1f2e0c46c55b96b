import { describe, expect, test } from "vitest";

import { siteAssets } from "../../src/render/assets.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("siteAssets(assets)", () => {
  test("names assets by their content and gives each its type", () => {
    const { paths, files } = siteAssets([
      { path: "site.css", bytes: bytes("a{}") },
      { path: "page.min.js", bytes: bytes("1") },
    ]);
    expect(paths).toEqual({
      "page.min.js": "assets/page.min.6b86b273.js",
      "site.css": "assets/site.5f546eb4.css",
    });
    expect(files.map(({ path, contentType }) => [path, contentType])).toEqual([
      ["assets/page.min.6b86b273.js", "text/javascript; charset=utf-8"],
      ["assets/site.5f546eb4.css", "text/css; charset=utf-8"],
    ]);
  });

  test("changes the name when the content changes", () => {
    const [one, two] = ["a", "b"].map((text) =>
      siteAssets([{ path: "x.css", bytes: bytes(text) }]),
    );
    expect(one?.paths["x.css"]).not.toBe(two?.paths["x.css"]);
  });

  test("leaves the names of libraries and fonts, which others refer to", () => {
    const given = ["vendor/vega.min.js", "fonts/inter-400.woff2", "odd.bin"];
    const { files } = siteAssets(given.map((path) => ({ path, bytes: bytes("x") })));
    expect(files.map(({ path, contentType }) => [path, contentType])).toEqual([
      ["assets/fonts/inter-400.woff2", "font/woff2"],
      ["assets/odd.2d711642.bin", "application/octet-stream"],
      ["assets/vendor/vega.min.js", "text/javascript; charset=utf-8"],
    ]);
  });
});
