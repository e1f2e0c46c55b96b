// Digital-health cohorts as a job: its name, how it is deployed and asked for. What does the work is loaded when asked.

import type { Job } from "../../job.ts";
import { checkChecks, CHECKS_FILE } from "./checkList.ts";
import { PAGES } from "./pages/pageFrame.ts";
import { isInSynapse } from "./places.ts";
import { checkSchema, checkVersions, SCHEMA_FILES, VERSIONS_FILE } from "./schemas.ts";
import { type CohortSettings, SETTINGS } from "./settings.ts";

/** Makes the job. */
export function makeCohortJob(): Job<CohortSettings> {
  return {
    name: "cohort",
    title: "Digital-health cohorts",
    scopeNoun: ["export or type", "exports and types"],
    pages: PAGES,
    needs: ["database", "site"],
    settings: SETTINGS,
    deployment: {
      schedule: [
        // What is new, every hour; one that is refused as another run goes on is made up for by the next.
        {
          name: "ingest",
          schedule: "cron(20 * * * ? *)",
          options: ["--part", "ingest,build,validate"],
        },
        // What comes once a night or week waits for the run that goes on.
        {
          name: "sync",
          schedule: "cron(50 2 * * ? *)",
          options: ["--part", "sync,build,validate", "--wait"],
        },
        {
          name: "build",
          schedule: "cron(50 4 ? * SUN *)",
          options: ["--part", "build,validate", "--wait"],
        },
      ],
      lateAfterHours: 3,
      cpu: 2048,
      memoryMiB: 8192,
      diskGiB: 100,
      secrets: ["SYNAPSE_PASSWORD", "SLACK_WEBHOOK_URL"],
      usesSecret: (name, variables) =>
        name !== "SYNAPSE_PASSWORD" || isInSynapse(variables["COHORT_SOURCE"] ?? ""),
      variables: { COHORT_MEMORY_MB: "6144" },
      requires: ["COHORT_SOURCE"],
      privatePlaces: [
        // What was sent, which its source may not have for ever.
        { variable: "COHORT_RAW", keepsVersions: true },
        // What can be made again; earlier builds stay as long as COHORT_KEEP_BUILDS says.
        { variable: "COHORT_INTERMEDIATE", keepsVersions: false },
        { variable: "COHORT_PROCESSED", keepsVersions: false },
      ],
      readPlaces: ["COHORT_SOURCE"],
      reads: ({ COHORT_SOURCE: source = "" }) =>
        isInSynapse(source) ? `Synapse (COHORT_SOURCE=${source})` : null,
    },
    options: [
      {
        flags: "--part <parts>",
        description:
          "only these parts: ingest, sync, build, validate, separated by commas (COHORT_PART)",
        variables: ["COHORT_PART"],
      },
      {
        flags: "--namespace <name>",
        description: "the namespace whose exports are meant (NAMESPACE)",
        variables: ["NAMESPACE"],
      },
      {
        flags: "--cohort <names>",
        description: "only exports of these, separated by commas (COHORT_ONLY)",
        variables: ["COHORT_ONLY"],
      },
      {
        flags: "--since <day>",
        description: "only exports of this day, YYYY-MM-DD, or later (COHORT_SINCE)",
        variables: ["COHORT_SINCE"],
      },
      {
        flags: "--newest <n>",
        description: "only the n exports whose names are the latest (COHORT_NEWEST)",
        variables: ["COHORT_NEWEST"],
      },
      {
        flags: "--from <namespace>",
        description: "read the exports of another namespace (COHORT_FROM)",
        variables: ["COHORT_FROM"],
      },
      {
        flags: "--type <names>",
        description: "only datasets of these data types, separated by commas (COHORT_TYPES)",
        variables: ["COHORT_TYPES"],
      },
    ],
    examples: [
      ["hdash run cohort", "read new exports and build the datasets that changed"],
      ["hdash cohort status", "tell where each export and data type stands"],
    ],
    async bind(effects, settings, _request, readMenu) {
      const { bindCohort } = await import("./bind.ts");
      return bindCohort(effects, settings, readMenu);
    },
    async commands(program, shell, _early, run) {
      const { addCohortCommands } = await import("./commands.ts");
      addCohortCommands(program, shell, this, run);
    },
    async examine(effects, settings, signal) {
      const { examineCohort } = await import("./examine.ts");
      return examineCohort(effects, settings, signal);
    },
    configFiles: [
      { path: VERSIONS_FILE, check: (text, { has }) => checkVersions(text, has) },
      { path: SCHEMA_FILES, check: (text, { path }) => checkSchema(text, path) },
      { path: CHECKS_FILE, check: (text, { read }) => checkChecks(text, read) },
    ],
    demo: {
      async start(home, _own, isBundled) {
        const { receiveExports } = await import("./demo/serve.ts");
        return isBundled ? receiveExports(home) : null;
      },
    },
  };
}
