// What commands say with --json, held against the schemas of docs/schemas.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import Ajv from "ajv";

const SCHEMAS = join(import.meta.dirname, "../../docs/schemas");

/** Says what of a value is not as the schema of that name has it, e.g. "check". */
export function schemaProblems(name: string, value: unknown): readonly string[] {
  const text = readFileSync(join(SCHEMAS, `${name}.schema.json`), "utf8");
  // This validator is of an older draft, which has no name for the one that is written in; all that our schemas use means the same in both.
  const { $schema: draft, ...schema } = JSON.parse(text) as { readonly $schema: string };
  if (draft !== "https://json-schema.org/draft/2020-12/schema") return [`${name} is of ${draft}`];
  const ajv = new Ajv({ allErrors: true });
  ajv.validate(schema, value);
  return (ajv.errors ?? []).map(({ dataPath, message }) => `${dataPath} ${message ?? ""}`);
}
