// The pipelines hdash has, and how each is given what it needs of the world. The one list: commands, schedules and docs read it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { registeredAtlases } from "./atlasList.ts";
import type { Need } from "./config.ts";
import { loadDesign } from "./design.ts";
import { digestOf, type Json } from "./digest.ts";
import type { Effects } from "./effects.ts";
import type { RunOutcome } from "./engine/run.ts";
import type { Pipeline } from "./engine/step.ts";
import { HdashError } from "./error.ts";
import { readComponents } from "./htan/components.ts";
import type { RunFacts, ScopeFacts } from "./publish/message.ts";
import { sparkline } from "./render/sparkline.ts";

/** What a command asks of a run. */
export interface RunRequest {
  /** Atlas ids; null: all. */
  readonly atlases: readonly string[] | null;
}

/** A pipeline bound to parameters, ready to be executed. */
export interface BoundPipeline {
  readonly pipeline: Pipeline<Json>;
  readonly params: Json;
}

export interface PipelineEntry {
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  readonly needs: readonly Need[];
  make(effects: Effects, request: RunRequest): Promise<BoundPipeline>;
  /** What Slack is told about a finished run. */
  facts(effects: Effects, outcome: Extract<RunOutcome, { kind: "finished" }>): Promise<RunFacts>;
}

export const PIPELINES: readonly PipelineEntry[] = [
  {
    name: "htan",
    title: "HTAN dashboard",
    needs: ["synapse", "database", "site"],
    async make(effects, { atlases: asked }) {
      const { makeHtan } = await import("./pipelines/htan.ts");
      const atlases = await registeredAtlases(effects);
      for (const id of asked ?? []) {
        if (atlases.some(({ atlasId }) => atlasId === id)) continue;
        throw new HdashError("usage", `${id} is not a registered atlas`, {
          hint: `Registered: ${atlases.map(({ atlasId }) => atlasId).join(", ")}. \`hdash-util init\` registers a list.`,
        });
      }
      await effects.fonts();
      const design = await loadDesign(effects.root);
      const componentsJson: unknown = JSON.parse(
        await readFile(join(effects.root, "config", "htan_components.json"), "utf8"),
      );
      const pipeline = makeHtan({
        synapse: await effects.synapse(),
        listAtlases: () => registeredAtlases(effects),
        components: readComponents(componentsJson),
        componentsDigest: digestOf(JSON.stringify(componentsJson)),
        tools: { render: design.render, sparkline },
        assets: design.assets,
        designDigest: design.digest,
        drawnBy: design.drawnBy,
        siteUrl: effects.config.site.kind === "s3" ? effects.config.siteUrl : null,
      });
      const params = {
        atlases: asked === null ? null : [...new Set(asked)].sort(),
        viewId: effects.config.synapse.masterView,
      };
      return { pipeline, params };
    },
    facts: htanFacts,
  },
];

type Finished = Extract<RunOutcome, { kind: "finished" }>;

/** Says of each atlas that the run was asked for what Slack is to tell. */
async function htanFacts(effects: Effects, outcome: Finished): Promise<RunFacts> {
  const { findLastDone } = await import("./store/scopes.ts");
  const { listMovedScopes } = await import("./store/stepRuns.ts");
  const { db } = await effects.database();
  const { record, deltas, measures, durationMs } = outcome;
  const names = new Map(
    (await registeredAtlases(effects)).map(({ atlasId, name }) => [atlasId, name]),
  );
  const scopes: ScopeFacts[] = [];
  for (const [atlasId, title] of names) {
    const error = record.failedScopes[atlasId] ?? null;
    const numbers = measures[atlasId];
    if (error === null && numbers === undefined) continue;
    const last =
      error === null ? null : await findLastDone(db, record.pipeline, record.id, atlasId);
    const delta = deltas[atlasId];
    scopes.push({
      name: atlasId,
      title,
      ok: error === null,
      error,
      lastGoodAt: last?.startedAt.toISOString() ?? null,
      delta:
        delta === null || delta === undefined
          ? null
          : {
              addedErrors: delta.added.error,
              addedWarnings: delta.added.warning,
              removedErrors: delta.removed.error,
              removedWarnings: delta.removed.warning,
            },
      errors: numbers?.["errors"] ?? 0,
      warnings: numbers?.["warnings"] ?? 0,
    });
  }
  return {
    pipeline: record.pipeline,
    status:
      record.status === "succeeded" || record.status === "degraded" ? record.status : "failed",
    build: record.build,
    startedAt: record.startedAt,
    durationMs,
    hits: record.hits,
    ran: record.ran,
    failedSteps: record.failed,
    scopes,
    isMoved: (await listMovedScopes(db, record.id)).length > 0,
    published: record.published,
    siteUrl: effects.config.siteUrl,
    label: effects.config.slack.label,
    error: record.error,
    hint: outcome.hint,
  };
}
