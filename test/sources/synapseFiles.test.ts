import { mkdir, readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { lackingOf } from "../../src/error.ts";
import { refusal } from "../support/refusal.ts";
import { all, failureOf, makeRig, makeWorld, MANIFEST, md5Of, PROJECT, serve } from "./rig.ts";

const MD5 = md5Of(MANIFEST);
const DONE = { md5: MD5, bytes: MANIFEST.length };
const routes = ["fileDownload"] as const;

describe("download(entityId, md5, path, signal, onBytes)", () => {
  test("writes the content and says its MD5 and size", async () => {
    const { client, dir, server } = await makeRig();
    const path = join(dir, "a.csv");
    const counts: number[] = [];
    const onBytes = (bytes: number): void => void counts.push(bytes);
    expect(await client.download("syn111", MD5.toUpperCase(), path, undefined, onBytes)).toEqual(
      DONE,
    );
    expect(await readFile(path, "utf8")).toBe(MANIFEST);
    expect(counts.at(-1)).toBe(MANIFEST.length);
    expect(await readdir(dir)).toEqual(["a.csv"]);
    const { entity, fileHandles, fileDownload } = server.requests;
    expect([entity, fileHandles, fileDownload]).toEqual([1, 1, 1]);
  });

  test("does without an MD5 to compare with", async () => {
    const { client, dir } = await makeRig();
    expect(await client.download("syn112", null, join(dir, "a"))).toEqual({
      md5: md5Of("hello"),
      bytes: 5,
    });
  });

  test("goes on where a body broke off, with the bytes that it has", async () => {
    const { client, dir, server } = await makeRig({
      server: { faults: { truncate: { next: 3, routes } } },
    });
    const counts: number[] = [];
    const onBytes = (bytes: number): void => void counts.push(bytes);
    expect(await client.download("syn111", MD5, join(dir, "a"), undefined, onBytes)).toEqual(DONE);
    expect(server.requests.fileDownload).toBe(4);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(await readFile(join(dir, "a"), "utf8")).toBe(MANIFEST);
  });

  test.each([
    ["ignores ranges", 200, {}, 1],
    ["sends another range", 206, { "content-range": "bytes 0-99/100" }, 2],
  ])("starts over with a server that %s", async (_what, status, extra, failures) => {
    let calls = 0;
    const url = await serve((_request, response) => {
      const first = ++calls === 1;
      const length = { "content-length": MANIFEST.length };
      if (first) {
        response.writeHead(200, length).write(MANIFEST.slice(0, 100), () => response.socket?.end());
      } else if (calls === 2) response.writeHead(status, { ...length, ...extra }).end(MANIFEST);
      else response.writeHead(200, length).end(MANIFEST);
    });
    const endpoint = await fakeSynapse(url, { contentMd5: MD5, contentSize: MANIFEST.length });
    const { client, dir, log } = await makeRig({ client: { endpoint } });
    expect(await client.download("syn111", MD5, join(dir, "a"))).toEqual(DONE);
    expect(await readFile(join(dir, "a"), "utf8")).toBe(MANIFEST);
    expect(log).toHaveLength(failures);
    expect(log.at(-1)?.message).toMatch(
      failures === 1 ? /broke after 100 bytes/ : /another range$/,
    );
  });

  test("keeps nothing of wrong content that was longer than the right one", async () => {
    let calls = 0;
    const url = await serve((_request, response) =>
      response.end(++calls === 1 ? `${MANIFEST}and more` : MANIFEST),
    );
    const endpoint = await fakeSynapse(url, { contentMd5: MD5 });
    const { client, dir } = await makeRig({ client: { endpoint } });
    expect(await client.download("syn111", MD5, join(dir, "a"))).toEqual(DONE);
    expect(await readFile(join(dir, "a"), "utf8")).toBe(MANIFEST);
  });

  test("asks for a new address when one has expired", async () => {
    const { client, dir, server } = await makeRig({
      server: { faults: { expiredUrls: { next: 2 } } },
    });
    expect(await client.download("syn111", MD5, join(dir, "a"))).toEqual(DONE);
    expect([server.requests.fileHandles, server.requests.fileDownload]).toEqual([3, 3]);
  });

  test("asks for a new address when one expires between two attempts, and goes on", async () => {
    let nowMs = Date.now();
    const { client, dir, server } = await makeRig({
      server: { now: () => nowMs, faults: { truncate: { next: 1, routes } } },
    });
    const onBytes = (): void => void (nowMs += 60 * 60_000);
    const result = await client.download("syn111", MD5, join(dir, "a"), undefined, onBytes);
    expect(result).toEqual(DONE);
    expect([server.requests.fileHandles, server.requests.fileDownload]).toEqual([2, 3]);
  });

  test("takes S3's word that the signer's credentials expired for an expired address", async () => {
    const url = await serve((_request, response) =>
      response.writeHead(400).end("<Error><Code>ExpiredToken</Code><Message>old</Message></Error>"),
    );
    const endpoint = await fakeSynapse(url, {});
    const { client, dir } = await makeRig({ client: { endpoint } });
    expect((await failureOf(client.download("syn111", MD5, join(dir, "a")))).message).toBe(
      "Synapse download of syn111: 4 signed addresses in a row were refused (ExpiredToken: old)",
    );
  });

  test("gives up when every address is refused, without naming one", async () => {
    const { client, dir, server } = await makeRig({
      server: { faults: { expiredUrls: { every: 1 } } },
    });
    expect(await failureOf(client.download("syn111", MD5, join(dir, "a")))).toEqual({
      kind: "permanent",
      message:
        "Synapse download of syn111: 4 signed addresses in a row were refused (AccessDenied: Request has expired)",
      hint: null,
    });
    expect(server.requests.fileHandles).toBe(4);
    expect(await readdir(dir)).toEqual([]);
  });

  test("does not show its token to the store", async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end(MANIFEST);
    });
    const { client, dir } = await makeRig({ client: { endpoint: await fakeSynapse(url, {}) } });
    expect(await client.download("syn111", MD5, join(dir, "a"))).toEqual(DONE);
    expect(seen).toEqual([undefined]);
  });

  test("downloads again what came with wrong bytes", async () => {
    const { client, dir, server } = await makeRig({
      server: { faults: { corrupt: { next: 2, routes } } },
    });
    expect(await client.download("syn111", MD5, join(dir, "a"))).toEqual(DONE);
    expect(server.requests.fileDownload).toBe(3);
  });

  test("gives up on content that stays wrong, and leaves nothing behind", async () => {
    const { client, dir } = await makeRig({
      server: { faults: { corrupt: { every: 1, routes } } },
    });
    const { kind, message } = await failureOf(client.download("syn111", MD5, join(dir, "a")));
    expect(kind).toBe("transient");
    expect(message).toMatch(
      new RegExp(
        `^Synapse download of syn111: the server sent content with MD5 [0-9a-f]{32} instead of ${MD5}`,
      ),
    );
    expect(await readdir(dir)).toEqual([]);
  });

  test("gives up on content that is shorter than its file handle says", async () => {
    const { client, dir } = await makeRig({ server: { faults: { wrongSize: { every: 1 } } } });
    const size = MANIFEST.length;
    const failure = await refusal(client.download("syn111", MD5, join(dir, "a")));
    // It is this manifest's trouble, and not the service's.
    expect(lackingOf(failure)).toBe("syn111");
    const { kind, message } = failure;
    expect([kind, message.replace(/.*: the/, "the")]).toEqual([
      "transient",
      expect.stringMatching(
        `^the (content|body) end(s|ed) (at|after) ${size} of ${size + 1} bytes$`,
      ),
    ]);
  });

  test("gives up on content that is longer than its file handle says", async () => {
    const url = await serve((_request, response) => response.end(MANIFEST));
    const endpoint = await fakeSynapse(url, { contentSize: 10 });
    const { client, dir } = await makeRig({ client: { endpoint } });
    expect((await failureOf(client.download("syn111", null, join(dir, "a")))).message).toBe(
      "Synapse download of syn111: the server sent more than the 10 bytes that its file handle says for syn111",
    );
  });

  test("says at once when the view and the file disagree", async () => {
    const { client, dir, server } = await makeRig();
    const old = md5Of("what it was");
    expect(await failureOf(client.download("syn111", old, join(dir, "a")))).toEqual({
      kind: "transient",
      message: `the view says that syn111 has MD5 ${old}, but its file has ${MD5}`,
      hint: expect.stringContaining("was replaced") as unknown,
    });
    expect(server.requests.fileDownload).toBe(0);
  });

  test("compares with the view where the file handle has no MD5", async () => {
    const url = await serve((_request, response) => response.end(MANIFEST));
    const { client, dir } = await makeRig({ client: { endpoint: await fakeSynapse(url, {}) } });
    const old = md5Of("what it was");
    expect((await failureOf(client.download("syn111", old, join(dir, "a")))).message).toBe(
      `Synapse download of syn111: the server sent content with MD5 ${MD5} instead of ${old} for syn111`,
    );
  });

  test.each(["throttle", "unavailable", "reset"] as const)(
    "survives a store with trouble (%s)",
    async (fault) => {
      const { client, dir, server } = await makeRig({
        server: { faults: { [fault]: { next: 2, routes } } },
      });
      expect(await client.download("syn111", MD5, join(dir, "a"))).toEqual(DONE);
      expect(server.requests.fileDownload).toBe(3);
    },
  );

  test.each([
    ["syn110", {}, "syn110 has no content to download: it is a Folder"],
    ["syn999", {}, "there is no entity syn999 in Synapse: Entity syn999 does not exist"],
    ["syn111", { undownloadable: ["syn111"] }, "user ada has no right to download syn111"],
    [
      "syn111",
      { denied: [PROJECT] },
      "user ada has no right to read syn111: You do not have READ permission for the requested entity, syn111",
    ],
    [
      "syn114",
      {},
      "Synapse download of syn114: the server answered 404: NoSuchKey: The specified key does not exist.",
    ],
  ])("says why there is no content of %s (%j)", async (entityId, faults, message) => {
    const { client, dir } = await makeRig({ server: { faults } });
    const failure = await failureOf(client.download(entityId, null, join(dir, "a")));
    expect([failure.kind, failure.message]).toEqual(["permanent", message]);
    expect(await readdir(dir)).toEqual([]);
  });

  test.each([
    [{ failureCode: "NOT_FOUND" }, "syn111 has no file 9111 in Synapse any more"],
    [{ failureCode: "ODD" }, "Synapse gives no download of syn111: ODD"],
    [{ fileHandleId: "1" }, "Synapse did not answer for file 9111 of syn111"],
    [{ fileHandle: null }, "the file handle of syn111.fileHandle should be an object but is null"],
    [
      { fileHandle: { contentSize: -1 } },
      "the file handle of syn111.fileHandle.contentSize should be a count but is a number",
    ],
    [
      { preSignedURL: null },
      "Synapse gives no address for the file of syn111: it may be stored elsewhere",
    ],
    [
      { preSignedURL: "file:///etc/hosts" },
      "Synapse download of syn111: the address that it leads to is not asked: it is not one of the web",
    ],
  ])("does not believe a file handle of %j", async (answer, message) => {
    const endpoint = await fakeSynapse("http://127.0.0.1/", {}, answer);
    const { client, dir } = await makeRig({ client: { endpoint } });
    const failure = await failureOf(client.download("syn111", null, join(dir, "a")));
    expect([failure.kind, failure.message]).toEqual(["permanent", message]);
  });

  test("says what the disk refuses, and does not try again", async () => {
    const { client, dir, server } = await makeRig();
    await mkdir(join(dir, "a"));
    const failures = await Promise.all([
      failureOf(client.download("syn111", null, join(dir, "none", "b"))),
      failureOf(client.download("syn111", null, join(dir, "a"))),
    ]);
    expect(failures.map(({ kind }) => kind)).toEqual(["permanent", "permanent"]);
    expect(failures[0]?.message).toMatch(/^cannot write .*none.b\.part: ENOENT/);
    expect(failures[1]?.message).toMatch(/^cannot write .*a\.part: E/);
    expect(server.requests.fileDownload).toBe(1);
    expect(await readdir(dir)).toEqual(["a"]);
  });

  test("stops in the middle of a body when told to, and leaves nothing behind", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { "content-length": MANIFEST.length });
      response.write(MANIFEST.slice(0, 50));
    });
    const { client, dir } = await makeRig({ client: { endpoint: await fakeSynapse(url, {}) } });
    const stop = new AbortController();
    const onBytes = (): void => stop.abort();
    const result = client.download("syn111", MD5, join(dir, "a"), stop.signal, onBytes);
    expect(await failureOf(result)).toEqual({
      kind: "aborted",
      message: "stopped while: Synapse download of syn111",
      hint: null,
    });
    expect(await readdir(dir)).toEqual([]);
  });

  test("keeps downloads under way within their bound", async () => {
    let [now, most] = [0, 0];
    const url = await serve((_request, response) => {
      most = Math.max(most, ++now);
      response.on("finish", () => now--);
      setTimeout(() => response.end(MANIFEST), 5);
    });
    const { client, dir } = await makeRig({
      client: { endpoint: await fakeSynapse(url, {}), concurrency: { downloads: 2 } },
    });
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        client.download("syn111", MD5, join(dir, `${index}`)),
      ),
    );
    expect(most).toBe(2);
  });

  test("writes an empty file for empty content", async () => {
    const world = await makeWorld();
    await truncate(join(world, "files", "syn112.csv"), 0);
    const { client, dir } = await makeRig({ server: { world } });
    expect(await client.download("syn112", null, join(dir, "a"))).toEqual({
      md5: md5Of(""),
      bytes: 0,
    });
    expect(await readFile(join(dir, "a"), "utf8")).toBe("");
  });
});

/** A Synapse that knows one file, whose content is at `url`. */
async function fakeSynapse(
  url: string,
  fileHandle: Readonly<Record<string, unknown>>,
  answer: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  return serve((request, response) => {
    const entity = {
      id: "syn111",
      name: "a",
      concreteType: "x.FileEntity",
      etag: "e",
      modifiedOn: "2020",
    };
    const file = { fileHandleId: "9111", fileHandle, preSignedURL: url, ...answer };
    const value =
      request.method === "GET"
        ? { ...entity, dataFileHandleId: "9111" }
        : { requestedFiles: [file] };
    void all(request).then(() => response.end(JSON.stringify(value)));
  });
}
