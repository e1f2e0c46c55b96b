// What AWS answers about the stack of a namespace and a task of it, for tests of what starts one.

import type { Answer } from "./standIn.ts";

export const TASK = "arn:aws:ecs:us-east-1:123456789012:task/hdash-develop/0123abcd";
export const DEFINITION =
  "arn:aws:ecs:us-east-1:123456789012:task-definition/hdash-develop-foo-htan:7";
export const OUTPUTS = {
  Cluster: "arn:aws:ecs:us-east-1:123456789012:cluster/hdash-develop",
  Subnets: "subnet-1,subnet-2",
  SecurityGroup: "sg-1",
  AssignPublicIp: "ENABLED",
  TaskHtan: DEFINITION,
  LogsHtan: "/hdash/develop/foo/htan",
  TaskMatrix: DEFINITION.replace("htan", "matrix"),
  LogsMatrix: "/hdash/develop/foo/matrix",
  DatabaseRoleTask: DEFINITION.replace("htan", "role"),
  DatabaseRoleLogs: "/hdash/develop/foo/role",
  DatabaseRoleSecret:
    "arn:aws:secretsmanager:us-east-1:123456789012:secret:hdash/develop/foo/d-AbCdEf",
};
export const STACK: Answer = {
  to: "cloudformation describe-stacks",
  json: {
    Stacks: [
      {
        Outputs: Object.entries(OUTPUTS).map(([OutputKey, OutputValue]) => ({
          OutputKey,
          OutputValue,
        })),
      },
    ],
  },
};
export const STARTED: Answer = {
  to: "ecs run-task",
  json: { tasks: [{ taskArn: TASK }], failures: [] },
};
export const WAITED: Answer = { to: "ecs wait tasks-stopped" };
export const LOG: Answer = {
  to: "logs get-log-events",
  json: {
    events: [
      { timestamp: 1, message: '{"msg":"done"}' },
      { timestamp: 2, message: "bye" },
    ],
  },
};
export const described = (task: object): Answer => ({
  to: "ecs describe-tasks",
  json: { tasks: [task], failures: [] },
});
export const stopped = (
  exitCode: number | null,
  reason = "Essential container in task exited",
): Answer =>
  described({
    lastStatus: "STOPPED",
    stoppedReason: reason,
    containers: [{ name: "hdash", ...(exitCode === null ? {} : { exitCode }) }],
  });
