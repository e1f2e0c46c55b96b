// Two doings of a step beside each other: which file differs, where, and of what kind the difference is.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { encode } from "../../src/engine/codec.ts";
import type { Redone } from "../../src/engine/redoing.ts";
import type { Codec } from "../../src/engine/step.ts";
import { compareOutputs, type Difference } from "../../src/lineage/comparing.ts";
import { type Doings, kindOf } from "../../src/lineage/differenceKinds.ts";
import type { BlobStore } from "../../src/store/blobs.ts";
import { openFolderBlobs } from "../../src/store/folderBlobs.ts";

const DOINGS: Doings = {
  began: new Date("2026-12-01T04:40:28Z"),
  ended: new Date("2026-12-01T04:40:29Z"),
  folder: "/home/of/hdash/verify-1",
  cpus: { before: [8], now: [7] },
};

/** Tells of what kind the difference of two texts is, and what stands there. */
function kinds(before: string | Buffer, now: string | Buffer): string {
  const [a, b] = [Buffer.from(before), Buffer.from(now)];
  let at = 0;
  while (at < Math.min(a.length, b.length) && a[at] === b[at]) at++;
  const bytes = { before: a.length, now: b.length };
  const { kind, ...words } = kindOf({ before: a, now: b, at, bytes, offset: at }, DOINGS);
  return words.before === null ? kind : `${kind}: ${words.before} → ${words.now ?? ""}`;
}

describe("kindOf(places, doings)", () => {
  test.each<[string, string | Buffer, string | Buffer, string]>([
    [
      "an instant",
      "at 2026-11-30T04:40:28Z.",
      "at 2026-12-01T04:40:28Z.",
      "time: 2026-11-30T04:40:28Z → 2026-12-01T04:40:28Z",
    ],
    [
      "an instant's end",
      "2026-12-01 04:40:28.1\n",
      "2026-12-01 04:40:28.13\n",
      "time: 2026-12-01 04:40:28.1 → 2026-12-01 04:40:28.13",
    ],
    ["a time of day", "12:01:07 done", "12:01:08 done", "time: 12:01:07 → 12:01:08"],
    [
      "as date writes it",
      "Mon Nov 30 04:27:35 UTC 2026",
      "Tue Dec  1 04:27:35 UTC 2026",
      "time: Mon Nov 30 04:27:35 UTC 2026 → Tue Dec  1 04:27:35 UTC 2026",
    ],
    [
      "a compact one",
      "x-20261130T101112Z",
      "x-20261201T101112Z",
      "time: 20261130T101112Z → 20261201T101112Z",
    ],
    ["seconds of now", "t=1796099000", "t=1796100028", "time: 1796099000 → 1796100028"],
    [
      "nanoseconds of now",
      "1796099000123456789",
      "1796100028123456789",
      "time: 1796099000123456789 → 1796100028123456789",
    ],
    [
      "a number that is no instant",
      "n=1796099000",
      "n=1696100028",
      "number: 1796099000 → 1696100028",
    ],
    [
      "a fraction",
      "0.24864766069308",
      "0.60769006744073",
      "number: 0.24864766069308 → 0.60769006744073",
    ],
    ["the number of processors", "threads 8", "threads 7", "cpus: 8 → 7"],
    ["another small number", "threads 8", "threads 9", "number: 8 → 9"],
    [
      "its folder",
      "in /home/of/hdash/run-1/x y",
      "in /home/of/hdash/verify-1/x y",
      "path: /home/of/hdash/run-1/x → /home/of/hdash/verify-1/x",
    ],
    ["another path", "in /home/of/a/x", "in /home/of/b/x", "text"],
    [
      "an identifier",
      "id 0d4f9872-c7b0-4630",
      "id 2f747549-15e8-4e89",
      "random: 0d4f9872-c7b0-4630 → 2f747549-15e8-4e89",
    ],
    ["words", "one word", "two words", "text"],
    ["what goes on", "same", "same and more", "size"],
    ["bytes", Buffer.from([0, 1, 2]), Buffer.from([0, 1, 3]), "bytes"],
    ["bytes of another length", Buffer.from([0, 1, 2]), Buffer.from([0, 3, 2, 1]), "size"],
    [
      "when gzip was run",
      Buffer.from("1f8b0800aabbccdd0003", "hex"),
      Buffer.from("1f8b0800aabbccde0003", "hex"),
      "time",
    ],
  ])("knows %s", (_name, before, now, expected) => {
    expect(kinds(before, now)).toBe(expected);
  });
});

describe("compareOutputs(before, sides)", () => {
  let dir: string;
  let blobs: BlobStore;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "hdash-comparing-"));
    blobs = openFolderBlobs(join(dir, "blobs"));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function put(codec: Codec, value: unknown) {
    const access = { blobs, withLedger: <T>(_of: string, work: () => Promise<T>) => work() };
    const blob = await encode(access, "out", codec, value);
    return { ...blob, codec, visibility: "private" as const };
  }
  async function compare(
    codec: Codec,
    before: unknown,
    now: unknown,
  ): Promise<readonly Difference[]> {
    const [was, is] = [await put(codec, before), await put(codec, now)];
    return sides({ out: was }, { out: is });
  }
  const sides = (before: Redone["outputs"], outputs: Redone["outputs"]) =>
    compareOutputs(before, { stored: blobs, redone: { outputs, blobs }, doings: DOINGS });

  let count = 0;
  async function folder(files: Readonly<Record<string, string>>, executable = "") {
    const root = join(dir, `folder-${count++}`);
    await mkdir(root);
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(root, path, ".."), { recursive: true });
      await writeFile(join(root, path), content, { mode: path === executable ? 0o755 : 0o644 });
    }
    return { path: root };
  }
  async function file(content: string) {
    const path = join(dir, `file-${count++}`);
    await writeFile(path, content);
    return path;
  }
  const places = (found: readonly Difference[]): readonly string[] =>
    found.map(({ path, kind, offset }) => `${path ?? "–"} ${kind} ${offset ?? "–"}`);

  test("finds nothing in what is the same, and ports that came or went", async () => {
    expect(await compare("json", { b: 1, a: 2 }, { a: 2, b: 1 })).toEqual([]);
    const one = await put("json", 1);
    const found = await sides({ old: one }, { fresh: one });
    expect(found.map(({ port, kind }) => `${port} ${kind}`)).toEqual([
      "old missing",
      "fresh added",
    ]);
  });

  test("names each file of a folder", async () => {
    const before = { "a.txt": "same", "b/c.txt": "size 10", "gone.txt": "x", "run.sh": "y" };
    const now = { "a.txt": "same", "b/c.txt": "size 12", "new/n.txt": "x", "run.sh": "y" };
    const found = await compare("folder", await folder(before), await folder(now, "run.sh"));
    expect(places(found)).toEqual([
      "b/c.txt number 6",
      "gone.txt missing –",
      "run.sh mode –",
      "new/n.txt added –",
    ]);
  });

  test("knows lists and folders in another order from others", async () => {
    const [a, b, c] = [await file("a"), await file("b"), await file("c 1")];
    const listed = (files: readonly string[]) =>
      files.map((path, at) => ({ path: String(at), contentType: "text/plain", file: path }));
    expect(places(await compare("files", listed([a, b]), listed([b, a])))).toEqual(["– order –"]);
    expect(places(await compare("files", listed([a, b]), listed([a, c])))).toEqual(["1 text 0"]);
    const [one, two, three] = [
      await folder({ x: "1" }),
      await folder({ x: "2" }),
      await folder({ y: "2" }),
    ];
    expect(places(await compare("folders", [one, two], [two, one]))).toEqual(["– order –"]);
    expect(places(await compare("folders", [one, two], [one, three]))).toEqual([
      "000001/x missing –",
      "000001/y added –",
    ]);
  });

  test("knows an order of words in small contents and of lines in large ones, and finds a byte in those", async () => {
    expect(places(await compare("json", ["a", "b", "c"], ["a", "c", "b"]))).toEqual(["– order 6"]);
    const line = (at: number): string => `${String(at).padStart(9, "0")} ${"x".repeat(89)}\n`;
    const lines = Array.from({ length: 90_000 }, (_, at) => line(at));
    const written = async (all: readonly string[]) => ({ path: await file(all.join("")) });
    const swapped = [...lines.slice(0, 50_000), ...lines.slice(50_000).reverse()];
    const before = await written(lines);
    expect(places(await compare("file", before, await written(swapped)))).toEqual([
      `– order ${50_000 * 100 + 4}`,
    ]);
    const other = [...lines.slice(0, 89_000), line(7), ...lines.slice(89_001)];
    expect(places(await compare("file", before, await written(other)))).toEqual([
      `– number ${89_000 * 100 + 4}`,
    ]);
  });

  test("says so where what is kept cannot be read any more", async () => {
    const [was, is] = [await put("text", "one"), await put("text", "two")];
    await blobs.remove(was.digest);
    expect(places(await sides({ out: was }, { out: is }))).toEqual(["– gone –"]);
  });
});
