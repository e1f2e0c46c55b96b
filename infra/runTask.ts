// One task of a namespace, now: starts it, waits for its end, shows the last lines of its log and gives its exit code.

import { HdashError } from "../src/error.ts";
import type { Aws } from "./awsCli.ts";
import { CONTAINER, LOG_STREAM } from "./containerTask.ts";
import { idOf } from "./names.ts";
import { fieldsOf, listOf, readOutputs, textOf } from "./stackOutputs.ts";

/** What of a namespace runs: a pipeline's container, any that it has, or the one that makes its role in the database. */
export type WhichTask =
  | { readonly pipeline: string }
  /** For commands that only need the image and the database. */
  | "any"
  | "databaseRole";

export interface TaskRequest {
  /** The namespace's stack, whose outputs say what runs where. */
  readonly stackName: string;
  readonly which: WhichTask;
  /** Empty: what the schedule runs. */
  readonly command: readonly string[];
}

interface TaskEffects {
  readonly aws: Aws;
  say(line: string): void;
}

/** The CLI waits ten minutes at a time: a day in all, more than any run takes. */
const MOST_WAITS = 144;
const SHOWN_LINES = 40;
/** What a task that has no exit code ends with here: it never ran. */
const NEVER_RAN = 1;

/** Runs a task; gives its exit code. */
export async function runTask(request: TaskRequest, effects: TaskEffects): Promise<number> {
  const { aws, say } = effects;
  const outputs = await readOutputs(aws, request.stackName);
  const output = (key: string): string => {
    const value = outputs.get(key);
    if (value !== undefined) return value;
    throw new HdashError("permanent", `the stack ${request.stackName} has no output ${key}`);
  };
  const { name, task, logs } = find(request, outputs, output);
  const cluster = output("Cluster");
  const id = await start(request, {
    aws,
    cluster,
    task,
    network: {
      subnets: output("Subnets").split(","),
      securityGroups: [output("SecurityGroup")],
      assignPublicIp: output("AssignPublicIp"),
    },
  });
  const what = request.command.length === 0 ? name : request.command.join(" ");
  say(`task: ${what} → ${id}`);
  const stopped = await waitForEnd(aws, cluster, id);
  await showLog(effects, output(logs), id);
  const reasons = [stopped.reason, stopped.containerReason].filter((reason) => reason !== null);
  const code = stopped.exitCode ?? NEVER_RAN;
  const ended =
    stopped.exitCode === null ? "never ran" : `ended with exit code ${stopped.exitCode}`;
  say(`task: ${what} ${ended}${reasons.length === 0 ? "" : ` (${reasons.join("; ")})`}`);
  return code;
}

/** Finds the task definition, and the output that names its log group. */
function find(
  { stackName, which }: TaskRequest,
  outputs: ReadonlyMap<string, string>,
  output: (key: string) => string,
): { readonly name: string; readonly task: string; readonly logs: string } {
  if (which === "databaseRole") {
    return { name: "role", task: output("DatabaseRoleTask"), logs: "DatabaseRoleLogs" };
  }
  const there = pipelinesOf(outputs);
  const name = which === "any" ? (there[0] ?? "") : which.pipeline;
  const task = outputs.get(idOf("Task", name));
  if (task !== undefined) return { name, task, logs: idOf("Logs", name) };
  throw new HdashError(
    "usage",
    which === "any"
      ? `${stackName} runs no pipeline, so there is no container for a task`
      : `PIPELINE is ${JSON.stringify(name)}, but ${stackName} runs ${there.join(" and ") || "none"}`,
  );
}

/** Lists the pipelines that a namespace's outputs name. */
export function pipelinesOf(outputs: ReadonlyMap<string, string>): readonly string[] {
  return [...outputs.keys()]
    .flatMap((key) => /^Task(.+)$/.exec(key)?.[1] ?? [])
    .map((name) => name.toLowerCase());
}

/** Splits a command line into words; quotes hold words together. */
export function splitCommand(line: string): readonly string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  const bare = words.map((word) =>
    word.replace(
      /"([^"]*)"|'([^']*)'/g,
      (_, double?: string, single?: string) => double ?? single ?? "",
    ),
  );
  if (line.replace(/"[^"]*"|'[^']*'/g, "").match(/["']/) === null) return bare;
  throw new HdashError(
    "usage",
    `COMMAND is ${JSON.stringify(line)}, which has a quote without its partner`,
  );
}

async function start(
  { command }: TaskRequest,
  place: { aws: Aws; cluster: string; task: string; network: object },
): Promise<string> {
  const answer = fieldsOf(
    await place.aws([
      ...["ecs", "run-task", "--cluster", place.cluster, "--task-definition", place.task],
      ...["--launch-type", "FARGATE", "--count", "1", "--started-by", "make-task"],
      ...["--network-configuration", JSON.stringify({ awsvpcConfiguration: place.network })],
      ...(command.length === 0
        ? []
        : ["--overrides", JSON.stringify({ containerOverrides: [{ name: CONTAINER, command }] })]),
    ]),
  );
  const id = textOf(listOf(answer["tasks"])[0]?.["taskArn"]);
  if (id !== null) return id;
  const why = listOf(answer["failures"]).map(({ reason, detail }) =>
    [textOf(reason), textOf(detail)].filter((text) => text !== null).join(": "),
  );
  throw new HdashError(
    "permanent",
    `no task was started: ${why.join("; ") || "AWS does not say why"}`,
  );
}

interface Stopped {
  readonly exitCode: number | null;
  readonly reason: string | null;
  readonly containerReason: string | null;
}

async function waitForEnd(aws: Aws, cluster: string, id: string): Promise<Stopped> {
  const which = ["--cluster", cluster, "--tasks", id];
  for (let waits = 0; waits < MOST_WAITS; waits += 1) {
    let gaveUp: unknown;
    try {
      await aws(["ecs", "wait", "tasks-stopped", ...which]);
    } catch (error) {
      // It fails when its ten minutes are over. Whether something else is wrong, the next question shows.
      gaveUp = error;
    }
    const [task] = listOf(fieldsOf(await aws(["ecs", "describe-tasks", ...which]))["tasks"]);
    if (task === undefined) {
      throw new HdashError("permanent", `the task ${id} is not there any more`, { cause: gaveUp });
    }
    if (task["lastStatus"] === "STOPPED") {
      const container = listOf(task["containers"]).find(({ name }) => name === CONTAINER);
      const code = container?.["exitCode"];
      return {
        exitCode: typeof code === "number" ? code : null,
        reason: textOf(task["stoppedReason"]),
        containerReason: textOf(container?.["reason"]),
      };
    }
  }
  throw new HdashError("permanent", `the task ${id} did not end within a day; it goes on`);
}

async function showLog({ aws, say }: TaskEffects, group: string, id: string): Promise<void> {
  const stream = `${LOG_STREAM}/${CONTAINER}/${id.split("/").at(-1) ?? ""}`;
  let answer: unknown;
  try {
    answer = await aws([
      ...["logs", "get-log-events", "--log-group-name", group, "--log-stream-name", stream],
      ...["--limit", String(SHOWN_LINES)],
    ]);
  } catch (error) {
    // A task that never ran has no log; and how it ended matters more than what it said.
    say(`task: no log ${stream} in ${group}: ${(error as Error).message}`);
    return;
  }
  for (const { message } of listOf(fieldsOf(answer)["events"])) say(textOf(message) ?? "");
}
