// Which test files may share a process: those that touch nothing a process has only once. All others get one of their own.
// It is read from what they import, so that nobody keeps a list: a file that begins to touch such a thing moves by itself.

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");

/** Where vitest looks for tests. */
export const TEST_FILES = ["test/**/*.test.ts", "infra/test/**/*.test.ts"];

/** What a test must not do in a process that is not its own: change the environment, signals, user or clock; ask for the run's Postgres, whose connections would pile up. */
const IN_TESTS = [
  /\bprocess\s*\.\s*(?!(?:platform|version|versions|arch|pid|execPath|hrtime|memoryUsage|cwd|kill)\b)\w/,
  /\bvi\s*\.|\binject\s*\(|\bglobalThis\b/,
];
/** What cannot be shared wherever it is imported: a library in C that reads the environment when it starts, programs whose memory never shrinks, and threads, for whose memory the thread of the tests waits. */
const ANYWHERE =
  /\b(?:from|import)\s*\(?\s*["'](?:node:worker_threads|(?:sharp|h5wasm|scran\.js|playwright-core|@electric-sql\/pglite)(?:\/[^"']*)?)["']/;

/** Lists every test file, as paths below `root`. */
export function findTests(root: string): readonly string[] {
  return globSync(TEST_FILES, { cwd: root, exclude: ["**/node_modules/**"] }).sort();
}

/** Finds the test files that may share a process, as paths below `root`. */
export function findSharing(root: string = ROOT): readonly string[] {
  const known = new Map<string, { readonly isOwn: boolean; readonly imports: readonly string[] }>();
  const look = (path: string) => {
    const text = withoutNotes(readFileSync(path, "utf8"));
    const isTest = relative(root, path).split("/").includes("test");
    const patterns = isTest ? [...IN_TESTS, ANYWHERE] : [ANYWHERE];
    const found = {
      isOwn: patterns.some((pattern) => pattern.test(text)),
      // What is imported when it is first needed is not followed: tests of whole programs start processes anyway.
      imports: [...text.matchAll(/\bfrom\s*["'](\.{1,2}\/[^"']+\.ts)["']/g)]
        .map(([, specifier = ""]) => join(dirname(path), specifier))
        .filter((file) => existsSync(file)),
    };
    known.set(path, found);
    return found;
  };
  const needsOwn = (path: string, seen: Set<string>): boolean => {
    if (seen.has(path)) return false;
    seen.add(path);
    const { isOwn, imports } = known.get(path) ?? look(path);
    return isOwn || imports.some((file) => needsOwn(file, seen));
  };
  return findTests(root).filter((path) => !needsOwn(join(root, path), new Set()));
}

/** Takes out what does not run: comments of whole lines, and imports of types. */
function withoutNotes(text: string): string {
  return text.replace(/^\s*\/\/.*$/gm, "").replace(/^(?:import|export) type [^;]*;/gm, "");
}
