// What one module says: a digest of its meaning, the names that it imports, and where code comes in that cannot be seen.

import { stripTypeScriptTypes } from "node:module";

import { type Comment, getLineInfo, type Options, parse, type Program } from "acorn";

import { type Digest, digestOf } from "../../../../digest.ts";
import { codeOf, HdashError, messageOf } from "../../../../error.ts";
import { type SyntaxText, writeSyntax } from "./syntaxText.ts";

export interface ModuleText {
  /** Of what the module means; of what it imports by path only that it does. */
  readonly digest: Digest;
  /** In an order that the module's meaning fixes. */
  readonly imports: readonly { readonly specifier: string; readonly line: number }[];
  /** What the digest cannot see. */
  readonly notes: readonly { readonly line: number; readonly says: string }[];
  /** Does what only a module may do; what does not is a script where package.json does not say "module". */
  readonly isSurelyModule: boolean;
}

const TYPED: readonly string[] = [".ts", ".mts"];
const DATA = ".json";

/** The ends of the names of files that a pipeline may be made of. */
export const EXTENSIONS: readonly string[] = [...TYPED, ".js", ".mjs", DATA];

/** Tells the end of a file's name, with its point; "" where it has none. */
export function extensionOf(path: string): string {
  return /[^/\\](\.[^./\\]*)$/.exec(path)?.[1] ?? "";
}

/**
 * Reads a module's bytes. Throws an HdashError that names the file and the line where they are no program that Node runs.
 * @param path where they stand: its end says how to read them, and messages name it.
 */
export function readModuleText(path: string, bytes: Uint8Array): ModuleText {
  // As Node reads modules: without a byte order mark, and with a sign for what is no UTF-8.
  const source = new TextDecoder().decode(bytes);
  const extension = extensionOf(path);
  if (extension === DATA) return readData(path, source);
  const code = withoutTypes(path, source);
  const { text, imports, blind, isSurelyModule } = readSyntax(path, code);
  const lineAt = (at: number): number => getLineInfo(code, at).line;
  return {
    digest: digestOf(text),
    imports: imports.map(({ specifier, at }) => ({ specifier, line: lineAt(at) })),
    notes: blind.map(({ says, at }) => ({ line: lineAt(at), says })),
    isSurelyModule,
  };
}

/** Of brackets in each other. Node's reader of TypeScript stands 1,000, and with 1,500 it is broken for the rest of the process. */
const DEEPEST = 500;
const TOO_DEEP = "expressions stand in each other too deeply";

/** Counts how deep brackets stand in each other, those in texts too: who has so many that nobody closes has no program. */
function depthOf(source: string): number {
  let [depth, deepest] = [0, 0];
  for (const [bracket] of source.matchAll(/[()[\]{}]/g)) {
    depth += "([{".includes(bracket) ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function stripTypes(path: string, source: string): string {
  if (depthOf(source) > DEEPEST) throw refuse(path, null, TOO_DEEP, {});
  try {
    return stripTypeScriptTypes(source, { mode: "strip" });
  } catch (error) {
    // The place stands nowhere but in front of the stack: ":12", then the line itself.
    const place = error instanceof Error ? /^[^\n]*:(\d+)\n/.exec(error.stack ?? "")?.[1] : null;
    const code = codeOf(error);
    if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") {
      throw refuse(path, place ?? null, messageOf(error), {
        cause: error,
        hint: "Node runs TypeScript whose types can be taken out; `erasableSyntaxOnly` in tsconfig.json says so in the editor.",
      });
    }
    // How it says that its stack was too small.
    if (code === "ERR_INTERNAL_ASSERTION") throw refuse(path, null, TOO_DEEP, { cause: error });
    if (code !== "ERR_INVALID_TYPESCRIPT_SYNTAX") throw error;
    throw refuse(path, place ?? null, messageOf(error), { cause: error });
  }
}

/** A module's code without its types, in whose place are blanks: every line and column stays what it was. */
function withoutTypes(path: string, source: string): string {
  return TYPED.includes(extensionOf(path)) ? stripTypes(path, source) : source;
}

/** Parses a module's bytes as they are read for its digest, with the places of everything; `onComment` gets its comments. */
export function parseCode(path: string, bytes: Uint8Array, onComment: Comment[]): Program {
  const code = withoutTypes(path, new TextDecoder().decode(bytes));
  return parseModule(path, code, { locations: true, onComment });
}

function readSyntax(path: string, code: string): SyntaxText {
  try {
    return writeSyntax(parseModule(path, code));
  } catch (error) {
    // Parser and writer go down as deep as the program does.
    if (!(error instanceof RangeError)) throw error;
    throw refuse(path, null, TOO_DEEP, { cause: error });
  }
}

function parseModule(path: string, code: string, more: Partial<Options> = {}): Program {
  const options = { sourceType: "module", preserveParens: true, ...more } as const;
  try {
    return parse(code, { ecmaVersion: "latest", ...options });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const at = "pos" in error && typeof error.pos === "number" ? error.pos : 0;
    const says =
      code[at] === "@"
        ? "decorators are not supported: Node does not run them"
        : error.message.replace(/ \(\d+:\d+\)$/, "");
    throw refuse(path, getLineInfo(code, at).line, says, { cause: error });
  }
}

const STRING_OR_SPACE = /("(?:[^"\\]|\\.)*")|\s+/g;

/** Reads a file of JSON. Layout does not count; the order of keys does, since a program sees it. */
function readData(path: string, source: string): ModuleText {
  try {
    JSON.parse(source);
  } catch (error) {
    const message = messageOf(error);
    const line = /\(line (\d+) column/.exec(message)?.[1] ?? null;
    throw refuse(path, line, message.replace(/ \(line .*$/s, ""), { cause: error });
  }
  const text = source.replace(STRING_OR_SPACE, (_, string: string | undefined) => string ?? "");
  return { digest: digestOf(`json ${text}`), imports: [], notes: [], isSurelyModule: true };
}

function refuse(
  path: string,
  line: string | number | null,
  says: string,
  options: { readonly cause?: unknown; readonly hint?: string },
): HdashError {
  return new HdashError("usage", `${path}${line === null ? "" : `:${line}`}: ${says}`, options);
}
