import { createHash } from "node:crypto";

import { describe, expect, test } from "vitest";

import { listMembers } from "../../../../src/formats/zip.ts";
import type { ListedObject } from "../../../../src/jobs/cohort/data/catalog.ts";
import type { ExportSource } from "../../../../src/jobs/cohort/sources/exports.ts";
import { synapseExports } from "../../../../src/jobs/cohort/sources/synapseExports.ts";
import type { SynapseServerOptions } from "../../../../src/lookalikes/synapse/synapseServer.ts";
import type { Http } from "../../../../src/sources/http.ts";
import type { SynapseClient } from "../../../../src/sources/synapseClient.ts";
import { makeRig, type Rig, serve, tempDir } from "../../../sources/rig.ts";
import { refusal } from "../../../support/refusal.ts";
import { type Content, ROOT, writeWorld } from "../support/synapseWorld.ts";

const TOKEN = "tok-5ecret";
const KEY = "adults_v1/2026-01-13T05--02--08Z_one";
const BYTES = Buffer.from("0123456789".repeat(30_000));
const ONE = { [`main/${KEY}`]: BYTES };
const NEVER = new AbortController().signal;
const POLICY = { attempts: 5, minDelayMs: 1, maxDelayMs: 4 };

interface Opened extends Rig {
  readonly source: ExportSource;
  readonly ids: ReadonlyMap<string, string>;
}

/** Serves files below the project, and opens the exports of a namespace. */
async function open(
  files: Readonly<Record<string, Content>>,
  options: {
    readonly server?: Partial<SynapseServerOptions>;
    readonly namespace?: string;
    readonly rootId?: string;
    readonly token?: string;
    readonly wrap?: (rig: Rig) => { readonly http: Http; readonly endpoint: string };
  } = {},
): Promise<Opened> {
  const world = await tempDir();
  const ids = await writeWorld(world, files);
  const rig = await makeRig({
    server: { world, tokens: { [TOKEN]: "ada" }, ...options.server },
    client: { token: options.token ?? TOKEN },
  });
  const { namespace = "main", rootId = ROOT } = options;
  const reached = options.wrap?.(rig) ?? { http: rig.http, endpoint: rig.server.url };
  const source = synapseExports({
    ...{ client: rig.client, rootId, namespace, policy: POLICY },
    ...reached,
  });
  return { ...rig, source, ids };
}

function md5Of(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

async function only(source: ExportSource): Promise<Parameters<ExportSource["open"]>[0]> {
  const [one] = await source.list(NEVER);
  if (one === undefined) throw new Error("nothing is listed");
  return asFound(one);
}

function asFound(object: ListedObject): Parameters<ExportSource["open"]>[0] {
  const [cohort = "", name = ""] = object.key.split("/");
  return { ...object, cohort, export: name };
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

describe("list(signal) of exports in Synapse", () => {
  test("lists all files below the namespace's folder, page by page, by their names as they are", async () => {
    const names = [
      "adults_v1/2026-01-13T05%3A02%3A08Z_a+b",
      'adults_v1/2026-01-13T05:02:08Z +1 (2), "x"',
      "adults_v1/2026-01-14T05--02--08Z_five.zip",
      "adults_v1/older/2025",
      "pediatric_v1/ünï",
      "owner.txt",
    ];
    const contents = names.map((name) => [name, Buffer.from(`of ${name}`)] as const);
    const { source, server } = await open(
      {
        ...Object.fromEntries(contents.map(([name, content]) => [`main/${name}`, content])),
        "main/empty/": Buffer.of(),
        "main-2/adults_v1/not": Buffer.from("of another namespace"),
        "readme.txt": Buffer.from("of none"),
      },
      { server: { pageChildren: 1 } },
    );
    expect(await source.list(NEVER)).toEqual(
      contents
        .map(([key, content]) => ({ key, bytes: content.length, etag: md5Of(content) }))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    );
    expect(source.label).toBe("synapse:syn51/main");
    // Looking for the namespace ends with it (1); main has 4 children, adults_v1 4, older 1, pediatric_v1 1, empty none.
    expect(server.requests.children).toBe(1 + 4 + 4 + 1 + 1 + 1);
  });

  test("asks for a hundred file handles at a time", async () => {
    const files = Array.from({ length: 101 }, (_, at) => [`main/c/${at}`, Buffer.from(`${at}`)]);
    const { source, server } = await open(Object.fromEntries(files) as Record<string, Content>);
    expect(await source.list(NEVER)).toHaveLength(101);
    expect(server.requests.fileHandles).toBe(2);
    expect(server.requests.fileDownload).toBe(0);
  });

  test("takes a namespace that has no folder for empty, and a file of its name for none", async () => {
    const { source } = await open({ main: Buffer.from("x"), "Main/adults_v1/x": BYTES });
    expect(await source.list(NEVER)).toEqual([]);
  });

  test.each([
    ["there is no such project", { rootId: "syn404" }, "there is no entity syn404 in Synapse"],
    [
      "it may not be read",
      { server: { faults: { denied: [ROOT] } } },
      "user ada has no right to read syn51",
    ],
    ["the token is wrong", { token: "tok-wr0ng" }, "Synapse did not accept the token"],
  ])("says that %s, and never the token", async (_what, options, message) => {
    const { source, log } = await open(ONE, options);
    const error = await refusal(source.list(NEVER));
    expect(error.kind).toBe("permanent");
    expect(error.message).toContain(message);
    expect(error.hint).not.toBeNull();
    const said = JSON.stringify([error.message, error.hint, error.stack, log]);
    expect(said).not.toMatch(/tok-/);
  });

  test("lists links, and names with a slash, as what they are, and asks for nothing of them", async () => {
    const folders: Record<string, readonly (readonly [name: string, type: string])[]> = {
      [ROOT]: [["main", "org.sagebionetworks.repo.model.Folder"]],
      main: [["adults_v1", "org.sagebionetworks.repo.model.Folder"]],
      adults_v1: [
        ["one", "org.sagebionetworks.repo.model.FileEntity"],
        ["linked", "org.sagebionetworks.repo.model.Link"],
        ["a/b", "org.sagebionetworks.repo.model.FileEntity"],
        ["a/c", "org.sagebionetworks.repo.model.Folder"],
      ],
    };
    const asked: unknown[] = [];
    const client = {
      async *children(parentId: string, _signal: unknown, types: unknown) {
        if (parentId !== ROOT) asked.push(types);
        for (const [name, type] of folders[parentId] ?? []) yield { id: name, name, type };
      },
      files(ids: readonly string[]) {
        asked.push(ids);
        return Promise.resolve(
          ids.map((entityId) => ({ entityId, fileHandleId: "1", md5: "m", bytes: 3 })),
        );
      },
    } as unknown as SynapseClient;
    const { http, server } = await open(ONE);
    const source = synapseExports({
      ...{ client, http, endpoint: server.url, rootId: ROOT, namespace: "main", policy: POLICY },
    });
    const none = { bytes: 0, etag: "" };
    const slash = { outcome: "bad_name", why: "its name has a slash" };
    expect(await source.list(NEVER)).toEqual([
      { key: "adults_v1/a\\x2fb", ...none, refused: slash },
      { key: "adults_v1/a\\x2fc", ...none, refused: slash },
      {
        ...{ key: "adults_v1/linked", ...none },
        refused: { outcome: "no_file", why: "it is a link, which is not followed" },
      },
      { key: "adults_v1/one", bytes: 3, etag: "m" },
    ]);
    const types = ["file", "folder", "link"];
    expect(asked).toEqual([types, types, ["one"]]);
  });

  test("lists what it may not download, so that it is told of where it is read", async () => {
    const two = { ...ONE, "main/adults_v1/two": Buffer.from("two") };
    const { source, server, ids } = await open(two);
    const entityId = ids.get(`main/${KEY}`) ?? "";
    server.setFaults({ undownloadable: [entityId] });
    const [one, other] = await source.list(NEVER);
    expect(one).toEqual({ key: KEY, bytes: 0, etag: "unreadable" });
    expect(other?.bytes).toBe(3);
    expect(await refusal(source.open(asFound(one as ListedObject), NEVER))).toMatchObject({
      kind: "permanent",
      message: `user ada has no right to download ${entityId}`,
    });
    server.setFaults({ denied: [entityId] });
    expect((await source.list(NEVER))[0]).toEqual(one);
  });

  test.each(["entity", "fileHandles"] as const)(
    "lists nothing where Synapse fails to answer (%s), instead of what it lists as unreadable",
    async (route) => {
      const faults = { unavailable: { every: 1, routes: [route] } };
      const { source } = await open(ONE, { server: { faults } });
      expect(await refusal(source.list(NEVER))).toMatchObject({ kind: "transient" });
    },
  );
});

describe("open(found, signal) of an export in Synapse", () => {
  test("reads the ranges that are asked for, each by one request, from one address", async () => {
    const { source, server } = await open(ONE);
    const opened = await source.open(await only(source), NEVER);
    expect(opened.bytes).toBe(300_000);
    const ranges = [
      [0, 300_000],
      [7, 8],
      [100_003, 200_007],
      [299_999, 300_000],
      [5, 5],
    ] as const;
    for (const [from, to] of ranges) {
      expect(await text(opened.read(from, to, NEVER))).toBe(BYTES.toString("utf8", from, to));
    }
    expect(server.requests.fileDownload).toBe(4);
    // One for the list, one for the address.
    expect(server.requests.fileHandles).toBe(2);
  });

  test("finds what somebody else has listed", async () => {
    const { source } = await open(ONE);
    const found = { key: KEY, bytes: BYTES.length, etag: md5Of(BYTES), cohort: "", export: "" };
    const opened = await source.open(found, NEVER);
    expect(await text(opened.read(0, 3, NEVER))).toBe("012");
    const none = { ...found, key: "adults_v1/none" };
    expect(await refusal(source.open(none, NEVER))).toMatchObject({ kind: "transient" });
  });

  test("tells by three requests at most that it is no zip", async () => {
    const { source, server } = await open(ONE);
    const opened = await source.open(await only(source), NEVER);
    expect(await listMembers(opened, NEVER)).toMatchObject({ refusal: "not_archive" });
    expect(server.requests.fileDownload).toBeLessThanOrEqual(3);
  });

  test("goes on where a connection broke", async () => {
    const { source, server } = await open(ONE);
    const opened = await source.open(await only(source), NEVER);
    server.setFaults({ truncate: { next: 3, routes: ["fileDownload"] } });
    const read = await text(opened.read(1000, 300_000, NEVER));
    expect(read === BYTES.toString("utf8", 1000)).toBe(true);
    expect(server.requests.fileDownload).toBe(4);
  });

  test("asks for a new address where one has expired", async () => {
    let now = Date.now();
    const { source, server } = await open(ONE, { server: { now: () => now } });
    const opened = await source.open(await only(source), NEVER);
    await text(opened.read(0, 10, NEVER));
    now += 16 * 60_000;
    expect(await text(opened.read(10, 15, NEVER))).toBe("01234");
    expect(server.requests.fileHandles).toBe(3);
    expect(server.requests.fileDownload).toBe(3);
  });

  test("gives up where every address has expired already, and names none", async () => {
    let now = Date.now();
    const { source, server } = await open(ONE, { server: { now: () => (now += 1000) } });
    const opened = await source.open(await only(source), NEVER);
    now += 16 * 60_000;
    server.setFaults({ expiredUrls: { every: 1 } });
    const error = await refusal(text(opened.read(0, 10, NEVER)));
    expect(error.kind).toBe("permanent");
    expect(error.message).toMatch(/: 4 signed addresses in a row were refused \(AccessDenied: /);
    expect(error.message).not.toMatch(/X-Amz|http/);
  });

  test("says that it was replaced since it was listed", async () => {
    const { source, world, server } = await open(ONE);
    const found = await only(source);
    await writeWorld(world, { [`main/${KEY}`]: BYTES.subarray(1) }, 2);
    const error = await refusal(source.open(found, NEVER));
    expect([error.kind, error.message]).toEqual([
      "transient",
      `export ${KEY} has changed, or gone, since it was listed`,
    ]);
    expect(server.requests.fileDownload).toBe(0);
  });

  test("says that it was replaced while it was read, at once", async () => {
    const { source, world, server } = await open(ONE);
    const opened = await source.open(await only(source), NEVER);
    await text(opened.read(0, 10, NEVER));
    await writeWorld(world, { [`main/${KEY}`]: Buffer.from(BYTES).fill("x") }, 2);
    const error = await refusal(text(opened.read(10, 20, NEVER)));
    expect([error.kind, error.message]).toEqual([
      "transient",
      `export ${KEY} has changed, or gone, since it was listed`,
    ]);
    expect(server.requests.fileDownload).toBe(2);
    // For the list, for the address, and to see what has become of it.
    expect(server.requests.fileHandles).toBe(3);
  });

  test("reads on where the same content was uploaded anew", async () => {
    const { source, world } = await open(ONE);
    const opened = await source.open(await only(source), NEVER);
    await text(opened.read(0, 10, NEVER));
    await writeWorld(world, ONE, 2);
    expect(await text(opened.read(5, 15, NEVER))).toBe("5678901234");
  });

  test("stops when it is told to", async () => {
    const { source } = await open(ONE);
    const opened = await source.open(await only(source), NEVER);
    const stop = new AbortController();
    stop.abort();
    expect(await refusal(text(opened.read(0, 10, stop.signal)))).toMatchObject({ kind: "aborted" });
    expect(await refusal(source.list(stop.signal))).toMatchObject({ kind: "aborted" });
  });
});

describe("content that Synapse does not store", () => {
  test("is read in ranges, without the token", async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      seen.push([request.headers.authorization, request.headers.range]);
      const headers = { "content-range": `bytes 2-4/${BYTES.length}` };
      response.writeHead(206, headers).end(BYTES.subarray(2, 5));
    });
    const externalURL = `${url}/a?b=c`;
    const { source } = await open({ [`main/${KEY}`]: { externalURL, bytes: BYTES.length } });
    const found = await only(source);
    expect(found.etag).toMatch(/^file handle \d+$/);
    const opened = await source.open(found, NEVER);
    expect(await text(opened.read(2, 5, NEVER))).toBe("234");
    expect(seen).toEqual([[undefined, "bytes=2-4"]]);
  });

  // Well before the client itself gives up.
  test("is let go of when the reader is told to stop", { timeout: 20_000 }, async () => {
    const stop = new AbortController();
    const url = await serve((_request, response) => {
      response.on("close", () => void (isLetGo = true));
      stop.abort();
    });
    let isLetGo = false;
    const { source } = await open({ [`main/${KEY}`]: { externalURL: url, bytes: 300_000 } });
    const opened = await source.open(await only(source), NEVER);
    const error = await refusal(text(opened.read(0, 5, stop.signal)));
    expect(error.kind).toBe("aborted");
    await expect.poll(() => isLetGo).toBe(true);
  });

  test.each([
    [200, {}, "the store gives no part of it"],
    [206, { "content-range": "bytes 0-2/300000" }, "the store sent other bytes than 2-4 of 300000"],
    [206, { "content-range": "bytes 2-4/299999" }, "the store sent other bytes than 2-4 of 300000"],
    [416, {}, "the store has no bytes 2-4, of 300000 that it should"],
    [404, {}, "the server answered 404"],
  ])("is not taken for what it is not: %i %j", async (status, headers, message) => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked++;
      response.writeHead(status, headers).end("234");
    });
    const { source, ids } = await open({ [`main/${KEY}`]: { externalURL: url, bytes: 300_000 } });
    const opened = await source.open(await only(source), NEVER);
    const error = await refusal(text(opened.read(2, 5, NEVER)));
    const id = ids.get(`main/${KEY}`) ?? "";
    expect([error.kind, error.message]).toEqual([
      "permanent",
      `export ${KEY} (${id} in Synapse): ${message}`,
    ]);
    expect(asked).toBe(1);
  });

  test("is not read where nobody says how long it is", async () => {
    const { source } = await open({ [`main/${KEY}`]: { externalURL: "https://example.org/x" } });
    const found = await only(source);
    expect(found).toMatchObject({ bytes: 0, etag: "unreadable" });
    const error = await refusal(source.open(found, NEVER));
    expect(error.message).toMatch(/: Synapse does not say how long it is$/);
  });

  test.each([
    ["on this machine", "http", "it is on the machine that hdash runs on"],
    ["in a private network", "https://10.0.0.7/x", "it is in a private network"],
    ["without encryption", "http://example.org/x", "it is not encrypted (http)"],
    ["in a file", "file:///etc/passwd", "it is not one of the web"],
  ])("is not asked for %s", async (_what, address, why) => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked++;
      response.end("secret");
    });
    const externalURL = address === "http" ? `${url}/latest` : address;
    const { source, ids } = await open(
      { [`main/${KEY}`]: { externalURL, bytes: 300_000 } },
      // As if Synapse were elsewhere: what is on this machine is then none of its.
      { wrap: ({ http }) => ({ http, endpoint: "https://synapse.example.org" }) },
    );
    const opened = await source.open(await only(source), NEVER);
    const error = await refusal(text(opened.read(0, 5, NEVER)));
    const id = ids.get(`main/${KEY}`) ?? "";
    expect([error.kind, error.message]).toEqual([
      "permanent",
      `export ${KEY} (${id} in Synapse): the address that it leads to is not asked: ${why}`,
    ]);
    expect(asked).toBe(0);
  });
});
