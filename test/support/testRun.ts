// What `make test` was told, read before anything begins: which tests, how, and on which day.

import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { type Area, findArea } from "./area.ts";
import { fakedClock, UNFAKED } from "./fakedClock.ts";
import { findTests } from "./sharing.ts";

/** A run of the gates and tests. */
export interface TestRun {
  /** Null: everything. */
  readonly area: Area | null;
  /** What vitest is called with, one call after the other: files first, then flags. */
  readonly calls: readonly { readonly name: string; readonly args: readonly string[] }[];
  /** What is in the environment of vitest besides. */
  readonly env: Readonly<Record<string, string>>;
}

/** Reads the arguments of test/gates.ts; what cannot be meant is said in one line. */
export function readTestRun(args: readonly string[], root = "."): TestRun | string {
  const given = parse(args);
  if (typeof given === "string") return given;
  const { values, positionals } = given;
  const area = values.area === undefined ? null : findArea(values.area, root);
  if (typeof area === "string") return area;
  const { shuffle, faketime } = values;
  if (shuffle !== undefined && !/^[1-9]\d{0,8}$/.test(shuffle)) {
    return `SHUFFLE is ${shuffle}, but has to be 1 or a seed, which is a whole number`;
  }
  const env = faketime === undefined ? {} : fakedClock(faketime);
  if (typeof env === "string") return env;
  const unfaked = faketime === undefined ? [] : UNFAKED;
  const flags = [
    ...(shuffle === undefined ? [] : ["--sequence.shuffle"]),
    ...(shuffle === undefined || shuffle === "1" ? [] : [`--sequence.seed=${shuffle}`]),
  ];
  const whole = [...(area?.tests ?? []), ...positionals];
  const files = area?.tests ?? findTests(root);
  const alone = files
    .filter((file) => !unfaked.includes(file))
    // Whole paths: vitest takes what is shorter for a part of any path.
    .map((file) => ({ name: file, args: [resolve(root, file), ...flags] }));
  const calls = values.alone ? alone : [{ name: "tests", args: [...whole, ...flags] }];
  return { area, env, calls: values["without-tests"] ? [] : calls };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        "without-tests": { type: "boolean", default: false },
        /** A path below test/ and src/, e.g. jobs/matrix: its gates and tests alone. */
        area: { type: "string" },
        /** Every file by itself, one after the other: none may need what another leaves behind. */
        alone: { type: "boolean", default: false },
        /** In another order, of files and of the tests in them: 1, and vitest says its seed, or a seed. */
        shuffle: { type: "string" },
        /** With the clock of all processes at this instant when the tests begin, e.g. 2028-02-28T23:59:50Z. */
        faketime: { type: "string" },
      },
      allowPositionals: true,
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
