// Sets of files of any size: paths on their way out of a step, blobs on their way into one, and to the site by streaming.

import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../src/digest.ts";
import {
  files,
  json,
  type Plan,
  publicFiles,
  type Ref,
  step,
  type StoredFile,
  type WrittenFile,
} from "../../src/engine/step.ts";
import { SILENT } from "../../src/log.ts";
import { makePublisher } from "../../src/publish/publish.ts";
import { openFolderBucket } from "../../src/store/folderBucket.ts";
import { openPublications } from "../../src/store/publications.ts";
import { type BlobBucket, openBlobBucket } from "../support/blobBucket.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, openWorld, type World } from "./world.ts";

const BINARY = "application/octet-stream";
/** More than the publisher holds in memory. */
const LARGE = Buffer.alloc(9 * 1024 * 1024, "large ");

describe.each([...LEDGER_KINDS, "postgres and a bucket"] as const)(
  "files() and publicFiles() on %s",
  (kind) => {
    let world: World;
    let work: BlobBucket | null = null;
    beforeAll(async () => {
      if (kind === "postgres and a bucket") {
        const bucket = await openBlobBucket();
        work = bucket;
        world = await openWorld("postgres", (db) => bucket.open(db));
      } else {
        world = await openWorld(kind);
      }
    });
    afterAll(async () => {
      await world.close();
      await work?.close();
    });
    const calls: string[] = [];
    beforeEach(async () => {
      await startAfresh(world.database.db);
      await world.blobs.clear();
      world.warnings.length = 0;
      calls.length = 0;
    });

    const write = step({
      name: "write",
      version: 1,
      outputs: { own: files(), shown: publicFiles() },
      async run(_inputs: Record<never, never>, params: readonly string[], ctx) {
        calls.push("write");
        const made: WrittenFile[] = [];
        for (const path of params) {
          const file = join(await ctx.workDir(), path.replaceAll("/", "-"));
          await writeFile(file, path.startsWith("large") ? LARGE : `text of ${path}`);
          made.push({ path, contentType: BINARY, file });
        }
        return { own: made, shown: made };
      },
    });
    const read = step({
      name: "read",
      version: 1,
      outputs: { said: json<Record<string, string>>() },
      async run({ set }: { set: readonly StoredFile[] }, params: { n: number }) {
        calls.push(`read ${params.n}`);
        const said: Record<string, string> = {};
        for (const { path, contentType, file } of set) {
          const copy = digestOf(await readFile(await file.path()));
          const pieces: Uint8Array[] = [];
          for await (const piece of file.stream()) pieces.push(piece);
          const isSame = copy === file.digest && digestOf(Buffer.concat(pieces)) === copy;
          said[path] = `${contentType} ${file.bytes} ${isSame ? "whole" : "broken"}`;
        }
        return { said };
      },
    });

    async function listOf(ref: Ref<unknown>): Promise<readonly { path: string; digest: Digest }[]> {
      return JSON.parse(Buffer.from(await world.blobs.read(ref.digest)).toString()) as never;
    }

    async function lose(digest: Digest): Promise<void> {
      const key = `foo/blobs/${digest.slice(0, 2)}/${digest}`;
      if (kind === "embedded") {
        await rm(join(world.dir, "blobs", digest.slice(0, 2), digest.slice(2)));
      } else if (work?.s3.objects("work").has(key) === true) {
        work.s3.removeObject("work", key);
      } else {
        await sql`delete from blob where digest = ${digest}`.execute(world.database.db);
      }
    }

    const ran = {
      "a/b.txt": `${BINARY} 15 whole`,
      "large.bin": `${BINARY} ${LARGE.length} whole`,
    };

    test("take files by their paths and give them as blobs, in whatever order they were made", async () => {
      const digests: Digest[] = [];
      const { record } = await finish(world, async (p) => {
        for (const [n, paths] of [
          ["a/b.txt", "large.bin"],
          ["large.bin", "a/b.txt"],
        ].entries()) {
          const { own, shown } = await p.do(write, { params: paths, inputs: {} });
          digests.push(own.digest, shown.digest);
          const { said } = await p.do(read, { params: { n }, inputs: { set: shown } });
          expect(await p.read(said)).toEqual(ran);
          expect([own.codec, own.visibility, shown.visibility]).toEqual([
            ...["files", "private", "public"],
          ]);
        }
      });
      expect([record.status, record.error]).toEqual(["succeeded", null]);
      expect(new Set(digests).size).toBe(1);
      expect(calls).toEqual(["write", "read 0", "write", "read 1"]);
    });

    test.each<[string, unknown, RegExp]>([
      ["no list", "x", /^output break.set is not a list of files$/],
      [
        "a path that climbs",
        [{ path: "../x", contentType: BINARY, file: "x" }],
        /plain relative one/,
      ],
      [
        "one path twice",
        [1, 2].map(() => ({ path: "x", contentType: BINARY, file: "x" })),
        /has two files named x$/,
      ],
      ["no content type", [{ path: "x", file: "x" }], /no content type for x$/],
      [
        "bytes where a path is wanted",
        [{ path: "x", contentType: BINARY, bytes: Buffer.of(1) }],
        /^output break.set has no file for x$/,
      ],
      [
        "a file that is not there",
        [{ path: "x", contentType: BINARY, file: "/none/x" }],
        /\/none\/x/,
      ],
    ])("refuse %s", async (_what, set, says) => {
      const broken = step({
        name: "break",
        version: 1,
        outputs: { set: files() },
        run: async (_inputs: Record<never, never>, _params: null) => ({ set: set as never }),
      });
      const { record } = await finish(world, async (p) => {
        await p.do(broken, { params: null, inputs: {} });
      });
      expect(record.error).toMatch(says);
    });

    test.each(["file", "list"])(
      "are made again where a %s is gone that a step reads",
      async (which) => {
        const plan = (n: number) => async (p: Plan) => {
          const { own } = await p.do(write, { params: ["a/b.txt", "large.bin"], inputs: {} });
          if (n === 2) {
            const [first] = await listOf(own);
            await lose(which === "file" && first !== undefined ? first.digest : own.digest);
          }
          const { said } = await p.do(read, { params: { n }, inputs: { set: own } });
          expect(await p.read(said)).toEqual(ran);
        };
        await finish(world, plan(1));
        const { record } = await finish(world, plan(2));
        expect([record.status, record.error]).toEqual(["succeeded", null]);
        // Without its list a step does not begin.
        const began = which === "file" ? ["read 2"] : [];
        expect(calls).toEqual(["write", "read 1", ...began, "write", "read 2"]);
        expect(world.warnings).toEqual([
          expect.stringMatching(
            /^read cannot read an input: blob \w+ is missing in .*; it is made again$/,
          ),
        ]);
      },
    );

    test("are made again where the plan reads them, before it gets them", async () => {
      const { record } = await finish(world, async (p) => {
        const { own } = await p.do(write, { params: ["a/b.txt"], inputs: {} });
        const [first] = await listOf(own);
        await lose(first?.digest ?? own.digest);
        const [stored] = await p.read(own);
        expect(calls).toEqual(["write", "write"]);
        expect(await readFile((await stored?.file.path()) ?? "", "utf8")).toBe("text of a/b.txt");
      });
      expect([record.status, record.error]).toEqual(["succeeded", null]);
    });

    test("reach the site by streaming where they are large, and heal on the way", async () => {
      const dir = join(world.dir, "site");
      const bucket = openFolderBucket(dir);
      const puts: string[] = [];
      const publisher = makePublisher({
        bucket: {
          ...bucket,
          put: (key, ...rest) => {
            puts.push(`put ${key}`);
            return bucket.put(key, ...rest);
          },
          putStream: (key, ...rest) => {
            puts.push(`stream ${key}`);
            return bucket.putStream(key, ...rest);
          },
        },
        publications: openPublications(world.database.db),
        log: SILENT,
      });
      const { record } = await finish(
        world,
        async (p) => {
          const { shown } = await p.do(write, { params: ["a/b.txt", "large.bin"], inputs: {} });
          const large = (await listOf(shown)).find(({ path }) => path === "large.bin");
          await lose(large?.digest ?? shown.digest);
          await p.site(async () => ({
            parts: [{ scope: null, prefix: "data/", tree: shown, cache: "page" }],
            keepScopes: [],
          }));
        },
        { publisher },
      );
      expect([record.status, record.error]).toEqual(["succeeded", null]);
      // The first stream came upon what is gone.
      expect(puts.sort()).toEqual([
        ...["put data/a/b.txt", "stream data/large.bin", "stream data/large.bin"],
      ]);
      expect(calls).toEqual(["write", "write"]);
      expect(digestOf(await readFile(join(dir, "data/large.bin")))).toBe(digestOf(LARGE));
      expect(await readFile(join(dir, "data/a/b.txt"), "utf8")).toBe("text of a/b.txt");
    });
  },
);
