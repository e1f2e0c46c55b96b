// Templates of deployments, as CloudFormation would get them, and how tests look into them.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Job } from "../../../src/job.ts";
import { JOBS } from "../../../src/jobList.ts";
import {
  type DomainSettings,
  type GithubSettings,
  readSettings,
  type Settings,
} from "../../settings.ts";
import type { PipelineSettings } from "../../settingsOfPipelines.ts";
import { makeStacks } from "../../stacks.ts";
import type { Target } from "../../target.ts";

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Default?: unknown }>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: unknown }>>;
}
export interface Templates {
  readonly base: Template;
  readonly namespace: Template;
  /** Names of the stacks that refuse to be deleted. */
  readonly protectedStacks: readonly string[];
}

export const STAGING: Target = { stage: "develop", namespace: "staging", tag: "abc1234" };
export const MAIN: Target = { stage: "prod", namespace: "main", tag: "v1.2.3" };
export const FOO: Target = { stage: "develop", namespace: "foo", tag: "abc1234" };
/** A VPC, a database and a repository that nobody has; account ids of this kind are documentation's. */
export const TAKEN = {
  vpc: {
    id: "vpc-0a1b2c3d",
    taskSubnets: ["subnet-0a1b2c3d", "subnet-0a1b2c3e"],
    databaseSubnets: [],
    routeTables: ["rtb-0a1b2c3d"],
  },
  database: {
    host: "db.example.org",
    port: 5433,
    name: "shared",
    secretArn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:shared/db-AbCdEf",
    securityGroup: "sg-0a1b2c3d",
    instance: "shared",
  },
} as const satisfies Partial<Settings>;
export const DOMAIN: DomainSettings = {
  name: "hdash.example.org",
  certificateArn:
    "arn:aws:acm:us-east-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef",
};
/** What a stage says of a pipeline that runs as its job says. */
export const AS_DECLARED: PipelineSettings = {
  enabled: true,
  schedule: null,
  lateAfterHours: null,
  variables: {},
  readBuckets: [],
};
/** A cohort's exports in a bucket of somebody else's. */
export const COHORT: PipelineSettings = {
  ...AS_DECLARED,
  variables: { COHORT_SOURCE: "s3://example-exports/daily" },
};
export const GITHUB: GithubSettings = {
  repository: "example/hdash",
  environments: ["develop"],
  providerArn: null,
  ownAccount: true,
};

/** Synthesises a deployment with the settings of its stage, changed by `changes`. */
export function synthesise(
  target: Target,
  changes: Partial<Settings> = {},
  registry: readonly Job[] = JOBS,
): Templates {
  const outdir = mkdtempSync(join(tmpdir(), "hdash-templates-"));
  try {
    const settings = { ...readSettings(target.stage, JOBS), ...changes };
    const { app, base, namespace } = makeStacks(target, { settings, registry, outdir });
    const assembly = app.synth();
    const template = (name: string): Template => assembly.getStackByName(name).template as Template;
    return {
      base: template(base.stackName),
      namespace: template(namespace.stackName),
      protectedStacks: assembly.stacks
        .filter(({ terminationProtection }) => terminationProtection === true)
        .map(({ stackName }) => stackName)
        .sort(),
    };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** The properties of all resources of a type, by logical id. */
export function resourcesOf(
  template: Template,
  type: string,
): Readonly<Record<string, Resource["Properties"]>> {
  return Object.fromEntries(
    Object.entries(template.Resources)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, { Properties = {} }]) => [id, shown(Properties) as Resource["Properties"]]),
  );
}

/** The one resource with this logical id. */
export function resourceOf(template: Template, id: string): Resource["Properties"] {
  const resource = template.Resources[id];
  if (resource === undefined) {
    throw new Error(`there is no ${id}, but ${Object.keys(template.Resources).join(", ")}`);
  }
  return shown(resource.Properties) as Resource["Properties"];
}

/** A value with CloudFormation's functions written as text: {"Ref": "Vpc"} → "<Vpc>". */
export function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  const [[name = "", content] = []] = Object.entries(fields);
  if (Object.keys(fields).length === 1) {
    if (name === "Ref") return `<${String(content).replace(/^Shared/, "")}>`;
    if (name === "Fn::GetAtt") return `<${(content as string[]).join(".")}>`;
    if (name === "Fn::Join") {
      const [separator, parts] = content as [string, unknown[]];
      return parts.map(shown).join(separator);
    }
    if (name === "Fn::Split") return `split ${String(shown((content as unknown[])[1]))}`;
  }
  return Object.fromEntries(Object.entries(fields).map(([key, inner]) => [key, shown(inner)]));
}

/** Every text in a value, functions written as text. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
