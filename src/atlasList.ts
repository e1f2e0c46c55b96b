// The atlas list: from its file, and from the ledger where `hdash-util init` has put it.

import { readFile } from "node:fs/promises";

import { HdashError, messageOf } from "./error.ts";
import type { Atlas } from "./htan/atlas.ts";
import { readAtlases } from "./htan/registry.ts";

/** Reads an atlas list; throws a config error that names the file and the lines that are wrong. */
export async function loadAtlasFile(path: string): Promise<readonly Atlas[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new HdashError("config", `the atlas list ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  try {
    return readAtlases(text);
  } catch (error) {
    throw new HdashError("config", `the atlas list ${path} was refused: ${messageOf(error)}`, { cause: error });
  }
}
