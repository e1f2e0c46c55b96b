// Members whose names no object can have, and members whose names differ in their endings alone: neither stops an export.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { zipStream } from "../../../../src/lookalikes/zipStream.ts";
import { fileRanges, ingest, makeRig, type Rig } from "../support/cohortRig.ts";

const DEVICE = `{"ParticipantIdentifier":"SYN-1","Date":"2026-01-01","Device":"a"}\r\n`;

describe("ingestExport(request)", () => {
  let rig: Rig;
  let dir: string;
  beforeAll(async () => {
    rig = await makeRig();
    dir = await mkdtemp(join(tmpdir(), "hdash-odd-"));
  });
  afterAll(async () => {
    await rig.close();
    await rm(dir, { recursive: true, force: true });
  });

  async function read(names: readonly string[]) {
    const pieces: Buffer[] = [];
    const members = names.map((name) => ({ name, content: [Buffer.from(DEVICE)] }));
    for await (const piece of zipStream(members)) pieces.push(piece);
    const path = join(dir, crypto.randomUUID());
    await writeFile(path, Buffer.concat(pieces));
    const home = await mkdtemp(join(dir, "home-"));
    const { report } = await ingest(rig, home, "adults_v1/odd", fileRanges(path));
    return { home, report };
  }

  test("sets a member aside whose name no object can have, and uses the others", async () => {
    const odd = [
      "a\\b_20260101.json",
      "a\u0001b_20260101.json",
      `${"x".repeat(300)}_20260101.json`,
    ];
    const { report } = await read([...odd, "FitbitDevices_20260101.json"]);
    expect(report.outcome).toBe("read");
    const byName = new Map(report.members.map((member) => [member.name, member]));
    for (const name of odd) {
      expect(byName.get(name)).toMatchObject({
        ...{ status: "bad_member_name", read: 1, written: 0, raw: null, copy: null },
        quarantined: { bad_member_name: 1 },
      });
    }
    expect(byName.get("FitbitDevices_20260101.json")).toMatchObject({ status: "ok", written: 1 });
  });

  test("keeps copies of their own for members that differ in their endings alone", async () => {
    const names = ["FitbitDevices_20260101.json", "FitbitDevices_20260101.csv"];
    const { home, report } = await read(names);
    const keys = report.members.flatMap(({ raw, copy }) => [raw?.key ?? "", copy?.key ?? ""]);
    expect(new Set(keys).size).toBe(4);
    for (const { raw } of report.members) {
      const bytes = await readFile(join(home, "raw", raw?.key ?? ""));
      expect(gunzipSync(bytes).toString()).toBe(DEVICE);
    }
  });
});
