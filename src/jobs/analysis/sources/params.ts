// A file of parameters, or standard input in its place.

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { text } from "node:stream/consumers";

import { codeOf, HdashError, messageOf } from "../../../error.ts";
import { meant } from "../../../settings/nearest.ts";
import { checkParams } from "../data/params.ts";
import type { DeclaredPipeline } from "../writing/pipeline.ts";

/** Reads values of what a pipeline takes. Throws usage that names the file and everything that is wrong with it. */
export async function readParams(
  { takes }: DeclaredPipeline,
  path: string,
): Promise<Readonly<Record<string, unknown>>> {
  const refuse = (what: string, rest: { cause?: unknown; hint?: string } = {}): never => {
    throw new HdashError("usage", `--params (${path}) ${what}`, rest);
  };
  const isInput = path === "-";
  const own = await (isInput ? text(process.stdin) : readFile(path, "utf8")).catch(
    (error: unknown) => {
      const code = codeOf(error);
      return refuse(code === "ENOENT" ? "is not there" : `cannot be read (${code ?? "?"})`);
    },
  );
  let given: unknown;
  try {
    given = JSON.parse(own.replace(/^\uFEFF/, ""));
  } catch (error) {
    return refuse(`is no JSON: ${messageOf(error)}`, { cause: error });
  }
  const base = isInput ? process.cwd() : dirname(resolve(path));
  const params = checkParams(takes, given, base);
  if (params.ok) return params.values;
  const [first = ""] = params.problems;
  const strange = /^has "(.*)", which/.exec(first)?.[1];
  const hint = strange === undefined ? {} : { hint: meant(strange, Object.keys(takes)) };
  return refuse(params.problems.join("; it "), hint);
}
