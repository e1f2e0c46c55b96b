// What the look-alike Synapse says of storage of one's own, where it is stricter than clients might hope.

import { describe, expect, onTestFinished, test } from "vitest";

import { startSynapse } from "../../../src/lookalikes/synapse/synapseServer.ts";
import { ROOT, writeWorld } from "../../jobs/cohort/support/synapseWorld.ts";
import { tempDir } from "../../sources/rig.ts";

type Value = Readonly<Record<string, unknown>>;
const MODEL = "org.sagebionetworks.repo.model";
const FOLDER = { concreteType: `${MODEL}.Folder`, name: "new", parentId: ROOT };
const LOCATION = {
  concreteType: `${MODEL}.project.ExternalS3StorageLocationSetting`,
  ...{ uploadType: "S3", bucket: "b", baseKey: "main", stsEnabled: true },
};

async function makeServer(owners: Readonly<Record<string, string>>) {
  const world = await tempDir();
  const ids = await writeWorld(world, { "empty/": Buffer.from(""), "full/x": Buffer.from("x") });
  const tokens = { ada: "ada", bob: "bob" };
  const readObject = (bucket: string, key: string): Promise<Uint8Array | null> => {
    const text = owners[`${bucket}/${key}`];
    return Promise.resolve(text === undefined ? null : Buffer.from(text));
  };
  const server = await startSynapse({ world, tokens, readObject });
  onTestFinished(() => server.close());
  const ask = async (
    path: string,
    body?: unknown,
    token = "ada",
  ): Promise<readonly [number, Value]> => {
    const headers = { ...(token === "" ? {} : { authorization: `Bearer ${token}` }) };
    const sent =
      body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    const answer = await fetch(`${server.url}/repo/v1/${path}`, sent);
    return [answer.status, (await answer.json()) as Value];
  };
  const setting = (projectId: string, ...locations: readonly number[]) => ({
    concreteType: `${MODEL}.project.UploadDestinationListSetting`,
    ...{ projectId, settingsType: "upload", locations },
  });
  const id = (path: string): string => ids.get(path) ?? "";
  return { server, ask, setting, id };
}

describe("startSynapse(options), storage of one's own", () => {
  test("makes folders of good names once, for whoever is signed in", async () => {
    const { ask, id } = await makeServer({});
    const [status, made] = await ask("entity", FOLDER);
    expect([status, made["parentId"]]).toEqual([201, ROOT]);
    expect((await ask(`entity/${String(made["id"])}`))[1]).toMatchObject({ name: "new" });
    const refused = [
      [FOLDER, 409],
      [{ ...FOLDER, name: "" }, 400],
      [{ ...FOLDER, name: "a/b" }, 400],
      [{ ...FOLDER, concreteType: `${MODEL}.Project` }, 400],
      [{ ...FOLDER, parentId: id("full/x") }, 400],
      [{ ...FOLDER, parentId: "syn404" }, 404],
      [{ ...FOLDER, more: 1 }, 400],
    ] as const;
    for (const [body, wanted] of refused) expect((await ask("entity", body))[0]).toBe(wanted);
    expect((await ask("entity", { ...FOLDER, name: "c" }, ""))[0]).toBe(403);
    const inner = await ask("entity", { ...FOLDER, parentId: made["id"] });
    expect([inner[0], (await ask(`entity/${String(inner[1]["id"])}`))[1]["projectId"]]).toEqual([
      ...[201, ROOT],
    ]);
  });

  test("takes a location only where owner.txt names the caller, and gives the same one again", async () => {
    const { ask } = await makeServer({
      "b/main/owner.txt": "1,3400001\n",
      "b/owner.txt": "bob\n9",
    });
    const [status, first] = await ask("storageLocation", LOCATION);
    expect([status, first["storageLocationId"]]).toEqual([201, 41]);
    expect((await ask("storageLocation", LOCATION))[1]["storageLocationId"]).toBe(41);
    const top = { ...LOCATION, baseKey: "" };
    expect((await ask("storageLocation", top, "bob"))[1]["storageLocationId"]).toBe(42);
    for (const [body, token, reason] of [
      [LOCATION, "bob", /does not name the caller/],
      [top, "ada", /does not name the caller/],
      [{ ...LOCATION, bucket: "c" }, "ada", /Did not find main\/owner\.txt in the bucket c/],
      [{ ...LOCATION, baseKey: "main/" }, "ada", /Invalid baseKey/],
      [{ ...LOCATION, baseKey: "/main" }, "ada", /Invalid baseKey/],
      [{ ...LOCATION, uploadType: "HTTPS" }, "ada", /uploadType has to be S3/],
      [{ ...LOCATION, stsEnabled: "yes" }, "ada", /stsEnabled is no boolean/],
      [{ ...LOCATION, bucket: "" }, "ada", /bucket is required/],
    ] as const) {
      const [code, value] = await ask("storageLocation", body, token);
      expect([code, value["reason"]]).toEqual([400, expect.stringMatching(reason)]);
    }
  });

  test("sets an empty folder once, to one's own location, and gives credentials for that alone", async () => {
    const owners = { "b/main/owner.txt": "ada,bob" };
    const { ask, setting, id, server } = await makeServer(owners);
    await ask("storageLocation", LOCATION);
    const path = `projectSettings/${id("empty")}/type/upload`;
    expect(await ask(path)).toEqual([200, null]);
    expect((await ask(`entity/${id("empty")}/sts?permission=read_only`))[0]).toBe(400);
    for (const [body, token, wanted] of [
      [setting(id("full"), 41), "ada", 400],
      [setting(id("full/x"), 41), "ada", 400],
      [setting(id("empty"), 99), "ada", 404],
      [setting(id("empty"), 41), "bob", 403],
      [setting(id("empty")), "ada", 400],
      [setting(id("empty"), 41, 41), "ada", 400],
      [{ ...setting(id("empty"), 41), settingsType: "sync" }, "ada", 400],
      [setting(id("empty"), 41), "ada", 201],
      [setting(id("empty"), 41), "ada", 409],
    ] as const) {
      expect((await ask("projectSettings", body, token))[0]).toBe(wanted);
    }
    expect((await ask(path))[1]).toMatchObject({ locations: [41] });
    const sts = `entity/${id("empty")}/sts?permission=`;
    expect((await ask(`${sts}read_write`))[1]).toMatchObject({ bucket: "b", baseKey: "main" });
    expect((await ask(`${sts}all`))[0]).toBe(400);
    server.setFaults({ unwritable: [id("empty")] });
    expect((await ask(`${sts}read_write`))[0]).toBe(403);
    expect((await ask(`${sts}read_only`))[0]).toBe(200);
  });
});
