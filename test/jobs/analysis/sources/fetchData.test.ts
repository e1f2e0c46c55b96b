import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../../../src/digest.ts";
import { fetchData } from "../../../../src/jobs/analysis/sources/fetchData.ts";
import { data } from "../../../../src/jobs/analysis/writing/data.ts";
import { type Http, makeHttp } from "../../../../src/sources/http.ts";
import { openFolderBlobs } from "../../../../src/store/folderBlobs.ts";
import { refusal } from "../../../support/refusal.ts";

const CONTENT = "ACGT\n";
const WANTED = digestOf(CONTENT);

/** What the server does at each path. */
const ANSWERS: Readonly<Record<string, (request: IncomingMessage, to: ServerResponse) => void>> = {
  "/good": (_request, to) => void to.end(CONTENT),
  "/other": (_request, to) => void to.end("TTTT\n"),
  "/moved": (_request, to) => void to.writeHead(302, { location: "/good" }).end(),
  "/circle": (_request, to) => void to.writeHead(302, { location: "/circle" }).end(),
  "/away": (_request, to) => void to.writeHead(302, { location: "ftp://example.org/x" }).end(),
  "/cut": (_request, to) => {
    to.writeHead(200, { "content-length": "100" }).write("ACGT");
    to.on("drain", () => {}).socket?.end();
  },
  "/hung": () => {},
};

let server: Server;
let http: Http;
let origin: string;
beforeAll(async () => {
  server = createServer((request, to) => {
    const [path = ""] = (request.url ?? "").split("?");
    const answer = ANSWERS[path] ?? (() => void to.writeHead(404).end());
    answer(request, to);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  http = makeHttp({ headersTimeoutMs: 200, bodyTimeoutMs: 200 });
});
afterAll(async () => {
  await http.close();
  server.closeAllConnections();
  server.close();
});

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-data-"));
  await mkdir(join(dir, "work"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const bring = (url: string, sha256 = WANTED): Promise<string> =>
  fetchData(
    {
      blobs: () => Promise.resolve(openFolderBlobs(join(dir, "blobs"))),
      http: () => Promise.resolve(http),
      bucket: () =>
        Promise.resolve({
          fetch: async (key, path) => {
            if (key !== "ref/a.fa") return null;
            await writeFile(path, CONTENT);
            return { digest: WANTED, bytes: CONTENT.length };
          },
        }),
      policy: { attempts: 2, minDelayMs: 1, maxDelayMs: 1 },
      onRetry: () => {},
      base: dir,
    },
    {
      ...{ url, sha256, dir: join(dir, "work"), signal: new AbortController().signal },
      onProgress: () => {},
    },
  );
const told = async (url: string): Promise<string> => {
  const { message } = await refusal(bring(url));
  // What failed leaves nothing that might be taken for the file.
  expect((await readdir(join(dir, "work"))).filter((name) => name.endsWith(".part"))).toEqual([]);
  return message.replaceAll(origin, "SERVER");
};

describe("fetchData(effects, of)", () => {
  test.each(["/good", "/moved", "/good?signature=secret"])("brings what is at %s", async (path) => {
    expect(await readFile(await bring(origin + path), "utf8")).toBe(CONTENT);
  });

  test("brings what lies in the pipeline's folder, and in a bucket", async () => {
    await writeFile(join(dir, "a.fa"), CONTENT);
    expect(await readFile(await bring("a.fa"), "utf8")).toBe(CONTENT);
    await rm(join(dir, "work/data"));
    expect(await readFile(await bring("s3://bucket/ref/a.fa"), "utf8")).toBe(CONTENT);
    expect(await told("s3://bucket/ref/b.fa")).toBe("data s3://bucket/ref/b.fa is not there");
  });

  test("asks nobody where the store has it; one that is damaged there is fetched", async () => {
    const blobs = openFolderBlobs(join(dir, "blobs"));
    await blobs.put(Buffer.from(CONTENT));
    expect(await readFile(await bring(`${origin}/hung`), "utf8")).toBe(CONTENT);
    await rm(join(dir, "blobs"), { recursive: true });
    await mkdir(join(dir, "blobs", WANTED.slice(0, 2)), { recursive: true });
    await writeFile(join(dir, "blobs", WANTED.slice(0, 2), WANTED.slice(2)), "ACGA\n");
    expect(await readFile(await bring(`${origin}/good`), "utf8")).toBe(CONTENT);
  });

  test.each<[string, RegExp]>([
    [
      "/other?signature=secret",
      /^data SERVER\/other: the server sent sha256 (\w+) instead of (\w+), twice$/,
    ],
    ["/none", /^data SERVER\/none: the server answered 404$/],
    ["/circle", /^data SERVER\/circle: more than 10 redirects, probably in a circle$/],
    ["/away", /^data SERVER\/away: .*it is not one of the web$/],
    ["/cut", /^data SERVER\/cut: /],
    ["/hung", /^data SERVER\/hung: /],
  ])("says of %s what is wrong, by its address", async (path, says) => {
    const message = await told(origin + path);
    expect(message).toMatch(says);
    expect(message).not.toContain("secret");
    const [, found, wanted] = says.exec(message) ?? [];
    if (found !== undefined) expect([found, wanted]).toEqual([digestOf("TTTT\n"), WANTED]);
  });

  test("says of a path what is wrong", async () => {
    await writeFile(join(dir, "b.fa"), "TTTT\n");
    expect(await told("b.fa")).toBe(
      `data b.fa has the sha256 ${digestOf("TTTT\n")} instead of ${WANTED}`,
    );
    await rm(join(dir, "work/data"));
    expect(await told("gone.fa")).toBe("data gone.fa is not there");
    expect(await told("work")).toBe("data work cannot be read");
  });
});

describe("data(url, { sha256 })", () => {
  test.each<[string, string, string]>([
    ["a.fa", "abc", 'has the sha256 "abc", which is not 64 hex digits'],
    ["", WANTED, "names nothing"],
    ["http://example.org/a", WANTED, "is not encrypted: use https"],
    ["ftp://example.org/a", WANTED, "is neither https, s3 nor a path"],
    ["s3://bucket", WANTED, "has no bucket and key"],
    ["https://", WANTED, "is no address"],
  ])("refuses %j with %j", (url, sha256, says) => {
    expect(() => data(url, { sha256 })).toThrow(`data(${JSON.stringify(url)}) ${says}`);
  });
});
