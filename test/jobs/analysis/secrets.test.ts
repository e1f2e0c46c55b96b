// A secret of a step is in 0 bytes of what hdash keeps and tells, whatever steps do with it.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { HdashError, messageOf } from "../../../src/error.ts";
import { makeSecrets } from "../../../src/jobs/analysis/secrets.ts";
import { type Db, RELATIONS } from "../../../src/store/schema.ts";
import type { Ended } from "../../support/command.ts";
import { LEDGER_KINDS } from "../../support/ledger.ts";
import { openUserRuns, type UserRuns } from "./support/userRuns.ts";

const LONG_MS = 240_000;
const TOKEN = 'xyzzy"plugh/42 wörd';
/** As it is, as JSON has it, as addresses have it, and, of what is long enough to be told from chance, its two halves. */
const FORMS = [
  ...[TOKEN, JSON.stringify(TOKEN).slice(1, -1), encodeURIComponent(TOKEN)],
  ...[TOKEN.slice(0, 7), "lugh/42 wörd"],
].map((form) => Buffer.from(form));

/** Names what holds any form of the secret. @param leastBytes so many there are, so that what is looked at is not next to nothing. */
async function leaksIn(
  parts: AsyncIterable<readonly [string, Buffer]>,
  leastBytes: number,
): Promise<readonly string[]> {
  const leaks: string[] = [];
  let bytes = 0;
  for await (const [name, content] of parts) {
    bytes += content.length;
    const form = FORMS.find((one) => content.includes(one));
    if (form !== undefined) leaks.push(`${name} holds ${form.toString()}`);
  }
  expect(bytes).toBeGreaterThan(leastBytes);
  return leaks;
}

async function* filesIn(dir: string): AsyncGenerator<readonly [string, Buffer]> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) yield [path, Buffer.concat([Buffer.from(path), await readFile(path)])];
  }
}

/** Every row of every table as text, and every piece of a blob as what it is. */
async function* rowsIn(db: Db): AsyncGenerator<readonly [string, Buffer]> {
  for (const name of Object.keys(RELATIONS)) {
    const table = sql.table(name);
    const { rows } = await sql<{ row: string }>`select t::text as row from ${table} t`.execute(db);
    yield [name, Buffer.from(rows.map(({ row }) => row).join("\n"))];
  }
  const chunks = await db.selectFrom("blob_chunk").select("bytes").execute();
  for (const { bytes } of chunks) yield ["a blob", zstdDecompressSync(bytes)];
}

describe.each(LEDGER_KINDS)("the secret of a run on %s", (kind) => {
  let runs: UserRuns;
  let good: Ended;
  let bad: Ended;
  beforeAll(async () => {
    runs = await openUserRuns(kind);
    good = await runs.run("secrets.ts", { out: join(runs.dir, "out") }, { TOKEN });
    bad = await runs.run("secrets.ts", { fails: "yes" }, { TOKEN });
  }, LONG_MS);
  afterAll(() => runs.close());

  test("is told to those who declare it", async () => {
    expect([good.code, bad.code], good.stderr + bad.stderr).toEqual([3, 1]);
    const length = Buffer.byteLength(TOKEN);
    expect((await readFile(join(runs.dir, "out/out.txt"), "utf8")).trim()).toBe(String(length));
  });

  test("is nowhere in what is kept", async () => {
    expect(await leaksIn(filesIn(runs.home), kind === "embedded" ? 1_000_000 : 1)).toEqual([]);
    expect(await runs.inLedger((db) => leaksIn(rowsIn(db), 10_000))).toEqual([]);
  });

  test("is nowhere in what is told or given", async () => {
    async function* told(): AsyncGenerator<readonly [string, Buffer]> {
      yield ["stdout", Buffer.from(good.stdout + bad.stdout)];
      yield ["stderr", Buffer.from(good.stderr + bad.stderr)];
      yield* filesIn(join(runs.dir, "out"));
    }
    expect(await leaksIn(told(), 1_000)).toEqual([]);
  });

  test("leaves three stars where it was said, and names what holds it", async () => {
    const [logs, scopes] = await runs.inLedger(async (db, blobs) => {
      const attempts = await sql<{ step: string; n: number; digest: string }>`
        select step, n, log_digest as digest from step_attempt where log_digest is not null
        order by step, n`.execute(db);
      const read = new Map<string, string>();
      for (const { step, n, digest } of attempts.rows) {
        read.set(`${step} ${n}`, Buffer.from(await blobs.read(digest as never)).toString());
      }
      const told = await sql<{ scope: string; error: string }>`
        select scope, error from run_scope where run_id = (select min(run_id) from run_scope)`.execute(
        db,
      );
      return [read, new Map(told.rows.map(({ scope, error }) => [scope, error]))] as const;
    });
    expect(logs.get("printed 1")).toBe("it is ***\n");
    expect(logs.get("halved 1")).toBe("***\n");
    expect(logs.get("fine 1")).toBe('asked with ***\n{"token":"***"}\n');
    expect(logs.get("refused 2")).toMatch(
      /^failed · error: the service refused \*\*\*: GET .*=\*\*\* gave 403$/m,
    );
    expect(logs.get("traced 2")).toMatch(/^\+ printf '%s\\n' .*\n\*\*\*\n.*\nfailed · exit/s);
    const says = (scope: string): string => scopes.get(scope) ?? "";
    expect(says("traced")).toMatch(/\n {2}\*\*\*\n/);
    expect(says("returned")).toMatch(
      /returned #1: word holds the secret TOKEN: .* \(failed · output/,
    );
    expect(says("written")).toMatch(/written #1: out holds the secret TOKEN: .* \(failed · output/);
    expect(says("packed")).toMatch(/packed #1: made holds the secret TOKEN: .* \(failed · output/);
    expect(says("listed")).toMatch(/listed #1: parts holds the secret TOKEN/);
    expect(says("pinned")).toMatch(/pinned #1: what it is pinned by holds the secret TOKEN/);
    expect(says("given")).toMatch(/word of plain \*\*\* holds the secret TOKEN, and would be kept/);
    expect(says("thrown")).toBe("the plan knows ***");
    expect(bad.stderr + bad.stdout).toContain("all of it fails with ***");
  });

  test("is refused where the command line has it", async () => {
    const { code, stderr, stdout } = await runs.run(
      "secrets.ts",
      { word: `a ${TOKEN}` },
      { TOKEN },
    );
    expect(stderr).toContain("--word holds the secret TOKEN, and would be kept");
    expect(code).toBe(2);
    expect(stderr + stdout).not.toContain(TOKEN);
  });

  test("is hidden, and not looked for, where it is too short to be told from other text", async () => {
    const { stderr, stdout } = await runs.run("secrets.ts", {}, { TOKEN: "a1b2" });
    expect(stderr + stdout).toContain("the secret TOKEN is shorter than 6 bytes");
    expect(stderr + stdout).toContain("the plan knows ***");
    expect(stderr + stdout).not.toContain("holds the secret");
  });
});

describe("makeSecrets(values)", () => {
  test("leaves an error that holds none as it is, and hides all that is told of one that does", () => {
    const secrets = makeSecrets({ TOKEN, OTHER: null });
    const harmless = new HdashError("config", "no", { hint: "set it" });
    expect(secrets.maskError(harmless)).toBe(harmless);
    const told = new HdashError("config", `no ${TOKEN}`, { hint: `not ${TOKEN}`, publicly: TOKEN });
    const masked = secrets.maskError(told) as HdashError;
    expect(masked).toMatchObject({
      kind: "config",
      message: "no ***",
      hint: "not ***",
      publicly: "***",
    });
    expect(masked.stack).not.toContain(TOKEN);
    expect(secrets.maskError(TOKEN)).toMatchObject({ message: "***" });
    const deep = new Error("outer", { cause: new Error(TOKEN) });
    expect(messageOf(secrets.maskError(deep))).toBe("outer: ***");
  });

  test("finds a line of a secret of several, but not what every key begins with", () => {
    const line = "MIIEvQIBADANBgkqhkiG9w0BAQ";
    const secrets = makeSecrets({ KEY: `-----BEGIN KEY-----\n${line}\n-----END KEY-----\n` });
    expect(secrets.nameIn(`a ${line} b`)).toBe("KEY");
    expect(secrets.nameIn("-----BEGIN KEY-----")).toBeNull();
    expect(secrets.formsOf(["KEY", "NONE"]).length).toBe(3);
  });

  test("knows nothing where nothing is set", async () => {
    const secrets = makeSecrets({ TOKEN: null, EMPTY: "" });
    expect(secrets.isEmpty).toBe(true);
    expect(secrets.mask("text")).toBe("text");
    expect(secrets.nameIn("text")).toBeNull();
    expect(await secrets.nameInFiles(import.meta.filename, "file")).toBeNull();
    expect(secrets.maskError("x")).toBe("x");
  });
});
