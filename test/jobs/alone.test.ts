// What the engine promises of every step: its output follows from its key's document. Each step of both jobs is done once in a run,
// and once more alone, with closures of its own.

import { copyFile, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import { readComponents } from "../../src/jobs/htan/data/components.ts";
import { makeHtan } from "../../src/jobs/htan/plan.ts";
import { readAtlases } from "../../src/jobs/htan/registry/readAtlases.ts";
import { type HtanEffects, makeSteps as makeHtanSteps } from "../../src/jobs/htan/steps.ts";
import { analyseMatrix } from "../../src/jobs/matrix/analysis.ts";
import { makeMatrix } from "../../src/jobs/matrix/plan.ts";
import { openLocalMatrices } from "../../src/jobs/matrix/sources/localMatrices.ts";
import { makeSteps as makeMatrixSteps, type MatrixEffects } from "../../src/jobs/matrix/steps.ts";
import { SILENT } from "../../src/log.ts";
import { startSynapse, type SynapseServer } from "../../src/lookalikes/synapse/synapseServer.ts";
import { loadDesign } from "../../src/render/design.ts";
import { sparkline } from "../../src/render/sparkline.ts";
import { makeHttp } from "../../src/sources/http.ts";
import { makeSynapse } from "../../src/sources/synapse.ts";
import { finish, makeMemorySite, openWorld, type World } from "../engine/world.ts";
import { type Hints, notingHints, repeatAlone } from "../support/alone.ts";
import { startAfresh } from "../support/ledger.ts";
import { BOTH_MENU, DASHBOARD_MENU } from "../support/siteSample.ts";
import { labels } from "./htan/fixtureWorld.ts";

const ROOT = join(import.meta.dirname, "../..");
const HTAN = join(ROOT, "test/fixtures/htan");
const MATRIX = join(ROOT, "test/fixtures/matrix");

/** Read once: it is data, and no step can change it. */
const design = loadDesign(ROOT);
let world: World;
beforeAll(async () => {
  world = await openWorld("embedded");
});
afterAll(() => world.close());
beforeEach(() => startAfresh(world.database.db));

describe("the steps of htan", () => {
  let synapse: SynapseServer;
  beforeAll(async () => {
    synapse = await startSynapse({ world: HTAN, tokens: { secret: "ada" }, jobPolls: 0 });
  });
  afterAll(() => synapse.close());

  async function makeEffects(): Promise<HtanEffects> {
    const { render, assets, digest: designDigest, drawnBy } = await design;
    const table: unknown = JSON.parse(
      await readFile(join(ROOT, "config/htan_components.json"), "utf8"),
    );
    const atlases = readAtlases(await readFile(join(HTAN, "atlases.csv"), "utf8"));
    return {
      synapse: makeSynapse({
        endpoint: synapse.url,
        token: "secret",
        http: makeHttp(),
        log: SILENT,
      }),
      listAtlases: async () => atlases,
      components: readComponents(table),
      componentsDigest: digestOf(JSON.stringify(table)),
      labels,
      tools: { render, sparkline },
      assets,
      designDigest,
      drawnBy,
      siteUrl: "https://example.org/",
      galleries: { read: async () => ({}) },
      readMenu: async () => DASHBOARD_MENU,
    };
  }

  test("give alone what they gave in the run", async () => {
    const hints: Hints = new Map();
    const { plan } = notingHints(makeHtan(await makeEffects()), hints);
    const params = { atlases: ["HTA1"], viewId: "syn20446927" };
    const { record } = await finish(world, (p) => plan(p, params), {
      publisher: makeMemorySite(),
      params,
    });
    expect(record).toMatchObject({ status: "succeeded", error: null });
    const { inRun, alone } = await repeatAlone(
      world,
      async () => makeHtanSteps(await makeEffects()),
      hints,
    );
    expect(new Set(inRun.map(({ step }) => step))).toEqual(
      new Set([
        ...["pullView", "listFiles", "pullManifest", "analyseAtlas", "checkAtlas", "drawFigures"],
        ...["renderAtlas", "renderSite", "collectAssets"],
      ]),
    );
    expect(alone).toEqual(inRun);
  });
});

describe("the steps of matrix", () => {
  let dir = "";
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "hdash-alone-"));
    await mkdir(join(dir, "matrices"));
    const name = "00000000-0000-4000-8000-000000000005.homo_sapiens.mtx.zip";
    await copyFile(join(MATRIX, name), join(dir, "matrices", name));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function makeEffects(): Promise<MatrixEffects> {
    const { render, assets, digest: designDigest, drawnBy } = await design;
    return {
      source: openLocalMatrices(join(dir, "matrices")),
      analyse: analyseMatrix,
      analysedBy: { "scran.js": "1" },
      atlases: {},
      render,
      assets,
      designDigest,
      drawnBy,
      siteUrl: null,
      readMenu: async () => BOTH_MENU,
      atlasPath: () => null,
      published: { ids: async () => [], read: async () => [null] },
      mayRemove: false,
      warn() {},
    };
  }

  test("give alone what they gave in the run", async () => {
    const hints: Hints = new Map();
    const { plan } = notingHints(makeMatrix(await makeEffects()), hints);
    const params = { source: {}, useBlacklist: false, targets: null };
    const { record } = await finish(world, (p) => plan(p, params), {
      publisher: makeMemorySite(),
      params,
    });
    expect(record).toMatchObject({ status: "succeeded", error: null });
    const { inRun, alone } = await repeatAlone(
      world,
      async () => makeMatrixSteps(await makeEffects()),
      hints,
    );
    expect(inRun.map(({ step }) => step).sort()).toEqual([
      ...["analyseMatrix", "checkReadable", "collectMatrixAssets", "drawMatrixFigures"],
      ...["renderMatrices", "renderMatrix"],
    ]);
    expect(alone).toEqual(inRun);
  });
});
