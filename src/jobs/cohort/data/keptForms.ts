// The forms of what is kept of a namespace, as far as whatever reads it depends on them: another program, a newer hdash or a slip of the
// hand may have put something else there.

import type { Catalog } from "./catalog.ts";
import type { Current } from "./current.ts";

type Fields = Readonly<Record<string, unknown>>;
type Is = (value: unknown) => boolean;

const isText: Is = (value) => typeof value === "string";
const isNumber: Is = (value) => typeof value === "number";
const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isList =
  (is: Is): Is =>
  (value) =>
    Array.isArray(value) && value.every(is);
const isOrNull =
  (is: Is): Is =>
  (value) =>
    value === null || is(value);
/** An object that has these fields, and perhaps others. */
const has =
  (fields: Readonly<Record<string, Is>>): Is =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([name, is]) => is(value[name]));
const isRecord =
  (is: Is): Is =>
  (value) =>
    isObject(value) && Object.values(value).every(is);

const isFile = has({ key: isText, bytes: isNumber, sha256: isText });
const isMember = has({ name: isText, status: isText, written: isNumber, quarantined: isObject });
const isReport = has({
  ...{ schema: isText, cohort: isText, export: isText, outcome: isText },
  findings: isList(has({ code: isText })),
  members: isList(isMember),
  ignored: isList(isText),
  staged: isList(has({ type: isText, tables: isList(has({ object: isFile })) })),
  quarantine: isOrNull(isFile),
});
const isEntry = has({ bytes: isNumber, etag: isText, report: isReport });
const isDataset = has({
  ...{ name: isText, rows: isNumber, columns: isList(has({ name: isText, type: isText })) },
  files: isList(isFile),
});
const isBuilt = has({ ...{ inputs: isText, build: isText }, datasets: isList(isText) });

/** Tells whether a value is a catalog of the version that this hdash writes. */
export function isCatalog(value: unknown): value is Catalog {
  return has({ version: (version) => version === 1, exports: isList(isEntry) })(value);
}

/** Tells whether a value is what current.json holds. */
export function isCurrent(value: unknown): value is Current {
  return has({
    ...{ schema: isNumber, build: isText, prefix: isText, dropped: isList(isText) },
    ...{ datasets: isList(isDataset), types: isRecord(isBuilt) },
    ...{ stale: isList(isText), failed: isList(isText), segments: isOrNull(isFile) },
    kept: isList(has({ build: isText, files: isList(isText) })),
  })(value);
}
