// Every name that the stacks give to something in AWS. What is not named here gets its name from CloudFormation.

import { RemovalPolicy } from "aws-cdk-lib";

import type { Stage } from "./target.ts";

type Place = { readonly stage: Stage; readonly namespace: string };

/** Names the stack that all namespaces of a stage share. */
export function baseStackName(stage: Stage): string {
  return `hdash-${stage}`;
}

/** Names the stack of a namespace; its schedule group is called the same. */
export function namespaceStackName({ stage, namespace }: Place): string {
  return `hdash-${stage}-${namespace}`;
}

/** Names the parameter (of Systems Manager) by which the base stack hands `what` to namespaces. */
export function sharedName(stage: Stage, what: string): string {
  return `/hdash/${stage}/${what}`;
}

/** What the base stack gives: a value of CloudFormation, known when it deploys. */
export type Imported = (name: string) => string;

/** Names the task definition of a pipeline. A pipeline's name has no hyphen, so that no two namespaces can meet. */
export function familyName(place: Place, pipeline: string): string {
  return `${namespaceStackName(place)}-${pipeline}`;
}

/** Names the path that holds a namespace's log groups and metrics: nothing of "foo" begins like a name of "foo-bar". */
export function pathOf({ stage, namespace }: Place): string {
  return `hdash/${stage}/${namespace}`;
}

/** Names the secret that holds a variable's value; the stage's namespaces share it. */
export function secretName(stage: Stage, variable: string): string {
  return `hdash/${stage}/${variable}`;
}

/** Names what the base stack gives of the bucket of a private place: COHORT_RAW → CohortRawBucket. */
export function privateBucketName(variable: string): string {
  return idOf(variable, "Bucket");
}

/** Names the log group that RDS writes to; it goes by the instance's name, which is the base stack's. */
export function databaseLogName(stage: Stage): string {
  return `/aws/rds/instance/${baseStackName(stage)}/postgresql`;
}

/** Makes a logical id or an output's name of words: SLACK_WEBHOOK_URL → SlackWebhookUrl. */
export function idOf(...words: readonly string[]): string {
  return words
    .flatMap((word) => word.split(/[^A-Za-z0-9]+/))
    .map((word) => (/^[A-Z0-9]+$/.test(word) ? word.toLowerCase() : word))
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/**
 * Says what becomes of a thing when its stack lets it go. What is kept is not kept of a stack that could not be made in the first place:
 * its name would be in the way of the next attempt.
 */
export function removalPolicy(isKept: boolean): RemovalPolicy {
  return isKept ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
}
