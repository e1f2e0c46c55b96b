import { describe, expect, test } from "vitest";

import { moreNotRunText, notRunText, readNotRun } from "../../src/lineage/notRun.ts";

describe("readNotRun(error)", () => {
  test("reads who did not run and why, and none of what programs said", () => {
    const error = [
      "mean elm: it ended with 1; it said last:",
      "  the mouse did not run: it was tired",
      "  3 more did not run",
      "To look further: hdash logs 1a2b3c4d --attempt 2",
      notRunText("merge B", "it needs mean elm, which failed"),
      notRunText("plot", "it needs what failed"),
      moreNotRunText(12),
    ].join("\n");
    expect(readNotRun(error)).toEqual({
      calls: [
        { call: "merge B", why: "it needs mean elm, which failed" },
        { call: "plot", why: "it needs what failed" },
      ],
      more: 12,
    });
    expect(readNotRun("nothing of the kind")).toEqual({ calls: [], more: 0 });
    expect(readNotRun("all more did not run")).toEqual({ calls: [], more: 0 });
  });
});
