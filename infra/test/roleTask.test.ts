import { beforeAll, describe, expect, test } from "vitest";

import { containerOf, environmentOf, policyOf } from "./support/tasks.ts";
import {
  MAIN,
  resourceOf,
  resourcesOf,
  STAGING,
  synthesise,
  TAKEN,
  type Templates,
} from "./support/templates.ts";

let develop: Templates;
let prod: Templates;
beforeAll(() => {
  develop = synthesise(STAGING);
  prod = synthesise(MAIN, { site: "website" });
});

describe("the task that makes the namespace's role in the database", () => {
  test("has the administrator's login and the password of the role, which nobody chose", () => {
    const { Environment, Secrets, Command } = containerOf(develop.namespace, "RoleTask");
    expect(Command).toEqual(["hdash-util", "role", "--alone"]);
    expect(environmentOf({ Environment, Secrets })).toEqual({
      NAMESPACE: "staging",
      HDASH_DB_HOST: "<DatabaseHost>",
      HDASH_DB_PORT: "<DatabasePort>",
      HDASH_DB_NAME: "<DatabaseName>",
      HDASH_DB_SCHEMA: "hdash_staging",
      HDASH_DB_TLS: "on",
      HDASH_DB_CA_FILE: "/app/rds-ca.pem",
      HDASH_LOG_FORMAT: "json",
    });
    expect(Secrets).toEqual([
      { Name: "HDASH_DB_USER", ValueFrom: "<DatabaseSecret>:username::" },
      { Name: "HDASH_DB_PASSWORD", ValueFrom: "<DatabaseSecret>:password::" },
      { Name: "HDASH_DB_ROLE_PASSWORD", ValueFrom: "<DatabaseLogin>:password::" },
    ]);
    expect(resourceOf(develop.namespace, "DatabaseLogin")).toEqual({
      Name: "hdash/develop/staging/database",
      Description: "hdash develop staging: who it is in the database",
      GenerateSecretString: {
        SecretStringTemplate: '{"username":"hdash_staging"}',
        GenerateStringKey: "password",
        PasswordLength: 40,
        ExcludePunctuation: true,
      },
    });
  });

  test("shuts nobody out of a server that was there", () => {
    const { namespace } = synthesise(STAGING, TAKEN);
    expect(containerOf(namespace, "RoleTask")["Command"]).toEqual(["hdash-util", "role"]);
  });

  test("may do nothing in AWS, and what starts it nothing but pull, log and read its two secrets", () => {
    expect(policyOf(develop.namespace, "RoleTaskRole")).toEqual([]);
    expect(policyOf(develop.namespace, "RoleExecutionRole").slice(2)).toEqual([
      {
        Sid: "WriteLog",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: ["<RoleLogs.Arn>"],
      },
      {
        Sid: "ReadSecrets",
        Effect: "Allow",
        Action: ["secretsmanager:GetSecretValue"],
        Resource: ["<DatabaseSecret>", "<DatabaseLogin>"],
      },
    ]);
  });

  test("is the only one that knows the administrator, and no schedule starts it", () => {
    for (const { namespace } of [develop, prod]) {
      const knowing = Object.entries(namespace.Resources)
        .filter(([, resource]) => JSON.stringify(resource).includes('"SharedDatabaseSecret"'))
        .map(([id]) => id);
      expect(knowing).toEqual(["RoleExecutionRole", "RoleTask"]);
      const schedules = ["AWS::Scheduler::Schedule", "AWS::IAM::Role", "AWS::Events::Rule"]
        .flatMap((type) => Object.entries(resourcesOf(namespace, type)))
        .filter(([, properties]) =>
          /<Role(Task|TaskRole|ExecutionRole)\b/.test(JSON.stringify(properties)),
        );
      expect(schedules).toEqual([]);
    }
  });
});
