import { describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import type { Effects } from "../../src/effects.ts";
import type { Job, JobPages } from "../../src/job.ts";
import { openPublications } from "../../src/store/publications.ts";
import { makeMenu, openMenu } from "../../src/work/menu.ts";
import { createTestDatabase } from "../support/postgres.ts";

const job = (name: string, brand: string, ...places: [string, string][]) => ({
  name,
  pages: { brand, places: places.map(([label, path]) => ({ label, path })) } as unknown as JobPages,
});
const BUOYS = job("buoys", "Buoys at sea", ["Buoys", "buoys/index.html"]);
const TIDES = job("tides", "Tides", ["Ports", "index.html"], ["Runs", "runs.html"]);
const WINDS = job("winds", "Winds", ["Winds", "winds.html"]);
const JOBS = [BUOYS, TIDES, WINDS];

/** The labels of the menu that a job's pages show. */
function labels(own: (typeof JOBS)[number], published: string[], given: string[]) {
  return makeMenu(own, JOBS, { published, given, hasPipelines: false }).places.map(
    ({ label }) => label,
  );
}

describe("makeMenu(own, jobs, site)", () => {
  test("has the job whose page is the site's first at its head, then the others as the list has them", () => {
    expect(
      makeMenu(WINDS, JOBS, { published: ["buoys", "tides"], given: [], hasPipelines: false }),
    ).toEqual({
      brand: { label: "Tides", path: "index.html" },
      places: [
        { label: "Ports", path: "index.html" },
        { label: "Runs", path: "runs.html" },
        { label: "Buoys", path: "buoys/index.html" },
        { label: "Winds", path: "winds.html" },
      ],
    });
  });

  test("is the job's own where nothing else is there", () => {
    expect(makeMenu(BUOYS, JOBS, { published: [], given: ["buoys"], hasPipelines: false })).toEqual(
      {
        brand: { label: "Buoys at sea", path: "buoys/index.html" },
        places: [{ label: "Buoys", path: "buoys/index.html" }],
      },
    );
  });

  test("has what is published, whoever is configured here", () => {
    expect(labels(TIDES, ["buoys", "winds"], ["tides"])).toEqual([
      "Ports",
      "Runs",
      "Buoys",
      "Winds",
    ]);
  });

  test("has what is going to be published after the job, and not what has had its turn in vain", () => {
    const given = ["buoys", "tides", "winds"];
    expect(labels(BUOYS, [], given)).toEqual(["Ports", "Runs", "Buoys", "Winds"]);
    expect(labels(TIDES, [], given)).toEqual(["Ports", "Runs", "Winds"]);
    expect(labels(WINDS, [], given)).toEqual(["Winds"]);
  });

  test("has one place for pages of users' pipelines, behind all others; it is the first where there are none", () => {
    const own = { name: "kmer", pages: null };
    const places = [{ label: "Pipelines", path: "pipelines/index.html" }];
    const site = { given: [], hasPipelines: true };
    expect(makeMenu(own, JOBS, { ...site, published: [] })).toEqual({
      brand: { label: "Pipelines", path: "pipelines/index.html" },
      places,
    });
    expect(makeMenu(own, JOBS, { ...site, published: ["winds"] })).toEqual({
      brand: { label: "Winds", path: "winds.html" },
      places: [{ label: "Winds", path: "winds.html" }, ...places],
    });
    expect(makeMenu(WINDS, JOBS, { ...site, published: [] }).places).toEqual([
      { label: "Winds", path: "winds.html" },
      ...places,
    ]);
  });
});

describe("openMenu(effects, own, jobs)", () => {
  test("finds in the ledger who has pages: of a scope, of none where none are, and users' pipelines", async () => {
    const { database, drop } = await createTestDatabase();
    const publications = openPublications(database.db);
    const whole = { ...job("storms", "Storms", ["Storms", "storms/index.html"]) };
    const storms = { ...whole, pages: { ...whole.pages, isOfNoScope: true as const } };
    const jobs = [...JOBS, storms] as unknown as readonly Job[];
    const effects = {
      database: () => Promise.resolve(database),
      publisher: () => Promise.resolve({ site: "a" }),
      config: { given: [] },
    } as unknown as Effects;
    const put = (owner: string, path: string, scope: string | null): Promise<void> =>
      publications.save("a", {
        ...{ owner, path, scope, digest: digestOf(path), etag: '"1"' },
        ...{ contentType: "text/html", bytes: 1 },
      });
    const read = async (): Promise<readonly string[]> => {
      const [own] = jobs;
      if (own === undefined) throw new Error("there are jobs");
      const { places } = await openMenu(effects, own, jobs)("a");
      return places.map(({ label }) => label);
    };
    expect(await read()).toEqual(["Buoys"]);
    // All of its scopes have gone: its pages have nothing to show.
    await put("tides", "index.html", null);
    await put("winds", "winds/1.html", "1");
    await put("storms", "storms/index.html", null);
    await put("kmer", "pipelines/kmer/index.html", null);
    expect(await read()).toEqual(["Buoys", "Winds", "Storms", "Pipelines"]);
    await drop();
  });
});
