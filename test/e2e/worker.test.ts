// The worker as it is deployed: the twelve variables, real Postgres, a strict S3, Synapse and Slack over HTTP.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../support/command.ts";
import { keepServices, type KeptServices, type Services } from "../support/services.ts";

/** What carries the build time, and so is put by every run. */
const DATED = ["data/index.json", "index.html", "runs.html"];

let kept: KeptServices;
let services: Services;
let first: {
  readonly ended: Ended;
  readonly keys: readonly string[];
  readonly told: readonly unknown[];
};

beforeAll(async () => {
  kept = await keepServices(async (fresh) => {
    const ended = await hdash([], fresh.env);
    first = { ended, keys: fresh.s3.puts.map(({ key }) => key), told: [...fresh.slack.messages] };
  });
});

afterAll(() => kept.close());

/** Each test has a ledger and a site of its own, which hold what the first run made. */
beforeEach(async () => {
  services = await kept.start();
});

/** Keys that were put since the last call. */
function putKeys(): readonly string[] {
  return services.s3.puts
    .splice(0)
    .map(({ key }) => key)
    .sort();
}

function page(key: string): string {
  const found = services.s3.objects("site").get(key);
  if (found === undefined) throw new Error(`${key} was not published`);
  return found.read().toString("utf8");
}

function lastMessage(): string {
  return JSON.stringify(services.slack.messages.at(-1));
}

async function editManifest(name: string, edit: (text: string) => string): Promise<void> {
  const path = join(services.world, "files", name);
  await writeFile(path, edit(await readFile(path, "utf8")));
}

/** Changes the master view's text; the server sees it as Synapse would see changed files. */
async function editView(edit: (text: string) => string): Promise<void> {
  const path = join(services.world, "master.csv");
  await writeFile(path, edit(await readFile(path, "utf8")));
}

describe("hdash, with nothing but the environment", () => {
  test("publishes the site, tells Slack and ends with 0", async () => {
    const { ended, keys, told } = first;
    expect(ended.code, ended.stderr).toBe(0);
    expect(keys).toEqual(
      expect.arrayContaining(["index.html", "HTA1.html", "HTA1_network.sif", "404.html"]),
    );
    const answer = await fetch(`${services.s3.websiteUrl}/HTA1.html`);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await answer.text()).toContain("Synthetic Atlas 1 &lt;i&gt;&amp;&lt;/i&gt;");
    expect(told).toHaveLength(1);
    expect(JSON.stringify(told)).toContain("first update, 74 errors, 6 warnings");
    expect(ended.stderr).not.toContain("token-1");
    expect(ended.stderr).not.toContain(new URL(services.slack.url).pathname);
  });

  test("downloads nothing and puts only what carries the build time when nothing moved", async () => {
    const { fileDownload, csvDownload } = services.synapse.requests;
    const ended = await hdash([], services.env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(services.synapse.requests.fileDownload).toBe(fileDownload);
    expect(services.synapse.requests.csvDownload).toBe(csvDownload);
    expect(putKeys()).toEqual(DATED);
    expect(lastMessage()).toContain("nothing changed");
  });

  test("finds out what is new and what was fixed, and puts only the pages that changed", async () => {
    // The manifest's MD5 is in the view: both change, as they do in Synapse.
    await editManifest("syn31100419.csv", (text) =>
      text.replace("HTA1_xxxx_5065", "HTA1_1009_9065"),
    );
    await editView((text) =>
      text.replace(/^(syn31100419,.*?),[0-9a-f]{32},/m, `$1,${"0".repeat(32)},`),
    );
    const moved = await hdash([], services.env);
    // The view's MD5 is not the file's: nobody can tell which is right, so that manifest waits, and the rest of its atlas is published.
    expect(moved.code, moved.stderr).toBe(0);
    const waiting = JSON.parse(page("data/HTA1-findings.json")) as Record<string, unknown>[];
    expect(waiting.filter(({ rule }) => rule === "M_UNREADABLE")).toMatchObject([
      { subject: "syn31100419" },
    ]);
    const { createHash } = await import("node:crypto");
    const md5 = createHash("md5")
      .update(await readFile(join(services.world, "files", "syn31100419.csv")))
      .digest("hex");
    await editView((text) => text.replace("0".repeat(32), md5));
    putKeys();
    const ended = await hdash([], services.env);
    expect(ended.code, ended.stderr).toBe(0);
    const keys = putKeys();
    expect(keys).toContain("HTA1.html");
    expect(keys.filter((key) => key.includes("HTA2") || key.includes("HTA3"))).toEqual([]);
    const findings = JSON.parse(page("data/HTA1-findings.json")) as {
      rule: string;
      value?: string;
    }[];
    expect(findings.map(({ value }) => value)).not.toContain("HTA1_xxxx_5065");
    expect(findings.map(({ rule }) => rule)).not.toContain("M_UNREADABLE");
    expect(page("HTA1.html")).toMatch(/fixed/);
    expect(lastMessage()).toMatch(/fixed/);
  });

  test("keeps the last published page of an atlas that fails, says since when, and ends with 3", async () => {
    const before = page("HTA2.html");
    const project = "syn31100645";
    services.synapse.setFaults({ denied: [project] });
    const ended = await hdash([], services.env);
    services.synapse.setFaults({});
    expect(ended.code, ended.stderr).toBe(3);
    expect(page("HTA2.html")).toBe(before);
    expect(page("index.html")).toMatch(/[Nn]ot updated since/);
    expect(lastMessage()).toContain("HTA2");
    expect(lastMessage()).toMatch(/jdoe has no right to read syn31100645|no right to read/);
    const healed = await hdash([], services.env);
    expect(healed.code, healed.stderr).toBe(0);
    expect(page("index.html")).not.toMatch(/[Nn]ot updated since/);
  });

  test("updates one atlas when asked for one, and leaves the others as they were", async () => {
    putKeys();
    const ended = await hdash(["run", "htan", "--atlas", "HTA3"], services.env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(putKeys()).toEqual(DATED);
    const index = JSON.parse(page("data/index.json")) as { atlases: { atlasId: string }[] };
    expect(index.atlases.map(({ atlasId }) => atlasId)).toEqual(["HTA1", "HTA2", "HTA3"]);
    const unknown = await hdash(["run", "htan", "--atlas", "HTA9"], services.env);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("HTA9 is not a registered atlas");
  });

  test("does every step again when forced, and publishes the same", async () => {
    putKeys();
    const ended = await hdash(["run", "htan", "--force"], services.env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(putKeys()).toEqual(DATED);
  });

  test("leaves the pages of an atlas that a later run has done, and mends them once it is the latest", async () => {
    const { db } = services.database.database;
    const { id } = await db
      .selectFrom("run")
      .select("id")
      .orderBy("id", "desc")
      .executeTakeFirstOrThrow();
    const { started_at } = await db
      .selectFrom("run")
      .select("started_at")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    const at = (when: Date | null) =>
      db.updateTable("run").set({ started_at: when }).where("id", "=", id).execute();
    // As if that run, which has done HTA3, had started after the one below; the page's loss shows who puts it.
    await at(new Date(Date.now() + 3_600_000));
    services.s3.removeObject("site", "HTA3.html");
    expect((await hdash(["run", "htan", "--atlas", "HTA3", "--force"], services.env)).code).toBe(0);
    expect(services.s3.objects("site").has("HTA3.html")).toBe(false);
    await at(started_at);
    expect((await hdash([], services.env)).code).toBe(0);
    expect(page("HTA3.html")).toContain("Synthetic Atlas 3");
  });

  test("goes on when Slack is down, and says so", async () => {
    services.slack.setAnswer({ status: 404, body: "no_service" });
    const ended = await hdash([], services.env);
    services.slack.setAnswer(null);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toMatch(/Slack did not take the message: .*no_service/);
  });

  test("says what is wrong with the token and ends with 1", async () => {
    const ended = await hdash([], { ...services.env, SYNAPSE_PASSWORD: "wrong-token" });
    expect(ended.code).toBe(1);
    expect(ended.stderr + lastMessage()).toMatch(/did not (accept|take) the token/);
    expect(ended.stderr).not.toContain("wrong-token");
    for (const text of [ended.stderr, lastMessage()])
      expect(text).toContain("personal access token");
  });

  test("reports every wrong variable at once and ends with 2", async () => {
    const ended = await hdash([], { HDASH_DB_PORT: "x", S3_ENDPOINT_URL: "nowhere" });
    expect(ended.code).toBe(2);
    for (const name of ["HDASH_DB_PORT", "S3_ENDPOINT_URL", "SYNAPSE_PASSWORD"]) {
      expect(ended.stderr).toContain(name);
    }
  });
});
