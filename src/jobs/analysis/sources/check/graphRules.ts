// What is wrong with steps and a pipeline as they were declared, without any data: names, ports, files that are used, images.

import { isAbsolute, join, normalize } from "node:path";

import { HdashError, messageOf } from "../../../../error.ts";
import { shapeText } from "../../data/shapes.ts";
import type { Declared } from "../../opened.ts";
import { optionsOf } from "../../settings.ts";
import { portsOf } from "../../steps.ts";
import { makeOwnFlags } from "../../told.ts";
import type { Kinds, Shape } from "../../writing/kinds.ts";
import type { DeclaredPipeline } from "../../writing/pipeline.ts";

/** What is wrong, and with which field of the declaration. */
export interface Wrong {
  readonly severity: "error" | "note";
  readonly rule: "graph" | "image";
  /** Null: with the declaration as a whole. */
  readonly field: string | null;
  readonly says: string;
  readonly advice: string;
}

const wrong = (field: string | null, says: string, advice: string): Wrong => ({
  ...{ severity: "error", rule: "graph", field, says, advice },
});

/** Says what is wrong with a step by itself. */
export function stepProblems(step: Declared): readonly Wrong[] {
  const { kind, name, takes, gives } = step;
  const isProgram = kind === "command" || kind === "container";
  const subject = `step ${JSON.stringify(name)}`;
  return [
    ...nameProblems(name),
    ...bodyProblems(step, subject),
    ...portProblems(gives, subject),
    ...(isProgram ? programPorts(gives, subject) : []),
    ...(isProgram ? placeProblems(takes, gives, subject) : []),
    ...(kind === "container" ? imageProblems(step, subject) : []),
  ];
}

function nameProblems(name: unknown): readonly Wrong[] {
  const isName =
    typeof name === "string" && name !== "" && name.trim() === name && !/\p{Cc}/u.test(name);
  if (isName) return [];
  const says = `a step is called ${JSON.stringify(name) ?? "nothing"}: a name is a text of one line that neither begins nor ends with a space`;
  return [wrong("name", says, "Name the step: it is known by that.")];
}

function bodyProblems({ kind, run, argv, pin }: Declared, subject: string): readonly Wrong[] {
  if (kind === "source" && typeof pin !== "function") {
    return [wrong("pin", `${subject} has no pin`, "Say in pin what the world is like.")];
  }
  if (typeof run === "function" || (isProgramKind(kind) && typeof argv === "function")) {
    if (typeof run !== "function" || typeof argv !== "function") return [];
    const says = `${subject} has both run and argv: argv is what counts`;
    return [wrong("argv", says, "Take one of them away.")];
  }
  return [
    isProgramKind(kind)
      ? wrong(null, `${subject} has neither run nor argv`, "Give it run: ({ … }) => sh`…`.")
      : wrong(null, `${subject} has no run`, "Give it run: a function that gives its ports."),
  ];
}

function isProgramKind(kind: Declared["kind"]): boolean {
  return kind === "command" || kind === "container";
}

function portProblems(gives: Kinds, subject: string): readonly Wrong[] {
  try {
    portsOf(gives);
    return [];
  } catch (error) {
    if (!(error instanceof HdashError)) throw error;
    return [
      wrong("gives", `${subject}: ${messageOf(error)}`, "Give its files by ports of their own."),
    ];
  }
}

/** What a program cannot leave behind. */
function programPorts(gives: Kinds, subject: string): readonly Wrong[] {
  return Object.entries(gives).flatMap(([port, { shape }]) => {
    const of = shape.kind === "list" || shape.kind === "optional" ? shape.of : shape;
    if (of.kind === "file" || of.kind === "folder") return [];
    const says = `${subject} gives ${port}, ${shapeText(shape)}: a program gives files and folders`;
    return [wrong("gives", says, "Have it write a file, and read that in a step() behind it.")];
  });
}

/** Where files lie for a program, by port. */
function placesOf(kinds: Kinds): readonly (readonly [port: string, path: string])[] {
  const pathOf = (shape: Shape): string | null => {
    if (shape.kind === "file" || shape.kind === "folder") return shape.path;
    return shape.kind === "optional" || shape.kind === "list" ? pathOf(shape.of) : null;
  };
  return Object.entries(kinds).map(([port, { shape }]) => [port, pathOf(shape) ?? port]);
}

function placeProblems(takes: Kinds, gives: Kinds, subject: string): readonly Wrong[] {
  const outside = (field: "takes" | "gives", kinds: Kinds): readonly Wrong[] =>
    placesOf(kinds).flatMap(([port, path]) => {
      if (!isAbsolute(path) && !normalize(path).startsWith("..")) return [];
      const says = `${subject} ${field} ${port} as ${JSON.stringify(path)}, which lies outside of its folder`;
      return [wrong(field, says, "Name a path within the folder that the program starts in.")];
    });
  const taken = new Map<string, string>();
  const twice = placesOf(takes).flatMap(([port, path]) => {
    const own = join(".", path);
    const before = taken.get(own);
    taken.set(own, port);
    if (before === undefined) return [];
    const says = `${subject} takes ${before} and ${port} by one name, ${JSON.stringify(path)}`;
    return [wrong("takes", says, "Give each a name of its own.")];
  });
  return [...outside("takes", takes), ...outside("gives", gives), ...twice];
}

function imageProblems({ image }: Declared, subject: string): readonly Wrong[] {
  const note = (says: string, advice: string): Wrong => ({
    ...{ severity: "note", rule: "image", field: "image", says, advice },
  });
  const runs = note(
    `${subject} runs in an image, which this hdash cannot do yet`,
    "Declare it, check it, and run it with a later version.",
  );
  if (typeof image !== "string" || image === "") {
    return [wrong("image", `${subject} has no image`, "Name one: image: NAME@sha256:…"), runs];
  }
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return [runs];
  const says = `${subject} names its image by ${image}: what stands under that name may change`;
  return [note(says, "Name it by its digest: NAME@sha256:…"), runs];
}

/** Flags that every run has. */
const OF_RUNS = ["force", "wait", "help", "version", "debug", "env-file", "log-format"];

/** Says what is wrong with what a pipeline takes: every value needs a flag of its own. */
export function pipelineProblems(pipeline: DeclaredPipeline): readonly Wrong[] {
  const names = Object.keys(pipeline.takes);
  const options = optionsOf(pipeline).map(({ flags }) => longOf(flags));
  const own = makeOwnFlags(pipeline).ownFlags.flags.map(({ flags }) => longOf(flags));
  const runs = [...OF_RUNS, ...own, ...options.slice(names.length)];
  const known = new Map(runs.map((flag) => [flag, "every run has"]));
  return names.flatMap((name, at) => {
    const flag = options[at] ?? "";
    const before = known.get(flag);
    known.set(flag, `${name} has, too`);
    if (before === undefined) return [];
    const says = `the pipeline takes ${name}, whose flag would be --${flag}, which ${before}`;
    return [wrong("takes", says, "Call it otherwise.")];
  });
}

/** "--min-count <integer>" → "min-count". */
function longOf(flags: string): string {
  return /^--([^ ]+)/.exec(flags)?.[1] ?? flags;
}
