import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import type { MatrixSource } from "../../../../src/jobs/matrix/source.ts";
import {
  type HcaMatrixOptions,
  makeHcaMatrixSource,
} from "../../../../src/jobs/matrix/sources/hcaMatrix.ts";
import { makeDiskBudget } from "../../../../src/sources/diskBudget.ts";
import { failureOf, openHttp, serve, tempDir } from "../../../sources/rig.ts";
import {
  type HcaMatrixServer,
  type HcaMatrixServerOptions,
  startHcaMatrix,
} from "../support/hcaMatrixServer.ts";
import {
  behindTls,
  contentOf,
  keepLog,
  makeEntry,
  OTHER_UUID,
  QUICK,
  SECURE_URL,
  UUID,
} from "./rig.ts";

const CONTENT = contentOf(4000);
const NEVER = new AbortController().signal;
const WATCHING = { signal: NEVER, onProgress(): void {} };
const ENTRY = makeEntry({ cells: 5 });

function sourceAt(
  baseUrl: string,
  options: Partial<HcaMatrixOptions> = {},
): { source: MatrixSource; lines: readonly string[] } {
  const { log, lines } = keepLog();
  const common = { http: openHttp(), log, budget: null, policy: QUICK, pollMs: 1 };
  return { source: makeHcaMatrixSource({ ...common, baseUrl, ...options }), lines };
}

async function rig(
  server: Partial<HcaMatrixServerOptions> = {},
  options: Partial<HcaMatrixOptions> = {},
): Promise<{ service: HcaMatrixServer; source: MatrixSource; dir: string }> {
  const dir = await tempDir();
  const path = join(dir, "content.zip");
  await writeFile(path, CONTENT);
  const projects = [
    { projectId: OTHER_UUID, cells: 3, path },
    { projectId: UUID, cells: 5, path },
  ];
  const service = await startHcaMatrix({ projects, ...server });
  onTestFinished(() => service.close());
  return { service, ...sourceAt(service.url, options), dir };
}

/** Serves answers of a service that says odd things. */
async function odd(answers: Readonly<Record<string, unknown>>): Promise<MatrixSource> {
  const url = await serve((request, response) => {
    const value = answers[`${request.method ?? ""} ${request.url ?? ""}`] ?? {};
    response.end(JSON.stringify(value));
  });
  return sourceAt(url).source;
}

describe("makeHcaMatrixSource(options).list(signal)", () => {
  test("lists the projects that have matrices, the one with the most cells first", async () => {
    const { source, service } = await rig();
    const filter = (value: string): string =>
      JSON.stringify({ op: "=", field: "project.provenance.document_id", value });
    const entryOf = (id: string, cells: number): unknown => ({
      id,
      projectId: id,
      species: null,
      title: id,
      fileName: `${id}.mtx.zip`,
      bytes: null,
      version: { project: id, cells: String(cells), filter: filter(id) },
      sha256: null,
      approaches: [],
      cells,
      pageUrl: null,
      locator: `${service.url}/matrix/`,
    });
    expect(await source.list(NEVER)).toEqual({
      entries: [entryOf(UUID, 5), entryOf(OTHER_UUID, 3)],
      skips: [],
    });
    expect([source.kind, source.label, service.wrong]).toEqual(["fresh", "HCA matrix service", []]);
    expect(await source.blacklist(NEVER)).toBeNull();
  });

  test("takes titles and approaches from where they are known, and does without", async () => {
    const known = new Map([[UUID, { title: "Lung", approaches: ["Smart-seq2"] }]]);
    const { source } = await rig({}, { describe: async () => known });
    const { entries } = await source.list(NEVER);
    expect(entries.map(({ title, approaches }) => [title, approaches])).toEqual([
      ["Lung", ["Smart-seq2"]],
      [OTHER_UUID, []],
    ]);
    const { service } = await rig();
    const failing = sourceAt(service.url, { describe: () => Promise.reject(new Error("down")) });
    expect((await failing.source.list(NEVER)).entries).toHaveLength(2);
    expect(failing.lines).toEqual([
      "warn: projects of the HCA matrix service: no titles and approaches: down",
    ]);
  });

  test("skips projects without cells, and what is no project", async () => {
    const source = await odd({
      "GET /filters/project.provenance.document_id": {
        cell_counts: { [UUID]: 0, "../../etc": 4, [OTHER_UUID]: "many" },
      },
    });
    const { entries, skips } = await source.list(NEVER);
    expect([entries, skips]).toEqual([
      [],
      [
        [UUID, "empty", "The service has no cells of the project."],
        ["etc", "service", "The project's id is not a uuid."],
        [OTHER_UUID, "service", "The project's number of cells is not a count."],
      ].map(([id, why, message]) => ({ id, projectId: id, title: id, why, message })),
    ]);
  });

  test("refuses an answer without counts", async () => {
    expect(await failureOf((await odd({})).list(NEVER))).toEqual({
      kind: "permanent",
      message: "projects of the HCA matrix service.cell_counts should be an object but is missing",
      hint: null,
    });
  });
});

describe("makeHcaMatrixSource(options).pull(entry, dir, options)", () => {
  test("asks for the matrix until it is made, and downloads it", async () => {
    const { source, service, dir } = await rig({ pollsUntilComplete: 3 });
    const { path, bytes } = await source.pull(ENTRY, dir, WATCHING);
    expect([path, bytes, await readFile(path)]).toEqual([
      join(dir, `${UUID}.mtx.zip`),
      4000,
      CONTENT,
    ]);
    expect(service.jobs).toEqual([
      {
        feature: "gene",
        format: "mtx",
        filter: { op: "=", field: "project.provenance.document_id", value: UUID },
      },
    ]);
    expect([service.requests.poll, service.wrong]).toEqual([4, []]);
  });

  test("goes on where the download broke, and while the service is in trouble", async () => {
    const { source, service, dir } = await rig();
    service.setFaults({
      cut: { next: 1, afterBytes: 1000 },
      unavailable: { next: 2, routes: ["start", "poll"] },
    });
    const { path, bytes } = await source.pull(ENTRY, dir, WATCHING);
    expect([await readFile(path), bytes, service.requests.range]).toEqual([CONTENT, 4000, 1]);
  });

  test("asks for a new address of the same request where one has expired", async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      const asked = `${request.method ?? ""} ${request.url ?? ""}`;
      seen.push(asked);
      const polls = seen.filter((one) => one === "GET /matrix/r").length;
      if (asked === "POST /matrix/") response.end('{"request_id":"r"}');
      else if (asked === "GET /matrix/r") {
        const matrix_url = `http://${request.headers.host ?? ""}/signed/${polls}`;
        response.end(JSON.stringify({ status: "Complete", matrix_url }));
      } else if (asked === "GET /signed/1") response.writeHead(403).end();
      else response.end(CONTENT);
    });
    const { path } = await sourceAt(url).source.pull(ENTRY, await tempDir(), WATCHING);
    expect(await readFile(path)).toEqual(CONTENT);
    const polled = ["GET /matrix/r", "GET /signed/1", "GET /matrix/r", "GET /signed/2"];
    expect(seen).toEqual(["POST /matrix/", ...polled]);
  });

  test("has all matrices made at the same time, whatever room there is for one", async () => {
    // The service finishes none before it was asked for all.
    let requests = 0;
    const url = await serve((request, response) => {
      const path = request.url ?? "";
      if (request.method === "POST") {
        requests++;
        return void response.end(JSON.stringify({ request_id: `r${requests}` }));
      }
      if (path.startsWith("/signed/")) return void response.end(CONTENT);
      const isDone = requests === 4;
      const matrix_url = `http://${request.headers.host ?? ""}/signed${path}`;
      const status = isDone ? "Complete" : "In Progress";
      response.end(JSON.stringify({ status, matrix_url: isDone ? matrix_url : "" }));
    });
    const budget = makeDiskBudget({ bytes: 5000, freeBytes: async () => 1e9, sweepMs: 2 });
    const { source } = sourceAt(url, { budget, deadlineMs: 5000 });
    const dir = await tempDir();
    const pulled = await Promise.all(
      [1, 2, 3, 4].map(async (n) => {
        const id = UUID.replace(/1$/, String(n));
        const { path } = await source.pull(makeEntry({ id, projectId: id }), dir, WATCHING);
        const content = await readFile(path);
        await rm(path);
        return content.equals(CONTENT);
      }),
    );
    expect([requests, pulled]).toEqual([4, [true, true, true, true]]);
  });

  test("asks for a new address where one expired while there was no room", async () => {
    let polls = 0;
    let hasExpired = false;
    const downloads: string[] = [];
    let onPolled: () => void = () => undefined;
    const polled = new Promise<void>((resolve) => (onPolled = resolve));
    const url = await serve((request, response) => {
      const path = request.url ?? "";
      if (request.method === "POST") return void response.end('{"request_id":"r"}');
      if (path.startsWith("/signed/")) {
        downloads.push(path);
        const isRefused = path === "/signed/1" && hasExpired;
        return void (isRefused ? response.writeHead(403).end() : response.end(CONTENT));
      }
      polls++;
      const matrix_url = `http://${request.headers.host ?? ""}/signed/${polls}`;
      response.end(JSON.stringify({ status: "Complete", matrix_url }), onPolled);
    });
    const budget = makeDiskBudget({ bytes: 5000, freeBytes: async () => 1e9, sweepMs: 2 });
    // Of those whose size is not known one comes after the other.
    const taken = await budget.take(null, { subject: "another", signal: NEVER });
    const { source } = sourceAt(url, { budget });
    const pulling = source.pull(ENTRY, await tempDir(), WATCHING);
    await polled;
    hasExpired = true;
    taken.release();
    expect(await readFile((await pulling).path)).toEqual(CONTENT);
    expect([polls, downloads]).toEqual([2, ["/signed/1", "/signed/2"]]);
  });

  test("refuses an address over plain http where the service is asked over https", async () => {
    const url = await serve((request, response) => {
      const answer =
        request.method === "POST"
          ? { request_id: "r" }
          : { status: "Complete", matrix_url: "http://x.org/signed" };
      response.end(JSON.stringify(answer));
    });
    const { source } = sourceAt(SECURE_URL, { http: behindTls(openHttp(), url) });
    expect(await failureOf(source.pull(ENTRY, await tempDir(), WATCHING))).toEqual({
      kind: "permanent",
      message: `matrix of ${UUID}.matrix_url is not a safe address`,
      hint: null,
    });
  });

  test("waits for room, which it asks for as the matrix comes", async () => {
    const budget = makeDiskBudget({ bytes: 3999, freeBytes: async () => 1e9 });
    const { source, dir } = await rig({}, { budget });
    expect(await failureOf(source.pull(ENTRY, dir, WATCHING))).toMatchObject({
      kind: "permanent",
      message: expect.stringMatching(/takes at least \d+ bytes, more than the 3999/) as string,
    });
    await (await budget.take(3999, { subject: "all", signal: NEVER })).grow(0);
  });

  test.each([
    // The last of them takes its time; the others are told at once, on however slow a machine.
    ["failJobs", "permanent", /^matrix of 0.*: the request is failed: /],
    ["expireJobs", "permanent", /^matrix of 0.*: the request is expired: /],
    ["lostJobs", "permanent", /^matrix of 0.*: the server answered 404/],
    ["stuckJobs", "transient", /^matrix of 0.*: the matrix service was not done after 30 ms$/],
  ] as const)("tells %s as %s", async (fault, kind, message) => {
    const { source, service, dir } = await rig({}, fault === "stuckJobs" ? { deadlineMs: 30 } : {});
    service.setFaults({ [fault]: { every: 1 } });
    expect(await failureOf(source.pull(ENTRY, dir, WATCHING))).toMatchObject({
      kind,
      message: expect.stringMatching(message) as string,
    });
  });

  test.each([
    [{}, "matrix request for {}.request_id should be text but is missing"],
    [{ request_id: "a/b" }, "matrix of {}.status should be text but is empty"],
    [{ request_id: "odd" }, 'matrix of {}: the request has the unknown status "Odd"'],
    [{ request_id: "done" }, "matrix of {}.matrix_url should be text but is empty"],
    [{ request_id: "file" }, "matrix of {}.matrix_url is not a safe address"],
  ])("refuses the answer %j", async (started, message) => {
    const source = await odd({
      "POST /matrix/": started,
      "GET /matrix/a%2Fb": { status: "" },
      "GET /matrix/odd": { status: "Odd" },
      "GET /matrix/done": { status: "Complete", matrix_url: "" },
      "GET /matrix/file": { status: "Complete", matrix_url: "file:///etc/passwd" },
    });
    const failure = await failureOf(source.pull(ENTRY, await tempDir(), WATCHING));
    expect([failure.kind, failure.message]).toEqual(["permanent", message.replace("{}", UUID)]);
  });

  test("stops waiting when told to", async () => {
    const stop = new AbortController();
    const { source, service, dir } = await rig({}, { pollMs: 60_000 });
    service.setFaults({ stuckJobs: { every: 1 } });
    const fetching = source.pull(ENTRY, dir, { ...WATCHING, signal: stop.signal });
    fetching.catch(() => undefined);
    while (service.requests.poll === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect(await failureOf(fetching)).toMatchObject({ kind: "aborted" });
  });
});
