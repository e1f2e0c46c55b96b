// What a pipeline is made of: steps with typed ports, and the plan that says which steps to do.

import type { Digest, Json } from "../digest.ts";
import type { Finding, FindingDelta } from "../finding.ts";
import type { Place } from "../publish/site.ts";
import type { RunNews, RunRecord } from "../run.ts";
import type { StoredBlob } from "../store/blobs.ts";
import type { KnownFinding } from "../store/facts.ts";
import type { LastDone, ScopeVersion } from "../store/scopes.ts";
import type {
  BlobFile,
  FolderFile,
  LocalContent,
  LocalFolder,
  StoredFile,
  StoredFolder,
  TreeFile,
  WrittenFile,
  WrittenPath,
} from "./files.ts";
import type { Doing } from "./progress.ts";
import type { FailedAttempt, Resources, WorkReport } from "./resources.ts";

// What a running step says of how far it is.
export type { Doing };
// What an attempt is given, and how it ended.
export type { FailedAttempt, Resources, WorkReport };
// Files and folders as ports have them.
export type {
  BlobFile,
  FolderFile,
  LocalFolder,
  StoredFile,
  StoredFolder,
  TreeFile,
  WrittenFile,
  WrittenPath,
};
// Kept by the ledger, part of what a plan may ask for.
export type { FindingDelta, KnownFinding, RunRecord, ScopeVersion };
// Where a plan publishes to; made where the pipeline is bound to the world.
export type { Place };

/** Who may see what comes out of a port. Only public ports can reach the published site. */
export type Visibility = "public" | "private";

/**
 * How a port's value is stored. `json` and `text` values are encoded in memory; a `file` is written by the step into its
 * work folder (the output value is `{ path }`) and read back as a BlobFile; a `tree` is a set of small files, each a blob of its own; `files`
 * are stored as a tree is, but are of any size: paths on their way out of a step, BlobFiles on their way into one; a `folder` is all that
 * lies below a path (the output value is `{ path }`), with executable bits and empty folders, and is read back as a StoredFolder; `folders`
 * are several of those, in an order that counts.
 */
export type Codec = "json" | "text" | "file" | "tree" | "files" | "folder" | "folders";

/** A typed output of a step. `In` is what run() returns for it, `Out` what a step that takes it as input receives. */
export interface Port<In, Out, V extends Visibility = Visibility> {
  readonly codec: Codec;
  readonly visibility: V;
  /** Its bytes may go when no step waits for them, and are made again where one does. Never part of a key. */
  readonly temporary?: true;
  /** Carries the types only; never set. */
  readonly __types?: readonly [In, Out];
}

/** Declares a port that holds a JSON value; undefined is none. */
export function json<T>(
  ..._none: unknown extends T
    ? []
    : undefined extends T
      ? [never: "undefined never crosses a port"]
      : []
): Port<T, T, "private"> {
  return { codec: "json", visibility: "private" };
}
/** Declares a port that holds text. */
export function text(): Port<string, string, "private"> {
  return { codec: "text", visibility: "private" };
}
/** Declares a port that holds a file of any size. */
export function file(): Port<WrittenPath, BlobFile, "private"> {
  return { codec: "file", visibility: "private" };
}
/** Declares a public port that holds a set of files for the site. */
export function publicTree(): Port<readonly TreeFile[], readonly TreeFile[], "public"> {
  return { codec: "tree", visibility: "public" };
}

/** Declares a port that holds a set of files of any size. */
export function files(): Port<readonly WrittenFile[], readonly StoredFile[], "private"> {
  return { codec: "files", visibility: "private" };
}
/** Declares a public port that holds a set of files of any size for the site. */
export function publicFiles(): Port<readonly WrittenFile[], readonly StoredFile[], "public"> {
  return { codec: "files", visibility: "public" };
}

/**
 * Declares a port that holds a whole folder: its regular files of any size, and its empty folders. A link is stored as the file of the
 * folder that it leads to; any other link, and whatever is no file, is refused.
 */
export function folder(): Port<WrittenPath, StoredFolder, "private"> {
  return { codec: "folder", visibility: "private" };
}
/** Declares a port that holds any number of folders. */
export function folders(): Port<readonly WrittenPath[], readonly StoredFolder[], "private"> {
  return { codec: "folders", visibility: "private" };
}

/** Says of a port that its bytes may go when no step waits for them. */
export function temporary<In, Out>(
  port: Port<In, Out, "private">,
): Port<In, Out, "private"> & { readonly temporary: true } {
  return { ...port, temporary: true };
}

/** A stored output: its content's digest, and how to read it. */
export interface Ref<Out, V extends Visibility = Visibility> {
  readonly digest: Digest;
  readonly bytes: number;
  readonly codec: Codec;
  readonly visibility: V;
  readonly __type?: Out;
}

export type Ports = Readonly<Record<string, Port<unknown, unknown>>>;
/** What run() returns: a value per port. */
export type OutputValues<O> = {
  readonly [K in keyof O]: O[K] extends Port<infer In, unknown> ? In : never;
};
/** What do() returns: a ref per port. */
export type OutputRefs<O> = {
  readonly [K in keyof O]: O[K] extends Port<infer _In, infer Out, infer V> ? Ref<Out, V> : never;
};
/** What do() takes for inputs: a ref per input, or a list of refs where the input is a list. */
export type InputRefs<I> = {
  readonly [K in keyof I]: I[K] extends readonly (infer E)[]
    ? Ref<I[K]> | readonly Ref<E>[]
    : Ref<I[K]>;
};

/** What a running step may use besides its inputs. */
export interface StepContext<H = unknown> {
  /** Aborts when the run is told to stop or has lost its lease. */
  readonly signal: AbortSignal;
  /** Makes (once) and names the step's private work folder; it is removed when the step ends. */
  workDir(): Promise<string>;
  /** Says how far the step is, and what it is at; units are the step's own where nothing is said. Cheap: call it as often as you like. */
  progress(done: number, total: number | null, how?: Doing): void;
  /** Records findings; they are committed with the step's result. */
  find(findings: readonly Finding[]): void;
  /** Records a number that trends are drawn from; committed with the step's result. */
  measure(subject: string, name: string, value: number): void;
  /** What do() was given to help to fetch. */
  readonly hints: H;
  /** The how manieth attempt this is, from 1. */
  readonly attempt: number;
  /** What it was given. */
  readonly resources: Resources;
  /** Says how the work went that a program, or another machine, has done for the step. */
  report(report: WorkReport): void;
  /** Keeps a line for those who follow the work or ask why it failed. Never a secret, never participant-level data. */
  log(line: string): void;
  /** Does a part of the work that needs more: gives back what the step holds, waits for these, and gives them back after it. */
  take<T>(resources: Resources, work: () => Promise<T>): Promise<T>;
  /** Waits for something that is not work of ours (room on a disk, another service) and holds no place meanwhile. */
  wait<T>(work: () => Promise<T>): Promise<T>;
}

/** What an observation may use while it reads. */
export type ReadContext<H = unknown> = Pick<
  StepContext<H>,
  "signal" | "workDir" | "hints" | "wait"
>;

/** What an output will be. */
export interface Foretold extends StoredBlob {
  readonly local?: LocalContent;
}

/** What is said of a step. */
export interface StepDeclaration<P extends Json, I, O extends Ports, H extends Json> {
  readonly name: string;
  readonly version: number;
  readonly outputs: O;
  /** What the step closes over besides code: digests of templates and tables, versions of libraries. Part of the key. */
  readonly uses?: Json;
  /** Says cheaply whether the source moved (an etag, an md5). Only for steps that read the outside world. */
  readonly pin?: (params: P, signal: AbortSignal, hints: H) => Promise<Json>;
  /** True where the source can move while it is read: the pin is taken again after run(), and a move is a transient failure. */
  readonly repin?: boolean;
  /** What it needs; a function may give an attempt more than the last one had. */
  readonly resources?: Resources | ((attempt: number, last: FailedAttempt | null) => Resources);
  /**
   * How often it is tried in a run; default 1. What was stopped, or wrongly configured, is not tried again; what was late only where the
   * next attempt has more time. An attempt whose machine was lost does not count.
   */
  readonly attempts?: number;
  /**
   * Tells what an output will be without doing the work, where that follows from the params: a plan that is played dry goes on with it.
   * Outputs that it cannot tell are missing. `local` says where the content lies already, so that such a plan can read it.
   */
  readonly foretell?: (params: P, hints: H) => Readonly<Record<string, Foretold>>;
  /** Who does the work, where it is not this process: a runner's name. Not part of the key. */
  readonly runner?: string;
  run(inputs: I, params: P, ctx: StepContext<H>, pin: Json): Promise<OutputValues<O>>;
}

/**
 * A unit of work whose result is kept under sha256({kind, step, version, params, pin, uses, inputs by content}).
 * `run` must be pure given inputs, params, pin and uses: it reads nothing else, or what it reads cannot change its output. Bump
 * `version` whenever its output can change.
 */
export interface Step<
  P extends Json,
  I,
  O extends Ports,
  H extends Json = null,
> extends StepDeclaration<P, I, O, H> {
  /** An observation's pin is what it found: it is read in every run, and its key follows from the content. */
  readonly kind: "step" | "observation";
}

/** Declares a step. */
export function step<P extends Json, I, O extends Ports, H extends Json = null>(
  declaration: StepDeclaration<P, I, O, H>,
): Step<P, I, O, H> {
  return { kind: "step", ...declaration };
}

/** The inputs of what takes none. */
export type NoInputs = Readonly<Record<string, never>>;

/**
 * Declares a step that reads the world, for what is as cheap to read as to ask whether it moved: it is read once in every run, and
 * where it says what it said before, the result is a hit. What it means is for steps that take its outputs as inputs.
 */
export function observation<P extends Json, O extends Ports, H extends Json = null>(declaration: {
  readonly name: string;
  readonly outputs: O;
  read(params: P, ctx: ReadContext<H>): Promise<OutputValues<O>>;
}): Step<P, NoInputs, O, H> {
  const { name, outputs } = declaration;
  return {
    kind: "observation",
    name,
    // Whatever another version of it would find is another key by itself.
    version: 1,
    outputs,
    run: (_inputs, params, ctx) => declaration.read(params, ctx),
  };
}

/**
 * What do() takes. Hints help to fetch (a locator, a signed address): they are not in the key, are kept nowhere and must not change
 * the output.
 */
export type StepArgs<P, I, H> = {
  readonly params: P;
  readonly inputs: InputRefs<I>;
  /** How people call this call, among others of the same step. Never part of the key. */
  readonly label?: string;
} & (null extends H ? { readonly hints?: H } : { readonly hints: H });

/** What became of a scope: its value, or why it failed. */
export type ScopeOutcome<R> =
  | { readonly ok: true; readonly value: R }
  | {
      readonly ok: false;
      readonly error: string;
      /** The same in words fit for a public page. */
      readonly publicly: string;
    };

/** A scope's past as the ledger has it: only runs that finished (succeeded or degraded) before this one. */
export interface ScopeHistory {
  /** Digest of the facts this run has gathered in this scope so far. */
  readonly factsDigest: Digest;
  /** Oldest first, neighbours with equal facts folded into one; the newest may equal this run's. At most `limit`. */
  readonly versions: readonly ScopeVersion[];
  /** The last finished run in which this scope was done without failing. */
  readonly last: LastDone | null;
}

/** What holds a set of files. */
export type TreeRef<V extends Visibility> =
  Ref<readonly TreeFile[], V> | Ref<readonly StoredFile[], V>;

/** A part of the site: the files of a public tree below a prefix, owned by a scope (null: by the whole pipeline). */
export interface SitePart {
  readonly scope: string | null;
  /** "" or a path that ends in a slash. */
  readonly prefix: string;
  readonly tree: TreeRef<"public">;
  /** "page": revalidate every time · "immutable": the name carries a content hash. */
  readonly cache: "page" | "immutable";
}

export interface SiteContents {
  readonly parts: readonly SitePart[];
  /** Scopes whose files stay as they were last published (they failed, or were not asked for). */
  readonly keepScopes: readonly string[];
}

/** What may go to a place: to one that may be public only what is public, to a private one both. */
export type Admitted<V extends Visibility> = [V] extends ["private"] ? Visibility : "public";

/** A single object of a place: what a json, text or file port holds. */
export interface PlaceObject<V extends Visibility> {
  readonly key: string;
  readonly contentType: string;
  /** The scope it belongs to; null: the whole pipeline. */
  readonly scope: string | null;
  readonly content: Ref<unknown, Admitted<V>>;
}

/** The files of a tree below a prefix. */
export interface PlaceTree<V extends Visibility> {
  /** "" or a path that ends in a slash. */
  readonly prefix: string;
  readonly scope: string | null;
  readonly tree: TreeRef<Admitted<V>>;
}

export interface PlaceContents<V extends Visibility> {
  readonly entries: readonly (PlaceObject<V> | PlaceTree<V>)[];
  /** Put when all else is there: readers begin with it, and see the old contents or the new. */
  readonly index?: PlaceObject<V>;
  /** Scopes whose objects stay as they are. */
  readonly keepScopes?: readonly string[];
  /** What the pipeline once put below one of these stays, though nothing here names it: what its steps put there by themselves. */
  readonly keepPrefixes?: readonly string[];
}

/** What a pipeline is written against. A plan reads nothing but params and refs: no clock, no files, no network. */
export interface Plan {
  /** True where nothing is done: what a step would give is not known, and whoever reads it waits for ever. */
  readonly isDry?: true;
  readonly run: { readonly id: string; readonly startedAt: string; readonly build: string };
  /** Does a step, or finds its result. */
  do<P extends Json, I, O extends Ports, H extends Json = null>(
    step: Step<P, I, O, H>,
    args: StepArgs<P, I, H>,
  ): Promise<OutputRefs<O>>;
  /** Reads a stored output. */
  read<Out>(ref: Ref<Out>): Promise<Out>;
  /** Names a file of a stored folder, as an input of a step by itself; null where there is none. Its content is not read. */
  fileIn(folder: Ref<StoredFolder>, path: string): Promise<Ref<BlobFile, "private"> | null>;
  /** Stores a JSON value so that it can be an input of a step by its content. As with json(), what JSON would drop or change is refused. */
  value<T>(value: T): Promise<Ref<T, "private">>;
  /** Does a part of the plan whose failure does not stop the others; the run then ends degraded. `title` is what people call it. */
  scope<R>(
    name: string,
    fn: (plan: Plan) => Promise<R>,
    options?: { readonly title?: string | null },
  ): Promise<ScopeOutcome<R>>;
  /** Tells a scope's past; inside a scope its own may be asked for without naming it. */
  history(scope?: string, limit?: number): Promise<ScopeHistory>;
  /** The findings of a scope as a past run had them. */
  findings(runId: string, scope?: string): Promise<readonly KnownFinding[]>;
  /** What changed in each scope of this run so far since the last finished run that did it. */
  deltas(): Promise<Readonly<Record<string, FindingDelta | null>>>;
  /** Runs of every pipeline before this one, newest first. */
  runs(limit: number): Promise<readonly RunRecord[]>;
  /** Has the run's message begin with what is wrong or new, in the job's own words. The last word counts. */
  say(news: RunNews): void;
  /** Publishes the site. `contents` is called with the site's lease held, so that no other run can publish between it and the puts. */
  site(contents: () => Promise<SiteContents>): Promise<void>;
  /** Makes a place hold what `contents` names, in the same way: called with the place's lease held, what it once put there and is not named goes. */
  publish<V extends Visibility>(
    place: Place<V>,
    contents: () => Promise<PlaceContents<V>>,
  ): Promise<void>;
}

/** A named plan with its parameters; `plan` returns nothing: what it leaves is in the ledger and on the site. */
export interface Pipeline<P extends Json> {
  readonly name: string;
  plan(plan: Plan, params: P): Promise<void>;
}
