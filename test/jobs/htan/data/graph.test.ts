import { describe, expect, test } from "vitest";

import { makeOverview, readGraph } from "../../../../src/jobs/htan/data/graph.ts";

const COMPONENTS = [
  { component: "Demographics", abbreviation: "D" },
  { component: "Biospecimen", abbreviation: "B" },
  { component: "SRRSBiospecimen", abbreviation: "B_SRRS" },
  { component: "ImagingLevel1", abbreviation: "I1" },
  { component: "ImagingLevel2", abbreviation: "I2" },
];

describe("readGraph(sif, findings, components)", () => {
  test("reads nodes once, by the longest abbreviation that is known", () => {
    const sif = [
      "B_SRRS_HTA1_1_1\tconnect\tI1_HTA1_1_5",
      "D_HTA1_1\tconnect\tB_SRRS_HTA1_1_1",
      "XX_HTA1_9\tconnect\tI1_HTA1_1_5",
      "no separator",
    ];
    expect(readGraph(sif, [], COMPONENTS)).toEqual({
      components: ["SRRSBiospecimen", "ImagingLevel1", "Demographics", "Unknown component"],
      ids: ["HTA1_1_1", "HTA1_1_5", "HTA1_1", "XX_HTA1_9"],
      componentOf: [0, 1, 2, 3],
      links: [0, 1, 2, 0, 3, 1],
      broken: [],
    });
  });

  test("takes broken links from the findings; a record that is its own parent names itself", () => {
    const finding = { severity: "error", subject: "syn1", row: null, message: "" } as const;
    const findings = [
      {
        ...finding,
        rule: "H_LINKS",
        fields: { component: "Biospecimen", record: "a", value: "b", link: "parent" },
      },
      { ...finding, rule: "H_LINKS", fields: { component: "X", value: "c", link: "self" } },
      { ...finding, rule: "H_LINKS", fields: {} },
      { ...finding, rule: "H_DEM", fields: {} },
      // A record of another atlas is a warning.
      {
        ...finding,
        severity: "warning" as const,
        rule: "H_LINKS",
        fields: { component: "Biospecimen", record: "d", value: "HTA5_1", link: "parent" },
      },
    ];
    expect(readGraph([], findings, []).broken).toEqual([
      { record: "a", component: "Biospecimen", value: "b", link: "parent" },
      { record: "c", component: "X", value: "c", link: "self" },
      { record: "", component: "Unknown component", value: "", link: "" },
    ]);
  });
});

describe("makeOverview(graph)", () => {
  test("counts records and links by component and layers components from left to right", () => {
    const sif = [
      "D_1\tconnect\tB_1",
      "B_1\tconnect\tB_2",
      "B_2\tconnect\tI1_1",
      "B_1\tconnect\tI2_1",
      "I1_1\tconnect\tI2_1",
    ];
    expect(makeOverview(readGraph(sif, [], COMPONENTS))).toEqual({
      nodes: [
        { name: "Demographics", records: 1, inner: 0, layer: 0 },
        { name: "Biospecimen", records: 2, inner: 1, layer: 1 },
        { name: "ImagingLevel1", records: 1, inner: 0, layer: 2 },
        { name: "ImagingLevel2", records: 1, inner: 0, layer: 3 },
      ],
      edges: [
        { from: 0, to: 1, links: 1 },
        { from: 1, to: 2, links: 1 },
        { from: 1, to: 3, links: 1 },
        { from: 2, to: 3, links: 1 },
      ],
      broken: [],
    });
  });

  test("counts broken links by the component that has them, also of one that no other link names", () => {
    const broken = (component: string, record: string, value: string) => ({
      rule: "H_LINKS",
      severity: "error" as const,
      subject: "syn1",
      row: null,
      message: "",
      fields: { component, record, value, link: "parent" },
    });
    const findings = [
      broken("Biospecimen", "1", "a"),
      broken("ImagingLevel1", "5", "b"),
      broken("ImagingLevel1", "5", "c"),
      broken("ImagingLevel1", "6", "c"),
    ];
    const {
      nodes,
      edges,
      broken: found,
    } = makeOverview(readGraph(["D_1\tconnect\tB_1"], findings, COMPONENTS));
    expect(nodes).toEqual([
      { name: "Demographics", records: 1, inner: 0, layer: 0 },
      { name: "Biospecimen", records: 1, inner: 0, layer: 1 },
      { name: "ImagingLevel1", records: 2, inner: 0, layer: 0 },
    ]);
    expect(edges).toEqual([{ from: 0, to: 1, links: 1 }]);
    expect(found).toEqual([
      { to: 1, links: 1 },
      { to: 2, links: 3 },
    ]);
  });

  test("ends on components that are each other's parents", () => {
    const overview = makeOverview(
      readGraph(["I1_1\tconnect\tI2_1", "I2_2\tconnect\tI1_2"], [], COMPONENTS),
    );
    expect(overview.edges).toHaveLength(2);
    expect(overview.nodes.every(({ layer }) => layer < 2)).toBe(true);
  });

  test("is empty for an atlas without links", () => {
    expect(makeOverview(readGraph([], [], COMPONENTS))).toEqual({
      nodes: [],
      edges: [],
      broken: [],
    });
  });
});
