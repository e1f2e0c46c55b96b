import { writeFile } from "node:fs/promises";

import { describe, expect, onTestFinished, test } from "vitest";

import { type FileStore, startFileStore } from "../../src/lookalikes/fileStore.ts";
import { type FileFaults, makeOccasions } from "../../src/lookalikes/occasions.ts";
import { ask, CONTENT, MD5, tempContent } from "../jobs/matrix/demo/rig.ts";

interface Rig {
  readonly store: FileStore;
  readonly path: string;
  readonly url: string;
  setFaults(faults: FileFaults): void;
  setNow(now: number): void;
}

async function makeStore(faults: FileFaults = {}, isSigned = true): Promise<Rig> {
  let occasions = makeOccasions(faults);
  let now = 1_000_000;
  const store = await startFileStore({
    host: "127.0.0.1",
    isSigned,
    now: () => now,
    occasions: () => occasions,
  });
  onTestFinished(() => store.close());
  const path = await tempContent();
  return {
    store,
    path,
    url: store.addressOf(path, "matrix.mtx.zip"),
    setFaults: (next) => (occasions = makeOccasions(next)),
    setNow: (next) => (now = next),
  };
}

const range = (value: string, more: Record<string, string> = {}): RequestInit => {
  return { headers: { range: value, ...more } };
};

describe("startFileStore(options)", () => {
  test("serves a whole file, with its length and ETag, and its headers alone", async () => {
    const { store, url } = await makeStore();
    const whole = await ask(url);
    expect(whole.bytes).toEqual(CONTENT);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      "content-length": "5000",
      "accept-ranges": "bytes",
      etag: `"${MD5}"`,
    });
    const head = await ask(url, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "5000"]);
    expect(store.counts).toEqual({ file: 2, range: 0, bytes: 5000 });
    expect(store.wrong).toEqual([]);
  });

  test("serves ranges from both ends, and 416 beyond", async () => {
    const { store, url } = await makeStore();
    for (const [asked, from, to] of [
      ["bytes=0-0", 0, 1],
      ["bytes=10-19", 10, 20],
      ["bytes=4990-", 4990, 5000],
      ["bytes=4990-9999", 4990, 5000],
      ["bytes=-7", 4993, 5000],
      ["bytes=-9999", 0, 5000],
    ] as const) {
      const part = await ask(url, range(asked));
      expect([asked, part.status, part.headers.get("content-range")]).toEqual([
        asked,
        206,
        `bytes ${from}-${to - 1}/5000`,
      ]);
      expect(part.bytes).toEqual(CONTENT.subarray(from, to));
    }
    for (const asked of ["bytes=5000-", "bytes=-0"]) {
      const { status, headers } = await ask(url, range(asked));
      expect([status, headers.get("content-range")]).toEqual([416, "bytes */5000"]);
    }
    expect(store.counts).toEqual({ file: 8, range: 6, bytes: 1 + 10 + 10 + 10 + 7 + 5000 });
    expect(store.wrong).toEqual([]);
  });

  test("passes over ranges that it does not understand, and remembers them", async () => {
    const { store, url } = await makeStore();
    const wrong = ["bytes=5-4", "bytes=1-2,5-6", "lines=1-2", "bytes=-", "bytes=a-"];
    for (const asked of wrong) expect((await ask(url, range(asked))).status).toBe(200);
    expect(store.wrong).toEqual(wrong.map((asked) => `Range ${asked} is not one range of bytes`));
  });

  test("sends the whole file where If-Range names another, and 412 where If-Match does", async () => {
    const { store, path, url } = await makeStore();
    const etag = `"${MD5}"`;
    expect((await ask(url, range("bytes=9-", { "if-range": etag }))).status).toBe(206);
    expect((await ask(url, range("bytes=9-", { "if-range": '"other"' }))).bytes).toEqual(CONTENT);
    expect((await ask(url, range("bytes=9-", { "if-match": etag }))).status).toBe(206);
    expect((await ask(url, range("bytes=9-", { "if-match": '"other"' }))).status).toBe(412);
    await writeFile(path, "replaced");
    const later = await ask(url, range("bytes=3-", { "if-range": etag }));
    expect([later.status, later.text]).toEqual([200, "replaced"]);
    expect(store.wrong).toEqual([]);
    await ask(url, range("bytes=3-", { "if-range": `W/${etag}` }));
    await ask(url, { headers: { "if-range": etag } });
    expect(store.wrong).toEqual([
      `If-Range W/${etag} is not a strong ETag`,
      "If-Range came without a Range",
    ]);
  });

  test("lets signed addresses expire after a quarter of an hour", async () => {
    const { store, url, path, setNow, setFaults } = await makeStore();
    setNow(1_000_000 + 14 * 60_000);
    expect((await ask(url)).status).toBe(200);
    setNow(1_000_000 + 16 * 60_000);
    const late = await ask(url);
    expect([late.status, late.text]).toEqual([403, expect.stringContaining("Request has expired")]);
    expect((await ask(store.addressOf(path, "matrix.mtx.zip"))).status).toBe(200);
    setFaults({ expired: { next: 1 } });
    expect((await ask(store.addressOf(path, "matrix.mtx.zip"))).status).toBe(403);
    expect((await ask(store.addressOf(path, "matrix.mtx.zip"))).status).toBe(200);
    expect(store.wrong).toEqual([]);
  });

  test("refuses authorization, changed addresses, other methods and what is not there", async () => {
    const { store, url } = await makeStore();
    const secret = { headers: { authorization: "Bearer secret" } };
    const [base = ""] = url.split("?");
    expect((await ask(url, secret)).status).toBe(400);
    expect((await ask(url.replace("files/0", "files/1"))).status).toBe(403);
    expect((await ask(base)).status).toBe(403);
    expect((await ask(url, { method: "POST" })).status).toBe(405);
    expect(store.wrong).toEqual([
      "GET /files/0/matrix.mtx.zip: Only one auth mechanism allowed",
      "GET /files/1/matrix.mtx.zip: The request signature we calculated does not match",
      "GET /files/0/matrix.mtx.zip: The request signature we calculated does not match",
      "POST /files/0/matrix.mtx.zip: The specified method is not allowed against this resource",
    ]);
    const { url: open, store: publicly } = await makeStore({}, false);
    expect(new URL(open).search).toBe("");
    expect((await ask(open)).bytes).toEqual(CONTENT);
    expect((await ask(`${open}x`)).status).toBe(404);
    expect((await ask(open, secret)).status).toBe(400);
    expect(publicly.wrong).toHaveLength(2);
  });

  test("breaks off after so many bytes, once or always", async () => {
    const { store, url, setFaults } = await makeStore({ cut: { afterBytes: 1234, next: 1 } });
    await expect(ask(url)).rejects.toThrow("terminated");
    expect(store.counts.bytes).toBe(1234);
    expect((await ask(url)).bytes).toEqual(CONTENT);
    setFaults({ cut: { afterBytes: 0, every: 1 } });
    for (let i = 0; i < 2; i++) await expect(ask(url)).rejects.toThrow();
    setFaults({ cut: { afterBytes: 100, every: 1 } });
    await expect(ask(url, range("bytes=4000-"))).rejects.toThrow("terminated");
    // What is shorter than the cut comes whole.
    expect((await ask(url, range("bytes=4950-"))).bytes).toEqual(CONTENT.subarray(4950));
  });

  test("falls silent after so many bytes", async () => {
    const { url, store } = await makeStore({ stall: { afterBytes: 1000, next: 1 } });
    const stopped = new AbortController();
    const answer = await fetch(url, { signal: stopped.signal });
    const reader = (answer.body as ReadableStream<Uint8Array> | null)?.getReader();
    let got = 0;
    while (got < 1000) got += (await reader?.read())?.value?.length ?? 0;
    const more = reader?.read();
    const early = await Promise.race([more, new Promise((resolve) => setImmediate(resolve))]);
    expect([got, early, store.counts.bytes]).toEqual([1000, undefined, 1000]);
    stopped.abort();
    await expect(more).rejects.toThrow("aborted");
  });

  test("knows no ranges, refuses them, or has another file each time, on demand", async () => {
    const { url, setFaults } = await makeStore({ noRanges: { every: 1 } });
    const whole = await ask(url, range("bytes=9-"));
    expect([whole.status, whole.headers.get("accept-ranges")]).toEqual([200, null]);
    setFaults({ refuseRanges: { next: 1 } });
    expect((await ask(url)).status).toBe(200);
    expect((await ask(url, range("bytes=9-"))).status).toBe(416);
    expect((await ask(url, range("bytes=9-"))).status).toBe(206);
    setFaults({ moved: { every: 1 } });
    const [first, second] = [await ask(url), await ask(url)];
    expect(first.headers.get("etag")).not.toBe(second.headers.get("etag"));
  });

  test("flips one bit in the middle, also of a range that has it", async () => {
    const { url } = await makeStore({ corrupt: { every: 1 } });
    const changed = Buffer.from(CONTENT);
    changed[2500] = (changed[2500] ?? 0) ^ 1;
    expect((await ask(url)).bytes).toEqual(changed);
    expect((await ask(url, range("bytes=2400-2600"))).bytes).toEqual(changed.subarray(2400, 2601));
    expect((await ask(url, range("bytes=3000-"))).bytes).toEqual(CONTENT.subarray(3000));
  });

  test("throttles, is down, resets and is slow on demand", async () => {
    const { url, setFaults } = await makeStore({ throttle: { next: 1, retryAfter: "7" } });
    const { status, headers } = await ask(url);
    expect([status, headers.get("retry-after")]).toEqual([429, "7"]);
    setFaults({ unavailable: { next: 1, status: 502 } });
    expect((await ask(url)).status).toBe(502);
    setFaults({ reset: { next: 1 } });
    await expect(ask(url)).rejects.toThrow("fetch failed");
    setFaults({ slow: { next: 1, delayMs: 1 } });
    expect((await ask(url)).status).toBe(200);
  });

  test("has who asked while it was slow wait, and answers the next at once", async () => {
    const { store, url } = await makeStore({ slow: { next: 1, delayMs: 3_600_000 } });
    const stop = new AbortController();
    const slow = ask(url, { signal: stop.signal });
    await expect.poll(() => store.counts.file).toBe(1);
    expect((await ask(url)).status).toBe(200);
    stop.abort();
    await expect(slow).rejects.toThrow("aborted");
  });
});
