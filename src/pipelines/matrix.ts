// Matrix figures as a pipeline: from the matrices of a source to eight figures per library construction approach, a page for each
// matrix and an index. It declares steps and wires them; what matrices mean is decided in matrix/, how figures look in render/.

import pLimit from "p-limit";

import type {
  Pipeline,
  Plan,
  Ref,
  ScopeOutcome,
  SiteContents,
  SitePart,
  TreeFile,
} from "../engine/step.ts";
import { HdashError } from "../error.ts";
import { SAMPLE_CELLS, SEED } from "../matrix/analysis.ts";
import type { ProjectRow } from "../matrix/projectsPage.ts";
import type { MatrixSummary } from "../matrix/summary.ts";
import type { MatrixEntry, MatrixListing } from "../matrixSource.ts";
import {
  asJson,
  makeSteps,
  type MatrixEffects,
  type MatrixParams,
  PAGES,
  plainEntry,
} from "./matrixSteps.ts";

/** Matrices that are drawn and written at a time; few, to bound memory. */
const WRITTEN_AT_ONCE = 2;

/** Makes the pipeline; `onListed` is told what there is. */
export function makeMatrix(
  effects: MatrixEffects,
  onListed: (listing: MatrixListing) => void = () => undefined,
): Pipeline<MatrixParams> {
  const steps = makeSteps(effects);
  return {
    name: "matrix",
    async plan(plan, params) {
      const { listing } = await plan.do(steps.listMatrices, { params, inputs: {} });
      const { entries, skips } = await plan.read(listing);
      onListed({ entries, skips });
      const limit = pLimit(WRITTEN_AT_ONCE);
      const outcomes = new Map<string, ScopeOutcome<MatrixSite>>();
      await Promise.all(
        entries.map(async (entry) => {
          const outcome = await plan.scope(entry.id, async (scope) => {
            const analysed = await analyse(scope, entry);
            return limit(() => makeSite(scope, entry, analysed));
          });
          outcomes.set(entry.id, outcome);
        }),
      );
      checkAnyDone(outcomes);
      await plan.site(() => planSite(plan, { entries, skips }, outcomes));
    },
  };

  /** How figures are made, as pages say it. */
  function method() {
    const madeWith = { ...effects.analysedBy, ...effects.drawnBy };
    return { seed: SEED, sampleCells: SAMPLE_CELLS, madeWith };
  }

  async function analyse(plan: Plan, entry: MatrixEntry) {
    const analysed = await plan.do(steps.analyseMatrix, {
      params: {
        entry: plainEntry(entry),
        source: effects.source.label,
        seed: SEED,
        sampleCells: SAMPLE_CELLS,
        analysedBy: effects.analysedBy,
      },
      inputs: {},
    });
    const verdict = await plan.read(analysed.verdict);
    // The reason is kept with the step, so that the same bytes are not downloaded again to fail again.
    if (verdict !== null) {
      throw new HdashError("permanent", verdict, { publicly: verdict });
    }
    return analysed;
  }

  /** One matrix, drawn and written. */
  async function makeSite(
    plan: Plan,
    entry: MatrixEntry,
    { facts, figures }: Awaited<ReturnType<typeof analyse>>,
  ): Promise<MatrixSite> {
    const { drawings, inline, undrawn } = await plan.do(steps.drawFigures, {
      params: { id: entry.id, drawnBy: effects.drawnBy },
      inputs: { figures },
    });
    const { versions, factsDigest } = await plan.history();
    const last = versions.at(-1);
    // Unchanged facts stand since the run that first saw them, not since today.
    const updatedAt = last?.factsDigest === factsDigest ? last.startedAt : plan.run.startedAt;
    const atlasId = effects.atlases[entry.projectId] ?? effects.atlases[entry.id] ?? null;
    const { pages, summary } = await plan.do(steps.renderMatrix, {
      params: {
        entry: plainEntry(entry),
        source: { kind: effects.source.kind, label: effects.source.label },
        atlasId,
        updatedAt,
        method: method(),
        siteUrl: effects.siteUrl,
        design: effects.designDigest,
        hasDashboard: effects.hasDashboard,
      },
      inputs: { facts, inline, undrawn },
    });
    return { pages, drawings, summary: await plan.read(summary), updatedAt };
  }

  /** The index and the assets, around the matrices that this run could do; the others keep what they last published. */
  async function planSite(
    plan: Plan,
    { entries, skips }: MatrixListing,
    outcomes: ReadonlyMap<string, ScopeOutcome<MatrixSite>>,
  ): Promise<SiteContents> {
    const failed = entries.filter(({ id }) => outcomes.get(id)?.ok !== true);
    const keepScopes = [...failed, ...skips].map(({ id }) => id);
    const kept = await plan.do(steps.readPublished, {
      params: { ids: [...keepScopes].sort() },
      inputs: {},
    });
    const before = new Map((await plan.read(kept.rows)).map((row) => [row.id, row]));
    const rows: ProjectRow[] = [];
    const parts: SitePart[] = [];
    for (const { id, title } of entries) {
      const outcome = outcomes.get(id);
      if (outcome?.ok === true) {
        const { pages, drawings, summary, updatedAt } = outcome.value;
        rows.push({ id, title, summary, failure: null, updatedAt });
        parts.push({ scope: id, prefix: PAGES, tree: pages, cache: "page" });
        parts.push({ scope: id, prefix: "", tree: drawings, cache: "page" });
      } else {
        const { summary = null, updatedAt = null } = before.get(id) ?? {};
        const failure = outcome?.ok === false ? outcome.publicly : "it was not read";
        rows.push({ id, title, summary, failure, updatedAt });
      }
    }
    for (const { id, title } of skips) {
      const known = before.get(id);
      // What was left out this time but is published stays in the index, as it stays on the site.
      if (known !== undefined && !rows.some((row) => row.id === id)) {
        rows.push({ id, title, summary: known.summary, failure: null, updatedAt: known.updatedAt });
      }
    }
    const { startedAt, build } = plan.run;
    const { pages } = await plan.do(steps.renderIndex, {
      params: {
        startedAt,
        build,
        sourceLabel: effects.source.label,
        design: effects.designDigest,
        hasDashboard: effects.hasDashboard,
      },
      inputs: { listed: await plan.value({ rows: rows.map(asJson), skips: skips.map(asJson) }) },
    });
    const { hashed, named } = await plan.do(steps.collectAssets, {
      params: { design: effects.designDigest },
      inputs: {},
    });
    parts.push(
      { scope: null, prefix: PAGES, tree: hashed, cache: "immutable" },
      { scope: null, prefix: PAGES, tree: named, cache: "page" },
      { scope: null, prefix: PAGES, tree: pages, cache: "page" },
    );
    return { parts, keepScopes };
  }
}

/** What a matrix publishes. */
interface MatrixSite {
  readonly pages: Ref<readonly TreeFile[], "public">;
  readonly drawings: Ref<readonly TreeFile[], "public">;
  readonly summary: MatrixSummary;
  readonly updatedAt: string;
}

/** Where no matrix at all could be read, there is nothing to publish: the old site stays as it is. */
function checkAnyDone(outcomes: ReadonlyMap<string, ScopeOutcome<unknown>>): void {
  const failures = [...outcomes].flatMap(([id, outcome]) =>
    outcome.ok ? [] : [`${id}: ${outcome.error}`],
  );
  if (failures.length === 0 || failures.length < outcomes.size) return;
  throw new HdashError("permanent", `no matrix could be read. ${failures[0] ?? ""}`);
}
