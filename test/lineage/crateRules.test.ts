// The rules of crates: docs list them, and each of them is broken by a crate that is wrong.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { makeCrate } from "../../src/lineage/crate.ts";
import type { ReadCrate } from "./crateGraph.ts";
import { brokenRules, RULES } from "./crateRules.ts";
import { provenanceOf } from "./sampleProvenance.ts";

type Row = Record<string, unknown>;

/** A crate that is right, as an object to be changed. */
function sample(): Row & { readonly "@graph": Row[] } {
  const crate = makeCrate(provenanceOf(3), {
    workflow: { path: "my pipeline.ts", bytes: 12, sha256: "a".repeat(64), isSource: true },
    agent: "Ada <https://orcid.org/0000-0002-1825-0097>",
    licence: "CC-BY-4.0",
    at: "2026-12-01T04:00:00.000Z",
    build: "0.1.0",
    included: new Set(),
    siteUrl: "https://site.example/",
  });
  return JSON.parse(JSON.stringify(crate)) as Row & { readonly "@graph": Row[] };
}

const of = (rows: readonly Row[], type: string): Row =>
  rows.find((row) => [row["@type"]].flat().includes(type)) ?? {};
const byId = (rows: readonly Row[], id: string): Row => rows.find((row) => row["@id"] === id) ?? {};

/** For each rule a change that breaks it. */
const BREAKS: Readonly<Record<string, (graph: Row[], crate: Row) => void>> = {
  context: (_graph, crate) => (crate["@context"] = "https://w3id.org/ro/crate/1.1/context"),
  ids: (graph) => graph.push({ ...of(graph, "Person") }),
  uris: (graph) => graph.push({ "@id": "a b", "@type": "Thing" }),
  flat: (graph) => (of(graph, "Person")["knows"] = { name: "somebody" }),
  references: (graph) => (of(graph, "Person")["knows"] = { "@id": "#nobody" }),
  nulls: (graph) => (of(graph, "Person")["email"] = null),
  descriptor: (graph) => (byId(graph, "ro-crate-metadata.json")["about"] = { "@id": "#x" }),
  "workflow-conformance": (graph) =>
    (byId(graph, "ro-crate-metadata.json")["conformsTo"] = {
      "@id": "https://w3id.org/ro/crate/1.1",
    }),
  root: (graph) => (byId(graph, "./")["datePublished"] = "yesterday"),
  "root-words": (graph) => delete byId(graph, "./")["description"],
  licence: (graph) => (byId(graph, "./")["license"] = "free"),
  profiles: (graph) => (byId(graph, "./")["conformsTo"] = []),
  parts: (graph) => (byId(graph, "./")["hasPart"] = []),
  folders: (graph) => graph.push({ "@id": "data", "@type": "Dataset" }),
  "file-ids": (graph) => graph.push({ "@id": "/data", "@type": "File" }),
  files: (graph) => delete of(graph, "File")["sha256"],
  web: (graph) => graph.push({ "@id": "https://x.example/y", "@type": "File" }),
  workflow: (graph) =>
    (of(graph, "ComputationalWorkflow")["@type"] = ["File", "ComputationalWorkflow"]),
  language: (graph) => delete of(graph, "ComputerLanguage")["url"],
  tools: (graph) => (of(graph, "ComputationalWorkflow")["hasPart"] = []),
  "tool-types": (graph) => (byId(graph, "#tool-1")["@type"] = "Thing"),
  "tool-versions": (graph) => delete byId(graph, "#tool-1")["softwareVersion"],
  steps: (graph) => delete of(graph, "HowToStep")["workExample"],
  positions: (graph) => (byId(graph, "#step-2")["position"] = 0),
  "workflow-run": (graph) => (byId(graph, "#run-2")["instrument"] = { "@id": "#tool-1" }),
  instruments: (graph) => delete of(graph, "ControlAction")["instrument"],
  mentions: (graph) => (byId(graph, "./")["mentions"] = []),
  "action-words": (graph) => delete byId(graph, "#action-1")["description"],
  times: (graph) => (byId(graph, "#action-1")["endTime"] = "2001-01-01T00:00:00Z"),
  agents: (graph) => delete byId(graph, "#action-1")["agent"],
  results: (graph) => delete byId(graph, "#action-1")["result"],
  data: (graph) => (byId(graph, "#action-1")["result"] = { "@id": "#tool-1" }),
  status: (graph) => (byId(graph, "#action-1")["actionStatus"] = "fine"),
  errors: (graph) => (byId(graph, "#action-1")["error"] = "none"),
  controls: (graph) => (of(graph, "ControlAction")["object"] = []),
  engine: (graph) => delete of(graph, "OrganizeAction")["result"],
  parameters: (graph) => delete of(graph, "FormalParameter")["additionalType"],
  examples: (graph) => (of(graph, "PropertyValue")["exampleOfWork"] = { "@id": "#tool-1" }),
  values: (graph) => delete of(graph, "PropertyValue")["value"],
};

describe("brokenRules(crate)", () => {
  test("finds nothing wrong with a crate of ours", () => {
    expect(brokenRules(sample() as ReadCrate)).toEqual([]);
  });

  test.each(RULES.map(({ id }) => id))("finds that %s is broken", (id) => {
    const crate = sample();
    BREAKS[id]?.(crate["@graph"], crate);
    expect(brokenRules(crate as ReadCrate).map((one) => one.split(":")[0])).toContain(id);
  });
});

describe("docs/ro-crate.md", () => {
  test("lists the rules that are checked", () => {
    const text = readFileSync(join(import.meta.dirname, "../../docs/ro-crate.md"), "utf8");
    const [, table = ""] = text.split("\n## Rules\n");
    const rows = [...table.matchAll(/^\| *(\S+) *\| *(MUST|SHOULD|OURS) *\| *(.*?) *\|$/gm)];
    expect(rows.map(([, ...cells]) => cells)).toEqual(
      RULES.map(({ id, level, says }) => [id, level, says]),
    );
  });
});
