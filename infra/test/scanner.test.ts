import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { JOBS } from "../../src/jobList.ts";
import { ACCEPTED } from "../accepted.ts";
import { readSettings } from "../settings.ts";
import { type Flagged, RULES, scan } from "./support/scanner.ts";
import type { Template } from "./support/templates.ts";

const FOLDER = join(import.meta.dirname, "golden");
const TEMPLATES = readdirSync(FOLDER).map(
  (file) => [file, JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Template] as const,
);
const keyOf = ({ rule, at }: Flagged): string => `${rule} ${at}`;
const keysOf = (files: RegExp): readonly string[] =>
  [
    ...new Set(
      TEMPLATES.filter(([file]) => files.test(file)).flatMap(([, one]) => scan(one).map(keyOf)),
    ),
  ].sort();
const accepted = (list: typeof ACCEPTED): readonly string[] =>
  list.flatMap(({ rule, at }) => at.map((id) => `${rule} ${id}`)).sort();

describe("what a scanner flags in the templates", () => {
  test("is just what accepted.ts gives reasons for", () => {
    expect(TEMPLATES).toHaveLength(8);
    expect(keysOf(/./)).toEqual(accepted(ACCEPTED));
  });

  test("is in prod, as delivered, nothing that a flag of the settings would end", () => {
    const prod = readSettings("prod", JOBS);
    const flags = Object.entries(prod).filter(([, value]) => value === true);
    const ended = ACCEPTED.filter(({ setting }) => flags.some(([name]) => name === setting));
    expect(ended.length).toBeGreaterThan(5);
    const found = keysOf(/^prod/);
    expect(accepted(ended).filter((key) => found.includes(key))).toEqual([]);
  });
});

describe("ACCEPTED", () => {
  test("gives a reason for each, in words, and settings that there are", () => {
    expect(ACCEPTED.filter(({ reason }) => reason.split(" ").length < 5)).toEqual([]);
    const settings: unknown = readSettings("prod", JOBS);
    const named = ACCEPTED.flatMap(({ setting }) => (setting === null ? [] : [setting]));
    for (const name of named) {
      const value = name
        .split(".")
        .reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], settings);
      expect([name, value]).not.toEqual([name, undefined]);
    }
  });
});

describe("scan(template)", () => {
  const of = (Type: string, Properties: object): readonly string[] =>
    scan({ Resources: { X: { Type, Properties: { ...Properties } } }, Outputs: {} }).map(
      ({ rule }) => rule,
    );

  test.each([...new Set(RULES.map(({ type }) => type))])("flags a bare %s", (type) => {
    const bare: Readonly<Record<string, object>> = {
      "AWS::EC2::SecurityGroup": {
        SecurityGroupIngress: [{ CidrIp: "0.0.0.0/0" }],
        SecurityGroupEgress: [{ CidrIp: "0.0.0.0/0" }],
      },
      "AWS::EC2::SecurityGroupIngress": { CidrIp: "0.0.0.0/0" },
      "AWS::EC2::SecurityGroupEgress": { CidrIpv6: "::/0" },
      "AWS::S3::Bucket": { AccessControl: "PublicRead" },
      "AWS::RDS::DBInstance": { Port: "5432" },
      "AWS::KMS::Key": { KeyPolicy: { Statement: [{ Effect: "Allow", Principal: "*" }] } },
      "AWS::ECR::Repository": { RepositoryPolicyText: {} },
      "AWS::CloudFront::Distribution": {
        DistributionConfig: { DefaultCacheBehavior: { ViewerProtocolPolicy: "allow-all" } },
      },
      "AWS::ECS::TaskDefinition": { ContainerDefinitions: [{ Environment: [{ Name: "A" }] }] },
      "AWS::IAM::Role": {
        AssumeRolePolicyDocument: { Statement: { Effect: "Allow", Principal: { AWS: "*" } } },
        Policies: [
          { PolicyDocument: { Statement: { Effect: "Allow", Action: "*", Resource: "*" } } },
        ],
      },
      "AWS::Scheduler::Schedule": { Target: { AssignPublicIp: "ENABLED" } },
    };
    const expected = RULES.filter((rule) => rule.type === type).map(({ rule }) => rule);
    const found = of(type, bare[type] ?? {});
    // A bucket's policy lies beside it.
    expect([...found, ...(type === "AWS::S3::Bucket" ? ["bucket-for-everybody"] : [])]).toEqual(
      expected,
    );
  });

  test("finds a bucket that a policy opens", () => {
    const Statement = [{ Sid: "All", Effect: "Allow", Principal: { AWS: "*" }, Action: "s3:*" }];
    const found = scan({
      Resources: {
        Open: { Type: "AWS::S3::Bucket", Properties: {} },
        Policy: {
          Type: "AWS::S3::BucketPolicy",
          Properties: { Bucket: { Ref: "Open" }, PolicyDocument: { Statement } },
        },
      },
      Outputs: {},
    });
    expect(found.map(keyOf)).toContain("bucket-for-everybody Open");
  });
});
