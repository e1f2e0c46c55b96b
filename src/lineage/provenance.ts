// What made a result, in one plain object that every format is made of. It has digests, sizes, names and values, and the content of nothing.

import type { Digest, Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { CallOfRun } from "../store/ancestry.ts";
import { listPublished } from "../store/ancestry.ts";
import {
  type LedgerResult,
  type LedgerRun,
  listRunSteps,
  readLedgerRun,
  readResults,
} from "../store/lineage.ts";
import type { Db } from "../store/schema.ts";
import { broughtBy, userUses, valuesOf } from "./document.ts";
import type { Found } from "./find.ts";
import { type LineageStep, walkLineage } from "./graph.ts";
import { readNamed } from "./named.ts";
import { RESULTS_STEP } from "./namedResult.ts";

/** A run, as far as it concerns what was made in it. */
export interface RunInfo {
  readonly id: string;
  readonly pipeline: string;
  readonly status: string;
  readonly build: string;
  readonly requestedBy: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly error: string | null;
  /** What it was given, as it was asked for; files by the last part of their path. */
  readonly parameters: Json;
  /** The last part of the path of the pipeline's file; null for a job of hdash's own. */
  readonly file: string | null;
}

/** What a step has read: where it is from. */
export interface InputInfo {
  /** "tables[1]". */
  readonly name: string;
  readonly digest: Digest;
  /** The step that has given it, by the id of its result; null for what was given, and where nobody knows. */
  readonly from: {
    readonly result: string;
    readonly port: string;
    readonly path: string | null;
  } | null;
}

/** Something that was stored. */
export interface ContentInfo {
  readonly digest: Digest;
  readonly bytes: number;
  /** file, folder, files, json, or what else the store has. */
  readonly kind: string;
}

/** A step that was done, with all that decided what it gave. */
export interface StepInfo {
  /** The id of its result in the ledger. */
  readonly result: string;
  readonly key: string;
  readonly pipeline: string;
  readonly step: string;
  readonly version: number;
  /** How people call this call of it; "" where nobody said. */
  readonly label: string;
  readonly scope: string | null;
  /** function, command, container, source; "hdash" for a step of hdash's own. */
  readonly kind: string;
  /** Digest of its code; null for a step of hdash's own, whose version counts. */
  readonly code: string | null;
  readonly uses: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly network: boolean;
  readonly stub: boolean;
  readonly values: Readonly<Record<string, Json>>;
  /** What its world was like, for a step that reads one. */
  readonly pin: Json;
  /** The run that did it; null where that is forgotten. */
  readonly run: string | null;
  readonly attempt: number | null;
  readonly runner: string | null;
  readonly exitCode: number | null;
  readonly startedAt: string | null;
  readonly endedAt: string;
  readonly ms: number;
  /** Whether the run that was asked for has done it, or found it done. */
  readonly state: "ran" | "hit";
  readonly inputs: readonly InputInfo[];
  readonly outputs: readonly (ContentInfo & { readonly port: string })[];
  readonly verified: { readonly state: string; readonly at: string; readonly build: string } | null;
  readonly trusted: readonly {
    readonly code: string;
    readonly because: string;
    readonly by: string | null;
    readonly at: string;
    readonly withdrawn: string | null;
  }[];
}

/** A file or folder that was given to a pipeline. */
export interface GivenInfo extends ContentInfo {
  readonly names: readonly string[];
}

/** What was asked for, or what a run has given. */
export type ResultInfo = { readonly name: string } & (
  | { readonly value: Json }
  | (ContentInfo & {
      readonly from: { readonly result: string; readonly port: string } | null;
      /** The file in it that was asked for, where it is one of a folder. */
      readonly path: string | null;
    })
);

/** A step that did not come to a result. */
export interface FailedInfo {
  readonly step: string;
  readonly label: string;
  readonly scope: string | null;
  readonly key: string | null;
  readonly error: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** What made a result, or all that a run has given. */
export interface Provenance {
  readonly asked: string;
  /** True where a whole run was asked for. */
  readonly isRun: boolean;
  /** The run that was asked for, or that made the result; null where that is forgotten. */
  readonly run: RunInfo | null;
  readonly runs: readonly RunInfo[];
  readonly results: readonly ResultInfo[];
  /** Makers before who has read them. */
  readonly steps: readonly StepInfo[];
  readonly given: readonly GivenInfo[];
  readonly failed: readonly FailedInfo[];
  readonly published: readonly {
    readonly digest: Digest;
    readonly site: string;
    readonly path: string;
  }[];
  /** True where there is more, beyond the depth that was asked for. */
  readonly isCut: boolean;
}

export interface ReadingProvenance {
  /** Steps behind what was asked for; null: all. */
  readonly depth: number | null;
  readonly signal: AbortSignal;
  /** True where all that a run has done is meant, and not only what its results were made of. */
  readonly isWhole?: boolean;
}

/** Reads what made something that was found. */
export async function readProvenance(
  db: Db,
  asked: string,
  found: Found,
  { depth, signal, isWhole = false }: ReadingProvenance,
): Promise<Provenance> {
  const runId = found.kind === "run" ? found.run.id : found.result.runId;
  const named = runId === null ? null : await readNamed(db, runId);
  const start = await startOf(db, found, isWhole ? null : (named?.keeper ?? null));
  // What keeps the names is a step of its own, and nobody's level.
  const deeper = start.some(isKeeper) ? 1 : 0;
  const { steps, runIds, isCut } = await walkLineage(db, start, {
    depth: depth === null ? null : depth + deeper,
    runId,
    signal,
  });
  const runs = await readRuns(db, runIds, runId);
  const own = steps.filter(({ result }) => !isKeeper(result));
  const made = own.filter(({ document }) => broughtBy(document) === null);
  const brought = new Set(
    own.flatMap(({ result, document }) => (broughtBy(document) === null ? [] : [result.id])),
  );
  const results = found.kind === "run" ? namedResults(named, steps) : askedResults(found, named);
  const published = await listPublished(
    db,
    made.flatMap(({ result }) => Object.values(result.outputs).map(({ digest }) => digest)),
  );
  return {
    asked,
    isRun: found.kind === "run",
    run: runs.find(({ id }) => id === runId) ?? null,
    runs,
    results,
    steps: made.map((step) => stepInfo(step, brought, runId)),
    given: own.flatMap(givenInfo),
    failed: found.kind === "run" ? await failedOf(db, found.run) : [],
    published,
    isCut,
  };
}

function isKeeper({ step }: Pick<LedgerResult, "step">): boolean {
  return step === RESULTS_STEP;
}

async function startOf(
  db: Db,
  found: Found,
  keeper: LedgerResult | null,
): Promise<readonly LedgerResult[]> {
  if (found.kind === "result") return [found.result];
  if (keeper !== null) return [keeper];
  const steps = await listRunSteps(db, found.run.id);
  return readResults(db, [...new Set(steps.flatMap(({ resultId }) => resultId ?? []))]);
}

async function readRuns(
  db: Db,
  runIds: readonly string[],
  own: string | null,
): Promise<readonly RunInfo[]> {
  const ids = own === null ? runIds : [...new Set([...runIds, own])];
  const runs = await Promise.all(ids.map((id) => readLedgerRun(db, id)));
  return runs
    .flatMap((run) => (run === null ? [] : [runInfo(run)]))
    .sort((a, b) => Number(a.id) - Number(b.id));
}

function runInfo(run: LedgerRun): RunInfo {
  const { origin } = run;
  const file =
    typeof origin === "object" && origin !== null && "file" in origin ? origin["file"] : null;
  return {
    id: run.id,
    pipeline: run.pipeline,
    status: run.status,
    build: run.build,
    requestedBy: run.requestedBy,
    startedAt: run.startedAt?.toISOString() ?? null,
    finishedAt: run.finishedAt?.toISOString() ?? null,
    error: run.error,
    parameters: withoutFolders(run.params),
    file: typeof file === "string" ? lastPart(file) : null,
  };
}

/** A value as it was given, but of every absolute path its last part: where something lay is nobody's business, and in no key. */
function withoutFolders(value: Json): Json {
  if (typeof value === "string") return /^(\/|[A-Za-z]:\\)/.test(value) ? lastPart(value) : value;
  if (Array.isArray(value)) return value.map(withoutFolders);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, withoutFolders(one)]),
  );
}

function lastPart(path: string): string {
  return path.replace(/[\\/]+$/, "").replace(/^.*[\\/]/, "");
}

function stepInfo(
  { result, document, inputs, calls, attempt, verdict, trusted }: LineageStep,
  brought: ReadonlySet<string>,
  runId: string | null,
): StepInfo {
  const uses = userUses(document);
  const call = calls[0];
  const isOwn = result.runId === runId;
  const endedAt = attempt?.endedAt ?? result.createdAt;
  return {
    ...{ result: result.id, key: result.key, pipeline: document.pipeline, step: result.step },
    version: result.version,
    label: call?.label ?? "",
    scope: call === undefined || call.scope === "" ? null : call.scope,
    kind: uses?.kind ?? "hdash",
    ...{ code: uses?.code ?? null, uses: uses?.uses ?? null, environment: uses?.env ?? {} },
    ...{ network: uses?.network ?? false, stub: uses?.stub ?? false },
    values: valuesOf(document),
    pin: document.pin,
    ...{ run: result.runId, attempt: result.attempt, runner: attempt?.runner ?? null },
    exitCode: attempt?.code ?? null,
    startedAt: (attempt?.startedAt ?? new Date(endedAt.getTime() - result.ms)).toISOString(),
    endedAt: endedAt.toISOString(),
    ms: result.ms,
    state: isOwn && stateIn(calls, runId) !== "hit" ? "ran" : "hit",
    inputs: inputs.map(({ name, digest, from }) => ({
      ...{ name, digest },
      from:
        from === null || brought.has(from.resultId)
          ? null
          : { result: from.resultId, port: from.port, path: from.path },
    })),
    outputs: Object.entries(result.outputs).map(([port, { digest, bytes, codec }]) => ({
      ...{ port, digest, bytes, kind: codec },
    })),
    verified:
      verdict === null
        ? null
        : { state: verdict.state, at: verdict.checkedAt.toISOString(), build: verdict.build },
    trusted: trusted.map((one) => ({
      ...{ code: one.code, because: one.because, by: one.trustedBy },
      at: one.trustedAt.toISOString(),
      withdrawn: one.withdrawnAt?.toISOString() ?? null,
    })),
  };
}

function stateIn(calls: readonly CallOfRun[], runId: string | null): string | null {
  return calls.find((call) => call.runId === runId)?.state ?? null;
}

function givenInfo({ result, document, calls }: LineageStep): readonly GivenInfo[] {
  if (broughtBy(document) === null) return [];
  const names = [...new Set(calls.flatMap(({ label }) => label ?? []))];
  return Object.values(result.outputs).map(({ digest, bytes, codec }) => ({
    ...{ digest, bytes, kind: codec, names },
  }));
}

type Names = Awaited<ReturnType<typeof readNamed>>;

/** What a run has given by name; of one that names nothing, what its last steps have given. */
function namedResults(named: Names, steps: readonly LineageStep[]): readonly ResultInfo[] {
  if (named === null) {
    const read = new Set(
      steps.flatMap(({ inputs }) => inputs.flatMap(({ from }) => from?.resultId ?? [])),
    );
    return steps
      .filter(({ result, document }) => !read.has(result.id) && broughtBy(document) === null)
      .flatMap(({ result, calls }) =>
        Object.entries(result.outputs).map(([port, { digest, bytes, codec }]) => ({
          name: [result.step, calls[0]?.label, port].filter((one) => one).join(" "),
          ...{ digest, bytes, kind: codec, path: null, from: { result: result.id, port } },
        })),
      );
  }
  const keeper = steps.find(({ result }) => result.id === named.keeper.id);
  const fromOf = new Map(keeper?.inputs.map(({ digest, from }) => [digest, from]));
  return named.named.map((one): ResultInfo => {
    if ("value" in one) return { name: one.name, value: one.value };
    const from = fromOf.get(one.digest) ?? null;
    return {
      ...{ name: one.name, digest: one.digest, bytes: one.bytes, kind: one.codec },
      from: from === null ? null : { result: from.resultId, port: from.port },
      path: from?.path ?? null,
    };
  });
}

function askedResults(
  found: Extract<Found, { kind: "result" }>,
  named: Names,
): readonly ResultInfo[] {
  const { result, port, path, digest, value } = found;
  if (value !== undefined) return [{ name: found.asked, value }];
  const outputs = Object.entries(result.outputs).filter(([own]) => port === null || own === port);
  if (outputs.length === 0) {
    throw new HdashError("usage", `${found.asked}: the step ${result.step} has given nothing`);
  }
  return outputs.map(([own, output]) => {
    const content = path === null ? output.digest : (digest ?? output.digest);
    const known = named?.named.find((one) => "digest" in one && one.digest === content)?.name;
    return {
      name: known ?? (path === null ? own : lastPart(path)),
      digest: content,
      bytes: output.bytes,
      kind: path === null ? output.codec : "file",
      ...{ from: { result: result.id, port: own }, path },
    };
  });
}

async function failedOf(db: Db, { id }: LedgerRun): Promise<readonly FailedInfo[]> {
  const steps = await listRunSteps(db, id);
  return steps
    .filter(({ state }) => state === "failed")
    .map((one) => ({
      ...{ step: one.step, label: one.label ?? "", key: one.key, error: one.error },
      scope: one.scope === "" ? null : one.scope,
      startedAt: one.startedAt.toISOString(),
      endedAt: one.endedAt?.toISOString() ?? null,
    }));
}
