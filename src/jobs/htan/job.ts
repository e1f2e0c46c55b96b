// The dashboard of the Human Tumor Atlas Network as a job: its name, how it is deployed and asked for. What does the work is loaded when asked.

import type { Job } from "../../job.ts";
import type { OpenGalleries } from "./bind.ts";
import { readComponents } from "./data/components.ts";
import { isAtlasId } from "./data/ids.ts";
import { readLabels } from "./data/labels.ts";
import { PAGES } from "./pages/pageFrame.ts";
import { readAtlases } from "./registry/readAtlases.ts";
import { type HtanSettings, SETTINGS } from "./settings.ts";
import type { HtanParams } from "./steps.ts";

/** Makes the job; `galleries` opens what another job shows of atlases. */
export function makeHtanJob({
  galleries,
}: {
  readonly galleries: OpenGalleries;
}): Job<HtanSettings> {
  return {
    name: "htan",
    title: "HTAN dashboard",
    scopeNoun: ["atlas", "atlases"],
    pages: PAGES,
    needs: ["database", "site"],
    settings: SETTINGS,
    deployment: {
      // Before the working day of the Americas, after the night in which data is submitted.
      schedule: "cron(0 9 * * ? *)",
      lateAfterHours: 30,
      cpu: 1024,
      memoryMiB: 4096,
      diskGiB: 21,
      secrets: ["SYNAPSE_PASSWORD", "SLACK_WEBHOOK_URL"],
      variables: {},
      reads: () => "Synapse",
    },
    options: [
      {
        flags: "--atlas <id...>",
        description: "only these atlases, e.g. HTA3",
        scopeProblem: (id) => (isAtlasId(id) ? null : `${id} is not an atlas id such as HTA3.`),
      },
    ],
    scopesOf: (params) => (params as HtanParams).atlases,
    examples: [
      ["hdash run htan --atlas HTA3", "update one atlas; the others stay as last published"],
    ],
    isAskedByDefault: true,
    async bind(effects, settings, request, readMenu) {
      const { bindHtan } = await import("./bind.ts");
      return bindHtan(effects, settings, request, galleries, readMenu);
    },
    async utilCommands(program, shell) {
      const { addComponents, addInit } = await import("./commands.ts");
      addInit(program, shell);
      addComponents(program, shell);
    },
    async examine(effects, settings, signal) {
      const { examineHtan } = await import("./examine.ts");
      return examineHtan(effects, settings, signal);
    },
    configFiles: [
      { path: "config/htan_projects.csv", check: (text) => void readAtlases(text) },
      {
        path: "config/htan_components.json",
        check(text) {
          const json: unknown = JSON.parse(text);
          readComponents(json);
        },
      },
      {
        path: "config/htan_labels.json",
        check(text) {
          const json: unknown = JSON.parse(text);
          readLabels(json);
        },
      },
    ],
    demo: {
      option: {
        flags: "--world <dir>",
        description:
          "serve this folder (atlases.csv, master.csv, files/) instead of the bundled story",
      },
      async check(own) {
        const { checkWorld } = await import("./demo/serve.ts");
        await checkWorld(own);
      },
      async start(home, own) {
        const { serveAtlases } = await import("./demo/serve.ts");
        return serveAtlases(home, own);
      },
    },
  };
}
