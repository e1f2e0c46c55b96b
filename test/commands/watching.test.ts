// hdash runs, status, logs, usage, cancel and resume, as people type them: on runs of a user's pipeline, on both kinds of database.

import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Ended, hdash, type Running, start } from "../support/command.ts";
import { schemaProblems } from "../support/jsonSchema.ts";
import { createTestDatabase, databaseEnv, type TestDatabase } from "../support/postgres.ts";

const LONG_MS = 120_000;

/** A program that says something, fails while a file says so, and waits while another does, with a child of its own that does not listen. */
const PIPELINE = `
import { command, file, integer, list, pipeline, sh, text } from "hdash";
export const work = command({
  name: "work", takes: { n: integer(), signs: text() }, gives: { out: file("out.txt") },
  resources: { cpus: 1, memoryMiB: 256 },
  run: ({ n, signs }) => sh\`
    echo begin \${n}
    if test -e \${signs}/fail; then echo the reason; exit 7; fi
    if test -e \${signs}/wait; then
      setsid sh -c 'trap "" TERM; while :; do sleep 1; done' &
      echo $! > \${signs}/grandchild
      while test -e \${signs}/wait; do sleep 0.05; done
    fi
    echo \${n} > out.txt
    echo end \${n}\`,
});
export default pipeline({
  name: "slow", takes: { numbers: list(integer()), signs: text(), more: integer(0) }, gives: { outs: list(file()) },
  plan: ({ numbers, signs }, { run }) =>
    ({ outs: numbers.map((n) => run(work, { n, signs }, { label: "number " + n }).out) }),
});
`;

/** A folder with the pipeline, and what hdash is told of its database. */
interface Place {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
}

async function makePlace(own: Readonly<Record<string, string>> = {}): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-watching-"));
  await writeFile(join(dir, "package.json"), '{ "type": "module" }');
  await writeFile(join(dir, "slow.ts"), PIPELINE);
  await mkdir(join(dir, "signs"));
  return { dir, env: { HDASH_HOME: join(dir, "home"), ...own } };
}

function sign({ dir }: Place, name: string): Promise<void> {
  return writeFile(join(dir, "signs", name), "");
}

function unsign({ dir }: Place, name: string): Promise<void> {
  return rm(join(dir, "signs", name), { force: true });
}

function runWords({ dir }: Place, numbers: string, more = "0"): readonly string[] {
  const values = ["--numbers", numbers, "--signs", join(dir, "signs"), "--more", more];
  return ["run", join(dir, "slow.ts"), ...values];
}

function ask({ env }: Place, ...words: readonly string[]): Promise<Ended> {
  return hdash(words, env);
}

/** What a command has said as JSON lines, each of which is as its schema says. */
async function askJson(place: Place, ...words: readonly string[]): Promise<readonly unknown[]> {
  const { stdout, stderr } = await ask(place, ...words, "--json");
  const lines = stdout.trimEnd().split("\n");
  const values = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
  expect(values.length, stderr).toBeGreaterThan(0);
  for (const value of values) expect(schemaProblems(words[0] ?? "", value)).toEqual([]);
  return values;
}

describe("on the embedded database", () => {
  let place: Place;
  beforeAll(async () => {
    place = await makePlace();
    await sign(place, "fail");
    const { code, stderr } = await ask(place, ...runWords(place, "1,2"));
    expect(stderr).toContain("the reason");
    expect(code).toBe(1);
  }, LONG_MS);
  afterAll(() => rm(place.dir, { recursive: true, force: true }));

  test(
    "tells of a run that failed, resumes it, and says what was saved",
    async () => {
      expect((await ask(place, "status")).stdout).toMatch(/^nothing goes on/);
      const failed = await ask(place, "status", "1");
      expect(failed.stdout).toMatch(/^run 1 of slow: failed after /);
      expect(failed.stdout).toMatch(
        /failed {3}work number 1 {2}[0-9a-f]{8}, attempt 1, failed · exit\n +it ended with 7\n/,
      );
      expect(failed.stdout).toMatch(/its last line: the reason\n +hdash logs [0-9a-f]{8}\n/);
      const [status] = await askJson(place, "status", "slow");
      expect(status).toMatchObject({
        ...{ run: 1, standing: "failed", atWork: [] },
        steps: { hits: 0, ran: 0, failed: 2, running: 0 },
      });

      const logs = await ask(place, "logs", "1", "--failed");
      expect(logs.stdout).toMatch(
        /── work number \d · attempt 1 · failed · \w+ · [0-9a-f]{8}\nbegin \d\nthe reason\n/,
      );
      const key = /hdash logs ([0-9a-f]{8})/.exec(failed.stdout)?.[1] ?? "";
      expect((await ask(place, "logs", key, "--attempt", "1")).stdout).toMatch(
        /^begin \d\nthe reason/,
      );
      const [line] = await askJson(place, "logs", key);
      expect(line).toMatchObject({ step: "work", attempt: 1, state: "failed", seq: 1, at: null });

      await unsign(place, "fail");
      // Neither what the environment says nor the folder counts: the run's own values do.
      const wrong = { ...place, env: { ...place.env, SLOW_NUMBERS: "9", SLOW_SIGNS: "elsewhere" } };
      const resumed = await ask(wrong, "resume", "1", "--json");
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(resumed.stderr).toContain("run 1 of slow has failed: run 2 does what is missing");
      expect(JSON.parse(resumed.stdout)).toEqual({ run: 1, standing: "failed", by: 2, code: 0 });
      expect(schemaProblems("resume", JSON.parse(resumed.stdout))).toEqual([]);
      const again = await ask(place, "resume", "2");
      expect(again.stdout).toMatch(
        /run 2 of slow has succeeded: there is nothing to go on with; `hdash run`/,
      );
      expect(again.code).toBe(0);

      const third = await ask(place, ...runWords(place, "1,2", "1"));
      expect(third.code, third.stderr).toBe(0);
      const prices = join(import.meta.dirname, "../../config/prices.example.json");
      const [usage] = await askJson(place, "usage", "3", "--prices", prices);
      expect(usage).toMatchObject({ run: 3, total: { attempts: 0, hits: 3, cpuSeconds: null } });
      const [made] = await askJson(place, "usage", "2");
      // A program's CPU and memory are measured, those of what hdash does in its own process are not.
      const { steps } = made as { steps: readonly { step: string; cpuMeasured: number }[] };
      expect(steps).toMatchObject([
        { step: "work", attempts: 2, cpuMeasured: 2, memoryMeasured: 2 },
        {},
      ]);
      const all = await ask(place, "usage", "--since", "1h", "--prices", prices);
      expect(all.stdout).toMatch(/^3 runs since /);
      expect(all.stdout).toMatch(/\nslow: work +4 /);
      expect(all.stdout).toMatch(/\n3 hits saved [\d.]+ m?s: what their results took/);
      expect(all.stdout).toMatch(/: an example, not what anybody is billed\n$/);
    },
    LONG_MS,
  );

  test(
    "lists runs by pipeline, status and time, with their numbers",
    async () => {
      const runs = await askJson(place, "runs", "--status", "failed", "--since", "1h");
      expect(runs).toMatchObject([{ id: "1", status: "failed" }]);
      expect((await ask(place, "runs", "--pipeline", "slow")).stdout).toMatch(/^\d {2}.* slow /);
      expect((await ask(place, "runs", "--pipeline", "nobody")).stdout).toBe("no such runs\n");
      expect((await ask(place, "runs", "--since", "2099-01-01")).stdout).toBe("no such runs\n");
    },
    LONG_MS,
  );

  test.each<[readonly string[], RegExp, number]>([
    [["cancel", "1"], /run 1 of slow had ended already: it failed on/, 1],
    [["cancel", "999"], /there is no run 999/, 2],
    [["status", "sha256:12"], /is no digest/, 2],
    [["logs", "1", "--attempt", "2"], /--attempt 2: 1 is a run/, 2],
    [["logs", "ffffffffffff"], /"ffffffffffff" is no result/, 2],
    [["logs", "1", "--attempt", "x"], /whole number from 1/, 2],
    [["usage"], /takes a run, or --since, and not both/, 2],
    [["usage", "1", "--since", "1d"], /takes a run, or --since, and not both/, 2],
    [["usage", "--since", "soon"], /It must say how long ago \(30d/, 2],
    [["usage", "1", "--prices", "none.json"], /--prices none\.json cannot be read/, 2],
    [
      ["usage", "1", "--prices", "package.json"],
      /package\.json have no text as currency: it is missing/,
      2,
    ],
    [["runs", "--status", "done"], /Allowed choices are queued/, 2],
  ])(
    "says of %j what is wrong",
    async (words, says, code) => {
      const { stdout, stderr, code: ended } = await ask(place, ...words);
      expect(stdout + stderr).toMatch(says);
      expect(ended).toBe(code);
    },
    LONG_MS,
  );

  test(
    "refuses to resume what is another pipeline by now",
    async () => {
      const path = join(place.dir, "slow.ts");
      const source = await readFile(path, "utf8");
      await writeFile(path, source.replace("more: integer(0)", "less: integer(0)"));
      const { code, stderr } = await ask(place, "resume", "1");
      await writeFile(path, source);
      expect(stderr).toMatch(
        /slow is not what run 1 was of: it takes less now, which the run was not given; it takes no more any more/,
      );
      expect(code).toBe(2);
    },
    LONG_MS,
  );

  test(
    "says who has the database while a run goes on, and how that is stopped",
    async () => {
      await unsign(place, "fail");
      await sign(place, "wait");
      const running = start("src/main.ts", runWords(place, "8"), place.env);
      await expect.poll(() => hasFile(place, "grandchild"), { timeout: 30_000 }).toBe(true);
      const pid = running.process.pid ?? 0;
      const status = await ask(place, "status");
      expect(status.stdout).toContain(`pid ${pid} on `);
      expect(status.stdout).toContain(`kill -TERM ${pid}`);
      expect(status.code).toBe(0);
      expect(await askJson(place, "status", "4")).toMatchObject([{ heldBy: { pid } }]);
      for (const words of [
        ["cancel", "4"],
        ["resume", "4"],
        ["logs", "4"],
      ]) {
        const { code, stderr } = await ask(place, ...words);
        expect(stderr).toContain(`pid ${pid} on `);
        expect(code).toBe(1);
      }
      running.process.kill("SIGTERM");
      expect((await running.ended).code).toBe(143);
      expect((await ask(place, "status")).stdout).toMatch(
        /run 4 +slow +handed back .*`hdash resume 4`/,
      );
      await unsign(place, "wait");
      const resumed = await ask(place, "resume", "4");
      expect(resumed.stderr).toContain("run 4 of slow goes on, as attempt 2: it was handed back");
      expect(resumed.code, resumed.stderr).toBe(0);
    },
    LONG_MS,
  );
});

function hasFile({ dir }: Place, name: string): Promise<boolean> {
  return readFile(join(dir, "signs", name)).then(
    () => true,
    () => false,
  );
}

/** Tells whether a process is at work: a zombie only waits for its parent to look at it. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

describe("on Postgres, where one process watches another", () => {
  let made: TestDatabase;
  let place: Place;
  beforeAll(async () => {
    made = await createTestDatabase();
    place = await makePlace(databaseEnv(made.settings));
  });
  afterAll(async () => {
    await made.drop();
    await rm(place.dir, { recursive: true, force: true });
  });

  /** Starts a run whose program waits, and gives the pid of what that has started. */
  async function startWaiting(
    numbers: string,
    more = "0",
  ): Promise<{ running: Running; grandchild: number }> {
    await sign(place, "wait");
    const running = start("src/main.ts", runWords(place, numbers, more), place.env);
    const read = () => readFile(join(place.dir, "signs/grandchild"), "utf8").catch(() => "");
    await expect.poll(read, { timeout: 30_000 }).toMatch(/^\d+\n$/);
    return { running, grandchild: Number(await read()) };
  }

  test(
    "cancels a run: its program is ended with what that has started, and who follows it hears of it",
    async () => {
      const { running, grandchild } = await startWaiting("1");
      const following = start("src/main.ts", ["logs", "1", "--follow"], place.env);
      await following.line(/^work number 1 │ begin 1$/);
      const [status] = await askJson(place, "status", "1");
      expect(status).toMatchObject({
        standing: "running",
        atWork: [{ step: "work", label: "number 1", attempt: 1, waitsFor: null }],
      });
      expect((await ask(place, "resume", "1")).stdout).toMatch(
        /run 1 of slow goes on: pid \d+ on .* does it/,
      );
      expect(isAlive(grandchild)).toBe(true);
      const [cancelled] = await askJson(place, "cancel", "1", "--because", "it was an old one");
      expect(cancelled).toMatchObject({
        run: 1,
        status: "cancelled",
        isCancelled: true,
        wasEnded: false,
      });
      const ended = await running.ended;
      expect(ended.stderr).toContain("slow was cancelled");
      expect(ended.code).toBe(143);
      expect(isAlive(grandchild)).toBe(false);
      const heard = await following.ended;
      expect(heard.stdout).toMatch(/run 1: cancelled\n$/);
      expect(heard.code).toBe(143);
      const { stdout } = await ask(place, "status", "1");
      expect(stdout).toContain("cancelled: it was an old one");
      expect((await ask(place, "logs", "1")).stdout).toMatch(
        /── work · attempt 1 · cancelled · user/,
      );
      expect((await ask(place, "cancel", "1")).code).toBe(0);
      await unsign(place, "wait");
      await unsign(place, "grandchild");
      const resumed = await ask(place, "resume", "1");
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(resumed.stderr).toContain("run 1 of slow was cancelled: run 2 does what is missing");
    },
    LONG_MS,
  );

  test(
    "follows a run to its good end, in lines that are as the schema says",
    async () => {
      const { running } = await startWaiting("5", "1");
      const [{ run } = { run: 0 }] = (await askJson(place, "status")) as { run: number }[];
      const following = askJson(place, "logs", String(run), "--follow");
      await unsign(place, "wait");
      await unsign(place, "grandchild");
      expect((await running.ended).code).toBe(0);
      const lines = await following;
      expect(lines).toMatchObject([
        { line: "begin 5" },
        { line: "end 5" },
        { run, standing: "succeeded" },
      ]);
    },
    LONG_MS,
  );

  test(
    "says that the worker of a run is dead, and resumes that run",
    async () => {
      const { running, grandchild } = await startWaiting("6", "2");
      running.process.kill("SIGKILL");
      await running.ended;
      const { stdout } = await ask(place, "status");
      expect(stdout).toMatch(
        /run (\d+) +slow +its worker is dead .*; `hdash resume \1` goes on with it/,
      );
      const id = /run (\d+)/.exec(stdout)?.[1] ?? "";
      const followed = await ask(place, "logs", id, "--follow");
      expect(followed.stdout).toMatch(/: its worker is dead\n$/);
      expect(followed.code).toBe(1);
      await unsign(place, "wait");
      const resumed = await ask(place, "resume", id);
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(resumed.stderr).toContain(
        `run ${id} of slow goes on, as attempt 2: it had lost its worker`,
      );
      expect(isAlive(grandchild)).toBe(false);
    },
    LONG_MS,
  );
});
