import { describe, expect, test } from "vitest";

import { HdashError } from "../../src/error.ts";
import { makeTemplates } from "../../src/render/templates.ts";

const HOSTILE = `<img src=x onerror="alert(1)">&'`;

describe("makeTemplates(sources).render(template, model)", () => {
  test("escapes what comes from data, also in attributes and partials", () => {
    const templates = makeTemplates({
      page: `<p title="{{name}}">{{> partials-are-named name}}</p>`,
      "partials/partials-are-named": "{{this}}",
    });
    const escaped = "&lt;img src&#x3D;x onerror&#x3D;&quot;alert(1)&quot;&gt;&amp;&#x27;";
    expect(templates.render("page", { name: HOSTILE })).toBe(
      `<p title="${escaped}">${escaped}</p>`,
    );
  });

  test("refuses a model that lacks a value, naming the template", () => {
    const templates = makeTemplates({ page: "{{name}}" });
    expect(() => templates.render("page", {})).toThrow(
      expect.objectContaining({
        kind: "permanent",
        message: "template page could not be filled in",
      }),
    );
  });

  test("refuses a template that is not there", () => {
    expect(() => makeTemplates({}).render("page", {})).toThrow("there is no template page");
  });

  test("lets an SVG through and nothing else", () => {
    const templates = makeTemplates({ page: "{{svg drawing}}" });
    expect(templates.render("page", { drawing: "<svg><path/></svg>" })).toBe("<svg><path/></svg>");
    expect(templates.render("page", { drawing: "" })).toBe("");
    for (const drawing of ["<b>", "<svg><script>1</script></svg>", " <svg>", "<svgx>", 3]) {
      const render = () => templates.render("page", { drawing });
      expect(render, String(drawing)).toThrow(HdashError);
    }
  });

  test("lets no style within an SVG through, but texts that speak of one", () => {
    const templates = makeTemplates({ page: "{{svg drawing}}" });
    const render = (inside: string) =>
      templates.render("page", { drawing: `<svg>${inside}</svg>` });
    for (const inside of [
      "<style>path { fill: red }</style>",
      '<path style="fill:red"/>',
      '<path d="M0,0" aria-label="a > b"\n\tSTYLE="fill:red"/>',
    ]) {
      expect(() => render(inside), inside).toThrow(HdashError);
    }
    for (const inside of [
      "<text>in a style=&quot;b&quot; of its own</text>",
      '<path aria-label="the style=plain, font-style=italic" font-style="italic"/>',
    ]) {
      expect(render(inside)).toBe(`<svg>${inside}</svg>`);
    }
  });

  test("writes data that cannot end its script element", () => {
    const templates = makeTemplates({ page: "{{dataBlock rows}}" });
    const rows = [["</script><!--", "\u2028\u2029", 1, null]];
    const text = templates.render("page", { rows });
    expect(text).toBe(String.raw`[["\u003c/script>\u003c!--","\u2028\u2029",1,null]]`);
    expect(JSON.parse(text)).toEqual(rows);
  });

  test("keeps instances apart", () => {
    const one = makeTemplates({ page: "{{> part}}", "partials/part": "1" });
    const two = makeTemplates({ page: "{{> part}}", "partials/part": "2" });
    expect([one.render("page", {}), two.render("page", {})]).toEqual(["1", "2"]);
  });
});
