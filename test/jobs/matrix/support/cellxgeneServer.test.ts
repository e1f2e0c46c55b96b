import { describe, expect, onTestFinished, test } from "vitest";

import { makeCellxgeneSource } from "../../../../src/jobs/matrix/sources/cellxgene.ts";
import { makeHttp } from "../../../../src/sources/http.ts";
import { ask, CONTENT, pullFirst, tempContent, uuid } from "../demo/rig.ts";
import { keepLog, QUICK } from "../sources/rig.ts";
import { type CellxgeneDataset, type CellxgeneServer, startCellxgene } from "./cellxgeneServer.ts";

function makeDataset(number: number, path: string, collection = 1): CellxgeneDataset {
  return {
    datasetId: uuid(number),
    versionId: uuid(100 + number),
    collectionId: uuid(500 + collection),
    collectionName: `Collection ${collection}`,
    title: `Dataset ${number}`,
    cellCount: 10 * number,
    organisms: ["Homo sapiens"],
    assays: ["10x 3' v3", "Smart-seq2"],
    tissues: ["blood"],
    assets: [{ filetype: "H5AD", path }],
  };
}

async function makeServer(): Promise<CellxgeneServer> {
  const path = await tempContent("cells.h5ad");
  const datasets = [makeDataset(1, path), makeDataset(2, path), makeDataset(3, path, 2)];
  const server = await startCellxgene({ datasets });
  onTestFinished(() => server.close());
  return server;
}

interface Worded {
  readonly dataset_id: string;
  readonly assets: readonly { readonly url: string; readonly filesize: number }[];
}

/** Asks for JSON of any form. */
async function get<T>(server: CellxgeneServer, path: string): Promise<T> {
  return JSON.parse((await ask(server.url + path)).text) as T;
}

describe("startCellxgene(options)", () => {
  test("lists datasets with their public files", async () => {
    const server = await makeServer();
    const datasets = await get<readonly Worded[]>(server, "/datasets?visibility=PUBLIC");
    expect(datasets.map(({ dataset_id: id }) => id)).toEqual([uuid(1), uuid(2), uuid(3)]);
    expect(datasets[0]).toEqual({
      dataset_id: uuid(1),
      dataset_version_id: uuid(101),
      collection_id: uuid(501),
      collection_name: "Collection 1",
      title: "Dataset 1",
      cell_count: 10,
      primary_cell_count: 10,
      organism: [{ label: "Homo sapiens", ontology_term_id: "NCBITaxon:0000001" }],
      assay: [
        { label: "10x 3' v3", ontology_term_id: "EFO:0000001" },
        { label: "Smart-seq2", ontology_term_id: "EFO:0000002" },
      ],
      tissue: [{ label: "blood", ontology_term_id: "UBERON:0000001" }],
      explorer_url: expect.stringContaining(uuid(1)) as string,
      schema_version: "6.0.0",
      is_primary_data: [true],
      assets: [{ filetype: "H5AD", filesize: 5000, url: expect.any(String) as string }],
    });
    const url = datasets[0]?.assets[0]?.url ?? "";
    expect((await ask(url, { headers: { range: "bytes=-10" } })).bytes).toEqual(
      CONTENT.subarray(-10),
    );
    expect(server.requests).toMatchObject({ datasets: 1, file: 1, range: 1, bytes: 10 });
  });

  test("lists collections, one of them, and one dataset of it", async () => {
    const server = await makeServer();
    const collections = await get<readonly { name: string; datasets: readonly Worded[] }[]>(
      server,
      "/collections",
    );
    expect(collections.map(({ name, datasets }) => [name, datasets.length])).toEqual([
      ["Collection 1", 2],
      ["Collection 2", 1],
    ]);
    expect(await get(server, `/collections/${uuid(502)}`)).toEqual(collections[1]);
    const one = await get<Worded>(server, `/collections/${uuid(501)}/datasets/${uuid(2)}`);
    expect(one).toEqual(collections[0]?.datasets[1]);
    expect(server.wrong).toEqual([]);
  });

  test.each([
    ["/datasets?page=2", 400, "Unknown query parameter `page`"],
    [`/collections/${uuid(509)}`, 404, "Collection not found"],
    [`/collections/${uuid(502)}/datasets/${uuid(1)}`, 404, "Dataset not found"],
    ["/dataset", 404, "there is nothing at this address"],
  ])("refuses %s and remembers it", async (path, status, message) => {
    const server = await makeServer();
    const reply = await ask(server.url + path);
    expect([reply.status, reply.value]).toEqual([
      status,
      {
        detail: expect.stringContaining(message) as string,
        status,
        title: "Error",
        type: "about:blank",
      },
    ]);
    expect(server.wrong).toEqual([expect.stringContaining(message)]);
  });

  test("says wrong sizes on demand, and lists what was published meanwhile", async () => {
    const server = await makeServer();
    server.setFaults({ wrongSize: { next: 1 } });
    const [first, second] = await get<readonly Worded[]>(server, "/datasets");
    expect([first?.assets[0]?.filesize, second?.assets[0]?.filesize]).toEqual([5001, 5000]);
    server.setDatasets([makeDataset(9, await tempContent("new.h5ad"))]);
    const [only] = await get<readonly Worded[]>(server, "/datasets");
    expect(only?.dataset_id).toBe(uuid(9));
  });

  test("answers 500 where a file of its own is gone", async () => {
    const server = await makeServer();
    server.setDatasets([makeDataset(1, "/nowhere/cells.h5ad")]);
    expect((await ask(`${server.url}/datasets`)).status).toBe(500);
    expect(server.wrong).toEqual([]);
  });

  test("satisfies the product's own client, and is satisfied by it", async () => {
    const server = await makeServer();
    server.setFaults({ cut: { next: 1, afterBytes: 900 }, unavailable: { next: 1 } });
    const http = makeHttp();
    onTestFinished(() => http.close());
    const common = { http, log: keepLog().log, budget: null, policy: QUICK, baseUrl: server.url };
    const { signal } = new AbortController();
    for (const [collectionId, ids] of [
      [null, [uuid(1), uuid(2), uuid(3)]],
      [uuid(502), [uuid(3)]],
    ] as const) {
      const source = makeCellxgeneSource({ ...common, collectionId });
      const { entries, skips } = await source.list(signal);
      expect([entries.map(({ projectId }) => projectId).sort(), skips]).toEqual([ids, []]);
      expect(await pullFirst(source, entries)).toEqual(CONTENT);
    }
    expect(server.wrong).toEqual([]);
  });
});
