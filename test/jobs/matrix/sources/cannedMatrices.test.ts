import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { MatrixEntry, MatrixSource } from "../../../../src/jobs/matrix/source.ts";
import {
  type DownloadRoom,
  makeCannedSource,
  openCannedMatrices,
} from "../../../../src/jobs/matrix/sources/cannedMatrices.ts";
import { SILENT } from "../../../../src/log.ts";
import type { RetryPolicy } from "../../../../src/retry.ts";
import type { S3ReaderOptions } from "../../../../src/store/s3Reader.ts";
import { firstEntry } from "../../../support/firstEntry.ts";
import { openFolderReader } from "../../../support/folderReader.ts";
import { refusal } from "../../../support/refusal.ts";
import { type S3Fault, type S3Server, startS3 } from "../../../support/s3Server.ts";

const UUID = "00000000-0000-4000-8000-000000000001";
const OTHER = "abcdef00-0000-4000-8000-000000000002";
const PREFIX = "project-assets/project-matrices/";
const QUICK: RetryPolicy = { attempts: 3, minDelayMs: 1, maxDelayMs: 2 };
const NEVER = new AbortController().signal;
const WATCHING = { signal: NEVER, onProgress(): void {} };
const CONTENT = Buffer.alloc(3_000_000, "0123456789");

let s3: S3Server;
let scratch: string;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  s3 = await startS3({ buckets: ["site"], pageKeys: 3 });
});

afterAll(() => s3.close());

beforeEach(async () => {
  s3.setFaults(null);
  for (const key of s3.objects("site").keys()) s3.removeObject("site", key);
  s3.requests.length = 0;
  scratch = await mkdtemp(join(tmpdir(), "hdash-canned-"));
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await rm(scratch, { recursive: true, force: true });
});

function open(
  options: Partial<S3ReaderOptions> & { readonly budget?: DownloadRoom } = {},
): MatrixSource {
  const source = openCannedMatrices({
    bucket: "site",
    endpoint: s3.url,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    log: SILENT,
    policy: QUICK,
    ...options,
  });
  closers.push(() => source.close());
  return source;
}

/** Serves a listener on loopback until the test ends, and returns its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A source over a folder that holds the given objects, and the folder. */
async function openFolder(objects: Readonly<Record<string, string>>): Promise<{
  source: MatrixSource;
  dir: string;
}> {
  const dir = join(scratch, "bucket");
  await mkdir(dir, { recursive: true });
  for (const [key, text] of Object.entries(objects)) {
    await mkdir(dirname(join(dir, key)), { recursive: true });
    await writeFile(join(dir, key), text);
  }
  const reader = openFolderReader(dir);
  closers.push(() => reader.close());
  return { source: makeCannedSource({ reader, log: SILENT, budget: null, policy: QUICK }), dir };
}

function put(name: string, body: string | Buffer): void {
  s3.setObject("site", `${PREFIX}${name}`, body);
}

async function words(work: Promise<unknown>): Promise<readonly [string, string]> {
  const { kind, message } = await refusal(work);
  return [kind, message.replaceAll(s3.url, "<endpoint>")];
}

/** Strikes the next so many reads of objects. */
function failGets(fault: S3Fault, times: number): void {
  let left = times;
  s3.setFaults(({ operation }) => (operation === "GetObject" && left-- > 0 ? fault : null));
}

function md5(data: string | Buffer): string {
  return createHash("md5").update(data).digest("hex");
}

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}

function entryOf(name: string, body: string, etag: string): MatrixEntry {
  const [projectId = "", species = ""] = name.split(".");
  const hasSpecies = /^homo/i.test(species);
  const id = hasSpecies ? `${projectId.toLowerCase()}.${species}` : projectId.toLowerCase();
  return {
    id,
    projectId: projectId.toLowerCase(),
    species: hasSpecies ? species : null,
    title: id,
    fileName: name,
    bytes: body.length,
    version: { etag, bytes: String(body.length) },
    sha256: null,
    approaches: [],
    cells: null,
    pageUrl: null,
    locator: `${PREFIX}${name}`,
  };
}

describe("openCannedMatrices(options).list(signal)", () => {
  test("lists the matrices of the bucket, largest first, over all pages", async () => {
    const files = {
      [`${UUID}.homo_sapiens.mtx.zip`]: "12",
      [`${OTHER.toUpperCase()}.h5ad`]: "12345",
      [`${OTHER}.Homo-s.loom`]: "1",
      [`${UUID}.h5`]: "123",
    };
    for (const [name, body] of Object.entries(files)) put(name, body);
    put("", "");
    put("folder/", "");
    s3.setObject("site", "project-assets/other.mtx.zip", "x");
    const source = open();
    expect([source.kind, source.label]).toEqual(["canned", `s3://site/${PREFIX.slice(0, -1)}`]);
    expect(await source.list(NEVER)).toEqual({
      entries: Object.entries(files)
        .map(([name, body]) => entryOf(name, body, md5(body)))
        .sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0)),
      skips: [],
    });
    expect(s3.requests.filter(({ operation }) => operation === "ListObjectsV2")).toHaveLength(2);
  });

  test("skips what is not named like a matrix, and all but one file of an id", async () => {
    for (const name of [
      `${UUID}.h5ad`,
      `${UUID}.mtx.zip`,
      `sub/${UUID}.mtx.zip`,
      `${UUID}.rds`,
      `${UUID}.a.csv.gz`,
      `${UUID}...h5ad`,
      "x & <y>.loom",
    ]) {
      put(name, "1");
    }
    const { entries, skips } = await open().list(NEVER);
    expect(entries.map(({ fileName }) => fileName)).toEqual([`${UUID}.mtx.zip`]);
    expect(skips.map(({ id, projectId, why, message }) => [id, projectId, why, message])).toEqual([
      [
        `${UUID}...h5ad`,
        `${UUID}...h5ad`,
        "name",
        `"${UUID}...h5ad" is not <uuid>[.<species>] with .mtx.zip, .zip, .h5ad, .h5 or .loom.`,
      ],
      [`${UUID}.a`, UUID, "format", `${UUID}.a.csv.gz is a text table, which is not read.`],
      [UUID, UUID, "format", `${UUID}.rds is an R object, which is not read.`],
      ...[
        [`sub-${UUID}.mtx.zip`, `sub/${UUID}.mtx.zip`],
        ["x-y-.loom", "x & <y>.loom"],
      ].map(([id, name]) => [
        id,
        id,
        "name",
        `"${name ?? ""}" is not <uuid>[.<species>] with .mtx.zip, .zip, .h5ad, .h5 or .loom.`,
      ]),
      [
        UUID,
        UUID,
        "another file",
        `${UUID}.h5ad is not read, since ${UUID}.mtx.zip has the same id.`,
      ],
    ]);
  });

  test("tries again while S3 is busy, and says what to do where it refuses", async () => {
    put(`${UUID}.mtx.zip`, "1");
    let left = 2;
    s3.setFaults(() => (left-- > 0 ? { status: 503 } : null));
    expect((await open().list(NEVER)).entries).toHaveLength(1);
    await expect(open({ bucket: "none" }).list(NEVER)).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringMatching(/^list s3:\/\/none\/.*NoSuchBucket/) as string,
      hint: "Correct the name of the bucket that is read, or S3_ENDPOINT_URL: there is no none.",
    });
    s3.setFaults(() => ({ status: 403 }));
    await expect(open().list(NEVER)).rejects.toMatchObject({
      kind: "permanent",
      hint: "Allow these credentials s3:ListBucket on site and s3:GetObject on its objects.",
    });
  });
});

describe("openCannedMatrices(options) of a store that is not S3", () => {
  test("refuses a list that is cut short and cannot be continued", async () => {
    const endpoint = await serve((_request, response) => {
      response.writeHead(200, { "content-type": "application/xml" });
      response.end("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>");
    });
    expect(await words(open({ endpoint }).list(NEVER))).toEqual([
      "permanent",
      `list s3://site/${PREFIX}: the list is cut short and cannot be continued`,
    ]);
  });
});

describe("openCannedMatrices(options).blacklist(signal)", () => {
  test("reads ids without comments, and tells none from an empty one", async () => {
    const source = open();
    expect(await source.blacklist(NEVER)).toBeNull();
    s3.setObject("site", "blacklist", "");
    expect(await source.blacklist(NEVER)).toEqual([]);
    const text = `\uFEFF${OTHER.toUpperCase()}\r\n\r\n# all of it\n  ${UUID} # why\n${UUID}`;
    s3.setObject("site", "blacklist", text);
    expect(await source.blacklist(NEVER)).toEqual([OTHER, UUID]);
  });

  test("goes on after a broken connection, and refuses one without end", async () => {
    s3.setObject("site", "blacklist", UUID);
    failGets({ hangUp: "midBody" }, 1);
    expect(await open().blacklist(NEVER)).toEqual([UUID]);
    s3.setObject("site", "blacklist", "x".repeat(1024 * 1024 + 1));
    expect(await words(open().blacklist(NEVER))).toEqual([
      "permanent",
      "get blacklist from s3://site: it is larger than 1048576 bytes",
    ]);
  });
});

describe("openCannedMatrices(options).pull(entry, dir, options)", () => {
  test("writes the object, named by its id, and tells its progress", async () => {
    put(`${UUID}.homo_sapiens.mtx.zip`, CONTENT);
    const source = open();
    const dir = join(scratch, "new");
    const seen: unknown[] = [];
    const onProgress = (done: number, total: number | null): void => void seen.push([done, total]);
    const fetched = await source.pull(await firstEntry(source), dir, { signal: NEVER, onProgress });
    const path = join(dir, `${UUID}.homo_sapiens.mtx.zip`);
    expect(fetched).toMatchObject({ path, bytes: CONTENT.length });
    expect(CONTENT.equals(await readFile(path))).toBe(true);
    expect([await readdir(dir), seen.at(-1)]).toEqual([
      [`${UUID}.homo_sapiens.mtx.zip`],
      [CONTENT.length, CONTENT.length],
    ]);
  });

  test("goes on where the connection broke, with the same version", async () => {
    put(`${UUID}.h5ad`, CONTENT);
    const source = open();
    const entry = await firstEntry(source);
    failGets({ hangUp: "midBody" }, 2);
    const { path } = await source.pull(entry, scratch, WATCHING);
    expect(CONTENT.equals(await readFile(path))).toBe(true);
    const gets = s3.requests.filter(({ operation }) => operation === "GetObject");
    const etag = `"${md5(CONTENT)}"`;
    expect(gets.map(({ headers }) => headers["if-match"])).toEqual([etag, etag, etag]);
    const starts = gets.map(({ headers }) => /^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1]);
    expect(starts[0]).toBeUndefined();
    expect(Number(starts[2])).toBeGreaterThan(Number(starts[1]));
  });

  test("starts again with a store that does not know ranges", async () => {
    const ranges: unknown[] = [];
    const endpoint = await serve((request, response) => {
      ranges.push(request.headers.range);
      response.writeHead(200, { "content-length": CONTENT.length, etag: '"e"' });
      if (ranges.length > 1) response.end(CONTENT);
      else response.write(CONTENT.subarray(0, 1000), () => response.socket?.end());
    });
    const bytes = CONTENT.length;
    const entry = { ...entryOf(`${UUID}.h5ad`, "", "e"), bytes };
    const { path } = await open({ endpoint }).pull(entry, scratch, WATCHING);
    expect(CONTENT.equals(await readFile(path))).toBe(true);
    expect(ranges).toEqual([undefined, "bytes=1000-"]);
  });

  test("counts as failures what gets no further with a store that does not know ranges", async () => {
    let requests = 0;
    const endpoint = await serve((_request, response) => {
      requests++;
      const cut = requests % 2 === 1 ? 2_200_000 : 1000;
      response.writeHead(200, { "content-length": CONTENT.length, etag: '"e"' });
      response.write(CONTENT.subarray(0, cut), () => response.socket?.end());
    });
    const entry = { ...entryOf(`${UUID}.h5ad`, "", "e"), bytes: CONTENT.length };
    expect((await words(open({ endpoint }).pull(entry, scratch, WATCHING)))[0]).toBe("transient");
    // At most two connections get a megabyte further than any before; after each, three attempts are left.
    expect(requests).toBeLessThanOrEqual(9);
    expect(await readdir(scratch)).toEqual([]);
  });

  test("reads an object of no bytes", async () => {
    put(`${UUID}.h5ad`, "");
    const source = open();
    const { path } = await source.pull(await firstEntry(source), scratch, WATCHING);
    expect(await readFile(path, "utf8")).toBe("");
  });

  test.each([
    ["replaced", () => put(`${UUID}.h5ad`, "other")],
    ["removed", () => s3.removeObject("site", `${PREFIX}${UUID}.h5ad`)],
  ])("tells an object that was %s since it was listed as passing", async (_what, change) => {
    put(`${UUID}.h5ad`, "one");
    const source = open();
    const entry = await firstEntry(source);
    change();
    expect(await words(source.pull(entry, scratch, WATCHING))).toEqual([
      "transient",
      `${UUID}.h5ad was replaced or removed after it was listed`,
    ]);
    expect(await readdir(scratch)).toEqual([]);
    expect(s3.requests.filter(({ operation }) => operation === "GetObject")).toHaveLength(1);
  });

  test("gives up after as many failures as the policy says, and leaves nothing", async () => {
    put(`${UUID}.h5ad`, "one");
    const source = open();
    const entry = await firstEntry(source);
    failGets({ hangUp: "before" }, 99);
    expect((await words(source.pull(entry, scratch, WATCHING)))[0]).toBe("transient");
    expect(s3.requests.filter(({ operation }) => operation === "GetObject")).toHaveLength(3);
    failGets({ status: 403 }, 99);
    expect(await words(source.pull(entry, scratch, WATCHING))).toEqual([
      "permanent",
      expect.stringMatching(/^get project-assets.* from s3:\/\/site: AccessDenied/),
    ]);
    expect(await readdir(scratch)).toEqual([]);
  });

  test("refuses an entry that is not of its making, and a folder that cannot be", async () => {
    put(`${UUID}.h5ad`, "one");
    const source = open();
    const entry = await firstEntry(source);
    for (const odd of [{ fileName: "../x.h5ad" }, { bytes: null }]) {
      expect((await words(source.pull({ ...entry, ...odd }, scratch, WATCHING)))[1]).toMatch(
        /is not a matrix of this source$/,
      );
    }
    await writeFile(join(scratch, "file"), "");
    expect(await words(source.pull(entry, join(scratch, "file", "x"), WATCHING))).toEqual([
      "permanent",
      `file of ${UUID}: it cannot be kept on disk (ENOTDIR)`,
    ]);
    expect(await words(source.pull({ ...entry, bytes: 2 }, scratch, WATCHING))).toEqual([
      "permanent",
      `file of ${UUID}: the object ended after 3 of 2 bytes`,
    ]);
  });

  test("stops at once when told to", async () => {
    put(`${UUID}.h5ad`, CONTENT);
    const source = open();
    const stop = new AbortController();
    const options = { signal: stop.signal, onProgress: (): void => stop.abort() };
    expect((await words(source.pull(await firstEntry(source), scratch, options)))[0]).toBe(
      "aborted",
    );
    expect(await readdir(scratch)).toEqual([]);
  });

  test("asks for room, says what it wrote and gives it back", async () => {
    put(`${UUID}.h5ad`, "one");
    const said: unknown[] = [];
    const budget: DownloadRoom = {
      async take(bytes, { subject }) {
        said.push(["take", bytes, subject]);
        return {
          wrote: (done) => said.push(["wrote", done]),
          settle: (path, done) => said.push(["settle", path, done]),
          release: () => said.push(["release"]),
        };
      },
    };
    const source = open({ budget });
    const entry = await firstEntry(source);
    const { path } = await source.pull(entry, scratch, WATCHING);
    const taken = ["take", 3, UUID];
    expect(said.splice(0)).toEqual([taken, ["wrote", 3], ["settle", path, 3]]);
    s3.removeObject("site", `${PREFIX}${UUID}.h5ad`);
    await words(source.pull(entry, scratch, WATCHING));
    expect(said).toEqual([taken, ["release"]]);
  });
});

describe("makeCannedSource(options) over openFolderReader(dir)", () => {
  test("lists, reads and copies as from a bucket", async () => {
    const { source, dir } = await openFolder({
      [`${PREFIX}${UUID}.homo_sapiens.mtx.zip`]: "12",
      [`${PREFIX}deep/${OTHER}.h5ad`]: "1",
      "project-assets/other": "x",
      blacklist: `${UUID}\n`,
    });
    await symlink(join(dir, "blacklist"), join(dir, PREFIX, `${OTHER}.h5ad`));
    expect(source.label).toBe("a local folder");
    const { entries, skips } = await source.list(NEVER);
    expect(entries).toEqual([entryOf(`${UUID}.homo_sapiens.mtx.zip`, "12", sha256("12"))]);
    expect(skips.map(({ id }) => id)).toEqual([`deep-${OTHER}.h5ad`]);
    expect(await source.blacklist(NEVER)).toEqual([UUID]);
    const { path } = await source.pull(await firstEntry(source), join(scratch, "to"), WATCHING);
    expect(await readFile(path, "utf8")).toBe("12");
  });

  test("has nothing where there is no folder", async () => {
    const { source, dir } = await openFolder({});
    await rm(dir, { recursive: true });
    expect(await source.list(NEVER)).toEqual({ entries: [], skips: [] });
    expect(await source.blacklist(NEVER)).toBeNull();
  });

  test("notices files that were replaced, removed, or became a link", async () => {
    const key = `${PREFIX}${UUID}.h5ad`;
    const { source, dir } = await openFolder({ [key]: "one" });
    const entry = await firstEntry(source);
    const message = `${UUID}.h5ad was replaced or removed after it was listed`;
    await writeFile(join(dir, key), "two");
    expect(await words(source.pull(entry, scratch, WATCHING))).toEqual(["transient", message]);
    await rm(join(dir, key));
    expect(await words(source.pull(entry, scratch, WATCHING))).toEqual(["transient", message]);
    await writeFile(join(scratch, "outside"), "one");
    await symlink(join(scratch, "outside"), join(dir, key));
    expect(await words(source.pull(entry, scratch, WATCHING))).toEqual(["transient", message]);
    await rm(join(dir, PREFIX), { recursive: true });
    await mkdir(join(scratch, "elsewhere"));
    await writeFile(join(scratch, "elsewhere", `${UUID}.h5ad`), "one");
    await symlink(join(scratch, "elsewhere"), join(dir, PREFIX.slice(0, -1)));
    expect(await words(source.pull(entry, scratch, WATCHING))).toEqual(["transient", message]);
  });

  test("says what cannot be read without naming the folder", async () => {
    const { source, dir } = await openFolder({ [`${PREFIX}${UUID}.h5ad`]: "one" });
    await writeFile(join(dir, "blacklist"), "x".repeat(1024 * 1024 + 1));
    expect(await words(source.blacklist(NEVER))).toEqual([
      "permanent",
      "get blacklist: it is larger than 1048576 bytes",
    ]);
    expect((await words(source.list(AbortSignal.abort())))[0]).toBe("aborted");
    await symlink("loop", join(scratch, "loop"));
    const reader = openFolderReader(join(scratch, "loop"));
    const loop = makeCannedSource({ reader, log: SILENT, budget: null });
    expect([await words(loop.list(NEVER)), await words(loop.blacklist(NEVER))]).toEqual([
      ["permanent", `list ${PREFIX} from the local folder: ELOOP`],
      ["permanent", "get blacklist from the local folder: ELOOP"],
    ]);
    const entry = { ...(await firstEntry(source)), locator: "../outside" };
    expect(await words(source.pull(entry, scratch, WATCHING))).toEqual([
      "permanent",
      '"../outside" cannot name an object: it has a dot segment',
    ]);
  });
});
