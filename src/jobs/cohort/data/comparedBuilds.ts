// Which builds a comparison means, and which exports limit it.

import { HdashError } from "../../../error.ts";
import { quoted } from "../../../format.ts";
import type { Catalog } from "./catalog.ts";
import { byText } from "./text.ts";

/** A build as a command line names it. */
export interface NamedBuild {
  readonly namespace: string;
  /** Null: the namespace's current one. */
  readonly build: string | null;
}

/** Reads "NAMESPACE", "NAMESPACE@BUILD" or "@BUILD", a build of `own`. Throws usage where a name is empty. */
export function readNamedBuild(text: string, own: string): NamedBuild {
  const at = text.indexOf("@");
  const [namespace, build] = at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
  if (build?.trim() === "" || (build === null && namespace.trim() === "")) {
    const hint = "Say NAMESPACE, NAMESPACE@BUILD or @BUILD: hdash cohort compare foo main.";
    throw new HdashError("usage", `${quoted(text)} names no build`, { hint });
  }
  return { namespace: namespace === "" ? own : namespace, build };
}

/** An export as rows name it. */
export interface RowExport {
  readonly cohort: string;
  /** The day that it ends, as rows have it. */
  readonly end: string;
}

/** Lists the exports that could give a type rows: by the names of its members that are not empty. */
export function exportsOf(catalog: Catalog, type: string): readonly RowExport[] {
  const found = new Map<string, RowExport>();
  for (const { report } of catalog.exports) {
    for (const { type: of, bytes, end } of report.members) {
      if (of !== type || bytes === 0 || end === null) continue;
      found.set(`${report.cohort}/${end}`, { cohort: report.cohort, end });
    }
  }
  return [...found].sort(([a], [b]) => byText(a, b)).map(([, one]) => one);
}
