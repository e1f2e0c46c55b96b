// Figures of single-cell expression matrices as a job: its name, how it is deployed and asked for. What does the work is loaded when asked.

import type { Worker } from "node:worker_threads";

import type { Job } from "../../job.ts";
import type { AtlasPath } from "./bind.ts";
import { PAGES } from "./pages/pageFrame.ts";
import { CHOICES, type MatrixSettings, SETTINGS } from "./settings.ts";

/** Why a stage must not say where figures go. */
const ELSEWHERE = "is of no use: a task may write to its namespace's folders only";

/** Makes the job; `atlasPath` tells where another job shows an atlas that a matrix belongs to. */
export function makeMatrixJob({
  atlasPath,
}: {
  readonly atlasPath: AtlasPath;
}): Job<MatrixSettings> {
  return {
    name: "matrix",
    title: "Matrix figures",
    scopeNoun: ["matrix", "matrices"],
    pages: PAGES,
    needs: ["database", "site"],
    settings: SETTINGS,
    deployment: {
      schedule: "cron(0 3 * * ? *)",
      lateAfterHours: 36,
      cpu: 2048,
      memoryMiB: 8192,
      // A matrix is downloaded whole; the largest of the Human Cell Atlas are some ten gigabytes.
      diskGiB: 100,
      secrets: ["SLACK_WEBHOOK_URL"],
      variables: { MATRIX_SOURCE: "fresh" },
      reads(variables) {
        const source = variables["MATRIX_SOURCE"] ?? "fresh";
        return source === "canned" ? null : `matrices (MATRIX_SOURCE=${source})`;
      },
      refused: {
        MATRIX_TARGET_BUCKET: ELSEWHERE,
        MATRIX_TARGET_STAGE: ELSEWHERE,
        MATRIX_PUBLIC_READ: ELSEWHERE,
      },
    },
    options: [
      {
        flags: "--source <kind>",
        description: "where matrices come from (MATRIX_SOURCE)",
        choices: CHOICES.sources,
        variables: ["MATRIX_SOURCE"],
      },
      {
        flags: "--path <dir>",
        description: "the folder of a local source (MATRIX_PATH)",
        variables: ["MATRIX_PATH"],
      },
      {
        flags: "--environ <stage>",
        description:
          "the stage to read from and to publish to (MATRIX_SOURCE_STAGE and MATRIX_TARGET_STAGE)",
        choices: CHOICES.stages,
        variables: ["MATRIX_SOURCE_STAGE", "MATRIX_TARGET_STAGE"],
      },
      {
        flags: "--blacklist <bool>",
        description: "true or false: leave out what the blacklist names (MATRIX_BLACKLIST)",
        variables: ["MATRIX_BLACKLIST"],
      },
      {
        flags: "--targets <names>",
        description:
          "only these, by id, or by name in a folder, separated by commas (MATRIX_TARGET_UUIDS)",
        variables: ["MATRIX_TARGET_UUIDS"],
      },
    ],
    examples: [
      [
        "hdash run matrix --source local --path ./matrices",
        "make the figures of every matrix in a folder; needs no service",
      ],
      [
        "hdash run matrix --environ dev --source canned --blacklist true",
        "make those of a stage's bucket",
      ],
      [
        "hdash matrix stats FILE",
        "count one matrix and print it: .mtx folder or zip, .h5ad, .h5, .loom",
      ],
    ],
    async bind(effects, settings, request, readMenu) {
      const { bindMatrix } = await import("./bind.ts");
      return bindMatrix(effects, settings, request, atlasPath, readMenu);
    },
    async early(words) {
      const { startHdf5ThreadEarly } = await import("./hdf5/hdf5Thread.ts");
      return startHdf5ThreadEarly(words);
    },
    async commands(program, shell, early) {
      const { addMatrixCommands } = await import("./commands.ts");
      // Made by `early` above, where this job's command is what was asked for.
      addMatrixCommands(program, shell, (early ?? null) as Worker | null);
    },
    async examine(effects, settings, signal) {
      const { examineMatrix } = await import("./examine.ts");
      return settings === null ? [] : examineMatrix(effects, settings, signal);
    },
    demo: {
      option: {
        flags: "--matrices <dir>",
        description: "make the figures of the matrices in this folder instead of the bundled ones",
      },
      async check(own) {
        const { checkFolder } = await import("./demo/serve.ts");
        await checkFolder(own);
      },
      async start(home, own, isBundled) {
        const { serveMatrices, useFolder } = await import("./demo/serve.ts");
        if (own !== null) return useFolder(own);
        return isBundled ? serveMatrices(home) : null;
      },
    },
  };
}
