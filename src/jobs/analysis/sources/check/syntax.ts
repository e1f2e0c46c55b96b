// A module's syntax, walked: what a rule asks of it.

import type { Comment, Program } from "acorn";

import { parseCode } from "../code/moduleText.ts";
import type { Spot } from "./found.ts";

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly loc: { readonly start: { readonly line: number; readonly column: number } };
  readonly [key: string]: unknown;
}

/** A module that was parsed. */
export interface ParsedModule {
  /** Absolute. */
  readonly file: string;
  readonly program: SyntaxNode;
  readonly comments: readonly { readonly line: number; readonly text: string }[];
}

/** Parses a module. Throws usage that names file and line where it is no program. */
export function parseFile(file: string, bytes: Uint8Array): ParsedModule {
  const comments: Comment[] = [];
  const program: Program = parseCode(file, bytes, comments);
  return {
    file,
    program: program as unknown as SyntaxNode,
    comments: comments.map(({ value, loc }) => ({ line: loc?.end.line ?? 0, text: value.trim() })),
  };
}

export function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"
  );
}

export function spotOf({ loc: { start } }: SyntaxNode): Spot {
  return { line: start.line, column: start.column + 1 };
}

/** Visits a node and all in it, outermost first, with the nodes around each, innermost last. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, around: readonly SyntaxNode[]) => void,
  around: readonly SyntaxNode[] = [],
): void {
  visit(node, around);
  const inner = [...around, node];
  for (const value of Object.values(node)) {
    for (const one of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
      if (isNode(one)) walk(one, visit, inner);
    }
  }
}

/** What stands in parentheses. */
export function bare(value: unknown): SyntaxNode | null {
  if (!isNode(value)) return null;
  return value.type === "ParenthesizedExpression" ? bare(value["expression"]) : value;
}

/** The name of an identifier; null for any other. */
export function nameOf(value: unknown): string | null {
  const node = bare(value);
  return node?.type === "Identifier" && typeof node["name"] === "string" ? node["name"] : null;
}

/** The text of a literal; null for any other. */
export function textOf(value: unknown): string | null {
  const node = bare(value);
  return node?.type === "Literal" && typeof node["value"] === "string" ? node["value"] : null;
}

/** The nodes of a list of nodes. */
export function nodesOf(value: unknown): readonly SyntaxNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The name of what a member expression asks for: `a.b`, `a["b"]`. */
export function memberOf(node: SyntaxNode): string | null {
  const { computed, property } = node;
  return computed === true ? textOf(property) : nameOf(property);
}

/** Tells whether a module has a default export, of its own or of another module's. */
export function hasDefault({ program }: ParsedModule): boolean {
  return nodesOf(program["body"]).some(
    (node) =>
      node.type === "ExportDefaultDeclaration" ||
      nodesOf(node["specifiers"]).some(
        ({ type, exported }) =>
          type === "ExportSpecifier" && (nameOf(exported) ?? textOf(exported)) === "default",
      ),
  );
}
