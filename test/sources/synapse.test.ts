import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { sqlString } from "../../src/sources/synapseClient.ts";
import {
  all,
  failureOf,
  makeRig,
  makeWorld,
  MANIFEST,
  md5Of,
  PROJECT,
  serve,
  VIEW,
} from "./rig.ts";

const ROWS = `SELECT id, name, Component, modifiedOn FROM ${VIEW} WHERE projectId = ${sqlString(PROJECT)}`;
const PROJECT_ROWS = [
  ["syn110", "clinical", null, "1600000000000"],
  ["syn111", "synapse_storage_manifest_a.csv", "Demographics", "1600000000001"],
  ["syn112", 'a "b", c\\d.csv', null, "1600000000002"],
  ["syn113", "two\nlines", "Odd's", "1600000000003"],
  ["syn114", "ünï.bam", null, "1600000000004"],
];
const TOKEN_HINT = expect.stringContaining("personal access token") as unknown;

describe("whoAmI(signal)", () => {
  test("says who the token belongs to", async () => {
    const { client } = await makeRig();
    expect(await client.whoAmI()).toEqual({ ownerId: "3400001", userName: "ada" });
  });

  test("takes an endpoint with a slash at its end", async () => {
    const { server } = await makeRig();
    const { client } = await makeRig({ client: { endpoint: `${server.url}/` } });
    expect((await client.whoAmI()).userName).toBe("ada");
  });

  test("says that a wrong token was not accepted, without trying again or naming it", async () => {
    const { client, server } = await makeRig({ client: { token: "wrong-token" } });
    expect(await failureOf(client.whoAmI())).toEqual({
      kind: "permanent",
      message: "Synapse did not accept the token (SYNAPSE_PASSWORD): Invalid access token",
      hint: TOKEN_HINT,
    });
    expect(server.requests.userProfile).toBe(1);
  });

  test("does not repeat a token that a server quotes", async () => {
    const endpoint = await serve((_request, response) =>
      response.writeHead(401).end('{"reason":"secret is not a token"}'),
    );
    const { client } = await makeRig({ client: { endpoint } });
    const { message } = await failureOf(client.whoAmI());
    expect(message).toBe(
      "Synapse did not accept the token (SYNAPSE_PASSWORD): [token] is not a token",
    );
  });

  test.each([
    [200, '{"ownerId":"273950","userName":"anonymous"}', ": it took us for an anonymous visitor"],
    [403, '{"reason":"no scope"}', ": no scope"],
  ])(
    "takes an answer of %i with %s for a token that was not accepted",
    async (status, body, says) => {
      const endpoint = await serve((_request, response) => response.writeHead(status).end(body));
      const { client } = await makeRig({ client: { endpoint } });
      expect(await failureOf(client.whoAmI())).toEqual({
        kind: "permanent",
        message: `Synapse did not accept the token (SYNAPSE_PASSWORD)${says}`,
        hint: TOKEN_HINT,
      });
    },
  );

  test("names the field that an answer lacks", async () => {
    const endpoint = await serve((_request, response) => response.end('{"ownerId":"1"}'));
    const { client } = await makeRig({ client: { endpoint } });
    expect((await failureOf(client.whoAmI())).message).toBe(
      "Synapse's user profile.userName should be text but is missing",
    );
  });
});

describe("entity(entityId, signal)", () => {
  test("reads projects, folders and files", async () => {
    const { client } = await makeRig();
    expect(await client.entity("syn111")).toEqual({
      id: "syn111",
      name: "synapse_storage_manifest_a.csv",
      parentId: "syn110",
      concreteType: "org.sagebionetworks.repo.model.FileEntity",
      etag: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      dataFileHandleId: "9111",
      modifiedOn: "2020-09-13T12:26:40.001Z",
    });
    expect((await client.entity("syn110")).dataFileHandleId).toBeNull();
    expect((await client.entity("syn200")).name).toBe("Two, 2");
  });

  test("tells a wrong token, a missing right and a missing entity apart", async () => {
    const { client, server } = await makeRig({ server: { faults: { denied: [PROJECT] } } });
    const stranger = await makeRig({
      client: { token: "wrong", userName: null, endpoint: server.url },
    });
    const failures = await Promise.all([
      failureOf(stranger.client.entity("syn111")),
      failureOf(client.entity("syn111")),
      failureOf(client.entity("syn999")),
    ]);
    expect(failures).toEqual([
      {
        kind: "permanent",
        message: "Synapse did not accept the token (SYNAPSE_PASSWORD): Invalid access token",
        hint: TOKEN_HINT,
      },
      {
        kind: "permanent",
        message:
          "user ada has no right to read syn111: You do not have READ permission for the requested entity, syn111",
        hint: "Ask whoever owns syn111 to share it with that user, and check that the token may view and download.",
      },
      {
        kind: "permanent",
        message: "there is no entity syn999 in Synapse: Entity syn999 does not exist",
        hint: "Check the id syn999: it may be mistyped, or the entity was deleted.",
      },
    ]);
    expect(server.requests.entity).toBe(3);
  });

  test.each([429, 500, 502, 503, 504])("tries again after %i", async (status) => {
    const faults = { unavailable: { next: 2, status } };
    const { client, server } = await makeRig({ server: { faults } });
    expect((await client.entity("syn111")).id).toBe("syn111");
    expect(server.requests.entity).toBe(3);
  });

  test.each(["reset", "truncate"] as const)(
    "tries again after a broken connection (%s)",
    async (fault) => {
      const { client, server } = await makeRig({ server: { faults: { [fault]: { next: 2 } } } });
      expect((await client.entity("syn111")).id).toBe("syn111");
      expect(server.requests.entity).toBe(3);
    },
  );

  test("gives up after the policy's attempts and warns on the way", async () => {
    const { client, server, log } = await makeRig({ server: { faults: { reset: { every: 1 } } } });
    const { kind, message } = await failureOf(client.entity("syn111"));
    expect({ kind, tries: server.requests.entity }).toEqual({ kind: "transient", tries: 5 });
    expect(message).toMatch(/^Synapse entity syn111: no connection or answer/);
    expect(log.map(({ level }) => level)).toEqual(["debug", "debug", "warn", "warn"]);
  });

  test("waits as long as Retry-After says before it asks again", async () => {
    const faults = { throttle: { next: 2, retryAfter: "0.05" } };
    const { client, log } = await makeRig({ server: { faults } });
    expect((await client.entity("syn111")).id).toBe("syn111");
    expect(log.map(({ fields }) => fields["delayMs"])).toEqual([50, 50]);
    expect(log[0]?.message).toBe(
      "Synapse failed at attempt 1 → trying again in 50 ms: Synapse entity syn111: the server answered 429: Requests are too frequent",
    );
  });

  test("does not take HTML for an entity", async () => {
    const { client, server } = await makeRig({ server: { faults: { garble: { every: 1 } } } });
    expect((await failureOf(client.entity("syn111"))).message).toBe(
      "Synapse entity syn111: the answer is not JSON (text/html, 46 characters)",
    );
    expect(server.requests.entity).toBe(1);
  });

  test("keeps calls under way within their bound", async () => {
    const { client, server } = await makeRig({
      server: { faults: { slow: { every: 1, delayMs: 5 } } },
      client: { concurrency: { calls: 3 } },
    });
    await Promise.all(Array.from({ length: 20 }, () => client.entity("syn111")));
    expect(server.peak).toBe(3);
  });

  test("stops when told to, even while it waits for its turn", async () => {
    const { client, server } = await makeRig({
      server: { faults: { slow: { every: 1, delayMs: 20 } } },
      client: { concurrency: { calls: 1 } },
    });
    const stop = new AbortController();
    const results = [1, 2, 3].map(() => failureOf(client.entity("syn111", stop.signal)));
    setImmediate(() => stop.abort());
    expect((await Promise.all(results)).map(({ kind }) => kind)).toEqual(Array(3).fill("aborted"));
    expect(server.requests.entity).toBeLessThanOrEqual(1);
  });
});

describe("viewState(viewId, where, signal)", () => {
  test("counts the rows of one project and gives the view's etag", async () => {
    const { client, server } = await makeRig();
    const state = await client.viewState(VIEW, `projectId = ${sqlString(PROJECT)}`);
    expect(state).toEqual({
      etag: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
      count: 5,
      lastUpdatedOn: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
    });
    expect((await client.viewState(VIEW, "")).count).toBe(6);
    expect(await client.viewState(VIEW, `projectId = ${sqlString(PROJECT)}`)).toEqual(state);
    expect(server.requests.nextStart).toBe(0);
  });

  test("changes when the view does", async () => {
    const { client, world } = await makeRig();
    const before = await client.viewState(VIEW, "");
    const path = join(world, "master.csv");
    await writeFile(
      path,
      `${await readFile(path, "utf8")}syn300,new,folder,${PROJECT},${PROJECT},1,,,,\n`,
    );
    const after = await client.viewState(VIEW, "");
    expect([before.count, after.count]).toEqual([6, 7]);
    expect(after.etag).not.toBe(before.etag);
  });

  test("does with a server that gives no etag and no time, but not without a count", async () => {
    const bundle = { queryResult: { queryResults: { rows: [] } }, queryCount: 3 };
    const endpointFor = (value: unknown): Promise<string> =>
      serve((request, response) =>
        response.end(JSON.stringify(request.method === "POST" ? { token: "t" } : value)),
      );
    const modest = await makeRig({ client: { endpoint: await endpointFor(bundle) } });
    expect(await modest.client.viewState(VIEW, "")).toEqual({
      etag: null,
      count: 3,
      lastUpdatedOn: null,
    });
    const { queryResult } = bundle;
    const mute = await makeRig({ client: { endpoint: await endpointFor({ queryResult }) } });
    expect((await failureOf(mute.client.viewState(VIEW, ""))).message).toBe(
      `Synapse state of ${VIEW}: the answer does not say how many rows there are`,
    );
  });

  test("sees nothing of a project that it may not read", async () => {
    const { client } = await makeRig({ server: { faults: { denied: [PROJECT] } } });
    expect((await client.viewState(VIEW, `projectId = ${sqlString(PROJECT)}`)).count).toBe(0);
    expect((await client.viewState(VIEW, "")).count).toBe(1);
  });
});

describe("queryRows(viewId, sql, signal)", () => {
  test.each([1, 2, 5, 100])("gives all rows in order, with %i on a page", async (pageRows) => {
    const { client, server } = await makeRig({ server: { pageRows } });
    expect(await all(client.queryRows(VIEW, ROWS))).toEqual(PROJECT_ROWS);
    expect(server.requests.nextStart).toBe(Math.ceil(5 / pageRows) - 1);
  });

  test("quotes values", async () => {
    const { client } = await makeRig();
    const sql = `SELECT id FROM ${VIEW} WHERE Component = ${sqlString("Odd's")}`;
    expect(await all(client.queryRows(VIEW, sql))).toEqual([["syn113"]]);
  });

  test("waits for a job, however often it is not done yet", async () => {
    const { client, server } = await makeRig({ server: { jobPolls: 7 } });
    expect(await all(client.queryRows(VIEW, ROWS))).toHaveLength(5);
    expect(server.requests.queryGet).toBe(8);
  });

  test("survives every third call failing, in turn by throttling, trouble and broken connections", async () => {
    const { client } = await makeRig({
      server: {
        pageRows: 1,
        faults: {
          throttle: { every: 3 },
          unavailable: { every: 4 },
          reset: { every: 5 },
          truncate: { every: 4 },
        },
      },
      client: { policy: { attempts: 12, minDelayMs: 1, maxDelayMs: 2 } },
    });
    expect(await all(client.queryRows(VIEW, ROWS))).toEqual(PROJECT_ROWS);
  });

  test("says why a job failed, and does not start it again", async () => {
    const { client, server } = await makeRig({ server: { faults: { failJobs: { every: 1 } } } });
    const { kind, message } = await failureOf(all(client.queryRows(VIEW, ROWS)));
    expect({ kind, message }).toEqual({
      kind: "permanent",
      message: `Synapse query of ${VIEW}: the job failed: The view is not available right now`,
    });
    expect([server.requests.queryStart, server.requests.queryGet]).toEqual([1, 2]);
  });

  test("says that Synapse lost a job", async () => {
    const { client } = await makeRig({ server: { faults: { lostJobs: { every: 1 } } } });
    const { kind, message } = await failureOf(all(client.queryRows(VIEW, ROWS)));
    expect(kind).toBe("permanent");
    expect(message).toMatch(/: Synapse does not know the job any more: The job .* does not exist$/);
  });

  test("gives up on a job at its deadline", async () => {
    const { client } = await makeRig({
      server: { faults: { stuckJobs: { every: 1 } } },
      client: { deadlineMs: 40 },
    });
    expect(await failureOf(all(client.queryRows(VIEW, ROWS)))).toEqual({
      kind: "transient",
      message: `Synapse query of ${VIEW}: not done after 0.04 s`,
      hint: expect.stringContaining("rebuilding the view") as unknown,
    });
  });

  test("gives up on a server that is silent at the deadline, too", async () => {
    const endpoint = await serve(() => undefined);
    const { client } = await makeRig({ client: { endpoint, deadlineMs: 40 } });
    expect((await failureOf(all(client.queryRows(VIEW, ROWS)))).kind).toBe("transient");
  });

  test("polls less and less often", async () => {
    const { client, server } = await makeRig({
      server: { faults: { stuckJobs: { every: 1 } } },
      client: { deadlineMs: 200, pollMs: { first: 10, max: 1_000 } },
    });
    await failureOf(all(client.queryRows(VIEW, ROWS)));
    // 10 + 15 + 22.5 + 33.8 + 50.6 + 75.9 > 200: an even pace would make 20 polls.
    expect(server.requests.queryGet).toBeLessThanOrEqual(7);
  });

  test("stops waiting for a job when told to", async () => {
    const { client } = await makeRig({ server: { faults: { stuckJobs: { every: 1 } } } });
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 10);
    const rows = all(client.queryRows(VIEW, ROWS, stop.signal));
    expect((await failureOf(rows)).kind).toBe("aborted");
  });

  test("does not mix two states of a view", async () => {
    const { client } = await makeRig({
      server: { pageRows: 2, faults: { movingEtag: { every: 1 } } },
    });
    expect(await failureOf(all(client.queryRows(VIEW, ROWS)))).toEqual({
      kind: "transient",
      message: `Synapse query of ${VIEW}: the view changed while it was read`,
      hint: null,
    });
  });

  test("says what is wrong with the SQL, and what is not there", async () => {
    const { client } = await makeRig();
    const failures = await Promise.all([
      failureOf(all(client.queryRows(VIEW, "DROP TABLE x"))),
      failureOf(all(client.queryRows("syn999", "SELECT id FROM syn999"))),
      failureOf(all(client.queryRows(PROJECT, `SELECT id FROM ${PROJECT}`))),
    ]);
    expect(failures.map(({ kind, message }) => [kind, message])).toEqual([
      [
        "permanent",
        `Synapse query of ${VIEW}: the server answered 400: Encountered "DROP" where SELECT was expected`,
      ],
      ["permanent", "there is no entity syn999 in Synapse: Entity syn999 does not exist"],
      [
        "permanent",
        `Synapse query of ${PROJECT}: the server answered 400: ${PROJECT} is not a table or view`,
      ],
    ]);
  });

  test.each([
    [{ token: "" }, "'s job.token should be text but is empty"],
    [[], "'s job should be an object but is a list"],
  ])("does not believe a started job of %j", async (value, problem) => {
    const endpoint = await serve((_request, response) => response.end(JSON.stringify(value)));
    const { client } = await makeRig({ client: { endpoint } });
    const { message } = await failureOf(all(client.queryRows(VIEW, ROWS)));
    expect(message).toBe(`Synapse query of ${VIEW}${problem}`);
  });

  test.each([
    [{}, "'s page should be an object but is missing"],
    [
      { queryResult: { queryResults: { rows: 3 } } },
      "'s page.queryResults.rows should be a list but is a number",
    ],
    [
      { queryResult: { queryResults: { rows: [{ values: ["HTA1_1", 3] }] } } },
      "'s row has a value that is neither text nor null",
    ],
    [
      { queryResult: { queryResults: { rows: [] }, nextPageToken: "more" } },
      "'s nextPageToken should be an object but is a string",
    ],
  ])("does not believe a page of %j", async (value, problem) => {
    const endpoint = await serve((request, response) =>
      response.end(JSON.stringify(request.method === "POST" ? { token: "t" } : value)),
    );
    const { client } = await makeRig({ client: { endpoint } });
    const { kind, message } = await failureOf(all(client.queryRows(VIEW, ROWS)));
    expect([kind, message]).toEqual(["permanent", `Synapse query of ${VIEW}${problem}`]);
  });
});

describe("queryCsv(viewId, sql, path, signal, onBytes)", () => {
  test("writes the whole result, escaped by backslashes, and says how much of what", async () => {
    const { client, dir } = await makeRig();
    const path = join(dir, "view.csv");
    const counts: number[] = [];
    const onBytes = (bytes: number): void => void counts.push(bytes);
    const { bytes, etag } = await client.queryCsv(VIEW, ROWS, path, undefined, onBytes);
    const text = await readFile(path, "utf8");
    expect(text).toBe(
      [
        "id,name,Component,modifiedOn",
        "syn110,clinical,,1600000000000",
        "syn111,synapse_storage_manifest_a.csv,Demographics,1600000000001",
        'syn112,"a \\"b\\", c\\\\d.csv",,1600000000002',
        'syn113,"two\nlines",Odd\'s,1600000000003',
        "syn114,ünï.bam,,1600000000004",
        "",
      ].join("\n"),
    );
    expect(bytes).toBe(Buffer.byteLength(text));
    expect(counts.at(-1)).toBe(bytes);
    expect(etag).toBe((await client.viewState(VIEW, "")).etag);
  });

  test("survives a result that breaks off, is wrong, and whose address has expired", async () => {
    const routes = ["csvDownload"] as const;
    const { client, dir, server } = await makeRig({
      server: {
        faults: {
          truncate: { next: 1, routes },
          corrupt: { next: 1, routes },
          expiredUrls: { next: 1, routes },
        },
      },
    });
    const path = join(dir, "view.csv");
    const { bytes } = await client.queryCsv(VIEW, ROWS, path);
    expect((await readFile(path)).length).toBe(bytes);
    expect([server.requests.csvStart, server.requests.csvDownload]).toEqual([1, 4]);
  });

  test("says why there is no result", async () => {
    const { client, dir } = await makeRig({ server: { faults: { undownloadable: [VIEW] } } });
    expect((await failureOf(client.queryCsv(VIEW, ROWS, join(dir, "view.csv")))).message).toBe(
      `user ada has no right to download ${VIEW}`,
    );
  });
});

describe("children(parentId, signal)", () => {
  test.each([1, 2, 50])(
    "lists files and folders to the end, with %i on a page",
    async (pageChildren) => {
      const { client } = await makeRig({ server: { pageChildren } });
      const type = "org.sagebionetworks.repo.model.FileEntity";
      expect(await all(client.children("syn110"))).toEqual([
        { id: "syn111", name: "synapse_storage_manifest_a.csv", type },
        { id: "syn112", name: 'a "b", c\\d.csv', type },
        { id: "syn113", name: "two\nlines", type },
      ]);
    },
  );

  test("says that there is no such folder", async () => {
    const { client } = await makeRig();
    expect((await failureOf(all(client.children("syn999")))).message).toMatch(
      /^there is no entity syn999 in Synapse/,
    );
  });
});

describe("a world in the bundled form", () => {
  test("serves content whose MD5 is the one in its view", async () => {
    const { client, dir } = await makeRig({ server: { world: await makeWorld() } });
    const sql = `SELECT dataFileMD5Hex FROM ${VIEW} WHERE id = 'syn111'`;
    const [[md5 = null] = []] = await all(client.queryRows(VIEW, sql));
    expect(md5).toBe(md5Of(MANIFEST));
    expect(await client.download("syn111", md5, join(dir, "a"))).toEqual({
      md5,
      bytes: MANIFEST.length,
    });
  });
});
