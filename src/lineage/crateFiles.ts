// Where the files of a crate lie: by path where they come with it, by URL where they are published, else by digest.

import type { Digest } from "../digest.ts";
import { hasFiles } from "../engine/codec.ts";
import { callName } from "./grouping.ts";
import type { ContentInfo, Provenance } from "./provenance.ts";

/** A content with all that it was called. */
export interface CrateFile extends ContentInfo {
  /** How people know it: the name that was given, of a result, or of a step's output. */
  readonly name: string;
  /** Where it belongs in a crate that has it. */
  readonly path: string;
}

/** Lists the contents of a provenance: what it has given, what was given to it, and what lies between. */
export function crateFiles(provenance: Provenance): readonly CrateFile[] {
  const found = new Map<Digest, CrateFile>();
  const taken = new Set(["ro-crate-metadata.json"]);
  const add = (content: ContentInfo, folder: string, name: string): void => {
    const { digest, bytes, kind } = content;
    if (found.has(digest)) return;
    const own = hasFiles(kind) || kind !== "json" || name.includes(".") ? name : `${name}.json`;
    let path = `${folder}/${plainName(own)}`;
    // Whatever is there already keeps its name; folders and files may not share one.
    for (let n = 2; taken.has(path.toLowerCase()); n++) path = `${folder}/${n}-${plainName(own)}`;
    taken.add(path.toLowerCase());
    found.set(digest, { digest, bytes, kind, name, path: hasFiles(kind) ? `${path}/` : path });
  };
  for (const one of provenance.results) {
    // A file of a folder is within it: the folder has it where the data comes along.
    if (!("value" in one)) add(one, "results", one.name);
  }
  for (const one of provenance.given) add(one, "given", one.names[0] ?? one.digest.slice(0, 16));
  for (const step of provenance.steps) {
    const folder = `steps/${plainName(callName(step))}`;
    for (const output of step.outputs) add(output, folder, output.port);
  }
  return [...found.values()];
}

/** A name that is one on every file system. */
function plainName(name: string): string {
  const plain = name
    .replaceAll(/[\p{Cc}<>:"/\\|?*]+/gu, "-")
    .replaceAll(/^[.\s]+|[.\s]+$/g, "")
    .slice(0, 100);
  return plain === "" ? "_" : plain;
}
