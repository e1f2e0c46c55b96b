// A look-alike of CELLxGENE Discover's curation service: datasets, alone or in collections, and their public files.

import { stat } from "node:fs/promises";

import { startFileService } from "../../../../src/lookalikes/fileService.ts";
import type { FileCounts } from "../../../../src/lookalikes/fileStore.ts";
import {
  checkQuery,
  type RouteRule,
  type ServiceAnswer,
  type ServiceRequest,
  WrongRequest,
} from "../../../../src/lookalikes/jsonService.ts";
import type { FileFaults, JsonFaults, Occasion } from "../../../../src/lookalikes/occasions.ts";

type Route = "datasets" | "collections" | "collection" | "dataset";

/** Faults of the service (routes "datasets", "collections", "collection", "dataset") and of its file store (route "file"). */
export interface CellxgeneFaults extends JsonFaults, FileFaults {
  /** Says one byte too many of every file. */
  readonly wrongSize?: Occasion;
}

export interface CellxgeneDataset {
  readonly datasetId: string;
  /** Changes with every revision. */
  readonly versionId: string;
  readonly collectionId: string;
  readonly collectionName: string;
  readonly title: string;
  readonly cellCount: number;
  readonly organisms: readonly string[];
  readonly assays: readonly string[];
  readonly tissues: readonly string[];
  /** Files on disk by type; a dataset without one is told apart from one that is not there. */
  readonly assets: readonly { readonly filetype: "H5AD" | "RDS"; readonly path: string }[];
}

export interface CellxgeneServerOptions {
  readonly datasets: readonly CellxgeneDataset[];
  readonly host?: string;
  /** 0 or none: any free port. */
  readonly port?: number;
  readonly faults?: CellxgeneFaults;
}

export interface CellxgeneServer {
  /** The base address with its version, without a slash at the end. */
  readonly url: string;
  /** Requests so far by route, and those of the file store as it counts them. */
  readonly requests: Readonly<Record<Route | "unknown", number> & FileCounts>;
  /** One sentence for each request that the real services would not take. */
  readonly wrong: readonly string[];
  /** Replaces all faults, and counts their occasions from the start. */
  setFaults(faults: CellxgeneFaults): void;
  /** Replaces what there is to list, as if somebody had published. */
  setDatasets(datasets: readonly CellxgeneDataset[]): void;
  close(): Promise<void>;
}

const BASE = "/curation/v1";
const ROUTES: readonly RouteRule<Route>[] = [
  ["datasets", "GET", /^\/curation\/v1\/datasets$/],
  ["collections", "GET", /^\/curation\/v1\/collections$/],
  ["collection", "GET", /^\/curation\/v1\/collections\/([^/]+)$/],
  ["dataset", "GET", /^\/curation\/v1\/collections\/([^/]+)\/datasets\/([^/]+)$/],
];

/** Starts the service and its file store on loopback. */
export async function startCellxgene(options: CellxgeneServerOptions): Promise<CellxgeneServer> {
  let { datasets } = options;

  async function answer(request: ServiceRequest<Route>): Promise<ServiceAnswer> {
    const { route, parts, query } = request;
    checkQuery(
      query,
      route === "datasets" || route === "collections" ? ["visibility", "schema_version"] : [],
    );
    if (route === "datasets")
      return ok(await Promise.all(datasets.map((one) => worded(one, route))));
    const ids = [...new Set(datasets.map(({ collectionId }) => collectionId))];
    if (route === "collections")
      return ok(await Promise.all(ids.map((id) => collectionOf(id, route))));
    const [collectionId = "", datasetId = ""] = parts;
    if (!ids.includes(collectionId)) {
      throw new WrongRequest(404, `Collection not found: ${collectionId}`);
    }
    if (route === "collection") return ok(await collectionOf(collectionId, route));
    const dataset = datasets.find((one) => {
      return one.collectionId === collectionId && one.datasetId === datasetId;
    });
    if (dataset === undefined) throw new WrongRequest(404, `Dataset not found: ${datasetId}`);
    return ok(await worded(dataset, route));
  }

  async function collectionOf(collectionId: string, route: Route): Promise<unknown> {
    const own = datasets.filter((one) => one.collectionId === collectionId);
    return {
      collection_id: collectionId,
      collection_url: `${service.url}/collections/${collectionId}`,
      name: own[0]?.collectionName,
      visibility: "PUBLIC",
      datasets: await Promise.all(own.map((one) => worded(one, route))),
    };
  }

  async function worded(dataset: CellxgeneDataset, route: Route): Promise<unknown> {
    const more = service.occasions.strikes("wrongSize", route) ? 1 : 0;
    const { datasetId, versionId, collectionId, collectionName, assets } = dataset;
    return {
      dataset_id: datasetId,
      dataset_version_id: versionId,
      collection_id: collectionId,
      collection_name: collectionName,
      title: dataset.title,
      cell_count: dataset.cellCount,
      primary_cell_count: dataset.cellCount,
      organism: terms("NCBITaxon", dataset.organisms),
      assay: terms("EFO", dataset.assays),
      tissue: terms("UBERON", dataset.tissues),
      explorer_url: `${service.url}/e/${datasetId}.cxg/`,
      schema_version: "6.0.0",
      is_primary_data: [true],
      assets: await Promise.all(
        assets.map(async ({ filetype, path }) => ({
          filetype,
          filesize: (await stat(path)).size + more,
          url: service.addressOf(path, `${versionId}.${filetype.toLowerCase()}`),
        })),
      ),
    };
  }

  const service = await startFileService<Route, CellxgeneFaults>({
    host: options.host,
    port: options.port,
    faults: options.faults ?? {},
    isSigned: false,
    routes: ROUTES,
    answer,
    errorBody: (status, message) => {
      return { detail: message, status, title: "Error", type: "about:blank" };
    },
  });

  return {
    url: service.url + BASE,
    get requests() {
      return service.requests;
    },
    get wrong() {
      return service.wrong;
    },
    setFaults: (faults) => service.setFaults(faults),
    setDatasets(next) {
      datasets = next;
    },
    close: () => service.close(),
  };
}

const ok = (value: unknown): ServiceAnswer => ({ status: 200, value });

function terms(ontology: string, labels: readonly string[]): readonly unknown[] {
  return labels.map((label, index) => {
    return { label, ontology_term_id: `${ontology}:${String(index + 1).padStart(7, "0")}` };
  });
}
