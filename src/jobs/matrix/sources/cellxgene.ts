// CELLxGENE Discover as a source of matrices: every public dataset (or those of one collection) that is there as H5AD.

import { HdashError, messageOf } from "../../../error.ts";
import {
  type Fields,
  fieldsOf,
  listField,
  optionalCount,
  optionalText,
  textField,
} from "../../../sources/fields.ts";
import { isSafeAddress } from "../../../sources/reach.ts";
import {
  byLargest,
  type MatrixEntry,
  type MatrixListing,
  type MatrixSkip,
  type MatrixSource,
} from "../source.ts";
import { callJson, fetchEntry, type HeldMatrix, type MatrixSourceOptions } from "./matrixCalls.ts";
import { entryId, makeSkip, nameSome, speciesKey, uuidOf } from "./matrixFiles.ts";

export interface CellxgeneOptions extends MatrixSourceOptions {
  /** e.g. "https://api.cellxgene.cziscience.com/curation/v1". */
  readonly baseUrl: string;
  /** Only the datasets of this collection; default: all that are public. */
  readonly collectionId?: string | null;
}

/** Makes the source. */
export function makeCellxgeneSource(options: CellxgeneOptions): MatrixSource {
  const { collectionId = null } = options;
  return {
    kind: "cellxgene",
    label: collectionId === null ? "CELLxGENE Discover" : `CELLxGENE collection ${collectionId}`,
    list: (signal) => list(options, signal),
    blacklist: async (signal) => (await options.blacklist?.(signal)) ?? null,
    pull: (entry, dir, fetching): Promise<HeldMatrix> =>
      fetchEntry(options, entry, dir, async () => entry.locator, fetching),
  };
}

async function list(options: CellxgeneOptions, signal: AbortSignal): Promise<MatrixListing> {
  const datasets = await askDatasets(options, signal);
  const entries = new Map<string, MatrixEntry>();
  const skips: MatrixSkip[] = [];
  datasets.forEach((value, index) => {
    const read = readDataset(value, `datasets of CELLxGENE[${index}]`, index, options.baseUrl);
    if ("why" in read) skips.push(read);
    else if (!entries.has(read.id)) entries.set(read.id, read);
  });
  return { entries: [...entries.values()].sort(byLargest), skips };
}

/** All datasets: the service answers with a list that has no pages, a collection with a field that holds one. */
async function askDatasets(
  options: CellxgeneOptions,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const base = options.baseUrl.replace(/\/+$/, "");
  const { collectionId = null } = options;
  if (collectionId === null) {
    const subject = "datasets of CELLxGENE";
    const answer = await callJson(options, { subject, url: `${base}/datasets`, signal });
    return listField({ at: subject, values: { answer } }, "answer");
  }
  const id = uuidOf(collectionId);
  if (id === null) {
    const message = `${JSON.stringify(collectionId)} is not the uuid of a collection of CELLxGENE`;
    throw new HdashError("config", message);
  }
  const subject = `collection ${id} of CELLxGENE`;
  const answer = await callJson(options, { subject, url: `${base}/collections/${id}`, signal });
  return listField(fieldsOf(answer, subject), "datasets");
}

function readDataset(
  value: unknown,
  at: string,
  index: number,
  baseUrl: string,
): MatrixEntry | MatrixSkip {
  let id = `dataset-${index + 1}`;
  try {
    const dataset = fieldsOf(value, at);
    const datasetId = uuidOf(textField(dataset, "dataset_id"));
    if (datasetId === null) throw new HdashError("permanent", `${at}.dataset_id is not a uuid`);
    id = datasetId;
    return entryOf(dataset, datasetId, baseUrl);
  } catch (error) {
    const message = `CELLxGENE's description of the dataset cannot be read: ${messageOf(error)}.`;
    return makeSkip({ id, why: "service", message });
  }
}

function entryOf(dataset: Fields, datasetId: string, baseUrl: string): MatrixEntry | MatrixSkip {
  const organisms = labelsOf(dataset, "organism").flatMap((label) => speciesKey(label) ?? []);
  const species = organisms.length === 1 ? (organisms[0] ?? null) : null;
  const id = entryId(datasetId, species);
  const title = optionalText(dataset, "title") ?? id;
  const assets = listField(dataset, "assets").map((asset, index) =>
    fieldsOf(asset, `${dataset.at}.assets[${index}]`),
  );
  const h5ad = assets.find((asset) => asset.values["filetype"] === "H5AD");
  if (h5ad === undefined) {
    const kinds = assets.flatMap((asset) => optionalText(asset, "filetype") ?? []);
    const message = `There is no H5AD file, only ${nameSome(kinds)}.`;
    return makeSkip({ id, projectId: datasetId, title, why: "format", message });
  }
  const url = textField(h5ad, "url");
  if (!isSafeAddress(url, baseUrl)) {
    throw new HdashError("permanent", `${h5ad.at}.url is not a safe address`);
  }
  const bytes = optionalCount(h5ad, "filesize");
  const page = optionalText(dataset, "explorer_url");
  return {
    id,
    projectId: datasetId,
    species,
    title,
    fileName: `${id}.h5ad`,
    bytes,
    version: versionOf(dataset, url, bytes),
    sha256: null,
    approaches: labelsOf(dataset, "assay"),
    cells: optionalCount(dataset, "cell_count"),
    pageUrl: page !== null && /^https?:\/\//.test(page) ? page : null,
    locator: url,
  };
}

/** Where there is no version id the file's own name has it: every version is stored under another one. */
function versionOf(
  dataset: Fields,
  url: string,
  bytes: number | null,
): Readonly<Record<string, string>> {
  const version = optionalText(dataset, "dataset_version_id");
  if (version !== null) return { version };
  const file = new URL(url).pathname.split("/").at(-1) ?? "";
  return { file, bytes: bytes === null ? "" : String(bytes) };
}

/** Labels of a list of ontology terms, each once, sorted; a missing list has none. */
function labelsOf(dataset: Fields, name: string): readonly string[] {
  if (dataset.values[name] === undefined || dataset.values[name] === null) return [];
  const labels = listField(dataset, name).map((term, index) =>
    textField(fieldsOf(term, `${dataset.at}.${name}[${index}]`), "label"),
  );
  return [...new Set(labels)].sort();
}
