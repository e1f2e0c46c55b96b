// A namespace's own login to the database, and the one task that knows the administrator's: it makes the role of that login, or drops it.

import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";

import { placesOf } from "../src/settings/namespace.ts";
import { type ContainerTask, databaseVariables, makeContainerTask } from "./containerTask.ts";
import { type Imported, pathOf, removalPolicy } from "./names.ts";
import type { Settings } from "./settings.ts";
import type { Target } from "./target.ts";

/** The task's name, which no pipeline may have. */
export const ROLE_TASK = "role";
/** The least that runs hdash: it is there for seconds. */
const CPU = 256;
const MEMORY_MIB = 1024;

interface RoleProps {
  readonly target: Target;
  readonly settings: Pick<Settings, "logRetentionDays" | "ownKey" | "database">;
  readonly imported: Imported;
}

/** Makes the secret with the namespace's login: CloudFormation makes the password up, nobody ever sees it. */
export function makeLogin(scope: Construct, target: Target): CfnSecret {
  const secret = new CfnSecret(scope, "DatabaseLogin", {
    name: `${pathOf(target)}/database`,
    description: `hdash ${target.stage} ${target.namespace}: who it is in the database`,
    generateSecretString: {
      secretStringTemplate: JSON.stringify({ username: placesOf(target.namespace).schema }),
      generateStringKey: "password",
      passwordLength: 40,
      excludePunctuation: true,
    },
  });
  // Also of a stack that is protected: a password that is gone is made up again. CloudFormation deletes a secret at once, so that its name
  // is free.
  secret.applyRemovalPolicy(removalPolicy(false));
  return secret;
}

/** Makes the task. No schedule starts it, and nothing that a schedule starts can read what it reads. */
export function makeRoleTask(
  scope: Construct,
  { target, settings, imported, login }: RoleProps & { readonly login: CfnSecret },
): ContainerTask {
  const administrator = imported("DatabaseSecret");
  // Of a server that was there others may live, too.
  const alone = settings.database === null ? ["--alone"] : [];
  return makeContainerTask(scope, {
    ...{ target, settings, imported, name: ROLE_TASK, cpu: CPU, memoryMiB: MEMORY_MIB },
    diskGiB: null,
    command: ["hdash-util", "role", ...alone],
    environment: databaseVariables(target, imported),
    secrets: [
      { name: "HDASH_DB_USER", secretArn: administrator, field: "username" },
      { name: "HDASH_DB_PASSWORD", secretArn: administrator, field: "password" },
      { name: "HDASH_DB_ROLE_PASSWORD", secretArn: login.ref, field: "password" },
    ],
    // It talks to the database and to nobody else.
    statements: [],
  });
}
