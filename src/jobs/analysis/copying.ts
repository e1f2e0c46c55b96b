// What a pipeline gave, as a user gets it: files and folders by the names of what they are, values as JSON.

import { copyFile, cp, mkdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Json } from "../../digest.ts";
import type { BlobFile, Plan, Ref, StoredFile, StoredFolder } from "../../engine/step.ts";
import { codeOf, HdashError } from "../../error.ts";
import type { Result } from "./plan.ts";

/** Copies results into a folder. */
export async function copyResults(
  plan: Plan,
  out: string,
  results: readonly Result[],
): Promise<void> {
  await mkdir(out, { recursive: true });
  const told: Record<string, Json> = {};
  for (const { name, value, isRef, ending } of results) {
    const to = join(out, name.replaceAll(/[[\].]+/g, "-").replace(/-$/, ""));
    if (!isRef) {
      told[name] = value as Json;
      continue;
    }
    const ref = value as Ref<unknown>;
    // Each is read as its codec says.
    const read = await plan.read(ref);
    if (ref.codec === "file") await copyFile(await (read as BlobFile).path(), to + ending);
    else if (ref.codec === "files") await copyFiles(read as readonly StoredFile[], to);
    else if (ref.codec === "folder") await copyFolder(read as StoredFolder, to);
    else if (ref.codec === "folders") {
      for (const [index, one] of (read as readonly StoredFolder[]).entries()) {
        await copyFolder(one, join(to, String(index).padStart(6, "0")));
      }
    } else told[name] = read as Json;
  }
  if (Object.keys(told).length > 0) {
    await writeFile(join(out, "results.json"), `${JSON.stringify(told, null, 2)}\n`);
  }
}

async function copyFiles(files: readonly StoredFile[], to: string): Promise<void> {
  for (const { path, file } of files) {
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(await file.path(), join(to, path));
  }
}

/** What lies there already, and is not in the folder, stays: it may be the user's. */
async function copyFolder(folder: StoredFolder, to: string): Promise<void> {
  await cp(await folder.path(), to, { recursive: true });
}

/** Makes the folder that results are copied to. Throws usage that names the flag where there can be none. */
export async function makeOutFolder(path: string): Promise<void> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new HdashError("usage", `--out is ${path}, which ${why}`, { cause });
  };
  const found = await stat(path).catch(() => null);
  if (found !== null) {
    if (!found.isDirectory()) refuse("is no folder");
    return;
  }
  // One level after the other: where a file system makes no folders, Node would try for ever to make all at once.
  if (dirname(path) !== path) await makeOutFolder(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") refuse(`cannot be made (${codeOf(error) ?? "?"})`, error);
  }
}
