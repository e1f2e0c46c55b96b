// The aws CLI: the one way in which make targets talk to AWS.

import { execFile } from "node:child_process";

import { HdashError } from "../src/error.ts";

/** Asks AWS something; the answer is the JSON that the CLI prints, or null where it prints nothing. `input` is what its standard input has. */
export type Aws = (args: readonly string[], input?: string) => Promise<unknown>;

/** A log's last lines are the largest answer, a megabyte at most. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Makes an Aws of a program. Throws permanent with what the program says where it fails. */
export function makeAws(program: string): Aws {
  return async (args, input = "") => {
    const what = `${program} ${args.slice(0, 2).join(" ")}`;
    const { error, stdout, stderr } = await run(program, args, input);
    if (error !== null) {
      const says = stderr.trim() || error.message;
      throw new HdashError("permanent", `${what}: ${says}`, { cause: error });
    }
    return stdout.trim() === "" ? null : parse(what, stdout);
  };
}

function run(
  program: string,
  args: readonly string[],
  input: string,
): Promise<{ readonly error: Error | null; readonly stdout: string; readonly stderr: string }> {
  const options = { encoding: "utf8", maxBuffer: MOST_BYTES } as const;
  return new Promise((resolve) => {
    const always = ["--output", "json", "--no-cli-pager"];
    const child = execFile(program, [...args, ...always], options, (error, stdout, stderr) => {
      resolve({ error, stdout, stderr });
    });
    // A program that cannot be started, or does not read, has said so by its end.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

function parse(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HdashError("permanent", `${what}: its answer is no JSON`, { cause });
  }
}
