import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { openFolderBlobs } from "../../src/store/folderBlobs.ts";
import { openFolderBucket } from "../../src/store/folderBucket.ts";
import { checkFolder, checkSiteFolder } from "../../src/store/folderCheck.ts";
import { refusal } from "../support/refusal.ts";
import { asNobody, mountSmall, whyNoMount } from "../support/smallDisk.ts";

const USE = { setting: "HDASH_HOME", leastBytes: 1_000_000 };
const PUT = { contentType: "text/plain", cacheControl: "no-store" };

let dir = "";

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-check-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function says(work: Promise<unknown>): Promise<string> {
  const { kind, message, hint } = await refusal(work);
  expect([kind, hint, message.includes("\n")]).toEqual(["config", null, false]);
  return message;
}

describe("checkFolder(dir, use)", () => {
  test("is content with a folder, and with one that can be made, and makes nothing", async () => {
    await checkFolder(dir, USE);
    await checkFolder(join(dir, "a", "b"), USE);
    expect(await readdir(dir)).toEqual([]);
  });

  test("refuses a file, and what lies in one", async () => {
    const file = join(dir, "file");
    await writeFile(file, "");
    expect(await says(checkFolder(file, USE))).toBe(`HDASH_HOME: ${file} is a file; name a folder`);
    expect(await says(checkFolder(join(file, "below"), USE))).toBe(
      `HDASH_HOME: ${file}/below cannot be made: ${file} is a file; name a folder`,
    );
  });

  test("refuses where this user may not write", async () => {
    await chmod(dir, 0o755);
    const own = join(dir, "own");
    await mkdir(own, { mode: 0o755 });
    // Its own user may write where another may not.
    const said = await asNobody(() => says(checkFolder(join(own, "new"), USE)));
    if (said === null) return;
    expect(said).toBe(
      `HDASH_HOME: user 65534 has no right to write to ${own}/new, in ${own}; give that right, or name another folder`,
    );
  });

  test("refuses what cannot be looked at, and says why", async () => {
    const loop = join(dir, "loop");
    await symlink(loop, loop);
    expect(await says(checkFolder(join(loop, "below"), USE))).toMatch(
      /^HDASH_HOME: .*loop\/below cannot be looked at: ELOOP.*; name another folder$/,
    );
  });

  test("refuses a disk on which no file can be made any more", async () => {
    if (whyNoMount() !== null) return void console.warn(whyNoMount());
    const disk = mountSmall(dir, 2_000_000, { files: 2 });
    try {
      await mkdir(join(disk.path, "last"));
      expect(await says(checkFolder(join(disk.path, "x"), USE))).toMatch(
        /^HDASH_HOME: the disk of .*\/x, in .* is full \(no file can be made\); free some space, or name a folder on another disk$/,
      );
    } finally {
      disk.unmount();
    }
  });

  test("refuses a disk that is full, and has writers of a site and of blobs name folder and remedy", async () => {
    if (whyNoMount() !== null) return void console.warn(whyNoMount());
    const disk = mountSmall(dir, 2_000_000);
    try {
      await checkFolder(disk.path, USE);
      const large = new Uint8Array(3_000_000);
      const site = openFolderBucket(join(disk.path, "site"));
      const put = await refusal(site.put("a.txt", large, PUT));
      expect(put.message).toMatch(/^a\.txt in .*site cannot be written: ENOSPC/);
      expect(put.message).toContain(
        `; free some space on the disk of ${disk.path}/site, or name a folder on another disk (HDASH_SITE_DIR`,
      );
      const place = openFolderBucket(join(disk.path, "raw"), { setting: "COHORT_RAW" });
      const own = await refusal(place.put("a/b.gz", large, PUT));
      expect(own.message).toContain(
        `; free some space on the disk of ${disk.path}/raw, or name a folder on another disk (COHORT_RAW)`,
      );
      const blob = await refusal(openFolderBlobs(join(disk.path, "blobs")).put(large));
      expect(blob.message).toContain(
        `; free some space on the disk of ${disk.path}/blobs, or name a folder on another disk (HDASH_HOME)`,
      );
      // Nothing was left of what did not fit.
      await writeFile(join(disk.path, "fill"), new Uint8Array(1_500_000));
      expect(await says(checkFolder(join(disk.path, "x"), USE))).toMatch(
        /^HDASH_HOME: the disk of .*\/x, in .* is full \(\d+ .?B free, 1\.00 MB needed\); free some space, or name a folder on another disk$/,
      );
    } finally {
      disk.unmount();
    }
  });
});

describe("checkSiteFolder(dir, setting)", () => {
  test.each([
    ["a folder that is not there", []],
    ["a site", ["assets/site.0123abcd.css", "index.html", "HTA1.html"]],
    ["a site that was begun", ["assets/site.0123abcd.css"]],
    ["a site of figures", ["matrices/assets/site.0123abcd.css", "README"]],
    ["a folder with nothing but hidden files", [".gitkeep", ".DS_Store"]],
  ])("is content with %s", async (_what, files) => {
    const site = join(dir, "site");
    for (const file of files) {
      await mkdir(join(site, file, ".."), { recursive: true });
      await writeFile(join(site, file), "");
    }
    await checkSiteFolder(site, "--site");
  });

  test.each([
    ["other folders beside a site of its own", ["site/assets/site.0123abcd.css", "src/main.ts"]],
    ["a style sheet of ours that is not where a site's is", ["site.0123abcd.css"]],
  ])("refuses a folder with %s", async (_what, files) => {
    for (const file of files) {
      await mkdir(join(dir, file, ".."), { recursive: true });
      await writeFile(join(dir, file), "");
    }
    expect(await says(checkSiteFolder(dir, "--site"))).toContain("holds no site of hdash");
  });

  test("refuses a folder that holds something else, and names some of it", async () => {
    for (const name of ["commands", "store", "assets", "main.ts"]) await mkdir(join(dir, name));
    await writeFile(join(dir, "assets", "site.css"), "");
    expect(await says(checkSiteFolder(dir, "--site"))).toBe(
      `--site: ${dir} is not empty and holds no site of hdash (there are assets, commands, main.ts and 1 more); name an empty folder or a new one`,
    );
  });

  test("asks who should know where the folder does not tell", async () => {
    await writeFile(join(dir, "page.html"), "");
    await checkSiteFolder(dir, "--site", () => Promise.resolve(true));
    await says(checkSiteFolder(dir, "--site", () => Promise.resolve(false)));
  });

  test("refuses a file", async () => {
    await writeFile(join(dir, "file"), "");
    expect(await says(checkSiteFolder(join(dir, "file"), "--site"))).toContain("is a file");
  });
});
