import { describe, expect, onTestFinished, test } from "vitest";

import {
  type AzulServer,
  type AzulServerOptions,
  startAzul,
} from "../../../../src/jobs/matrix/demo/azulServer.ts";
import { makeAzulSource, makeOldAzulSource } from "../../../../src/jobs/matrix/sources/azul.ts";
import { makeHttp } from "../../../../src/sources/http.ts";
import { keepLog, QUICK } from "../sources/rig.ts";
import {
  ask,
  CONTENT,
  makeFile,
  makeProject,
  pullFirst,
  SHA256,
  tempContent,
  uuid,
} from "./rig.ts";

async function makeServer(options: Partial<AzulServerOptions> = {}): Promise<AzulServer> {
  const server = await startAzul({
    projects: [1, 2, 3, 4, 5].map((n) => makeProject(n)),
    ...options,
  });
  onTestFinished(() => server.close());
  return server;
}

/** A server with one project that has one file, and the file's address. */
async function makeFileServer(
  options: Partial<AzulServerOptions> = {},
): Promise<{ readonly server: AzulServer; readonly url: string }> {
  const file = makeFile(await tempContent());
  const server = await makeServer({ projects: [makeProject(1, { matrices: [file] })], ...options });
  const query = new URLSearchParams({ catalog: "dcp50", version: file.version });
  return { server, url: `${server.url}/repository/files/${file.uuid}?${query.toString()}` };
}

interface Page {
  readonly hits: readonly { readonly entryId: string; readonly projects: readonly object[] }[];
  readonly pagination: Readonly<Record<string, string | null>>;
}

/** Follows pages from an address, by what the pages say of the next. */
async function follow(
  first: string,
  next: (page: Page) => string | null | undefined,
): Promise<readonly (readonly string[])[]> {
  const pages: string[][] = [];
  for (let url: string | null | undefined = first; url && pages.length < 9;) {
    const page = (await ask(url)).value as Page;
    pages.push(page.hits.map(({ entryId }) => entryId));
    url = next(page);
  }
  return pages;
}

const PAGES = [[uuid(1), uuid(2)], [uuid(3), uuid(4)], [uuid(5)]];

describe("startAzul(options)", () => {
  test("lists projects page by page, forwards and backwards", async () => {
    const server = await makeServer({ pageSize: 2 });
    const first = `${server.url}/index/projects?catalog=dcp50&size=100`;
    expect(await follow(first, ({ pagination }) => pagination["next"])).toEqual(PAGES);
    const { pagination } = (await ask(`${server.url}/index/projects?size=3`)).value as Page;
    expect(pagination).toMatchObject({ count: 2, total: 5, size: 2, pages: 3, previous: null });
    const last = `${server.url}/index/projects?search_after=["Project+%26+4","${uuid(4)}"]`;
    expect(await follow(last, (page) => page.pagination["previous"])).toEqual(PAGES.toReversed());
    expect(server.requests).toMatchObject({ projects: 7, unknown: 0 });
    expect(server.wrong).toEqual([]);
  });

  test("lists them as the older Azul did, by title and uid", async () => {
    const server = await makeServer({ pageSize: 2 });
    const base = `${server.url}/repository/projects/`;
    const next = ({ pagination }: Page): string | null => {
      const { search_after: title, search_after_uid: uid } = pagination;
      if (!title || !uid) return null;
      return `${base}?${new URLSearchParams({ search_after: title, search_after_uid: uid }).toString()}`;
    };
    expect(await follow(base, next)).toEqual(PAGES);
    expect((await ask(`${base}?search_after=x`)).status).toBe(400);
    expect((await ask(`${base}?catalog=dcp50`)).status).toBe(400);
    expect(server.requests.oldProjects).toBe(5);
  });

  test("hangs files into trees, as often as their facets have values, with levels left out", async () => {
    const path = await tempContent();
    const both = makeFile(path, {
      facets: {
        genusSpecies: ["Homo sapiens"],
        libraryConstructionApproach: ["10X v2 sequencing", "Smart-seq2"],
      },
    });
    const other = makeFile(path, {
      uuid: uuid(901),
      facets: { genusSpecies: ["Homo sapiens"], libraryConstructionApproach: ["Smart-seq2"] },
    });
    const bare = makeFile(path, { uuid: uuid(902), facets: {}, matrixCellCount: null });
    const project = makeProject(1, { matrices: [both, other], contributedAnalyses: [bare] });
    const server = await makeServer({ projects: [project] });
    const { hits } = (await ask(`${server.url}/index/projects`)).value as Page;
    const worded = (file: string, cells: number | null): object => ({
      uuid: file,
      version: both.version,
      name: both.name,
      format: "zip",
      size: 5000,
      fileSource: "DCP/1 Matrix Service",
      matrixCellCount: cells,
      sha256: SHA256,
      contentDescription: ["Matrix"],
      isIntermediate: false,
      url: `${server.url}/repository/files/${file}?catalog=dcp50&version=2026-01-02T03%3A04%3A05.000000Z`,
      drs_uri: expect.stringContaining(file) as string,
    });
    expect(hits[0]?.projects[0]).toMatchObject({
      projectId: uuid(1),
      projectTitle: "Project & 1",
      projectShortname: "Project1",
      matrices: {
        genusSpecies: {
          "Homo sapiens": {
            libraryConstructionApproach: {
              "10X v2 sequencing": [worded(uuid(900), 12)],
              "Smart-seq2": [worded(uuid(900), 12), worded(uuid(901), 12)],
            },
          },
        },
      },
      contributedAnalyses: [worded(uuid(902), null)],
    });
  });

  test("filters by project, and lists what was published meanwhile", async () => {
    const server = await makeServer();
    const only = encodeURIComponent(JSON.stringify({ projectId: { is: [uuid(4)] } }));
    const list = async (query: string): Promise<readonly string[]> =>
      ((await ask(`${server.url}/index/projects?${query}`)).value as Page).hits.map(
        (hit) => hit.entryId,
      );
    expect(await list(`filters=${only}`)).toEqual([uuid(4)]);
    server.setProjects([makeProject(7)]);
    expect(await list("")).toEqual([uuid(7)]);
  });

  test.each([
    ["index/projects?catalog=dcp1", 400, "Catalog name 'dcp1' is invalid"],
    ["index/projects?page=2", 400, "Unknown query parameter `page`"],
    ["index/projects?size=5&size=6", 400, "Duplicate query parameter `size`"],
    ["index/projects?size=0", 400, "Invalid value for parameter `size`"],
    ["index/projects?size=1001", 400, "Invalid value for parameter `size`"],
    ["index/projects?search_after=x", 400, "A parameter is not valid JSON"],
    ["index/projects?search_after=[1]", 400, "Invalid value for parameter `search_after`"],
    ["index/projects?filters=1", 400, "The `filters` parameter must be a dictionary"],
    ['index/projects?filters={"organ":{}}', 400, "Unknown facet `organ`"],
    ['index/projects?filters={"projectId":{}}', 400, "Unknown relation"],
    ["index/project", 404, "there is nothing at this address"],
    ["repository/files/%E0%A4%A", 400, "is not an address"],
    [
      `repository/files/${uuid(8)}?catalog=dcp50`,
      404,
      `Unable to find file '${uuid(8)}', version null`,
    ],
  ])("refuses %s and remembers it", async (path, status, message) => {
    const server = await makeServer();
    const reply = await ask(`${server.url}/${path}`);
    expect([reply.status, reply.value]).toEqual([
      status,
      {
        Code: status === 404 ? "NotFoundError" : "BadRequestError",
        Message: expect.stringContaining(message) as string,
      },
    ]);
    expect(server.wrong).toEqual([expect.stringContaining(message)]);
  });

  test("refuses requests without a catalog only where it is told to", async () => {
    const server = await makeServer({ needsCatalog: true });
    expect((await ask(`${server.url}/index/projects`)).status).toBe(400);
    expect((await ask(`${server.url}/index/projects?catalog=dcp50`)).status).toBe(200);
  });

  test("prepares a file step by step, and only for those who go where they are sent", async () => {
    let now = 0;
    const { server, url } = await makeFileServer({
      preparing: 2,
      retryAfterSeconds: 5,
      now: () => now,
    });
    const first = await ask(url);
    expect([first.status, first.headers.get("retry-after")]).toEqual([301, "5"]);
    expect((await ask(url)).status).toBe(301);
    const hasty = await ask(first.headers.get("location") ?? "");
    expect([hasty.status, server.requests.early]).toEqual([301, 1]);
    now = 5_000;
    const second = await ask(hasty.headers.get("location") ?? "");
    expect(second.status).toBe(301);
    now = 10_000;
    const third = await ask(second.headers.get("location") ?? "");
    expect(third.status).toBe(302);
    const signed = third.headers.get("location") ?? "";
    expect(new URL(signed).host).not.toBe(new URL(url).host);
    expect((await ask(signed)).bytes).toEqual(CONTENT);
    expect((await ask(`${url}&token=made-up`)).status).toBe(400);
    now += 16 * 60_000;
    expect((await ask(signed)).status).toBe(403);
    expect(server.requests).toMatchObject({ repositoryFile: 6, file: 2, bytes: 5000, early: 1 });
    expect(server.wrong).toEqual([expect.stringContaining("Invalid token given")]);
  });

  test("repeats a page, says what is not so of files, and never gets them ready, on demand", async () => {
    const { server, url } = await makeFileServer({ faults: { repeatPages: { next: 1 } } });
    const list = `${server.url}/index/projects?catalog=dcp50`;
    const { pagination } = (await ask(list)).value as Page;
    expect(pagination["next"]).toBe(list);
    server.setFaults({ wrongSha256: { next: 1 }, wrongSize: { next: 1 } });
    const said = async (): Promise<string> => (await ask(list)).text;
    const [wrong, right] = [await said(), await said()];
    expect([wrong.includes(SHA256), wrong.includes('"size":5001')]).toEqual([false, true]);
    expect([right.includes(SHA256), right.includes('"size":5000')]).toEqual([true, true]);
    server.setFaults({ neverReady: { every: 1 } });
    let at = url;
    for (let i = 0; i < 5; i++) {
      const reply = await ask(at);
      expect(reply.status).toBe(301);
      at = reply.headers.get("location") ?? "";
    }
    server.setFaults({});
    expect((await ask(at)).status).toBe(302);
  });

  test("repeats a page of the older Azul from the second on", async () => {
    const server = await makeServer({ pageSize: 2, faults: { repeatPages: { every: 1 } } });
    const base = `${server.url}/repository/projects`;
    const query = new URLSearchParams({
      search_after: "Project & 2",
      search_after_uid: `doc#${uuid(2)}`,
    });
    const { pagination } = (await ask(`${base}?${query.toString()}`)).value as Page;
    expect(pagination).toMatchObject({
      search_after: "Project & 2",
      search_after_uid: `doc#${uuid(2)}`,
    });
    expect(((await ask(base)).value as Page).pagination["search_after"]).toBe("Project & 2");
  });

  test("sends half of its JSON as if it were all, or breaks off there, and resets, on chosen routes", async () => {
    const { server, url } = await makeFileServer({ faults: { garble: { next: 1 } } });
    const list = `${server.url}/index/projects`;
    const half = await ask(list);
    expect([half.status, half.text.startsWith('{"hits":['), half.text.endsWith("}")]).toEqual([
      200,
      true,
      false,
    ]);
    server.setFaults({ truncate: { every: 1, routes: ["projects"] } });
    await expect(ask(list)).rejects.toThrow("terminated");
    expect((await ask(url)).status).toBe(302);
    server.setFaults({ throttle: { every: 2, retryAfter: "1" } });
    expect([(await ask(list)).status, (await ask(list)).status]).toEqual([200, 429]);
  });

  test("cannot listen on a port that is taken", async () => {
    const server = await makeServer();
    const port = Number(new URL(server.url).port);
    await expect(startAzul({ projects: [], port })).rejects.toThrow("cannot listen on 127.0.0.1");
  });

  test("satisfies the product's own client, and is satisfied by it", async () => {
    const path = await tempContent();
    const file = makeFile(path, {
      facets: {
        genusSpecies: ["Homo sapiens"],
        libraryConstructionApproach: ["10X v2 sequencing", "Smart-seq2"],
      },
    });
    const projects = [1, 2, 3].map((n) =>
      makeProject(n, { matrices: [{ ...file, uuid: uuid(900 + n) }] }),
    );
    const server = await makeServer({
      projects,
      pageSize: 2,
      preparing: 1,
      faults: { cut: { next: 1, afterBytes: 700 }, expired: { next: 1 } },
    });
    const http = makeHttp();
    onTestFinished(() => http.close());
    const common = { http, log: keepLog().log, budget: null, policy: QUICK, baseUrl: server.url };
    const { signal } = new AbortController();
    for (const source of [
      makeAzulSource({ ...common, catalog: "dcp50" }),
      makeOldAzulSource(common),
    ]) {
      const { entries, skips } = await source.list(signal);
      expect(entries.map(({ projectId, sha256 }) => [projectId, sha256])).toEqual(
        [1, 2, 3].map((n) => [uuid(n), SHA256]),
      );
      expect(skips).toEqual([]);
      expect(await pullFirst(source, entries)).toEqual(CONTENT);
    }
    expect(server.wrong).toEqual([]);
    expect(server.requests).toMatchObject({ projects: 2, oldProjects: 2, early: 0, range: 1 });
  });
});
