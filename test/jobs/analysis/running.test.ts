// Users' pipelines, run by hdash as users run it: what runs again after which change, how what fails is told, what a program sees.

import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../../support/command.ts";

const PIPELINES = join(import.meta.dirname, "pipelines");

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-pipelines-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Puts a file into the folder that commands are run from. */
async function put(name: string, content: string): Promise<void> {
  const path = join(dir, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
}

/** Runs a pipeline of the folder; paths of options are in it, too. */
async function run(
  pipeline: string,
  options: Readonly<Record<string, string>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const own = { TZ: "UTC", NO_COLOR: "1", HDASH_HOME: join(dir, "home"), ...env };
  return hdash(["run", join(dir, pipeline), ...args], own);
}

/** What ran and what was known, as the run's last word says. */
function tally({ stderr, stdout }: Ended): string {
  return /\((\d+ hits?, \d+ ran, \d+ failed)\)/.exec(stderr + stdout)?.[1] ?? stderr;
}

async function copyPipelines(): Promise<void> {
  const text = (await readdir(PIPELINES)).filter((name) => name.endsWith(".ts"));
  for (const name of text) {
    const source = await readFile(join(PIPELINES, name), "utf8");
    await put(name, source.replaceAll("../../../../src/index.ts", "hdash"));
  }
  await cp(join(PIPELINES, "bin"), join(dir, "bin"), { recursive: true });
  await put("package.json", '{ "type": "module" }');
}

describe("k-mers of lanes, merged by sample", () => {
  const lanes = { A_1: "ACGTACGTAA", A_2: "ACGTTT", B_1: "GGGGACGT", B_2: "ACGACGACG" };
  const given = (): Record<string, string> => ({ sheet: join(dir, "s.csv"), k: "3", min: "1" });

  beforeEach(async () => {
    await copyPipelines();
    for (const [name, bases] of Object.entries(lanes)) await put(`${name}.fa`, `>r\n${bases}\n`);
    await put("s.csv", "sample,lane\nA,A_1.fa\nA,A_2.fa\nB,B_1.fa\nB,B_2.fa\n");
  });

  test("gives what the programs count, and runs exactly what a change concerns", async () => {
    const out = join(dir, "out");
    const first = await run("kmer.ts", { ...given(), out });
    expect(first.code, first.stderr).toBe(0);
    // Four imports, four counts, two merges, and what the pipeline gives.
    expect(tally(first)).toBe("0 hits, 11 ran, 0 failed");
    const merged = await readFile(join(out, "merged-0.tsv"), "utf8");
    const counts = new Map(
      merged
        .trimEnd()
        .split("\n")
        .map((line) => line.split("\t") as [string, string]),
    );
    expect(Object.fromEntries(counts)).toEqual({
      ...{ ACG: "3", CGT: "3", GTA: "2", TAC: "1", TAA: "1", GTT: "1", TTT: "1" },
    });
    expect(tally(await run("kmer.ts", given()))).toBe("11 hits, 0 ran, 0 failed");

    const after = async (
      change: () => Promise<unknown>,
      options: Readonly<Record<string, string>> = {},
    ): Promise<string> => {
      await change();
      const ended = await run("kmer.ts", { ...given(), ...options });
      expect(ended.code, ended.stderr).toBe(0);
      return tally(ended);
    };
    const edit = async (name: string, from: string, to: string): Promise<void> => {
      const text = await readFile(join(dir, name), "utf8");
      expect(text).toContain(from);
      await put(name, text.replace(from, to));
    };
    // The same bytes elsewhere: nothing.
    expect(
      await after(async () => {
        await rename(join(dir, "A_1.fa"), join(dir, "renamed.fa"));
        await edit("s.csv", "A,A_1.fa", "A,renamed.fa");
      }),
    ).toBe("11 hits, 0 ran, 0 failed");
    // A comment and another layout of the code: nothing.
    expect(
      await after(() =>
        edit("kmer.ts", "export const merge", "// Adds up.\n\n\nexport  const merge"),
      ),
    ).toBe("11 hits, 0 ran, 0 failed");
    // A byte of one lane: its import, its count, its sample's merge, and what is given.
    expect(await after(() => edit("B_2.fa", "ACGACGACG", "ACGACGACT"))).toBe(
      "7 hits, 4 ran, 0 failed",
    );
    // A change that makes no difference to what is counted stops there.
    expect(await after(() => edit("B_2.fa", ">r", ">another name"))).toBe(
      "9 hits, 2 ran, 0 failed",
    );
    // A parameter of the last step alone.
    expect(await after(() => Promise.resolve(), { min: "2" })).toBe("8 hits, 3 ran, 0 failed");
    // A script that one step uses.
    expect(await after(() => edit("bin/merge.sh", "sort", "sort -r"))).toBe(
      "8 hits, 3 ran, 0 failed",
    );
    // The code of the module that both steps are of.
    expect(await after(() => edit("kmer.ts", "< ${lane} >", "<${lane}  >"))).toMatch(/^[45] hits/);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["a value that is none", { k: "six" }, /--k \(KMER_K\) is "six": it must be a whole number/],
    ["no sheet", { sheet: "" }, /--sheet \(KMER_SHEET\) is not given, and kmer takes sheet/],
    ["a sheet that is not there", { sheet: "none.csv" }, /--sheet \(\S*none\.csv\) is not there/],
  ])("refuses %s, by name and value", async (_name, wrong, says) => {
    const { code, stderr } = await run("kmer.ts", { ...given(), ...wrong });
    expect(stderr).toMatch(says);
    expect(code).toBe(2);
  });

  test("names the row of a lane that is not there", async () => {
    await put("s.csv", "sample,lane\nA,A_1.fa\nA,gone.fa\n");
    const { code, stderr } = await run("kmer.ts", given());
    expect(stderr).toMatch(/--sheet, row 3, lane is \S*gone\.fa: there is no such file/);
    expect(code).toBe(2);
  });
});

/** A pipeline of one command that gives out.txt. */
const one = (command: string, more = ""): string => `
import { command, file, pipeline, sh, text } from "hdash";
export const make = command({
  name: "make", takes: { word: text("a b") }, gives: { out: file("out.txt") }, ${more}
  run: ({ word }) => sh\`${command}\`,
});
export default pipeline({
  name: "one", takes: {}, gives: { out: file() },
  plan: (_none, { run }) => run(make, { word: "it's $HOME" }),
});
`;

describe("a program", () => {
  const given = async (): Promise<string> => readFile(join(dir, "out/out.txt"), "utf8");
  const out = (): Record<string, string> => ({ out: join(dir, "out") });

  test("sees nothing of the machine's environment, and its own folder", async () => {
    await put("one.ts", one("env | sort > out.txt; ls >> out.txt", 'env: { OWN: "1" },'));
    const { code, stderr } = await run("one.ts", out(), { LEAKED: "yes", PYTHONPATH: "/x" });
    expect(code, stderr).toBe(0);
    const lines = (await given()).trimEnd().split("\n");
    const names = lines.filter((line) => line.includes("=")).map((line) => line.split("=")[0]);
    // PWD, SHLVL and _ are the shell's own.
    expect(names).toEqual([
      ...[
        "HDASH_ATTEMPT",
        "HDASH_CPUS",
        "HDASH_EXEC",
        "HDASH_MEMORY_MIB",
        "HOME",
        "LC_ALL",
        "OWN",
        "PATH",
      ],
      ...["PWD", "SHLVL", "TMPDIR", "TZ", "_"],
    ]);
    expect(lines.filter((line) => !line.includes("="))).toEqual(["out.txt"]);
  });

  test("gets each value as one word, whatever is in it", async () => {
    await put("one.ts", one("printf '%s|' ${word} end > out.txt"));
    const { code, stderr } = await run("one.ts", out());
    expect(code, stderr).toBe(0);
    expect(await given()).toBe("it's $HOME|end|");
  });

  test.each<[string, string, RegExp]>([
    [
      "ends with a code, with what it said last",
      "echo first; echo the reason >&2; exit 7",
      /make it's \$HOME: it ended with 7 \(failed · exit, attempt 1 of 1\); it said last:\s+first\s+the reason/,
    ],
    ["fails within a pipe", "false | cat > out.txt", /it ended with 1 \(failed · exit/],
    ["uses a variable that is not set", "echo \\$NONE > out.txt", /NONE: unbound variable/],
    [
      "does not give what it declares",
      "echo done > other.txt",
      /out \(out\.txt\) is not there, though the step has ended well/,
    ],
    ["gives a link", "ln -s /etc/passwd out.txt", /out \(out\.txt\) is a link/],
    ["gives a folder for a file", "mkdir out.txt", /out \(out\.txt\) is no file/],
    ["is ended by a signal", "kill -9 \\$\\$", /SIGKILL ended it \(failed · signal/],
  ])("that %s fails its run and says so", async (_name, command, says) => {
    await put("one.ts", one(command));
    const { code, stderr } = await run("one.ts", out());
    expect(stderr).toMatch(says);
    expect(code).toBe(1);
  });

  test("is told its secrets, which are nowhere else", async () => {
    const secret = "xyzzy-plugh-42";
    await put(
      "one.ts",
      one("echo token \\$TOKEN; printf %s \\${#TOKEN} > out.txt", 'secrets: ["TOKEN"],'),
    );
    const ended = await run("one.ts", out(), { TOKEN: secret });
    expect(ended.code, ended.stderr).toBe(0);
    expect(await given()).toBe(String(secret.length));
    const files = await readdir(join(dir, "home"), { recursive: true, withFileTypes: true });
    const kept = await Promise.all(
      files
        .filter((file) => file.isFile())
        .map((file) => readFile(join(file.parentPath, file.name), "latin1")),
    );
    expect(kept.filter((text) => text.includes(secret))).toEqual([]);
    expect(ended.stdout + ended.stderr).not.toContain(secret);
    // Another value of it is no other step.
    expect(tally(await run("one.ts", out(), { TOKEN: "another" }))).toBe("2 hits, 0 ran, 0 failed");
    await put("one.ts", one("echo \\$TOKEN > out.txt", 'secrets: ["TOKEN"],'));
    const missing = await run("one.ts", out());
    expect(missing.stderr).toMatch(/the secret TOKEN is not set/);
  });
});

describe("what fails", () => {
  test("stops what needs it and nothing else, and a scope alone", async () => {
    await put(
      "parts.ts",
      `
import { integer, list, pipeline, step, text } from "hdash";
export const half = step({
  name: "half", takes: { n: integer() }, gives: { n: integer() },
  run({ n }) { if (n % 2) throw new Error("it is odd"); return { n: n / 2 }; },
});
export const name = step({
  name: "name", takes: { n: integer() }, gives: { word: text() },
  run: ({ n }) => ({ word: "n" + n }),
});
export default pipeline({
  name: "parts", takes: { numbers: list(integer()) }, gives: { words: list(text()) },
  async plan({ numbers }, { run, scope }) {
    const done = await Promise.all(numbers.map((n) =>
      scope("number " + n, () => run(name, { n: run(half, { n }).n }).word)));
    return { words: done.flatMap((one) => (one.ok ? [one.value] : [])) };
  },
});
`,
    );
    const out = join(dir, "out");
    const { code, stderr } = await run("parts.ts", { numbers: "4,5,6", out });
    expect(stderr).toMatch(/number 5.*half #2: it is odd/);
    expect(code).toBe(3);
    expect(JSON.parse(await readFile(join(out, "results.json"), "utf8"))).toEqual({
      "words[0]": "n2",
      "words[1]": "n3",
    });
  });

  test.each<[string, string, RegExp]>([
    ["is not there", "", /^hdash: there is no pipeline \S*wrong\.ts$/m],
    ["has no pipeline", "export default 1;", /has no pipeline: its default export/],
    ["cannot be parsed", "export default (;", /wrong\.ts cannot be loaded/],
    [
      "has a step that it does not export",
      `import { pipeline, step } from "hdash";
       const inner = step({ name: "inner", takes: {}, gives: {}, run: () => ({}) });
       export default pipeline({ name: "wrong", takes: {}, gives: {}, plan(_n, { run }) { run(inner, {}); return {}; } });`,
      /step "inner" is exported by no module of wrong\.ts: export it/,
    ],
    [
      "has the name of a job",
      `import { pipeline } from "hdash"; export default pipeline({ name: "htan", takes: {}, gives: {}, plan: () => ({}) });`,
      /the pipeline's name is htan, which is a job of hdash itself/,
    ],
  ])("says of a module that %s what is wrong", async (_name, source, says) => {
    if (source !== "") await put("wrong.ts", source);
    const { code, stderr } = await run("wrong.ts");
    expect(stderr).toMatch(says);
    expect([1, 2]).toContain(code);
  });
});

test("a folder that the pipeline gives is copied, with its modes and with what is empty", async () => {
  await put(
    "made.ts",
    `
import { command, folder, pipeline, sh } from "hdash";
export const make = command({
  name: "make", takes: {}, gives: { made: folder() },
  run: () => sh\`mkdir -p made/sub made/empty; echo one > made/sub/a.txt; echo x > made/run; chmod 755 made/run\`,
});
export default pipeline({
  name: "made", takes: {}, gives: { made: folder() }, plan: (_none, { run }) => run(make, {}),
});
`,
  );
  const out = join(dir, "out");
  // Copied over what is there, too.
  for (const _time of [1, 2]) {
    const { code, stderr } = await run("made.ts", { out });
    expect(code, stderr).toBe(0);
    expect((await readdir(out, { recursive: true })).sort()).toEqual([
      ...["made", "made/empty", "made/run", "made/sub", "made/sub/a.txt"],
    ]);
    expect(await readFile(join(out, "made/sub/a.txt"), "utf8")).toBe("one\n");
    expect((await stat(join(out, "made/run"))).mode & 0o100).toBe(0o100);
    expect((await stat(join(out, "made/sub/a.txt"))).mode & 0o100).toBe(0);
  }
});

test("a folder is given, taken, and looked into without a step", async () => {
  await put(
    "folders.ts",
    `
import { command, file, folder, pipeline, sh, step, text } from "hdash";
export const make = command({
  name: "make", takes: {}, gives: { made: folder("made") },
  run: () => sh\`mkdir -p made/sub made/empty; echo one > made/sub/a.txt; echo x > made/run; chmod 755 made/run\`,
});
export const list = command({
  name: "list", takes: { made: folder(), one: file() }, gives: { listed: file("listed.txt") },
  run: ({ made, one }) => sh\`{ (cd \${made}; find . | sort; test -x run && echo executable); cat \${one}; } > listed.txt\`,
});
export default pipeline({
  name: "folders", takes: {}, gives: { listed: file() },
  plan(_none, { run }) {
    const { made } = run(make, {});
    return run(list, { made, one: made.at("sub/a.txt") });
  },
});
`,
  );
  const out = join(dir, "out");
  const { code, stderr } = await run("folders.ts", { out });
  expect(code, stderr).toBe(0);
  expect(await readFile(join(out, "listed.txt"), "utf8")).toBe(
    ".\n./empty\n./run\n./sub\n./sub/a.txt\nexecutable\none\n",
  );
  await put(
    "folders.ts",
    (await readFile(join(dir, "folders.ts"), "utf8")).replace('sub/a.txt")', 'sub/b.txt")'),
  );
  const missing = await run("folders.ts", { out });
  expect(missing.stderr).toMatch(/made has no file sub\/b\.txt/);
});
