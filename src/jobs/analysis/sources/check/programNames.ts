// Which programs a step's command line starts, as far as its text says so for certain: a program that this machine lacks is told before
// anything runs.

import { makeShellScanner } from "../../writing/shellScanner.ts";
import { type Declaration, type Declarations, hdashName } from "./declarations.ts";
import type { Spot } from "./found.ts";
import { bare, isNode, nodesOf, spotOf, type SyntaxNode, textOf, walk } from "./syntax.ts";

/** A program that a step starts. */
export interface NamedProgram {
  readonly name: string;
  readonly place: Spot;
}

/** Words of bash that are no programs, or may be none. */
const OF_BASH: readonly string[] = [
  ..."if then elif else fi for in do done while until case esac select function time coproc".split(
    " ",
  ),
  ...". : [ [[ ]] { } ! alias bg bind break builtin caller cd command compgen complete".split(" "),
  ...(
    "continue declare dirs disown echo enable eval exec exit export false fc fg getopts hash " +
    "help history jobs kill let local logout mapfile popd printf pushd pwd read readarray " +
    "readonly return set shift shopt source suspend test times trap true type typeset ulimit " +
    "umask unalias unset wait"
  ).split(" "),
];
/** After these a command begins as at the start of a line. */
const BEFORE_COMMANDS: readonly string[] = [
  ..."if then elif else while until do ! { time".split(" "),
];
/** Text that makes it unsure what is a command: functions, case, other documents, another PATH, subshells within words. */
const UNSURE =
  /\(\s*\)|\(\(|[=!?*+@$<>]\(|\bcase\b|\bfunction\b|\bPATH=|<<|`|\balias\b|\beval\b|\bhash\b/;

/** Finds the programs of a command's declaration. */
export function namedPrograms(
  { kind, fields }: Declaration,
  declarations: Declarations,
): readonly NamedProgram[] {
  if (kind !== "command") return [];
  const env = fields.get("env");
  // Where it looks for programs may be changed.
  if (env !== undefined && !isPlainEnv(env)) return [];
  const run = fields.get("run");
  const argv = fields.get("argv");
  return [
    ...(run === undefined ? [] : ofScripts(run, declarations)),
    ...(argv === undefined ? [] : ofWords(argv)),
  ];
}

function isPlainEnv(env: SyntaxNode): boolean {
  if (env.type !== "ObjectExpression") return false;
  return nodesOf(env["properties"]).every((one) => {
    const key = bare(one["key"]);
    return one.type === "Property" && key?.["name"] !== "PATH" && textOf(key) !== "PATH";
  });
}

/** The first word of `argv`, where it is one. */
function ofWords(argv: SyntaxNode): readonly NamedProgram[] {
  const lists: SyntaxNode[] = [];
  const returned = bare(argv["body"]);
  if (returned?.type === "ArrayExpression") lists.push(returned);
  walk(argv, (node) => {
    const value = node.type === "ReturnStatement" ? bare(node["argument"]) : null;
    if (value?.type === "ArrayExpression") lists.push(value);
  });
  return lists.flatMap((list) => {
    const [first] = nodesOf(list["elements"]);
    const name = textOf(first);
    return first === undefined || name === null ? [] : [{ name, place: spotOf(first) }];
  });
}

function ofScripts(run: SyntaxNode, declarations: Declarations): readonly NamedProgram[] {
  const found: NamedProgram[] = [];
  walk(run, (node) => {
    if (node.type !== "TaggedTemplateExpression") return;
    if (hdashName(node["tag"], declarations) !== "sh" || !isNode(node["quasi"])) return;
    const pieces = nodesOf(node["quasi"]["quasis"]).map((one) => {
      const value = one["value"] as { readonly cooked?: string | null } | undefined;
      return value?.cooked ?? "";
    });
    for (const name of commandsOf(pieces)) found.push({ name, place: spotOf(node) });
  });
  return found;
}

/** What stands for a value: no name of a program has it. */
const VALUE = "\0";

/** The programs that a script's commands begin with; none where it has what only a shell can read. */
export function commandsOf(pieces: readonly string[]): readonly string[] {
  const text = pieces.join(VALUE);
  if (UNSURE.test(text)) return [];
  const scanner = makeShellScanner();
  const found = new Set<string>();
  let word = "";
  let [isPlain, isAtCommand, isTarget] = [true, true, false];
  const end = (): void => {
    if (word === "") return;
    if (isTarget) isTarget = false;
    else if (isAtCommand && !/^\w+=/.test(word)) {
      isAtCommand = BEFORE_COMMANDS.includes(word);
      const isName = isPlain && /^[A-Za-z0-9_./+-]+$/.test(word) && !/^[0-9.]+$/.test(word);
      if (isName && !OF_BASH.includes(word)) found.add(word);
      // What follows these is no command, and where that ends is for a shell to know.
      if (["for", "select", "coproc", "[["].includes(word)) isAtCommand = false;
    }
    word = "";
    isPlain = true;
  };
  for (const char of text) {
    const place = scanner.place();
    scanner.feed(char);
    if (place !== null || scanner.place() !== null) {
      // Quotes and what is in them are part of a word, comments of none.
      if (place === "a comment" || (place === null && char === "#" && word === "")) {
        if (char !== "\n") continue;
      } else {
        word += char;
        isPlain = false;
        continue;
      }
    }
    if (char === VALUE) {
      word += char;
      isPlain = false;
    } else if (/[\s;&|()<>]/.test(char)) {
      // A number in front of an arrow is that of a file.
      if (/[<>]/.test(char) && /^\d+$/.test(word)) word = "";
      end();
      if (/[\n;&|()]/.test(char) && !isTarget) isAtCommand = true;
      if (/[<>]/.test(char)) isTarget = true;
      else if (char === "\n") isTarget = false;
    } else word += char;
  }
  end();
  return [...found];
}
