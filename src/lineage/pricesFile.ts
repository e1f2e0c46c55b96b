// A table of prices as people name it on a command line.

import { readFile } from "node:fs/promises";

import { HdashError, messageOf } from "../error.ts";
import { type Prices, readPrices } from "./prices.ts";

/** Reads a table of prices. Throws usage where there is no such file, config where it is none. */
export async function loadPrices(path: string): Promise<Prices> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new HdashError("usage", `--prices ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return readPrices(text, path);
}
