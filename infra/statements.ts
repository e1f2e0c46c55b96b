// Statements of policies, as IAM reads them. Each has a Sid, by which wildcards.ts gives its reasons.

import { Aws } from "aws-cdk-lib";

export interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: unknown;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Statement[];
}

/** Makes a policy of statements. */
export function policy(...statements: readonly Statement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}

/** Allows a role some actions on some resources. */
export function allow(
  Sid: string,
  Action: readonly string[],
  Resource: readonly string[],
  Condition?: Statement["Condition"],
): Statement {
  const statement = { Sid, Effect: "Allow", Action, Resource } as const;
  return Condition === undefined ? statement : { ...statement, Condition };
}

/** Makes the trust policy of a role that one AWS service takes on, for nobody but this account. */
export function trustOf(service: string, condition: Statement["Condition"] = {}): PolicyDocument {
  return policy({
    Sid: "ServiceOfThisAccount",
    Effect: "Allow",
    Principal: { Service: `${service}.amazonaws.com` },
    Action: "sts:AssumeRole",
    Condition: {
      ...condition,
      StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID, ...condition["StringEquals"] },
    },
  });
}

/** Refuses whoever comes to a resource without TLS. */
export function denyPlainHttp(Action: string, Resource: string | readonly string[]): Statement {
  return {
    Sid: "OnlyTls",
    Effect: "Deny",
    Principal: "*",
    Action,
    Resource,
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}

/** Writes the ARN of something of this account and region. */
export function arn(service: string, resource: string): string {
  return `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`;
}
