import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as tick } from "node:timers/promises";

import { describe, expect, onTestFinished, test, vi } from "vitest";

import {
  startSynapse,
  type SynapseServer,
  type SynapseServerOptions,
} from "../../../src/lookalikes/synapse/synapseServer.ts";
import { parseSql } from "../../../src/lookalikes/synapse/synapseSql.ts";
import { loadWorld, parseCsv } from "../../../src/lookalikes/synapse/worldFiles.ts";
import { COLUMNS, makeWorld, MANIFEST, md5Of, PROJECT, tempDir, VIEW } from "../../sources/rig.ts";

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly value: Readonly<Record<string, unknown>>;
}

async function makeServer(options: Partial<SynapseServerOptions> = {}): Promise<{
  server: SynapseServer;
  ask: (path: string, body?: unknown, token?: string) => Promise<Reply>;
}> {
  const world = options.world ?? (await makeWorld());
  const server = await startSynapse({
    tokens: { secret: "ada", other: "bob" },
    jobPolls: 0,
    ...options,
    world,
  });
  onTestFinished(() => server.close());
  return {
    server,
    ask: (path, body, token = "secret") => ask(server.url + path, body, token),
  };
}

async function ask(url: string, body?: unknown, token = ""): Promise<Reply> {
  const headers = token === "" ? {} : { authorization: `Bearer ${token}` };
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  const post = body === undefined ? {} : { method: "POST", body: sent };
  const answer = await fetch(url, { headers, ...post });
  const text = await answer.text();
  const value = (text.startsWith("{") ? JSON.parse(text) : {}) as Reply["value"];
  return { status: answer.status, headers: answer.headers, text, value };
}

const QUERY = `/repo/v1/entity/${VIEW}/table/query/async`;
const CSV = `/repo/v1/entity/${VIEW}/table/download/csv/async`;

/** Starts a query and asks once for its result. */
async function query(
  call: (path: string, body?: unknown) => Promise<Reply>,
  sql: string,
  extra: Readonly<Record<string, unknown>> = {},
): Promise<Reply> {
  const started = await call(`${QUERY}/start`, { query: { sql, ...extra }, partMask: 0xff });
  if (started.status !== 201) return started;
  return call(`${QUERY}/get/${String(started.value["token"])}`);
}

function handlesFor(...files: readonly (readonly [handle: string, entity: string])[]): unknown {
  return {
    requestedFiles: files.map(([fileHandleId, associateObjectId]) => {
      return { fileHandleId, associateObjectId, associateObjectType: "FileEntity" };
    }),
    includeFileHandles: true,
    includePreSignedURLs: true,
  };
}

interface Handles {
  readonly requestedFiles: readonly {
    readonly preSignedURL: string;
    readonly fileHandle: unknown;
    readonly failureCode?: string;
  }[];
}

/** The signed address of a file. */
async function signed(call: (path: string, body?: unknown) => Promise<Reply>): Promise<string> {
  const { value } = await call("/file/v1/fileHandle/batch", handlesFor(["9111", "syn111"]));
  return (value as unknown as Handles).requestedFiles[0]?.preSignedURL ?? "";
}

describe("startSynapse(options)", () => {
  test("knows users by their tokens, and takes those without one for anonymous", async () => {
    const { ask: call } = await makeServer();
    const path = "/repo/v1/userProfile";
    expect((await call(path)).value["userName"]).toBe("ada");
    expect((await call(path, undefined, "other")).value["userName"]).toBe("bob");
    expect((await call(path, undefined, "")).value["userName"]).toBe("anonymous");
    for (const wrong of ["nobody", "constructor"]) {
      const { status, value } = await call(path, undefined, wrong);
      expect([status, value["reason"]]).toEqual([401, "Invalid access token"]);
    }
    expect((await call("/repo/v1/entity/syn111", undefined, "")).status).toBe(403);
    expect((await call("/file/v1/fileHandle/batch", handlesFor(), "")).status).toBe(403);
  });

  test("answers 404 for what is not there, and 400 for what is not JSON", async () => {
    const { ask: call } = await makeServer();
    expect((await call("/repo/v1/nothing")).status).toBe(404);
    expect((await call("/repo/v1/entity/syn999")).status).toBe(404);
    for (const body of ["not json", "[]"]) {
      expect((await call("/file/v1/fileHandle/batch", body)).status).toBe(400);
    }
    expect((await call("/repo/v1/entity/children", { parentId: "syn110" })).status).toBe(400);
    expect((await call("/repo/v1/entity/children", "x".repeat(1_100_000))).status).toBe(413);
  });

  test("answers a query with the parts that its mask asks for", async () => {
    const { ask: call } = await makeServer();
    const sql = `SELECT id, modifiedOn FROM ${VIEW} WHERE projectId = '${PROJECT}' ORDER BY modifiedOn DESC`;
    const { status, value } = await query(call, sql, { limit: 2, offset: 1 });
    const headers = [
      { name: "id", columnType: "ENTITYID", id: "1" },
      { name: "modifiedOn", columnType: "DATE", id: "2" },
    ];
    expect([status, value]).toEqual([
      201,
      {
        concreteType: "org.sagebionetworks.repo.model.table.QueryResultBundle",
        queryResult: {
          concreteType: "org.sagebionetworks.repo.model.table.QueryResult",
          queryResults: {
            concreteType: "org.sagebionetworks.repo.model.table.RowSet",
            tableId: VIEW,
            etag: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
            headers,
            rows: [
              { rowId: 113, versionNumber: 1, values: ["syn113", "1600000000003"] },
              { rowId: 112, versionNumber: 1, values: ["syn112", "1600000000002"] },
            ],
          },
          nextPageToken: null,
        },
        queryCount: 5,
        selectColumns: headers,
        maxRowsPerPage: 5000,
        columnModels: headers,
        lastUpdatedOn: expect.stringMatching(/Z$/) as unknown,
      },
    ]);
    const bare = await call(`${QUERY}/start`, { query: { sql }, partMask: 0x2 });
    const counted = await call(`${QUERY}/get/${String(bare.value["token"])}`);
    expect(Object.keys(counted.value)).toEqual(["concreteType", "queryCount"]);
  });

  test.each([
    [`SELECT COUNT(*) FROM ${VIEW}`, [["6"]]],
    [`select count ( * ) from ${VIEW} where type='folder'`, [["2"]]],
    [`SELECT id FROM ${VIEW} WHERE Component = 'Odd''s'`, [["syn113"]]],
    [`SELECT "id" FROM ${VIEW} WHERE id = 'syn112' AND projectId = '${PROJECT}'`, [["syn112"]]],
    [`SELECT id FROM ${VIEW} WHERE id = 'syn112' AND projectId = 'syn200'`, []],
    [`SELECT id FROM ${VIEW} WHERE id = 'nothing'`, []],
    [`SELECT id FROM ${VIEW} WHERE projectId = 'syn9' AND projectId = '${PROJECT}'`, []],
    [`SELECT id FROM ${VIEW} WHERE modifiedOn = 1600000000005`, [["syn210"]]],
    [`SELECT id FROM ${VIEW} ORDER BY type DESC, name LIMIT 2 OFFSET 1`, [["syn210"], ["syn112"]]],
    [`SELECT id FROM ${VIEW} ORDER BY dataFileSizeBytes DESC LIMIT 1`, [["syn111"]]],
    [`SELECT Component, id FROM ${VIEW} LIMIT 1`, [[null, "syn110"]]],
  ])("answers %s", async (sql, rows) => {
    const { ask: call } = await makeServer();
    const { value } = await query(call, sql);
    const { queryResults } = value["queryResult"] as {
      queryResults: { rows: { values: unknown }[] };
    };
    expect(queryResults.rows.map(({ values }) => values)).toEqual(rows);
  });

  test.each([
    ["SELECT nothing FROM syn20446927", "Unknown column nothing in syn20446927"],
    ["SELECT id FROM syn1", "The query is about syn1, not about syn20446927"],
    ["", "Encountered the end of the query where SELECT was expected"],
  ])("refuses %s", async (sql, reason) => {
    const { ask: call } = await makeServer();
    const { status, value } = await query(call, sql);
    expect([status, value["reason"]]).toEqual([400, reason]);
  });

  test("lets a job take its polls, and shows it to nobody else and nowhere else", async () => {
    const { ask: call } = await makeServer({ jobPolls: 2 });
    const sql = `SELECT id FROM ${VIEW} LIMIT 1`;
    const token = String((await call(`${QUERY}/start`, { query: { sql } })).value["token"]);
    const path = `${QUERY}/get/${token}`;
    const first = await call(path);
    expect([first.status, first.value["jobState"]]).toEqual([202, "PROCESSING"]);
    expect((await call(path, undefined, "other")).status).toBe(403);
    expect((await call(`${CSV}/get/${token}`)).status).toBe(404);
    expect((await call(`${QUERY}/get/none`)).status).toBe(404);
    expect((await call(path)).status).toBe(202);
    expect((await call(path)).status).toBe(201);
  });

  test("lets a job take its time", async () => {
    let nowMs = 0;
    const { ask: call } = await makeServer({ jobMs: 100, now: () => nowMs });
    const sql = `SELECT id FROM ${VIEW} LIMIT 1`;
    const token = String((await call(`${QUERY}/start`, { query: { sql } })).value["token"]);
    expect((await call(`${QUERY}/get/${token}`)).status).toBe(202);
    nowMs = 100;
    expect((await call(`${QUERY}/get/${token}`)).status).toBe(201);
  });

  test("does not know a next page that it did not name", async () => {
    const { ask: call } = await makeServer();
    for (const token of ["", "e30", "bnVsbA", "%"]) {
      const path = `/repo/v1/entity/${VIEW}/table/query/nextPage/async/start`;
      expect((await call(path, { token })).status).toBe(400);
    }
  });

  test("writes CSV as the request describes it", async () => {
    const { server, ask: call } = await makeServer();
    const request = {
      sql: `SELECT name FROM ${VIEW} WHERE id = 'syn112'`,
      csvTableDescriptor: {
        separator: ";",
        quoteCharacter: "'",
        escapeCharacter: "'",
        lineEnd: "\r\n",
      },
    };
    const token = String((await call(`${CSV}/start`, request)).value["token"]);
    let result = await call(`${CSV}/get/${token}`);
    while (result.status === 202) {
      await tick();
      result = await call(`${CSV}/get/${token}`);
    }
    const fileHandleId = String(result.value["resultsFileHandleId"]);
    const batch = {
      requestedFiles: [
        { fileHandleId, associateObjectId: VIEW, associateObjectType: "TableEntity" },
      ],
      includePreSignedURLs: true,
    };
    const { value } = await call("/file/v1/fileHandle/batch", batch);
    const [file] = (value as unknown as Handles).requestedFiles;
    expect(file).not.toHaveProperty("fileHandle");
    expect((await ask(file?.preSignedURL ?? "")).text).toBe(
      'ROW_ID;ROW_VERSION;name\r\n112;1;a "b", c\\d.csv\r\n',
    );
    expect(server.requests.csvDownload).toBe(1);
  });

  test("describes files by what they hold, and says which it does not have", async () => {
    const faults = { undownloadable: ["syn112"] };
    const { ask: call } = await makeServer({ faults });
    const batch = handlesFor(
      ["9111", "syn111"],
      ["9112", "syn112"],
      ["1", "syn111"],
      ["9113", "syn113"],
      ["9114", "syn114"],
    );
    const { value } = await call("/file/v1/fileHandle/batch", batch);
    const { requestedFiles } = value as unknown as Handles;
    expect(requestedFiles[0]?.fileHandle).toEqual({
      id: "9111",
      concreteType: "org.sagebionetworks.repo.model.file.S3FileHandle",
      contentType: "text/csv",
      contentMd5: md5Of(MANIFEST),
      contentSize: MANIFEST.length,
      fileName: "synapse_storage_manifest_a.csv",
    });
    // syn113 has no handle in the view, and one made of its number instead.
    expect(requestedFiles.map(({ failureCode = "" }) => failureCode)).toEqual([
      "",
      "UNAUTHORIZED",
      "NOT_FOUND",
      "",
      "",
    ]);
    const many = handlesFor(...Array.from({ length: 101 }, () => ["9111", "syn111"] as const));
    expect((await call("/file/v1/fileHandle/batch", many)).status).toBe(400);
  });

  test("serves signed addresses as S3 does", async () => {
    let nowMs = Date.now();
    const { ask: call } = await makeServer({ now: () => nowMs });
    const url = await signed(call);
    const whole = await ask(url);
    expect([whole.status, whole.text]).toEqual([200, MANIFEST]);
    expect(whole.headers.get("etag")).toBe(`"${md5Of(MANIFEST)}"`);
    const size = MANIFEST.length;
    const ranges = await Promise.all(
      ["bytes=5-9", `bytes=${size - 3}-`, "bytes=0-999999", `bytes=${size}-`].map(async (range) => {
        const answer = await fetch(url, { headers: { range } });
        return [answer.status, answer.headers.get("content-range"), (await answer.text()).length];
      }),
    );
    expect(ranges.slice(0, 3)).toEqual([
      [206, `bytes 5-9/${size}`, 5],
      [206, `bytes ${size - 3}-${size - 1}/${size}`, 3],
      [206, `bytes 0-${size - 1}/${size}`, size],
    ]);
    expect(ranges[3]?.[0]).toBe(416);
    const withToken = await ask(url, undefined, "secret");
    expect([withToken.status, /<Code>(.*)<\/Code>/.exec(withToken.text)?.[1]]).toEqual([
      400,
      "InvalidArgument",
    ]);
    const forged = await ask(url.replace("syn111", "syn112"));
    expect([forged.status, /<Code>(.*)<\/Code>/.exec(forged.text)?.[1]]).toEqual([
      403,
      "SignatureDoesNotMatch",
    ]);
    nowMs += 16 * 60_000;
    const late = await ask(url);
    expect([late.status, /<Message>(.*)<\/Message>/.exec(late.text)?.[1]]).toEqual([
      403,
      "Request has expired",
    ]);
  });

  test("strikes every nth time, or the next n times, on the routes that are named", async () => {
    const { server, ask: call } = await makeServer({
      faults: { throttle: { every: 3, routes: ["userProfile"], retryAfter: "1" } },
    });
    const statuses = async (path: string): Promise<number[]> => {
      const found: number[] = [];
      for (let count = 0; count < 6; count++) found.push((await call(path)).status);
      return found;
    };
    expect(await statuses("/repo/v1/userProfile")).toEqual([200, 200, 429, 200, 200, 429]);
    expect(await statuses("/repo/v1/entity/syn111")).toEqual(Array(6).fill(200));
    server.setFaults({ unavailable: { next: 2, status: 502 } });
    expect(await statuses("/repo/v1/userProfile")).toEqual([502, 502, 200, 200, 200, 200]);
    expect(server.requests.userProfile).toBe(12);
  });

  test("serves another world when told to, and a world that was changed", async () => {
    const { server, ask: call } = await makeServer();
    const other = await makeWorld([`syn115,more,folder,${PROJECT},${PROJECT},1,,,,`]);
    expect((await call("/repo/v1/entity/syn115")).status).toBe(404);
    await server.setWorld(other);
    expect((await call("/repo/v1/entity/syn115")).status).toBe(200);
    await expect(server.setWorld(join(other, "none"))).rejects.toMatchObject({ kind: "usage" });
    expect((await call("/repo/v1/entity/syn115")).status).toBe(200);
  });

  test("answers from a world of 200,000 rows", async () => {
    const world = await tempDir();
    await mkdir(join(world, "files"));
    const rows = Array.from({ length: 200_000 }, (_, row) => {
      const project = `syn${row % 10}`;
      return `syn${1000 + row},file ${row}.bam,file,${project},${project},1600000000000,,,${row},`;
    });
    await writeFile(join(world, "atlases.csv"), "id,atlas_id,name\nsyn1,HTA1,One\n");
    await writeFile(join(world, "master.csv"), `${COLUMNS}\n${rows.join("\n")}\n`);
    const { ask: call } = await makeServer({ world });
    const sql = `SELECT id, name FROM ${VIEW} WHERE projectId = 'syn7'`;
    const { value } = await query(call, sql);
    expect(value["queryCount"]).toBe(20_000);
    expect(
      (await query(call, `SELECT COUNT(*) FROM ${VIEW} WHERE name = 'file 9.bam'`)).text,
    ).toContain('["1"]');
  });

  test("leaves nothing behind, not even when its port is taken", async () => {
    const scratch = await tempDir();
    vi.stubEnv("TMPDIR", scratch);
    onTestFinished(() => void vi.unstubAllEnvs());
    const world = await makeWorld();
    const own = async (): Promise<number> =>
      (await readdir(scratch)).filter((name) => name.startsWith("hdash-synapse-")).length;
    const server = await startSynapse({ world });
    const port = Number(new URL(server.url).port);
    await expect(startSynapse({ world, port })).rejects.toMatchObject({
      kind: "usage",
      message: `cannot listen on 127.0.0.1:${port}`,
    });
    expect(await own()).toBe(1);
    await server.close();
    expect(await own()).toBe(0);
    await expect(fetch(server.url)).rejects.toThrow();
  });

  test("says that a folder does not hold a world", async () => {
    await expect(startSynapse({ world: await tempDir() })).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/does not hold a world$/) as unknown,
      hint: "A world is a folder with atlases.csv, master.csv and files/<entity id>.csv.",
    });
  });
});

describe("parseSql(sql)", () => {
  test("understands its whole grammar", () => {
    expect(
      parseSql(
        `SELECT id, "odd ""name""" FROM syn1 WHERE a = 'it''s' AND b = 3 ORDER BY id DESC, a ASC, b LIMIT 5 OFFSET 10`,
      ),
    ).toEqual({
      select: ["id", 'odd "name"'],
      table: "syn1",
      where: [
        { column: "a", value: "it's" },
        { column: "b", value: "3" },
      ],
      orderBy: [
        { column: "id", isDescending: true },
        { column: "a", isDescending: false },
        { column: "b", isDescending: false },
      ],
      limit: 5,
      offset: 10,
    });
  });

  test.each([
    ["SELECT id FROM syn1; DROP TABLE x", "Lexical error at line 1, column 20: ; DROP TABLE x"],
    ["SELECT id FROM syn1 WHERE a = 'open", "Lexical error at line 1, column 31: 'open"],
    ["SELECT id FROM syn1 WHERE a = b", 'Encountered "b" where a value was expected'],
    ["SELECT id FROM syn1 WHERE a LIKE 'b'", 'Encountered "LIKE" where = was expected'],
    [
      "SELECT id FROM syn1 WHERE a = 'b' OR c = 'd'",
      'Encountered "OR" where the end of the query was expected',
    ],
    ["SELECT id, FROM syn1", 'Encountered "syn1" where FROM was expected'],
    ["SELECT id FROM syn1 LIMIT x", 'Encountered "x" where a number was expected'],
    ["SELECT id FROM 'syn1'", 'Encountered "syn1" where a table was expected'],
    ["SELECT COUNT(id) FROM syn1", 'Encountered "id" where * was expected'],
    ["'SELECT' id FROM syn1", 'Encountered "SELECT" where SELECT was expected'],
  ])("refuses %s", (sql, message) => {
    expect(() => parseSql(sql)).toThrow(message);
  });
});

describe("parseCsv(text)", () => {
  test.each([
    ["", []],
    ["a", [["a"]]],
    [
      "a,b\nc,d\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "a,b\r\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "a,\n,b\n",
      [
        ["a", ""],
        ["", "b"],
      ],
    ],
    ["a,", [["a", ""]]],
    ['"a,""b""\nc",d\n', [['a,"b"\nc', "d"]]],
    ['"",x\n', [["", "x"]]],
    ["a\n\nb\n", [["a"], ["b"]]],
  ])("reads %j", (text, records) => {
    expect(parseCsv(text)).toEqual(records);
  });

  test("refuses a quote that is never closed", () => {
    expect(() => parseCsv('a,"b\nc')).toThrow("a quote in the CSV is never closed");
  });
});

describe("loadWorld(dir)", () => {
  test("finds rows by entity, project and folder", async () => {
    const world = await loadWorld(await makeWorld());
    expect({
      columns: world.columns.join(),
      count: world.count,
      projects: [...world.projects],
      at: world.indexOf("syn113"),
      none: [world.indexOf("syn999"), world.indexOf("odd")],
      name: world.row(3)[1],
      project: world.rowsOf("syn200"),
      children: world.childrenOf("syn110"),
      nobody: [world.rowsOf("syn9"), world.childrenOf("syn9")],
    }).toEqual({
      columns: COLUMNS,
      count: 6,
      projects: [
        [PROJECT, "One"],
        ["syn200", "Two, 2"],
      ],
      at: 3,
      none: [null, null],
      name: "two\nlines",
      project: [5],
      children: [1, 2, 3],
      nobody: [[], []],
    });
  });

  test("has an etag that follows the content of the view, not its time", async () => {
    const [first, same, other] = await Promise.all([
      makeWorld().then(loadWorld),
      makeWorld().then(loadWorld),
      makeWorld([`syn115,more,folder,${PROJECT},${PROJECT},1,,,,`]).then(loadWorld),
    ]);
    expect(same.etag).toBe(first.etag);
    expect(other.etag).not.toBe(first.etag);
  });
});
