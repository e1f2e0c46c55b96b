import { describe, expect, test } from "vitest";

import { commandOf, pipelineAt, withCommand, withPipelineName } from "../../src/commands/argv.ts";
import { JOBS } from "../../src/jobList.ts";

function made(line: string): string {
  return withCommand(line === "" ? [] : line.split(" "), JOBS).join(" ");
}

describe("withCommand(words, jobs)", () => {
  test.each([
    ["--environ dev --source fresh --blacklist true", "matrix"],
    ["--environ=dev --source=canned", "matrix"],
    ["--env-file .env --source local --path m", "matrix"],
    ["--log-format json --debug --environ dev --force", "matrix"],
    ["--atlas HTA3", "htan"],
    // So that the mistyped option is blamed, and not the first.
    ["--environ dev --sorce fresh", "matrix"],
    ["--source=local --path=m --site x", "matrix"],
    ["--environ dev --min_gene_count 300 --force", "matrix"],
  ])("takes %s for a run of %s", (line, job) => {
    expect(made(line)).toBe(`run ${job} ${line}`);
  });

  test("takes a run's own options for a run of everything", () => {
    expect(made("--force")).toBe("run --force");
    expect(made("--env-file .env --wait")).toBe("run --env-file .env --wait");
  });

  test.each([
    "",
    "doctor",
    "run matrix --source local",
    "--env-file .env doctor",
    "--env-file .env",
    "--help",
    "--version",
    "--source local --help",
    // Of two jobs: nobody can tell which is meant.
    "--source local --atlas HTA3",
    "--frobnicate",
    "--frobnicate fresh --environ dev",
    "--environ dev doctor",
    "matrix stats file",
  ])("leaves %j as it is", (line) => {
    expect(made(line)).toBe(line);
  });
});

describe("withPipelineName(words, at, name)", () => {
  test.each([
    ["run ./p.ts --k 6", "run p --k 6"],
    ["run --force ./p.ts --k 6", "run p --k 6 --force"],
    ["--env-file run run --wait --force ./p.ts", "--env-file run run p --wait --force"],
  ])("makes of %s: %s", (line, made) => {
    const words = line.split(" ");
    expect(withPipelineName(words, pipelineAt(words), "p").join(" ")).toBe(made);
  });
});

describe("commandOf(words)", () => {
  test.each([
    ["demo --site s", "demo"],
    ["--env-file demo --debug run demo", "run"],
    ["--log-format json", null],
    ["", null],
  ])("of %j is %j", (line, command) => {
    expect(commandOf(line === "" ? [] : line.split(" "))).toBe(command);
  });
});

describe("pipelineAt(words)", () => {
  test.each([
    ["run ./kmer.ts --k 3", 1],
    ["--env-file a.env run --log-format json kmer.ts", 5],
    ["run htan", -1],
    ["doctor ./kmer.ts", -1],
    ["run", -1],
    ["run --help", -1],
    ["", -1],
  ])("of %j is %j", (line, at) => {
    expect(pipelineAt(line === "" ? [] : line.split(" "))).toBe(at);
  });
});
