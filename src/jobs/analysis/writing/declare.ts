/// <reference types="node" preserve="true" />
// How a user declares steps: a function, a program of the machine, a program of an image. What these types say of signals is Node's, also
// to a compiler that was not told of Node.

import type { Args, Givens, Gots, Handles, Kind, Kinds, LastingKinds } from "./kinds.ts";
import type { Script, StagedPath } from "./script.ts";
import type { InputFile, InputFolder } from "./values.ts";

/** What a step needs of a machine while it works. Never part of its key. */
export interface Resources {
  readonly cpus?: number;
  readonly memoryMiB?: number;
  readonly diskMiB?: number;
  /** After so long an attempt is ended, and has failed. */
  readonly minutes?: number;
}

/** What is said of a step, however it works. */
interface Said<T extends Kinds, G extends Kinds> {
  /** Names the step; part of its key. */
  readonly name: string;
  readonly takes: T;
  readonly gives: G;
  /** For people; not part of the key. */
  readonly description?: string;
  /** Part of the key, for who wants to have everything done again; default 1. */
  readonly version?: number;
  /** Files and folders that belong to the code, relative to the module; their content is part of the key. */
  readonly uses?: readonly string[];
  /** "run": done once in every run, whatever is known. */
  readonly cache?: "run";
  readonly resources?: Resources | ((of: { readonly attempt: number }) => Resources);
  /** How often it is tried in a run; default 1. A lost machine does not count. */
  readonly attempts?: number;
  /** Names of environment variables that it gets; their values are in no key, log, page or export. */
  readonly secrets?: readonly string[];
}

/** What a step's function may use besides its values. */
export interface StepTools {
  /** Aborts when the run is told to stop. */
  readonly signal: AbortSignal;
  /** The how manieth attempt this is, from 1. */
  readonly attempt: number;
  readonly resources: Resources;
  /** The step's own folder, made when first asked for, and removed when it ends. */
  workDir(): Promise<string>;
  /** A new file of the work folder by that name, with its content; what a port takes. */
  write(name: string, content: string | Uint8Array): Promise<{ readonly path: string }>;
  /** Keeps a line for those who follow the work or ask why it failed. Never a secret. */
  log(line: string): void;
  /** How far it is. */
  progress(done: number, total: number | null): void;
  /** The value of one of the declared secrets. */
  secret(name: string): string;
}

export interface FunctionStep<T extends Kinds, G extends Kinds> extends Said<T, G> {
  run(values: Gots<T>, tools: StepTools): Promise<Givens<G>> | Givens<G>;
  /** What `--stub` calls instead: something of the same kinds, in a second. */
  stub?(values: Gots<T>, tools: StepTools): Promise<Givens<G>> | Givens<G>;
}

/** Kinds that a program can give: what lies on a disk when it has ended. */
type OnDisk =
  | Kind<InputFile, never, unknown, unknown>
  | Kind<InputFolder, never, unknown, unknown>
  | Kind<readonly InputFile[], unknown, unknown, unknown>
  | Kind<InputFile | null, unknown, unknown, unknown>
  | Kind<InputFolder | null, unknown, unknown, unknown>;
type Written = Readonly<Record<string, OnDisk>>;

/** What a command line is made of: values as they are, files and folders as where they lie. */
type StagedOf<Got> = Got extends InputFile | InputFolder
  ? StagedPath
  : Got extends readonly (infer One)[]
    ? readonly StagedOf<One>[]
    : Got extends object
      ? { readonly [N in keyof Got]: StagedOf<Got[N]> }
      : Got;
type Staged<T extends Kinds> = {
  readonly [N in keyof T]: T[N] extends Kind<infer Got, infer _A, infer _G, infer _P>
    ? StagedOf<Got>
    : never;
};

interface Program<T extends Kinds, G extends Written> extends Said<T, G> {
  /** Makes the command line. */
  run?(values: Staged<T>): Script;
  /** The program and its words, without a shell. */
  argv?(values: Staged<T>): readonly (string | number | StagedPath)[];
  /** What `--stub` runs instead, in a second. */
  stub?(values: Staged<T>): Script;
  /** Variables that the program gets besides PATH, HOME, TMPDIR, LC_ALL, TZ and HDASH_…; part of the key. */
  readonly env?: Readonly<Record<string, string>>;
  /** True where it may use the network; part of the key. */
  readonly network?: boolean;
}

export interface CommandStep<T extends Kinds, G extends Written> extends Program<T, G> {
  /** What it is told on standard input is nothing. */
  readonly by?: "command";
}

export interface ContainerStep<T extends Kinds, G extends Written> extends Program<T, G> {
  /** A name with a tag or a digest. */
  readonly image: string;
}

/** A step that was declared. */
export interface DeclaredStep<T extends Kinds = Kinds, G extends Kinds = Kinds> {
  readonly kind: "function" | "command" | "container" | "source";
  readonly name: string;
  readonly takes: T;
  readonly gives: G;
  /** Types only. */
  readonly __args?: (args: Args<T>) => Handles<G>;
}

/** All that was declared in this process: what a pipeline's steps need is known once its modules are loaded. */
const DECLARED: DeclaredStep[] = [];

/** Steps that were declared, exported or not. */
export function declaredSteps(): readonly DeclaredStep[] {
  return DECLARED;
}

function declared<T extends Kinds, G extends Kinds>(one: DeclaredStep<T, G>): DeclaredStep<T, G> {
  DECLARED.push(one as unknown as DeclaredStep);
  return one;
}

/** Declares a step that is a function. Throws nothing: what is wrong with it is told when the pipeline is opened, with its place. */
export function step<const T extends LastingKinds, const G extends Kinds>(
  declaration: FunctionStep<T, G>,
): DeclaredStep<T, G> {
  return declared({ kind: "function", ...declaration });
}

/** Declares a step that is a program of this machine. */
export function command<const T extends LastingKinds, const G extends Written>(
  declaration: CommandStep<T, G>,
): DeclaredStep<T, G> {
  return declared({ kind: "command", ...declaration });
}

/** Declares a step that is a program of an image. */
export function container<const T extends LastingKinds, const G extends Written>(
  declaration: ContainerStep<T, G>,
): DeclaredStep<T, G> {
  return declared({ kind: "container", ...declaration });
}

/** What is said of a step that reads the world. */
export interface SourceStep<T extends Kinds, G extends Kinds> extends FunctionStep<T, G> {
  /** Says cheaply what the world is like: where it is as it was, nothing is read. Plain JSON, part of the key. */
  pin(values: Gots<T>, tools: Pick<StepTools, "signal">): Promise<unknown>;
}

/** Declares a step that reads the world: its `pin` is asked in every run, its `run` where that has changed. */
export function source<const T extends LastingKinds, const G extends Kinds>(
  declaration: SourceStep<T, G>,
): DeclaredStep<T, G> {
  return declared({ kind: "source", ...declaration });
}
