// A user's module, loaded: `import … from "hdash"` in it is this very hdash, wherever the module lies.

import { stat } from "node:fs/promises";
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { codeOf, HdashError, messageOf } from "../../../error.ts";
import type { DeclaredPipeline } from "../writing/pipeline.ts";

/** As this file is, so is the other: TypeScript in a checkout, JavaScript in a package. */
const INDEX = new URL(
  `../../../index.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`,
  import.meta.url,
);

let isHooked = false;

/** Has "hdash" lead here, for all modules that are loaded from now on. */
function hook(): void {
  if (isHooked) return;
  isHooked = true;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "hdash" ? { url: INDEX.href, shortCircuit: true } : next(specifier, context),
  });
}

/** Loads a module of the user's. Throws usage that names the file where it cannot be. */
export async function loadModule(path: string): Promise<Readonly<Record<string, unknown>>> {
  hook();
  const file = resolve(path);
  const found = await stat(file).catch((error: unknown) => {
    const why = codeOf(error) === "ENOENT" ? "" : `: it cannot be read (${codeOf(error) ?? "?"})`;
    throw new HdashError("usage", `there is no pipeline ${path}${why}`);
  });
  if (!found.isFile()) throw new HdashError("usage", `${path} is no file, and so no pipeline`);
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw new HdashError(
      "usage",
      `${path} cannot be loaded: ${placeOf(error, file)}${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** The line of the user's own file in which something went wrong, where the error's stack names it. */
function placeOf(error: unknown, file: string): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const url = pathToFileURL(file).href;
  const line = stack
    .split("\n")
    .flatMap((one) => {
      const found = /(file:\/\/\S+?|\/\S+?):(\d+)(?::\d+)?\)?$/.exec(one.trim());
      return found === null ? [] : [{ at: found[1] ?? "", line: found[2] ?? "" }];
    })
    .find(({ at }) => at === url || at === file || at === fileURLToPath(url));
  return line === undefined ? "" : `line ${line.line}: `;
}

/** Takes the pipeline of a module. Throws usage where there is none, or what there is is none. */
export function pipelineOf(
  module: Readonly<Record<string, unknown>>,
  path: string,
  names: readonly string[],
): DeclaredPipeline {
  const found = module["default"] as DeclaredPipeline | undefined;
  if (typeof found !== "object" || found === null || found.kind !== "pipeline") {
    throw new HdashError(
      "usage",
      `${path} has no pipeline: its default export is what pipeline({ … }) gives`,
    );
  }
  if (typeof found.name !== "string" || !/^[a-z][a-z0-9-]{0,62}$/.test(found.name)) {
    throw new HdashError(
      "usage",
      `${path}: the pipeline's name is ${JSON.stringify(found.name)}, and should be lower-case letters, digits and hyphens`,
    );
  }
  if (names.includes(found.name)) {
    throw new HdashError(
      "usage",
      `${path}: the pipeline's name is ${found.name}, which is a job of hdash itself`,
    );
  }
  return found;
}
