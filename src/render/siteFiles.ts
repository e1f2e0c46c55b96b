// The files of a site: texts as files, and assets by how long they may be cached.

import type { PageFile } from "./page.ts";

/** A file as it is published. */
export interface SiteFile {
  readonly path: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** Makes a file of a text. */
export function textFile({ path, contentType, text }: PageFile): SiteFile {
  return { path, contentType, bytes: new TextEncoder().encode(text) };
}

/** Parts assets whose names carry a content hash from those that scripts and styles refer to by name. */
export function splitAssets(files: readonly SiteFile[]) {
  const isHashed = ({ path }: SiteFile) => /\.[0-9a-f]{8}\.\w+$/.test(path);
  return { hashed: files.filter(isHashed), named: files.filter((one) => !isHashed(one)) };
}
