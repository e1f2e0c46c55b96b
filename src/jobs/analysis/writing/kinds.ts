// What a pipeline and its steps take and give: one vocabulary for ports, for values of a plan and for the command line.

import type { Handle } from "./handle.ts";
import type { GivenFile, GivenFolder, InputFile, InputFolder } from "./values.ts";

/** What a kind is, as data: checked at the plan's borders, and part of what a step's key says of its ports. */
export type Shape =
  | { readonly kind: "text" | "integer" | "number" | "boolean" | "json" }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  | {
      readonly kind: "file" | "folder";
      readonly path: string | null;
      /** Of what a step gives: its bytes may go when no step waits for them. */
      readonly temporary?: true;
    }
  | { readonly kind: "list" | "optional"; readonly of: Shape }
  | {
      readonly kind: "table";
      readonly columns: Readonly<Record<string, Shape>>;
      /** Column → what a cell is where nothing is written. */
      readonly fallbacks?: Readonly<Record<string, unknown>>;
    };

/**
 * A kind of value.
 * @typeParam Got what a step's function gets of it, and what `read` gives. @typeParam Arg what may stand for it in a plan, besides a handle.
 * @typeParam Given what a step's function returns for it. @typeParam Planned what a plan gets that takes it.
 */
export interface Kind<Got, Arg = Got, Given = Got, Planned = Got> {
  readonly shape: Shape;
  /** What it is where nobody says; undefined: it has to be said. */
  readonly fallback?: Planned;
  /** What people are told of it. */
  readonly note?: string;
  /** Carry the types only; never set. */
  readonly __types?: readonly [Got, Arg, Given, Planned];
}

type AnyKind = Kind<unknown, unknown, unknown, unknown>;
/** Ports by name. */
export type Kinds = Readonly<Record<string, AnyKind>>;

/** A kind whose bytes may go when no step waits for them: only a step gives such a thing. */
export type Temporary<K> = K & { readonly temporary: true };
/** Ports of which none is temporary: what is taken, and what a pipeline gives. */
export type LastingKinds = Readonly<Record<string, AnyKind & { readonly temporary?: never }>>;

export type GotOf<K> = K extends Kind<infer Got, infer _A, infer _G, infer _P> ? Got : never;
export type ArgOf<K> =
  K extends Kind<infer Got, infer Arg, infer _G, infer _P> ? Arg | Handle<Got> : never;
type GivenOf<K> = K extends Kind<infer _T, infer _A, infer Given, infer _P> ? Given : never;
type PlannedOf<K> = K extends Kind<infer _T, infer _A, infer _G, infer Planned> ? Planned : never;

/** Names of ports that may be left out. */
type Optional<K extends Kinds> = {
  [N in keyof K]: null extends GotOf<K[N]> ? N : never;
}[keyof K];

/** What a step's function gets. */
export type Gots<K extends Kinds> = { readonly [N in keyof K]: GotOf<K[N]> };
/** What it returns; what is optional may be missing. */
export type Givens<K extends Kinds> = {
  readonly [N in Exclude<keyof K, Optional<K>>]: GivenOf<K[N]>;
} & { readonly [N in Optional<K>]?: GivenOf<K[N]> };
/** What run() takes for a step's ports. */
export type Args<K extends Kinds> = {
  readonly [N in Exclude<keyof K, Optional<K>>]: ArgOf<K[N]>;
} & { readonly [N in Optional<K>]?: ArgOf<K[N]> };
/** What a plan gets. */
export type Planneds<K extends Kinds> = { readonly [N in keyof K]: PlannedOf<K[N]> };
/** What run() returns, and what a plan gives. */
export type Handles<K extends Kinds> = { readonly [N in keyof K]: Handle<GotOf<K[N]>> };

const plain = (kind: "text" | "integer" | "number" | "boolean" | "json", fallback: unknown) => ({
  shape: { kind },
  ...(fallback === undefined ? {} : { fallback }),
});

/** Text; `fallback` is what it is where nobody says. */
export function text(fallback?: string): Kind<string> {
  return plain("text", fallback) as Kind<string>;
}
/** A whole number that a double holds exactly. */
export function integer(fallback?: number): Kind<number> {
  return plain("integer", fallback) as Kind<number>;
}
/** A finite number. */
export function number(fallback?: number): Kind<number> {
  return plain("number", fallback) as Kind<number>;
}
export function boolean(fallback?: boolean): Kind<boolean> {
  return plain("boolean", fallback) as Kind<boolean>;
}
/** One of some words; the first is no default: `choice("a", "b")` has to be said. */
export function choice<const W extends readonly [string, ...string[]]>(
  ...values: W
): Kind<W[number]> {
  return { shape: { kind: "choice", values } };
}
/** Plain JSON. */
export function json<T>(fallback?: T): Kind<T> {
  return plain("json", fallback) as Kind<T>;
}

type FileKind = Kind<InputFile, InputFile, GivenFile, Handle<InputFile>>;
type FolderKind = Kind<InputFolder, never, GivenFolder, Handle<InputFolder>>;

/** What is said of a file or a folder that a step gives, and only other steps of its pipeline need. */
interface TemporaryOption {
  /** Its bytes go when the run has ended well, and are made again when a step needs them. Not part of a key. */
  readonly temporary: true;
}

/**
 * A file of any size.
 * @param what for a pipeline that takes it: what it is, for people. For a command: where the command writes it, or by which name it gets
 * it, relative to its folder (what it takes has its port's name otherwise).
 */
export function file(what: string | undefined, options: TemporaryOption): Temporary<FileKind>;
export function file(
  what?: string,
  options?: {
    /** For a pipeline that takes it: which file it is where nobody says, as data() gives it. */
    readonly default?: Handle<InputFile>;
  },
): FileKind;
export function file(
  what?: string,
  options: { readonly default?: Handle<InputFile>; readonly temporary?: true } = {},
): FileKind {
  const fallback = options.default;
  return {
    ...stored("file", what, options.temporary),
    ...(fallback === undefined ? {} : { fallback }),
  };
}

/** A folder with whatever is in it; `what` and `temporary` as of a file. */
export function folder(what: string | undefined, options: TemporaryOption): Temporary<FolderKind>;
export function folder(what?: string): FolderKind;
export function folder(what?: string, options?: TemporaryOption): FolderKind {
  return stored("folder", what, options?.temporary);
}

function stored(kind: "file" | "folder", what: string | undefined, temporary: true | undefined) {
  const mark = temporary === true ? { temporary } : {};
  return { shape: { kind, path: what ?? null, ...mark }, ...noted(what), ...mark };
}

function noted(note: string | undefined): { readonly note?: string } {
  return note === undefined ? {} : { note };
}

/**
 * Rows of named cells. On the command line it is a CSV with a header; its files lie where it says, seen from its own folder. A column's default
 * stands where a cell is empty, or the column is missing.
 */
export function table<const C extends Kinds>(
  columns: C,
): Kind<readonly Gots<C>[], readonly Args<C>[], readonly Givens<C>[], readonly Planneds<C>[]> {
  const shapes = Object.entries(columns).map(([name, { shape }]) => [name, shape] as const);
  const fallbacks = Object.entries(columns).flatMap(([name, { fallback }]) =>
    fallback === undefined || fallback === null ? [] : [[name, fallback] as const],
  );
  return {
    shape: {
      kind: "table",
      columns: Object.fromEntries(shapes),
      ...(fallbacks.length === 0 ? {} : { fallbacks: Object.fromEntries(fallbacks) }),
    },
  };
}

/** Several of a kind, in an order that counts. Of a command's files the name is a pattern: `*` stands for any part of a name. */
export function list<G, A, V, P>(
  of: Kind<G, A, V, P>,
): Kind<readonly G[], readonly (A | Handle<G>)[], readonly V[], readonly P[]> {
  return { shape: { kind: "list", of: of.shape } };
}

/** What may be missing; it is null then. */
export function optional<G, A, V, P>(
  of: Kind<G, A, V, P>,
): Kind<G | null, A | Handle<G> | null | undefined, V | null | undefined, P | null> {
  return { shape: { kind: "optional", of: of.shape }, fallback: null };
}
