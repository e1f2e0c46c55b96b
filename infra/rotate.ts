// Gives a namespace's database role another password: into its secret first, then by the role's own task into the database.

import { HdashError } from "../src/error.ts";
import { placesOf } from "../src/settings/namespace.ts";
import type { Aws } from "./awsCli.ts";
import { familyName, namespaceStackName } from "./names.ts";
import { pipelinesOf, runTask } from "./runTask.ts";
import { fieldsOf, readOutputs, textOf } from "./stackOutputs.ts";
import type { Target } from "./target.ts";

/** As CloudFormation made the first one: letters and digits. */
const PASSWORD = ["--password-length", "40", "--exclude-punctuation"];

/** Rotates the password; gives the exit code of the task that tells the database. Throws usage while a run has the old one. */
export async function rotate(
  target: Target,
  effects: { readonly aws: Aws; say(line: string): void },
): Promise<number> {
  const { aws, say } = effects;
  const stackName = namespaceStackName(target);
  const outputs = await readOutputs(aws, stackName);
  const secret = outputs.get("DatabaseRoleSecret");
  const cluster = outputs.get("Cluster");
  if (secret === undefined || cluster === undefined) {
    throw new HdashError("permanent", `the stack ${stackName} has no database role yet`, {
      hint: "First: make deploy",
    });
  }
  // Its open connections would stay, the next one that it opens be refused.
  for (const name of pipelinesOf(outputs)) {
    const answer = fieldsOf(
      await aws([
        ...["ecs", "list-tasks", "--cluster", cluster, "--desired-status", "RUNNING"],
        ...["--family", familyName(target, name)],
      ]),
    );
    const tasks: unknown = answer["taskArns"];
    if (Array.isArray(tasks) && tasks.length === 0) continue;
    throw new HdashError("usage", `a run of ${name} is going on, which has the old password`, {
      hint: "Repeat this when it has ended.",
    });
  }
  const password = textOf(
    fieldsOf(await aws(["secretsmanager", "get-random-password", ...PASSWORD]))["RandomPassword"],
  );
  if (password === null) throw new HdashError("permanent", "AWS made up no password");
  const login = JSON.stringify({ username: placesOf(target.namespace).schema, password });
  // By standard input, since everybody on a machine can read a command line.
  await aws(
    [
      ...["secretsmanager", "put-secret-value", "--secret-id", secret],
      ...["--secret-string", "file:///dev/stdin"],
    ],
    login,
  );
  say(`rotate: ${secret} has another password`);
  const code = await runTask({ stackName, which: "databaseRole", command: [] }, effects);
  if (code !== 0) say("rotate: the database does not have it yet; repeat: make role");
  return code;
}
