import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import type { MatrixSource } from "../../../../src/jobs/matrix/source.ts";
import {
  type CellxgeneOptions,
  makeCellxgeneSource,
} from "../../../../src/jobs/matrix/sources/cellxgene.ts";
import { failureOf, openHttp, serve, tempDir } from "../../../sources/rig.ts";
import {
  type CellxgeneDataset,
  type CellxgeneServer,
  startCellxgene,
} from "../support/cellxgeneServer.ts";
import { behindTls, contentOf, keepLog, OTHER_UUID, QUICK, SECURE_URL, UUID } from "./rig.ts";

const CONTENT = contentOf(4000);
const COLLECTION = "20000000-0000-4000-8000-000000000001";
const NEVER = new AbortController().signal;
const WATCHING = { signal: NEVER, onProgress(): void {} };

function sourceAt(baseUrl: string, options: Partial<CellxgeneOptions> = {}): MatrixSource {
  const common = { http: openHttp(), log: keepLog().log, budget: null, policy: QUICK };
  return makeCellxgeneSource({ ...common, baseUrl, ...options });
}

async function rig(
  options: Partial<CellxgeneOptions> = {},
): Promise<{ service: CellxgeneServer; source: MatrixSource; dir: string }> {
  const dir = await tempDir();
  const path = join(dir, "content.h5ad");
  await writeFile(path, CONTENT);
  const dataset: CellxgeneDataset = {
    datasetId: UUID,
    versionId: "v-1",
    collectionId: COLLECTION,
    collectionName: "A collection",
    title: "Blood",
    cellCount: 7,
    organisms: ["Homo sapiens"],
    assays: ["Smart-seq2", "10x 3' v2"],
    tissues: ["blood"],
    assets: [
      { filetype: "RDS", path },
      { filetype: "H5AD", path },
    ],
  };
  const service = await startCellxgene({
    datasets: [
      dataset,
      {
        ...dataset,
        datasetId: OTHER_UUID,
        collectionId: OTHER_UUID,
        organisms: ["Homo sapiens", "Mus musculus"],
        assets: [{ filetype: "RDS", path }],
      },
    ],
  });
  onTestFinished(() => service.close());
  return { service, source: sourceAt(service.url, options), dir };
}

/** A source over one dataset that the service describes as given. */
async function sourceOf(dataset: unknown): Promise<MatrixSource> {
  const url = await serve((_request, response) => response.end(JSON.stringify([dataset])));
  return sourceAt(`${url}/`);
}

const H5AD = { filetype: "H5AD", url: "https://x.org/abc.h5ad", filesize: 3 };
const DATASET = { dataset_id: UUID, assets: [H5AD] };

describe("makeCellxgeneSource(options).list(signal)", () => {
  test("lists the datasets that are there as H5AD", async () => {
    const { source, service } = await rig();
    const id = `${UUID}.homo_sapiens`;
    expect(await source.list(NEVER)).toEqual({
      entries: [
        {
          id,
          projectId: UUID,
          species: "homo_sapiens",
          title: "Blood",
          fileName: `${id}.h5ad`,
          bytes: 4000,
          version: { version: "v-1" },
          sha256: null,
          approaches: ["10x 3' v2", "Smart-seq2"],
          cells: 7,
          pageUrl: expect.stringMatching(/\/e\/0/) as string,
          locator: expect.stringMatching(/^http:/) as string,
        },
      ],
      skips: [
        {
          id: OTHER_UUID,
          projectId: OTHER_UUID,
          title: "Blood",
          why: "format",
          message: "There is no H5AD file, only RDS.",
        },
      ],
    });
    expect([source.kind, source.label, service.wrong]).toEqual([
      "cellxgene",
      "CELLxGENE Discover",
      [],
    ]);
    expect(await source.blacklist(NEVER)).toBeNull();
  });

  test("lists one collection", async () => {
    const { source, service } = await rig({ collectionId: COLLECTION });
    const { entries, skips } = await source.list(NEVER);
    expect([entries.map(({ projectId }) => projectId), skips]).toEqual([[UUID], []]);
    expect([source.label, service.requests.collection]).toEqual([
      `CELLxGENE collection ${COLLECTION}`,
      1,
    ]);
  });

  test("refuses a collection that is no uuid, and one that is not there", async () => {
    const { service } = await rig();
    const wrong = sourceAt(service.url, { collectionId: "../x" }).list(NEVER);
    expect(await failureOf(wrong)).toMatchObject({
      kind: "config",
      message: '"../x" is not the uuid of a collection of CELLxGENE',
    });
    const missing = sourceAt(service.url, { collectionId: UUID }).list(NEVER);
    expect((await failureOf(missing)).message).toBe(
      `collection ${UUID} of CELLxGENE: the server answered 404: Collection not found: ${UUID}`,
    );
  });

  test("does with as little as an id and a file", async () => {
    const { entries, skips } = await (await sourceOf(DATASET)).list(NEVER);
    expect(skips).toEqual([]);
    expect(entries).toEqual([
      {
        id: UUID,
        projectId: UUID,
        species: null,
        title: UUID,
        fileName: `${UUID}.h5ad`,
        bytes: 3,
        version: { file: "abc.h5ad", bytes: "3" },
        sha256: null,
        approaches: [],
        cells: null,
        pageUrl: null,
        locator: H5AD.url,
      },
    ]);
  });

  test.each([
    [null, "dataset-1", "datasets of CELLxGENE[0] should be an object but is null"],
    [{ dataset_id: "../x" }, "dataset-1", "datasets of CELLxGENE[0].dataset_id is not a uuid"],
    [{ dataset_id: UUID }, UUID, "datasets of CELLxGENE[0].assets should be a list but is missing"],
    [
      { ...DATASET, assets: null },
      UUID,
      "datasets of CELLxGENE[0].assets should be a list but is null",
    ],
    [
      { ...DATASET, organism: [1] },
      UUID,
      "datasets of CELLxGENE[0].organism[0] should be an object but is a number",
    ],
    [
      { ...DATASET, cell_count: "n/a" },
      UUID,
      "datasets of CELLxGENE[0].cell_count should be a count but is a string",
    ],
    [
      { ...DATASET, assets: [{ ...H5AD, url: "file:///x" }] },
      UUID,
      "datasets of CELLxGENE[0].assets[0].url is not a safe address",
    ],
  ])("skips the dataset %j and names the field", async (dataset, id, says) => {
    const message = `CELLxGENE's description of the dataset cannot be read: ${says}.`;
    expect(await (await sourceOf(dataset)).list(NEVER)).toEqual({
      entries: [],
      skips: [{ id, projectId: id, title: id, why: "service", message }],
    });
  });

  test("skips a file over plain http where the service is asked over https", async () => {
    const assets = [{ ...H5AD, url: "http://x.org/abc.h5ad" }];
    const body = JSON.stringify([
      { ...DATASET, assets },
      { ...DATASET, dataset_id: OTHER_UUID },
    ]);
    const url = await serve((_request, response) => response.end(body));
    const source = sourceAt(SECURE_URL, { http: behindTls(openHttp(), url) });
    const { entries, skips } = await source.list(NEVER);
    expect(entries.map(({ id }) => id)).toEqual([OTHER_UUID]);
    expect(skips.map(({ projectId, why, message }) => [projectId, why, message])).toEqual([
      [
        UUID,
        "service",
        "CELLxGENE's description of the dataset cannot be read: datasets of CELLxGENE[0].assets[0].url is not a safe address.",
      ],
    ]);
  });

  test("lists a dataset once", async () => {
    const url = await serve((_request, response) =>
      response.end(JSON.stringify([DATASET, { ...DATASET, title: "again" }])),
    );
    const { entries } = await sourceAt(url).list(NEVER);
    expect(entries.map(({ id, title }) => [id, title])).toEqual([[UUID, UUID]]);
  });

  test("refuses an answer that is no list", async () => {
    const url = await serve((_request, response) => response.end("{}"));
    expect((await failureOf(sourceAt(url).list(NEVER))).message).toBe(
      "datasets of CELLxGENE.answer should be a list but is a object",
    );
  });
});

describe("makeCellxgeneSource(options).pull(entry, dir, options)", () => {
  test("downloads the file, resumed and with its length checked", async () => {
    const { source, service, dir } = await rig();
    const [entry] = (await source.list(NEVER)).entries;
    if (entry === undefined) throw new Error("no entry");
    service.setFaults({ cut: { next: 1, afterBytes: 1000 } });
    const { path, bytes } = await source.pull(entry, join(dir, "a"), WATCHING);
    expect([await readFile(path), bytes, service.requests.range]).toEqual([CONTENT, 4000, 1]);
    const longer = { ...entry, bytes: 4001 };
    expect((await failureOf(source.pull(longer, join(dir, "b"), WATCHING))).message).toBe(
      `file of ${entry.id}: the server sent 4000 bytes instead of 4001 bytes, twice`,
    );
  });

  test("gives up on a server that is silent, after the patience of the client", async () => {
    const { source, service, dir } = await rig({ http: openHttp({ bodyTimeoutMs: 20 }) });
    const [entry] = (await source.list(NEVER)).entries;
    if (entry === undefined) throw new Error("no entry");
    service.setFaults({ stall: { every: 1, afterBytes: 100 } });
    expect(await failureOf(source.pull(entry, join(dir, "a"), WATCHING))).toMatchObject({
      kind: "transient",
      message: expect.stringMatching(/broke after 100 bytes of the answer/) as string,
    });
  });
});
