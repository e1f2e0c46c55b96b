import { describe, expect, test } from "vitest";

import { makeCellFold } from "../../../../src/jobs/matrix/counting/cellFold.ts";
import { UnreadableMatrix } from "../../../../src/jobs/matrix/problem.ts";

describe("makeCellFold(genes, cells, scratchDir)", () => {
  test("refuses more genes in more approaches than sums can be kept of", () => {
    const ids = new Array<string>(312_501);
    const genes = { ids, symbols: ids, isMito: new Uint8Array(ids.length) };
    const approaches = Array.from({ length: 64 }, (_, at) => ({ key: `k${at}`, label: "l" }));
    const cells = { count: 64, approaches, approachOf: Uint8Array.from(approaches.keys()) };
    expect(() => makeCellFold(genes, cells, "/nowhere")).toThrow(
      new UnreadableMatrix(
        "M_TOO_LARGE",
        "312,501 genes in 64 approaches are more than the 20,000,000 sums that can be kept",
      ),
    );
  });
});
