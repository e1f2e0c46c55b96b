// What a pipeline takes as settings: each a variable of its own, and a flag of its run.

import { makeValidator, type ValidatorSpec } from "envalid";

import { HdashError } from "../../error.ts";
import type { JobOption } from "../../job.ts";
import type { JobSettings } from "../../settings/jobSettings.ts";
import { optional, text } from "../../settings/rules.ts";
import { secret, type Variable, variable } from "../../settings/variables.ts";
import { parseValue, shapeText } from "./data/shapes.ts";
import { NOTHING_TOLD, type Told } from "./told.ts";
import { dataName, dataOf } from "./writing/data.ts";
import type { Kind, Shape } from "./writing/kinds.ts";
import type { DeclaredPipeline } from "./writing/pipeline.ts";

/** What a run of a pipeline was given: values, and paths where files belong. */
export interface AnalysisSettings {
  readonly values: Readonly<Record<string, unknown>>;
  /** Values of the secrets that steps declare, where they are set. */
  readonly secrets: Readonly<Record<string, string | null>>;
  /** Folder that results are copied to; null: nowhere. */
  readonly out: string | null;
  readonly told: Told;
}

/** Flags that every pipeline has: none can take something of that name. */
const RESERVED = [
  ...["out", "params", "only", "stub", "publish", "force", "wait", "help", "plan", "json"],
  ...["max-cost", "prices", "detach"],
];

/** "minCount" → "min-count". */
function flagOf(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll("_", "-");
}

/** The variable of what a pipeline takes, e.g. KMER_MIN_COUNT. */
function variableOf(pipeline: string, name: string): string {
  return `${pipeline}_${flagOf(name)}`.toUpperCase().replaceAll("-", "_");
}

/**
 * Settings of a pipeline. Throws usage where it takes something whose flag is one of hdash.
 * @param secrets names those that its steps declare. @param told what the command line says besides, once that is known.
 */
export function makeSettings(
  { name, takes }: DeclaredPipeline,
  secrets: readonly string[],
  told: () => Told = () => NOTHING_TOLD,
): JobSettings<AnalysisSettings> {
  const taken = Object.keys(takes).find((take) => RESERVED.includes(flagOf(take)));
  if (taken !== undefined) {
    throw new HdashError(
      "usage",
      `pipeline ${name} takes ${taken}, and --${flagOf(taken)} is a flag of every run`,
      { hint: "Call it otherwise." },
    );
  }
  const own = Object.entries<Kind<unknown, unknown, unknown, unknown>>(takes).map(
    ([take, kind]) => ({ take, kind, variable: variableOf(name, take) }),
  );
  const out = variableOf(name, "out");
  return {
    variables: [
      ...own.map(({ kind, variable: of }) => describe(name, of, kind)),
      variable(out, name, "(nowhere)", "results", "Folder that results are copied to"),
      ...secrets.map((of) => secret(of, name, "", "correct-horse", "A secret of its steps")),
    ],
    rules: {
      ...Object.fromEntries(
        own.map(({ kind, variable: of }) => [of, ruleOf(kind.shape)(optional)]),
      ),
      ...Object.fromEntries([out, ...secrets].map((of) => [of, text(optional)])),
    },
    isGiven: (names) => own.some(({ variable: of }) => names.includes(of)),
    read(values) {
      if (!values.isAsked) return null;
      const { params, flagged } = told();
      const found = own.map(({ take, kind, variable: of }) => {
        const isInFile = Object.hasOwn(params, take) && !flagged.includes(of);
        const held = isInFile ? { value: params[take] } : values.value<Held>(of);
        if (held !== null) return [take, held.value] as const;
        if (kind.fallback !== undefined) return [take, kind.fallback] as const;
        values.report(
          of,
          `is not given, and ${name} takes ${take}: ${kind.note ?? shapeText(kind.shape)}`,
          `--${flagOf(take)}`,
        );
        return [take, null] as const;
      });
      return {
        values: Object.fromEntries(found),
        secrets: Object.fromEntries(secrets.map((of) => [of, values.text(of)])),
        out: values.text(out),
        told: told(),
      };
    },
    // What it reads may lie in buckets; what it publishes goes to the site's.
    usesBuckets: ({ told: { isPublished } }) => !isPublished,
  };
}

/** A value that was read; it may be null itself. */
interface Held {
  readonly value: unknown;
}

/** A default as people write it; "" where there is none. */
function fallbackText(fallback: unknown): string {
  if (fallback === undefined || fallback === null) return "";
  const file = dataOf(fallback);
  if (file !== null) return dataName(file.url);
  return typeof fallback === "string" ? fallback : JSON.stringify(fallback);
}

function ruleOf(shape: Shape) {
  return makeValidator<Held>((input) => {
    const parsed = parseValue(shape, input);
    if (parsed.ok) return { value: parsed.value };
    throw new Error(`is ${JSON.stringify(input)}: it ${parsed.problem}`);
  }) as (spec: typeof optional) => ValidatorSpec<unknown>;
}

function describe(
  pipeline: string,
  name: string,
  { shape, fallback, note }: Kind<unknown, unknown, unknown, unknown>,
): Variable {
  const holds = fallbackText(fallback);
  return variable(name, pipeline, holds, exampleOf(shape), note ?? shapeText(shape));
}

function exampleOf(shape: Shape): string {
  switch (shape.kind) {
    case "text":
      return "word";
    case "integer":
      return "6";
    case "number":
      return "0.5";
    case "boolean":
      return "true";
    case "choice":
      return shape.values[0] ?? "";
    case "json":
      return "{}";
    case "file":
      return "data.txt";
    case "folder":
      return "data";
    case "table":
      return "sheet.csv";
    case "list":
      return `${exampleOf(shape.of)},${exampleOf(shape.of)}`;
    case "optional":
      return exampleOf(shape.of);
  }
}

/** Flags of a pipeline's run. */
export function optionsOf({ name, takes }: DeclaredPipeline): readonly JobOption[] {
  const own = Object.entries<Kind<unknown, unknown, unknown, unknown>>(takes);
  return [
    ...own.map(([take, { shape, note, fallback }]) => {
      const own = fallbackText(fallback);
      const holds = own === "" ? "" : `; default ${own}`;
      const option = {
        flags: `--${flagOf(take)} <${wordOf(shape)}>`,
        description: `${note ?? shapeText(shape)}${holds} (${variableOf(name, take)})`,
        variables: [variableOf(name, take)],
      };
      return shape.kind === "choice" ? { ...option, choices: shape.values } : option;
    }),
    {
      flags: "--out <dir>",
      description: `copy the results to this folder (${variableOf(name, "out")})`,
      variables: [variableOf(name, "out")],
    },
  ];
}

function wordOf(shape: Shape): string {
  switch (shape.kind) {
    case "optional":
      return wordOf(shape.of);
    case "list":
      return `${wordOf(shape.of)},…`;
    case "table":
      return "csv";
    case "boolean":
      return "true|false";
    case "text":
    case "integer":
    case "number":
    case "choice":
    case "json":
    case "file":
    case "folder":
      return shape.kind;
  }
}
