// What a plan asks for when it calls a step: the step without its types, and the key of its result.

import { canonicalJson, type Json } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import { IN_PROCESS } from "./attempts.ts";
import { type StepKey, stepKey } from "./key.ts";
import { type AnyStep, type InputRecord, isList, mapValues } from "./ports.ts";
import type { OutputValues, Ports, Step, StepArgs } from "./step.ts";

/** A call of a step. */
export interface Asked {
  readonly step: AnyStep;
  readonly params: Json;
  readonly inputs: InputRecord;
}

/** Takes a call's types away, and checks that what it is given is plain JSON. Throws a permanent error that names the step. */
export function ask<P extends Json, I, O extends Ports, H extends Json>(
  step: Step<P, I, O, H>,
  args: StepArgs<P, I, H>,
): Asked {
  // As they are in the key: a step must not see an order of fields that its key does not have.
  const params = plain(step.name, "params", args.params);
  // InputRefs<I> is a ref, or a list of refs, for each input.
  const inputs = args.inputs as InputRecord;
  // StepArgs lets hints be missing only where null will do.
  const hints = plain(step.name, "hints", (args.hints ?? null) as H);
  const any: AnyStep = {
    kind: step.kind,
    name: step.name,
    version: step.version,
    label: args.label ?? null,
    outputs: step.outputs,
    uses: step.uses,
    repin: step.repin === true,
    attempts: step.attempts ?? 1,
    runner: step.runner ?? IN_PROCESS,
    resources: (attempt, last) => {
      const { resources = {} } = step;
      return typeof resources === "function" ? resources(attempt, last) : resources;
    },
    pin:
      step.pin === undefined
        ? null
        : async (signal) =>
            plain(step.name, "pin", (await step.pin?.(params, signal, hints)) ?? null),
    run: async (values, ctx, pin) =>
      // decode() gives for each input what its port's type says.
      (await step.run(values as I, params, { ...ctx, hints }, pin)) satisfies OutputValues<O>,
  };
  return { step: any, params, inputs };
}

/** Makes the key of a call's result, and the document that it is the digest of. */
export function keyOf(
  pipeline: string,
  { step, params, inputs }: Asked,
  pin: Json,
): { readonly key: StepKey; readonly document: string } {
  return stepKey({
    kind: step.kind,
    pipeline,
    step: step.name,
    version: step.version,
    params,
    pin,
    ...(step.uses === undefined ? {} : { uses: step.uses }),
    inputs: mapValues(inputs, (input) =>
      isList(input) ? input.map(({ digest }) => digest) : input.digest,
    ),
  });
}

/** Copies what a step is given, with its fields in the order that a key has. An error names the place and not the value: a hint may be a signed address. */
function plain<T extends Json>(step: string, what: string, value: T): T {
  try {
    // canonicalJson lets only JSON pass, which comes back as it was.
    return JSON.parse(canonicalJson(value)) as T;
  } catch (error) {
    throw new HdashError(
      "permanent",
      `${what} of step ${step} cannot be used: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}
