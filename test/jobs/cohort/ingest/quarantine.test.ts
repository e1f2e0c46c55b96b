import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../../../src/digest.ts";
import { makeQuarantine, type Quarantine } from "../../../../src/jobs/cohort/ingest/quarantine.ts";
import { readAll } from "../../../../src/store/blobs.ts";

let dir: string;
let quarantine: Quarantine;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-quarantine-"));
  quarantine = makeQuarantine(join(dir, "q.gz"));
});
afterEach(async () => {
  quarantine.destroy();
  await rm(dir, { recursive: true });
});

/** Sets lines aside, flushing as a pass over a member does. */
async function setAside(member: string, lines: number, end: "keep" | "drop"): Promise<void> {
  const own = quarantine.open(member);
  for (let line = 1; line <= lines; line++) {
    own.add(line, "bad_json", "0");
    if (line % 700 === 0) await own.flush();
  }
  await own[end]();
}

/** What lies beside the file. */
const others = async (): Promise<readonly string[]> =>
  (await readdir(dir)).filter((name) => name !== "q.gz");

async function kept(): Promise<readonly string[]> {
  const file = await quarantine.end();
  if (file === null) return [];
  const bytes = await readAll(file.source.open());
  expect([file.bytes, file.sha256]).toEqual([bytes.length, digestOf(bytes)]);
  const lines = gunzipSync(bytes).toString().trimEnd().split("\n");
  return lines.map((text) => {
    const { member, line, reason, sha256 } = JSON.parse(text) as Record<string, unknown>;
    expect([reason, sha256]).toEqual(["bad_json", "0"]);
    return `${String(member)} ${String(line)}`;
  });
}
const numbered = (member: string, lines: number): readonly string[] =>
  Array.from({ length: lines }, (_line, at) => `${member} ${at + 1}`);

describe("makeQuarantine(path)", () => {
  test("makes no file where nothing was set aside", async () => {
    await setAside("a", 0, "keep");
    await setAside("b", 3, "drop");
    expect([await kept(), await readdir(dir)]).toEqual([[], []]);
  });

  test("keeps lines in their order, few or many, and leaves nothing else behind", async () => {
    await setAside("a", 2, "keep");
    await setAside("b", 5000, "keep");
    await setAside("c", 1, "keep");
    expect(await kept()).toEqual([
      ...numbered("a", 2),
      ...numbered("b", 5000),
      ...numbered("c", 1),
    ]);
    expect(await others()).toEqual([]);
  });

  test("drops those of a member that does not count, few or many", async () => {
    await setAside("a", 2, "drop");
    await setAside("b", 1, "keep");
    await setAside("c", 5000, "drop");
    await setAside("d", 1, "keep");
    expect([await kept(), await others()]).toEqual([["b 1", "d 1"], []]);
  });
});
