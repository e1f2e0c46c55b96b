// The list of checks that there are: config/cohort/checks.json, held against the schema that datasets have.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { HdashError, messageOf } from "../../error.ts";
import type { Check } from "./data/check.ts";
import { checkedDatasets } from "./data/checkedDatasets.ts";
import { readChecks } from "./data/readChecks.ts";
import { latestOf, type Schemas } from "./schemas.ts";

export const CHECKS_FILE = "config/cohort/checks.json";

/** Loads the checks. Throws a config error that names every mistake in them. */
export async function loadChecks(
  dir: string,
  schemas: Pick<Schemas, "of">,
): Promise<readonly Check[]> {
  let text: string;
  try {
    text = await readFile(join(dir, CHECKS_FILE), "utf8");
  } catch (error) {
    throw new HdashError("config", `${CHECKS_FILE} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return readChecks(text, CHECKS_FILE, checkedDatasets(schemas.of(null).shapes));
}

/** Throws config where checks cannot be read, or are about what the schema beside them has not; `read` gives a file's text. */
export function checkChecks(text: string, read: (file: string) => string | null): void {
  const latest = latestOf(read);
  // What is wrong with the schema is said of the schema.
  if (latest !== null) readChecks(text, CHECKS_FILE, checkedDatasets(latest.shapes));
}
