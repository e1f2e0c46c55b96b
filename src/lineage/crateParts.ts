// The data of a crate: files and folders, the values that a run was given, and the parameters that both are values of.

import type { Digest, Json } from "../digest.ts";
import { hasFiles } from "../engine/codec.ts";
import {
  type Entity,
  entity,
  localId,
  pathId,
  propertyValue,
  ref,
  slotOf,
  typeOfKind,
  typeOfValue,
} from "./crateEntities.ts";
import type { CrateFile } from "./crateFiles.ts";
import type { Provenance } from "./provenance.ts";

/** Makes the entities of data, and of what a run takes and gives. */
export function makeFileEntities(
  provenance: Provenance,
  files: readonly CrateFile[],
  how: {
    readonly included: ReadonlySet<Digest>;
    readonly siteUrl: string | null;
    readonly at: string;
  },
) {
  const urls = publishedUrls(provenance, how.siteUrl);
  const ids = new Map(files.map((file) => [file.digest, idOf(file, how.included, urls)]));
  const taken = parametersOf(provenance);
  const given = outputsOf(provenance, ids);
  const exampleOf = new Map<string, string[]>();
  for (const [id, slot] of [...taken.examples, ...given.examples]) {
    exampleOf.set(id, [...(exampleOf.get(id) ?? []), slot]);
  }
  const entities = files.map((file) => {
    const id = ids.get(file.digest) ?? "";
    const slots = [...(exampleOf.get(file.digest) ?? []), ...(exampleOf.get(id) ?? [])];
    return fileEntity(file, id, [...new Set(slots)], how);
  });
  return {
    entities,
    topLevel: entities.map((one) => one["@id"]),
    /** The id of a content; null for one that is none of the crate's. */
    idOf: (digest: Digest): string | null => ids.get(digest) ?? null,
    parameters: [...taken.entities, ...given.values],
    outputs: given.entities,
    objects: [
      ...provenance.given.flatMap(({ digest }) => ids.get(digest) ?? []),
      ...taken.entities.filter((one) => one["@type"] === "PropertyValue").map((one) => one["@id"]),
    ],
    results: given.results,
  };
}

/** Where contents are on the web: on the site that people see. */
function publishedUrls(
  { published }: Provenance,
  siteUrl: string | null,
): ReadonlyMap<Digest, string> {
  if (siteUrl === null || !/^https?:/.test(siteUrl)) return new Map();
  const root = `${siteUrl.replace(/\/(index\.html)?$/, "")}/`;
  return new Map(published.map(({ digest, path }) => [digest, root + pathId(path)]));
}

function idOf(
  { digest, kind, path }: CrateFile,
  included: ReadonlySet<Digest>,
  urls: ReadonlyMap<Digest, string>,
): string {
  if (included.has(digest)) return pathId(path);
  // A folder's id ends with a slash.
  return urls.get(digest) ?? `urn:sha256:${digest}${hasFiles(kind) ? "/" : ""}`;
}

const FORMATS: Readonly<Record<string, string>> = {
  json: "application/json",
  html: "text/html",
  csv: "text/csv",
  tsv: "text/tab-separated-values",
  txt: "text/plain",
  gz: "application/gzip",
  zip: "application/zip",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
};

function fileEntity(
  { digest, bytes, kind, name }: CrateFile,
  id: string,
  slots: readonly string[],
  { included, at }: { readonly included: ReadonlySet<Digest>; readonly at: string },
): Entity {
  const examples = slots.map(ref);
  if (hasFiles(kind)) {
    return entity(id, "Dataset", {
      name,
      description: `A stored list of files: the sha256 of the list is ${digest}.`,
      identifier: `sha256:${digest}`,
      exampleOfWork: examples,
    });
  }
  const ending = /\.([A-Za-z0-9]+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  return entity(id, "File", {
    name,
    // Of a JSON value it is unknown how it is called where it is no file.
    alternateName: included.has(digest) && !id.endsWith(pathId(name)) ? name : undefined,
    contentSize: String(bytes),
    sha256: digest,
    identifier: `sha256:${digest}`,
    encodingFormat:
      kind === "json" ? "application/json" : (FORMATS[ending] ?? "application/octet-stream"),
    sdDatePublished: /^https?:/.test(id) ? at : undefined,
    exampleOfWork: examples,
  });
}

type Examples = readonly (readonly [id: string, slot: string])[];

/** What the run took: a parameter each, values of those that are none of files; files by the names that they came under. */
function parametersOf({ run, given }: Provenance): {
  readonly entities: readonly Entity[];
  readonly examples: Examples;
} {
  const parameters = run?.parameters;
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
    return { entities: [], examples: [] };
  }
  const entities: Entity[] = [];
  const examples: (readonly [string, string])[] = [];
  for (const [name, value] of Object.entries(parameters as Readonly<Record<string, Json>>)) {
    if (value === null) continue;
    const slot = localId("input", name);
    const words = Array.isArray(value) ? value : [value];
    const files = given.filter(({ names }) =>
      names.some((one) => words.some((word) => typeof word === "string" && lastPart(word) === one)),
    );
    const [first] = files;
    entities.push(
      entity(slot, "FormalParameter", {
        name,
        additionalType: first === undefined ? typeOfValue(value) : typeOfKind(first.kind),
      }),
    );
    if (first === undefined) {
      entities.push(propertyValue(localId("value", name), name, value, slot));
    }
    for (const { digest } of files) examples.push([digest, slot]);
  }
  return { entities, examples };
}

function lastPart(path: string): string {
  return path.replace(/[\\/]+$/, "").replace(/^.*[\\/]/, "");
}

/** What the run gave: a parameter each, of a list one for all. */
function outputsOf({ results }: Provenance, ids: ReadonlyMap<Digest, string>) {
  const entities = new Map<string, Entity>();
  const values: Entity[] = [];
  const examples: (readonly [string, string])[] = [];
  const given: string[] = [];
  for (const one of results) {
    const name = slotOf(one.name);
    const slot = localId("output", name);
    const additionalType = "value" in one ? typeOfValue(one.value) : typeOfKind(one.kind);
    entities.set(slot, entity(slot, "FormalParameter", { name, additionalType }));
    if ("value" in one) {
      const value = propertyValue(localId("given", one.name), one.name, one.value, slot);
      values.push(value);
      given.push(value["@id"]);
      continue;
    }
    const id = ids.get(one.digest);
    if (id !== undefined) given.push(id);
    examples.push([one.digest, slot]);
  }
  return { entities: [...entities.values()], values, examples, results: [...new Set(given)] };
}
