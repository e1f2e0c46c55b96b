// A module's syntax as text that is the same for all ways of writing the same program: no comments, no layout, no semicolons, no quotes,
// no parentheses, no types. What it imports by path is a blank in that text, so that a renamed file changes nothing.

import type { Program } from "acorn";

/** What a module asks for by name, and where. */
export interface Import {
  readonly specifier: string;
  /** Offset in the source. */
  readonly at: number;
}

/** A place where code comes in that no reading of the source can see. */
export interface Blind {
  /** Offset in the source. */
  readonly at: number;
  readonly says: string;
}

export interface SyntaxText {
  readonly text: string;
  /** In the order in which they stand in the text. */
  readonly imports: readonly Import[];
  readonly blind: readonly Blind[];
  /** Has an import, an export, import.meta or an await outside of functions: Node takes it for a module whatever package.json says. */
  readonly isSurelyModule: boolean;
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

interface Writing {
  readonly parts: string[];
  readonly imports: Import[];
  readonly blind: Blind[];
  isSurelyModule: boolean;
  /** How many functions stand around what is written. */
  functions: number;
  /** Names under which the module has what declares steps and pipelines. */
  readonly declarers: ReadonlySet<string>;
}

/**
 * Writes a program's syntax canonically: equal texts, and equal targets of the imports, mean equal behaviour. The converse is not promised:
 * another name of a local variable is another text. What a program learns of its own text (Function.prototype.toString, lines in a
 * stack trace) or of its own place (import.meta.url) does not count. The program was parsed with `preserveParens`.
 */
export function writeSyntax(program: Program): SyntaxText {
  const writing: Writing = {
    ...{ parts: [], imports: [], blind: [] },
    ...{ isSurelyModule: false, functions: 0, declarers: declarersOf(program) },
  };
  writeValue(program, writing);
  const { parts, imports, blind, isSurelyModule } = writing;
  return { text: parts.join(""), imports, blind, isSurelyModule };
}

function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"
  );
}

function writeValue(value: unknown, out: Writing): void {
  if (isNode(value)) writeNode(value, out);
  else if (Array.isArray(value)) {
    out.parts.push("[");
    for (const item of value) {
      writeValue(item, out);
      out.parts.push(",");
    }
    out.parts.push("]");
  } else if (typeof value === "string" || typeof value === "boolean" || value === null) {
    out.parts.push(JSON.stringify(value));
  } else {
    throw new TypeError(`the parser gave a ${typeof value} where syntax was expected`);
  }
}

/** Statements that do nothing where statements stand in a row. Types leave some behind when they are taken out. */
const ROWS: Readonly<Record<string, string>> = {
  Program: "body",
  BlockStatement: "body",
  StaticBlock: "body",
  SwitchCase: "consequent",
};
const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];
const OF_MODULES = [
  ...["ImportDeclaration", "ExportNamedDeclaration", "ExportDefaultDeclaration"],
  "ExportAllDeclaration",
];
/** Not syntax: where it stood, and how it was spelled. */
const IGNORED = new Set(["type", "start", "end"]);

function writeNode(node: SyntaxNode, out: Writing): void {
  switch (node.type) {
    case "ParenthesizedExpression":
      return writeValue(node["expression"], out);
    case "Literal":
      return void out.parts.push(writeLiteral(node));
    case "TemplateElement":
      // The raw text: a tag sees it, and it says what the cooked one is.
      return void out.parts.push("`", JSON.stringify(rawOf(node)));
  }
  look(node, out);
  const isFunction = FUNCTIONS.includes(node.type);
  if (isFunction) out.functions++;
  out.parts.push(node.type, "{");
  for (const key of Object.keys(node).sort()) {
    if (IGNORED.has(key)) continue;
    if (key === "arguments" && isDeclaration(node, out)) writeValue(declaredIn(node), out);
    else writeField(node, key, out);
  }
  out.parts.push("}");
  if (isFunction) out.functions--;
}

/** What a module imports from "hdash" to declare steps and pipelines with. */
const DECLARERS: readonly string[] = ["step", "command", "container", "source", "pipeline"];
/** What is said in a declaration for people and for machines, and decides nothing of what a step gives. */
const NOT_OF_THE_STEP: readonly string[] = ["description", "title", "resources", "attempts"];

function declarersOf({ body }: Program): ReadonlySet<string> {
  const names = new Set<string>();
  for (const statement of body) {
    if (statement.type !== "ImportDeclaration" || statement.source.value !== "hdash") continue;
    for (const one of statement.specifiers) {
      if (one.type !== "ImportSpecifier" || one.imported.type !== "Identifier") continue;
      if (DECLARERS.includes(one.imported.name)) names.add(one.local.name);
    }
  }
  return names;
}

/** Tells the declaration of a step or a pipeline. Within a function the name may stand for something else. */
function isDeclaration({ type, callee }: SyntaxNode, { functions, declarers }: Writing): boolean {
  if (type !== "CallExpression" || functions > 0 || !isNode(callee)) return false;
  return callee.type === "Identifier" && declarers.has(String(callee["name"]));
}

/** Tells a value that does nothing by being read: to leave it out changes nothing else. */
function isPlain(value: unknown): boolean {
  if (!isNode(value)) return false;
  const inner = (name: string): readonly unknown[] => value[name] as readonly unknown[];
  switch (value.type) {
    case "Literal":
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return true;
    case "TemplateLiteral":
      return inner("expressions").length === 0;
    case "ParenthesizedExpression":
      return isPlain(value["expression"]);
    case "ArrayExpression":
      return inner("elements").every(isPlain);
    case "ObjectExpression":
      return inner("properties").every(
        (own) =>
          isNode(own) &&
          own.type === "Property" &&
          own["computed"] !== true &&
          isPlain(own["value"]),
      );
    default:
      return false;
  }
}

/** The arguments of a declaration, without what is not of the step. */
function declaredIn(node: SyntaxNode): readonly unknown[] {
  const [first, ...others] = node["arguments"] as readonly SyntaxNode[];
  if (first?.type !== "ObjectExpression") return first === undefined ? [] : [first, ...others];
  const properties = first["properties"] as readonly SyntaxNode[];
  const own = properties.filter(({ type, key, computed, value }) => {
    if (type !== "Property" || computed === true || !isNode(key)) return true;
    const name = key.type === "Identifier" ? key["name"] : key["value"];
    return !NOT_OF_THE_STEP.includes(String(name)) || !isPlain(value);
  });
  return [{ ...first, properties: own }, ...others];
}

function writeField(node: SyntaxNode, key: string, out: Writing): void {
  const value = node[key];
  // What is not there is not written, so that a parser that learns of new syntax gives the old one its old text.
  if (value === null || value === undefined || value === false) return;
  if (Array.isArray(value) && value.length === 0) return;
  out.parts.push(key, ":");
  if (key === "source" && writeSource(value, out)) return;
  if (key === "key" && node["computed"] === false) {
    // `{ a: 1 }` and `{ "a": 1 }` are the same.
    const name = isNode(value) && value.type === "Identifier" ? value["name"] : stringOf(value);
    if (typeof name === "string") return void out.parts.push("=", JSON.stringify(name), ";");
  }
  if (isNameless(node, key)) out.parts.push("()");
  const isRow = ROWS[node.type] === key && Array.isArray(value);
  writeValue(
    isRow ? value.filter((one) => !isNode(one) || one.type !== "EmptyStatement") : value,
    out,
  );
  out.parts.push(";");
}

/** `(f) = () => {}` gives the function no name, `f = () => {}` does: the only parentheses that mean more than what they hold. */
function isNameless(node: SyntaxNode, key: string): boolean {
  if (key !== "left" || !node.type.startsWith("Assignment")) return false;
  const target = node[key];
  if (!isNode(target) || target.type !== "ParenthesizedExpression") return false;
  const name = withoutParentheses(target);
  return isNode(name) && name.type === "Identifier";
}

function writeLiteral(node: SyntaxNode): string {
  const { regex, value } = node;
  // By the pattern: where this Node does not know the syntax, the value is null.
  if (regex !== undefined) return `literal ${JSON.stringify(regex)}`;
  if (typeof value === "bigint") return `literal ${value}n`;
  // Two numbers of one text are one number; 1e999 is Infinity, which no name can be taken for here.
  if (typeof value === "number") return `literal ${value}`;
  if (typeof value === "string" || typeof value === "boolean" || value === null) {
    // Not the bare null, which is what a hole is: `[, 1]` and `[null, 1]`.
    return `literal ${JSON.stringify(value)}`;
  }
  throw new TypeError(`the parser gave a literal of type ${typeof value}`);
}

function rawOf(element: SyntaxNode): string {
  const { value } = element;
  if (typeof value !== "object" || value === null || !("raw" in value)) {
    throw new TypeError("the parser gave a template without its text");
  }
  return String(value.raw);
}

/** Tells whether a specifier is a path, and not the name of a package. */
export function isPath(specifier: string): boolean {
  return /^(?:\.{0,2}\/|\.{1,2}$|file:)/.test(specifier);
}

/** What follows a path and makes another instance of the same module: a query, a fragment. */
function instanceOf(specifier: string): string {
  return /[?#].*$/s.exec(specifier)?.[0] ?? "";
}

/** Writes what a module imports, if it says so literally. A path is left blank: what it leads to counts for itself. */
function writeSource(source: unknown, out: Writing): boolean {
  const specifier = stringOf(source);
  if (specifier === null || !isNode(source)) return false;
  out.imports.push({ specifier, at: source.start });
  const shown = isPath(specifier) ? instanceOf(specifier) : specifier;
  out.parts.push(isPath(specifier) ? "path" : "name", JSON.stringify(shown), ";");
  return true;
}

function withoutParentheses(value: unknown): unknown {
  return isNode(value) && value.type === "ParenthesizedExpression"
    ? withoutParentheses(value["expression"])
    : value;
}

/** The function that a call calls: of `(0, f)()` f. */
function calleeOf(value: unknown): unknown {
  const node = withoutParentheses(value);
  if (!isNode(node) || node.type !== "SequenceExpression") return node;
  const list = node["expressions"];
  return Array.isArray(list) ? calleeOf(list.at(-1)) : node;
}

/** The string that an expression is: a literal, or a template without anything to fill in; null for any other. */
function stringOf(value: unknown): string | null {
  const node = withoutParentheses(value);
  if (!isNode(node)) return null;
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : null;
  const quasis = node["quasis"];
  if (node.type !== "TemplateLiteral" || !Array.isArray(quasis) || quasis.length !== 1) return null;
  const [only] = quasis as readonly unknown[];
  const cooked = isNode(only) && typeof only["value"] === "object" ? only["value"] : null;
  return cooked !== null && "cooked" in cooked && typeof cooked.cooked === "string"
    ? cooked.cooked
    : null;
}

/** What is called, and what is said of it. */
const CALLS: Readonly<Record<string, string>> = {
  require: "calls require: the code that it loads does not count; import it",
  createRequire: "makes a require: the code that it loads does not count; import it",
  eval: "calls eval: code that comes from elsewhere does not count",
  Function: "makes a function of text: code that comes from elsewhere does not count",
  Worker: "starts a worker: the code of its module does not count; import that module too",
};
const GLOBALS = ["globalThis", "global"];
const CALLED_OF_ANYTHING = ["createRequire", "Worker"];

/** Notes what no digest of the source can see, and what only a module has. */
function look(node: SyntaxNode, out: Writing): void {
  const { type, start: at } = node;
  if (OF_MODULES.includes(type) || type === "MetaProperty") {
    // `new.target` is a meta property too, and every function may have it.
    const meta = node["meta"];
    if (!isNode(meta) || meta["name"] === "import") out.isSurelyModule = true;
  }
  const isAwait =
    type === "AwaitExpression" || (type === "ForOfStatement" && node["await"] === true);
  if (isAwait && out.functions === 0) out.isSurelyModule = true;
  if (type === "ImportExpression" && stringOf(node["source"]) === null) {
    const says = "imports a module whose name is computed: the code of that module does not count";
    out.blind.push({ at, says });
  }
  if (type === "CallExpression" || type === "NewExpression") {
    const says = CALLS[calledBy(node) ?? ""];
    if (says !== undefined) out.blind.push({ at, says });
  }
  if (type === "MemberExpression" && nameOfMember(node) === "resolve") {
    const object = withoutParentheses(node["object"]);
    if (isNode(object) && object.type === "MetaProperty") {
      const says = "asks where a module is (import.meta.resolve): what stands there does not count";
      out.blind.push({ at, says });
    }
  }
}

function calledBy(call: SyntaxNode): string | null {
  const callee = calleeOf(call["callee"]);
  if (!isNode(callee)) return null;
  if (callee.type === "Identifier") return stringField(callee, "name");
  if (callee.type !== "MemberExpression") return null;
  const name = nameOfMember(callee) ?? "";
  const object = withoutParentheses(callee["object"]);
  const isGlobal = isNode(object) && GLOBALS.includes(stringField(object, "name") ?? "");
  return isGlobal || CALLED_OF_ANYTHING.includes(name) ? name : null;
}

function nameOfMember(member: SyntaxNode): string | null {
  const property = member["property"];
  if (member["computed"] === true) return stringOf(property);
  return isNode(property) ? stringField(property, "name") : null;
}

function stringField(node: SyntaxNode, key: string): string | null {
  const value = node[key];
  return typeof value === "string" ? value : null;
}
