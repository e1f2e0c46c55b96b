import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { download, type Downloaded, type DownloadRequest } from "../../src/sources/download.ts";
import {
  contentOf,
  type FileAnswer,
  QUICK,
  seenOf,
  type SeenRequest,
  sendFile,
  serveFile,
  sha256Of,
} from "../jobs/matrix/sources/rig.ts";
import { failureOf, openHttp, serve, tempDir } from "./rig.ts";

const CONTENT = contentOf(3000);
const SHA = sha256Of(CONTENT);
const DONE = { sha256: SHA, bytes: 3000 };

interface Trial {
  readonly dir: string;
  readonly path: string;
  readonly result: Promise<Downloaded>;
  readonly reasons: readonly string[];
  readonly progress: readonly (readonly [number, number | null])[];
}

async function start(
  url: string,
  request: Partial<DownloadRequest> & { readonly dir?: string; readonly attempts?: number } = {},
): Promise<Trial> {
  const dir = request.dir ?? (await tempDir());
  const path = join(dir, "a.mtx.zip");
  const reasons: string[] = [];
  const progress: (readonly [number, number | null])[] = [];
  const result = download(
    {
      http: openHttp(),
      policy: { ...QUICK, attempts: request.attempts ?? QUICK.attempts },
      onRetry: ({ reason }) => reasons.push(reason),
    },
    {
      subject: "file",
      endpoint: url,
      locate: async () => url,
      path,
      bytes: null,
      sha256: null,
      hold: { grow: async () => {}, wrote() {} },
      signal: new AbortController().signal,
      onProgress: (done, total) => progress.push([done, total]),
      ...request,
    },
  );
  result.catch(() => undefined);
  return { dir, path, result, reasons, progress };
}

/** Answers in turn, downloads, and says what came of it. */
async function trial(
  answers: readonly FileAnswer[],
  request: Parameters<typeof start>[1] = {},
): Promise<Trial & { readonly seen: readonly SeenRequest[] }> {
  const { url, seen } = await serveFile(CONTENT, answers);
  return { ...(await start(url, request)), seen };
}

const ranges = (seen: readonly SeenRequest[]): unknown =>
  seen.map(({ range, ifRange }) => [range, ifRange]);

describe("download(context, request)", () => {
  test("writes the content, and says its sha256, length and progress", async () => {
    const { result, path, dir, progress, seen } = await trial([{}]);
    expect(await result).toEqual({ ...DONE, received: 3000 });
    expect(await readFile(path)).toEqual(CONTENT);
    expect(await readdir(dir)).toEqual(["a.mtx.zip"]);
    expect(progress.at(-1)).toEqual([3000, 3000]);
    expect(seen).toEqual([{ path: "/", range: null, ifRange: null, authorization: null }]);
  });

  test("goes on where a connection broke, if the file is still the same", async () => {
    const answers = [{ breakAfter: 1000 }, { breakAfter: 500 }, {}];
    const { result, path, seen, progress } = await trial(answers);
    expect(await result).toEqual({ ...DONE, received: 3000 });
    expect(await readFile(path)).toEqual(CONTENT);
    expect(ranges(seen)).toEqual([
      [null, null],
      ["bytes=1000-", '"v1"'],
      ["bytes=1500-", '"v1"'],
    ]);
    expect(progress.map(([done]) => done)).toEqual([1000, 1500, 3000]);
  });

  test("compares dates where the ETag is weak", async () => {
    const headers = { "last-modified": "Sat, 21 Nov 2026 12:00:00 GMT" };
    const weak = { etag: 'W/"v1"', headers };
    const { result, seen } = await trial([{ ...weak, breakAfter: 1000 }, weak]);
    expect(await result).toEqual({ ...DONE, received: 4000 });
    expect(ranges(seen)).toEqual([
      [null, null],
      ["bytes=1000-", headers["last-modified"]],
    ]);
  });

  test.each([
    ["ignores ranges", [{ breakAfter: 1000 }, { ignoresRange: true }], 1],
    ["changed the file", [{ breakAfter: 1000, content: contentOf(4000) }, { etag: '"v2"' }], 1],
    [
      "sends another range",
      [{ breakAfter: 1000 }, { headers: { "content-range": "bytes 5-9/3000" } }, {}],
      2,
    ],
    ["sends a range without being asked", [{ status: 206 }, {}], 1],
    ["has nothing where it broke off", [{ breakAfter: 1000 }, { status: 416 }, {}], 2],
  ] satisfies [string, FileAnswer[], number][])(
    "starts again with a server that %s",
    async (_what, answers, failures) => {
      const { result, path, reasons } = await trial(answers);
      expect(await result).toMatchObject(DONE);
      expect(await readFile(path)).toEqual(CONTENT);
      expect(reasons).toHaveLength(failures);
    },
  );

  test("starts again where nothing could tell whether the file is the same", async () => {
    const bare = { etag: null, hasLength: false };
    const { result, path, seen } = await trial([{ ...bare, breakAfter: 1000 }, bare]);
    expect(await result).toEqual({ ...DONE, received: 4000 });
    expect(await readFile(path)).toEqual(CONTENT);
    expect(ranges(seen)).toEqual([
      [null, null],
      [null, null],
    ]);
  });

  test("is done where a connection broke exactly at the end of a body of unknown length", async () => {
    const answers = [{ hasLength: false, breakAfter: 3000 }, {}];
    const { result, path, seen } = await trial(answers);
    expect(await result).toEqual({ ...DONE, received: 3000 });
    expect(await readFile(path)).toEqual(CONTENT);
    expect(seen.at(-1)?.range).toBe("bytes=3000-");
  });

  test("does not count connections that brought a good deal as failures", async () => {
    const content = contentOf(6 * 1024 * 1024);
    // A client loses what it has not taken in yet when a connection breaks, so more is sent than has to arrive.
    const answers = [{ breakAfter: 2_200_000 }];
    const { url, seen } = await serveFile(content, answers);
    const { result, path, reasons } = await start(url, { attempts: 1 });
    expect(await result).toMatchObject({ sha256: sha256Of(content), bytes: content.length });
    expect(await readFile(path)).toEqual(content);
    expect([seen.length > 2, reasons]).toEqual([true, []]);
  });

  test("counts as failures what gets no further, however much a server without ranges sends", async () => {
    const content = contentOf(8 * 1024 * 1024);
    const { url, seen } = await serveFile(content, [{ breakAfter: 2_200_000, ignoresRange: true }]);
    const { result, dir } = await start(url);
    expect(await failureOf(result)).toMatchObject({
      kind: "transient",
      message: expect.stringMatching(/^file: the connection broke after \d+ bytes/) as string,
    });
    // At most two connections get a megabyte further than any before; after each, four attempts are left.
    expect(seen.length).toBeLessThanOrEqual(12);
    expect(await readdir(dir)).toEqual([]);
  });

  test("gives up after as many failures as the policy says, and leaves nothing", async () => {
    const { result, dir, reasons } = await trial([{ breakAfter: 10 }, { breakAfter: 0 }]);
    const { kind, message } = await failureOf(result);
    expect([kind, message]).toEqual([
      "transient",
      expect.stringMatching(/^file: (no connection|the connection broke after 0 bytes)/),
    ]);
    expect(reasons).toHaveLength(3);
    expect(await readdir(dir)).toEqual([]);
  });

  test("asks once more where the sha256 is wrong", async () => {
    const { result, path, reasons } = await trial([{ content: contentOf(2999) }, {}], {
      sha256: SHA.toUpperCase(),
    });
    expect(await result).toEqual({ ...DONE, received: 5999 });
    expect(await readFile(path)).toEqual(CONTENT);
    expect(reasons).toEqual([
      `file: the server sent sha256 ${sha256Of(contentOf(2999))} instead of ${SHA}`,
    ]);
  });

  test.each([
    ["another sha256", { sha256: sha256Of("x") }, {}, `sha256 ${SHA} instead of ${sha256Of("x")}`],
    ["less than its length", { bytes: 4000 }, {}, "3000 bytes instead of 4000 bytes"],
    ["more than its length", { bytes: 2000 }, { hasLength: false }, "more instead of 2000 bytes"],
  ])(
    "refuses %s after the second time, and leaves nothing",
    async (_what, request, answer, says) => {
      const { result, dir, seen } = await trial([answer], request);
      expect(await failureOf(result)).toEqual({
        kind: "permanent",
        message: `file: the server sent ${says}, twice`,
        hint: null,
      });
      expect([seen.length, await readdir(dir)]).toEqual([2, []]);
    },
  );

  test("tries again where a body of unknown length ends early", async () => {
    const short = { hasLength: false, content: CONTENT.subarray(0, 1000) };
    const { result, seen, reasons } = await trial([short, {}], { bytes: 3000 });
    expect(await result).toEqual({ ...DONE, received: 3000 });
    expect([reasons, seen.at(-1)?.range]).toEqual([
      ["file: the body ended after 1000 of 3000 bytes"],
      "bytes=1000-",
    ]);
  });

  test("does not count on what was there before", async () => {
    const dir = await tempDir();
    await writeFile(join(dir, "a.mtx.zip.part"), CONTENT.subarray(0, 1200));
    const { result, path, seen } = await trial([{}], { dir, sha256: SHA, bytes: 3000 });
    expect(await result).toEqual({ ...DONE, received: 3000 });
    expect([await readFile(path), await readdir(dir)]).toEqual([CONTENT, ["a.mtx.zip"]]);
    expect(ranges(seen)).toEqual([[null, null]]);
  });

  test.each([SHA, null])("stops at once when told to, and leaves nothing (%s)", async (sha256) => {
    const stop = new AbortController();
    const { result, dir } = await trial([{ hangAfter: 1000 }], {
      sha256,
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    expect(await failureOf(result)).toMatchObject({ kind: "aborted" });
    expect(await readdir(dir)).toEqual([]);
  });

  test("says what is wrong with the disk without naming its folders", async () => {
    const { result } = await trial([{}], { path: join(await tempDir(), "nowhere", "a") });
    expect(await failureOf(result)).toEqual({
      kind: "permanent",
      message: "file: it cannot be kept on disk (ENOENT)",
      hint: null,
    });
  });

  test("asks for room as the file grows, and says what is on disk", async () => {
    const asked: number[] = [];
    const wrote: number[] = [];
    const grow = async (bytes: number): Promise<void> => void asked.push(bytes);
    const hold = { grow, wrote: (bytes: number): void => void wrote.push(bytes) };
    const { result } = await trial([{ breakAfter: 1000, etag: null }, {}], { hold });
    await result;
    expect(asked).toEqual([1000, 2000]);
    expect(wrote).toEqual([1000, 0, 3000]);
  });
});

describe("download(context, request) of an address that leads elsewhere", () => {
  /** Serves "/file" behind whatever `route` answers itself. */
  async function serveRoutes(
    route: (path: string, nth: number) => Record<string, string | number> | null,
  ): Promise<{ url: string; seen: SeenRequest[] }> {
    const seen: SeenRequest[] = [];
    const url = await serve((request, response) => {
      seen.push(seenOf(request));
      const path = request.url ?? "/";
      const answer = route(path, seen.filter((one) => one.path === path).length);
      if (answer === null) return sendFile(request, response, CONTENT);
      const { status, breakAfter, ...headers } = answer;
      if (breakAfter !== undefined) {
        return sendFile(request, response, CONTENT, { breakAfter: Number(breakAfter) });
      }
      response.writeHead(Number(status), headers).end("<Code>AccessDenied</Code>");
    });
    return { url, seen };
  }

  test("waits while the file is prepared, and follows redirects", async () => {
    const { url, seen } = await serveRoutes((path, nth) => {
      if (path === "/") return { status: 301, location: "/wait", "retry-after": "0" };
      if (path === "/wait" && nth < 3)
        return { status: 301, location: "/wait", "retry-after": "0" };
      return path === "/wait" ? { status: 302, location: "/signed?a=1" } : null;
    });
    const { result } = await start(url);
    expect(await result).toEqual({ ...DONE, received: 3000 });
    expect(seen.map(({ path, authorization }) => [path, authorization])).toEqual(
      ["/", "/wait", "/wait", "/wait", "/signed?a=1"].map((path) => [path, null]),
    );
  });

  test("asks anew where a signed address has expired, and goes on with what it has", async () => {
    const { url, seen } = await serveRoutes((path, nth) => {
      if (path === "/") return { status: 302, location: `/signed/${nth}` };
      if (path === "/signed/1") return nth === 1 ? { breakAfter: 1000 } : { status: 403 };
      return null;
    });
    const { result } = await start(url);
    expect(await result).toEqual({ ...DONE, received: 3000 });
    expect(seen.map(({ path, range }) => [path, range])).toEqual([
      ["/", null],
      ["/signed/1", null],
      ["/signed/1", "bytes=1000-"],
      ["/", "bytes=1000-"],
      ["/signed/2", "bytes=1000-"],
    ]);
  });

  test.each([
    [
      "goes in a circle",
      { status: 302, location: "/a" },
      "more than 10 redirects, probably in a circle",
    ],
    ["leads nowhere", { status: 302 }, "the server redirects to nowhere"],
    [
      "leads to no address",
      { status: 307, location: "http://[" },
      "the server redirects to nowhere",
    ],
    [
      "leaves the web",
      { status: 302, location: "file:///etc" },
      "the address that it leads to is not asked: it is not one of the web",
    ],
    [
      "takes forever",
      { status: 301, location: "/a", "retry-after": "1801" },
      "the service was not done preparing it after 30 minutes",
    ],
    ["is refused", { status: 403 }, "the server answered 403: AccessDenied"],
    ["is not there", { status: 404 }, "the server answered 404: AccessDenied"],
  ])("gives up where it %s", async (_what, answer, message) => {
    const { url, seen } = await serveRoutes(() => answer);
    const { result, dir } = await start(url);
    const failure = await failureOf(result);
    expect([failure.kind, failure.message]).toEqual(["permanent", `file: ${message}`]);
    expect([seen.length <= 11, await readdir(dir)]).toEqual([true, []]);
  });

  test("gives up where every fresh address is refused", async () => {
    const { url, seen } = await serveRoutes((path) =>
      path === "/" ? { status: 302, location: "/signed" } : { status: 403 },
    );
    const { result } = await start(url);
    expect(await failureOf(result)).toEqual({
      kind: "permanent",
      message: "file: 4 signed addresses in a row were refused (AccessDenied)",
      hint: null,
    });
    expect(seen).toHaveLength(8);
  });
});
