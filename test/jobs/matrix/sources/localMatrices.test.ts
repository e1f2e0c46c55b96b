import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { MatrixSource } from "../../../../src/jobs/matrix/source.ts";
import { openLocalMatrices } from "../../../../src/jobs/matrix/sources/localMatrices.ts";
import { firstEntry } from "../../../support/firstEntry.ts";
import { refusal } from "../../../support/refusal.ts";

const UUID = "00000000-0000-4000-8000-000000000001";
const OTHER = "abcdef00-0000-4000-8000-000000000002";
const NEVER = new AbortController().signal;
const WATCHING = { signal: NEVER, onProgress(): void {} };
const FIXTURES = join(import.meta.dirname, "../../../fixtures/matrix");

let scratch: string;
let dir: string;
let source: MatrixSource;

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "hdash-local-"));
  dir = join(scratch, "matrices");
  await mkdir(dir);
  source = openLocalMatrices(dir);
});

afterEach(() => rm(scratch, { recursive: true, force: true }));

function write(name: string, text: string): Promise<void> {
  return writeFile(join(dir, name), text);
}

async function writeFolder(name: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(dir, name), { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(dir, name, file), text);
}

async function versions(): Promise<unknown> {
  const { entries } = await source.list(NEVER);
  return entries.map(({ id, version }) => [id, version["sha256"]]);
}

async function words(work: Promise<unknown>): Promise<readonly [string, string]> {
  const { kind, message } = await refusal(work);
  expect(message).not.toContain(scratch);
  return [kind, message];
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Does something as a user who has no right to everything. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  await Promise.all([chmod(scratch, 0o755), chmod(dir, 0o755)]);
  process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

/** The digests that a memory holds, by what follows the folder in their paths. */
async function remembered(path: string): Promise<unknown> {
  const { files } = JSON.parse(await readFile(path, "utf8")) as {
    files: readonly (readonly [string, string, string])[];
  };
  return files.map(([file, , hash]) => [file.slice(dir.length + 1), hash]);
}

describe("openLocalMatrices(dir).list(signal)", () => {
  test("lists files and folders that are named like matrices, largest first", async () => {
    await write(`${OTHER.toUpperCase()}.homo_sapiens.mtx.zip`, "12345");
    await write(`${UUID}.h5ad`, "1");
    await writeFolder(`${UUID}.mus_musculus.mtx`, { "matrix.mtx": "12", "genes.tsv": "3" });
    const folder = `"genes.tsv" ${sha256("3")}\n"matrix.mtx" ${sha256("12")}\n`;
    const entryOf = (id: string, fileName: string, bytes: number, hash: string): unknown => ({
      id,
      projectId: id.split(".")[0],
      species: id.split(".")[1] ?? null,
      title: id,
      fileName,
      bytes,
      version: { sha256: hash },
      sha256: fileName.endsWith(".mtx") ? null : hash,
      approaches: [],
      cells: null,
      pageUrl: null,
      locator: fileName,
    });
    expect(await source.list(NEVER)).toEqual({
      entries: [
        entryOf(
          `${OTHER}.homo_sapiens`,
          `${OTHER.toUpperCase()}.homo_sapiens.mtx.zip`,
          5,
          sha256("12345"),
        ),
        entryOf(`${UUID}.mus_musculus`, `${UUID}.mus_musculus.mtx`, 3, sha256(folder)),
        entryOf(UUID, `${UUID}.h5ad`, 1, sha256("1")),
      ],
      skips: [],
    });
    expect([source.kind, source.label]).toEqual(["local", "a local folder"]);
  });

  test("reads the matrices of the fixtures once they are named", async () => {
    await cp(join(FIXTURES, "tenx"), join(dir, UUID), { recursive: true });
    await cp(join(FIXTURES, "csr.h5ad"), join(dir, `${OTHER}.h5ad`));
    const { size } = await stat(join(FIXTURES, "csr.h5ad"));
    const { entries, skips } = await source.list(NEVER);
    expect(entries.map(({ id, bytes }) => [id, bytes === size])).toEqual([
      [OTHER, true],
      [UUID, false],
    ]);
    expect(skips).toEqual([]);
  });

  test("skips what is named otherwise, is empty, or is there twice; hidden files do not count", async () => {
    await write("notes.txt", "x");
    await write(`${UUID}.rds`, "x");
    await write(`${UUID}.h5ad`, "x");
    await write(`${UUID}.loom`, "x");
    await write(".DS_Store", "x");
    await write("blacklist", UUID);
    await writeFolder(OTHER, { ".DS_Store": "x" });
    const { entries, skips } = await source.list(NEVER);
    expect(entries.map(({ fileName }) => fileName)).toEqual([`${UUID}.h5ad`]);
    expect(skips.map(({ id, why, message }) => [id, why, message])).toEqual([
      [UUID, "format", `${UUID}.rds is an R object, which is not read.`],
      ["notes.txt", "name", "notes.txt is a text table, which is not read."],
      [OTHER, "empty", `The folder ${OTHER} is empty.`],
      [UUID, "another file", `${UUID}.loom is not read, since ${UUID}.h5ad has the same id.`],
    ]);
  });

  test("takes any name of what is a matrix, and tells apart what an id would make alike", async () => {
    const mtx = { "matrix.mtx": "1", "genes.tsv": "2" };
    await writeFolder("pbmc3k", mtx);
    await writeFolder("10k PBMC (v3)", mtx);
    await writeFolder("10k-PBMC-v3-", mtx);
    await writeFolder("index", mtx);
    await write("brain.mus_musculus.h5ad", "x");
    await write("cells.v2.h5", "x");
    await writeFolder("archive", { "cells.h5ad": "x" });
    const { entries, skips } = await source.list(NEVER);
    const mark = (name: string): string => sha256(name).slice(0, 6);
    expect(
      entries.map(({ id, projectId, species, title }) => [id, projectId, species, title]).sort(),
    ).toEqual([
      ["10k-PBMC-v3-", "10k-PBMC-v3-", null, "10k-PBMC-v3-"],
      [
        `10k-PBMC-v3--${mark("10k PBMC (v3)")}`,
        `10k-PBMC-v3--${mark("10k PBMC (v3)")}`,
        null,
        "10k PBMC (v3)",
      ],
      ["archive", "archive", null, "archive"],
      ["brain.mus_musculus", "brain", "mus_musculus", "brain.mus_musculus"],
      ["cells.v2", "cells.v2", null, "cells.v2"],
      [`index-${mark("index")}`, `index-${mark("index")}`, null, "index"],
      ["pbmc3k", "pbmc3k", null, "pbmc3k"],
    ]);
    expect(skips).toEqual([]);
  });

  test("names what is no matrix, with what it lacks", async () => {
    await writeFolder("analysis/umap", { "projection.csv": "x" });
    await writeFolder("nothing", {});
    await write("counts.rds", "x");
    await writeFolder("a", { "matrix.mtx": "1" });
    await write("stray.mtx.gz", "x");
    await write("genes.tsv", "x");
    const { entries, skips } = await source.list(NEVER);
    expect(entries.map(({ id }) => id)).toEqual(["a"]);
    const part = "is only a part of a matrix: put it and its tables into a folder of their own.";
    expect(skips.map(({ id, why, message }) => [id, why, message])).toEqual([
      ["stray.mtx.gz", "part", `stray.mtx.gz ${part}`],
      ["genes.tsv", "part", `genes.tsv ${part}`],
      [
        "analysis",
        "format",
        "The folder analysis has no .mtx and no file of another format that is read in it.",
      ],
      ["counts.rds", "name", "counts.rds is an R object, which is not read."],
      ["nothing", "empty", "The folder nothing is empty."],
    ]);
  });

  test.each([
    ["a folder with a matrix in it", "pbmc3k", { "matrix.mtx": "1", "genes.tsv": "2" }, ""],
    ["the folder, with a slash", "pbmc3k/", { "matrix.mtx.gz": "1" }, ""],
    ["a file", "pbmc3k/x.h5ad", { "x.h5ad": "1", "y.h5ad": "1" }, "x"],
  ])("takes %s for the matrix itself", async (_what, path, files, id) => {
    await writeFolder("pbmc3k", files);
    const itself = openLocalMatrices(join(dir, path));
    const { entries, skips } = await itself.list(NEVER);
    expect([entries.map((entry) => entry.id), skips]).toEqual([[id || "pbmc3k"], []]);
    const entry = await firstEntry(itself);
    const { path: pulled } = await itself.pull(entry, scratch, WATCHING);
    expect(pulled).toBe(join(dir, path).replace(/\/$/, ""));
    expect(await itself.blacklist(NEVER)).toBeNull();
    expect(
      (await refusal(itself.pull({ ...entry, locator: "..", fileName: ".." }, scratch, WATCHING)))
        .kind,
    ).toBe("permanent");
  });

  test("says that a .mtx alone is no matrix", async () => {
    await writeFolder("pbmc3k", { "matrix.mtx": "1" });
    const { entries, skips } = await openLocalMatrices(join(dir, "pbmc3k/matrix.mtx")).list(NEVER);
    expect([entries, skips.map(({ why }) => why)]).toEqual([[], ["part"]]);
  });

  test("follows links wherever they lead, but within a matrix only to what is its own", async () => {
    await write("kept", "one");
    await symlink("kept", join(dir, `${UUID}.h5ad`));
    await writeFile(join(scratch, "outside"), "secret");
    await symlink(join(scratch, "outside"), join(dir, `${OTHER}.h5ad`));
    await symlink("nowhere", join(dir, `${OTHER}.loom`));
    await symlink(`${OTHER}.h5`, join(dir, `${OTHER}.h5`));
    await writeFolder(`${OTHER}.in`, { "matrix.mtx": "1" });
    await symlink("../kept", join(dir, `${OTHER}.in`, "genes.tsv"));
    await writeFolder(`${OTHER}.out`, { "matrix.mtx": "1" });
    await symlink(join(scratch, "outside"), join(dir, `${OTHER}.out`, "genes.tsv"));
    await writeFolder(`${OTHER}.round`, { "matrix.mtx": "1" });
    await symlink("..", join(dir, `${OTHER}.round`, "up"));
    await mkdir(join(scratch, "elsewhere"));
    await writeFile(join(scratch, "elsewhere", "matrix.mtx"), "1");
    await writeFile(join(scratch, "elsewhere", "genes"), "22");
    await symlink("genes", join(scratch, "elsewhere", "genes.tsv"));
    await symlink(join(scratch, "elsewhere"), join(dir, "linked"));
    await symlink(scratch, join(dir, "back"));
    await symlink("/", join(dir, "all"));
    const { entries, skips } = await source.list(NEVER);
    expect(entries.map(({ id, bytes }) => [id, bytes])).toEqual([
      [OTHER, 6],
      ["linked", 5],
      [`${OTHER}.in`, 4],
      [UUID, 3],
    ]);
    const put = "link the whole folder, or put the file there.";
    expect(skips.map(({ why, message }) => [why, message])).toEqual([
      ["link", "all is a link to a folder that this one lies in."],
      ["link", "back is a link to a folder that this one lies in."],
      ["name", expect.any(String)],
      ["unreadable", `${OTHER}.out/genes.tsv is a link that leads out of the folder: ${put}`],
      ["unreadable", `${OTHER}.round/up is a link to another folder: ${put}`],
      ["another file", `${OTHER}.loom is not read, since ${OTHER}.h5ad has the same id.`],
      ["another file", `${OTHER}.h5 is not read, since ${OTHER}.h5ad has the same id.`],
    ]);
  });

  test("minds links and pipes within a matrix only where they are called as what is read", async () => {
    const mtx = { "matrix.mtx": "1", "genes.tsv": "2" };
    for (const name of ["fine", "nowhere", "piped", "more"]) await writeFolder(name, mtx);
    await symlink("nothing", join(dir, "fine", "notes.txt"));
    await symlink("/etc/passwd", join(dir, "fine", "report.pdf"));
    await symlink(".", join(dir, "fine", "again"));
    await symlink("nothing", join(dir, "nowhere", "barcodes.tsv"));
    // It may be a folder with more of the matrix, on a disk that is not there.
    await symlink("nothing", join(dir, "more", "sample2"));
    await writeFolder(UUID, { a: "1" });
    await symlink("nothing", join(dir, UUID, "b.txt"));
    execFileSync(
      "mkfifo",
      ["log", "barcodes.tsv"].map((name) => join(dir, "piped", name)),
    );
    await symlink("barcodes.tsv", join(dir, "piped", "cells.tsv"));
    const { entries, skips } = await source.list(NEVER);
    expect(entries.map(({ id, bytes }) => [id, bytes])).toEqual([["fine", 2]]);
    expect(skips.map(({ message }) => message).sort()).toEqual([
      `${UUID}/b.txt is a link that leads nowhere.`,
      "more/sample2 is a link that leads nowhere.",
      "nowhere/barcodes.tsv is a link that leads nowhere.",
      "piped/barcodes.tsv is a pipe, and no file.",
    ]);
    await rm(join(dir, "piped", "barcodes.tsv"));
    execFileSync("mkfifo", [join(dir, "pipe.h5ad"), join(dir, "piped", "pipe")]);
    const { skips: others } = await source.list(NEVER);
    expect(others.map(({ why, message }) => [why, message])).toEqual(
      expect.arrayContaining([
        ["unreadable", "pipe.h5ad is a pipe, and no file or folder."],
        ["unreadable", "piped/cells.tsv is a link that leads nowhere."],
      ]),
    );
  });

  test("skips what is neither file nor folder, and folders that hold too much", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(dir, `${UUID}.h5ad`), resolve));
    await mkdir(join(dir, OTHER));
    for (let at = 0; at <= 10_000; at++) writeFileSync(join(dir, OTHER, String(at)), "");
    const { entries, skips } = await source.list(NEVER);
    await new Promise((resolve) => server.close(resolve));
    expect([entries, skips.map(({ why, message }) => [why, message])]).toEqual([
      [],
      [
        ["format", `The folder ${OTHER} has more than 10000 files.`],
        ["unreadable", `${UUID}.h5ad is a socket, and no file or folder.`],
      ],
    ]);
  });

  test("changes a version with the content, and only then", async () => {
    const path = join(dir, `${UUID}.h5ad`);
    await write(`${UUID}.h5ad`, "one");
    const first = await versions();
    await utimes(path, 1000, 1000);
    expect(await versions()).toEqual(first);
    await write(`${UUID}.h5ad`, "two");
    // The old time and the old size: only what cannot be set back tells.
    await utimes(path, 1000, 1000);
    expect(await versions()).toEqual([[UUID, sha256("two")]]);
    await writeFolder(OTHER, { a: "1" });
    const before = await firstEntry(source);
    await rm(join(dir, OTHER, "a"));
    await writeFolder(OTHER, { b: "1" });
    expect((await versions()) as unknown[]).not.toContainEqual([OTHER, before.version["sha256"]]);
  });

  test("skips what it has no right to read, and lists the rest", async () => {
    await write(`${UUID}.h5ad`, "one");
    await chmod(join(dir, `${UUID}.h5ad`), 0);
    await writeFolder(`${UUID}.mouse`, { "matrix.mtx": "1" });
    await chmod(join(dir, `${UUID}.mouse`), 0o111);
    await write(`${OTHER}.h5ad`, "two");
    const { entries, skips } = await asNobody(() => source.list(NEVER));
    expect(entries.map(({ id }) => id)).toEqual([OTHER]);
    expect(skips.map(({ projectId, why, message }) => [projectId, why, message])).toEqual([
      [UUID, "unreadable", `${UUID}.h5ad cannot be read (EACCES).`],
      [UUID, "unreadable", `${UUID}.mouse cannot be read (EACCES).`],
    ]);
  });

  test("skips what vanishes while it lists", async () => {
    await write(`${UUID}.h5ad`, "one");
    await write(`${OTHER}.h5ad`, "two");
    const isWanted = (): boolean => {
      rmSync(join(dir, `${OTHER}.h5ad`), { force: true });
      return true;
    };
    const { entries, skips } = await source.list(NEVER, { isWanted });
    expect(entries.map(({ id }) => id)).toEqual([UUID]);
    expect(skips).toEqual([
      {
        id: OTHER,
        projectId: OTHER,
        title: OTHER,
        why: "gone",
        message: `${OTHER}.h5ad was removed while the folder was read.`,
      },
    ]);
  });

  test("gives the name of what it may not read to no other matrix", async () => {
    const mtx = { "matrix.mtx": "1", "genes.tsv": "2" };
    await write("good.h5ad", "x");
    await writeFolder("good", mtx);
    await write("fine.h5ad", "x");
    await write("fine.loom", "x");
    // Either would be "a-b" alone.
    await writeFolder("a b", mtx);
    await writeFolder("a+b", mtx);
    await symlink("nowhere", join(dir, "lost.h5ad"));
    await mkdir(join(dir, "lost+found"));
    const ids = async () => {
      const { entries, skips } = await asNobody(() => source.list(NEVER));
      return {
        read: entries.map(({ id, fileName }) => [id, fileName]).sort(),
        skips: skips.map(({ id, title, why, message }) => [id, title, why, message]).sort(),
      };
    };
    const before = await ids();
    for (const name of ["good.h5ad", "fine.loom", "a b", "lost+found"]) {
      await chmod(join(dir, name), 0);
    }
    const mark = sha256("a+b").slice(0, 6);
    const { read, skips } = await ids();
    expect([before.read.map(([id]) => id), read]).toEqual([
      ["a-b", `a-b-${mark}`, "fine", "good"],
      [
        [`a-b-${mark}`, "a+b"],
        ["fine", "fine.h5ad"],
      ],
    ]);
    expect(skips).toEqual([
      ["a-b", "a b", "unreadable", "a b cannot be read (EACCES)."],
      ["fine", "fine", "another file", "fine.loom is not read, since fine.h5ad has the same id."],
      ["good", "good", "another file", "good is not read, since good.h5ad has the same id."],
      ["good", "good", "unreadable", "good.h5ad cannot be read (EACCES)."],
      ["lost", "lost", "unreadable", "lost.h5ad is a link that leads nowhere."],
    ]);
  });

  test("lists what is not wanted without reading it", async () => {
    await write(`${UUID}.h5ad`, "one");
    await chmod(join(dir, `${UUID}.h5ad`), 0);
    await writeFolder(`${UUID}.mouse`, { "matrix.mtx": "1" });
    await write(`${OTHER}.h5ad`, "two22");
    const asked: unknown[] = [];
    const { entries, skips } = await asNobody(() =>
      source.list(NEVER, {
        isWanted({ id, projectId }) {
          asked.push([id, projectId]);
          return projectId === OTHER;
        },
      }),
    );
    expect(asked).toEqual([
      [UUID, UUID],
      [`${UUID}.mouse`, UUID],
      [OTHER, OTHER],
    ]);
    expect(entries.map(({ id, bytes, version, sha256 }) => [id, bytes, version, sha256])).toEqual([
      [OTHER, 5, { sha256: sha256("two22") }, sha256("two22")],
      [UUID, 3, {}, null],
      [`${UUID}.mouse`, null, {}, null],
    ]);
    expect(skips).toEqual([]);
    const unread = entries.find(({ id }) => id === UUID);
    if (unread === undefined) throw new Error("no entry");
    expect((await words(source.pull(unread, scratch, WATCHING)))[0]).toBe("transient");
  });

  test("says when there is no folder, and stops when told to", async () => {
    await write(`${UUID}.h5ad`, "one");
    expect(await words(source.list(AbortSignal.abort()))).toEqual([
      "aborted",
      `stopped while reading ${UUID}.h5ad`,
    ]);
    await rm(dir, { recursive: true });
    expect(await words(source.list(NEVER))).toEqual([
      "config",
      "the folder of matrices cannot be read (ENOENT)",
    ]);
  });
});

describe("openLocalMatrices(dir, { rememberIn }).list(signal)", () => {
  let memory: string;
  const warnings: string[] = [];
  const log = { warn: (message: string): void => void warnings.push(message) };

  beforeEach(() => {
    memory = join(scratch, "cache", "digests.json");
    warnings.length = 0;
  });

  /** Lists as a new process does, and returns ids and digests. */
  async function listAgain(isWanted: (entry: { id: string }) => boolean = () => true) {
    const again = openLocalMatrices(dir, { rememberIn: memory, log });
    const { entries } = await again.list(NEVER, { isWanted });
    return entries.map(({ id, version }) => [id, version["sha256"]]);
  }

  /** Gives every file that is remembered another digest: whoever gives that back did not read the file. */
  async function mark(): Promise<string> {
    const lie = "0".repeat(64);
    const text = await readFile(memory, "utf8");
    await writeFile(memory, text.replace(/"[0-9a-f]{64}"/g, `"${lie}"`));
    return lie;
  }

  test("reads a file once over all runs, unless it changed", async () => {
    await write(`${UUID}.h5ad`, "one");
    await write(`${OTHER}.h5ad`, "two");
    expect(await listAgain()).toEqual([
      [UUID, sha256("one")],
      [OTHER, sha256("two")],
    ]);
    const lie = await mark();
    await write(`${OTHER}.h5ad`, "new");
    expect(await listAgain()).toEqual([
      [UUID, lie],
      [OTHER, sha256("new")],
    ]);
    // The same size and time, but another file.
    const { atime, mtime } = await stat(join(dir, `${UUID}.h5ad`));
    await write("next", "ONE");
    await utimes(join(dir, "next"), atime, mtime);
    await rename(join(dir, "next"), join(dir, `${UUID}.h5ad`));
    expect((await listAgain())[0]).toEqual([UUID, sha256("ONE")]);
    expect([await readdir(join(scratch, "cache")), warnings]).toEqual([["digests.json"], []]);
  });

  test("remembers what is listed now and nothing else, wanted or not", async () => {
    await write(`${UUID}.h5ad`, "one");
    await writeFolder(OTHER, { a: "1", b: "2" });
    await listAgain();
    expect(await remembered(memory)).toEqual([
      [`${UUID}.h5ad`, sha256("one")],
      [`${OTHER}/a`, sha256("1")],
      [`${OTHER}/b`, sha256("2")],
    ]);
    await rm(join(dir, OTHER, "a"));
    await rm(join(dir, `${UUID}.h5ad`));
    await listAgain();
    expect(await remembered(memory)).toEqual([[`${OTHER}/b`, sha256("2")]]);
    await write(`${UUID}.h5ad`, "one");
    await listAgain(({ id }) => id === UUID);
    expect(await remembered(memory)).toEqual([
      [`${UUID}.h5ad`, sha256("one")],
      [`${OTHER}/b`, sha256("2")],
    ]);
  });

  test("keeps what was read where the listing was stopped", async () => {
    await write(`${UUID}.h5ad`, "one");
    await write(`${OTHER}.h5ad`, "two");
    const stop = new AbortController();
    const stopped = openLocalMatrices(dir, { rememberIn: memory }).list(stop.signal, {
      isWanted({ id }) {
        if (id === OTHER) stop.abort();
        return true;
      },
    });
    expect((await words(stopped))[0]).toBe("aborted");
    expect(await remembered(memory)).toEqual([[`${UUID}.h5ad`, sha256("one")]]);
  });

  test.each([
    ["is no JSON", () => "{"],
    ["holds something else", () => "null"],
    ["is of another format", (text: string) => text.replace('"format":1', '"format":2')],
    ["has no list", () => '{"format":1,"files":{}}'],
    ["has a line of another kind", () => '{"format":1,"files":[7]}'],
    ["has a digest that is none", (text: string) => text.replace(/0{64}/, "0")],
    ["has a state that is none", (text: string) => text.replace(/"\d+ /, '"')],
  ])("ignores a memory that %s", async (_what, damage) => {
    await write(`${UUID}.h5ad`, "one");
    await listAgain();
    await mark();
    await writeFile(memory, damage(await readFile(memory, "utf8")));
    expect(await listAgain()).toEqual([[UUID, sha256("one")]]);
    expect([await remembered(memory), warnings]).toEqual([[[`${UUID}.h5ad`, sha256("one")]], []]);
  });

  test("warns where nothing can be remembered, and lists all the same", async () => {
    await write(`${UUID}.h5ad`, "one");
    await mkdir(memory, { recursive: true });
    expect(await listAgain()).toEqual([[UUID, sha256("one")]]);
    expect(warnings).toEqual([
      "digests of local matrices cannot be remembered (EISDIR): the next run reads them again",
    ]);
    expect(await readdir(join(scratch, "cache"))).toEqual(["digests.json"]);
  });
});

describe("openLocalMatrices(dir).confirm(entry, signal)", () => {
  test("is content with what did not change, and reads again only what moved", async () => {
    await write(`${UUID}.h5ad`, "one");
    const rememberIn = join(scratch, "digests.json");
    await openLocalMatrices(dir, { rememberIn }).list(NEVER);
    // The digest of other content: as long as it stands, the file has not been read.
    const text = await readFile(rememberIn, "utf8");
    await writeFile(rememberIn, text.replace(sha256("one"), sha256("other")));
    const { list, confirm } = openLocalMatrices(dir, { rememberIn });
    const [entry] = (await list(NEVER)).entries;
    if (entry === undefined || confirm === undefined) throw new Error("no entry");
    expect(entry.version).toEqual({ sha256: sha256("other") });
    await confirm(entry, NEVER);
    await utimes(join(dir, `${UUID}.h5ad`), 1000, 1000);
    expect((await words(confirm(entry, NEVER)))[0]).toBe("transient");
    await confirm({ ...entry, version: { sha256: sha256("one") } }, NEVER);
  });

  test.each([
    ["is changed", () => write(`${OTHER}/a`, "2")],
    ["is joined by another", () => write(`${OTHER}/b`, "2")],
    ["is removed", () => rm(join(dir, OTHER), { recursive: true })],
  ])("throws where a file of a folder %s", async (_what, change) => {
    await writeFolder(OTHER, { a: "1" });
    const entry = await firstEntry(source);
    await change();
    expect(await words(source.confirm?.(entry, NEVER) ?? Promise.resolve())).toEqual([
      "transient",
      `${OTHER} was changed or removed after it was listed`,
    ]);
  });
});

describe("openLocalMatrices(dir).blacklist(signal)", () => {
  test("reads ids, and tells none from an empty one", async () => {
    expect(await source.blacklist(NEVER)).toBeNull();
    await write("blacklist", "");
    expect(await source.blacklist(NEVER)).toEqual([]);
    await write("blacklist", `# why\n${UUID}\n\n`);
    expect(await source.blacklist(NEVER)).toEqual([UUID]);
    await rm(join(dir, "blacklist"));
    await mkdir(join(dir, "blacklist"));
    expect(await words(source.blacklist(NEVER))).toEqual([
      "permanent",
      "blacklist cannot be read (EISDIR)",
    ]);
  });
});

describe("openLocalMatrices(dir).pull(entry, dir, options)", () => {
  test("gives the user's own file, and reads nothing over the network", async () => {
    await write(`${UUID}.h5ad`, "one");
    const seen: unknown[] = [];
    const onProgress = (done: number, total: number | null): void => void seen.push([done, total]);
    expect(
      await source.pull(await firstEntry(source), scratch, { signal: NEVER, onProgress }),
    ).toEqual({
      path: join(dir, `${UUID}.h5ad`),
      bytes: 0,
    });
    expect(seen).toEqual([[3, 3]]);
  });

  test.each([
    ["changed", () => write(`${UUID}.h5ad`, "two")],
    ["removed", () => rm(join(dir, `${UUID}.h5ad`))],
    [
      "turned into a link",
      async () => {
        await rm(join(dir, `${UUID}.h5ad`));
        await symlink("/dev/null", join(dir, `${UUID}.h5ad`));
      },
    ],
  ])("tells a file that was %s since it was listed as passing", async (_what, change) => {
    await write(`${UUID}.h5ad`, "one");
    const entry = await firstEntry(source);
    await change();
    expect(await words(source.pull(entry, scratch, WATCHING))).toEqual([
      "transient",
      `${UUID}.h5ad was changed or removed after it was listed`,
    ]);
  });

  test.each(["../outside", "a/b", ".hidden", "a\\b", ".."])(
    "refuses the name %s, which is none in the folder",
    async (name) => {
      await write(`${UUID}.h5ad`, "one");
      const entry = { ...(await firstEntry(source)), locator: name, fileName: name };
      expect(await words(source.pull(entry, scratch, WATCHING))).toEqual([
        "permanent",
        `${JSON.stringify(name)} is not a name in the folder`,
      ]);
    },
  );
});
