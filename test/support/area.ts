// What belongs to an area of the code, named by its path below src/ and test/: which files are linted and which tests are run for it.

import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { TEST_FILES } from "./sharing.ts";

export interface Area {
  /** Files and folders to lint. */
  readonly places: readonly string[];
  /** Tests: those below its folder, and those elsewhere that import from it, as tests of whole runs do. */
  readonly tests: readonly string[];
}

/** Lists every test file. */
export function findTests(): readonly string[] {
  return globSync(TEST_FILES, { exclude: ["**/node_modules/**"] }).sort();
}

/** Finds an area, e.g. "jobs/matrix"; throws where there are no tests of it. */
export function findArea(path: string): Area {
  const folder = join("test", path);
  const importsIt = new RegExp(`from "(?:\\.\\./)+src/${path}(?:/|\\.ts")`);
  const tests = findTests().filter(
    (file) => file.startsWith(`${folder}/`) || importsIt.test(readFileSync(file, "utf8")),
  );
  if (tests.length === 0) throw new Error(`AREA=${path}: there are no tests below ${folder}`);
  const outside = tests.filter((file) => !file.startsWith(`${folder}/`));
  const folders = [join("src", path), folder].filter((place) => existsSync(place));
  return { places: [...folders, ...outside], tests };
}
