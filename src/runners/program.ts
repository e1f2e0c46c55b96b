// Starts one program of a command, and says why where it cannot be started.

import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";

import { codeOf, messageOf } from "../error.ts";
import { MARKER } from "./finder.ts";
import type { Ending, Order } from "./frames.ts";

/** What the machine, not the program, is to blame for. */
const MACHINE = ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE"];

export type Started =
  | { readonly child: ChildProcess; readonly exited: Promise<Ending["exits"][number]> }
  | { readonly refusal: NonNullable<Ending["refusal"]> };

/** Starts a program in a session of its own; says why where it cannot be started. */
export async function startProgram(
  { argv, cwd, env }: Order["script"][number],
  marker: string,
  output: number,
): Promise<Started> {
  const [program = "", ...words] = argv;
  // The system says the same of a missing folder as of a missing program.
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    return { refusal: { message: `the folder ${cwd} is not there`, isMachine: false } };
  }
  try {
    const child = spawn(program, words, {
      cwd,
      env: { ...env, [MARKER]: marker },
      stdio: ["ignore", output, output],
      detached: true,
    });
    const exited = new Promise<Ending["exits"][number]>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
    });
    if (child.pid === undefined) {
      throw await new Promise((resolve) => child.once("error", resolve));
    }
    return { child, exited };
  } catch (error) {
    const code = codeOf(error) ?? "";
    const isMachine = MACHINE.includes(code);
    return { refusal: { message: `${program} ${sayWhy(code, error)}`, isMachine } };
  }
}

function sayWhy(code: string, error: unknown): string {
  if (code === "ENOENT") return "is not there";
  if (code === "EACCES") return "may not be executed";
  if (code === "E2BIG") {
    return "cannot be started: a word of its command line, or a variable, is longer than 128 KiB, or all of them together are longer than the system takes (2 MiB); hand them on in a file";
  }
  return `could not be started: ${messageOf(error)}`;
}
