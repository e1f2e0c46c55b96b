import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { packFolder, readTar, writeFolder } from "../../src/store/tarball.ts";

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "hdash-tarball-"));
  mkdirSync(join(dir, "from/base/1"), { recursive: true });
  mkdirSync(join(dir, "from/empty"));
  writeFileSync(join(dir, "from/base/1/nothing"), "");
  writeFileSync(join(dir, "from/base/1/block"), Buffer.alloc(512, 1));
  writeFileSync(join(dir, "from/conf"), "a = 1\n", { mode: 0o666 });
});
afterAll(() => rmSync(dir, { recursive: true }));

const listed = (folder: string) => readdirSync(folder, { recursive: true }).sort();

describe("packFolder(dir), readTar(bytes), writeFolder(dir, entries)", () => {
  test("bring back every file and folder, for their user alone", () => {
    const to = join(dir, "to");
    writeFolder(to, readTar(packFolder(join(dir, "from"))));
    expect(listed(to)).toEqual([
      "base",
      "base/1",
      "base/1/block",
      "base/1/nothing",
      "conf",
      "empty",
    ]);
    expect(readFileSync(join(to, "conf"), "utf8")).toBe("a = 1\n");
    expect(readFileSync(join(to, "base/1/block"))).toEqual(Buffer.alloc(512, 1));
    const modes = ["", "base", "empty", "conf"].map(
      (path) => statSync(join(to, path)).mode & 0o777,
    );
    expect(modes).toEqual([0o700, 0o700, 0o700, 0o600]);
  });

  test("write the same bytes whatever the modes, and what tar itself reads", () => {
    const bytes = packFolder(join(dir, "from"));
    chmodSync(join(dir, "from/conf"), 0o400);
    chmodSync(join(dir, "from/base"), 0o755);
    expect(packFolder(join(dir, "from")).equals(bytes)).toBe(true);
    const there = join(dir, "unpacked");
    mkdirSync(there);
    execFileSync("tar", ["-x", "-C", there], { input: bytes });
    expect(listed(there)).toEqual(listed(join(dir, "from")));
  });

  test("refuse an archive that was cut, wherever", () => {
    const bytes = packFolder(join(dir, "from"));
    const cuts = Array.from({ length: bytes.length / 512 - 1 }, (_, at) => at * 512 + 100);
    for (const cut of cuts.filter((at) => at < bytes.length - 1024)) {
      expect(() => readTar(bytes.subarray(0, cut))).toThrow("the archive ends too early");
    }
  });

  test("refuse an archive whose header was changed", () => {
    const bytes = packFolder(join(dir, "from"));
    bytes[3] = 1;
    expect(() => readTar(bytes)).toThrow("the archive has no header at 0");
  });

  test("refuse a name that the format has no room for", () => {
    const long = join(dir, "long");
    mkdirSync(long);
    writeFileSync(join(long, "x".repeat(100)), "");
    expect(() => packFolder(long)).toThrow("is too long a name for an archive");
  });
});
