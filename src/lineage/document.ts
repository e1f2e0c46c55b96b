// What the document of a step's key says, as people and other formats want it: values by name, code, inputs. Never the content of anything.

import type { Digest, Json } from "../digest.ts";
import type { StepDocument } from "../engine/key.ts";
import { bringsIn } from "./givenSteps.ts";

/** Reads the document of a key: the engine has written it, so that nothing is checked but what others may have put there. */
export function readDocument(text: string): StepDocument {
  return JSON.parse(text) as StepDocument;
}

/** What a step has brought in for a user's pipeline; null for a step that has made something. */
export function broughtBy({
  step,
  uses,
  inputs,
}: Pick<StepDocument, "step" | "uses" | "inputs">): "file" | "folder" | null {
  // A step of a user's own that is called so has code.
  return uses === undefined && Object.keys(inputs).length === 0 ? bringsIn(step) : null;
}

/** What a user's step closes over. */
export interface UserUses {
  readonly kind: string;
  readonly code: string;
  /** Digest of the files that the step uses. */
  readonly uses: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly network: boolean;
  readonly stub: boolean;
}

/** What a user's step closes over; null for a step of hdash's own. */
export function userUses({ uses }: Pick<StepDocument, "uses">): UserUses | null {
  if (!isRow(uses) || typeof uses["kind"] !== "string" || typeof uses["code"] !== "string") {
    return null;
  }
  const env = isRow(uses["env"]) ? uses["env"] : {};
  return {
    kind: uses["kind"],
    code: uses["code"],
    uses: typeof uses["uses"] === "string" ? uses["uses"] : null,
    env: Object.fromEntries(
      Object.entries(env).filter((own): own is [string, string] => typeof own[1] === "string"),
    ),
    network: uses["network"] === true,
    stub: uses["stub"] === true,
  };
}

/** The values that a step was called with, by name; what came as files or results of other steps is no value. */
export function valuesOf({
  params,
  uses,
}: Pick<StepDocument, "params" | "uses">): Readonly<Record<string, Json>> {
  if (!isRow(params)) return params === null ? {} : { params };
  const skeletons = params["values"];
  if (userUses(uses === undefined ? {} : { uses }) === null || !isRow(skeletons)) return params;
  const values: Record<string, Json> = {};
  for (const [name, skeleton] of Object.entries(skeletons)) {
    const value = known(skeleton);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/** What of a value is known without its inputs; undefined where nothing is. A list keeps what is known of its rows. */
function known(skeleton: Json): Json | undefined {
  if (!Array.isArray(skeleton)) return undefined;
  const [word, rest] = skeleton as readonly Json[];
  if (word === "value") return rest;
  if (word === "list" && Array.isArray(rest)) {
    const found = rest.map((one: Json) => known(one));
    return found.some((one) => one !== undefined) ? found.map((one) => one ?? null) : undefined;
  }
  if (word === "row" && isRow(rest)) {
    const found = Object.entries(rest).flatMap(([name, one]) => {
      const value = known(one);
      return value === undefined ? [] : [[name, value] as const];
    });
    return found.length === 0 ? undefined : Object.fromEntries(found);
  }
  return undefined;
}

/** An input by name: "tables", or "tables[1]" where it is one of several. */
export interface NamedInput {
  readonly name: string;
  readonly digest: Digest;
}

/** The inputs of a document, in its order. */
export function inputsOf({ inputs }: Pick<StepDocument, "inputs">): readonly NamedInput[] {
  return Object.entries(inputs).flatMap(([name, digests]) =>
    typeof digests === "string"
      ? [{ name, digest: digests }]
      : digests.map((digest, at) => ({
          name: digests.length === 1 ? name : `${name}[${at}]`,
          digest,
        })),
  );
}

function isRow(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
