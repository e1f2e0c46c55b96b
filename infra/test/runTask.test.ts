import { describe, expect, test } from "vitest";

import { splitCommand } from "../runTask.ts";
import { type Answer, make } from "./support/standIn.ts";
import {
  DEFINITION,
  described,
  LOG,
  OUTPUTS,
  STACK,
  STARTED,
  stopped,
  TASK,
  WAITED,
} from "./support/taskAnswers.ts";

const WHICH = ["--cluster", OUTPUTS.Cluster, "--tasks", TASK];
const task = (answers: readonly Answer[], variables: Readonly<Record<string, string>> = {}) =>
  make("task", { NAMESPACE: "foo", TAG: "v1", PIPELINE: "htan", ...variables }, answers);

describe("make task", () => {
  test("starts the pipeline's task with another command, waits, and shows the end of its log", async () => {
    const made = await task([STACK, STARTED, WAITED, stopped(0), LOG], {
      PIPELINE: "htan",
      COMMAND: 'hdash-util init --file "my list.csv"',
    });
    expect(made.stdout).toBe(
      [
        `task: hdash-util init --file my list.csv → ${TASK}`,
        '{"msg":"done"}',
        "bye",
        "task: hdash-util init --file my list.csv ended with exit code 0 (Essential container in task exited)",
        "",
      ].join("\n"),
    );
    expect(made.code).toBe(0);
    expect(made.calls).toEqual([
      ["cloudformation", "describe-stacks", "--stack-name", "hdash-develop-foo"],
      [
        ...["ecs", "run-task", "--cluster", OUTPUTS.Cluster, "--task-definition", DEFINITION],
        ...["--launch-type", "FARGATE", "--count", "1", "--started-by", "make-task"],
        "--network-configuration",
        '{"awsvpcConfiguration":{"subnets":["subnet-1","subnet-2"],"securityGroups":["sg-1"],"assignPublicIp":"ENABLED"}}',
        "--overrides",
        '{"containerOverrides":[{"name":"hdash","command":["hdash-util","init","--file","my list.csv"]}]}',
      ],
      ["ecs", "wait", "tasks-stopped", ...WHICH],
      ["ecs", "describe-tasks", ...WHICH],
      [
        ...["logs", "get-log-events", "--log-group-name", "/hdash/develop/foo/htan"],
        ...["--log-stream-name", "run/hdash/0123abcd", "--limit", "40"],
      ],
    ]);
  });

  test("runs the pipeline itself without a command", async () => {
    const { calls, stdout } = await task([STACK, STARTED, WAITED, stopped(0), LOG], {
      PIPELINE: "matrix",
    });
    expect(calls[1]).not.toContain("--overrides");
    expect(calls[1]).toContain(OUTPUTS.TaskMatrix);
    expect(stdout).toContain(`task: matrix → ${TASK}\n`);
  });

  test("runs a command in any container that the namespace has when no pipeline is named", async () => {
    const onlyMatrix = Object.entries(OUTPUTS).filter(([key]) => !key.endsWith("Htan"));
    const outputs = onlyMatrix.map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
    const stack = { ...STACK, json: { Stacks: [{ Outputs: outputs }] } };
    const variables = { PIPELINE: "", COMMAND: "hdash-util reset --drop --yes" };
    const { calls, code } = await task([stack, STARTED, WAITED, stopped(0), LOG], variables);
    expect(code).toBe(0);
    expect(calls[1]).toContain(OUTPUTS.TaskMatrix);
    expect(calls.at(-1)).toContain(OUTPUTS.LogsMatrix);
  });

  test("gets no command into the task that knows the database's administrator", async () => {
    const only = Object.entries(OUTPUTS).filter(([key]) => !/^(Task|Logs)/.test(key));
    const outputs = only.map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue }));
    const stack = { ...STACK, json: { Stacks: [{ Outputs: outputs }] } };
    for (const PIPELINE of ["", "role", "databaserole", "DatabaseRole"]) {
      const made = await task([stack], { PIPELINE, COMMAND: "hdash doctor" });
      expect(made.stderr).toMatch(/runs no pipeline|but hdash-develop-foo runs none/);
      expect(made.calls).toHaveLength(1);
    }
  });

  test("says that there is nothing to run, and nothing to run it in", async () => {
    const nothing = await task([], { PIPELINE: "" });
    expect(nothing.stderr).toContain("task: neither PIPELINE nor COMMAND says what is to run\n");
    expect(nothing.calls).toEqual([]);
    // A first deployment that failed leaves a stack without outputs.
    const stack = { ...STACK, json: { Stacks: [{ StackStatus: "ROLLBACK_COMPLETE" }] } };
    const empty = await task([stack], { PIPELINE: "", COMMAND: "hdash doctor" });
    expect(empty.stderr).toContain(
      "task: hdash-develop-foo runs no pipeline, so there is no container for a task\n",
    );
  });

  test("fails with the task's exit code, which make tells", async () => {
    const made = await task([STACK, STARTED, WAITED, stopped(3), LOG]);
    expect(made.stdout).toContain("task: htan ended with exit code 3 (");
    expect(made.stderr).toMatch(/Error 3$/m);
    expect(made.code).not.toBe(0);
  });

  test("waits on when the ten minutes of the CLI are over", async () => {
    const { calls, code } = await task([
      STACK,
      STARTED,
      { to: "ecs wait", error: "Waiter TasksStopped failed: Max attempts exceeded", code: 255 },
      WAITED,
      described({ lastStatus: "RUNNING", containers: [{ name: "hdash" }] }),
      stopped(0),
      LOG,
    ]);
    expect(code).toBe(0);
    expect(calls.map(([, what]) => what)).toEqual([
      ...["describe-stacks", "run-task"],
      ...["wait", "describe-tasks", "wait", "describe-tasks", "get-log-events"],
    ]);
  });

  test("says why a task never ran: no image, no secret; it has no log then", async () => {
    const reason = "CannotPullContainerError: manifest unknown";
    const made = await task([
      ...[STACK, STARTED, WAITED, stopped(null, reason)],
      { to: "logs get-log-events", error: "The specified log stream does not exist." },
    ]);
    expect(made.stdout).toContain(`task: htan never ran (${reason})\n`);
    expect(made.stdout).toContain("The specified log stream does not exist.");
    expect(made.stderr).toMatch(/Error 1$/m);
  });

  test("says why AWS started nothing", async () => {
    const refused = {
      tasks: [],
      failures: [{ reason: "RESOURCE:FARGATE", detail: "no capacity" }],
    };
    const made = await task([STACK, { to: "ecs run-task", json: refused }]);
    expect(made.stderr).toContain("task: no task was started: RESOURCE:FARGATE: no capacity\n");
    const silent = await task([STACK, { to: "ecs run-task", json: {} }]);
    expect(silent.stderr).toContain("task: no task was started: AWS does not say why\n");
  });

  test("says which pipelines a namespace runs", async () => {
    const made = await task([STACK], { PIPELINE: "recover" });
    expect(made.stderr).toContain(
      'task: PIPELINE is "recover", but hdash-develop-foo runs htan and matrix\n',
    );
    expect(made.calls).toHaveLength(1);
  });

  test("tells what the CLI says: no such stack, an answer that is none, no CLI at all", async () => {
    const error = "Stack with id hdash-develop-foo does not exist";
    const missing = await task([{ to: "cloudformation", error }]);
    expect(missing.stderr).toContain(`cloudformation describe-stacks: ${error}`);
    const garbled = await task([{ to: "cloudformation", json: "<html>" }]);
    expect(garbled.stderr).toContain("cloudformation describe-stacks: its answer is no JSON");
    const none = await task([], { AWS: "no-such-aws" });
    expect(none.stderr).toContain("task: no-such-aws cloudformation describe-stacks: ");
    const bare = await task([
      {
        to: "cloudformation",
        json: { Stacks: [{ Outputs: [{ OutputKey: "TaskHtan", OutputValue: "x" }] }] },
      },
    ]);
    expect(bare.stderr).toContain("task: the stack hdash-develop-foo has no output Cluster\n");
  });

  test("gives up on a task that is gone", async () => {
    const gone: Answer = { to: "ecs describe-tasks", json: { tasks: [], failures: [] } };
    const made = await task([STACK, STARTED, WAITED, gone]);
    expect(made.stderr).toContain(`task: the task ${TASK} is not there any more\n`);
  });

  test("refuses a command with half a quote before it asks anybody", async () => {
    const made = await task([STACK], { COMMAND: 'hdash-util "init' });
    expect(made.stderr).toContain("which has a quote without its partner\n");
    expect([made.code, made.calls]).toEqual([2, []]);
  });
});

describe("splitCommand(line)", () => {
  test.each([
    ["", []],
    ["  hdash   run htan ", ["hdash", "run", "htan"]],
    [`a "b c" 'd "e"' f"g h"i`, ["a", "b c", 'd "e"', "fg hi"]],
    [`a "" b`, ["a", "", "b"]],
  ])("splits %o", (line, words) => {
    expect(splitCommand(line)).toEqual(words);
  });
});
