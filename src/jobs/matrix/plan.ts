// Matrix figures as a pipeline: from the matrices of a source to eight figures per library construction approach, a page for each
// matrix and an index. It wires the steps of steps.ts; what matrices mean is decided in reading/ and counting/, how figures look in charts/.

import pLimit from "p-limit";

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
import { HdashError } from "../../error.ts";
import { count } from "../../format.ts";
import type { Menu } from "../../render/page.ts";
import { SAMPLE_CELLS, SEED } from "./analysis.ts";
import { FOLDER } from "./pages/pageFrame.ts";
import type { ProjectRow } from "./pages/projectsPage.ts";
import { type MatrixEntry, type MatrixListing, type MatrixSource, UNREADABLE } from "./source.ts";
import {
  makeSteps,
  type MatrixEffects,
  type MatrixParams,
  type MatrixSteps,
  plainEntry,
} from "./steps.ts";
import type { MatrixSummary } from "./summary.ts";

/** Matrices that are drawn and written at a time; few, to bound memory. */
const WRITTEN_AT_ONCE = 2;

/** What the parts of the plan are made with. */
interface Maker {
  readonly effects: MatrixEffects;
  readonly steps: MatrixSteps;
}

/** Makes the pipeline. */
export function makeMatrix(effects: MatrixEffects): Pipeline<MatrixParams> {
  const maker: Maker = { effects, steps: makeSteps(effects) };
  const { steps } = maker;
  return {
    name: "matrix",
    async plan(plan, params) {
      const { listing } = await plan.do(steps.listMatrices, { params, inputs: {} });
      const { entries, skips } = await plan.read(listing);
      checkAnyFound(effects.source, { entries, skips });
      const known = await plan.do(steps.listPublished, { params: null, inputs: {} });
      const published = await plan.read(known.ids);
      const kept = published.filter((id) => isKnown(id, entries, skips));
      if (!effects.mayRemove) checkRemoval(effects.source.label, published, kept);
      const site = await plan.do(steps.readMenu, { params: null, inputs: {} });
      const menu = await plan.read(site.menu);
      const limit = pLimit(WRITTEN_AT_ONCE);
      const outcomes = new Map<string, ScopeOutcome<MatrixSite>>();
      await Promise.all(
        entries.map(async (entry) => {
          const outcome = await plan.scope(
            entry.id,
            async (scope) => {
              const analysed = await analyse(scope, maker, entry);
              return limit(() => makeSite(scope, maker, entry, analysed, menu));
            },
            { title: entry.title },
          );
          outcomes.set(entry.id, outcome);
        }),
      );
      for (const { id, title, message, why } of skips) {
        if (why !== "not found" && why !== UNREADABLE) continue;
        // Asked for by name and not there, or there and not to be read: the run says so as it does of what could not be analysed.
        const error = new HdashError("permanent", message, { publicly: message });
        const outcome = await plan.scope(id, () => Promise.reject(error), { title });
        if (why === UNREADABLE) outcomes.set(id, outcome);
      }
      const titles = new Map([...entries, ...skips].map(({ id, title }) => [id, title]));
      checkAnyDone(outcomes, "no matrix could be read", (id) => titles.get(id) ?? id);
      await plan.site(() => planSite(plan, maker, { entries, skips, kept, menu }, outcomes));
    },
  };
}

/** How figures are made, as pages say it. */
function methodOf(effects: MatrixEffects) {
  const madeWith = { ...effects.analysedBy, ...effects.drawnBy };
  return { seed: SEED, sampleCells: SAMPLE_CELLS, madeWith: Object.entries(madeWith) };
}

async function analyse(plan: Plan, { effects, steps }: Maker, entry: MatrixEntry) {
  const { id, projectId, fileName, version, approaches, locator, bytes, sha256 } = entry;
  const analysed = await plan.do(steps.analyseMatrix, {
    params: {
      kind: effects.source.kind,
      matrix: { id, projectId, fileName, version, approaches },
      seed: SEED,
      sampleCells: SAMPLE_CELLS,
    },
    inputs: {},
    hints: { locator, bytes, sha256 },
  });
  await plan.do(steps.checkReadable, {
    params: null,
    inputs: { verdict: analysed.verdict },
  });
  return analysed;
}

/** One matrix, drawn and written. */
async function makeSite(
  plan: Plan,
  { effects, steps }: Maker,
  entry: MatrixEntry,
  { facts, figures }: Awaited<ReturnType<typeof analyse>>,
  menu: Menu,
): Promise<MatrixSite> {
  const { drawings, inline, undrawn } = await plan.do(steps.drawFigures, {
    params: { id: entry.id },
    inputs: { figures },
  });
  const { versions, factsDigest } = await plan.history();
  const last = versions.at(-1);
  // Unchanged facts stand since the run that first saw them, not since today.
  const updatedAt = last?.factsDigest === factsDigest ? last.startedAt : plan.run.startedAt;
  const atlasOfName = effects.source.kind === "local" ? effects.atlases[entry.title] : undefined;
  const atlasId =
    effects.atlases[entry.projectId] ?? effects.atlases[entry.id] ?? atlasOfName ?? null;
  const { pages, summary } = await plan.do(steps.renderMatrix, {
    params: {
      entry: plainEntry(entry),
      source: { kind: effects.source.kind, label: effects.source.label },
      atlasId,
      atlasPath: atlasId === null ? null : effects.atlasPath(atlasId, menu),
      updatedAt,
      method: methodOf(effects),
      siteUrl: effects.siteUrl,
      menu,
    },
    inputs: { facts, inline, undrawn },
  });
  return { pages, drawings, summary: await plan.read(summary), updatedAt };
}

/** The index and the assets, around the matrices that this run could do; the others keep what they last published. */
async function planSite(
  plan: Plan,
  { effects, steps }: Maker,
  {
    entries,
    skips,
    kept,
    menu,
  }: MatrixListing & { readonly kept: readonly string[]; readonly menu: Menu },
  outcomes: ReadonlyMap<string, ScopeOutcome<MatrixSite>>,
): Promise<SiteContents> {
  // What this run has not done stays as it was last published, as long as the source still has the project.
  const keepScopes = kept.filter((id) => outcomes.get(id)?.ok !== true);
  const isAside = skips.filter(({ why }) => why === "not asked for").map(({ id }) => id);
  const found = await plan.do(steps.readPublished, {
    params: { ids: [...new Set([...keepScopes, ...isAside, ...failedOf(outcomes)])].sort() },
    inputs: {},
  });
  const before = new Map((await plan.read(found.rows)).map((row) => [row.id, row]));
  const rows: ProjectRow[] = [];
  const parts: SitePart[] = [];
  for (const { id, title } of [...entries, ...skips.filter(({ why }) => why === UNREADABLE)]) {
    const outcome = outcomes.get(id);
    if (outcome?.ok === true) {
      const { pages, drawings, summary, updatedAt } = outcome.value;
      rows.push({ id, title, summary, failure: null, updatedAt });
      parts.push({ scope: id, prefix: FOLDER, tree: pages, cache: "page" });
      parts.push({ scope: id, prefix: "", tree: drawings, cache: "page" });
    } else {
      const { summary = null, updatedAt = null } = before.get(id) ?? {};
      const failure = outcome?.ok === false ? outcome.publicly : "it was not read";
      rows.push({ id, title, summary, failure, updatedAt });
    }
  }
  for (const row of before.values()) {
    if (!rows.some(({ id }) => id === row.id)) rows.push(row);
  }
  // What a run was not asked for is no news about the source; what it was asked for in vain is the run's failure; what may not be read has
  // a row.
  const shown = skips.filter(({ why }) => !ELSEWHERE.includes(why));
  const { startedAt, build } = plan.run;
  const { pages } = await plan.do(steps.renderIndex, {
    params: {
      startedAt,
      build,
      sourceLabel: effects.source.label,
      menu,
    },
    inputs: { listed: await plan.value({ rows: rows.map(asJson), skips: shown.map(asJson) }) },
  });
  const { hashed, named } = await plan.do(steps.collectAssets, {
    params: null,
    inputs: {},
  });
  parts.push(
    { scope: null, prefix: FOLDER, tree: hashed, cache: "immutable" },
    { scope: null, prefix: FOLDER, tree: named, cache: "page" },
    { scope: null, prefix: FOLDER, tree: pages, cache: "page" },
  );
  return { parts, keepScopes };
}

/** What a matrix publishes. */
interface MatrixSite {
  readonly pages: Ref<readonly TreeFile[], "public">;
  readonly drawings: Ref<readonly TreeFile[], "public">;
  readonly summary: MatrixSummary;
  readonly updatedAt: string;
}

function failedOf(outcomes: ReadonlyMap<string, ScopeOutcome<unknown>>): readonly string[] {
  return [...outcomes].flatMap(([id, { ok }]) => (ok ? [] : [id]));
}

/** Tells whether a published matrix is still the source's: listed, or left out with its project for whatever reason. */
function isKnown(
  id: string,
  entries: readonly MatrixEntry[],
  skips: MatrixListing["skips"],
): boolean {
  const isOf = (project: string): boolean =>
    project !== "" && (id === project || id.startsWith(`${project}.`));
  return (
    // What could not even be named may be any of them.
    skips.some((skip) => /^(project|dataset)-\d+$/.test(skip.id)) ||
    entries.some((entry) => entry.id === id) ||
    skips.some((skip) => skip.id === id || isOf(skip.projectId) || isOf(skip.id))
  );
}

/** Left out because of what was asked for, or failures of their own: there are matrices, and a run of none is no surprise. */
const CHOSEN = ["blacklisted", "not asked for", UNREADABLE];
/** What the index tells elsewhere than among what was left out, or not at all. */
const ELSEWHERE = ["not asked for", "not found", UNREADABLE];
/** Reasons that are told of what a source has instead of matrices. */
const MOST_REASONS = 5;

/**
 * Throws where a source has no matrix at all: a run of nothing looks like one in which nothing changed. It would also take everything off
 * the site, and who insists on a run has mistyped a path as easily as anybody.
 */
function checkAnyFound(source: MatrixSource, { entries, skips }: MatrixListing): void {
  if (entries.length > 0 || skips.some(({ why }) => CHOSEN.includes(why))) return;
  // What was asked for in vain is nothing that is there.
  const there = skips.filter(({ why }) => why !== "not found");
  const reasons = there.slice(0, MOST_REASONS).map(({ message }) => message);
  const more = there.length - reasons.length;
  const saw =
    there.length === 0
      ? "it is empty"
      : `of ${count(there.length, "thing")} there none can be read. ${reasons.join(" ")}${more > 0 ? ` And ${more} more.` : ""}`;
  throw new HdashError(
    "permanent",
    `no matrix was found in ${source.where ?? source.label}: ${saw}`,
    {
      ...(source.fits === undefined ? {} : { hint: source.fits }),
    },
  );
}

/** More than this share of what is published does not go in one run without being asked: a list cut short looks the same. */
const MOST_REMOVED = 1 / 3;

/** Refuses to empty a site because a source has for once little to say. */
function checkRemoval(source: string, published: readonly string[], kept: readonly string[]): void {
  const gone = published.filter((id) => !kept.includes(id));
  const isMuch = gone.length > 2 && gone.length > published.length * MOST_REMOVED;
  if (gone.length === 0 || (kept.length > 0 && !isMuch)) return;
  throw new HdashError(
    "permanent",
    `${source} no longer has ${gone.length} of the ${published.length} published matrices (${gone[0] ?? ""}${gone.length > 1 ? ", …" : ""}); nothing was published`,
    { hint: "If they are to be taken off the site, run it once with --force." },
  );
}
