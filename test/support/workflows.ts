// What every workflow promises: who may do what, on which event, with which code. Tests hold the real ones and broken copies to it.

import { checkCommands, type Surroundings } from "./commands.ts";
import {
  asFields,
  asList,
  asText,
  type Fields,
  type Job,
  readWorkflow,
  textsIn,
  type Workflow,
} from "./workflowFile.ts";

/** Events whose runs have the rights that the file says, and code that its author may push here. */
const EVENTS = ["push", "pull_request", "delete", "schedule", "workflow_dispatch", "workflow_call"];
const PUBLISHERS = ["actions", "aws-actions"];
const ENVIRONMENTS = ["develop", "production"];
const GRANTS: Readonly<Record<string, string>> = { contents: "read", "id-token": "write" };
const LONGEST_MINUTES = 120;
/** What changes a namespace, and so must not be done twice at a time. */
const CHANGES = /\bmake (deploy|destroy|task|role|drop_role)\b|artifacts (upload|remove)/;
/** What uses packages, which must be there before the keys are. */
const USES_PACKAGES = /\bmake (deploy|destroy|task|role|drop_role)\b|\bnpm run\b/;
const SECONDS_A_MINUTE = 60;
/** What fetches from a registry of packages, or runs what was fetched by itself. */
const FETCHES =
  /\b(npm|pnpm|yarn) (ci|i|install|exec|audit|update)\b|\bnpx\b|\bmake\b.*\b(setup|synth|test|build_amd64)\b|\bdocker build|\bapt-get\b|\bpip\b|audit\.sh/;
const UNPACK = /^\.github\/handOver\.sh unpack$/;
/** The one workflow with a job that may write to the repository, and what that job does. */
const RELEASES = "sbom.yml";
const ATTACH = ".github/sbom.sh attach";

/** Checks all workflows together; returns what is wrong, a sentence each. */
export function checkWorkflows(
  texts: ReadonlyMap<string, string>,
  surroundings: Surroundings,
): readonly string[] {
  const workflows = [...texts].map(([file, text]) => readWorkflow(file, text));
  return workflows.flatMap((workflow) => [
    ...checkWhole(workflow),
    ...checkActions(workflow),
    ...workflow.jobs.flatMap((job) =>
      [
        ...checkJob(workflow, job),
        ...checkAws(workflow, job, workflows),
        ...checkOrder(workflow, job),
        ...checkProduction(workflow, job),
        ...checkRelease(workflow, job),
        ...job.steps.flatMap((step) => checkStep(step, surroundings)),
      ].map((problem) => `${workflow.file} ${job.name}: ${problem}`),
    ),
  ]);
}

/** Reads which events start a workflow, and with which filters. */
export function triggersOf(text: string): Fields {
  return readWorkflow("", text).on;
}

function checkWhole({ file, fields, on, jobs }: Workflow): readonly string[] {
  const values = textsIn(fields);
  return [
    ...report(jobs.length === 0, "has no jobs"),
    ...report(JSON.stringify(fields["permissions"]) !== "{}", "grants rights to every job"),
    ...Object.keys(on)
      .filter((event) => !EVENTS.includes(event))
      .map((event) => `starts on ${event}`),
    ...report(
      values.some((value) => /\bsecrets\b/.test(value)),
      "uses a secret",
    ),
    ...report(
      values.some((value) => /AKIA[A-Z0-9]{16}|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)/i.test(value)),
      "has an AWS key",
    ),
    ...report(
      values.some((value) => /\b\d{12}\b|\barn:aws/.test(value)),
      "names an account",
    ),
  ].map((problem) => `${file}: ${problem}`);
}

/** Every action has a known publisher and its full version, or a hash with the version beside it. */
function checkActions({ file, text }: Workflow): readonly string[] {
  return [...text.matchAll(/\buses: *(.*)$/gm)].flatMap(([, used = ""]) => {
    if (used.startsWith("./")) return [];
    const [, owner = "", version = ""] =
      /^([\w-]+)\/[\w/-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(used) ?? [];
    return [
      ...report(version === "", `${file}: ${used} has no full version`),
      ...report(
        version !== "" && !PUBLISHERS.includes(owner),
        `${file}: ${used} is not ours to trust`,
      ),
    ];
  });
}

function checkJob(workflow: Workflow, job: Job): readonly string[] {
  const { fields, permissions, calls, needs } = job;
  const minutes = fields["timeout-minutes"];
  const names = workflow.jobs.map(({ name }) => name);
  return [
    ...report(fields["permissions"] === undefined, "does not say its permissions"),
    ...Object.entries(permissions)
      .filter(
        ([right, grant]) => GRANTS[right] !== grant && !(right === "contents" && attaches(job)),
      )
      .map(([right, grant]) => `may ${asText(grant)} ${right}`),
    ...needs
      .filter((need) => !names.includes(need))
      .map((need) => `needs ${need}, which is no job`),
    ...report(fields["continue-on-error"] !== undefined, "goes on after an error"),
    ...(calls === null
      ? [
          ...report(
            typeof minutes !== "number" || minutes > LONGEST_MINUTES,
            "has no timeout, or too long a one",
          ),
          ...report(!/^ubuntu-\d\d\.\d\d$/.test(asText(fields["runs-on"])), "runs on any version"),
        ]
      : []),
  ];
}

function checkAws(workflow: Workflow, job: Job, workflows: readonly Workflow[]): readonly string[] {
  const logins = loginsOf(job);
  const called = workflows.find(({ file }) => file === job.calls);
  const needsToken =
    logins.length > 0 || (called?.jobs.some((one) => loginsOf(one).length > 0) ?? false);
  const concurrency = asFields(job.fields["concurrency"]);
  const changes = job.steps.some((step) => CHANGES.test(asText(step["run"])));
  return [
    ...report(
      job.calls !== null && called === undefined,
      `calls ${job.calls}, which does not exist`,
    ),
    ...report(needsToken && !mayLogIn(job), "logs in to AWS without id-token: write"),
    ...report(!needsToken && mayLogIn(job), "may log in to AWS and does not"),
    ...report(
      logins.length > 0 && environmentOf(job) === "",
      "logs in to AWS outside an environment",
    ),
    ...logins.flatMap((step) => {
      const given = asFields(step["with"]);
      return [
        ...report(given["role-to-assume"] !== "${{ vars.AWS_ROLE }}", "has a role of its own"),
        ...report(
          Object.keys(given).some((name) => /key|token/.test(name)),
          "logs in to AWS with a key",
        ),
        ...report(
          given["role-duration-seconds"] !==
            Number(job.fields["timeout-minutes"]) * SECONDS_A_MINUTE,
          "has AWS's keys for another time than it may last",
        ),
      ];
    }),
    ...report(
      changes &&
        (!/^namespace-.*amespace/.test(asText(concurrency["group"])) ||
          concurrency["cancel-in-progress"] !== false),
      "changes a namespace without waiting for its turn",
    ),
    ...report(
      workflow.fields["concurrency"] === undefined && logins.length > 0 && !changes,
      "runs beside itself",
    ),
  ];
}

/** What has to come before what, where a job changes a namespace. */
function checkOrder(workflow: Workflow, job: Job): readonly string[] {
  const runs = job.steps.map((step) => asText(step["run"]));
  /** Where the first step of a kind is; behind all others where there is none. */
  const first = (pattern: RegExp): number => {
    const at = runs.findIndex((run) => pattern.test(run));
    return at === -1 ? runs.length : at;
  };
  const login = job.steps.findIndex((step) => asText(step["uses"]).startsWith("aws-actions/"));
  const changes = first(CHANGES);
  const isChange = changes < runs.length;
  const deploys = first(/\bmake deploy\b/);
  return [
    ...report(
      isChange && first(/^test -n "\$NAMESPACE"$/) > changes,
      "changes a namespace that may have no name",
    ),
    ...report(
      login !== -1 && first(USES_PACKAGES) < runs.length && first(UNPACK) > login,
      "uses packages that no job without AWS's keys has handed over",
    ),
    ...report(
      mayLogIn(job) && first(FETCHES) < runs.length,
      "fetches packages where it may log in to AWS",
    ),
    ...checkHandOver(workflow, job),
    ...report(
      deploys < runs.length &&
        Math.max(first(/^\.github\/image\.sh$/), first(/^\.github\/scan\.sh$/)) > deploys,
      "deploys an image that was not compared and scanned",
    ),
    ...report(
      runs.some((run) => run.includes("artifacts upload")) && first(/artifacts upload/) < deploys,
      "uploads before it deploys",
    ),
    // Tasks log in to the database as the namespace's role, and a role goes before what could drop it.
    ...report(
      deploys < runs.length &&
        (first(/\bmake role\b/) < deploys || first(/\bmake role\b/) > first(/\bmake task\b/)),
      "runs a task before the namespace's role is there",
    ),
    ...report(
      first(/\bmake destroy\b/) < runs.length &&
        first(/\bmake drop_role\b/) > first(/\bmake destroy\b/),
      "leaves the namespace's role behind",
    ),
    ...report(
      "delete" in workflow.on && isChange && first(/^\.github\/branch\.sh gone$/) > changes,
      "tears down a branch that may be there",
    ),
    ...report(
      "pull_request" in workflow.on &&
        job.calls === "deploy.yml" &&
        job.inputs["branch"] === undefined,
      "deploys a branch that may be gone",
    ),
    ...report(
      workflow.file === "deploy.yml" && isChange && first(/^\.github\/branch\.sh there$/) > changes,
      "does not look whether the branch is there",
    ),
  ];
}

/** What is handed over comes from a job without keys that looked whether all is pinned, and is taken by its digest. */
function checkHandOver(workflow: Workflow, job: Job): readonly string[] {
  const unpack = job.steps.find((step) => UNPACK.test(asText(step["run"])));
  if (unpack === undefined) return [];
  const { runs } = packerOf(workflow, job, unpack);
  const isPacked = runs.includes(".github/handOver.sh pack");
  return [
    ...report(!isPacked, "takes what no job before it vouches for"),
    ...report(
      isPacked && !runs.includes(".github/pin.sh --check"),
      "deploys by actions and images that may not be pinned",
    ),
  ];
}

/** The job before a job that gives the digest by which a step takes a file, and what it runs; null where that digest is of nothing packed. */
function packerOf(workflow: Workflow, job: Job, step: Fields) {
  const [, packer = ""] =
    /^\$\{\{ needs\.(\w+)\.outputs\.sha256 \}\}$/.exec(asText(asFields(step["env"])["SHA256"])) ??
    [];
  const from = workflow.jobs.find(
    ({ name, fields }) =>
      name === packer &&
      job.needs.includes(name) &&
      asFields(fields["outputs"])["sha256"] === "${{ steps.pack.outputs.sha256 }}",
  );
  return { from: from ?? null, runs: from?.steps.map((one) => asText(one["run"])) ?? [] };
}

/** Production is deployed by a tag only, of a release that was checked and tested. */
function checkProduction(workflow: Workflow, job: Job): readonly string[] {
  const environment = environmentOf(job);
  const isProduction =
    environment === "production" ||
    job.inputs["stage"] === "prod" ||
    job.inputs["namespace"] === "main";
  const { isTested, isChecked } = whatIsBefore(workflow, job);
  const push = asFields(workflow.on["push"]);
  const deploys = job.calls === "deploy.yml";
  return [
    ...report(
      environment.startsWith("${{")
        ? Object.keys(workflow.on).join() !== "workflow_call"
        : environment !== "" && !ENVIRONMENTS.includes(environment),
      `has the environment ${environment}`,
    ),
    ...report(deploys && environment === "", "deploys without an environment"),
    ...(isProduction
      ? [
          ...report(environment !== "production", "deploys production without its environment"),
          ...report(
            Object.keys(workflow.on).join() !== "push" ||
              Object.keys(push).join() !== "tags" ||
              !asList(push["tags"]).every((tag) => asText(tag).startsWith("v[0-9]")),
            "deploys production from something else than a tag",
          ),
          ...report(!isChecked, "deploys production without a look at the release"),
        ]
      : []),
    ...report(deploys && "push" in workflow.on && !isTested, "deploys what was not tested"),
  ];
}

/** What writes to the repository takes a list by the digest of a job without that right, installs nothing, and is called for a tested tag. */
function checkRelease(workflow: Workflow, job: Job): readonly string[] {
  if (!attaches(job)) return [];
  if (job.calls !== null) {
    const { isTested, isChecked } = whatIsBefore(workflow, job);
    return report(!isChecked || !isTested, "releases what was not looked at and tested");
  }
  const { from, runs: packs } = packerOf(workflow, job, job.steps.at(-1) ?? {});
  const runs = job.steps.map((step) => asText(step["run"])).filter((run) => run !== "");
  return [
    ...report(Object.keys(workflow.on).join() !== "workflow_call", "releases by itself"),
    ...report(runs.join() !== ATTACH, "does more than to attach where it may write"),
    ...report(
      !packs.includes(".github/sbom.sh pack") || from?.permissions["contents"] !== "read",
      "attaches what no job before it vouches for",
    ),
    ...report(
      !packs.includes(".github/pin.sh --check"),
      "releases by actions that may not be pinned",
    ),
  ];
}

function checkStep(step: Fields, surroundings: Surroundings): readonly string[] {
  const run = asText(step["run"]);
  const isCheckout = asText(step["uses"]).startsWith("actions/checkout@");
  return [
    ...report(run.includes("${{"), "puts an expression into a shell line"),
    ...report(step["continue-on-error"] !== undefined, "goes on after an error"),
    ...report(
      isCheckout && asFields(step["with"])["persist-credentials"] !== false,
      "leaves its token in the checkout",
    ),
    ...checkCommands(run, surroundings),
  ];
}

/** Whether the jobs before a job have run all tests, and looked at the tag. */
function whatIsBefore(workflow: Workflow, job: Job) {
  const before = jobsBefore(workflow, job);
  return {
    isTested: before.some(({ calls }) => calls === "test.yml"),
    isChecked: before.some(({ steps }) =>
      steps.some((step) => asText(step["run"]) === ".github/release.sh"),
    ),
  };
}

function jobsBefore(workflow: Workflow, job: Job): readonly Job[] {
  const direct = workflow.jobs.filter(({ name }) => job.needs.includes(name));
  return direct.flatMap((one) => [one, ...jobsBefore(workflow, one)]);
}

function loginsOf({ steps }: Job): readonly Fields[] {
  return steps.filter((step) => asText(step["uses"]).startsWith("aws-actions/"));
}

/** Tells whether a job attaches to a release, by itself or by the workflow that it calls; it may write to the repository, and no other. */
function attaches({ calls, steps }: Job): boolean {
  return calls === RELEASES || steps.some((step) => asText(step["run"]) === ATTACH);
}

function mayLogIn({ permissions }: Job): boolean {
  return permissions["id-token"] === "write";
}

function environmentOf({ fields, inputs }: Job): string {
  const own = fields["environment"];
  return (
    asText(typeof own === "object" ? asFields(own)["name"] : own) || asText(inputs["environment"])
  );
}

function report(isWrong: boolean, problem: string): readonly string[] {
  return isWrong ? [problem] : [];
}
