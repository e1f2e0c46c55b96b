// The small parts of a crate: ids, people, licences, parameters, values. Nothing in them is null.

import type { Json } from "../digest.ts";
import { hasFiles } from "../engine/codec.ts";

/** An entity of a crate. */
export type Entity = Readonly<Record<string, Json>> & {
  readonly "@id": string;
  readonly "@type": string | readonly string[];
};

/** A reference to an entity. */
export function ref(id: string): { readonly "@id": string } {
  return { "@id": id };
}

/** An entity without the properties that are known to be absent, or empty. */
export function entity(
  id: string,
  type: string | readonly string[],
  properties: Readonly<Record<string, Json | undefined>>,
): Entity {
  const kept = Object.entries(properties).filter(
    (own): own is [string, Json] =>
      own[1] !== undefined &&
      own[1] !== null &&
      own[1] !== "" &&
      !(Array.isArray(own[1]) && own[1].length === 0),
  );
  return { "@id": id, "@type": type, ...Object.fromEntries(kept) };
}

/** A relative path as an id: each part escaped as URIs want it, what people read in their own letters kept. */
export function pathId(path: string): string {
  return path
    .split("/")
    .map((part) => encodeURIComponent(part).replaceAll(/(%[89A-F][0-9A-F])+/g, decodeURIComponent))
    .join("/");
}

/** A local id from any text. */
export function localId(...parts: readonly string[]): string {
  return `#${parts.map((part) => encodeURIComponent(part)).join("-")}`;
}

/** Whoever ran something: "Ada Lovelace <https://orcid.org/…>", or a name alone. */
export function personOf(text: string): Entity {
  const found = /^(.*?)\s*<(https?:\/\/[^<>\s]+)>$/.exec(text.trim());
  const [name, url] = found === null ? [text.trim(), null] : [found[1] ?? "", found[2] ?? ""];
  return entity(url ?? localId("person", name), "Person", { name: name === "" ? url : name });
}

/** A licence by its SPDX id or URL. */
export function licenceOf(text: string): Entity {
  const isUrl = /^https?:\/\//.test(text);
  const id = isUrl ? text : `https://spdx.org/licenses/${encodeURIComponent(text)}`;
  return entity(id, "CreativeWork", {
    name: text,
    description: `What this crate says, and what it holds, may be used as ${text} says.`,
    identifier: id,
  });
}

/** What a formal parameter takes, by a value of it. */
export function typeOfValue(value: Json): string {
  if (typeof value === "boolean") return "Boolean";
  if (typeof value === "number") return Number.isInteger(value) ? "Integer" : "Float";
  return typeof value === "string" ? "Text" : "PropertyValue";
}

/** What a formal parameter takes, by the kind of its content. */
export function typeOfKind(kind: string): string {
  return hasFiles(kind) ? "Dataset" : "File";
}

/** A value as a property has it: what is no text, number or boolean as JSON. */
export function propertyValue(
  id: string,
  name: string,
  value: Json,
  exampleOf: string | null,
): Entity {
  const isPlain = ["string", "number", "boolean"].includes(typeof value);
  return entity(id, "PropertyValue", {
    name,
    // An empty text is a value, too.
    value: value === "" ? '""' : isPlain ? value : JSON.stringify(value),
    exampleOfWork: exampleOf === null ? undefined : ref(exampleOf),
  });
}

/** "tables[1]" → "tables": the parameter that it is a value of. */
export function slotOf(name: string): string {
  return name.replace(/(\[\d+\])+$/, "");
}

/** How an action ended: its status, and the error of one that failed. */
export function statusOf(status: string, error: string | null): Readonly<Record<string, Json>> {
  if (status === "failed" || status === "cancelled") {
    return {
      actionStatus: "http://schema.org/FailedActionStatus",
      error: error === null || error === "" ? `it has ${status}` : error,
    };
  }
  const isOver = status === "succeeded" || status === "degraded";
  return {
    actionStatus: isOver
      ? "http://schema.org/CompletedActionStatus"
      : "http://schema.org/ActiveActionStatus",
  };
}
