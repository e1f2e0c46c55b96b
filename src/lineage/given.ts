// What a key is the digest of, read back: what a step was given, each value and each file by the name that its author gave to it.

import type { Digest, Json } from "../digest.ts";
import { HdashError } from "../error.ts";

/** A value that a step was given: known as it is, or by its content. */
export type Given =
  | { readonly kind: "value"; readonly value: Json }
  | { readonly kind: "content"; readonly digest: Digest }
  | { readonly kind: "list"; readonly items: readonly Given[] }
  | { readonly kind: "row"; readonly cells: Readonly<Record<string, Given>> };

/** A step's document. */
export interface GivenDocument {
  readonly kind: string;
  readonly pipeline: string;
  readonly step: string;
  /** What it was given, by name. */
  readonly given: Readonly<Record<string, Given>>;
  /** What else is in its key, by what it is called: code, uses, env.NAME, network, version, pin … */
  readonly identity: Readonly<Record<string, Json>>;
}

type JsonObject = Readonly<Record<string, Json>>;

/** Reads a document. Throws a permanent error where the text is none. */
export function readGiven(text: string): GivenDocument {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new HdashError("permanent", "a result's document is no JSON", { cause: error });
  }
  if (!isObject(found) || typeof found["step"] !== "string" || !isObject(found["inputs"])) {
    throw new HdashError("permanent", "a result's document is none of a step");
  }
  const {
    kind,
    pipeline,
    step,
    version,
    params,
    pin,
    uses = null,
  } = found as {
    readonly [name: string]: Json;
  };
  // Written by keyOf and by nobody else.
  const inputs = found["inputs"] as Inputs;
  const values = isObject(params) ? params["values"] : undefined;
  const isUsers = isObject(uses) && typeof uses["code"] === "string" && isObject(values);
  const identity: Record<string, Json> = { version: version ?? null };
  if (pin !== null && pin !== undefined) identity["pin"] = pin;
  if (isUsers) {
    const { env, kind: how, ...rest } = uses;
    for (const [name, value] of Object.entries(rest)) identity[name] = value;
    identity["kind"] = how ?? null;
    if (isObject(env))
      for (const [name, value] of Object.entries(env)) identity[`env.${name}`] = value;
    const run = isObject(params) ? params["run"] : undefined;
    if (run !== undefined) identity["run"] = run;
  } else if (uses !== null) identity["uses"] = uses;
  const names = [kind, pipeline, step].map((one) => (typeof one === "string" ? one : ""));
  const [ofKind = "", ofPipeline = "", ofStep = ""] = names;
  return {
    ...{ kind: ofKind, pipeline: ofPipeline, step: ofStep, identity },
    given: isUsers ? ofSkeletons(values, inputs) : ofPorts(params ?? null, inputs),
  };
}

type Inputs = Readonly<Record<string, Digest | readonly Digest[]>>;

/** A user's step: values by the names of what it takes, with numbers in the places of files. */
function ofSkeletons(values: JsonObject, inputs: Inputs): Readonly<Record<string, Given>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, skeleton]) => {
      const own = inputs[name] ?? [];
      return [
        name,
        unfold(skeleton, Array.isArray(own) ? (own as readonly Digest[]) : [own as Digest]),
      ];
    }),
  );
}

/** @param skeleton ["value", it] · ["input", number] · ["list", skeletons] · ["row", skeletons by name]. */
function unfold(skeleton: Json, inputs: readonly Digest[]): Given {
  if (!Array.isArray(skeleton)) return { kind: "value", value: skeleton };
  const [word, content = null] = skeleton as readonly Json[];
  if (word === "input" && typeof content === "number") {
    return { kind: "content", digest: inputs[content] ?? ("" as Digest) };
  }
  if (word === "list" && Array.isArray(content)) {
    return { kind: "list", items: content.map((one) => unfold(one as Json, inputs)) };
  }
  if (word === "row" && isObject(content)) {
    return {
      kind: "row",
      cells: Object.fromEntries(
        Object.entries(content).map(([name, one]) => [name, unfold(one, inputs)]),
      ),
    };
  }
  return ofValue(content);
}

function ofPorts(params: Json, inputs: Inputs): Readonly<Record<string, Given>> {
  const given: Record<string, Given> = {};
  if (isObject(params)) {
    for (const [name, value] of Object.entries(params)) given[name] = ofValue(value);
  } else if (params !== null) given["params"] = ofValue(params);
  for (const [name, digest] of Object.entries(inputs)) {
    given[name] = Array.isArray(digest)
      ? { kind: "list", items: (digest as readonly Digest[]).map(ofContent) }
      : ofContent(digest as Digest);
  }
  return given;
}

function ofContent(digest: Digest): Given {
  return { kind: "content", digest };
}

/** Lists are compared item by item, also where nothing in them is a file. */
function ofValue(value: Json): Given {
  if (Array.isArray(value))
    return { kind: "list", items: value.map((one) => ofValue(one as Json)) };
  return { kind: "value", value };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Lists what something consists of that was given by content, with where it stands: "lane", "tables[1]", "sheet[0].lane". */
export function contentsOf(
  given: Readonly<Record<string, Given>>,
): readonly { readonly at: string; readonly digest: Digest }[] {
  const found: { at: string; digest: Digest }[] = [];
  const walk = (at: string, one: Given): void => {
    if (one.kind === "content") found.push({ at, digest: one.digest });
    if (one.kind === "list") one.items.forEach((item, index) => walk(`${at}[${index}]`, item));
    if (one.kind === "row") {
      for (const [name, cell] of Object.entries(one.cells)) walk(`${at}.${name}`, cell);
    }
  };
  for (const [name, one] of Object.entries(given)) walk(name, one);
  return found;
}
