// Every world of the cases through the whole pipeline, and what its published data have to say: the right values of the cases' README.

import { readdirSync } from "node:fs";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import type { Finding } from "../../../src/finding.ts";
import { openWorld, type World } from "../../engine/world.ts";
import { startAfresh } from "../../support/ledger.ts";
import { CASES, runCase } from "./caseRun.ts";

interface Published {
  readonly records: number;
  readonly fields: number;
  readonly filledFields: number;
  readonly matrices: Readonly<Record<string, { counts: Readonly<Record<string, number>> }>>;
  readonly sif: readonly string[];
  readonly timelineRows: Readonly<Record<string, object>>;
}

interface RightValue {
  /** The atlas that is looked at; HTA3 where the case does not say. */
  readonly atlas?: string;
  /** Rule, severity, subject and row, "-" for none, in the order of the page. */
  readonly findings: readonly string[];
  /** What the messages of the findings have to say, in any of them. */
  readonly says?: readonly string[];
  /** Records, filled fields and fields. */
  readonly fields?: readonly [records: number, filled: number, fields: number];
  /** Matrix, component and count. */
  readonly count?: readonly [matrix: string, component: string, count: number];
  /** Lines that the network has, among others: "parent child". */
  readonly links?: readonly string[];
  readonly timelines?: readonly string[];
}

/** The numbers of a world without its trouble. */
const WITHOUT = {
  fields: [9, 36, 39],
  count: ["single_cell", "ScRNA-seqLevel1", 3],
  links: ["B_HTA3_1_1 SC1_HTA3_1_101", "D_HTA3_3 B_HTA3_3_1"],
} as const;

const RIGHT: Readonly<Record<string, RightValue>> = {
  "annotation-trailing-space": { ...WITHOUT, findings: ["M_SPELLING warning syn70000109 -"] },
  "channels-template": { findings: [] },
  "cite-seq": { findings: [], count: ["single_cell", "MultiplexedCITE-seqLevel1", 1] },
  "component-dragged": {
    ...WITHOUT,
    findings: ["M_COMPONENT_DIFFERS warning syn70000109 3"],
    says: ["ScRNA-seqLevel2 (row 3), ScRNA-seqLevel3 (row 4)"],
  },
  "components-since-added": {
    findings: ["H_NON_DEM error syn70000153 3", "H_NON_DEM error syn70000155 3"],
    says: ["HTA3_99"],
  },
  "excel-blank-columns": { ...WITHOUT, findings: [] },
  "excel-blank-rows": { ...WITHOUT, findings: [] },
  "header-only": { findings: ["M_EMPTY error syn70000104 -"] },
  "header-repeated": {
    findings: ["M_REPEATED_HEADER warning syn70000102 5"],
    fields: [13, 50, 55],
    count: ["clinical_tier1_2", "Demographics", 5],
  },
  "header-spaces": { ...WITHOUT, findings: ["M_SPELLING warning syn70000102 -"] },
  "manifest-gone": {
    ...WITHOUT,
    findings: ["M_UNREADABLE error syn70000111 -"],
    says: ["could not be read"],
  },
  "not-applicable-spellings": {
    findings: [],
    count: ["bulk", "BulkRNA-seqLevel2", 3],
    links: ["B_HTA3_2_1 RNA2_HTA3_2_601", "B_HTA3_3_1 RNA2_HTA3_3_602"],
  },
  "other-atlas-parents": {
    atlas: "HTA13",
    findings: [
      "H_DEM error syn70000002 -",
      "H_LINKS warning syn70000111 2",
      "H_LINKS warning syn70000114 2",
    ],
    says: [
      "HTA3_1_1 of HTA13_1_1 is a record of HTA3",
      "HTA3_3_1 of HTA13_1_9 is a record of HTA3",
    ],
  },
  "parent-not-reported": {
    findings: ["H_LINKS error syn70000104 3", "H_LINKS error syn70000104 4"],
    timelines: ["HTA3_1 Lung NOS"],
  },
  "parent-ring": {
    findings: ["H_LINKS error syn70000104 2"],
    says: ["HTA3_1_1, HTA3_1_3 and HTA3_1_2"],
  },
  "parents-on-lines": {
    findings: [],
    fields: [8, 31, 34],
    count: ["single_cell", "ScRNA-seqLevel1", 3],
    links: [1, 2, 3].map((participant) => `B_HTA3_${participant}_1 SC1_HTA3_0000_201`),
  },
  "phase-2-atlas": {
    atlas: "HTA204",
    findings: [],
    links: [
      "D_HTA204_1 B_HTA204_1_B1",
      "B_HTA204_1_B1 SC1_HTA204_1_D36667",
      "B_HTA204_1_B1 SC1_HTA204_0000_D2",
      "B_HTA204_EXT1_B7 SC1_HTA204_0000_D2",
    ],
  },
  semicolons: {
    ...WITHOUT,
    findings: ["M_SEPARATOR warning syn70000102 -"],
    says: ["semicolons"],
  },
  "specimen-and-file-same-id": {
    findings: ["H_ID_SPEC error syn70000107 2"],
    says: ["HTA3_1_1 of ScRNA-seqLevel1 is already used in row 2 of Biospecimen (syn70000104)"],
    links: ["D_HTA3_1 B_HTA3_1_1"],
  },
  "specimen-trailing-space": { ...WITHOUT, findings: ["M_SPELLING warning syn70000104 2"] },
  "two-components-one-folder": {
    findings: [
      "H_DEM error syn70000001 -",
      ...[2, 3, 4].map((row) => `H_LINKS error syn70000105 ${row}`),
    ],
    says: ["Passed over for a newer manifest in the same folder: syn70000102"],
  },
};

let world: World;
beforeAll(async () => {
  world = await openWorld("embedded");
});
afterAll(() => world.close());
beforeEach(() => startAfresh(world.database.db));

test("there is a right value for every case", () => {
  expect(readdirSync(CASES).sort()).toEqual(Object.keys(RIGHT).sort());
});

test.each(Object.entries(RIGHT))("publishes what is right of %s", async (name, right) => {
  const { outcome, json } = await runCase(world, join(CASES, name));
  expect(outcome).toMatchObject({ kind: "finished", record: { status: "succeeded" } });
  const atlas = right.atlas ?? "HTA3";
  const findings = json<Finding[]>(`data/${atlas}-findings.json`);
  expect(
    findings.map(
      ({ rule, severity, subject, row }) => `${rule} ${severity} ${subject} ${row ?? "-"}`,
    ),
  ).toEqual(right.findings);
  const said = findings.map(({ message }) => message).join("\n");
  for (const part of right.says ?? []) expect(said).toContain(part);

  const data = json<Published>(`data/${atlas}.json`);
  if (right.fields !== undefined) {
    expect([data.records, data.filledFields, data.fields]).toEqual(right.fields);
  }
  const [matrix, component, count] = right.count ?? [];
  if (matrix !== undefined) {
    expect(data.matrices[matrix]?.counts[component ?? ""]).toBe(count);
  }
  const links = data.sif.map((line) => line.replace("\tconnect\t", " "));
  expect(links).toEqual(expect.arrayContaining([...(right.links ?? [])]));
  if (right.timelines !== undefined) {
    expect(Object.keys(data.timelineRows)).toEqual(right.timelines);
  }
});
