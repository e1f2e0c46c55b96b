// A provenance as text, as a graph, as a statement, in groups: few nodes one by one, many by name.

import { describe, expect, test } from "vitest";

import { groupSteps } from "../../src/lineage/grouping.ts";
import type { Provenance } from "../../src/lineage/provenance.ts";
import { provenanceDot } from "../../src/lineage/provenanceDot.ts";
import { provenanceText } from "../../src/lineage/provenanceText.ts";
import { makeStatement } from "../../src/lineage/statement.ts";
import { provenanceOf } from "./sampleProvenance.ts";
import { statementProblems } from "./statementRules.ts";

describe("groupSteps(provenance)", () => {
  test("counts what the calls of a step have read of others and of what was given, and ranks by the longest way", () => {
    const groups = groupSteps(provenanceOf(4));
    expect(
      groups.map(({ name, calls, reads, readsGiven, rank, ms }) => ({
        name,
        calls: calls.length,
        reads: [...reads],
        readsGiven,
        rank,
        ms,
      })),
    ).toEqual([
      { name: "count", calls: 4, reads: [], readsGiven: 4, rank: 0, ms: 6000 },
      { name: "merge", calls: 1, reads: [[0, 4]], readsGiven: 0, rank: 1, ms: 1500 },
    ]);
  });

  test("says whose step it is where there are several pipelines, and bears steps that read each other", () => {
    const { steps, ...rest } = provenanceOf(1);
    const [count, merge] = steps;
    if (count === undefined || merge === undefined) throw new Error("there are two steps");
    const input = {
      name: "back",
      digest: merge.key as never,
      from: { result: merge.result, port: "merged", path: null },
    };
    const circle: Provenance = {
      ...rest,
      steps: [{ ...count, pipeline: "other", inputs: [input] }, merge],
    };
    expect(groupSteps(circle).map(({ name }) => name)).toEqual(["other: count", "kmer: merge"]);
  });
});

describe("provenanceText(provenance)", () => {
  test("tells a few steps one by one, the last first, with what was verified and trusted", () => {
    expect(provenanceText(provenanceOf(2))).toEqual([
      "merged  sha256:000000000000  34 B  given by merge",
      "answer  42, a value that the plan gave by itself",
      "run 2 of kmer, succeeded, 1 Dec 2026, 02:00 UTC, 0.1.0",
      "run 1 of kmer, succeeded, 1 Dec 2026, 01:00 UTC, 0.1.0, which made a part of it",
      "",
      "made by, last first",
      "  merge  (run 2, process, 1.5 s, code 00000000, key 00000000)",
      '    MODE "strict", k 6',
      "    tables[0]  sha256:000000000000  from count lane 1",
      "    tables[1]  sha256:000000000000  from count lane 2",
      "    verified 1 Dec 2026, 03:00 UTC: same",
      "    trusted: code 00000000 stands for it, because only a name changed",
      "  count lane 2  (run 1, process, 1.5 s, code 00000000, key 00000000)",
      '    MODE "strict", k 6',
      "    lane  sha256:000000000000  given: lane 1.fa",
      "  count lane 1  (run 1, process, 1.5 s, code 00000000, key 00000000)",
      '    MODE "strict", k 6',
      "    lane  sha256:000000000000  given: lane 0.fa",
      "",
      "2 given",
      "  lane 0.fa  sha256:000000000000  10 B",
      "  lane 1.fa  sha256:000000000000  10 B",
      "",
      "failed",
      "  count bad: count bad ended with 1",
    ]);
  });

  test("tells many by name, in as few lines, and what is not known", () => {
    const lines = provenanceText({ ...provenanceOf(5000), run: null, isCut: true });
    expect(lines.length).toBeLessThan(40);
    expect(lines).toContain("the run that made it is forgotten");
    expect(lines).toContain("  merge  1 call, 1.5 s in all, run 2, reads count");
    expect(lines).toContain("  count  5,000 calls, 2 h 5 min in all, run 1, reads what was given");
    expect(lines).toContain("  … and 4,980 more (--format json has all)");
    expect(lines.at(-1)).toBe("There is more: --depth ended here.");
    const unknown = provenanceText({ ...provenanceOf(1), given: [] });
    expect(unknown).toContain(
      "    lane  sha256:000000000000  made by nobody that the ledger knows",
    );
    const cut = provenanceText({ ...provenanceOf(1), given: [], isCut: true });
    expect(cut).toContain("    lane  sha256:000000000000  not walked to");
    expect(provenanceText(provenanceOf(20))).toContain("    … and 12 more inputs");
  });
});

describe("provenanceDot(provenance)", () => {
  test("draws calls where they are few, and what nobody has made", () => {
    const text = provenanceDot({ ...provenanceOf(2), asked: 'a "name"' });
    expect(text).toContain(String.raw`label="a \"name\"";`);
    expect(text).toContain('  s1 -> s3 [label="tables[0]"];\n');
    expect(text).toContain("  s3 -> r0;\n");
    expect(provenanceDot({ ...provenanceOf(1), given: [] })).toContain("style=dashed");
  });

  test("draws steps by name where calls are many", () => {
    const text = provenanceDot(provenanceOf(200));
    expect(text).toContain('s0 [shape=box, label="count × 200"];');
    expect(text).toContain('s0 -> s1 [label="200"];');
    expect(text).toContain('given -> s0 [label="200"];');
    expect(text.split("\n").length).toBeLessThan(15);
  });
});

describe("makeStatement(provenance, builder)", () => {
  test("keeps the rules, names the builder, and what of it has no known maker", () => {
    const statement = makeStatement(
      { ...provenanceOf(2), given: [] },
      { id: "https://site.example/" },
    );
    expect(statementProblems(statement)).toEqual([]);
    expect(statement.predicate.runDetails).toEqual({
      builder: { id: "https://site.example/", version: { hdash: "0.1.0" } },
      metadata: {
        invocationId: "run/2",
        startedOn: "2026-12-01T02:00:00Z",
        finishedOn: "2026-12-01T02:59:59Z",
      },
    });
    const names = statement.predicate.buildDefinition.resolvedDependencies.map(({ name }) => name);
    expect(names).toEqual(["code of count", "count.lane", "count.lane", "code of merge"]);
    expect(statement.subject.map(({ name }) => name)).toEqual(["merged"]);
  });

  test("has the digest of a list for what is no file, and says where a run is forgotten", () => {
    const { results, ...rest } = provenanceOf(1);
    const [first] = results;
    const folder = { ...first, name: "all", kind: "folder" } as (typeof results)[number];
    const statement = makeStatement(
      { ...rest, results: [folder], run: null, isRun: false },
      { id: null },
    );
    expect(Object.keys(statement.subject[0]?.digest ?? {})).toEqual(["hdashList"]);
    expect(statement.predicate.runDetails).toEqual({
      builder: { id: "urn:hdash:builder:unnamed", version: { hdash: "unknown" } },
      metadata: { startedOn: "2026-12-01T01:00:00Z", finishedOn: "2026-12-01T02:00:09Z" },
    });
  });

  test.each([
    ["its type", { _type: "x" }],
    ["it has no subject", { subject: [] }],
    ["subject 0 has no digest", { subject: [{ name: "x" }] }],
    ["something is null", { more: null }],
  ])("is found wrong where %s is", (said, change) => {
    const statement = { ...makeStatement(provenanceOf(1), { id: null }), ...change };
    expect(statementProblems(statement).join()).toContain(said);
  });
});
