// What every pipeline with a site does alike: plain data as JSON, texts as files, assets by how long they may be cached, and
// nothing to publish where nothing could be done.

import type { ScopeOutcome, TreeFile } from "../engine/step.ts";
import { HdashError } from "../error.ts";
import type { PageFile } from "../page.ts";

/** Gives an interface's plain data the type that JSON has: a mapped type, which TypeScript takes for an index of keys. */
export function asJson<T extends object>(value: T): { readonly [K in keyof T]: T[K] } {
  return value;
}

/** Makes a file of a text. */
export function textFile({ path, contentType, text }: PageFile): TreeFile {
  return { path, contentType, bytes: new TextEncoder().encode(text) };
}

/** Parts assets whose names carry a content hash from those that scripts and styles refer to by name. */
export function splitAssets(files: readonly TreeFile[]) {
  const isHashed = ({ path }: TreeFile) => /\.[0-9a-f]{8}\.\w+$/.test(path);
  return { hashed: files.filter(isHashed), named: files.filter((one) => !isHashed(one)) };
}

/**
 * Throws permanent, beginning with `words`, where every scope failed: there is nothing to publish then, and the old site stays as it
 * is. No scopes at all are no failure.
 */
export function checkAnyDone(
  outcomes: ReadonlyMap<string, ScopeOutcome<unknown>>,
  words: string,
): void {
  const failures = [...outcomes].flatMap(([id, outcome]) =>
    outcome.ok ? [] : [`${id}: ${outcome.error}`],
  );
  if (failures.length === 0 || failures.length < outcomes.size) return;
  throw new HdashError("permanent", `${words}. ${failures[0] ?? ""}`);
}
