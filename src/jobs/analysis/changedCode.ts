// Why the code of a result is not the code that there is now, by the names of what has changed.

import { canonicalJson, type Json } from "../../digest.ts";
import type { StepDocument } from "../../engine/key.ts";
import { listFew } from "../../format.ts";
import { userUses } from "../../lineage/document.ts";
import { type CodeListing, readListings } from "../../store/codeListings.ts";
import type { Db } from "../../store/schema.ts";
import type { Opened, OpenedStep } from "./opened.ts";
import { usesOf } from "./steps.ts";

/** More names help nobody. */
const MOST_NAMED = 5;

/** Tells whether a step is what a result was made by: its code, and all else that it declares. */
export function isSameCode(document: StepDocument, step: OpenedStep, isStub: boolean): boolean {
  const { declared } = step;
  return (
    document.version === (declared.version ?? 1) &&
    canonicalJson(document.uses ?? null) === canonicalJson(usesOf(step, isStub))
  );
}

/** Says in a sentence what has changed of a step since a result was made. */
export async function sayChanged(
  db: Db,
  document: StepDocument,
  { step, opened, isStub }: { step: OpenedStep; opened: Opened; isStub: boolean },
): Promise<string> {
  const { declared, code, uses } = step;
  const { name, version = 1 } = declared;
  const was = userUses(document);
  if (document.version !== version) {
    return `the version of ${name} was ${document.version}, and is ${version}`;
  }
  const kept = await readListings(
    db,
    [was?.code, was?.uses].flatMap((one) => (typeof one === "string" ? [one as never] : [])),
  );
  const listed = (
    what: string,
    before: string | null | undefined,
    now: string | null,
  ): string | null => {
    if ((before ?? null) === now) return null;
    const then = kept.get(before as never);
    const is = now === null ? undefined : opened.listings.get(now as never);
    const names = then === undefined || is === undefined ? [] : changedNames(then, is);
    const which = names.length === 0 ? "" : `: ${listFew(names, MOST_NAMED)}`;
    return `${what} since${which}`;
  };
  const declares = Object.entries(usesOf(step, isStub) as Readonly<Record<string, Json>>)
    .filter(([key]) => key !== "code" && key !== "uses")
    .map(([key]) => key);
  return (
    listed(`the code of ${name} has changed`, was?.code, code) ??
    listed(`what ${name} uses has changed`, was?.uses, uses) ??
    `what ${name} declares has changed since: one of ${declares.join(", ")}`
  );
}

/** Names modules and packages that are not the same in both. */
function changedNames(before: CodeListing, now: CodeListing): readonly string[] {
  const textOf = (listing: CodeListing): Map<string, string> =>
    new Map([
      ...listing.modules.map(({ path, digest }) => [path, digest] as const),
      ...listing.packages.map(({ name, version }) => [name, version] as const),
    ]);
  const [a, b] = [textOf(before), textOf(now)];
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name));
}
