// Values of what a pipeline takes, as a file of parameters has them: JSON, in which files, folders and tables are paths.

import { resolve } from "node:path";

import type { Kinds, Shape } from "../writing/kinds.ts";
import { inFull, valueProblem } from "./shapes.ts";

/** What came of reading: values by take, or what is wrong, each in words that name it. */
export type Params =
  | { readonly ok: true; readonly values: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Checks parameters against what a pipeline takes.
 * @param base the folder that paths are seen from.
 */
export function checkParams(takes: Kinds, given: unknown, base: string): Params {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { ok: false, problems: ["is no object of values by name"] };
  }
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const shape = Object.hasOwn(takes, name) ? takes[name]?.shape : undefined;
    if (shape === undefined) {
      problems.push(`has ${JSON.stringify(name)}, which the pipeline does not take`);
      continue;
    }
    const full = inFull(shape, value);
    const problem = valueProblem(shape, full, name, isPlace);
    if (problem !== null) problems.push(`is wrong: ${problem}`);
    values[name] = fromBase(shape, full, base);
  }
  return problems.length === 0 ? { ok: true, values } : { ok: false, problems };
}

/** What lies in a bucket is seen from everywhere. */
const ADDRESS = /^s3:\/\//i;

/** A path, where there may be one. */
function isPlace(value: unknown, { kind }: Shape): boolean {
  return typeof value === "string" && value !== "" && ["file", "folder", "table"].includes(kind);
}

/** Makes paths whole; what a table's file has in it is seen from that file. */
function fromBase(shape: Shape, value: unknown, base: string): unknown {
  if (isPlace(value, shape)) {
    return ADDRESS.test(value as string) ? value : resolve(base, value as string);
  }
  if (!Array.isArray(value) && shape.kind !== "optional") return value;
  switch (shape.kind) {
    case "optional":
      return fromBase(shape.of, value, base);
    case "list":
      return (value as readonly unknown[]).map((one) => fromBase(shape.of, one, base));
    case "table":
      return (value as readonly Readonly<Record<string, unknown>>[]).map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, cell]) => {
            const column = shape.columns[name];
            return [name, column === undefined ? cell : fromBase(column, cell, base)];
          }),
        ),
      );
    case "text":
    case "integer":
    case "number":
    case "boolean":
    case "choice":
    case "json":
    case "file":
    case "folder":
      return value;
  }
}
