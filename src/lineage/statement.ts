// A provenance as an in-toto statement with a SLSA provenance predicate: what was made, from what it was made, who has made it. Unsigned.

import type { Digest, Json } from "../digest.ts";
import { hasFiles } from "../engine/codec.ts";
import { groupSteps } from "./grouping.ts";
import type { Provenance, StepInfo } from "./provenance.ts";

/** Says how a build of ours is to be read; docs/asking.md describes it. */
const BUILD_TYPE = "urn:hdash:buildtype:pipeline:v1";

/** Something by digest, as in-toto describes it. */
interface Resource {
  readonly name: string;
  readonly digest: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, Json>>;
}

/** The statement; nothing in it is null. */
export interface Statement {
  readonly _type: "https://in-toto.io/Statement/v1";
  readonly subject: readonly Resource[];
  readonly predicateType: "https://slsa.dev/provenance/v1";
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: string;
      readonly externalParameters: Readonly<Record<string, Json>>;
      readonly internalParameters: Readonly<Record<string, Json>>;
      readonly resolvedDependencies: readonly Resource[];
    };
    readonly runDetails: {
      readonly builder: { readonly id: string; readonly version: Readonly<Record<string, string>> };
      readonly metadata: Readonly<Record<string, string>>;
    };
  };
}

/** Who vouches for the ledger that it is from. */
export interface Builder {
  /** A URI of the deployment; null where nobody has named one. */
  readonly id: string | null;
}

/** Makes the statement. Throws nothing: what has no digest (a value of the plan) is no subject. */
export function makeStatement(provenance: Provenance, { id }: Builder): Statement {
  const { run, results, steps } = provenance;
  const subject = results.flatMap((one): readonly Resource[] =>
    "value" in one ? [] : [{ name: one.name, digest: digestSet(one) }],
  );
  const startedAt = steps.map((one) => one.startedAt ?? one.endedAt).sort()[0];
  const started = provenance.isRun ? (run?.startedAt ?? startedAt) : startedAt;
  const finished = provenance.isRun
    ? (run?.finishedAt ?? undefined)
    : steps
        .map(({ endedAt }) => endedAt)
        .sort()
        .at(-1);
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject,
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE,
        externalParameters: {
          pipeline: run?.pipeline ?? steps.at(-1)?.pipeline ?? "unknown",
          ...(run === null ? {} : { parameters: run.parameters }),
          steps: groupSteps(provenance).map(({ calls }) => stepParameters(calls)),
        },
        internalParameters: {
          attempts: steps.map(({ key, run: by, attempt, runner }) =>
            withoutNulls({ key, run: by, attempt, runner }),
          ),
        },
        resolvedDependencies: dependencies(provenance),
      },
      runDetails: {
        builder: {
          id: id ?? "urn:hdash:builder:unnamed",
          version: { hdash: run?.build ?? "unknown" },
        },
        metadata: {
          ...(run === null ? {} : { invocationId: `run/${run.id}` }),
          ...(started === undefined ? {} : { startedOn: toSecond(started) }),
          ...(finished === undefined ? {} : { finishedOn: toSecond(finished) }),
        },
      },
    },
  };
}

/** What is no file is known by the digest of its list, which is no digest of bytes that anybody else can have. */
function digestSet({ kind, digest }: { readonly kind: string; readonly digest: string }) {
  return { [hasFiles(kind) ? "hdashList" : "sha256"]: digest };
}

/** Timestamps of in-toto are RFC 3339 in UTC. */
function toSecond(at: string): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}

/** All that decided what the calls of a step gave, but their inputs, which are by digest among the dependencies or made by other steps. */
function stepParameters(calls: readonly StepInfo[]): Json {
  const [first] = calls;
  return {
    pipeline: first?.pipeline ?? "",
    step: first?.step ?? "",
    calls: calls.map((one) =>
      withoutNulls({
        key: one.key,
        label: one.label === "" ? null : one.label,
        version: one.version,
        kind: one.kind,
        code: one.code,
        uses: one.uses,
        environment: Object.keys(one.environment).length === 0 ? null : one.environment,
        network: one.network ? true : null,
        stub: one.stub ? true : null,
        values: Object.keys(one.values).length === 0 ? null : one.values,
        pin: one.pin,
        inputs: one.inputs.map(({ name, digest }) => ({ name, sha256: digest })),
      }),
    ),
  };
}

/** A row without what is known to be absent: absent and null are the same to readers of a statement. */
function withoutNulls(row: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

function dependencies({ given, steps }: Provenance): readonly Resource[] {
  const found = new Map<string, Resource>();
  const add = (one: Resource): void => void found.set(JSON.stringify(one.digest) + one.name, one);
  for (const { digest, names, kind, bytes } of given) {
    add({
      name: names[0] ?? digest,
      digest: digestSet({ kind, digest }),
      annotations: { kind, bytes, ...(names.length > 1 ? { names } : {}) },
    });
  }
  const known = new Set<Digest>([
    ...given.map(({ digest }) => digest),
    ...steps.flatMap(({ outputs }) => outputs.map(({ digest }) => digest)),
  ]);
  for (const { step, code, uses, inputs } of steps) {
    if (code !== null) {
      add({ name: `code of ${step}`, digest: { hdashCode: code } });
    }
    if (uses !== null) {
      add({
        name: `files that ${step} uses`,
        digest: { hdashUses: uses },
      });
    }
    for (const { name, digest, from } of inputs) {
      if (known.has(digest) || from !== null) continue;
      add({
        name: `${step}.${name}`,
        digest: { sha256: digest },
        annotations: { kind: "unknown" },
      });
    }
  }
  return [...found.values()];
}
