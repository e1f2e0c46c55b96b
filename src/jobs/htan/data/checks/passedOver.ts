// Manifests that do not count, since their folder has a newer one, named where a check misses what they may hold.

import type { PassedOver } from "../analysis.ts";
import type { Component, Components } from "../components.ts";
import { foldName } from "../spelling.ts";

/** A manifest that does not count, with its entry in the component table; null where nothing tells its component. */
export interface KnownPassedOver {
  readonly manifest: PassedOver;
  readonly component: Component | null;
}

/** So many are named; more would bury the sentence. */
const NAMED = 2;
const NAME = /^synapse_storage_manifest_(.+)\.csv$/i;
const NOTE = " Passed over for a newer manifest in the same folder: ";

/** Finds the component of each: as annotated, else as the file's name says ("synapse_storage_manifest_demographics.csv"). */
export function knowPassedOver(
  passedOver: readonly PassedOver[],
  { list }: Components,
): readonly KnownPassedOver[] {
  return passedOver.map((manifest) => {
    const annotated = foldName(manifest.component ?? "");
    const named = foldName(NAME.exec(manifest.name)?.[1] ?? "");
    const component = list.find(({ component: name }) => foldName(name) === (annotated || named));
    return { manifest, component: component ?? null };
  });
}

/** Says which of them are of a component that was looked for, as a sentence after another; "" where none is. */
export function notePassedOver(
  passedOver: readonly KnownPassedOver[],
  isLookedFor: (component: Component) => boolean,
): string {
  const those = passedOver.filter(({ component }) => component !== null && isLookedFor(component));
  if (those.length === 0) return "";
  const named = those.slice(0, NAMED).map(({ manifest: { entityId, name, path, newer } }) => {
    const where = path === "" ? name : `${path}/${name}`;
    return `${entityId} (${where}) for ${newer}`;
  });
  const others = those.length > named.length ? ` and ${those.length - named.length} more` : "";
  return `${NOTE}${named.join(", ")}${others}.`;
}

/** Takes a message apart into what it says itself and the note behind it, "" where it has none. */
export function splitNote(message: string): readonly [said: string, note: string] {
  const at = message.indexOf(NOTE);
  return at < 0 ? [message, ""] : [message.slice(0, at), message.slice(at)];
}
