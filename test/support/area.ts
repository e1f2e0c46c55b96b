// What belongs to an area of the code, named by its path below src/ and test/: which files are linted and which tests are run for it.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { findTests } from "./sharing.ts";

export interface Area {
  /** Files and folders to lint. */
  readonly places: readonly string[];
  /** Tests: those below its folder, and those elsewhere that import from it, as tests of whole runs do. */
  readonly tests: readonly string[];
}

/** Finds an area, e.g. "jobs/matrix", below `root`, or says in one line why there is none. */
export function findArea(name: string, root = "."): Area | string {
  const all = findTests(root);
  const folder = join("test", name).replace(/\/$/, "");
  const area = folder.slice("test/".length);
  const importsIt = new RegExp(`from "(?:\\.\\./)+src/${area}(?:/|\\.ts")`);
  const isBelow = (file: string): boolean => file.startsWith(`${folder}/`);
  if (!all.some(isBelow) || area === "") {
    const areas = new Set(all.filter((file) => /^test\/.*\//.test(file)).map(areaOf));
    return `AREA is ${name}, but there are no tests below ${folder}; there are ${[...areas].join(", ")}`;
  }
  const tests = all.filter(
    (file) => isBelow(file) || importsIt.test(readFileSync(join(root, file), "utf8")),
  );
  const folders = [join("src", area), folder].filter((place) => existsSync(join(root, place)));
  return { places: [...folders, ...tests.filter((file) => !isBelow(file))], tests };
}

/** The area that a message offers for a test: a job, or a room. */
function areaOf(file: string): string {
  const [, room = "", job = ""] = dirname(file).split("/");
  return room === "jobs" && job !== "" ? `jobs/${job}` : room;
}
