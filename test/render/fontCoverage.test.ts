// Characters that figures' fonts lack are drawn as a stand-in.

import { describe, expect, test } from "vitest";

import { withoutLacking } from "../../src/render/fontCoverage.ts";

describe("withoutLacking(text)", () => {
  test.each([
    ["MT-CO1 – 3′ “≥ 20” α β μ é…", "MT-CO1 – 3′ “≥ 20” α β μ é…"],
    ["基因 GENE1", "?? GENE1"],
    ["gene 🧬 of a mouse 🐁", "gene ? of a mouse ?"],
    ["e\u0301 a\u200db \u05d0", "é ab ?"],
    ["<text x='1'>ΔCt</text>", "<text x='1'>ΔCt</text>"],
  ])("draws %s as %s", async (text, drawn) => {
    expect(await withoutLacking(text)).toBe(drawn);
  });
});
