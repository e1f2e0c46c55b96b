// What the look-alike Synapse says of folders and of the contents of files, where it is stricter than clients might hope.

import { describe, expect, onTestFinished, test } from "vitest";

import { startSynapse } from "../../../src/lookalikes/synapse/synapseServer.ts";
import { ROOT, writeWorld } from "../../jobs/cohort/support/synapseWorld.ts";
import { tempDir } from "../../sources/rig.ts";

const CHILDREN = "/repo/v1/entity/children";
const HANDLES = "/file/v1/fileHandle/batch";
type Value = Readonly<Record<string, unknown>>;

async function makeServer() {
  const world = await tempDir();
  const externalURL = "https://example.org/x";
  const bare = { externalURL };
  const ids = await writeWorld(world, {
    ...{ "a/1": Buffer.from("one"), "a/2": { ...bare, bytes: 7, md5: "ab" }, "a/3": bare },
    "b/4": Buffer.from("four"),
  });
  const server = await startSynapse({ world, tokens: { secret: "ada" }, pageChildren: 2 });
  onTestFinished(() => server.close());
  const ask = async (path: string, body: unknown): Promise<readonly [number, Value]> => {
    const headers = { authorization: "Bearer secret" };
    const sent = { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(server.url + path, sent);
    return [answer.status, (await answer.json()) as Value];
  };
  const id = (path: string): string => ids.get(path) ?? "";
  const handle = async (path: string): Promise<Value> => {
    const headers = { authorization: "Bearer secret" };
    const entity = await fetch(`${server.url}/repo/v1/entity/${id(path)}`, { headers });
    const { dataFileHandleId: fileHandleId } = (await entity.json()) as Value;
    const file = { fileHandleId, associateObjectId: id(path), associateObjectType: "FileEntity" };
    const [, value] = await ask(HANDLES, {
      requestedFiles: [file],
      includeFileHandles: true,
      includePreSignedURLs: true,
    });
    return (value["requestedFiles"] as readonly Value[])[0] ?? {};
  };
  return { ask, id, handle, world };
}

describe("startSynapse(options), children", () => {
  test("are paged by tokens that are good for their own folder alone", async () => {
    const { ask, id } = await makeServer();
    const both = ["file", "folder"];
    const asked = (parentId: string, nextPageToken: unknown, includeTypes: unknown = both) =>
      ask(CHILDREN, { parentId, nextPageToken, includeTypes });
    const [, first] = await asked(id("a"), null);
    const names = (value: Value) => (value["page"] as readonly Value[]).map(({ name }) => name);
    expect(names(first)).toEqual(["1", "2"]);
    const [, last] = await asked(id("a"), first["nextPageToken"]);
    expect([names(last), last["nextPageToken"]]).toEqual([["3"], null]);
    for (const token of ["2", 2, "", "AAAA", first["nextPageToken"]]) {
      expect((await asked(id("b"), token))[0]).toBe(400);
    }
    expect((await asked(ROOT, null, ["file"]))[1]["page"]).toEqual([]);
  });

  test("are of folders and projects, and of the types that there are", async () => {
    const { ask, id } = await makeServer();
    const reasons = [
      await ask(CHILDREN, { parentId: id("a/1"), includeTypes: ["file"] }),
      await ask(CHILDREN, { parentId: id("a"), includeTypes: ["file", "FileEntity"] }),
      await ask(CHILDREN, { parentId: "syn9", includeTypes: ["file"] }),
    ].map(([status, { reason }]) => [status, reason]);
    expect(reasons).toEqual([
      [400, `${id("a/1")} is not a container`],
      [400, 'There is no entity type "FileEntity"'],
      [404, "Entity syn9 does not exist"],
    ]);
  });
});

describe("startSynapse(options), contents", () => {
  test("say of what is stored elsewhere what somebody wrote down", async () => {
    const { handle } = await makeServer();
    const fileHandle = { fileName: "2", externalURL: "https://example.org/x" };
    expect(await handle("a/2")).toMatchObject({
      fileHandle: { ...fileHandle, contentMd5: "ab", contentSize: 7 },
      preSignedURL: "https://example.org/x",
    });
    const { fileHandle: bare } = await handle("a/3");
    expect(Object.keys(bare as Value)).not.toContain("contentSize");
  });

  test("are at an address that is good for one file handle, and for ranges as S3 has them", async () => {
    const { handle, world } = await makeServer();
    const url = String((await handle("a/1"))["preSignedURL"]);
    const answers = await Promise.all(
      ["bytes=-2", "bytes=2-1", "bytes=0-1", "bytes=3-", "bytes=-0"].map(async (range) => {
        const answer = await fetch(url, { headers: { range } });
        const { status, headers } = answer;
        return [status, headers.get("content-range"), status < 300 ? await answer.text() : ""];
      }),
    );
    expect(answers).toEqual([
      [206, "bytes 1-2/3", "ne"],
      [200, null, "one"],
      [206, "bytes 0-1/3", "on"],
      [416, "bytes */3", ""],
      [416, "bytes */3", ""],
    ]);
    await writeWorld(world, { "a/1": Buffer.from("another") }, 2);
    expect((await fetch(url)).status).toBe(404);
  });
});
