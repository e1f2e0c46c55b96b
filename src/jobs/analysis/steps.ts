// A user's steps as the engine's: the same keys, reuse, attempts and logs as hdash's own have.

import type { Digest, Json } from "../../digest.ts";
import {
  file,
  files,
  folder,
  folders,
  json,
  type LocalFolder,
  type Port,
  type Ports,
  type Step,
  step,
  type StepContext,
  temporary,
  type WrittenPath,
} from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import { type NamedResult, RESULTS_STEP } from "../../lineage/namedResult.ts";
import { hasFiles } from "./data/shapes.ts";
import type { Skeleton } from "./data/skeleton.ts";
import type { Declared, Opened, OpenedStep } from "./opened.ts";
import type { Kinds, Shape } from "./writing/kinds.ts";

/** What is known of a call's values, and, where it is done in every run, which run this is. */
export type CallParams = {
  readonly values: Readonly<Record<string, Skeleton>>;
  readonly run?: string;
};
/** What handles stand for, by take, in the order in which the values name them. */
export type CallInputs = Readonly<Record<string, readonly unknown[]>>;

/** A user's step as the engine does it. */
export type UserStep = Step<CallParams, CallInputs, Ports>;

/** Does the work of a step: what its function returns, or what its program has left. */
export type DoStep = (
  opened: OpenedStep,
  inputs: CallInputs,
  params: CallParams,
  ctx: StepContext,
) => Promise<Readonly<Record<string, unknown>>>;

/** Says what a source's world is like. */
export type PinStep = (
  opened: OpenedStep,
  params: CallParams,
  signal: AbortSignal,
) => Promise<Json>;

/** Tells whether a step is done by its stub. */
export function isStubbed({ stub }: Declared, isStub: boolean): boolean {
  return isStub && stub !== undefined;
}

/** Tells whether bytes of what a step gives may go when no step waits for them. */
export function givesTemporary({ gives }: Declared): boolean {
  return Object.values(gives).some(({ shape }) => {
    const of = shape.kind === "list" || shape.kind === "optional" ? shape.of : shape;
    return "temporary" in of;
  });
}

/** The document that is in a step's key beside its values. */
export function usesOf({ declared, code, uses }: OpenedStep, isStub: boolean): Json {
  const { kind } = declared;
  const env = declared.env ?? {};
  return {
    kind,
    code,
    ...(uses === null ? {} : { uses }),
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(declared.network === true ? { network: true } : {}),
    ...(isStubbed(declared, isStub) ? { stub: true } : {}),
  };
}

/** Makes the engine's step of a user's. */
function makeUserStep(
  opened: OpenedStep,
  { isStub, work, pin }: { readonly isStub: boolean; readonly work: DoStep; readonly pin: PinStep },
): UserStep {
  const { declared } = opened;
  const { resources } = declared;
  const made = step<CallParams, CallInputs, Ports>({
    name: declared.name,
    version: declared.version ?? 1,
    outputs: portsOf(declared.gives),
    uses: usesOf(opened, isStub),
    ...(resources === undefined
      ? {}
      : {
          resources: (attempt: number) =>
            typeof resources === "function" ? resources({ attempt }) : resources,
        }),
    ...(declared.attempts === undefined ? {} : { attempts: declared.attempts }),
    ...(declared.kind === "command" || declared.kind === "container" ? { runner: "process" } : {}),
    ...(declared.kind === "source" && !isStubbed(declared, isStub)
      ? { pin: (params: CallParams, signal: AbortSignal) => pin(opened, params, signal) }
      : {}),
    run: async (inputs, params, ctx) => await work(opened, inputs, params, ctx),
  });
  return made;
}

/** The engine's ports for what a step gives. Throws usage where it can give no such thing. */
export function portsOf(gives: Kinds): Ports {
  return Object.fromEntries(
    Object.entries(gives).map(([name, { shape }]) => [name, portOf(name, shape)]),
  );
}

function portOf(name: string, shape: Shape): Ports[string] {
  if (shape.kind === "file") return lasting(shape, file());
  if (shape.kind === "folder") return lasting(shape, folder());
  if (shape.kind === "list" || shape.kind === "optional") {
    if (shape.of.kind === "file") return lasting(shape.of, files());
    if (shape.of.kind === "folder") return lasting(shape.of, folders());
  }
  if (hasFiles(shape)) {
    throw new HdashError(
      "usage",
      `${name} cannot be given by a step: files and folders are given by themselves, or in list() or optional()`,
    );
  }
  return json<Json>();
}

/** The port, as its shape says how long its bytes are kept. */
function lasting<In, Out>(
  shape: { readonly temporary?: true },
  port: Port<In, Out, "private">,
): Port<In, Out, "private"> {
  return shape.temporary === true ? temporary(port) : port;
}

/** Where an input lies; another place of the same is the same input. */
type Lying = {
  readonly path: string;
  /** For people: where the user has named it. */
  readonly place: string | null;
  readonly bytes: number | null;
};

/** How what is given is reached. */
export interface Bringing {
  /** Fetches a file, and says where it is then. */
  bring(url: string, sha256: Digest, ctx: StepContext<unknown>): Promise<string>;
  /** Looks through a folder of the machine. */
  look(path: string, signal: AbortSignal): Promise<LocalFolder>;
  readonly far: {
    /** What the store says of an object, or of all below a prefix. */
    pin(url: string, kind: "file" | "folder", signal: AbortSignal): Promise<Json>;
    bring(url: string, kind: "file" | "folder", ctx: StepContext<unknown>): Promise<WrittenPath>;
  };
}

/** Where an object lies, or objects below it. */
type FarParams = { readonly url: string };
type FarHints = { readonly place: string | null };

/** Files and folders of the machine as inputs, kept by content: their paths, names and times do not count. What has changed meanwhile is refused. */
export function makeImportSteps({ bring, look, far }: Bringing) {
  return {
    importFile: step({
      name: "import file",
      version: 1,
      outputs: { file: file() },
      foretell: (
        { sha256, bytes }: { readonly sha256: Digest; readonly bytes: number },
        { path }: Lying,
      ) => ({ file: { digest: sha256, bytes, local: { path } } }),
      run: (
        _inputs: Readonly<Record<string, never>>,
        { sha256 }: { readonly sha256: Digest; readonly bytes: number },
        { hints: { path } }: StepContext<Lying>,
      ) => Promise.resolve({ file: { path, sha256 } }),
    }),
    /** Where it is fetched from does not count. */
    fetchData: step({
      name: "fetch data",
      version: 1,
      outputs: { file: file() },
      foretell: ({ sha256 }: { readonly sha256: Digest }) => ({
        file: { digest: sha256, bytes: 0 },
      }),
      run: async (
        _inputs: Readonly<Record<string, never>>,
        { sha256 }: { readonly sha256: Digest },
        ctx: StepContext<{ readonly url: string }>,
      ) => ({ file: { path: await bring(ctx.hints.url, sha256, ctx), sha256 } }),
    }),
    importFolder: step({
      name: "import folder",
      version: 1,
      outputs: { folder: folder() },
      foretell: ({ sha256 }: { readonly sha256: Digest }, { path }: Lying) => ({
        folder: {
          ...{ digest: sha256, bytes: 0 },
          local: { open: (signal: AbortSignal) => look(path, signal) },
        },
      }),
      run: (
        _inputs: Readonly<Record<string, never>>,
        { sha256 }: { readonly sha256: Digest },
        { hints: { path } }: StepContext<Lying>,
      ) => Promise.resolve({ folder: { path, sha256 } }),
    }),
    fetchObject: step({
      name: "fetch object",
      version: 1,
      outputs: { file: file() },
      repin: true,
      pin: ({ url }: FarParams, signal) => far.pin(url, "file", signal),
      run: async (
        _inputs: Readonly<Record<string, never>>,
        { url }: FarParams,
        ctx: StepContext<FarHints>,
      ) => ({
        file: await far.bring(url, "file", ctx),
      }),
    }),
    fetchObjects: step({
      name: "fetch objects",
      version: 1,
      outputs: { folder: folder() },
      repin: true,
      pin: ({ url }: FarParams, signal) => far.pin(url, "folder", signal),
      run: async (
        _inputs: Readonly<Record<string, never>>,
        { url }: FarParams,
        ctx: StepContext<FarHints>,
      ) => ({
        folder: await far.bring(url, "folder", ctx),
      }),
    }),
    /** What the pipeline has given: by this step a result is found by its name. */
    results: step({
      name: RESULTS_STEP,
      version: 1,
      outputs: { results: json<readonly NamedResult[]>() },
      run: (_inputs: { readonly found: readonly unknown[] }, { results }: ResultsParams) =>
        Promise.resolve({ results }),
    }),
  };
}

export type ResultsParams = { readonly results: readonly NamedResult[] };

/** All of a pipeline's steps as the engine has them; each is made once. */
export function makeUserSteps(
  opened: Opened,
  how: { readonly isStub: boolean; readonly work: DoStep; readonly pin: PinStep },
): (declared: object) => { readonly step: UserStep; readonly opened: OpenedStep } {
  const made = new Map<object, { readonly step: UserStep; readonly opened: OpenedStep }>();
  return (declared) => {
    const known = made.get(declared);
    if (known !== undefined) return known;
    const own = opened.stepOf(declared);
    const one = { step: makeUserStep(own, how), opened: own };
    made.set(declared, one);
    return one;
  };
}
