import { beforeAll, describe, expect, test } from "vitest";

import type { Settings } from "../settings.ts";
import type { Target } from "../target.ts";
import { UNCONDITIONAL, WILDCARDS } from "../wildcards.ts";
import { loopholesIn, statementsIn, wildcardsIn } from "./support/statements.ts";
import {
  AS_DECLARED,
  COHORT,
  FOO,
  GITHUB,
  MAIN,
  STAGING,
  synthesise,
  TAKEN,
  type Template,
} from "./support/templates.ts";

/** Deployments that between them have every statement that there can be. */
const DEPLOYMENTS: readonly (readonly [Target, Partial<Settings>])[] = [
  [STAGING, { github: GITHUB, alarmEmails: ["ops@example.org"] }],
  [MAIN, { github: GITHUB }],
  [
    FOO,
    {
      ...TAKEN,
      network: "endpoints",
      site: "website",
      pipelines: {
        htan: AS_DECLARED,
        matrix: { ...AS_DECLARED, readBuckets: ["example-matrices"] },
        cohort: COHORT,
      },
    },
  ],
];
const keyOf = (one: { statement: string; in: string; value: string }): string =>
  `${one.statement}: ${one.in} ${one.value}`;

let templates: readonly (readonly [Target, Template])[];
beforeAll(() => {
  templates = DEPLOYMENTS.flatMap(([target, settings]) => {
    const { base, namespace } = synthesise(target, settings);
    return [
      [target, base],
      [target, namespace],
    ] as const;
  });
});

/** A template with one role, to see the walk find things. */
function roleWith(properties: Readonly<Record<string, unknown>>): Template {
  return { Resources: { Role: { Type: "AWS::IAM::Role", Properties: properties } }, Outputs: {} };
}
const documentWith = (statement: object): object => ({
  PolicyDocument: { Statement: [{ Sid: "New", Effect: "Allow", ...statement }] },
});

describe("the statements of all templates", () => {
  test("have only the wildcards that wildcards.ts gives reasons for, and need each of these", () => {
    const found = templates.flatMap(([target, template]) => wildcardsIn(template, target));
    expect([...new Set(found.map(keyOf))].sort()).toEqual(WILDCARDS.map(keyOf).sort());
  });

  test("let services in by a condition only, but for those that wildcards.ts gives reasons for", () => {
    const open = templates.flatMap(([, template]) =>
      statementsIn(template)
        .filter(({ fields }) => {
          const service = (fields["Principal"] as { Service?: unknown } | undefined)?.Service;
          return service !== undefined && fields["Condition"] === undefined;
        })
        .map(({ sid }) => sid),
    );
    expect([...new Set(open)].sort()).toEqual(UNCONDITIONAL.map(({ statement }) => statement));
  });

  test("leave nothing open by another way", () => {
    expect(templates.flatMap(([, template]) => loopholesIn(template))).toEqual([]);
  });

  test("are found: roles, trust, key, buckets, topic, queue", () => {
    const types = new Set(
      templates.flatMap(([, template]) =>
        statementsIn(template).map(({ at }) => template.Resources[at]?.Type),
      ),
    );
    expect([...types].sort()).toEqual([
      "AWS::IAM::Role",
      "AWS::KMS::Key",
      "AWS::S3::BucketPolicy",
      "AWS::SNS::TopicPolicy",
      "AWS::SQS::QueuePolicy",
    ]);
  });
});

describe("WILDCARDS and UNCONDITIONAL", () => {
  test("give a reason for each, in words", () => {
    const all = [...WILDCARDS, ...UNCONDITIONAL];
    expect(all.filter(({ reason }) => reason.split(" ").length < 4)).toEqual([]);
  });
});

describe("wildcardsIn(template, names)", () => {
  const names = { stage: "develop", namespace: "foo" };
  test.each([
    ["an action", { Action: ["s3:Get*"], Resource: "arn:x" }, "New: Action s3:Get*"],
    ["a single action", { Action: "s3:*", Resource: "arn:x" }, "New: Action s3:*"],
    ["a resource", { Action: "s3:GetObject", Resource: ["*"] }, "New: Resource *"],
    [
      "a resource that is put together",
      { Action: "a:b", Resource: { "Fn::Join": ["", ["arn:", { Ref: "X" }, "/foo/*"]] } },
      "New: Resource arn:<X>/<namespace>/*",
    ],
    ["everybody", { Action: "a:b", Resource: "r", Principal: { AWS: "*" } }, "New: Principal *"],
  ])("finds %s", (_, statement, expected) => {
    const inline = roleWith({ Policies: [documentWith(statement)] });
    expect(wildcardsIn(inline, names).map(keyOf)).toEqual([expected]);
    const trust = roleWith({
      AssumeRolePolicyDocument: { Statement: { Sid: "New", ...statement } },
    });
    expect(wildcardsIn(trust, names).map(keyOf)).toEqual([expected]);
  });
});

describe("loopholesIn(template)", () => {
  test("finds what names everything but, AWS's own policies and statements without a name", () => {
    expect(
      loopholesIn(
        roleWith({
          ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"],
          Policies: [
            documentWith({ NotAction: "iam:PassRole", Resource: "r" }),
            { PolicyDocument: { Statement: [{ Action: "a:b", NotResource: "r" }] } },
          ],
        }),
      ),
    ).toEqual([
      "Role: New says NotAction",
      "Role: a statement without a Sid",
      "Role:  says NotResource",
      "Role: has ManagedPolicyArns",
    ]);
  });
});
