// What a stage's settings say of single pipelines, and what comes of it together with the registry's own deployment.

import { HdashError } from "../src/error.ts";
import type { Deployment, Job } from "../src/job.ts";
import { readConfig, variablesOf } from "../src/settings/config.ts";
import { countOf, type Fields, flagOf, openFields, textsOf } from "./settingsFields.ts";
import {
  checkLateness,
  type DeployedSchedule,
  MOST_LATE_HOURS,
  readSchedules,
  type ScheduleSettings,
  schedulesOf,
} from "./settingsOfSchedules.ts";

export interface PipelineSettings {
  readonly enabled: boolean;
  readonly schedule: ScheduleSettings;
  /** Null: the registry's, which fits the registry's schedule only. */
  readonly lateAfterHours: number | null;
  readonly variables: Readonly<Record<string, string>>;
  /** Buckets of others that it reads, such as the one of canned matrices. */
  readonly readBuckets: readonly string[];
}

/** A pipeline as it is deployed. */
export interface DeployedPipeline extends Omit<Deployment, "schedule"> {
  readonly name: string;
  /** Whether its schedules are on, but for those that are off by themselves. */
  readonly enabled: boolean;
  /** Whether its variables are set without which it has nothing to do. */
  readonly isReady: boolean;
  readonly schedules: readonly DeployedSchedule[];
  readonly title: string;
  readonly readBuckets: readonly string[];
  /** Where its variables say that what it reads is, of which a namespace reads the folder of its name. */
  readonly sources: readonly S3Place[];
}

/** Memory that Fargate has for so many units of CPU, in MiB: least, most and the step between. */
const MEMORY: Readonly<Record<Deployment["cpu"], readonly [number, number, number]>> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
};
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const NAMES = ["enabled", "schedule", "lateAfterHours", "variables", "readBuckets"];
/** What the stacks set themselves. */
const OWN = /^(HDASH_DB_|S3_|NAMESPACE$|HDASH_(WORK_BUCKET|LABEL|LOG_FORMAT|HOME)$)/;

/** What holds of a pipeline that a stage's settings do not name: it runs as its job says, or is off where that wants a variable. */
const AS_DECLARED: PipelineSettings = {
  enabled: true,
  schedule: null,
  lateAfterHours: null,
  variables: {},
  readBuckets: [],
};

/** Reads the settings of every pipeline of the registry. */
export function readPipelineSettings(
  fields: Fields,
  entries: readonly Job[],
  network: string,
): Readonly<Record<string, PipelineSettings>> {
  const { problems } = fields;
  const names = entries.map(({ name }) => name);
  const all = openFields(`${fields.where}.pipelines`, fields.values["pipelines"], names, problems);
  return Object.fromEntries(
    entries.map((entry) => {
      const { deployment } = entry;
      const unnamed = { ...AS_DECLARED, enabled: missingOf(deployment, {}).length === 0 };
      const given = entry.name in all.values ? all.values[entry.name] : unnamed;
      const inner = openFields(`${all.where}.${entry.name}`, given, NAMES, problems);
      const settings: PipelineSettings = {
        enabled: flagOf(inner, "enabled"),
        schedule: readSchedules(inner, deployment),
        lateAfterHours:
          inner.values["lateAfterHours"] === null
            ? null
            : countOf(inner, "lateAfterHours", 1, MOST_LATE_HOURS),
        variables: readVariables(inner, entries),
        readBuckets: textsOf(inner, "readBuckets", BUCKET, "names of buckets"),
      };
      const before = problems.length;
      problems.push(...checkPipeline(inner.where, entry, settings, network));
      // What is no variable at all has been complained about.
      if (problems.length === before) {
        problems.push(...checkPlaces(inner.where, deployment, settings.variables));
        problems.push(...checkValues(inner.where, entry, settings.variables, entries));
      }
      return [entry.name, settings];
    }),
  );
}

/** Names the variables without which a job has nothing to do, and which are not set. */
function missingOf(
  { requires = [], variables: own }: Deployment,
  variables: PipelineSettings["variables"],
): readonly string[] {
  const set: PipelineSettings["variables"] = { ...own, ...variables };
  return requires.filter((name) => (set[name] ?? "").trim() === "");
}

/** Says what is wrong with places that a task is to read: its role is made of them, and it has no folder of anybody's. */
function checkPlaces(
  where: string,
  { readPlaces = [] }: Deployment,
  variables: PipelineSettings["variables"],
): readonly string[] {
  return readPlaces.flatMap((name) => {
    const value = variables[name]?.trim() ?? "";
    // An address of another kind is none of S3's: what is wrong with it, the job says.
    const isElsewhere = /^(?!s3:)[a-z][a-z0-9+.-]*:/i.test(value);
    if (value === "" || isElsewhere || placeOf(value) !== null) return [];
    return [
      `${where}.variables.${name} is ${JSON.stringify(value)}, but a task reads s3://bucket/prefix, of letters, digits and !_.'()=+,@:- between single slashes`,
    ];
  });
}

/** A bucket, and what lies below a prefix of it: "" for all, else with a slash at its end. */
export interface S3Place {
  readonly bucket: string;
  readonly prefix: string;
}

/** Reads s3://bucket/prefix; null where it is no such address, or has what would be a wildcard in a policy. */
function placeOf(value: string): S3Place | null {
  const [, bucket = "", path = ""] =
    /^s3:\/\/([^/]+)((?:\/[\w!.'()=+,@:-]+)*)\/?$/.exec(value.trim()) ?? [];
  if (!BUCKET.test(bucket)) return null;
  return { bucket, prefix: path === "" ? "" : `${path.slice(1)}/` };
}

/** Says what hdash itself would say of the variables when its task starts: later than now, and by an alarm. */
function checkValues(
  where: string,
  { name: asked, deployment, needs }: Job,
  variables: PipelineSettings["variables"],
  jobs: readonly Job[],
): readonly string[] {
  const own = { ...deployment.variables, ...variables };
  // The stack's own and the secrets are as good as their examples.
  const given = [
    ...["S3_BUCKET_NAME", ...secretsOf(deployment, own)],
    ...(deployment.privatePlaces ?? []).map(({ variable }) => variable),
  ];
  const examples = variablesOf(jobs)
    .filter(({ name }) => given.includes(name))
    .map(({ name, example }) => [name, example] as const);
  const isAsked = missingOf(deployment, variables).length === 0;
  try {
    readConfig(
      { ...Object.fromEntries(examples), ...own },
      needs.filter((need) => need !== "database"),
      jobs,
      isAsked ? [asked] : [],
    );
    return [];
  } catch (error) {
    if (!(error instanceof HdashError) || error.kind !== "config") throw error;
    // One problem is the message; several are lines below it.
    const [only = "", ...lines] = error.message.split("\n  ");
    return (lines.length === 0 ? [only] : lines).map((line) => `${where}.variables: ${line}`);
  }
}

/** Lists the secrets that a job has a use for with these variables. */
function secretsOf(
  deployment: Deployment,
  variables: PipelineSettings["variables"],
): readonly string[] {
  return deployment.secrets.filter((name) => deployment.usesSecret?.(name, variables) ?? true);
}

function readVariables(fields: Fields, jobs: readonly Job[]): Readonly<Record<string, string>> {
  if (!fields.isThere) return {};
  const known = variablesOf(jobs);
  const refused = Object.assign(
    {},
    ...jobs.map(({ deployment }) => deployment.refused),
  ) as NonNullable<Deployment["refused"]>;
  const places = jobs.flatMap(({ deployment }) => deployment.privatePlaces ?? []);
  const isOwn = (name: string): boolean =>
    OWN.test(name) || places.some(({ variable }) => variable === name);
  const names = known.map(({ name }) => name);
  const where = `${fields.where}.variables`;
  const value = fields.values["variables"];
  const { values } = openFields(where, value, names, fields.problems);
  for (const [name, text] of Object.entries(values)) {
    const variable = known.find((one) => one.name === name);
    // A secret's first: nothing else may be said of its value.
    const why =
      variable?.secret === true
        ? "is a secret: it is filled in at Secrets Manager, never here"
        : typeof text !== "string"
          ? `is ${JSON.stringify(text)}, but must be a text`
          : isOwn(name)
            ? "is set by the stack"
            : (refused[name] ?? null);
    if (why !== null) fields.problems.push(`${where}.${name} ${why}`);
  }
  return Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
  );
}

function checkPipeline(
  where: string,
  { name, deployment }: Job,
  settings: PipelineSettings,
  network: string,
): readonly string[] {
  const problems: string[] = [];
  const { cpu, memoryMiB, diskGiB, lateAfterHours } = deployment;
  const late = checkLateness(where, deployment, settings);
  if (late !== null) problems.push(late);
  const registry = `src/jobs/${name}/job.ts: ${name}`;
  const [least, most, step] = MEMORY[cpu];
  if (memoryMiB < least || memoryMiB > most || memoryMiB % step !== 0) {
    problems.push(
      `${registry}.memoryMiB is ${memoryMiB}, but Fargate has ${least} to ${most} in steps of ${step} for ${cpu} units of CPU`,
    );
  }
  if (diskGiB < 21 || diskGiB > 200) {
    problems.push(`${registry}.diskGiB is ${diskGiB}, but Fargate has 21 to 200`);
  }
  if (lateAfterHours < 1 || lateAfterHours > MOST_LATE_HOURS) {
    problems.push(
      `${registry}.lateAfterHours is ${lateAfterHours}, but an alarm looks back 1 to ${MOST_LATE_HOURS} hours`,
    );
  }
  const missing = missingOf(deployment, settings.variables);
  if (settings.enabled && missing.length > 0) {
    problems.push(
      `${where}.enabled is true, but ${name} has nothing to do without ${missing.join(" and ")}: set it in its variables, or switch ${name} off`,
    );
  }
  const source = deployment.reads({ ...deployment.variables, ...settings.variables });
  if (settings.enabled && network === "endpoints" && source !== null) {
    problems.push(
      `${where}.enabled is true, but ${name} reads ${source} from the internet, which network "endpoints" does not reach: choose "public" or "nat", or switch ${name} off`,
    );
  }
  return problems;
}

/** Puts registry and settings together: the pipelines of a stage, those that are switched off among them. */
export function deployedPipelines(
  entries: readonly Job[],
  settings: {
    readonly network: string;
    readonly slack: boolean;
    readonly pipelines: Readonly<Record<string, PipelineSettings>>;
  },
): readonly DeployedPipeline[] {
  // Slack is on the internet, too; without it a run's message goes to the log.
  const hasSlack = settings.slack && settings.network !== "endpoints";
  return entries.flatMap(({ name, title, deployment }) => {
    const own = settings.pipelines[name];
    if (own === undefined) return [];
    const variables = { ...deployment.variables, ...own.variables };
    return [
      {
        ...deployment,
        name,
        title,
        enabled: own.enabled,
        isReady: missingOf(deployment, own.variables).length === 0,
        schedules: schedulesOf(deployment, own.schedule),
        lateAfterHours: own.lateAfterHours ?? deployment.lateAfterHours,
        secrets: secretsOf(deployment, variables).filter(
          (secret) => hasSlack || secret !== "SLACK_WEBHOOK_URL",
        ),
        variables,
        readBuckets: own.readBuckets,
        sources: (deployment.readPlaces ?? []).flatMap(
          (variable) => placeOf(variables[variable] ?? "") ?? [],
        ),
      },
    ];
  });
}
