import { describe, expect, test } from "vitest";

import type { PassedOver } from "../../../../../src/jobs/htan/data/analysis.ts";
import {
  knowPassedOver,
  notePassedOver,
} from "../../../../../src/jobs/htan/data/checks/passedOver.ts";
import { components } from "../../fixtureWorld.ts";

function passedOver(entityId: string, name: string, component: string | null = null): PassedOver {
  return { entityId, name, path: "", component, newer: "syn99" };
}

describe("knowPassedOver(passedOver, components)", () => {
  test.each([
    ["Therapy", "synapse_storage_manifest_demographics.csv", "Therapy"],
    ["therapy\u00a0", "synapse_storage_manifest_demographics.csv", "Therapy"],
    [null, "synapse_storage_manifest_demographics.csv", "Demographics"],
    [null, "synapse_storage_manifest_ScRNA-seqLevel1.csv", "ScRNA-seqLevel1"],
    [null, "synapse_storage_manifest_whatever.csv", undefined],
    [null, "synapse_storage_manifest_.csv", undefined],
    ["Quantum", "synapse_storage_manifest_demographics.csv", undefined],
  ])("tells of %j and %s: %s", (annotated, name, expected) => {
    const [known] = knowPassedOver([passedOver("syn1", name, annotated)], components);
    expect(known?.component?.component).toBe(expected);
  });
});

describe("notePassedOver(passedOver, isLookedFor)", () => {
  const known = knowPassedOver(
    [
      passedOver("syn1", "a.csv", "Biospecimen"),
      passedOver("syn2", "b.csv", "Demographics"),
      { ...passedOver("syn3", "c.csv", "SRRSBiospecimen"), path: "old/specimens" },
      passedOver("syn4", "d.csv", "Biospecimen"),
      passedOver("syn5", "e.csv", "Quantum"),
    ],
    components,
  );

  test("names two of those that are looked for, and counts the others", () => {
    expect(notePassedOver(known, ({ kind }) => kind === "biospecimen")).toBe(
      " Passed over for a newer manifest in the same folder: syn1 (a.csv) for syn99, syn3 (old/specimens/c.csv) for syn99 and 1 more.",
    );
  });

  test("says nothing where none is looked for", () => {
    expect(notePassedOver(known, ({ kind }) => kind === "assay")).toBe("");
  });
});
