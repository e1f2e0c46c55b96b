// A folder of the look-alike Synapse that leads to a place: done once, nothing is left to be done; whatever is wrong is named first.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  type FolderOutcome,
  type FolderRequest,
  leadFolder,
} from "../../../src/jobs/cohort/synapseFolder.ts";
import { SILENT } from "../../../src/log.ts";
import type { SynapseFaults } from "../../../src/lookalikes/synapse/synapseFaults.ts";
import { makeSynapseStorage, type SynapseStorage } from "../../../src/sources/synapseStorage.ts";
import type { Bucket } from "../../../src/store/bucket.ts";
import { openFolderBucket } from "../../../src/store/folderBucket.ts";
import { makeRig, serve, tempDir } from "../../sources/rig.ts";
import { refusal } from "../../support/refusal.ts";
import { ROOT, writeWorld } from "./support/synapseWorld.ts";

const NEVER = new AbortController().signal;
const POLICY = { attempts: 3, minDelayMs: 1, maxDelayMs: 4 };
const PLACE = { bucket: "my-processed", baseKey: "main/parquet" };
const ME = "3400001";

/** A world with an empty folder and a full one, and a bucket that is a folder. */
async function makeScene(faults: SynapseFaults = {}, token = "secret") {
  const world = await tempDir();
  const ids = await writeWorld(world, {
    ...{ "empty/": Buffer.from(""), "full/inner/file": Buffer.from("x") },
    "other/": Buffer.from(""),
  });
  const dir = await tempDir();
  const bucket = openFolderBucket(dir, { isPrivate: true });
  const readObject = async (name: string, key: string): Promise<Uint8Array | null> =>
    name === PLACE.bucket ? bucket.get(key.replace(/^main\//, "")) : null;
  const { server, http, client } = await makeRig({
    server: { world, readObject, faults, tokens: { secret: "ada", other: "bob" } },
    client: { token },
  });
  const options = {
    endpoint: server.url,
    token,
    userName: "ada",
    http,
    log: SILENT,
    policy: POLICY,
  };
  const storage = makeSynapseStorage(options);
  const id = (path: string): string => ids.get(path) ?? "";
  const lead = (
    folder: FolderRequest["folder"],
    how: { readonly owners?: readonly string[]; readonly place?: typeof PLACE } = {},
    by: { readonly bucket?: Bucket; readonly storage?: SynapseStorage } = {},
  ): Promise<FolderOutcome> =>
    leadFolder(
      client,
      by.storage ?? storage,
      {
        ...{ folder, place: how.place ?? PLACE, owners: how.owners ?? [] },
        owner: { bucket: by.bucket ?? bucket, key: "parquet/owner.txt" },
      },
      NEVER,
    );
  const owner = (): Promise<string> => readFile(join(dir, "parquet/owner.txt"), "utf8");
  return { ...{ server, client, storage, bucket, dir, ids, id, lead, owner }, options };
}

describe("leadFolder(client, storage, request)", () => {
  test("names the owner, makes the location and sets the folder, and then nothing more", async () => {
    const { server, lead, owner, id } = await makeScene();
    const folder = { id: id("empty") };
    expect(await lead(folder)).toEqual({
      ...{ folderId: id("empty"), locationId: 41, added: [ME] },
      ...{ isMade: false, isSet: true },
    });
    expect([await owner(), server.changes]).toEqual([ME, 2]);
    expect(await lead(folder)).toEqual({
      ...{ folderId: id("empty"), locationId: 41, added: [] },
      ...{ isMade: false, isSet: false },
    });
    expect([await owner(), server.changes]).toEqual([ME, 2]);
    const { newLocation, newSetting } = server.requests;
    expect([newLocation, newSetting]).toEqual([1, 1]);
  });

  test("makes a folder by its name, and finds it the next time", async () => {
    const { server, lead } = await makeScene();
    const folder = { parentId: ROOT, name: "datasets of main" };
    const first = await lead(folder);
    expect(first).toMatchObject({ isMade: true, isSet: true });
    expect(await lead(folder)).toEqual({ ...first, added: [], isMade: false, isSet: false });
    expect(server.changes).toBe(3);
  });

  test("finds the folder that somebody has made meanwhile", async () => {
    const { lead, storage } = await makeScene();
    const folder = { parentId: ROOT, name: "new" };
    const slow: SynapseStorage = {
      ...storage,
      async makeFolder(parentId, name, signal) {
        await storage.makeFolder(parentId, name, signal);
        return storage.makeFolder(parentId, name, signal);
      },
    };
    expect(await lead(folder, {}, { storage: slow })).toMatchObject({ isSet: true });
  });

  test("does with answers that are lost on their way, and with trouble that passes", async () => {
    const routes = ["newFolder", "newLocation", "newSetting", "setting", "sts"] as const;
    for (const route of routes) {
      const { server, lead } = await makeScene({ truncate: { next: 1, routes: [route] } });
      const outcome = await lead({ parentId: ROOT, name: "new" });
      expect(outcome, route).toMatchObject({ locationId: 41 });
      expect(server.changes).toBe(3);
    }
    const { lead, id } = await makeScene({ unavailable: { next: 2 } });
    expect(await lead({ id: id("empty") })).toMatchObject({ isSet: true });
  });

  test.each([["missing"], ["empty"]] as const)(
    "takes a setting that is %s for none",
    async (noSetting) => {
      const { lead, id } = await makeScene({ noSetting });
      expect(await lead({ id: id("empty") })).toMatchObject({ isSet: true });
    },
  );

  test("takes what a folder above is set to for none of its own", async () => {
    const { options } = await makeScene();
    const locations = async (projectId: string): Promise<readonly number[] | null> => {
      const endpoint = await serve((_request, response) => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ projectId, locations: [7] }));
      });
      return makeSynapseStorage({ ...options, endpoint }).uploadLocations("syn51");
    };
    expect(await locations("syn9")).toBeNull();
    expect(await locations("51")).toEqual([7]);
  });
});

describe("leadFolder(client, storage, request), owner.txt", () => {
  test("keeps whom it names, in lines or with commas, and adds who is missing once", async () => {
    const { lead, owner, id, bucket } = await makeScene();
    const put = (text: string) =>
      bucket.put("parquet/owner.txt", Buffer.from(text), { contentType: "", cacheControl: "" });
    await put("273\r\nada\n");
    expect((await lead({ id: id("empty") })).added).toEqual([]);
    expect(await owner()).toBe("273\r\nada\n");
    await put("273, 274\n");
    const { added } = await lead({ id: id("empty") }, { owners: ["274", "999", "999"] });
    expect(added).toEqual([ME, "999"]);
    expect(await owner()).toBe(`273,274,${ME},999`);
  });

  test("is not written over where it is no list", async () => {
    const { lead, dir, id, bucket, server } = await makeScene();
    await bucket.put("parquet/owner.txt", Buffer.alloc(70_000), {
      ...{ contentType: "", cacheControl: "" },
    });
    expect(await refusal(lead({ id: id("empty") }))).toMatchObject({
      kind: "usage",
      message: `${bucket.uri}/parquet/owner.txt is no list of owners: it has 70,000 bytes`,
    });
    expect(server.changes).toBe(0);
    await writeFile(join(dir, "parquet/owner.txt"), "");
    expect((await lead({ id: id("empty") })).added).toEqual([ME]);
  });

  test("that cannot be written says who may write there whom it has to name", async () => {
    const { lead, id, bucket, server } = await makeScene();
    const why = await refusal(
      bucket.put("../x", Buffer.from(""), { contentType: "", cacheControl: "" }),
    );
    const closed: Bucket = { ...bucket, put: () => Promise.reject(why) };
    const failed = await refusal(lead({ id: id("empty") }, {}, { bucket: closed }));
    expect(failed.message).toBe(
      `${bucket.uri}/parquet/owner.txt cannot be written: ${why.message}`,
    );
    expect([failed.kind, failed.hint]).toEqual([
      why.kind,
      `It has to name ${ME}; whoever may write there can put it: one line, names separated by commas.`,
    ]);
    expect(server.changes).toBe(0);
  });
});

describe("leadFolder(client, storage, request), told what cannot be", () => {
  test("looks at the folder before it writes anything", async () => {
    const { lead, id, server, bucket } = await makeScene();
    const said = async (folder: FolderRequest["folder"]): Promise<string> => {
      const { kind, message } = await refusal(lead(folder));
      return `${kind}: ${message}`;
    };
    expect(await said({ id: id("full") })).toBe(
      `usage: ${id("full")} is not empty: it has 1 thing in it, and Synapse sets only an empty folder to a bucket`,
    );
    expect(await said({ id: ROOT })).toBe(
      `usage: --folder is ${ROOT}, which is no folder: it is a Project`,
    );
    expect(await said({ id: id("full/inner/file") })).toMatch(/no folder: it is a FileEntity$/);
    expect(await said({ id: "syn404" })).toMatch(
      /^permanent: there is no entity syn404 in Synapse/,
    );
    expect(await said({ parentId: id("full/inner/file"), name: "x" })).toMatch(
      /^usage: --parent is syn\d+, which is neither a project nor a folder: it is a FileEntity$/,
    );
    expect(await said({ parentId: id("full/inner"), name: "file" })).toBe(
      `usage: --name is "file", and ${id("full/inner")} has something else of that name: ${id("full/inner/file")}, a FileEntity`,
    );
    expect(await bucket.head("parquet/owner.txt")).toBeNull();
    expect([server.changes, server.requests.newLocation]).toEqual([0, 0]);
  });

  test("says where a folder leads that leads elsewhere, and leaves it", async () => {
    const { lead, id, server } = await makeScene();
    await lead({ id: id("empty") });
    const before = server.changes;
    const elsewhere = { ...PLACE, baseKey: "main-2/parquet" };
    expect(await refusal(lead({ id: id("empty") }, { place: elsewhere }))).toMatchObject({
      kind: "usage",
      message: `${id("empty")} leads to s3://my-processed/main/parquet already, and not to s3://my-processed/main-2/parquet`,
    });
    expect(server.changes).toBe(before);
  });

  test("gives Synapse's reason where owner.txt is not where Synapse looks", async () => {
    const { lead, id } = await makeScene();
    const failed = await refusal(
      lead({ id: id("empty") }, { place: { ...PLACE, bucket: "else" } }),
    );
    expect([failed.kind, failed.message]).toEqual([
      "permanent",
      "Synapse does not take s3://else/main/parquet as a storage location: Did not find main/parquet/owner.txt in the bucket else: it has to name the caller",
    ]);
    expect(failed.hint).toMatch(
      /^user ada has to be named in owner\.txt there, and the bucket's pol/,
    );
  });

  test("says which right is missing", async () => {
    const { lead, id, server } = await makeScene();
    const said = async (faults: SynapseFaults, folder: FolderRequest["folder"]) => {
      server.setFaults(faults);
      const { message, hint } = await refusal(lead(folder));
      return [message.replace(/: You do not.*/, ""), /token may (.*)\./.exec(hint ?? "")?.[1]];
    };
    const folder = id("empty");
    const all = "view, download and modify";
    expect(await said({ unwritable: [folder] }, { id: folder })).toEqual([
      ...[`user ada has no right to change ${folder}`, all],
    ]);
    expect(await said({ unwritable: [ROOT] }, { parentId: ROOT, name: "x" })).toEqual([
      ...[`user ada has no right to add to ${ROOT}`, all],
    ]);
    expect(await said({ denied: [folder] }, { id: folder })).toEqual([
      ...[`user ada has no right to read ${folder}`, "view and download"],
    ]);
  });

  test("says that the token is none", async () => {
    const { lead, id } = await makeScene({}, "wrong");
    expect((await refusal(lead({ id: id("empty") }))).message).toMatch(/did not accept the token/);
  });

  test("gives Synapse's reason where a folder cannot be set, or gives no credentials", async () => {
    const { storage, id, lead, options } = await makeScene();
    const { locationId } = await lead({ id: id("other") });
    const said = async (promise: Promise<unknown>): Promise<string> =>
      (await refusal(promise)).message;
    expect(await said(storage.setLocation(id("full"), locationId))).toBe(
      `Synapse does not set ${id("full")} to the storage location 41: Can't enable STS in a non-empty folder`,
    );
    expect(await said(storage.credentialsFor(id("empty")))).toMatch(
      /^Synapse gives no credentials for syn\d+: .*must have an STS-enabled storage location$/,
    );
    const strange = await serve((_request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ storageLocationId: "41", id: "", locations: ["x"] }));
    });
    const other = makeSynapseStorage({ ...options, endpoint: strange });
    expect(await said(other.makeLocation(PLACE))).toBe(
      "Synapse storage location s3://my-processed/main/parquet: storageLocationId is no id of a storage location",
    );
    expect(await said(other.uploadLocations("syn1"))).toMatch(/locations is no id of a storage/);
    expect(await said(other.makeFolder("syn1", "x"))).toMatch(/\.id should be text but is empty$/);
    expect(await said(other.credentialsFor("syn1"))).toMatch(/\.bucket should be text but is miss/);
  });

  test("does not hide an error that it does not know", async () => {
    const { options } = await makeScene();
    const broken = await serve((_request, response) => {
      response.writeHead(418).end(JSON.stringify({ reason: "a teapot" }));
    });
    const storage = makeSynapseStorage({ ...options, endpoint: broken });
    for (const ask of [
      () => storage.uploadLocations("syn1"),
      () => storage.makeFolder("syn1", "x"),
      () => storage.credentialsFor("syn1"),
      () => storage.setLocation("syn1", 1),
      () => storage.makeLocation(PLACE),
    ]) {
      expect((await refusal(ask())).message).toContain("a teapot");
    }
  });
});
