// The HTAN dashboard as a pipeline: which files each atlas has in Synapse, how complete their metadata is, and what is wrong with it.
// It wires the steps of steps.ts; what the data means is decided in data/, how it looks in pages/ and charts/.

import pLimit, { type LimitFunction } from "p-limit";

import { asJson } from "../../digest.ts";
import { checkAnyDone } from "../../engine/outcomes.ts";
import type {
  Pipeline,
  Plan,
  Ref,
  ScopeOutcome,
  SiteContents,
  SitePart,
  TreeFile,
} from "../../engine/step.ts";
import type { Gallery, Menu } from "../../render/page.ts";
import type { Measures } from "./analysisSteps.ts";
import type { AtlasAnalysis } from "./data/analysis.ts";
import type { Atlas } from "./data/atlas.ts";
import { joinPresent } from "./data/past.ts";
import type { Elsewhere, Strangers } from "./data/strangers.ts";
import { sortPulled } from "./data/unread.ts";
import type { IndexRow } from "./pages/indexPage.ts";
import {
  type HtanEffects,
  type HtanParams,
  type HtanSteps,
  makeSteps,
  plainFinding,
} from "./steps.ts";

/** Atlases that compute at a time: one computes while others are written, few enough to bound memory. */
const ATLASES_AT_ONCE = 4;
/** A trend shows this many changes; older ones stay in the ledger. */
const VERSIONS_SHOWN = 60;
const NAME = "htan";
/** A year of daily runs of two jobs. */
const RUNS_SHOWN = 732;

/** Makes the pipeline. */
export function makeHtan(effects: HtanEffects): Pipeline<HtanParams> {
  const steps = makeSteps(effects);
  return {
    name: NAME,
    async plan(plan, { atlases: asked, viewId }) {
      await plan.do(steps.signIn, { params: null, inputs: {} });
      const registry = await plan.do(steps.listAtlases, { params: null, inputs: {} });
      const atlases = await plan.read(registry.atlases);
      const published = await plan.do(steps.readFigures, { params: null, inputs: {} });
      const galleries = await plan.read(published.galleries);
      const site = await plan.do(steps.readMenu, { params: null, inputs: {} });
      const menu = await plan.read(site.menu);
      const chosen = atlases.filter(({ atlasId }) => asked === null || asked.includes(atlasId));
      const limit = pLimit(ATLASES_AT_ONCE);
      const pulls = makePulls(atlases, chosen);
      const outcomes = new Map<string, ScopeOutcome<AtlasSite>>();
      await Promise.all(
        chosen.map(async (atlas) => {
          // Every scope is opened at once and asks Synapse; only what computes in memory waits for its turn.
          const doing = plan.scope(
            atlas.atlasId,
            async (scope) => {
              const own = await pullAtlas(scope, steps, atlas, viewId);
              pulls.tell(atlas.atlasId, own);
              const analysed = await limit(() => analyse(scope, steps, atlas, own));
              const elsewhere = await lookElsewhere(scope, steps, analysed.strangers, {
                pulls,
                limit,
              });
              return limit(() =>
                makeAtlas(scope, steps, atlas, {
                  ...{ draft: analysed.draft, elsewhere, menu },
                  gallery: galleries[atlas.atlasId] ?? [],
                }),
              );
            },
            { title: atlas.name },
          );
          // Nobody waits for what will not come.
          const outcome = await doing.finally(() => pulls.tell(atlas.atlasId, null));
          outcomes.set(atlas.atlasId, outcome);
        }),
      );
      checkAnyDone(outcomes, "no atlas could be updated");
      const { siteUrl } = effects;
      await plan.site(() => planSite(plan, steps, { atlases, outcomes, viewId, siteUrl, menu }));
    },
  };
}

/** What an atlas publishes. */
interface AtlasSite {
  readonly pages: Ref<readonly TreeFile[], "public">;
  readonly drawings: Ref<readonly TreeFile[], "public">;
  readonly measures: Measures;
}

/** What Synapse has of one atlas: its files, and the content of the manifests that count. */
async function pullAtlas(plan: Plan, steps: HtanSteps, atlas: Atlas, viewId: string) {
  const { atlasId, projectId } = atlas;
  const { view } = await plan.do(steps.pullView, {
    params: { viewId, projectId, atlasId },
    inputs: {},
  });
  const { files, entities } = await plan.do(steps.listFiles, {
    params: { atlas: { ...atlas } },
    inputs: { view },
  });
  const { manifests } = await plan.read(files);
  const pulled = await Promise.all(
    manifests.map(async (entry) => {
      const { entityId, md5 } = entry;
      try {
        const { content } = await plan.do(steps.pullManifest, {
          params: { entityId, md5 },
          inputs: {},
        });
        return { entry, content };
      } catch (error) {
        // A failure is kept nowhere, so that the next run asks again.
        return { entry, error };
      }
    }),
  );
  return { files, entities, ...sortPulled(pulled) };
}

type PulledAtlas = Awaited<ReturnType<typeof pullAtlas>>;

/** What Synapse has of each atlas of the run, for those that others name records of. */
interface Pulls {
  /** Whether an atlas is listed. */
  isListed(atlasId: string): boolean;
  /** Says what came of an atlas; only the first word counts. */
  tell(atlasId: string, pulled: PulledAtlas | null): void;
  /** Waits for an atlas; null where the run does not do it, or could not. */
  of(atlasId: string): Promise<PulledAtlas | null>;
}

function makePulls(atlases: readonly Atlas[], chosen: readonly Atlas[]): Pulls {
  const listed = new Set(atlases.map(({ atlasId }) => atlasId));
  const promises = new Map(
    chosen.map(({ atlasId }) => [atlasId, Promise.withResolvers<PulledAtlas | null>()]),
  );
  return {
    isListed: (atlasId) => listed.has(atlasId),
    tell: (atlasId, pulled) => promises.get(atlasId)?.resolve(pulled),
    of: async (atlasId) => (await promises.get(atlasId)?.promise) ?? null,
  };
}

/** What is right and wrong with an atlas, as far as it alone can tell. */
async function analyse(
  plan: Plan,
  steps: HtanSteps,
  atlas: Atlas,
  { files, entities, contents, unread }: PulledAtlas,
) {
  const { draft, strangers } = await plan.do(steps.analyseAtlas, {
    params: { atlas: { ...atlas }, unread: unread.map((one) => ({ ...one })) },
    inputs: { files, entities, contents },
  });
  return { draft, strangers: await plan.read(strangers) };
}

/** Looks for records of other atlases in those of them that this run has. */
async function lookElsewhere(
  plan: Plan,
  steps: HtanSteps,
  strangers: Strangers,
  { pulls, limit }: { readonly pulls: Pulls; readonly limit: LimitFunction },
): Promise<Elsewhere> {
  const found: Record<string, Readonly<Record<string, string>>> = {};
  const unseen: string[] = [];
  for (const [atlasId, ids] of Object.entries(strangers)) {
    if (!pulls.isListed(atlasId)) continue;
    const other = await pulls.of(atlasId);
    if (other === null) {
      unseen.push(atlasId);
      continue;
    }
    const { files, contents, unread } = other;
    // It reads the other atlas's manifests into memory; whoever waits for that atlas holds no place.
    found[atlasId] = await limit(async () => {
      const records = await plan.do(steps.findRecords, {
        params: { unread: unread.map((one) => ({ ...one })) },
        inputs: { files, contents, ids: await plan.value(ids) },
      });
      return plan.read(records.found);
    });
    // What is not found may be in what could not be read.
    if (unread.length > 0) unseen.push(atlasId);
  }
  return { found, unseen };
}

/** One atlas, checked, drawn and written. */
async function makeAtlas(
  plan: Plan,
  steps: HtanSteps,
  atlas: Atlas,
  {
    draft,
    elsewhere,
    menu,
    gallery,
  }: {
    readonly draft: Ref<AtlasAnalysis>;
    readonly elsewhere: Elsewhere;
    readonly menu: Menu;
    readonly gallery: readonly Gallery[];
  },
): Promise<AtlasSite> {
  const { analysis, numbers } = await plan.do(steps.checkAtlas, {
    params: null,
    inputs: { draft, elsewhere: await plan.value(elsewhere) },
  });
  const { ...measures } = await plan.read(numbers);
  const { figures, drawings } = await plan.do(steps.drawFigures, {
    params: null,
    inputs: { analysis },
  });
  const { pages } = await plan.do(steps.renderAtlas, {
    params: {
      atlas: { ...atlas },
      menu,
    },
    inputs: {
      analysis,
      figures,
      past: await plan.value(await pastOf(plan, measures)),
      gallery: await plan.value(gallery),
    },
  });
  return { pages, drawings, measures };
}

/** What the atlas was before, up to now. */
async function pastOf(plan: Plan, measures: Measures) {
  const { versions, factsDigest } = await plan.history(undefined, VERSIONS_SHOWN);
  const { startedAt } = plan.run;
  const joined = joinPresent(versions, { startedAt, factsDigest, measures }, VERSIONS_SHOWN);
  const before = joined.beforeRunId === null ? null : await plan.findings(joined.beforeRunId);
  return {
    versions: joined.versions.map((version) => ({ ...version })),
    before: before === null ? null : before.map(plainFinding),
  };
}

/** The index, the history and the assets, around the atlases that this run could do; the others keep what they last published. */
async function planSite(
  plan: Plan,
  steps: HtanSteps,
  known: {
    readonly atlases: readonly Atlas[];
    readonly outcomes: ReadonlyMap<string, ScopeOutcome<AtlasSite>>;
    readonly viewId: string;
    readonly siteUrl: string | null;
    readonly menu: Menu;
  },
): Promise<SiteContents> {
  const { atlases, outcomes, viewId, siteUrl, menu } = known;
  const states = await listStates(plan, atlases, outcomes);
  const runs = await plan.runs(RUNS_SHOWN);
  const { startedAt, build } = plan.run;
  const summary = await plan.value({
    rows: states.map(({ row }) => asJson(row)),
    runs: runs.map(asJson),
    current: await currentRun(plan, outcomes),
  });
  const { pages } = await plan.do(steps.renderSite, {
    params: {
      startedAt,
      build,
      viewId,
      siteUrl,
      menu,
    },
    inputs: { summary },
  });
  const { hashed, named } = await plan.do(steps.collectAssets, {
    params: null,
    inputs: {},
  });
  const parts: SitePart[] = [
    { scope: null, prefix: "", tree: hashed, cache: "immutable" },
    { scope: null, prefix: "", tree: named, cache: "page" },
    { scope: null, prefix: "", tree: pages, cache: "page" },
  ];
  const keepScopes: string[] = [];
  for (const { row, site } of states) {
    const scope = row.atlas.atlasId;
    if (site === null) keepScopes.push(scope);
    else {
      parts.push({ scope, prefix: "", tree: site.pages, cache: "page" });
      parts.push({ scope, prefix: "figures/", tree: site.drawings, cache: "page" });
    }
  }
  return { parts, keepScopes };
}

/** What this run is to the history of runs, which it joins before its end. */
async function currentRun(plan: Plan, outcomes: ReadonlyMap<string, ScopeOutcome<AtlasSite>>) {
  const { startedAt, build } = plan.run;
  const deltas = Object.values(await plan.deltas()).filter((delta) => delta !== null);
  const total = (side: "added" | "removed") =>
    deltas.flatMap((delta) => Object.values(delta[side])).reduce((sum, count) => sum + count, 0);
  return {
    pipeline: NAME,
    startedAt,
    build,
    added: total("added"),
    removed: total("removed"),
    notUpdated: [...outcomes].flatMap(([atlasId, { ok }]) => (ok ? [] : [atlasId])).sort(),
  };
}

/** An atlas's row of the index, and what this run has made of the atlas; null where what was last published stays. */
interface AtlasState {
  readonly row: IndexRow;
  readonly site: AtlasSite | null;
}

async function listStates(
  plan: Plan,
  atlases: readonly Atlas[],
  outcomes: ReadonlyMap<string, ScopeOutcome<AtlasSite>>,
): Promise<readonly AtlasState[]> {
  const deltas = await plan.deltas();
  return Promise.all(
    atlases.map(async (atlas): Promise<AtlasState> => {
      const outcome = outcomes.get(atlas.atlasId);
      const { versions, last, factsDigest } = await plan.history(atlas.atlasId, VERSIONS_SHOWN);
      const { startedAt } = plan.run;
      // A run of this atlas alone may have started later and be finished: its page is newer than ours.
      const isOvertaken = last !== null && last.startedAt > startedAt;
      if (outcome?.ok !== true || isOvertaken) {
        const failure = outcome?.ok === false ? outcome.publicly : null;
        const updatedAt = last?.startedAt ?? null;
        return { row: { atlas, failure, updatedAt, versions, delta: null }, site: null };
      }
      const site = outcome.value;
      const facts = { startedAt, factsDigest, measures: site.measures };
      const present = joinPresent(versions, facts, VERSIONS_SHOWN).versions;
      const delta = deltas[atlas.atlasId] ?? null;
      const row = { atlas, failure: null, updatedAt: startedAt, versions: present, delta };
      return { row, site };
    }),
  );
}
