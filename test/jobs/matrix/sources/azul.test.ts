import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import type { AzulFile, AzulProject } from "../../../../src/jobs/matrix/demo/azulProjects.ts";
import {
  type AzulServer,
  type AzulServerOptions,
  startAzul,
} from "../../../../src/jobs/matrix/demo/azulServer.ts";
import type { MatrixSource } from "../../../../src/jobs/matrix/source.ts";
import {
  azulDescriptions,
  type AzulOptions,
  makeAzulSource,
  makeOldAzulSource,
} from "../../../../src/jobs/matrix/sources/azul.ts";
import { makeDiskBudget } from "../../../../src/sources/diskBudget.ts";
import { failureOf, openHttp, serve, tempDir } from "../../../sources/rig.ts";
import {
  behindTls,
  contentOf,
  keepLog,
  OTHER_UUID,
  QUICK,
  SECURE_URL,
  sha256Of,
  UUID,
} from "./rig.ts";

const CONTENT = contentOf(5000);
const SHA = sha256Of(CONTENT);
const NEVER = new AbortController().signal;
const WATCHING = { signal: NEVER, onProgress(): void {} };

/** Writes the one content that all files of these tests have. */
async function contentFile(): Promise<string> {
  const path = join(await tempDir(), "content");
  await writeFile(path, CONTENT);
  return path;
}

let fileCount = 0;
function fileAt(path: string, name: string, file: Partial<AzulFile> = {}): AzulFile {
  fileCount++;
  return {
    uuid: `10000000-0000-4000-8000-${String(fileCount).padStart(12, "0")}`,
    version: "2026-01-01T00:00:00.000000Z",
    name,
    format: name.split(".").at(-1) ?? "",
    path,
    bytes: CONTENT.length,
    sha256: SHA,
    fileSource: "GEO",
    matrixCellCount: null,
    isIntermediate: false,
    facets: {},
    ...file,
  };
}

function projectOf(projectId: string, project: Partial<AzulProject> = {}): AzulProject {
  return {
    projectId,
    title: `Project ${projectId.at(-1) ?? ""}`,
    shortName: "short",
    species: ["Homo sapiens"],
    organs: ["lung"],
    approaches: ["10X v2 sequencing", null],
    cells: 10,
    matrices: [],
    contributedAnalyses: [],
    ...project,
  };
}

async function rig(
  server: AzulServerOptions,
  options: Partial<AzulOptions> = {},
): Promise<{
  azul: AzulServer;
  source: MatrixSource;
  old: MatrixSource;
  lines: readonly string[];
}> {
  const azul = await startAzul(server);
  onTestFinished(() => azul.close());
  const { log, lines } = keepLog();
  const all: AzulOptions = {
    http: openHttp(),
    baseUrl: azul.url,
    catalog: "dcp50",
    log,
    budget: null,
    policy: QUICK,
    ...options,
  };
  return { azul, source: makeAzulSource(all), old: makeOldAzulSource(all), lines };
}

/** A source over one page that says `project` of one hit. */
async function sourceOf(project: unknown, more: Readonly<Record<string, unknown>> = {}) {
  const hit = { entryId: UUID, projects: [project], ...more };
  const url = await serve((_request, response) =>
    response.end(JSON.stringify({ hits: [hit], pagination: { next: null } })),
  );
  return sourceAt(url);
}

function sourceAt(baseUrl: string, options: Partial<AzulOptions> = {}): MatrixSource {
  const { log } = keepLog();
  const common = { http: openHttp(), catalog: null, log, budget: null, policy: QUICK };
  return makeAzulSource({ ...common, baseUrl, ...options });
}

/** A source that is asked over https and always answers with one page. */
async function secureSourceOf(page: unknown): Promise<MatrixSource> {
  const url = await serve((_request, response) => response.end(JSON.stringify(page)));
  return sourceAt(SECURE_URL, { http: behindTls(openHttp(), url) });
}

const MATRIX = {
  name: "a.h5ad",
  size: 1,
  sha256: SHA,
  url: "https://x.org/fetch/repository/files/1",
};

describe("makeAzulSource(options).list(signal)", () => {
  test("pages to the end and makes an entry of each project and species", async () => {
    const path = await contentFile();
    const human = { genusSpecies: ["Homo sapiens"], organ: ["lung"] };
    const mouse = { genusSpecies: ["Mus musculus"], libraryConstructionApproach: ["Smart-seq2"] };
    const { source, azul } = await rig({
      pageSize: 2,
      needsCatalog: true,
      projects: [
        projectOf(UUID, {
          matrices: [
            fileAt(path, `${UUID}.homo_sapiens.mtx.zip`, {
              facets: human,
              bytes: 7,
              matrixCellCount: 9,
            }),
          ],
          contributedAnalyses: [fileAt(path, "mouse.h5ad", { facets: mouse, bytes: 8 })],
        }),
        projectOf(OTHER_UUID, { matrices: [fileAt(path, `${OTHER_UUID}.homo_sapiens.loom`)] }),
        ...[3, 4, 5].map((n) => projectOf(`00000000-0000-4000-8000-00000000000${n}`)),
      ],
    });
    const { entries, skips } = await source.list(NEVER);
    const common = { sha256: SHA, version: { sha256: SHA }, pageUrl: null, cells: null };
    const approaches = ["10X v2 sequencing"];
    expect([entries, skips]).toEqual([
      [
        {
          ...common,
          id: `${OTHER_UUID}.homo_sapiens`,
          projectId: OTHER_UUID,
          species: "homo_sapiens",
          title: "Project 2",
          fileName: `${OTHER_UUID}.homo_sapiens.loom`,
          bytes: 5000,
          approaches,
          locator: expect.stringMatching(/\/repository\/files\/1.*catalog=dcp50/) as string,
        },
        {
          ...common,
          id: `${UUID}.mus_musculus`,
          projectId: UUID,
          species: "mus_musculus",
          title: "Project 1",
          fileName: "mouse.h5ad",
          bytes: 8,
          approaches: ["Smart-seq2"],
          locator: expect.any(String) as string,
        },
        {
          ...common,
          id: `${UUID}.homo_sapiens`,
          projectId: UUID,
          species: "homo_sapiens",
          title: "Project 1",
          fileName: `${UUID}.homo_sapiens.mtx.zip`,
          bytes: 7,
          cells: 9,
          approaches,
          locator: expect.any(String) as string,
        },
      ],
      [],
    ]);
    expect([azul.requests.projects, azul.wrong]).toEqual([3, []]);
    expect(source.label).toBe("Azul dcp50");
  });

  test("reads the older Azul by search_after", async () => {
    const path = await contentFile();
    const projects = [1, 2, 3, 4, 5].map((n) => {
      const id = `00000000-0000-4000-8000-00000000000${n}`;
      return projectOf(id, { title: `T ${n} & ü`, matrices: [fileAt(path, `${id}.mtx.zip`)] });
    });
    const { old, azul } = await rig({ projects, pageSize: 2 });
    const { entries } = await old.list(NEVER);
    expect(entries.map(({ id }) => id)).toEqual(projects.map(({ projectId }) => projectId));
    expect([azul.requests.oldProjects, azul.wrong, old.label]).toEqual([3, [], "Azul"]);
    const all = { http: openHttp(), log: keepLog().log, budget: null, baseUrl: azul.url };
    const described = await azulDescriptions({ ...all, catalog: null, generation: "older" }, NEVER);
    expect(described.get(UUID)).toEqual({ title: "T 1 & ü", approaches: ["10X v2 sequencing"] });
  });

  test("chooses one file of an id by the rule, and says what the others are", async () => {
    const path = await contentFile();
    const facets = { genusSpecies: ["Homo sapiens"], organ: ["blood"] };
    const lung = { ...facets, organ: ["lung"] };
    const names = async (files: readonly AzulFile[]): Promise<unknown> => {
      const { source } = await rig({ projects: [projectOf(UUID, { matrices: files })] });
      const { entries, skips } = await source.list(NEVER);
      return [
        entries.map(({ fileName }) => fileName),
        skips.map(({ why, message }) => [why, message]),
      ];
    };
    const first = { fileSource: "DCP/1 Matrix Service", facets };
    const files = [
      fileAt(path, "b.h5", { facets, matrixCellCount: 999 }),
      fileAt(path, "c.loom", { facets: lung }),
      fileAt(path, "d.h5ad", { facets }),
      fileAt(path, "e.mtx.zip", { facets }),
      fileAt(path, "f.mtx.zip", first),
      fileAt(path, "a.mtx.zip", { ...first, isIntermediate: true }),
    ];
    expect(await names(files)).toEqual([
      ["f.mtx.zip"],
      [
        [
          "another file",
          "5 other files are not read, since f.mtx.zip stands for the matrix: e.mtx.zip, d.h5ad, c.loom and 2 more. The figures show that one only: the others differ in organ (lung; shown: blood).",
        ],
      ],
    ]);
    const larger = fileAt(path, "z.h5ad", { facets, matrixCellCount: 5 });
    expect(await names([fileAt(path, "y.h5ad", { facets, matrixCellCount: 4 }), larger])).toEqual([
      ["z.h5ad"],
      [["another file", "Another file is not read, since z.h5ad stands for the matrix: y.h5ad."]],
    ]);
    expect(
      await names([fileAt(path, "y.h5ad", { facets }), fileAt(path, "x.h5ad", { facets })]),
    ).toMatchObject([["x.h5ad"], [["another file", expect.any(String)]]]);
  });

  test("skips formats that cannot be read, each with its name", async () => {
    const path = await contentFile();
    const matrices = ["a.rds", "b.RDS", "c.csv.zip", "d.bam", "plain"].map((name) =>
      fileAt(path, name),
    );
    const { source } = await rig({ projects: [projectOf(UUID, { matrices })] });
    const { entries, skips } = await source.list(NEVER);
    expect(entries).toEqual([]);
    expect(skips).toEqual(
      [
        "A file without a format in its name cannot be read: plain.",
        "A file of format .bam cannot be read: d.bam.",
        "A file of format .csv.zip cannot be read: c.csv.zip.",
        "2 files of format .rds cannot be read: a.rds and b.RDS.",
      ].map((message) => ({
        id: UUID,
        projectId: UUID,
        title: "Project 1",
        why: "format",
        message,
      })),
    );
  });

  test("puts together a file that the tree lists once for each of its values", async () => {
    const path = await contentFile();
    const facets = {
      genusSpecies: ["Homo sapiens", "Mus musculus"],
      organ: ["lung", "blood"],
      libraryConstructionApproach: ["Smart-seq2", "10x 3' v3"],
    };
    const matrices = [fileAt(path, "both.h5ad", { facets })];
    const { source } = await rig({ projects: [projectOf(UUID, { matrices })] });
    const { entries, skips } = await source.list(NEVER);
    expect(entries.map(({ id, species, approaches }) => [id, species, approaches])).toEqual([
      [UUID, null, ["10x 3' v3", "Smart-seq2"]],
    ]);
    expect(skips).toEqual([]);
  });

  test.each([
    ["a bare list", [MATRIX], null],
    ["a level without values", { genusSpecies: [MATRIX] }, null],
    ["what is not specified", { genusSpecies: { Unspecified: [MATRIX] } }, null],
    ["an odd species", { genusSpecies: { "../Canis Lupus (dog)!": [MATRIX] } }, "canis_lupus_dog"],
    ["one level", { genusSpecies: { "Homo sapiens": [MATRIX] } }, "homo_sapiens"],
  ])("reads %s as a tree", async (_what, matrices, species) => {
    const source = await sourceOf({ projectId: UUID.toUpperCase(), matrices });
    const { entries, skips } = await source.list(NEVER);
    expect(skips).toEqual([]);
    expect(entries.map((entry) => [entry.id, entry.species, entry.title, entry.locator])).toEqual([
      [
        species === null ? UUID : `${UUID}.${species}`,
        species,
        UUID,
        "https://x.org/repository/files/1",
      ],
    ]);
  });

  test("tells versions apart by uuid and version where there is no sha256", async () => {
    const file = { ...MATRIX, sha256: "?", uuid: "u", version: "v", name: "a/../b.h5ad" };
    const { entries } = await (await sourceOf({ projectId: UUID, matrices: [file] })).list(NEVER);
    expect(entries.map(({ version, sha256, fileName }) => [version, sha256, fileName])).toEqual([
      [{ uuid: "u", version: "v", bytes: "1" }, null, "a-..-b.h5ad"],
    ]);
  });

  test.each([
    [null, "Azul gives no address for a.h5ad."],
    ["ftp://x.org/a", "Azul gives an address that is not safe for a.h5ad."],
    ["http://[", "Azul gives an address that is not safe for a.h5ad."],
  ])("skips what has the address %s", async (url, message) => {
    const source = await sourceOf({ projectId: UUID, matrices: [{ ...MATRIX, url }] });
    const { entries, skips } = await source.list(NEVER);
    expect(entries).toEqual([]);
    expect(skips).toEqual([{ id: UUID, projectId: UUID, title: UUID, why: "service", message }]);
  });

  test("skips files over plain http, named, where the service is asked over https", async () => {
    const matrices = [
      { ...MATRIX, uuid: "1", name: "plain.mtx.zip", url: "http://x.org/1" },
      { ...MATRIX, uuid: "2", name: "safe.h5ad", url: "/repository/files/2" },
    ];
    const hits = [{ entryId: UUID, projects: [{ projectId: UUID, matrices }] }];
    const source = await secureSourceOf({ hits, pagination: { next: null } });
    const { entries, skips } = await source.list(NEVER);
    expect(entries.map(({ fileName, locator }) => [fileName, locator])).toEqual([
      ["safe.h5ad", `${SECURE_URL}/repository/files/2`],
    ]);
    expect(skips.map(({ why, message }) => [why, message])).toEqual([
      ["service", "Azul gives an address that is not safe for plain.mtx.zip."],
    ]);
  });

  test("refuses a next page over plain http where the service is asked over https", async () => {
    const next = "http://service.test/index/projects?page=2";
    const source = await secureSourceOf({ hits: [], pagination: { next } });
    expect(await failureOf(source.list(NEVER))).toEqual({
      kind: "permanent",
      message: "projects of Azul, page 1.pagination.next is not a safe address",
      hint: null,
    });
  });

  test.each([
    [
      "an id that is not a uuid",
      { projectId: "../../etc" },
      "hits[0].projects[0].projectId is not a uuid",
    ],
    ["no project", null, "hits[0].projects[0] should be an object but is null"],
    [
      "a tree of text",
      { projectId: UUID, matrices: "x" },
      `${UUID}.matrices should be an object but is a string`,
    ],
    [
      "a file of text",
      { projectId: UUID, matrices: { organ: { lung: ["x"] } } },
      `${UUID}.matrices.organ.lung[0] should be an object but is a string`,
    ],
    [
      "a file without a name",
      { projectId: UUID, matrices: [{ uuid: "1" }] },
      `${UUID}.matrices[0].name should be text but is missing`,
    ],
    [
      "a size of text",
      { projectId: UUID, matrices: [{ ...MATRIX, size: "1" }] },
      "size should be a count but is a string",
    ],
  ])("skips a project with %s, and names the field", async (_what, project, says) => {
    const { entries, skips } = await (await sourceOf(project)).list(NEVER);
    expect([entries, skips.map(({ id, projectId, why }) => [id, projectId, why])]).toEqual([
      [],
      [[UUID, UUID, "service"]],
    ]);
    expect(skips[0]?.message).toContain(says);
  });

  test("names the project of an odd hit by whatever names it", async () => {
    const project = { projectId: OTHER_UUID, matrices: [{ ...MATRIX, size: "1" }] };
    const hits = [{ entryId: 7, projects: [project] }, { entryId: UUID, projects: null }, 3];
    const body = JSON.stringify({ hits, pagination: { next: null, total: 3 } });
    const url = await serve((_request, response) => response.end(body));
    const { skips } = await sourceAt(url).list(NEVER);
    expect(skips.map(({ id, projectId }) => [id, projectId])).toEqual([
      [OTHER_UUID, OTHER_UUID],
      [UUID, UUID],
      ["project-3", "project-3"],
    ]);
  });

  test("skips a project whose tree does not end, and one whose protocols are wrong", async () => {
    let tree: unknown = [];
    for (let depth = 0; depth < 40; depth++) tree = { organ: { lung: tree } };
    const deep = await (await sourceOf({ projectId: UUID, matrices: tree })).list(NEVER);
    expect(deep.skips[0]?.message).toMatch(/is more than 32 levels deep\.$/);
    const odd = await (await sourceOf({ projectId: UUID }, { protocols: "x" })).list(NEVER);
    expect(odd.skips[0]?.message).toMatch(
      /hits\[0\]\.protocols should be a list but is a string\.$/,
    );
  });

  test("does not go round in circles", async () => {
    const project = projectOf(UUID);
    const projects = [project, projectOf(OTHER_UUID)];
    const { source, old, azul } = await rig({ projects, pageSize: 1 });
    azul.setFaults({ repeatPages: { every: 1 } });
    const circle = /page \d: the list goes in a circle$/;
    expect(await failureOf(source.list(NEVER))).toMatchObject({
      kind: "permanent",
      message: expect.stringMatching(circle) as string,
    });
    expect(await failureOf(old.list(NEVER))).toMatchObject({
      kind: "permanent",
      message: expect.stringMatching(circle) as string,
    });
  });

  test("asks again while the service is in trouble", async () => {
    const { source, azul, lines } = await rig({ projects: [projectOf(UUID)] });
    azul.setFaults({ throttle: { next: 1 }, unavailable: { next: 1 }, truncate: { next: 1 } });
    expect(await source.list(NEVER)).toEqual({ entries: [], skips: [] });
    expect(lines.map((line) => line.replace(/ in \d+ ms.*/, ""))).toEqual([
      "debug: projects of Azul, page 1: attempt 1 failed → trying again",
      "debug: projects of Azul, page 1: attempt 2 failed → trying again",
      "warn: projects of Azul, page 1: attempt 3 failed → trying again",
    ]);
  });

  test.each([
    ["{", "projects of Azul, page 1: the answer is not JSON (no content type, 1 characters)"],
    ["[]", "projects of Azul, page 1 should be an object but is a list"],
    ["{}", "projects of Azul, page 1.hits should be a list but is missing"],
    ['{"hits":[]}', "projects of Azul, page 1.pagination should be an object but is missing"],
    [
      '{"hits":[],"pagination":{"next":3}}',
      "projects of Azul, page 1.pagination.next should be text but is a number",
    ],
    [
      '{"hits":[],"pagination":{"next":"http://["}}',
      "projects of Azul, page 1.pagination.next is not an address",
    ],
  ])("refuses the page %s and says what is wrong", async (body, message) => {
    const url = await serve((_request, response) => response.end(body));
    expect(await failureOf(sourceAt(url).list(NEVER))).toEqual({
      kind: "permanent",
      message,
      hint: null,
    });
  });

  test("says what the service says of a wrong catalog, and stops when told to", async () => {
    const { source } = await rig({ projects: [] }, { catalog: "dcp1" });
    expect((await failureOf(source.list(NEVER))).message).toBe(
      "projects of Azul, page 1: the server answered 400: Catalog name 'dcp1' is invalid. Must be one of {'dcp50'}.",
    );
    expect(await failureOf(source.list(AbortSignal.abort()))).toMatchObject({ kind: "aborted" });
  });

  test.each([
    ["none", [], 0],
    ["one twice", [UUID, UUID], 1],
  ])(
    "takes a list with fewer projects than the service counts as passing: %s",
    async (...given) => {
      const [, ids, listed] = given;
      const hits = ids.map((projectId) => ({ entryId: projectId, projects: [{ projectId }] }));
      const body = JSON.stringify({ hits, pagination: { next: null, total: 2 } });
      const url = await serve((_request, response) => response.end(body));
      expect(await failureOf(sourceAt(url).list(NEVER))).toEqual({
        kind: "transient",
        message: `Azul listed ${listed} of the 2 projects that it counts`,
        hint: null,
      });
    },
  );

  test("links to the page of a project where there is one", async () => {
    const matrices = [fileAt(await contentFile(), "a.h5ad")];
    const portalUrl = "https://portal.org/projects/";
    const { source } = await rig({ projects: [projectOf(UUID, { matrices })] }, { portalUrl });
    const { entries } = await source.list(NEVER);
    expect(entries.map(({ pageUrl }) => pageUrl)).toEqual([`${portalUrl}${UUID}`]);
  });
});

describe("makeAzulSource(options).pull(entry, dir, options)", () => {
  async function fetchRig(
    server: Partial<AzulServerOptions> = {},
    options: Partial<AzulOptions> = {},
  ) {
    const path = await contentFile();
    const matrices = [
      fileAt(path, "human cells.mtx.zip", { facets: { genusSpecies: ["Homo sapiens"] } }),
    ];
    const made = await rig({ projects: [projectOf(UUID, { matrices })], ...server }, options);
    const [entry] = (await made.source.list(NEVER)).entries;
    if (entry === undefined) throw new Error("no entry");
    return { ...made, entry, dir: join(await tempDir(), "new") };
  }

  test("waits until the file is ready, and names it by its id", async () => {
    const { source, azul, entry, dir } = await fetchRig({ preparing: 2 });
    const path = join(dir, `${UUID}.homo_sapiens.mtx.zip`);
    expect(await source.pull(entry, dir, WATCHING)).toMatchObject({ path, bytes: 5000 });
    expect(await readFile(path)).toEqual(CONTENT);
    expect([azul.requests.repositoryFile, azul.requests.file, azul.wrong]).toEqual([3, 1, []]);
  });

  test("goes on after broken connections and expired addresses", async () => {
    const { source, azul, entry, dir } = await fetchRig();
    azul.setFaults({
      cut: { next: 2, afterBytes: 1500 },
      expired: { next: 1 },
      unavailable: { next: 1 },
    });
    const { path, bytes } = await source.pull(entry, dir, WATCHING);
    expect([await readFile(path), bytes]).toEqual([CONTENT, 5000]);
    expect([azul.requests.range, azul.wrong]).toEqual([2, []]);
  });

  test("takes damaged content once, and refuses it twice", async () => {
    const { source, azul, entry, dir } = await fetchRig();
    azul.setFaults({ corrupt: { next: 1 } });
    expect(await source.pull(entry, dir, WATCHING)).toMatchObject({ bytes: 10_000 });
    azul.setFaults({ corrupt: { every: 1 } });
    const again = join(dir, "again");
    expect(await failureOf(source.pull(entry, again, WATCHING))).toMatchObject({
      kind: "permanent",
      message: expect.stringMatching(`instead of ${SHA}, twice$`) as string,
    });
    expect(await readdir(again)).toEqual([]);
  });

  test("refuses an id that could climb out of the folder", async () => {
    const { source, entry, dir } = await fetchRig();
    for (const id of ["../a", `${UUID}/../a`, `${UUID}..`, UUID.replace("8", "X")]) {
      expect(await failureOf(source.pull({ ...entry, id }, dir, WATCHING))).toEqual({
        kind: "permanent",
        message: `${JSON.stringify(id)} is not <uuid>[.<species>]`,
        hint: null,
      });
    }
  });

  test("holds room on disk until the file is removed, and none after a failure", async () => {
    const budget = makeDiskBudget({ bytes: 6000, freeBytes: async () => 1e9, sweepMs: 2 });
    const { source, azul, entry, dir } = await fetchRig({}, { budget });
    azul.setFaults({ corrupt: { next: 2 } });
    await failureOf(source.pull(entry, dir, WATCHING));
    const { path } = await source.pull(entry, dir, WATCHING);
    const second = source.pull(entry, join(dir, "second"), WATCHING);
    await rm(path);
    expect(await readFile((await second).path)).toEqual(CONTENT);
    const third = source.pull({ ...entry, bytes: 6001 }, dir, WATCHING);
    expect((await failureOf(third)).message).toMatch(/takes 6001 bytes, more than the 6000/);
  });

  test("says when the folder cannot be made", async () => {
    const { source, entry } = await fetchRig();
    const dir = join(await contentFile(), "below a file");
    expect(await failureOf(source.pull(entry, dir, WATCHING))).toMatchObject({
      kind: "permanent",
      message: expect.stringMatching(/^cannot make the folder for 0/) as string,
    });
  });
});

describe("makeAzulSource(options).blacklist(signal)", () => {
  test("has the blacklist that it is given, or none", async () => {
    const { source } = await rig({ projects: [] }, { blacklist: async () => [UUID] });
    expect(await source.blacklist(NEVER)).toEqual([UUID]);
    expect(await (await rig({ projects: [] })).source.blacklist(NEVER)).toBeNull();
  });
});
