import { readFileSync } from "node:fs";
import { createContext, runInContext, Script } from "node:vm";

import { describe, expect, test } from "vitest";

import { dataScript, timelineScript } from "../../../../src/jobs/htan/charts/dataScript.ts";
import { renderFigure, type VegaLiteSpec } from "../../../../src/render/vega.ts";
import { vendorFiles } from "../../../../src/render/vendor.ts";

/** Runs a data script as a page does, and returns what it hands over. */
function handedOver(script: string): unknown[] {
  const calls: unknown[][] = [];
  runInContext(
    script,
    createContext({ window: { hdash: { load: (...given: unknown[]) => calls.push(given) } } }),
  );
  expect(calls).toHaveLength(1);
  return JSON.parse(JSON.stringify(calls[0])) as unknown[];
}

describe("dataScript(atlasId, kind, value)", () => {
  test("hands over exactly the value, whatever it holds", () => {
    const value = { "</script>": ["<!--", "\u2028\u2029", `"'\\`, "__proto__", null, 1.5, "אב😀"] };
    const script = dataScript(`HTA"1`, "graph", value);
    expect(handedOver(script)).toEqual([`HTA"1`, "graph", value]);
    expect(script).not.toMatch(/[<\u2028\u2029]/);
  });
});

describe("timelineScript(atlasId, data)", () => {
  test("hands over every row and a spec that draws them", async () => {
    const rows = [
      {
        participant: "P",
        label: "Therapy",
        events: [{ kind: 1, start: 0, finish: 30, hover: "" }],
      },
    ];
    const kinds = Array.from({ length: 8 }, (_, index) => ({ name: `Kind ${index}`, count: 1 }));
    const [atlas, kind, payload] = handedOver(
      timelineScript("HTA1", { kind: "timeline", participants: 1, kinds, rows }),
    );
    expect([atlas, kind]).toEqual(["HTA1", "timeline"]);
    expect(payload).toMatchObject({
      kinds: kinds.map(({ name }) => name),
      rows: [["P", "Therapy", [[1, 0, 30, ""]]]],
      cssVariables: { "#0072b2": "--fig-accent" },
    });
    const { spec } = payload as { spec: VegaLiteSpec };
    // Without a page there is nothing to point at: the selections are left out.
    const still = JSON.parse(
      JSON.stringify(spec, (key, value: unknown) =>
        key === "params" || (key === "opacity" && typeof value === "object") ? undefined : value,
      ),
    ) as VegaLiteSpec;
    const filled = {
      ...still,
      datasets: {
        rows: [{ row: "P Therapy", fill: "#eef2f5" }],
        events: [
          {
            row: "P Therapy",
            kind: "Kind 1",
            start: 0,
            end: 30,
            text: "",
            label: "Kind 1",
          },
        ],
      },
    };
    const { body } = await renderFigure(filled, { id: "t" });
    expect(body).toContain(">P Therapy<");
    expect(body).toContain('fill="#c4510c"');
  });
});

describe("vendorFiles()", () => {
  test("lists builds that are there and run as classic scripts, without evaluating text as code when they load", () => {
    const files = vendorFiles();
    expect(files.map(({ path }) => path)).toEqual([
      "assets/vendor/vega.min.js",
      "assets/vendor/vega-lite.min.js",
      "assets/vendor/vega-embed.min.js",
      "assets/vendor/cytoscape.min.js",
    ]);
    // A module would not compile as a script.
    for (const { source } of files)
      expect(new Script(readFileSync(source, "utf8"))).toBeInstanceOf(Script);
  });
});
