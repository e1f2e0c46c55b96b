// Inputs and outputs of a step, between what its run() sees and what the ledger keeps.

import type { Digest, Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { BlobError } from "../store/blobs.ts";
import type { StoredOutput, StoredResult } from "../store/results.ts";
import type { BlobAccess } from "./blobAccess.ts";
import { decode, encode } from "./codec.ts";
import type { WorkFolder } from "./scratch.ts";
import type { Codec, FailedAttempt, Ports, Ref, Resources, StepContext } from "./step.ts";

/** A step's inputs: each a ref, or a list of refs. */
export type InputRecord = Readonly<Record<string, Ref<unknown> | readonly Ref<unknown>[]>>;

/** A step as the engine sees it: the types of its ports are checked where the plan calls do(). */
export interface AnyStep {
  readonly kind: "step" | "observation";
  readonly name: string;
  readonly version: number;
  /** How this call of it is called; null where nobody said. */
  readonly label: string | null;
  readonly outputs: Ports;
  /** Undefined where the step says nothing. */
  readonly uses: Json | undefined;
  readonly repin?: boolean;
  readonly attempts: number;
  /** A runner's name, or IN_PROCESS. */
  readonly runner: string;
  resources(attempt: number, last: FailedAttempt | null): Resources;
  /** Null where the step reads nothing of the world. */
  readonly pin: ((signal: AbortSignal) => Promise<Json>) | null;
  run(
    inputs: Record<string, unknown>,
    ctx: Omit<StepContext, "hints">,
    pin: Json,
  ): Promise<Readonly<Record<string, unknown>>>;
}

/** An input that could not be read, now or later in the step. */
export type OnDamagedInput = (input: Ref<unknown>, error: BlobError) => void;

/** Reads what the inputs refer to; local copies of files are made in the step's work folder. */
export async function readInputs(
  access: BlobAccess,
  inputs: InputRecord,
  folder: WorkFolder,
  onDamage: OnDamagedInput,
): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  const read = (ref: Ref<unknown>) =>
    decode(
      access,
      ref,
      () => folder.make(),
      (error) => onDamage(ref, error),
    );
  for (const [name, input] of Object.entries(inputs)) {
    if (!isList(input)) {
      values[name] = await read(input);
      continue;
    }
    const items: unknown[] = [];
    for (const ref of input) items.push(await read(ref));
    values[name] = items;
  }
  return values;
}

/** Stores what a step has returned, port by port. */
export async function storeOutputs(
  access: BlobAccess,
  step: AnyStep,
  values: Readonly<Record<string, unknown>>,
): Promise<Record<string, StoredOutput>> {
  const outputs: Record<string, StoredOutput> = {};
  for (const [name, { codec, visibility, temporary }] of Object.entries(step.outputs)) {
    const blob = await encode(access, `${step.name}.${name}`, codec, values[name]);
    const mark = temporary === true ? { temporary } : {};
    outputs[name] = { ...blob, codec, visibility, ...mark };
  }
  return outputs;
}

/** Makes refs by the step's declaration. Throws a permanent error where a stored result lacks a port: it was made by another declaration of the same version. */
export function makeRefs(
  step: AnyStep,
  { outputs }: StoredResult,
): Readonly<Record<string, { digest: Digest; bytes: number; codec: Codec; visibility: string }>> {
  return mapValues(step.outputs, ({ codec, visibility }, name) => {
    const output = outputs[name];
    if (output === undefined || output.codec !== codec) {
      throw new HdashError(
        "permanent",
        `the known result of ${step.name} has no output ${name} of codec ${codec}`,
        {
          hint: "The step's outputs were changed without raising its version.",
        },
      );
    }
    return { digest: output.digest, bytes: output.bytes, codec, visibility };
  });
}

/** Tells a list of refs from a ref. */
export function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/** Maps the values of a record. */
export function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  map: (value: T, name: string) => U,
): Record<string, U> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, map(value, name)]),
  );
}
