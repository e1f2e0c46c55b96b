import { execFileSync } from "node:child_process";
import { chmod, cp, mkdir, realpath, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { digestOf } from "../../../../src/digest.ts";
import { type Files, makeFolder, newReader, refusalIn, write } from "./support/pipelineFolder.ts";

const FILES: Files = {
  "steps/align.ts": "export {};",
  "steps/bin/align.sh": "bwa",
  "steps/bin/lib/a.awk": "{ print }",
  "data/genes.tsv": "a\tb\n",
};

async function usedIn(folder: string, ...uses: readonly string[]) {
  return newReader().usedBy(join(folder, "steps/align.ts"), uses);
}

describe("usedBy(path, uses)", () => {
  test("lists files and folders by their paths from the module's folder", async () => {
    const folder = await makeFolder(FILES);
    await chmod(join(folder, "steps/bin/align.sh"), 0o755);
    const { files, folders } = await usedIn(folder, "bin/", "../data/genes.tsv", "./bin/align.sh");
    expect(files).toEqual([
      { path: "../data/genes.tsv", isExecutable: false, digest: digestOf("a\tb\n") },
      { path: "bin/align.sh", isExecutable: true, digest: digestOf("bwa") },
      { path: "bin/lib/a.awk", isExecutable: false, digest: digestOf("{ print }") },
    ]);
    expect(folders).toEqual(["bin", "bin/lib"]);
  });

  test("lists the module's own folder", async () => {
    const { files, folders } = await usedIn(await makeFolder(FILES), ".");
    expect(files.map(({ path }) => path)).toEqual(["align.ts", "bin/align.sh", "bin/lib/a.awk"]);
    expect(folders).toEqual([".", "bin", "bin/lib"]);
  });

  test.each<[string, (folder: string) => Promise<void>]>([
    ["a byte", (folder) => write(folder, { "steps/bin/lib/a.awk": "{ print 1 }" })],
    ["another file", (folder) => write(folder, { "steps/bin/b": "" })],
    ["a file that is gone", (folder) => write(folder, { "steps/bin/lib/a.awk": null })],
    ["an executable bit", (folder) => chmod(join(folder, "steps/bin/align.sh"), 0o755)],
    ["an empty folder", (folder) => mkdir(join(folder, "steps/bin/empty")).then(() => {})],
    [
      "a name",
      async (folder) => {
        await write(folder, { "steps/bin/lib/a.awk": null, "steps/bin/lib/b.awk": "{ print }" });
      },
    ],
  ])("changes the digest with %s", async (_, change) => {
    const folder = await makeFolder(FILES);
    const before = (await usedIn(folder, "bin")).digest;
    await change(folder);
    expect((await usedIn(folder, "bin")).digest).not.toBe(before);
  });

  test("keeps the digest in another folder, at another time, for another group", async () => {
    const folder = await makeFolder(FILES);
    const before = (await usedIn(folder, "bin")).digest;
    const other = join(await makeFolder({}), "other");
    await cp(folder, other, { recursive: true });
    await utimes(join(other, "steps/bin/align.sh"), 0, 0);
    await chmod(join(other, "steps/bin/align.sh"), 0o604);
    expect((await usedIn(other, "bin")).digest).toBe(before);
  });

  test("gives nothing for nothing, and that a digest", async () => {
    const used = await usedIn(await makeFolder(FILES));
    expect(used).toEqual({ digest: digestOf('{"files":[],"folders":[]}'), files: [], folders: [] });
  });

  test.each<[string, string, string | null]>([
    ["bin/alin.sh", "bin/alin.sh, which is not there", "Did you mean steps/bin/align.sh?"],
    ["bin/align.sh/x", "bin/align.sh/x, which is not there", null],
    ["link", "link, which is or goes through a link", "copy"],
    ["link/lib/a.awk", "link/lib/a.awk, which is or goes through a link", "copy"],
    ["linked", "linked/link, which is or goes through a link", "copy"],
    ["pipes", "pipes/pipe, which is or goes through neither file nor folder", "copy"],
  ])("refuses %s", async (used, says, hint) => {
    const folder = await realpath(await makeFolder({ ...FILES, "steps/linked/a": "" }));
    await symlink("bin", join(folder, "steps/link"));
    await symlink("a", join(folder, "steps/linked/link"));
    await mkdir(join(folder, "steps/pipes"));
    execFileSync("mkfifo", [join(folder, "steps/pipes/pipe")]);
    expect(await refusalIn(folder, usedIn(folder, used))).toEqual({
      says: `steps/align.ts uses steps/${says}`,
      hint: hint === "copy" ? "Name the file or the folder itself, or copy it there." : hint,
    });
  });

  test.each(["", "/etc/hosts"])("refuses %j, which is no path from the module", async (used) => {
    const folder = await realpath(await makeFolder(FILES));
    const { says } = await refusalIn(folder, usedIn(folder, used));
    expect(says).toBe(
      `steps/align.ts uses ${JSON.stringify(used)}, which is no path from its folder`,
    );
  });
});
