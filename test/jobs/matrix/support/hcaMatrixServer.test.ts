import { describe, expect, onTestFinished, test } from "vitest";

import { makeHcaMatrixSource } from "../../../../src/jobs/matrix/sources/hcaMatrix.ts";
import { makeHttp } from "../../../../src/sources/http.ts";
import { ask, CONTENT, pullFirst, type Reply, tempContent, uuid } from "../demo/rig.ts";
import { keepLog, QUICK } from "../sources/rig.ts";
import {
  type HcaMatrixServer,
  type HcaMatrixServerOptions,
  startHcaMatrix,
} from "./hcaMatrixServer.ts";

const FIELD = "project.provenance.document_id";
const only = (id: string): object => ({ op: "=", field: FIELD, value: id });

async function makeServer(options: Partial<HcaMatrixServerOptions> = {}): Promise<HcaMatrixServer> {
  const path = await tempContent();
  const projects = [1, 2].map((n) => ({ projectId: uuid(n), cells: 10 * n, path }));
  const server = await startHcaMatrix({ projects, ...options });
  onTestFinished(() => server.close());
  return server;
}

function post(server: HcaMatrixServer, body: unknown, type = "application/json"): Promise<Reply> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return ask(`${server.url}/matrix/`, {
    method: "POST",
    headers: { "content-type": type },
    body: text,
  });
}

interface State {
  readonly request_id: string;
  readonly status: string;
  readonly message: string;
  readonly matrix_url: string;
}

/** Starts a job with this filter, and returns what its polls say until something is there to say. */
async function run(server: HcaMatrixServer, filter: object): Promise<readonly State[]> {
  const started = await post(server, { feature: "gene", format: "mtx", filter });
  expect(started.status).toBe(202);
  const states = [started.value as State];
  while (states.at(-1)?.status === "In Progress" && states.length < 6) {
    const { value } = await ask(`${server.url}/matrix/${states[0]?.request_id}`);
    states.push(value as State);
  }
  return states;
}

const words = (states: readonly State[]): readonly string[] => states.map(({ status }) => status);

describe("startHcaMatrix(options)", () => {
  test("counts the cells of projects that have matrices", async () => {
    const server = await makeServer();
    const { value } = await ask(`${server.url}/filters/${FIELD}`);
    expect(value).toEqual({
      cell_counts: { [uuid(1)]: 10, [uuid(2)]: 20 },
      field_description: "Unique identifier for overall project.",
      field_name: FIELD,
      field_type: "categorical",
    });
  });

  test("makes a zip by and by, and serves it publicly, with ranges", async () => {
    const server = await makeServer({ pollsUntilComplete: 2 });
    const states = await run(server, only(uuid(2)));
    expect(words(states)).toEqual(["In Progress", "In Progress", "In Progress", "Complete"]);
    expect(states.slice(0, 3).map((state) => state.matrix_url)).toEqual(["", "", ""]);
    const url = states[3]?.matrix_url ?? "";
    expect((await ask(url)).bytes).toEqual(CONTENT);
    const part = await ask(url, { headers: { range: "bytes=100-199" } });
    expect(part.bytes).toEqual(CONTENT.subarray(100, 200));
    expect(server.requests).toMatchObject({ start: 1, poll: 3, file: 2, range: 1 });
    expect(server.jobs).toEqual([{ feature: "gene", format: "mtx", filter: only(uuid(2)) }]);
    expect(server.wrong).toEqual([]);
  });

  test("combines filters", async () => {
    const server = await makeServer({ pollsUntilComplete: 0 });
    const genes = { op: ">=", field: "genes_detected", value: 300 };
    const last = async (filter: object): Promise<string | undefined> =>
      words(await run(server, filter)).at(-1);
    expect(await last({ op: "and", value: [genes, only(uuid(1))] })).toBe("Complete");
    expect(await last({ op: "not", value: [only(uuid(1))] })).toBe("Complete");
    expect(await last({ op: "!=", field: FIELD, value: uuid(1) })).toBe("Complete");
    expect(await last({ op: "in", field: FIELD, value: [uuid(1), uuid(9)] })).toBe("Complete");
    // Two projects in one matrix, or none, are more than this look-alike has.
    expect(await last({ op: "not", value: [genes] })).toBe("Failed");
    expect(await last({ op: "and", value: [only(uuid(1)), only(uuid(2))] })).toBe("Failed");
    expect(await last({ op: "or", value: [only(uuid(1)), only(uuid(2))] })).toBe("Failed");
    expect(await last(only(uuid(9)))).toBe("Failed");
  });

  test("lets jobs fail, expire, hang and be lost, on demand", async () => {
    const server = await makeServer({ faults: { failJobs: { next: 1 } } });
    const failed = await run(server, only(uuid(1)));
    expect(failed.at(-1)).toMatchObject({
      status: "Failed",
      message: "A worker ran out of memory.",
      matrix_url: "",
    });
    server.setFaults({ expireJobs: { next: 1 } });
    expect(words(await run(server, only(uuid(1)))).at(-1)).toBe("Expired");
    server.setFaults({ stuckJobs: { next: 1 } });
    expect(words(await run(server, only(uuid(1)))).at(-1)).toBe("In Progress");
    server.setFaults({ lostJobs: { next: 1 } });
    const { value } = await post(server, { format: "mtx", filter: only(uuid(1)) });
    const lost = await ask(`${server.url}/matrix/${(value as State).request_id}`);
    expect(lost.status).toBe(404);
    expect(words(await run(server, only(uuid(1)))).at(-1)).toBe("Complete");
    expect(server.wrong).toEqual([]);
  });

  const filter = only(uuid(1));
  test.each([
    ["text that is not JSON", "{", 400, "the request is not JSON"],
    ["a list", [], 400, "the request is not a JSON object"],
    ["an unknown field", { format: "mtx", filter, bundle_fqids: [] }, 400, "'bundle_fqids'"],
    ["an unknown feature", { feature: "exon", format: "mtx", filter }, 400, "'feature'"],
    ["another format", { format: "loom", filter }, 400, "'format' must be mtx here"],
    ["fields that are no list", { format: "mtx", filter, fields: "all" }, 400, "'fields'"],
    ["no filter", { format: "mtx" }, 400, "a filter is not a JSON object"],
    ["an unknown operator", { format: "mtx", filter: { ...filter, op: "~" } }, 400, "'op'"],
    ["no value", { format: "mtx", filter: { op: "=", field: FIELD } }, 400, "'field' and 'value'"],
    ["an unknown part", { format: "mtx", filter: { ...filter, not: 1 } }, 400, "'not' of a filter"],
    ["an empty and", { format: "mtx", filter: { op: "and", value: [] } }, 400, "list of filters"],
    ["an in of one", { format: "mtx", filter: { ...filter, op: "in" } }, 400, "'in' needs a list"],
    ["too much", "x".repeat(1_100_000), 413, "the request is too large"],
  ])("refuses %s and remembers it", async (_name, body, status, message) => {
    const server = await makeServer();
    const reply = await post(server, body);
    expect([reply.status, reply.value]).toEqual([
      status,
      { status, message: expect.stringContaining(message) as string },
    ]);
    expect(server.wrong).toEqual([expect.stringContaining(message)]);
    expect(server.jobs).toEqual([]);
  });

  test("refuses other content types, other addresses and jobs that never were", async () => {
    const server = await makeServer();
    expect((await post(server, { format: "mtx", filter }, "text/plain")).status).toBe(415);
    expect((await ask(`${server.url}/filters/genes_detected`)).status).toBe(404);
    expect((await ask(`${server.url}/filters/${FIELD}?page=2`)).status).toBe(400);
    expect((await ask(`${server.url}/matrix/${uuid(5)}`)).status).toBe(404);
    expect((await ask(`${server.url}/matrix`, { method: "POST" })).status).toBe(404);
    expect(server.wrong).toHaveLength(5);
  });

  test("satisfies the product's own client, and is satisfied by it", async () => {
    const server = await makeServer({ faults: { cut: { next: 1, afterBytes: 900 } } });
    const http = makeHttp();
    onTestFinished(() => http.close());
    const { log } = keepLog();
    const source = makeHcaMatrixSource({
      ...{ http, log, budget: null, policy: QUICK },
      baseUrl: server.url,
      pollMs: 1,
    });
    const { signal } = new AbortController();
    const { entries, skips } = await source.list(signal);
    expect([entries.map(({ id, cells }) => [id, cells]), skips]).toEqual([
      expect.arrayContaining([
        [uuid(1), 10],
        [uuid(2), 20],
      ]),
      [],
    ]);
    expect(await pullFirst(source, entries)).toEqual(CONTENT);
    expect(server.wrong).toEqual([]);
    expect(server.requests).toMatchObject({ filter: 1, start: 1, file: 2, range: 1 });
  });
});
