// docs/cohort.md is true: every reason that the code has is explained, every field and command that it names is there.

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { nextCurrent } from "../../../src/jobs/cohort/data/current.ts";
import { readSchema } from "../../../src/jobs/cohort/data/schema.ts";
import { readVersions } from "../../../src/jobs/cohort/schemas.ts";
import { checkCommands, readSurroundings } from "../../support/commands.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const DOC = read("docs/cohort.md");
/** What stands first in the rows of tables: the code in it. */
const ROWS = [...DOC.matchAll(/^\| (?:… )?`([^`]+)`/gm)].map(([, code = ""]) => code);

/** The words of a union of literals, as its file declares it. */
function wordsOf(file: string, type: string): readonly string[] {
  const text = read(`src/jobs/cohort/${file}`);
  const [, union = ""] = new RegExp(`export type ${type} =([^;]*);`).exec(text) ?? [];
  return [...union.matchAll(/(?<!\[)"(\w+)"/g)].map(([, word = ""]) => word);
}

function blocksOf(language: string): readonly string[] {
  const blocks = [...DOC.matchAll(/^```(\w*)\n([^]*?)^```$/gm)];
  return blocks.flatMap(([, found, text = ""]) => (found === language ? [text] : []));
}

describe("docs/cohort.md", () => {
  test.each([
    ["data/report.ts", "ReportCode", ROWS],
    ["data/report.ts", "ObjectOutcome", [...ROWS, "read"]],
    ["data/lineJudge.ts", "LineReason", ROWS],
    ["data/casts.ts", "CastNote", [...DOC.matchAll(/`(\w+)`:/g)].map(([, word]) => word)],
    ["data/proof.ts", "ExportStand", [...DOC.matchAll(/`(\w+)`/g)].map(([, word]) => word)],
  ])("explains every word of %s, %s", (file, type, explained) => {
    const words = wordsOf(file, type);
    expect(words.length).toBeGreaterThan(2);
    expect(words.filter((word) => !explained.includes(word))).toEqual([]);
  });

  test("explains every kind of check", () => {
    const kinds = [...read("src/jobs/cohort/data/check.ts").matchAll(/kind: "(\w+)"/g)];
    expect(kinds.length).toBeGreaterThan(7);
    expect(kinds.flatMap(([, kind = ""]) => (ROWS.includes(kind) ? [] : [kind]))).toEqual([]);
  });

  test("has every field of current.json, and none that there is not", () => {
    const how = {
      empty: [],
      failed: [],
      stale: [],
      blocked: [],
      types: new Set<string>(),
      schema: 1,
      build: "b",
    };
    const current = nextCurrent(null, new Map(), { ...how, dropped: [], keepBuilds: 2 });
    const [, table = ""] = /^\| field [^\n]*\n([^]*?)\n\n/m.exec(DOC) ?? [];
    const fields = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, field]) => field);
    expect(fields.sort()).toEqual(Object.keys(current).sort());
  });

  test("tells people to run only what there is", () => {
    const commands = DOC.split("\n").flatMap((line) => {
      const [, command] = /^(?: {4}|\$ )(hdash [^#]*?) *(?:#|$)/.exec(line) ?? [];
      return command === undefined ? [] : [command];
    });
    const inline = [...DOC.matchAll(/`(hdash\s[a-z][^`]*)`/g)].map(([, command = ""]) =>
      command.replaceAll(/\s+/g, " "),
    );
    expect(commands.length).toBeGreaterThan(7);
    const text = [...commands, ...inline].map((command) => `COMMAND="${command}"`).join("\n");
    expect(checkCommands(text, readSurroundings())).toEqual([]);
  });

  test("names only links, files and variables that there are", () => {
    const links = [...DOC.matchAll(/\]\(([^)#]*)(?:#([\w-]+))?\)/g)];
    const anchors = (text: string): readonly string[] =>
      [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w -]/g, "")
          .replaceAll(" ", "-"),
      );
    const broken = links.filter(([, path = "", anchor]) => {
      const text = path === "" ? DOC : read(join("docs", path));
      return anchor !== undefined && !anchors(text).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
    const named = [...DOC.matchAll(/`(test\/[\w./]+)`/g)].map(([, path = ""]) => path);
    expect(named.filter((path) => globSync(path, { cwd: ROOT }).length === 0)).toEqual([]);
    const known = read("docs/configuration.md");
    const variables = [...DOC.matchAll(/\b(?:COHORT|SYNAPSE|HDASH)_[A-Z_]+\b/g)].map(
      ([one]) => one,
    );
    expect(variables.filter((one) => !known.includes(`\`${one}\``))).toEqual([]);
  });

  test("shows versions and an entry of a type that hdash can read", () => {
    const [versions = "", entry = ""] = blocksOf("json");
    expect(readVersions(versions)).toEqual({
      latest: 2,
      rules: [{ before: "2026-07-01", version: 1 }],
    });
    const schema = `{"version":1,"tie":"InsertedDate","cohorts":["a"],"types":{${entry}}}`;
    expect([...readSchema(schema, "1.json").types.keys()]).toEqual(["OuraSleep"]);
  });
});
