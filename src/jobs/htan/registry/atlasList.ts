// The atlas list: from its file, and from the ledger where `hdash-util init` has put it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Effects } from "../../../effects.ts";
import { HdashError, messageOf } from "../../../error.ts";
import { count } from "../../../format.ts";
import { findEncoding } from "../../../formats/csvDialect.ts";
import type { Atlas } from "../data/atlas.ts";
import { readAtlases } from "./readAtlases.ts";

/** Reads an atlas list; throws a config error that names the file and the lines that are wrong. */
export async function loadAtlasFile(path: string): Promise<readonly Atlas[]> {
  let text: string;
  try {
    const bytes = await readFile(path);
    text = new TextDecoder(findEncoding(bytes), { fatal: true }).decode(bytes);
  } catch (error) {
    const why = error instanceof TypeError ? "it is not UTF-8; save it so" : messageOf(error);
    throw new HdashError("config", `the atlas list ${path} cannot be read: ${why}`, {
      cause: error,
    });
  }
  try {
    return readAtlases(text);
  } catch (error) {
    throw new HdashError("config", `the atlas list ${path} was refused: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The registered atlases; where nothing is registered yet, registers the list that comes with this deployment and says so. */
export async function registeredAtlases(effects: Effects): Promise<readonly Atlas[]> {
  const { listAtlases, saveAtlases } = await import("./atlasTable.ts");
  const { db } = await effects.database();
  const known = await listAtlases(db);
  if (known.length > 0) return known;
  const given = await givenAtlases(effects);
  await saveAtlases(db, given.atlases);
  effects.log.info(
    `the registry was empty: ${count(given.atlases.length, "atlas", "atlases")} registered from ${given.from}`,
  );
  return given.atlases;
}

/** The list that comes with this deployment, the namespace's artifact or hdash's own, and what to call it. */
export async function givenAtlases(effects: Effects): Promise<{
  readonly from: string;
  /** True where the namespace has a list that this hdash does not use, since it is of another build. */
  readonly isOther: boolean;
  readonly atlases: readonly Atlas[];
}> {
  const { dir, isOther } = await effects.artifacts();
  const path = join(dir, "config", "htan_projects.csv");
  const from = dir === effects.root ? path : "config/htan_projects.csv of the artifacts";
  return { from, isOther, atlases: await loadAtlasFile(path) };
}
