// A page in one file: what it takes in, and what it refuses.

import { describe, expect, test } from "vitest";

import { siteAssets } from "../../src/render/assets.ts";
import { selfContained } from "../../src/render/selfContained.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const assets = siteAssets([
  {
    path: "a.css",
    bytes: bytes('@font-face { src: url("fonts/f.woff2") } a { color: url("none") }'),
  },
  { path: "fonts/f.woff2", bytes: bytes("font") },
  { path: "first.js", bytes: bytes("first()") },
  { path: "last.js", bytes: bytes("last('$&')") },
  { path: "bad.js", bytes: bytes("'</script>'") },
]);
const at = (name: string): string => assets.paths[name] ?? "";
const POLICY =
  "script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'none'";

describe("selfContained(html, assets)", () => {
  test("takes in styles with their fonts, and scripts, those that are deferred at the end, under a policy of their digests", () => {
    const html = `<meta content="${POLICY}"><script src="${at("first.js")}"></script><link rel="stylesheet" href="${at("a.css")}"><script src="${at("last.js")}" defer></script><body>text</body>`;
    const page = selfContained(html, assets);
    expect(page).toContain("<script>first()</script>");
    expect(page).toContain(`src: url("data:font/woff2;base64,${btoa("font")}")`);
    expect(page).toContain('url("none")');
    expect(page.endsWith("text<script>last('$&')</script>\n</body>")).toBe(true);
    expect(page).not.toContain("'self'");
    expect(page.match(/'sha256-[A-Za-z0-9+/]{43}='/g)).toHaveLength(3);
  });

  test.each([
    [`<script src="no.js"></script></body>`, "a page refers to no.js, which is no asset"],
    [`<script src="${at("bad.js")}"></script></body>`, "holds the end of a script"],
  ])("refuses %s", (html, said) => {
    expect(() => selfContained(html, assets)).toThrow(said);
  });
});
