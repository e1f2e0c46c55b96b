import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import type { Bucket } from "../../src/store/bucket.ts";
import { openFolderBucket } from "../../src/store/folderBucket.ts";
import { refusal } from "../support/refusal.ts";

const PAGE = { contentType: "text/html; charset=utf-8", cacheControl: "no-cache" };

let scratch: string;
let dir: string;
let bucket: Bucket;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "hdash-folder-"));
  dir = join(scratch, "site");
  bucket = openFolderBucket(dir);
});

afterEach(() => rm(scratch, { recursive: true, force: true }));

function put(key: string, text: string, signal?: AbortSignal): Promise<string> {
  return bucket.put(key, Buffer.from(text), PAGE, signal);
}

async function read(key: string): Promise<string | null> {
  const body = await bucket.get(key);
  return body === null ? null : Buffer.from(body).toString();
}

/** Reads a list to its end. */
async function collect<T>(listed: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const one of listed) all.push(one);
  return all;
}

async function keys(): Promise<readonly string[]> {
  return (await collect(bucket.list())).map(({ key }) => key);
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** What a refusal says, without the name of this run's folder. */
async function words(work: Promise<unknown>): Promise<string> {
  const { kind, message } = await refusal(work);
  return `${kind}: ${message.replaceAll(scratch, "…")}`;
}

function partOf(key: string): string {
  return `.hdash-${digestOf(key).slice(0, 16)}.part`;
}

describe("openFolderBucket(dir)", () => {
  test("names itself by its address and makes nothing before the first put", async () => {
    expect(bucket.uri).toBe(pathToFileURL(dir).href);
    expect([await keys(), await read("index.html")]).toEqual([[], null]);
    await bucket.delete(["index.html"]);
    expect(existsSync(dir)).toBe(false);
  });

  test("puts, replaces, reads and lists objects with the MD5 of their content", async () => {
    expect(await put("index.html", "old")).toBe(md5("old"));
    expect(await put("index.html", "new!")).toBe(md5("new!"));
    await put("data/deep/a b.json", "{}");
    expect(await collect(bucket.list())).toEqual([
      { key: "data/deep/a b.json", etag: md5("{}"), bytes: 2 },
      { key: "index.html", etag: md5("new!"), bytes: 4 },
    ]);
    expect(await read("index.html")).toBe("new!");
    expect(await readFile(join(dir, "data/deep/a b.json"), "utf8")).toBe("{}");
  });

  test("puts objects of the same new folder at the same time", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `a/b/${String(index).padStart(2, "0")}`);
    await Promise.all(names.map((name) => put(name, name)));
    expect(await keys()).toEqual(names);
  });

  test("deletes objects with the folders that they leave empty, and no others", async () => {
    await put("a/b/c/one.json", "1");
    await put("a/two.json", "2");
    await bucket.delete(["a/b/c/one.json", "a/never.json", "x/y/z.json"]);
    expect(await readdir(join(dir, "a"))).toEqual(["two.json"]);
    await bucket.delete(["a/two.json"]);
    expect(await readdir(dir)).toEqual([]);
  });

  test("lists the keys below a folder, without a look at what lies elsewhere or at what is in them", async () => {
    for (const key of ["a/b/one", "a/b/c/two", "a/bc", "a/b.txt"]) await put(key, "1");
    // To digest as much takes longer than anybody waits.
    await truncate(join(dir, "a/b/one"), 2 ** 36);
    expect(await collect(bucket.keys("a/b/"))).toEqual(["a/b/c/two", "a/b/one"]);
    expect(await collect(bucket.keys("a/x/"))).toEqual([]);
    await symlink(join(dir, "a"), join(dir, "link"));
    expect(await words(collect(bucket.keys("link/b/")))).toMatch(
      /^permanent: link\/b\/ in …\/site cannot be listed: .* is a symbolic link$/,
    );
  });

  test("takes no folder for an object", async () => {
    await put("a/b", "1");
    expect([await read("a"), await read("a/b/c")]).toEqual([null, null]);
    expect(await words(put("a", "2"))).toMatch(
      /^permanent: a in …\/site cannot be written: EISDIR/,
    );
    expect(await words(put("a/b/c", "3"))).toBe(
      "permanent: a/b/c in …/site cannot be written: …/site/a/b is not a folder",
    );
    await bucket.delete(["a/b/c"]);
    expect(await keys()).toEqual(["a/b"]);
    expect(await readdir(dir)).toEqual(["a"]);
  });

  test("says so when the folder cannot be made, listed or cleaned", async () => {
    await writeFile(dir, "a file");
    expect(await words(put("index.html", "x"))).toMatch(
      /^permanent: index.html in …\/site cannot be written: EEXIST/,
    );
    expect(await keys()).toEqual([]);
    await rm(dir);
    await mkdir(join(dir, "index.html"), { recursive: true });
    expect(await words(bucket.delete(["index.html"]))).toMatch(
      /^permanent: index.html in …\/site cannot be deleted: /,
    );
  });

  test("overwrites what a killed run left, and lists none of it", async () => {
    await mkdir(dir);
    await writeFile(join(dir, partOf("index.html")), "half");
    await symlink(scratch, join(dir, partOf("runs.html")));
    expect(await keys()).toEqual([]);
    await put("index.html", "whole");
    await put("runs.html", "whole");
    expect((await readdir(dir)).sort()).toEqual(["index.html", "runs.html"]);
    expect(await words(put(partOf("x"), "x"))).toMatch(
      /^permanent: .* is a name kept for unfinished/,
    );
  });

  test("refuses keys that climb out of the folder", async () => {
    for (const key of ["../out.html", "/out.html", "a/../../out.html"]) {
      expect(await words(put(key, "x"))).toMatch(/^permanent: .* cannot name an object/);
      expect(await words(bucket.get(key))).toMatch(/^permanent: .* cannot name an object/);
      expect(await words(bucket.delete([key]))).toMatch(/^permanent: .* cannot name an object/);
    }
    expect(await readdir(scratch)).toEqual([]);
  });

  test("follows no link out of the folder", async () => {
    const outside = join(scratch, "outside");
    await mkdir(outside);
    await writeFile(join(outside, "kept.html"), "kept");
    await put("index.html", "home");
    await symlink(outside, join(dir, "folder"));
    await symlink(join(outside, "kept.html"), join(dir, "file.html"));
    const linked = "…/site/folder is a symbolic link";
    expect(await words(put("folder/kept.html", "x"))).toBe(
      `permanent: folder/kept.html in …/site cannot be written: ${linked}`,
    );
    expect(await words(bucket.get("folder/kept.html"))).toBe(
      `permanent: folder/kept.html in …/site cannot be read: ${linked}`,
    );
    expect(await words(bucket.delete(["folder/kept.html"]))).toBe(
      `permanent: folder/kept.html in …/site cannot be deleted: ${linked}`,
    );
    expect([await keys(), await read("file.html")]).toEqual([["index.html"], null]);
    await put("file.html", "ours now");
    expect(await readFile(join(outside, "kept.html"), "utf8")).toBe("kept");
    expect(await readFile(join(dir, "file.html"), "utf8")).toBe("ours now");
    expect(await readlink(join(dir, "folder"))).toBe(outside);
  });

  test("deletes a link, not what it points to", async () => {
    await writeFile(join(scratch, "target.html"), "kept");
    await mkdir(dir);
    await symlink(join(scratch, "target.html"), join(dir, "link.html"));
    await bucket.delete(["link.html"]);
    expect([await readdir(dir), await readFile(join(scratch, "target.html"), "utf8")]).toEqual([
      [],
      "kept",
    ]);
  });

  test("stops when it is told to", async () => {
    await put("index.html", "home");
    const signal = AbortSignal.abort("stop");
    expect(await words(put("a.html", "x", signal))).toBe("aborted: stopped before a.html");
    expect(await words(bucket.get("a.html", signal))).toBe("aborted: stopped before a.html");
    expect(await words(bucket.delete(["a.html"], signal))).toBe("aborted: stopped before a.html");
    expect(await words(collect(bucket.list(signal)))).toBe("aborted: stopped before index.html");
  });
});
