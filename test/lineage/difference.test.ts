// What is different between two documents of a step: to the field, and to the place in a list.

import { describe, expect, test } from "vitest";

import { canonicalJson, type Digest, digestOf, type Json } from "../../src/digest.ts";
import { compareDocuments } from "../../src/lineage/difference.ts";
import { contentsOf, readGiven } from "../../src/lineage/given.ts";

const [A, B, C, D] = ["a", "b", "c", "d"].map((text) => digestOf(text)) as [
  Digest,
  Digest,
  Digest,
  Digest,
];

/** A document of a user's step: skeletons, inputs, and what else is in its key. */
function users(
  values: Json,
  inputs: Readonly<Record<string, readonly Digest[]>> = {},
  uses: Readonly<Record<string, Json>> = {},
  more: Readonly<Record<string, Json>> = {},
): string {
  return canonicalJson({
    ...{ kind: "step", pipeline: "p", step: "s", version: 1, pin: null },
    ...{ params: { values }, inputs, uses: { kind: "command", code: "c1", ...uses } },
    ...more,
  });
}

const listOf = (count: number): Json => [
  "list",
  Array.from({ length: count }, (_none, at) => ["input", at]),
];

/** Places that differ, as "kind at". */
function places(before: string, after: string): readonly string[] {
  const { changes } = compareDocuments(readGiven(before), readGiven(after));
  return changes.map(({ kind, at }) => `${kind} ${at}`);
}

describe("compareDocuments(before, after)", () => {
  test("finds nothing between equal documents, and names what they have in common", () => {
    const text = users({ k: ["value", 6], lane: ["input", 0] }, { lane: [A] });
    const { changes, same } = compareDocuments(readGiven(text), readGiven(text));
    expect(changes).toEqual([]);
    expect(same).toEqual(["k", "lane", "version", "code", "kind"]);
  });

  test("tells values, contents and what else is in the key apart", () => {
    const before = users(
      { k: ["value", 6], lane: ["input", 0] },
      { lane: [A] },
      { env: { MODE: "x" } },
    );
    const after = users(
      ...([{ k: ["value", 7], lane: ["input", 0] }, { lane: [B] }] as const),
      ...[{ env: { MODE: "y" }, code: "c2", network: true }],
      { version: 2 },
    );
    expect(compareDocuments(readGiven(before), readGiven(after)).changes).toEqual([
      {
        ...{ at: "k", isGiven: true, kind: "changed" },
        ...{ before: { kind: "value", value: 6 }, after: { kind: "value", value: 7 } },
      },
      {
        ...{ at: "lane", isGiven: true, kind: "changed" },
        ...{ before: { kind: "content", digest: A }, after: { kind: "content", digest: B } },
      },
      {
        ...{ at: "version", isGiven: false, kind: "changed" },
        ...{ before: { kind: "value", value: 1 }, after: { kind: "value", value: 2 } },
      },
      {
        ...{ at: "code", isGiven: false, kind: "changed" },
        ...{ before: { kind: "value", value: "c1" }, after: { kind: "value", value: "c2" } },
      },
      {
        ...{ at: "env.MODE", isGiven: false, kind: "changed" },
        ...{ before: { kind: "value", value: "x" }, after: { kind: "value", value: "y" } },
      },
      {
        ...{ at: "network", isGiven: false, kind: "added" },
        ...{ before: null, after: { kind: "value", value: true } },
      },
    ]);
  });

  test.each<readonly [string, readonly Digest[], readonly Digest[], readonly string[]]>([
    ["one more in the middle", [A, C], [A, B, C], ["added tables[1]"]],
    ["one more in front", [A, B], [C, A, B], ["added tables[0]"]],
    ["one less", [A, B, C], [A, C], ["removed tables[1]"]],
    ["one that changed", [A, B, C], [A, D, C], ["changed tables[1]"]],
    ["one that changed and one more", [A, B], [A, C, D], ["changed tables[1]", "added tables[2]"]],
    ["another order", [A, B], [B, A], ["removed tables[0]", "added tables[1]"]],
    ["all gone", [A, B], [], ["removed tables[0]", "removed tables[1]"]],
  ])("finds in a list %s", (_name, before, after, found) => {
    const text = (digests: readonly Digest[]): string =>
      users({ tables: listOf(digests.length) }, { tables: digests });
    expect(places(text(before), text(after))).toEqual(found);
  });

  test("compares rows cell by cell, and lists of plain values item by item", () => {
    const row = (lane: number, sample: string): Json => [
      "row",
      { lane: ["input", lane], sample: ["value", sample] },
    ];
    const sheet = (...rows: readonly Json[]): Json => ({
      sheet: ["list", rows],
      ks: ["value", [1, 2]],
    });
    const before = users(sheet(row(0, "A"), row(1, "B")), { sheet: [A, B] });
    const after = users(sheet(row(0, "A"), row(1, "X")), { sheet: [A, C] });
    expect(places(before, after)).toEqual(["changed sheet[1].lane", "changed sheet[1].sample"]);
    const more = users(
      { ks: ["value", [1, 3, 2]], sheet: ["list", [row(0, "A")]] },
      { sheet: [A] },
    );
    expect(places(before, more)).toEqual(["added ks[1]", "removed sheet[1]"]);
  });

  test("compares long lists that have nothing in common without taking all pairs", () => {
    const many = (word: string): readonly Digest[] =>
      Array.from({ length: 3000 }, (_none, at) => digestOf(`${word}${at}`));
    const text = (digests: readonly Digest[]): string =>
      users({ tables: listOf(digests.length) }, { tables: digests });
    const found = places(text(many("a")), text(many("b")));
    expect(found).toHaveLength(3000);
    expect(new Set(found.map((one) => one.split(" ")[0]))).toEqual(new Set(["changed"]));
  });

  test("compares steps of hdash's own by their params and ports", () => {
    const own = (params: Json, page: Digest): string =>
      canonicalJson({
        ...{ kind: "step", pipeline: "htan", step: "render", version: 3, pin: "etag" },
        ...{ params, inputs: { page }, uses: { design: "d1" } },
      });
    expect(places(own({ atlas: "A" }, A), own({ atlas: "B" }, B))).toEqual([
      "changed atlas",
      "changed page",
    ]);
    expect(places(own("A", A), own("B", A))).toEqual(["changed params"]);
  });
});

describe("readGiven(text)", () => {
  test("lists what was given by content, with where it stands", () => {
    const text = users(
      { lane: ["input", 0], sheet: ["list", [["row", { file: ["input", 0] }]]], k: ["value", 1] },
      { lane: [A], sheet: [B] },
    );
    expect(contentsOf(readGiven(text).given)).toEqual([
      { at: "lane", digest: A },
      { at: "sheet[0].file", digest: B },
    ]);
  });

  test.each(["", "[]", "{}", '{"step":"s"}'])("refuses %j, which is no document", (text) => {
    expect(() => readGiven(text)).toThrow(/a result's document is no/);
  });
});
