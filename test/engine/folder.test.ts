// Whole folders as what a step gives and takes: what is kept of them, what is refused, and that what is damaged of them heals.

import { execFileSync } from "node:child_process";
import {
  access,
  appendFile,
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../src/digest.ts";
import {
  type BlobFile,
  files,
  folder,
  json,
  type Place,
  type PlaceTree,
  type Plan,
  type Ref,
  step,
  type StoredFile,
  type StoredFolder,
} from "../../src/engine/step.ts";
import type { BlobStore } from "../../src/store/blobs.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, makeMemorySite, openWorld, type World } from "./world.ts";

/** Paths and what lies there: a text, null for an empty folder; in the order in which they are made. */
type Layout = readonly (readonly [path: string, text: string | null, mode?: number])[];

const LAYOUT: Layout = [
  ["read me.txt", "read"],
  ["bin/run", "#!/bin/sh", 0o755],
  ["bin/also", "same", 0o700],
  ["data/deep/er/same.txt", "same", 0o600],
  ["data/none/at/all", null],
  ["nothing", ""],
  ["back\\slash", "kept"],
  // Beyond U+FFFF, and what JavaScript sorts behind it.
  ["z/\u{1f600}", "smile"],
  ["z/\uff5e", "wave"],
];
/** What is kept of it, by code points. */
const KEPT = [
  ["back\\slash", "kept", 0o644],
  ["bin/also", "same", 0o755],
  ["bin/run", "#!/bin/sh", 0o755],
  ["data/deep/er/same.txt", "same", 0o644],
  ["data/none/at/all", null, null],
  ["nothing", "", 0o644],
  ["read me.txt", "read", 0o644],
  ["z/\uff5e", "wave", 0o644],
  ["z/\u{1f600}", "smile", 0o644],
];
const BYTES = 34;

async function make(dir: string, layout: Layout): Promise<string> {
  await mkdir(dir, { recursive: true });
  for (const [path, text, mode = 0o644] of layout) {
    await mkdir(join(dir, text === null ? path : join(path, "..")), { recursive: true });
    if (text === null) continue;
    await writeFile(join(dir, path), text);
    await chmod(join(dir, path), mode);
  }
  return dir;
}

/** What lies in a folder: its files with text and mode, and its empty folders. */
async function look(dir: string, below = ""): Promise<unknown[]> {
  const names = await readdir(join(dir, below));
  if (names.length === 0) return [[below.slice(0, -1), null, null]];
  const found: unknown[] = [];
  for (const name of names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const path = below + name;
    const info = await lstat(join(dir, path));
    if (info.isDirectory()) found.push(...(await look(dir, `${path}/`)));
    else found.push([path, await readFile(join(dir, path), "utf8"), info.mode & 0o7777]);
  }
  return found;
}

async function textOf(file: BlobFile | null): Promise<string | null> {
  if (file === null) return null;
  const pieces: Uint8Array[] = [];
  for await (const piece of file.stream()) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe.each(LEDGER_KINDS)("folder() on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  const calls: string[] = [];
  beforeEach(async () => {
    await startAfresh(world.database.db);
    await world.blobs.clear();
    world.warnings.length = 0;
    calls.length = 0;
  });

  async function lose(digest: Digest): Promise<void> {
    if (kind === "postgres") {
      await sql`delete from blob where digest = ${digest}`.execute(world.database.db);
      return;
    }
    await rm(join(world.dir, "blobs", digest.slice(0, 2), digest.slice(2)));
  }

  /** Changes a blob's bytes, and leaves its length as it was. */
  async function damage(digest: Digest): Promise<void> {
    if (kind === "postgres") {
      await sql`update blob_chunk set bytes = overlay(bytes placing '\\x00000000'::bytea from 6)
        where digest = ${digest}`.execute(world.database.db);
      return;
    }
    const path = join(world.dir, "blobs", digest.slice(0, 2), digest.slice(2));
    await chmod(path, 0o600);
    const bytes = await readFile(path);
    bytes[0] = ((bytes[0] ?? 0) + 1) % 256;
    await writeFile(path, bytes);
  }

  const pack = step({
    name: "pack",
    version: 1,
    outputs: { made: folder() },
    async run(_inputs: Record<never, never>, _params: { n: number }, ctx) {
      calls.push("pack");
      return { made: { path: await make(join(await ctx.workDir(), "made"), LAYOUT) } };
    },
  });
  const unpack = step({
    name: "unpack",
    version: 1,
    outputs: { found: json<unknown>() },
    async run({ made }: { made: StoredFolder }, params: { n: number }) {
      calls.push(`unpack ${params.n}`);
      const found = await look(await made.path());
      const list: unknown[] = [];
      for (const { path, bytes, isExecutable, file } of made.files()) {
        list.push([path, bytes, isExecutable, await textOf(file)]);
      }
      const { bytes, count } = made;
      return { found: { found, list, bytes, count } };
    },
  });
  const readOne = step({
    name: "read one",
    version: 1,
    outputs: { text: json<string>() },
    async run({ file }: { file: BlobFile }, params: { n: number }) {
      calls.push(`read one ${params.n}`);
      return { text: await readFile(await file.path(), "utf8") };
    },
  });
  const unpacked = {
    found: KEPT,
    list: KEPT.filter(([, text]) => text !== null).map(([path, text, mode]) => [
      ...[path, Buffer.byteLength(String(text)), mode === 0o755, text],
    ]),
    bytes: BYTES,
    count: KEPT.length - 1,
  };

  test("keeps paths, contents, executable bits and empty folders, and lays them out again", async () => {
    const { record } = await finish(world, async (p) => {
      const { made } = await p.do(pack, { params: { n: 0 }, inputs: {} });
      expect([made.codec, made.visibility]).toEqual(["folder", "private"]);
      const { found } = await p.do(unpack, { params: { n: 0 }, inputs: { made } });
      expect(await p.read(found)).toEqual(unpacked);
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
  });

  test("is read by the plan as a step reads it; what is not in it is null", async () => {
    const { record } = await finish(world, async (p) => {
      const { made } = await p.do(pack, { params: { n: 0 }, inputs: {} });
      const got = await p.read(made);
      expect([got.digest, got.bytes, got.count]).toEqual([made.digest, BYTES, 8]);
      expect(await textOf(got.at("bin/run"))).toBe("#!/bin/sh");
      for (const path of ["bin", "none", "data/none/at/all", "", "./nothing", "constructor"]) {
        expect(got.at(path)).toBeNull();
      }
      const dir = await got.path();
      expect(await look(dir)).toEqual(KEPT);
      // One copy for one reader; another reader's is another.
      expect([await got.path(), await (await p.read(made)).path()]).toEqual([
        dir,
        expect.not.stringMatching(dir),
      ]);
      // Nothing of the laying out is left beside it.
      expect(await readdir(join(dir, ".."))).toHaveLength(1);
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
  });

  test("has copies of its own for a step: what is written into one harms nobody, and it is gone after the step", async () => {
    const seen: string[] = [];
    const spoil = step({
      name: "spoil",
      version: 1,
      outputs: { all: json<null>() },
      async run({ made, other }: { made: StoredFolder; other: StoredFolder }) {
        const dir = await made.path();
        seen.push(dir);
        for (const [path, text] of KEPT) {
          if (text !== null) await appendFile(join(dir, String(path)), "spoilt");
        }
        await rm(join(dir, "bin"), { recursive: true });
        await writeFile(join(dir, "more"), "more");
        expect(await look(await other.path())).toEqual(KEPT);
        return { all: null };
      },
    });
    const { record } = await finish(world, async (p) => {
      const { made } = await p.do(pack, { params: { n: 0 }, inputs: {} });
      await p.do(spoil, { params: null, inputs: { made, other: made } });
      await expect(access(seen[0] ?? "")).rejects.toThrow("ENOENT");
      const { found } = await p.do(unpack, { params: { n: 0 }, inputs: { made } });
      expect(await p.read(found)).toEqual(unpacked);
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
    expect([calls, world.warnings]).toEqual([["pack", "unpack 0"], []]);
  });

  test("is handed on by a step that takes one, as it is", async () => {
    const handOn = step({
      name: "hand on",
      version: 1,
      outputs: { made: folder() },
      run: async ({ made }: { made: StoredFolder }) => ({ made: { path: await made.path() } }),
    });
    const { record } = await finish(world, async (p) => {
      const { made } = await p.do(pack, { params: { n: 0 }, inputs: {} });
      const again = await p.do(handOn, { params: null, inputs: { made } });
      expect(again.made.digest).toBe(made.digest);
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
  });

  /** Loses or damages something of a folder between two steps, and tells which steps ran. */
  async function healed(harm: (made: Ref<StoredFolder>) => Promise<void>): Promise<void> {
    const plan = (n: number) => async (p: Plan) => {
      const { made } = await p.do(pack, { params: { n: 0 }, inputs: {} });
      if (n === 2) await harm(made);
      const { found } = await p.do(unpack, { params: { n }, inputs: { made } });
      expect(await p.read(found)).toEqual(unpacked);
    };
    await finish(world, plan(1));
    const { record } = await finish(world, plan(2));
    expect([record.status, record.error]).toEqual(["succeeded", null]);
  }
  const RUN = digestOf("#!/bin/sh");

  test.each([
    ["damaged", () => damage(RUN), ["unpack 2"]],
    ["gone", () => lose(RUN), ["unpack 2"]],
    // Without its list a step does not begin.
    ["gone with the list", ({ digest }: Ref<StoredFolder>) => lose(digest), []],
  ])("is made again where a file of it is %s", async (what, harm, began) => {
    await healed(harm);
    expect(calls).toEqual(["pack", "unpack 1", ...began, "pack", "unpack 2"]);
    expect(world.warnings).toEqual([
      expect.stringMatching(
        what === "damaged"
          ? /^unpack cannot read an input: blob \w+ is damaged in .*; it is made again$/
          : /^unpack cannot read an input: blob \w+ is missing in .*; it is made again$/,
      ),
    ]);
    expect(Buffer.from(await world.blobs.read(RUN)).toString()).toBe("#!/bin/sh");
  });

  test("is made again where the plan reads it, before it gets it", async () => {
    const { record } = await finish(world, async (p) => {
      const { made } = await p.do(pack, { params: { n: 0 }, inputs: {} });
      await lose(RUN);
      const got = await p.read(made);
      expect(calls).toEqual(["pack", "pack"]);
      expect(await look(await got.path())).toEqual(KEPT);
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
  });

  test("gives single files as inputs, which are made again with it", async () => {
    const { record } = await finish(world, async (p) => {
      const { made } = await p.do(pack, { params: { n: 0 }, inputs: {} });
      expect(await p.fileIn(made, "bin/walk")).toBeNull();
      const file = await p.fileIn(made, "bin/run");
      expect(file).toEqual({ digest: RUN, bytes: 9, codec: "file", visibility: "private" });
      if (file === null) return;
      await lose(RUN);
      const { text } = await p.do(readOne, { params: { n: 1 }, inputs: { file } });
      expect(await p.read(text)).toBe("#!/bin/sh");
      expect(calls).toEqual(["pack", "read one 1", "pack", "read one 1"]);
      // Its list, too, is made again where it is needed.
      await lose(made.digest);
      expect(await p.fileIn(made, "bin/run")).toEqual(file);
      expect(calls.slice(4)).toEqual(["pack"]);
      await damage(RUN);
      expect(await textOf(await p.read(file))).toBe("#!/bin/sh");
      expect(calls.slice(5)).toEqual(["pack"]);
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
  });

  test("and files() that the plan has read give inputs by their digests", async () => {
    const write = step({
      name: "write",
      version: 1,
      outputs: { set: files() },
      async run(_inputs: Record<never, never>, _params: null, ctx) {
        calls.push("write");
        const file = join(await ctx.workDir(), "one");
        await writeFile(file, "one of a set");
        return { set: [{ path: "one", contentType: "text/plain", file }] };
      },
    });
    const refOf = ({ digest, bytes }: BlobFile): Ref<BlobFile> => {
      return { digest, bytes, codec: "file", visibility: "private" };
    };
    const { record } = await finish(world, async (p) => {
      const { made } = await p.do(pack, { params: { n: 0 }, inputs: {} });
      const { set } = await p.do(write, { params: null, inputs: {} });
      const wave = (await p.read(made)).at("z/\uff5e");
      const [one] = (await p.read(set)) as readonly [StoredFile];
      if (wave === null) return;
      for (const { digest } of [wave, one.file]) await lose(digest);
      for (const [n, file] of [wave, one.file].entries()) {
        const { text } = await p.do(readOne, { params: { n }, inputs: { file: refOf(file) } });
        calls.push(await p.read(text));
      }
    });
    expect([record.status, record.error]).toEqual(["succeeded", null]);
    expect(calls).toEqual([
      ...["pack", "write", "read one 0", "pack", "read one 0", "wave"],
      ...["read one 1", "write", "read one 1", "one of a set"],
    ]);
  });
});

describe("folder()", () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld("embedded");
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await startAfresh(world.database.db);
  });

  let count = 0;
  /** Has a step give what is made in its folder; tells its digest, or why it could not be stored. */
  async function give(
    prepare: (dir: string) => Promise<unknown>,
    blobs: BlobStore = world.blobs,
  ): Promise<string> {
    let digest: string | null = null;
    const pack = step({
      name: "pack",
      version: 1,
      outputs: { made: folder() },
      async run(_inputs: Record<never, never>, _params: { n: number }, ctx) {
        const path = join(await ctx.workDir(), "made");
        await mkdir(path);
        await prepare(path);
        return { made: { path } };
      },
    });
    const { record } = await finish({ ...world, blobs }, async (p) => {
      digest = (await p.do(pack, { params: { n: count++ }, inputs: {} })).made.digest;
    });
    return digest ?? record.error ?? "";
  }
  const TWO: Layout = [
    ["a/x", "x", 0o755],
    ["a/y", "y"],
    ["b", null],
  ];
  const digestOfLayout = (layout: Layout) => give((dir) => make(dir, layout));

  test("has one digest, whatever order its files were made in, and whenever and by whom", async () => {
    const other: Layout = [
      ["b", null],
      ["a/y", "y", 0o604],
      ["a/x", "x", 0o4711],
    ];
    const later = await give(async (dir) => {
      await make(dir, other);
      await utimes(join(dir, "a/x"), 1000, 1000);
      await chmod(join(dir, "b"), 0o700);
      if (process.getuid?.() === 0) execFileSync("chown", ["-R", "1234:1234", dir]);
    });
    const linked = await give(async (dir) => {
      await make(dir, TWO);
      await rename(join(dir, "a/y"), join(dir, "a/z"));
      await symlink("z", join(dir, "a/y"));
      await rename(join(dir, "a/z"), join(dir, "a/y"));
    });
    const first = await digestOfLayout(TWO);
    expect([first, later, linked]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), first, first]);
    // As it is stored for ever: another text is another key of every step that takes it.
    expect(Buffer.from(await world.blobs.read(first as Digest)).toString()).toBe(
      [
        '{"folder":1}',
        `{"bytes":1,"isExecutable":true,"path":"a/x","sha256":"${digestOf("x")}"}`,
        `{"bytes":1,"isExecutable":false,"path":"a/y","sha256":"${digestOf("y")}"}`,
        '{"isFolder":true,"path":"b"}',
        "",
      ].join("\n"),
    );
  });

  test("has another digest for another executable bit, path, content or empty folder", async () => {
    const layouts: readonly Layout[] = [
      TWO,
      [],
      [...TWO.slice(1), ["a/x", "x", 0o655]],
      [...TWO.slice(0, 2), ["c", null]],
      TWO.slice(0, 2),
      [...TWO, ["b/z", ""]],
      [["a/X", "x", 0o755], ...TWO.slice(1)],
      [["a/x", "X", 0o755], ...TWO.slice(1)],
    ];
    const digests: string[] = [];
    for (const layout of layouts) digests.push(await digestOfLayout(layout));
    expect(new Set(digests).size).toBe(layouts.length);
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  test("stores each content once", async () => {
    await world.blobs.clear();
    await digestOfLayout([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [`${n}/same`, "same"]));
    // One and the list.
    expect(await world.blobs.clear()).toBe(2);
  });

  test("stores a link that stays inside as the file that it leads to", async () => {
    const linked = await give(async (dir) => {
      await make(dir, [["a/x", "x", 0o755]]);
      await symlink("a/x", join(dir, "near"));
      await symlink("../near", join(dir, "a/twice"));
      await symlink(join(dir, "a/x"), join(dir, "absolute"));
    });
    const x = ["x", 0o755] as const;
    expect(linked).toBe(
      await digestOfLayout([
        ...[
          ["a/x", ...x] as const,
          ["near", ...x] as const,
          ["a/twice", ...x] as const,
          ["absolute", ...x] as const,
        ],
      ]),
    );
  });

  const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");
  test.each<[string, (dir: string) => Promise<unknown>, string | RegExp]>([
    [
      "a link out of the folder",
      (dir) => symlink("/etc/passwd", join(dir, "sub/out")),
      /: sub\/out is a link that leads out of the folder, to \/\S*etc\/passwd$/,
    ],
    [
      "a link to a neighbour whose name begins like the folder's",
      async (dir) => {
        await writeFile(`${dir}-other`, "not ours");
        await symlink("../../made-other", join(dir, "sub/out"));
      },
      /: sub\/out is a link that leads out of the folder, to \S+\/made-other$/,
    ],
    [
      "a dangling link",
      (dir) => symlink("none", join(dir, "sub/dangling")),
      /: sub\/dangling is a link that leads nowhere: ENOENT\b/,
    ],
    [
      "a link in a circle",
      (dir) => symlink("circle", join(dir, "sub/circle")),
      /: sub\/circle is a link that leads nowhere: ELOOP\b/,
    ],
    [
      "a link to a folder",
      (dir) => symlink("sub", join(dir, "twin")),
      ": twin is a link to a folder, not to a file",
    ],
    [
      "a link to the folder itself",
      (dir) => symlink("..", join(dir, "sub/up")),
      ": sub/up is a link to a folder, not to a file",
    ],
    [
      "a link to a pipe",
      async (dir) => {
        execFileSync("mkfifo", [join(dir, "sub/z")]);
        await symlink("z", join(dir, "sub/a"));
      },
      ": sub/a is a link to a pipe, not to a file",
    ],
    [
      "a pipe",
      async (dir) => void execFileSync("mkfifo", [join(dir, "sub/pipe")]),
      ": sub/pipe is a pipe, not a file",
    ],
    [
      "a name that is not UTF-8",
      (dir) => writeFile(Buffer.concat([Buffer.from(`${dir}/sub/`), latin1("b\xe4d\n")]), ""),
      ": sub/b\\xe4d\\n has a name that is not UTF-8",
    ],
    [
      "a folder whose name is not UTF-8",
      (dir) => mkdir(Buffer.concat([Buffer.from(`${dir}/`), latin1("\xff")])),
      ": \\xff has a name that is not UTF-8",
    ],
    [
      "a name with control characters",
      (dir) => writeFile(join(dir, "sub/a\nb\u001b[2J\u0085"), ""),
      ": sub/a\\nb\\u{1b}[2J\\u{85} has a name with control characters, or none",
    ],
    [
      "a path that is not there",
      (dir) => rm(dir, { recursive: true }),
      /: \S+\/made cannot be read: ENOENT\b.*$/,
    ],
    [
      "a file where a folder is wanted",
      async (dir) => {
        await rm(dir, { recursive: true });
        await writeFile(dir, "x");
      },
      /: \S+\/made is a file, not a folder$/,
    ],
    [
      "a link where a folder is wanted",
      async (dir) => {
        await rm(dir, { recursive: true });
        await symlink("/etc", dir);
      },
      /: \S+\/made is a link, not a folder$/,
    ],
  ])("refuses %s", async (_what, prepare, says) => {
    const error = await give(async (dir) => {
      await make(dir, [["sub/fine", "fine"]]);
      await prepare(dir);
    });
    const begin = "output pack.made cannot be stored";
    if (typeof says === "string") expect(error).toBe(begin + says);
    else {
      expect(error.startsWith(begin)).toBe(true);
      expect(error.slice(begin.length)).toMatch(says);
    }
  });

  test("refuses a socket", async () => {
    const server = createServer();
    try {
      const error = await give(async (dir) => {
        await new Promise<void>((resolve) => server.listen(join(dir, "s"), resolve));
      });
      expect(error).toBe("output pack.made cannot be stored: s is a socket, not a file");
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  // Only root can make one.
  test.runIf(process.getuid?.() === 0)("refuses a device", async () => {
    const error = await give(async (dir) => {
      execFileSync("sh", ["-c", 'mknod "$1" c 1 3', "sh", join(dir, "null")]);
    });
    expect(error).toBe("output pack.made cannot be stored: null is a device, not a file");
  });

  test.each([
    ["x", /^output pack.made has no path$/],
    [{}, /^output pack.made has no path$/],
  ])("refuses %j instead of a path", async (value, says) => {
    const broken = step({
      name: "pack",
      version: 1,
      outputs: { made: folder() },
      run: () => Promise.resolve({ made: value as never }),
    });
    const { record } = await finish(world, async (p) => {
      await p.do(broken, { params: null, inputs: {} as Record<never, never> });
    });
    expect(record.error).toMatch(says);
  });

  test.each<[string, (path: string) => Promise<unknown>]>([
    ["written to", (path) => appendFile(path, "more")],
    [
      "written over and set back",
      async (path) => {
        await writeFile(path, "another");
        await utimes(path, 1000, 1000);
      },
    ],
    ["put in another's place", (path) => rename(path, `${path}.gone`)],
    [
      "made a link",
      async (path) => {
        await unlink(path);
        await symlink("other", path);
      },
    ],
  ])("refuses a file that is %s while it is stored", async (_what, change) => {
    const { blobs } = world;
    const prepare = async (dir: string) => {
      await make(dir, [["sub/file", "content"]]);
      await utimes(join(dir, "sub/file"), 1000, 1000);
    };
    const error = await give(prepare, {
      ...blobs,
      putFile: async (path, signal) => {
        const blob = await blobs.putFile(path, signal);
        await change(path);
        return blob;
      },
    });
    expect(error).toBe("output pack.made cannot be stored: sub/file changed while it was stored");
  });

  test("begins nothing any more after a failure, and waits for what goes on", async () => {
    const { blobs } = world;
    let [begun, ended] = [0, 0];
    const failure = Promise.withResolvers<void>();
    const layout: Layout = Array.from({ length: 50 }, (_, n) => [`${n}`, `${n}`]);
    const error = await give((dir) => make(dir, layout), {
      ...blobs,
      putFile: async (path, signal) => {
        if (++begun === 4) {
          failure.resolve();
          throw new Error("the disk is gone");
        }
        await failure.promise;
        // Longer than a run takes to end.
        await new Promise((resolve) => setTimeout(resolve, 200));
        const blob = await blobs.putFile(path, signal);
        ended++;
        return blob;
      },
    });
    expect(error).toMatch(/the disk is gone$/);
    expect([begun, ended]).toEqual([4, 3]);
  });

  test("is not laid out by a list that leads out of the folder, or is none", async () => {
    const line = (path: string) =>
      `{"bytes":1,"isExecutable":false,"path":"${path}","sha256":"${digestOf("x")}"}`;
    for (const [text, says] of [
      [`{"folder":1}\n${line("../x")}\n`, /it has a line \{"bytes":1,.*"\.\.\/x"/],
      [`{"folder":1}\n${line("/x")}\n`, /it has a line/],
      [`{"folder":1}\n${line("b")}\n${line("a")}\n`, /a does not stand in its place$/],
      [`{"folder":1}\n${line("a")}\n${line("a")}\n`, /a does not stand in its place$/],
      [`{"folder":1}\n${line("a")}`, /first or last line is another's$/],
      [`{"folder":2}\n`, /first or last line is another's$/],
      [`{"folder":1}\n{"path":"a"}\n`, /it has a line \{"path":"a"\}$/],
      [`[]`, /first or last line is another's$/],
    ] as const) {
      const blob = await world.blobs.put(Buffer.from(text));
      const { record } = await finish(world, async (p) => {
        const ref: Ref<StoredFolder> = { ...blob, codec: "folder", visibility: "private" };
        await p.fileIn(ref, "x");
      });
      expect(record.error).toMatch(says);
      expect(record.error?.startsWith(`blob ${blob.digest} is no list of a folder: `)).toBe(true);
    }
  });

  test("is not published: types refuse it as a tree, and the run as an object or where types were got around", async () => {
    const place: Place<"private"> = {
      publisher: makeMemorySite("memory://place"),
      visibility: "private",
    };
    const pack = step({
      name: "pack",
      version: 1,
      outputs: { made: folder() },
      run: async (_inputs: Record<never, never>, _params: null, ctx) => ({
        made: { path: await make(await ctx.workDir(), TWO) },
      }),
    });
    for (const [entryOf, says] of [
      [
        (tree: Ref<StoredFolder, "private">) => ({
          prefix: "x/",
          scope: null,
          // @ts-expect-error: a folder is no set of files for a place.
          tree: tree satisfies PlaceTree<"private">["tree"] as never,
        }),
        /^blob \w+ is no list of a tree$/,
      ],
      [
        (content: Ref<StoredFolder, "private">) => ({
          ...{ key: "x", contentType: "text/plain", scope: null, content },
        }),
        /^what is to be published as "x" is a private folder, not a private or public object$/,
      ],
    ] as const) {
      const { record } = await finish(world, async (p) => {
        const { made } = await p.do(pack, { params: null, inputs: {} });
        await p.publish(place, () => Promise.resolve({ entries: [entryOf(made)] }));
      });
      expect(record.error).toMatch(says);
    }
  });
});
