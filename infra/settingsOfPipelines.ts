// What a stage's settings say of single pipelines, and what comes of it together with the registry's own deployment.

import { HdashError } from "../src/error.ts";
import type { Deployment, Job } from "../src/job.ts";
import { readConfig, variablesOf } from "../src/settings/config.ts";
import { longestGapHours, SCHEDULE_FORM } from "./schedule.ts";
import { countOf, type Fields, flagOf, openFields, textOf, textsOf } from "./settingsFields.ts";

export interface PipelineSettings {
  readonly enabled: boolean;
  /** Null: the registry's. */
  readonly schedule: string | null;
  /** Null: the registry's, which fits the registry's schedule only. */
  readonly lateAfterHours: number | null;
  readonly variables: Readonly<Record<string, string>>;
  /** Buckets of others that it reads, such as the one of canned matrices. */
  readonly readBuckets: readonly string[];
}

/** A pipeline as it is deployed. */
export interface DeployedPipeline extends Deployment {
  readonly name: string;
  /** Whether its schedule is on. */
  readonly enabled: boolean;
  readonly title: string;
  readonly readBuckets: readonly string[];
}

/** Memory that Fargate has for so many units of CPU, in MiB: least, most and the step between. */
const MEMORY: Readonly<Record<Deployment["cpu"], readonly [number, number, number]>> = {
  256: [512, 2048, 512],
  512: [1024, 4096, 1024],
  1024: [2048, 8192, 1024],
  2048: [4096, 16_384, 1024],
  4096: [8192, 30_720, 1024],
};
/** Told by reading it. */
const SCHEDULE = { test: (text: string): boolean => longestGapHours(text) !== null };
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const NAMES = ["enabled", "schedule", "lateAfterHours", "variables", "readBuckets"];
/** An alarm looks back seven days at most. */
const MOST_LATE_HOURS = 168;
/** What the stacks set themselves. */
const OWN = /^(HDASH_DB_|S3_|NAMESPACE$|HDASH_(WORK_BUCKET|LABEL|LOG_FORMAT|HOME)$)/;

/** What holds of a pipeline that a stage's settings do not name: it runs as its job says. */
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
      const given = entry.name in all.values ? all.values[entry.name] : AS_DECLARED;
      const inner = openFields(`${all.where}.${entry.name}`, given, NAMES, problems);
      const settings: PipelineSettings = {
        enabled: flagOf(inner, "enabled"),
        schedule:
          inner.values["schedule"] === null
            ? null
            : textOf(inner, "schedule", SCHEDULE, `null, ${SCHEDULE_FORM}`),
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
        problems.push(...checkValues(inner.where, entry, settings.variables, entries));
      }
      return [entry.name, settings];
    }),
  );
}

/** Says what hdash itself would say of the variables when its task starts: later than now, and by an alarm. */
function checkValues(
  where: string,
  { name: asked, deployment, needs }: Job,
  variables: PipelineSettings["variables"],
  jobs: readonly Job[],
): readonly string[] {
  // The stack's own and the secrets are as good as their examples.
  const examples = variablesOf(jobs)
    .filter(({ name }) => name === "S3_BUCKET_NAME" || deployment.secrets.includes(name))
    .map(({ name, example }) => [name, example] as const);
  const env = { ...Object.fromEntries(examples), ...deployment.variables, ...variables };
  try {
    readConfig(
      env,
      needs.filter((need) => need !== "database"),
      jobs,
      [asked],
    );
    return [];
  } catch (error) {
    if (!(error instanceof HdashError) || error.kind !== "config") throw error;
    const [, ...lines] = error.message.split("\n  ");
    return lines.map((line) => `${where}.variables: ${line}`);
  }
}

function readVariables(fields: Fields, jobs: readonly Job[]): Readonly<Record<string, string>> {
  if (!fields.isThere) return {};
  const known = variablesOf(jobs);
  const refused = Object.assign(
    {},
    ...jobs.map(({ deployment }) => deployment.refused),
  ) as NonNullable<Deployment["refused"]>;
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
          : OWN.test(name)
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
  const source = deployment.reads({ ...deployment.variables, ...settings.variables });
  if (settings.enabled && network === "endpoints" && source !== null) {
    problems.push(
      `${where}.enabled is true, but ${name} reads ${source} from the internet, which network "endpoints" does not reach: choose "public" or "nat", or switch ${name} off`,
    );
  }
  return problems;
}

/** Says what is wrong with how long a run is waited for; null where the schedule itself is wrong, which has been said. */
function checkLateness(
  where: string,
  deployment: Deployment,
  settings: PipelineSettings,
): string | null {
  if (settings.schedule === "") return null;
  if (settings.schedule !== null && settings.lateAfterHours === null) {
    return `${where}.lateAfterHours is null, but a schedule of its own needs its own: hours after which no run has ended in time`;
  }
  const gap = longestGapHours(settings.schedule ?? deployment.schedule);
  const late = settings.lateAfterHours ?? deployment.lateAfterHours;
  if (gap === null || late > gap) return null;
  return `${where}.lateAfterHours is ${late}, but must be more than lie between two runs, which is ${Number.isFinite(gap) ? `${Math.ceil(gap)} hours` : "for ever"}; an alarm looks back ${MOST_LATE_HOURS} hours at most`;
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
    return [
      {
        ...deployment,
        name,
        title,
        enabled: own.enabled,
        schedule: own.schedule ?? deployment.schedule,
        lateAfterHours: own.lateAfterHours ?? deployment.lateAfterHours,
        secrets: deployment.secrets.filter((secret) => hasSlack || secret !== "SLACK_WEBHOOK_URL"),
        variables: { ...deployment.variables, ...own.variables },
        readBuckets: own.readBuckets,
      },
    ];
  });
}
