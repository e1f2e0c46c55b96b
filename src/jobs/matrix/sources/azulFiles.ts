// Azul's trees of matrices: facet → value → facet → value … → files, of any depth and with levels missing. A file that stands below
// several values (two organs, two species) is listed once for each of them and becomes one again here.

import { HdashError } from "../../../error.ts";
import {
  type Fields,
  fieldsOf,
  optionalCount,
  optionalText,
  textField,
} from "../../../sources/fields.ts";

/** A file of a tree. */
export interface AzulFile {
  readonly name: string;
  readonly bytes: number | null;
  readonly fileSource: string | null;
  readonly cells: number | null;
  readonly uuid: string | null;
  readonly version: string | null;
  /** Hex, lower case. */
  readonly sha256: string | null;
  readonly isIntermediate: boolean;
  /** Null where the service gives no address, i.e. does not hand the file out. */
  readonly url: string | null;
  /** Values by facet, without "Unspecified"; sorted. */
  readonly facets: ReadonlyMap<string, readonly string[]>;
}

/** Trees have four facets, i.e. eight levels; one that is far deeper is not a tree of matrices. */
const MAX_DEPTH = 32;

/** Reads the files of some trees (null: no tree). Throws permanent, naming the place, where a tree is not one. */
export function readAzulTrees(
  trees: readonly { readonly at: string; readonly tree: unknown }[],
): readonly AzulFile[] {
  const found = new Map<string, { file: Fields; facets: Map<string, Set<string>> }>();
  for (const { at, tree } of trees) {
    if (tree === undefined || tree === null) continue;
    walk(tree, at, new Map(), 0, (value, place, path) => {
      const file = fieldsOf(value, place);
      const key = [
        optionalText(file, "uuid") ?? optionalText(file, "url"),
        textField(file, "name"),
      ];
      const known = found.get(key.join("\n")) ?? { file, facets: new Map<string, Set<string>>() };
      for (const [facet, one] of path) {
        known.facets.set(facet, (known.facets.get(facet) ?? new Set()).add(one));
      }
      found.set(key.join("\n"), known);
    });
  }
  return [...found.values()].map(({ file, facets }) => readFile(file, facets));
}

type OnFile = (file: unknown, at: string, path: ReadonlyMap<string, string>) => void;

function walk(
  node: unknown,
  at: string,
  path: ReadonlyMap<string, string>,
  depth: number,
  onFile: OnFile,
): void {
  if (depth > MAX_DEPTH) {
    throw new HdashError("permanent", `${at} is more than ${MAX_DEPTH} levels deep`);
  }
  if (Array.isArray(node)) {
    node.forEach((file, index) => onFile(file, `${at}[${index}]`, path));
    return;
  }
  for (const [facet, values] of Object.entries(fieldsOf(node, at).values)) {
    // A level may be missing in parts of a tree: then the files stand where its values would.
    if (Array.isArray(values)) {
      walk(values, `${at}.${facet}`, path, depth + 1, onFile);
      continue;
    }
    for (const [value, child] of Object.entries(fieldsOf(values, `${at}.${facet}`).values)) {
      const isSaid = !/^(unspecified)?$/i.test(value.trim());
      const next = isSaid ? new Map([...path, [facet, value.trim()]]) : path;
      walk(child, `${at}.${facet}.${value}`, next, depth + 1, onFile);
    }
  }
}

function readFile(file: Fields, facets: ReadonlyMap<string, ReadonlySet<string>>): AzulFile {
  const sha256 = optionalText(file, "sha256")?.toLowerCase() ?? null;
  const cells = file.values["matrixCellCount"];
  return {
    name: textField(file, "name"),
    bytes: optionalCount(file, "size"),
    fileSource: optionalText(file, "fileSource"),
    // Some counts were entered by hand as 1234.0 or with a fraction; they only order files.
    cells: typeof cells === "number" && cells >= 0 ? Math.round(cells) : null,
    uuid: optionalText(file, "uuid"),
    version: optionalText(file, "version"),
    sha256: sha256 !== null && /^[0-9a-f]{64}$/.test(sha256) ? sha256 : null,
    isIntermediate: file.values["isIntermediate"] === true,
    url: optionalText(file, "url"),
    facets: new Map([...facets].map(([facet, values]) => [facet, [...values].sort()])),
  };
}
