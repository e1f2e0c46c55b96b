import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { familyName } from "../infra/names.ts";
import { STAGING } from "../src/settings/namespace.ts";
import { BROKEN } from "./support/brokenWorkflows.ts";
import { checkCommands, readSurroundings } from "./support/commands.ts";
import { asText, readWorkflow } from "./support/workflowFile.ts";
import { checkWorkflows, triggersOf } from "./support/workflows.ts";

const ROOT = join(import.meta.dirname, "..");
const FOLDER = join(ROOT, ".github/workflows");
const WORKFLOWS: ReadonlyMap<string, string> = new Map(
  readdirSync(FOLDER).map((file) => [file, readFileSync(join(FOLDER, file), "utf8")]),
);
const SURROUNDINGS = readSurroundings();

/** What is wrong once a workflow has another text at one place, and was not before. */
function breakWorkflow(file: string, from: string, to: string): readonly string[] {
  const text = WORKFLOWS.get(file) ?? "";
  expect(text.split(from).length, `${file} has ${JSON.stringify(from)} once`).toBe(2);
  const before = checkWorkflows(WORKFLOWS, SURROUNDINGS);
  const broken = new Map([...WORKFLOWS, [file, text.replace(from, () => to)]]);
  return checkWorkflows(broken, SURROUNDINGS).filter((problem) => !before.includes(problem));
}

describe(".github/workflows", () => {
  test("keep every promise", () => {
    expect(checkWorkflows(WORKFLOWS, SURROUNDINGS)).toEqual([]);
  });

  test("start on these events and no other", () => {
    const lockfiles = { paths: ["package-lock.json", "infra/package-lock.json"] };
    expect(
      Object.fromEntries([...WORKFLOWS].map(([file, text]) => [file, triggersOf(text)])),
    ).toEqual({
      "audit.yml": {
        push: { branches: ["main"], ...lockfiles },
        pull_request: lockfiles,
        schedule: [{ cron: "23 5 * * 1" }],
        workflow_dispatch: null,
      },
      "branch.yml": {
        pull_request: { types: ["labeled", "synchronize", "reopened"] },
        workflow_dispatch: null,
      },
      "deploy.yml": { workflow_call: { inputs: expect.any(Object) as unknown } },
      "proof.yml": { pull_request: { types: ["labeled"] }, workflow_dispatch: null },
      "production.yml": { push: { tags: ["v[0-9]+.[0-9]+.[0-9]+"] } },
      "sbom.yml": { workflow_call: { inputs: expect.any(Object) as unknown } },
      "staging.yml": { push: { branches: ["main"] } },
      "teardown.yml": {
        delete: null,
        workflow_dispatch: { inputs: { branch: expect.any(Object) as unknown } },
        workflow_call: { inputs: { branch: expect.any(Object) as unknown } },
      },
      "test.yml": {
        push: { "branches-ignore": ["main"] },
        pull_request: null,
        workflow_call: null,
      },
    });
  });

  test("hold AWS's keys no longer than the role allows", () => {
    const role = readFileSync(join(ROOT, "infra/githubRole.ts"), "utf8");
    const [, factors = ""] = /SESSION_SECONDS = ([\d *]+);/.exec(role) ?? [];
    const most = factors.split("*").reduce((product, factor) => product * Number(factor), 1);
    const asked = [...WORKFLOWS.values()].flatMap((text) =>
      [...text.matchAll(/role-duration-seconds: (\d+)/g)].map(([, seconds]) => Number(seconds)),
    );
    expect(asked).toHaveLength(4);
    expect(Math.max(...asked)).toBeLessThanOrEqual(most);
  });

  test("scan the image that staging's task definition names", () => {
    const family = familyName({ stage: "develop", namespace: STAGING }, "htan");
    expect(WORKFLOWS.get("audit.yml")).toContain(`--task-definition ${family} --query`);
  });

  test("look for a branch only where one is named", () => {
    const step = (file: string): string =>
      /- if: (.*)\n(?: {8}.*\n)*? {8}run: \.github\/branch\.sh/.exec(
        WORKFLOWS.get(file) ?? "",
      )?.[1] ?? "";
    expect(step("deploy.yml")).toBe("inputs.branch != ''");
    expect(step("teardown.yml")).toBe("github.event_name == 'delete'");
  });

  test("tear down what is private, too: its places are known before files are removed", () => {
    const runs = [...(WORKFLOWS.get("teardown.yml") ?? "").matchAll(/^ +- run: (make|npm) .*$/gm)];
    const last = runs.slice(-2).map(([line]) => line.trim());
    expect(last).toEqual([
      '- run: make places >> "$GITHUB_ENV"',
      '- run: npm run -s hdash -- artifacts remove --namespace "$NAMESPACE" --yes',
    ]);
  });

  test("prove a change only where that is switched on, and remove what it needed whatever became of it", () => {
    const text = WORKFLOWS.get("proof.yml") ?? "";
    const { jobs } = readWorkflow("proof.yml", text);
    const of = (name: string) => jobs.find((job) => job.name === name);
    expect(asText(of("name")?.fields["if"])).toMatch(/^vars\.PROOF_AGAINST != '' && \(/);
    expect(asText(of("name")?.fields["if"])).toContain("head.repo.full_name == github.repository");
    const teardown = of("teardown");
    expect([teardown?.calls, teardown?.needs]).toEqual([
      "teardown.yml",
      ["name", "deploy", "proof"],
    ]);
    expect(asText(teardown?.fields["if"])).toMatch(
      /^always\(\) && needs\.name\.result == 'success' &&/,
    );
    const runs = of("proof")?.steps.map((step) => asText(step["run"])) ?? [];
    expect(runs.filter((run) => run.startsWith("make"))).toEqual([
      'make task COMMAND="hdash run cohort --part ingest,build --wait --newest 28 --from $AGAINST"',
      'make task COMMAND="hdash cohort compare $NAMESPACE $AGAINST"',
    ]);
    const login = of("proof")?.steps.findIndex((step) => asText(step["uses"]).startsWith("aws-"));
    expect(runs.findIndex((run) => run.startsWith('case "$AGAINST"'))).toBeLessThan(login ?? 0);
  });

  test("tear down with main's code only", () => {
    const text = WORKFLOWS.get("teardown.yml") ?? "";
    const checkouts = [...text.matchAll(/uses: actions\/checkout.*\n +with:\n +ref: (.*)$/gm)];
    expect(checkouts.map(([, ref]) => ref)).toEqual(["main", "main", "main"]);
    expect(text.match(/actions\/checkout/g)).toHaveLength(3);
  });
});

describe("checkCommands(text, surroundings)", () => {
  test.for<readonly [string, readonly string[]]>([
    ["make deploy task && make fly STAGE=x", ["there is no make fly"]],
    ["npm run -s fly", ["there is no script fly"]],
    ["sh .github/fly.sh", ["there is no .github/fly.sh"]],
    ["npm run -s hdash -- run htan --force --atlas HTA3", []],
    ["npm run -s hdash -- fly", ["there is no hdash fly"]],
    ["npm run -s hdash-util -- reset --hard", ["hdash-util reset has no --hard"]],
    ['make task COMMAND="hdash --debug run htan"', []],
    ['make task COMMAND="hdash matrix fly"', ["there is no hdash matrix fly"]],
    ['make task COMMAND="hdash-util init --file x.csv"', []],
  ])("looks at %s", ([text, problems]) => {
    expect(checkCommands(text, SURROUNDINGS)).toEqual(problems);
  });
});

describe("checkWorkflows(texts, surroundings)", () => {
  test.for(BROKEN)("reports %s", ([, file, from, to, problems]) => {
    expect(breakWorkflow(file, from, to)).toEqual(problems);
  });

  test("takes a hash with its version beside it", () => {
    const login = "aws-actions/configure-aws-credentials@";
    const pinned = `${login}${"0a".repeat(20)} # v6.2.3`;
    expect(breakWorkflow("deploy.yml", `${login}v6.2.3`, pinned)).toEqual([]);
  });

  test("reports a workflow without jobs", () => {
    expect(checkWorkflows(new Map([["empty.yml", "permissions: {}\n"]]), SURROUNDINGS)).toEqual([
      "empty.yml: has no jobs",
    ]);
  });
});
