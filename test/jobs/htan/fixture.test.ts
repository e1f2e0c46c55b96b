import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { AtlasAnalysis } from "../../../src/jobs/htan/data/analysis.ts";
import { asExpected, asPublished } from "../../support/expectedFields.ts";
import { analyseFixture, atlases, WORLD } from "./fixtureWorld.ts";

type Answer = {
  readonly findings: Record<string, readonly object[]>;
  readonly timelineEvents: readonly object[];
} & Record<string, unknown>;

const expected = JSON.parse(readFileSync(join(WORLD, "expected.json"), "utf8")) as Record<
  string,
  Answer
>;

/** What was found, under the names and in the form of expected.json, findings sorted since their order does not matter. */
function inFormOfExpected(analysis: AtlasAnalysis): object {
  return JSON.parse(
    JSON.stringify({
      totalFileSize: analysis.totalFileSize,
      fileCounts: analysis.fileCounts,
      rootFolders: analysis.rootFolders,
      percentMetadataComplete: analysis.percentMetadataComplete,
      manifests: mapValues(analysis.manifests, ({ component, records, percentComplete }) => ({
        component,
        records,
        percentComplete,
      })),
      findings: Object.fromEntries(
        analysis.rules.map(({ rule }) => [
          rule,
          sorted(
            analysis.findings
              .filter((finding) => finding.rule === rule)
              .map(({ fields }) => asExpected(rule, fields)),
          ),
        ]),
      ),
      matrices: mapValues(analysis.grids, ({ counts, rows, ones }) => ({ counts, rows, ones })),
      sif: analysis.sif,
      timelineEvents: analysis.timelineEvents.map(
        ({ Event, Start, Finish, Grouping, Samples, Location }) => ({
          Event,
          Start,
          Finish,
          Grouping,
          Samples,
          Location,
        }),
      ),
    }),
  ) as object;
}

function mapValues<T>(record: Readonly<Record<string, T>>, fn: (value: T) => object): object {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fn(value)]));
}

function sorted(findings: readonly object[]): readonly object[] {
  const keyOf = (finding: object): string => JSON.stringify(Object.entries(finding).sort());
  return [...findings].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

describe("analyseAtlas(atlas, files, manifests, components)", () => {
  test.each(atlases.map((atlas) => [atlas.atlasId, atlas] as const))(
    "finds in %s of the fixture exactly what is expected, and nothing else",
    async (atlasId, atlas) => {
      const answer = asPublished(expected[atlasId] ?? { findings: {}, timelineEvents: [] });
      const findings = mapValues(answer.findings, sorted);
      expect(inFormOfExpected(await analyseFixture(atlas))).toEqual({ ...answer, findings });
    },
  );

  test("lists rows and columns in the order of the fixture", async () => {
    const [atlas] = atlases;
    if (atlas === undefined) throw new Error("the fixture has no atlas");
    const matrices = expected[atlas.atlasId]?.["matrices"] as Record<
      string,
      { readonly counts: object; readonly ones: object }
    >;
    for (const [name, grid] of Object.entries((await analyseFixture(atlas)).grids)) {
      expect(grid.columns).toEqual(Object.keys(matrices[name]?.counts ?? {}));
      expect(Object.keys(grid.ones)).toEqual(Object.keys(matrices[name]?.ones ?? {}));
      expect(grid.rowIds).toHaveLength(grid.rows);
    }
  });

  test("says the same, byte for byte, in whatever order manifests come", async () => {
    for (const atlas of atlases) {
      const text = JSON.stringify(await analyseFixture(atlas));
      expect(JSON.stringify(await analyseFixture(atlas, (items) => items.toReversed()))).toBe(text);
    }
  });
});
