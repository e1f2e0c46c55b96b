// Names that begin with #: what a package's own package.json says that they lead to, as Node reads it for `import`.

import { isObject } from "./place.ts";

/** Which branches of a conditional target Node takes for an import, whatever their order here. */
const CONDITIONS: readonly string[] = ["node", "import", "module-sync", "node-addons", "default"];

/** Finds what a name leads to: a path from the package's folder ("./…") or the name of a package; null where it leads nowhere. */
export function findSubpath(
  imports: Readonly<Record<string, unknown>>,
  name: string,
): string | null {
  const exact = name.includes("*") ? undefined : imports[name];
  if (exact !== undefined) return targetOf(exact, "");
  let best: { readonly key: string; readonly middle: string } | null = null;
  for (const key of Object.keys(imports)) {
    const [before = "", after, more] = key.split("*");
    if (after === undefined || more !== undefined) continue;
    if (name.length < key.length || !name.startsWith(before) || !name.endsWith(after)) continue;
    const middle = name.slice(before.length, name.length - after.length);
    if (best === null || isNearer(key, best.key)) best = { key, middle };
  }
  return best === null ? null : targetOf(imports[best.key], best.middle);
}

/** The pattern with the longer beginning is nearer; of equals, the longer. */
function isNearer(a: string, b: string): boolean {
  const [begunA, begunB] = [a.indexOf("*"), b.indexOf("*")];
  return begunA === begunB ? a.length > b.length : begunA > begunB;
}

function targetOf(target: unknown, middle: string): string | null {
  if (typeof target === "string") return target.replaceAll("*", () => middle);
  if (Array.isArray(target)) return targetOf(target[0], middle);
  if (!isObject(target)) return null;
  for (const [condition, inner] of Object.entries(target)) {
    if (!CONDITIONS.includes(condition)) continue;
    const found = targetOf(inner, middle);
    // A null says that there is nothing; only a branch that says nothing is passed by.
    if (found !== null || inner === null) return found;
  }
  return null;
}
