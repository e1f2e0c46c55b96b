// Where data types stand, by what would be built of them now and what readers have.

import { expect, test } from "vitest";

import type { Current } from "../../../../src/jobs/cohort/data/current.ts";
import { typeStands } from "../../../../src/jobs/cohort/data/proof.ts";
import type { WholeInput } from "../../../../src/jobs/cohort/data/typeInput.ts";

const ROWS = { name: "dataset_a", rows: 7, files: [{}] };

/** A build in which the type's input was `inputs`. */
const current = (inputs: string, more: object = {}): Current =>
  ({
    types: { A: { inputs, build: "1", datasets: ["dataset_a"] } },
    ...{ datasets: [ROWS], failed: [], blocked: [] },
    ...more,
  }) as unknown as Current;

const stands = (of: Current | null) =>
  typeStands(
    { catalog: { exports: [] } as never, current: of },
    new Map([["A", { digest: "new" } as unknown as WholeInput]]),
  ).map(({ stand, build, datasets }) => [stand, build, datasets.map(({ rows }) => rows)]);

test.each<[string, Current | null, readonly unknown[]]>([
  ["is current where nothing else would be built", current("new"), ["current", "1", [7]]],
  ["is behind where other records have come", current("old"), ["behind", "1", [7]]],
  [
    "has failed where it could not be built",
    current("old", { failed: ["A"] }),
    ["failed", "1", [7]],
  ],
  [
    "is blocked where a check holds back what was built",
    current("old", { blocked: [{ type: "A" }] }),
    ["blocked", "1", [7]],
  ],
  [
    "is current again where what came was taken back",
    current("new", { blocked: [{ type: "A" }] }),
    ["current", "1", [7]],
  ],
  ["is unread where nothing was read", null, ["unread", null, []]],
])("a type %s", (_name, of, expected) => {
  expect(stands(of)).toEqual([expected]);
});
