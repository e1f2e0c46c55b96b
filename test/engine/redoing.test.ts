// Steps done again off the record: what they give is digested as it would be stored, and nothing is.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import { redo, type Redoing } from "../../src/engine/redoing.ts";
import {
  type BlobFile,
  file,
  folder,
  json,
  type Ref,
  step,
  type StepContext,
  text,
} from "../../src/engine/step.ts";
import { HdashError, messageOf } from "../../src/error.ts";
import { type BlobStore, readAll } from "../../src/store/blobs.ts";
import { openFolderBlobs } from "../../src/store/folderBlobs.ts";

let dir: string;
let blobs: BlobStore;
let given: Ref<unknown>;
let stop: AbortController;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-redoing-"));
  blobs = openFolderBlobs(join(dir, "blobs"));
  given = { ...(await blobs.put(Buffer.from("b\na\n"))), codec: "file", visibility: "private" };
  stop = new AbortController();
});
afterEach(() => rm(dir, { recursive: true, force: true }));

let folders = 0;
function redoing(): Redoing {
  return {
    ...{ blobs, signal: stop.signal },
    resources: (asked) => ({ ...asked, cpus: 1 }),
    newFolder() {
      const path = join(dir, `work-${folders++}`);
      return {
        make: () => mkdir(path, { recursive: true }).then(() => path),
        remove: () => Promise.resolve(),
      };
    },
  };
}

type Inputs = { readonly lane: BlobFile };
const made = (
  run: (inputs: Inputs, ctx: StepContext) => Promise<{ readonly word: string }>,
  rest: { readonly attempts?: number; readonly resources?: { readonly minutes: number } } = {},
) =>
  step({
    ...{ name: "made", version: 1, outputs: { word: text() }, ...rest },
    run: (inputs: Inputs, _params: null, ctx) => run(inputs, ctx),
  });
const call = (): { readonly params: null; readonly inputs: Record<string, Ref<unknown>> } => ({
  params: null,
  inputs: { lane: given },
});

async function countBlobs(): Promise<number> {
  let count = 0;
  for await (const _blob of blobs.list()) count++;
  return count;
}

describe("redo(step, call, redoing)", () => {
  test("digests texts, files and folders as they would be stored, gives their bytes, and stores none", async () => {
    const all = step({
      name: "all",
      version: 1,
      outputs: { n: json<number>(), out: file(), tree: folder() },
      async run({ lane }: Inputs, k: number, ctx) {
        const path = join(await ctx.workDir(), "out");
        const tree = join(await ctx.workDir(), "tree");
        await writeFile(path, await readAll(lane.stream()));
        await mkdir(tree);
        await writeFile(join(tree, "a"), "in a folder");
        ctx.find([]);
        ctx.measure("it", "n", 1);
        ctx.progress(1, 2);
        ctx.report({});
        ctx.log("nobody reads this");
        const cpus = await ctx.take({ cpus: 9 }, () => ctx.wait(() => Promise.resolve(1)));
        return { n: k + cpus + (ctx.resources.cpus ?? 0), out: { path }, tree: { path: tree } };
      },
    });
    const done = await redo(all, { params: 5, inputs: { lane: given } }, redoing());
    if (done.kind !== "done") throw new Error(done.kind);
    const { outputs, blobs: own } = done.redone;
    expect(outputs["n"]).toMatchObject({ digest: digestOf("7"), bytes: 1, codec: "json" });
    expect(outputs["out"]).toMatchObject({ digest: given.digest, bytes: 4, codec: "file" });
    const read = async (digest = digestOf("")) =>
      Buffer.concat([await readAll(own.stream(digest))]).toString();
    expect(await read(outputs["out"]?.digest)).toBe("b\na\n");
    expect(await read(outputs["tree"]?.digest)).toContain(digestOf("in a folder"));
    expect(await read(digestOf("in a folder"))).toBe("in a folder");
    expect(await countBlobs()).toBe(1);
  });

  test("tries as often as the step is tried, and says what the last attempt threw", async () => {
    const seen: number[] = [];
    const moody = made(
      ({ lane: _lane }, { attempt }) => {
        seen.push(attempt);
        return attempt < 3
          ? Promise.reject(new Error(`no ${attempt}`))
          : Promise.resolve({ word: "yes" });
      },
      { attempts: 3 },
    );
    expect(await redo(moody, call(), redoing())).toMatchObject({ kind: "done" });
    expect(seen).toEqual([1, 2, 3]);
    const failed = await redo(
      made(() => Promise.reject(new Error("no"))),
      call(),
      redoing(),
    );
    expect(failed.kind === "failed" ? messageOf(failed.error) : failed.kind).toBe("no");
  });

  test("gives up what is late, and throws where it is told to stop or a setting is missing", async () => {
    const late = made(
      (_inputs, { signal }) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason as Error)),
        ),
      { resources: { minutes: 0.0001 } },
    );
    const failed = await redo(late, call(), redoing());
    expect(failed.kind === "failed" ? messageOf(failed.error) : failed.kind).toMatch(/took longer/);
    const unset = made(() => Promise.reject(new HdashError("config", "TOKEN is not set")));
    await expect(redo(unset, call(), redoing())).rejects.toThrow("TOKEN is not set");
    const stopped = made(() => {
      stop.abort(new HdashError("aborted", "told to stop"));
      return Promise.reject(new Error("whatever"));
    });
    await expect(redo(stopped, call(), redoing())).rejects.toThrow("told to stop");
  });

  test("blames an input that is not there, and not the step that met it", async () => {
    await blobs.remove(given.digest);
    const reads = made(async ({ lane }) => ({
      word: Buffer.concat([await readAll(lane.stream())]).toString(),
    }));
    const unread = await redo(reads, call(), redoing());
    expect(unread.kind === "unread" ? unread.error.digest : unread.kind).toBe(given.digest);
  });

  test("calls what cannot be stored the step's failure", async () => {
    const wrong = made(() => Promise.resolve({ word: 3 as unknown as string }));
    const failed = await redo(wrong, call(), redoing());
    expect(failed.kind === "failed" ? messageOf(failed.error) : failed.kind).toBe(
      "output made.word is not a text",
    );
  });
});
