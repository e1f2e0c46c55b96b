// Scripts of pieces that nobody would write, each with a value in it that would run as a command: what sh takes, a real bash never runs.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { sh } from "../../../../src/jobs/analysis/writing/script.ts";

const PIECES = [
  ...["echo ", '"', "'", "`", "$(", ")", "\\", "$", "#", "\n", " x ", "${x:-", "}", "((", "))"],
  ...["<<EOF", "<<-'E F'", "<<\\EOF", "\nEOF\n", "\tEOF\n", "E F\n", "<<<", "1<<2", "<", "<("],
  ...[";", "case x in x) ", ";; esac", "$'", '$"', " ", "a", "|", "&&", "{ ", " }", "=", "\\\n"],
  ...["${#x}", "${x#a}", "[[ ", " ]]", "if true; then ", " fi"],
];
const VALUES = [
  ...["'\"`;touch ran;$(touch ran)", "\nEOF\ntouch ran\n", "\nE F\ntouch ran\n", "$(touch ran)"],
  ...["a`touch ran`b", '";touch ran;"', "';touch ran;'", "\n touch ran #", ");touch ran;("],
];
const TEMPLATES = 250;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "hdash-scripts-"));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

/** Numbers below a bound, the same in every run. */
function makeDice(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % bound;
  };
}

/** As a template would have it, whose author wrote two backslashes for each. */
function make(pieces: readonly string[], value: string): string | null {
  const raw = pieces.map((piece) => piece.replaceAll("\\", "\\\\"));
  try {
    return sh(Object.assign([...pieces], { raw }), value).text;
  } catch {
    return null;
  }
}

test("what sh takes never runs a value", () => {
  const roll = makeDice(7);
  const some = (most: number): string =>
    Array.from({ length: roll(most) }, () => PIECES[roll(PIECES.length)] ?? "").join("");
  const ran: string[] = [];
  let taken = 0;
  for (let at = 0; at < TEMPLATES; at++) {
    const pieces = [some(8), some(5)];
    for (const value of VALUES) {
      const text = make(pieces, value);
      if (text === null) break;
      taken++;
      spawnSync("bash", ["--norc", "-c", text], { cwd: dir, timeout: 5000, stdio: "ignore" });
      for (const name of readdirSync(dir)) {
        if (name === "ran") ran.push(text);
        rmSync(join(dir, name), { recursive: true, force: true });
      }
    }
  }
  expect(ran).toEqual([]);
  expect(taken).toBeGreaterThan(TEMPLATES);
});
