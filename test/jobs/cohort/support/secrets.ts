// What of the fixture nobody may be told: whatever names its people, and the values of lines that are set aside.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { listMembers } from "../../../../src/formats/zip.ts";
import { readMembers } from "../../../../src/formats/zipMember.ts";
import { all, NEVER } from "../../../formats/support/ranges.ts";
import { fileRanges, FIXTURE, SCHEMA_FILE } from "./cohortRig.ts";
import { expectedOf } from "./expected.ts";

export const IDENTIFIERS: readonly string[] = readFileSync(`${FIXTURE}/identifiers.txt`, "utf8")
  .trimEnd()
  .split("\n");

const EXPECTED = expectedOf(FIXTURE);
const NAMES = readFileSync(SCHEMA_FILE, "utf8").toLowerCase();

/** Days, words of JSON and of names of the schema, as "light", and numbers that any count may have in it: said by all, they are nobody's. */
function isName(text: string): boolean {
  const isAnybodys = /^(\d{4}-\d\d-\d\d(T00:00:00)?|true|false|null|\d{1,7})$/.test(text);
  return isAnybodys || text.length < 5 || NAMES.includes(text.toLowerCase());
}

/** Values of the lines that are set aside, as long as they say something. */
export async function quarantinedValues(
  namespace: string,
  key: string,
): Promise<readonly string[]> {
  const { members = {} } = EXPECTED[namespace]?.exports[key] ?? {};
  const source = fileRanges(join(FIXTURE, "world", namespace, key));
  const listing = await listMembers(source, NEVER);
  if (listing.refusal !== null) throw new Error(listing.why);
  const entries = listing.entries.filter(
    ({ name }) => Object.keys(members[name]?.quarantined ?? {}).length > 0,
  );
  const values: string[] = [];
  for await (const { entry, content } of readMembers(source, entries, NEVER, { only: "content" })) {
    const lines = (await all(content)).toString("latin1").split("\n");
    for (const line of Object.values(members[entry.name]?.quarantined ?? {}).flat()) {
      for (const [, value = ""] of (lines[line - 1] ?? "").matchAll(/:\s*"?([^",{}[\]]+)/g)) {
        if (!isName(value)) values.push(value);
      }
    }
  }
  return values;
}
