// Where a module declares steps and a pipeline, as it is written: for the places of what is found, and for what is within which step.

import type { Declared } from "../../opened.ts";
import { HDASH } from "../code/packages.ts";
import {
  bare,
  memberOf,
  nameOf,
  nodesOf,
  type ParsedModule,
  type SyntaxNode,
  textOf,
  walk,
} from "./syntax.ts";

/** A call of step(), command(), container(), source() or pipeline(). */
export interface Declaration {
  readonly kind: Declared["kind"] | "pipeline";
  /** Null where it is no literal. */
  readonly name: string | null;
  readonly call: SyntaxNode;
  /** The values of its fields, by name; of those that are spread in, too. */
  readonly fields: ReadonlyMap<string, SyntaxNode>;
}

export interface Declarations {
  readonly all: readonly Declaration[];
  /** What it imports from hdash: names of hdash's by the names that the module has for them. */
  readonly imported: ReadonlyMap<string, string>;
  /** Names by which it has all of hdash. */
  readonly whole: ReadonlySet<string>;
}

const KINDS: Readonly<Record<string, Declaration["kind"]>> = {
  step: "function",
  command: "command",
  container: "container",
  source: "source",
  pipeline: "pipeline",
};

/** Finds a module's declarations. */
export function findDeclarations({ program }: ParsedModule): Declarations {
  const imported = new Map<string, string>();
  const whole = new Set<string>();
  for (const node of nodesOf(program["body"])) {
    if (node.type !== "ImportDeclaration" || textOf(node["source"]) !== HDASH) continue;
    for (const one of nodesOf(node["specifiers"])) {
      const local = nameOf(one["local"]);
      const asked = nameOf(one["imported"]) ?? textOf(one["imported"]);
      if (local === null) continue;
      if (one.type === "ImportNamespaceSpecifier") whole.add(local);
      else if (asked !== null) imported.set(local, asked);
    }
  }
  const all: Declaration[] = [];
  walk(program, (node) => {
    if (node.type !== "CallExpression") return;
    const kind = KINDS[hdashName(node["callee"], { imported, whole }) ?? ""];
    const [object] = nodesOf(node["arguments"]);
    if (kind === undefined || object === undefined) return;
    const fields = new Map(fieldsOf(bare(object)));
    all.push({ kind, name: textOf(fields.get("name")), call: node, fields });
  });
  return { all, imported, whole };
}

/** What of hdash an expression is; null for what is none of it. */
export function hdashName(
  value: unknown,
  { imported, whole }: Pick<Declarations, "imported" | "whole">,
): string | null {
  const node = bare(value);
  if (node?.type === "MemberExpression") {
    return whole.has(nameOf(node["object"]) ?? "") ? memberOf(node) : null;
  }
  return imported.get(nameOf(node) ?? "") ?? null;
}

function fieldsOf(object: SyntaxNode | null): readonly (readonly [string, SyntaxNode])[] {
  if (object?.type !== "ObjectExpression") return [];
  return nodesOf(object["properties"]).flatMap((property) => {
    if (property.type === "SpreadElement") return fieldsOf(bare(property["argument"]));
    const name = nameOf(property["key"]) ?? textOf(property["key"]);
    const value = bare(property["value"]);
    return name === null || value === null ? [] : [[name, value] as const];
  });
}
