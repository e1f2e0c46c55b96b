// Stands in for the programs that make targets call. AWS's control plane is a mock: it answers as the AWS CLI's documentation says, from
// a list of answers, and writes down what it was asked.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..", "..");

/** What a call gets: the first answer whose words it begins with; each answer serves once, the last one of its kind for ever. */
export interface Answer {
  readonly to: string;
  readonly json?: unknown;
  /** Stands for a failure, with this on standard error. */
  readonly error?: string;
  readonly code?: number;
}

export interface Made {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the stand-in was called with, without the arguments that are always the same. */
  readonly calls: readonly (readonly string[])[];
  /** What it read from its standard input, of all calls. */
  readonly input: string;
  /** STAGE, NAMESPACE and TAG of each call. */
  readonly targets: readonly string[];
}

const PROGRAM = `#!/usr/bin/env node
const { appendFileSync, readFileSync, writeFileSync } = require("node:fs");
const folder = __dirname;
const args = process.argv.slice(2);
const { STAGE = "", NAMESPACE = "", TAG = "" } = process.env;
appendFileSync(folder + "/calls", JSON.stringify({ args, target: [STAGE, NAMESPACE, TAG].join(" ") }) + "\\n");
if (args.some((arg) => arg.includes("/dev/stdin"))) appendFileSync(folder + "/input", readFileSync(0));
const answers = JSON.parse(readFileSync(folder + "/answers", "utf8"));
const mine = answers.filter(({ to }) => args.join(" ").startsWith(to));
const answer = mine[0] ?? { to: "", error: "stand-in: no answer to " + args.join(" "), code: 252 };
if (mine.length > 1) writeFileSync(folder + "/answers", JSON.stringify(answers.filter((one) => one !== answer)));
if (answer.json !== undefined) process.stdout.write(typeof answer.json === "string" ? answer.json : JSON.stringify(answer.json));
if (answer.error !== undefined) process.stderr.write(answer.error + "\\n");
process.exitCode = answer.code ?? (answer.error === undefined ? 0 : 254);
`;

/** Runs a make target with a stand-in for aws and cdk. Nothing is installed: what is there is taken as it is. */
export async function make(
  target: string,
  variables: Readonly<Record<string, string>>,
  answers: readonly Answer[] = [],
): Promise<Made> {
  const folder = mkdtempSync(join(tmpdir(), "hdash-stand-in-"));
  try {
    const program = join(folder, "program");
    writeFileSync(program, PROGRAM, { mode: 0o755 });
    writeFileSync(join(folder, "answers"), JSON.stringify(answers));
    writeFileSync(join(folder, "calls"), "");
    writeFileSync(join(folder, "input"), "");
    const settings = { AWS: program, CDK: program, ...variables };
    const ended = await run("make", [
      ...["--no-print-directory", target],
      ...["node_modules/.installed", "infra/node_modules/.installed"].map(
        (file) => `--old-file=${file}`,
      ),
      ...Object.entries(settings).map(
        ([name, value]) => `${name}=${value.replaceAll("$", "$$$$")}`,
      ),
    ]);
    const calls = readFileSync(join(folder, "calls"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as { args: string[]; target: string });
    const always = ["--output", "json", "--no-cli-pager"];
    return {
      ...ended,
      calls: calls.map(({ args }) =>
        args.slice(-3).join() === always.join() ? args.slice(0, -3) : args,
      ),
      input: readFileSync(join(folder, "input"), "utf8"),
      targets: calls.map((call) => call.target),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(
  program: string,
  args: readonly string[],
): Promise<Omit<Made, "calls" | "input" | "targets">> {
  return new Promise((resolve, reject) => {
    const { CI: _, YES: __, STAGE: ___, NAMESPACE: ____, TAG: _____, ...env } = process.env;
    const child = spawn(program, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      const text = (name: "stdout" | "stderr"): string => Buffer.concat(chunks[name]).toString();
      resolve({ code, stdout: text("stdout"), stderr: text("stderr") });
    });
  });
}
