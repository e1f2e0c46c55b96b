import { describe, expect, test } from "vitest";

import { makeProjectData } from "../../../../src/jobs/matrix/pages/projectData.ts";
import {
  matricesByAtlas,
  readPublishedMatrix,
} from "../../../../src/jobs/matrix/pages/publishedMatrix.ts";
import { type MatrixSummary, withoutUndrawn } from "../../../../src/jobs/matrix/summary.ts";
import { LIVER, RETINA } from "../summarySample.ts";

const METHOD = { seed: 1, sampleCells: 50_000, madeWith: {} };
const AT = "2026-11-21T02:00:00.000Z";

/** What is published of a matrix, as it is read back. */
function published(summary: MatrixSummary): unknown {
  const heights = new Map(
    summary.groups.flatMap(({ approach, figures }) =>
      figures.map(({ name }) => [`${approach.key}/${name}`, 400] as const),
    ),
  );
  return JSON.parse(makeProjectData({ summary, updatedAt: AT, method: METHOD, heights }).text);
}

describe("readPublishedMatrix(value)", () => {
  test("gives back what was published", () => {
    const found = readPublishedMatrix(published(LIVER));
    expect([found?.id, found?.updatedAt]).toEqual([LIVER.id, AT]);
    expect(found?.summary).toMatchObject({ ...LIVER, groups: LIVER.groups.map(() => ({})) });
    expect(found?.summary.groups).toMatchObject(LIVER.groups.map(({ approach }) => ({ approach })));
  });

  test("passes over what another version has published, and what is nothing of ours", () => {
    const other = { ...(published(LIVER) as object), schema: "hdash/matrix/99" };
    for (const value of [other, null, "text", {}, { schema: "hdash/matrix/1" }]) {
      expect(readPublishedMatrix(value)).toBeNull();
    }
  });
});

describe("matricesByAtlas(values)", () => {
  test("shows each atlas its matrices, with the figures that were made", () => {
    const ours = { ...LIVER, atlasId: "HTA3" };
    const found = matricesByAtlas([
      published({ ...RETINA, atlasId: null }),
      published(ours),
      null,
      published({ ...RETINA, atlasId: "HTA12" }),
    ]);
    expect(Object.keys(found)).toEqual(["HTA12", "HTA3"]);
    const [matrix] = found["HTA3"] ?? [];
    expect(matrix?.href).toBe(`matrices/${encodeURIComponent(LIVER.id)}.html`);
    const made = LIVER.groups.flatMap(({ figures }) =>
      figures.filter(({ reason }) => reason === null),
    );
    expect(matrix?.figures).toHaveLength(made.length);
    for (const figure of matrix?.figures ?? []) {
      expect(figure.src).toMatch(/^project-assets\/project-stats\/.*\.png$/);
      expect(figure.src2x).toMatch(/%402x\.png$/);
      expect([figure.width, figure.alt === ""]).toEqual([600, false]);
      expect(figure.height).toBe(400);
    }
  });
});

describe("withoutUndrawn(groups, undrawn)", () => {
  test("leaves out what could not be drawn, with a reason, and nothing else", () => {
    const [group] = LIVER.groups;
    if (group === undefined) throw new Error("the sample has no group");
    const undrawn = [{ approachKey: group.approach.key, name: "violin" }] as const;
    const after = withoutUndrawn(LIVER.groups, undrawn);
    expect(after[0]?.figures.find(({ name }) => name === "violin")).toEqual({
      name: "violin",
      title: group.figures.find(({ name }) => name === "violin")?.title,
      reason: "It could not be drawn.",
    });
    const others = (figures: typeof group.figures) =>
      figures.filter(({ name }) => name !== "violin");
    expect(others(after[0]?.figures ?? [])).toEqual(others(group.figures));
    expect(withoutUndrawn(LIVER.groups, [])).toBe(LIVER.groups);
  });
});
