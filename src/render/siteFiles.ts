// The files of a site: texts as files, and assets by how long they may be cached.

import type { TreeFile } from "../engine/step.ts";
import type { PageFile } from "./page.ts";

/** Makes a file of a text. */
export function textFile({ path, contentType, text }: PageFile): TreeFile {
  return { path, contentType, bytes: new TextEncoder().encode(text) };
}

/** Parts assets whose names carry a content hash from those that scripts and styles refer to by name. */
export function splitAssets(files: readonly TreeFile[]) {
  const isHashed = ({ path }: TreeFile) => /\.[0-9a-f]{8}\.\w+$/.test(path);
  return { hashed: files.filter(isHashed), named: files.filter((one) => !isHashed(one)) };
}
