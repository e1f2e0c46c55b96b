// From what a run of a user's pipeline can be begun again: kept with the run, and made settings of.

import type { Json } from "../../digest.ts";
import { HdashError } from "../../error.ts";
import type { RunToOpen } from "../../job.ts";
import type { JobSettings } from "../../settings/jobSettings.ts";
import { optional, text } from "../../settings/rules.ts";
import { secret } from "../../settings/variables.ts";
import { hasFiles, valueProblem } from "./data/shapes.ts";
import type { AnalysisSettings } from "./settings.ts";
import { NOTHING_TOLD } from "./told.ts";
import type { Kind } from "./writing/kinds.ts";
import type { DeclaredPipeline } from "./writing/pipeline.ts";

/** Where a run came from. */
export interface Origin {
  /** Absolute path of the pipeline's module. */
  readonly file: string;
  /** The folder from which paths among its values are seen. */
  readonly cwd: string;
  /** The folder that its results were to be copied to; null: none. */
  readonly out: string | null;
  readonly isStub: boolean;
  /** True where pages of it were to be put on the site. */
  readonly isPublished: boolean;
  /** Results that were to be made; null: all. */
  readonly only: readonly string[] | null;
}

/** Writes it down. */
export function originOf({ file, cwd, out, isStub, isPublished, only }: Origin): Json {
  return {
    ...{ file, cwd },
    ...(out === null ? {} : { out }),
    ...(isStub ? { isStub } : {}),
    ...(isPublished ? { isPublished } : {}),
    ...(only === null ? {} : { only }),
  };
}

/** Reads what was written down. Throws usage where that is none. */
export function readOrigin({ id, origin }: Pick<RunToOpen, "id" | "origin">): Origin {
  const fields: Readonly<Record<string, unknown>> =
    typeof origin === "object" && origin !== null ? { ...origin } : {};
  const { file, cwd, out, isStub, isPublished, only } = fields;
  if (typeof file === "string" && typeof cwd === "string") {
    return {
      ...{ file, cwd, isStub: isStub === true, isPublished: isPublished === true },
      out: typeof out === "string" ? out : null,
      only: Array.isArray(only) ? only.map(String) : null,
    };
  }
  throw new HdashError("usage", `run ${id} does not say which file its pipeline came from`, {
    hint: "Run the pipeline again: what the run has done is found.",
  });
}

/**
 * Settings of a run that is begun again: its values are those that it was given, and only secrets are read from the environment. Throws usage
 * where the pipeline takes something else now.
 */
export function makeKeptSettings(
  { name, takes }: DeclaredPipeline,
  secrets: readonly string[],
  { id, params }: Pick<RunToOpen, "id" | "params">,
  { out, isStub, isPublished, only }: Omit<Origin, "file" | "cwd">,
): JobSettings<AnalysisSettings> {
  // The results that were asked for stand beside the values: nothing that a pipeline takes is called so.
  const { only: _only, ...values }: Readonly<Record<string, unknown>> =
    typeof params === "object" && params !== null ? { ...params } : {};
  const own = Object.entries<Kind<unknown, unknown, unknown, unknown>>(takes);
  const problems = [
    ...own.flatMap(([take, { shape }]) => {
      if (!Object.hasOwn(values, take))
        return [`it takes ${take} now, which the run was not given`];
      // Paths are looked at when they are read.
      const isRead = shape.kind === "table" || hasFiles(shape);
      const problem = isRead ? null : valueProblem(shape, values[take], take);
      return problem === null ? [] : [problem];
    }),
    ...Object.keys(values)
      .filter((given) => !Object.hasOwn(takes, given))
      .map((given) => `it takes no ${given} any more`),
  ];
  if (problems.length > 0) {
    throw new HdashError("usage", `${name} is not what run ${id} was of: ${problems.join("; ")}`, {
      hint: "Run the pipeline again with what it takes now: what is the same is found.",
    });
  }
  return {
    variables: secrets.map((of) => secret(of, name, "", "correct-horse", "A secret of its steps")),
    rules: Object.fromEntries(secrets.map((of) => [of, text(optional)])),
    isGiven: () => false,
    read: (read) =>
      read.isAsked
        ? {
            ...{ values, out, told: { ...NOTHING_TOLD, isStub, isPublished, only } },
            secrets: Object.fromEntries(secrets.map((of) => [of, read.text(of)])),
          }
        : null,
  };
}
