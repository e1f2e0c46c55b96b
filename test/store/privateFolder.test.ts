import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Log, SILENT } from "../../src/log.ts";
import { closeFolder } from "../../src/store/privateFolder.ts";
import { refusal } from "../support/refusal.ts";
import { asNobody } from "../support/smallDisk.ts";

const USER = process.geteuid?.() ?? 0;

let dir = "";
let warnings: string[] = [];
const log: Log = { ...SILENT, warn: (message) => void warnings.push(message) };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-private-"));
  warnings = [];
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const close = (): Promise<void> => closeFolder(dir, "HDASH_HOME", log);
const modeOf = async (): Promise<string> => ((await stat(dir)).mode & 0o7777).toString(8);

async function says(): Promise<string> {
  const { kind, message } = await refusal(close());
  expect(kind).toBe("config");
  return message.replaceAll(dir, "DIR");
}

describe("closeFolder(dir, setting, log)", () => {
  test("has nothing to say of a folder that is closed, or not there", async () => {
    await mkdir(join(dir, "blobs"));
    await close();
    await closeFolder(join(dir, "none"), "HDASH_HOME", log);
    expect(warnings).toEqual([]);
  });

  test.each([
    ["empty", null],
    ["hdash's", "database"],
    ["a demo's", "story"],
  ])("closes one that others may enter and that is %s, and says so", async (_what, name) => {
    if (name !== null) await mkdir(join(dir, name));
    await chmod(dir, 0o775);
    await close();
    expect(await modeOf()).toBe("700");
    expect(warnings).toEqual([
      `HDASH_HOME: ${dir} was open to others (mode 775) and is closed now to all but user ${USER}`,
    ]);
  });

  test("refuses an open one with other things in it, which stay as they are", async () => {
    for (const name of ["thesis", "mail", "music", "photos"]) await mkdir(join(dir, name));
    await chmod(dir, 0o755);
    expect(await says()).toBe(
      "HDASH_HOME: DIR is open to others (mode 755) and not a folder of hdash's own: mail, music, photos and 1 more; name one that is empty or new",
    );
    expect(await modeOf()).toBe("755");
  });

  test("refuses one into which everybody may put something", async () => {
    await chmod(dir, 0o1777);
    expect(await says()).toContain("(mode 1777) and not a folder of hdash's own; name one");
  });

  test("refuses one that holds a link, wherever it leads", async () => {
    await mkdir(join(dir, "database"));
    await symlink("/etc", join(dir, "blobs"));
    expect(await says()).toBe(
      "HDASH_HOME: DIR holds a link: blobs → /etc; put the folder itself there, or let the setting name where it is",
    );
  });

  test("refuses one that holds what is another user's, and one that it cannot close", async () => {
    if (USER !== 0) return void console.warn("nothing was given away: only root may do that");
    await writeFile(join(dir, "database"), "");
    await chown(join(dir, "database"), 12_345, 12_345);
    expect(await says()).toContain(`holds database, which is user 12345's and not user 0's`);
    await rm(join(dir, "database"));
    await chmod(dir, 0o777);
    expect(await asNobody(says)).toMatch(
      /is open to others \(mode 777\) and cannot be closed: .*EPERM.*; give it to user 65534, or name a folder below it$/,
    );
  });
});
