import { describe, expect, test } from "vitest";

import { type Answer, make } from "./support/standIn.ts";
import {
  DEFINITION,
  LOG,
  OUTPUTS,
  STACK,
  STARTED,
  stopped,
  TASK,
  WAITED,
} from "./support/taskAnswers.ts";

const RUN = [STACK, STARTED, WAITED, stopped(0), LOG];
const PASSWORD = "a".repeat(40);
const IDLE: Answer = { to: "ecs list-tasks", json: { taskArns: [] } };
const RANDOM: Answer = { to: "secretsmanager get-random", json: { RandomPassword: PASSWORD } };
const PUT: Answer = { to: "secretsmanager put-secret-value", json: { VersionId: "1" } };
const FOO = { NAMESPACE: "foo", TAG: "v1" };

describe("make role", () => {
  test("runs the task that makes the role, as it is, and ends as it does", async () => {
    const made = await make("role", FOO, RUN);
    expect([made.code, made.stdout]).toEqual([
      0,
      [
        `task: role → ${TASK}`,
        '{"msg":"done"}',
        "bye",
        "task: role ended with exit code 0 (Essential container in task exited)",
        "",
      ].join("\n"),
    ]);
    expect(made.calls[1]).toEqual(
      expect.arrayContaining(["run-task", DEFINITION.replace("htan", "role")]),
    );
    expect(made.calls[1]).not.toContain("--overrides");
    expect(made.calls.at(-1)).toContain("/hdash/develop/foo/role");
    const failed = await make("role", FOO, [STACK, STARTED, WAITED, stopped(2), LOG]);
    expect(failed.stderr).toMatch(/Error 2$/m);
  });

  test("says that a stack of before has no such task", async () => {
    const stack = {
      ...STACK,
      json: { Stacks: [{ Outputs: [{ OutputKey: "Cluster", OutputValue: "c" }] }] },
    };
    const made = await make("role", FOO, [stack]);
    expect(made.stderr).toContain(
      "role: the stack hdash-develop-foo has no output DatabaseRoleTask\n",
    );
  });
});

describe("make drop_role", () => {
  test("drops the ledger and the role of a namespace that is named, once somebody means it", async () => {
    const asked = await make("drop_role", FOO, RUN);
    expect([asked.code, asked.calls]).toEqual([2, []]);
    expect(asked.stderr).toContain("make drop_role NAMESPACE=foo YES=1\n");
    const made = await make("drop_role", { ...FOO, YES: "1" }, RUN);
    expect(made.code, made.stderr).toBe(0);
    expect(made.calls[1]).toEqual(
      expect.arrayContaining([
        DEFINITION.replace("htan", "role"),
        '{"containerOverrides":[{"name":"hdash","command":["hdash-util","role","--drop","--yes"]}]}',
      ]),
    );
  });

  test("refuses production, and guesses no namespace", async () => {
    const main = await make("drop_role", { NAMESPACE: "main", TAG: "v1", YES: "1" }, RUN);
    expect(main.stderr).toContain("main is production, which nothing removes\n");
    const none = await make("drop_role", { TAG: "v1", YES: "1" }, RUN);
    expect(none.stderr).toContain("NAMESPACE is not set; what is removed is not guessed\n");
    expect([main.code, none.code, main.calls, none.calls]).toEqual([2, 2, [], []]);
  });
});

describe("make rotate", () => {
  test("puts a password that AWS made up into the secret, then into the database, and shows it nobody", async () => {
    const made = await make("rotate", FOO, [...RUN, IDLE, RANDOM, PUT]);
    expect(made.code, made.stderr).toBe(0);
    const running = [
      "ecs",
      "list-tasks",
      "--cluster",
      OUTPUTS.Cluster,
      "--desired-status",
      "RUNNING",
    ];
    expect(made.calls.slice(0, 5)).toEqual([
      ["cloudformation", "describe-stacks", "--stack-name", "hdash-develop-foo"],
      [...running, "--family", "hdash-develop-foo-htan"],
      [...running, "--family", "hdash-develop-foo-matrix"],
      ["secretsmanager", "get-random-password", "--password-length", "40", "--exclude-punctuation"],
      [
        ...["secretsmanager", "put-secret-value", "--secret-id", OUTPUTS.DatabaseRoleSecret],
        ...["--secret-string", "file:///dev/stdin"],
      ],
    ]);
    expect(JSON.parse(made.input)).toEqual({ username: "hdash_foo", password: PASSWORD });
    expect(made.calls[6]).toEqual(expect.arrayContaining(["run-task", OUTPUTS.DatabaseRoleTask]));
    expect(made.stdout + made.stderr + JSON.stringify(made.calls)).not.toContain(PASSWORD);
  });

  test("changes nothing while a run has the old password, or where AWS does not say", async () => {
    const busy = { to: "ecs list-tasks", json: { taskArns: [TASK] } };
    for (const answer of [busy, { to: "ecs list-tasks", json: {} }]) {
      const made = await make("rotate", FOO, [STACK, answer, RANDOM, PUT]);
      expect(made.stderr).toContain(
        "rotate: a run of htan is going on, which has the old password\n",
      );
      expect([made.code, made.calls.length, made.input]).toEqual([2, 2, ""]);
    }
  });

  test("makes up no password itself, and says what to do where the database did not get it", async () => {
    const none = await make("rotate", FOO, [STACK, IDLE, { ...RANDOM, json: {} }, PUT]);
    expect([none.stderr, none.input]).toEqual([
      expect.stringContaining("rotate: AWS made up no password\n"),
      "",
    ]);
    const half = await make("rotate", FOO, [
      STACK,
      IDLE,
      RANDOM,
      PUT,
      STARTED,
      WAITED,
      stopped(1),
      LOG,
    ]);
    expect(half.stdout).toContain("rotate: the database does not have it yet; repeat: make role\n");
    expect(half.stderr).toMatch(/Error 1$/m);
    const before = { ...STACK, json: { Stacks: [{ Outputs: [] }] } };
    const early = await make("rotate", FOO, [before]);
    expect(early.stderr).toContain(
      "the stack hdash-develop-foo has no database role yet\nFirst: make deploy\n",
    );
  });
});
