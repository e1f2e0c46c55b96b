// A project of Synapse with exports, as a world on disk that the look-alike serves.

import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** The project. */
export const ROOT = "syn51";

/** Content that Synapse keeps, or where somebody wrote down that it is, with what they wrote of it. */
export type Content =
  Uint8Array | { readonly externalURL: string; readonly bytes?: number; readonly md5?: string };

const COLUMNS = [
  ...["id", "name", "type", "parentId", "projectId", "modifiedOn", "dataFileHandleId"],
  ...["externalURL", "versionNumber", "dataFileSizeBytes", "dataFileMD5Hex"],
];

/**
 * Writes a world: paths below the project ("main/adults_v1/export") and their contents; a path that ends with "/" is an empty folder.
 * Ids follow from the paths' order. `upload` is the number of the upload of every file: another one has another file handle.
 * @returns path → entity id, folders included.
 */
export async function writeWorld(
  dir: string,
  files: Readonly<Record<string, Content>>,
  upload = 1,
): Promise<ReadonlyMap<string, string>> {
  await mkdir(join(dir, "files"), { recursive: true });
  const ids = new Map<string, string>([["", ROOT]]);
  const rows: string[] = [];
  const add = (path: string, type: "file" | "folder", more: readonly (string | number)[]) => {
    const known = ids.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf("/");
    const parent = path.slice(0, Math.max(0, cut));
    const parentId: string = parent === "" ? ROOT : add(parent, "folder", []);
    const id = `syn${6000 + ids.size}`;
    ids.set(path, id);
    const name = path.slice(cut + 1);
    rows.push([id, name, type, parentId, ROOT, 1600000000000 + upload, ...more].map(cell).join());
    return id;
  };
  for (const [path, content] of Object.entries(files)) {
    if (path.endsWith("/")) {
      add(path.slice(0, -1), "folder", []);
      continue;
    }
    const handle = `${upload}000${ids.size}`;
    const isKept = content instanceof Uint8Array;
    const more = isKept
      ? ["", upload, content.length, createHash("md5").update(content).digest("hex")]
      : [content.externalURL, upload, content.bytes ?? "", content.md5 ?? ""];
    const id = add(path, "file", [handle, ...more]);
    if (isKept) await writeFile(join(dir, "files", `${id}.csv`), content);
  }
  await writeFile(join(dir, "atlases.csv"), `id,atlas_id,name,liaison\n${ROOT},X,Exports,\n`);
  await writeFile(join(dir, "master.csv"), `${COLUMNS.join()}\n${rows.join("\n")}\n`);
  return ids;
}

function cell(value: string | number): string {
  return `"${String(value).replaceAll('"', '""')}"`;
}
