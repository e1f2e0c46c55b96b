// Blocks of code in documentation, put to work: files are written, commands are run as they stand, and what they print is compared.

import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { startProgram } from "./command.ts";
import { COMPILE_CACHE } from "./compileCache.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** A fenced block; its line is that of its first line of text, from 1. */
export interface DocBlock {
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

/** Finds the fenced blocks of a Markdown text. */
export function blocksOfMarkdown(text: string): readonly DocBlock[] {
  const blocks: DocBlock[] = [];
  let open: { readonly language: string; readonly line: number; readonly lines: string[] } | null =
    null;
  for (const [at, line] of text.split("\n").entries()) {
    const fence = /^```(\S*)/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === null) open = { language: fence[1] ?? "", line: at + 2, lines: [] };
    else {
      const { language, line: first, lines } = open;
      blocks.push({ language, line: first, text: lines.map((one) => `${one}\n`).join("") });
      open = null;
    }
  }
  if (open !== null) throw new Error(`the block of line ${open.line} has no end`);
  return blocks;
}

/** The file that a block of TypeScript names in its first line, "// kmer.ts" or "// kmer.ts: what it is"; null where it names none. */
export function fileOf({ language, text }: DocBlock): string | null {
  if (language !== "ts") return null;
  return /^\/\/ ([\w./-]+\.ts)(?:\s|:|$)/.exec(text)?.[1] ?? null;
}

/** Commands of a console block, each with what it is shown to print. */
function commandsOf({
  text,
}: DocBlock): readonly { readonly command: string; readonly shown: readonly string[] }[] {
  const commands: { readonly command: string; readonly shown: string[] }[] = [];
  for (const line of text.trimEnd().split("\n")) {
    if (line.startsWith("$ ")) commands.push({ command: line.slice(2), shown: [] });
    else if (commands.length === 0) throw new Error(`a console block begins with ${line}`);
    else commands.at(-1)?.shown.push(line);
  }
  return commands;
}

/** What is another each time, and each machine's own: times of day, how long something took, dates, the version. */
function masked(line: string): string {
  return line
    .trimEnd()
    .replaceAll(/\b\d\d:\d\d:\d\d\b/g, "<time>")
    .replaceAll(/\b\d+ [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC/g, "<date>")
    .replaceAll(/\b\d+(?:\.\d+)? (?:ms|s|min)\b/g, "<long>")
    .replaceAll(/\b[0-9a-f]{12,64}\b/g, "<digest>")
    .replaceAll(/\bhdash \d+\.\d+\.\d+\b/g, "hdash <version>");
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Says in which line what was printed is not what is shown; null where it is. A line "…" stands for any lines, "…" in a line for anything. */
export function differenceOf(shown: readonly string[], printed: readonly string[]): string | null {
  const fits = (line: string, found: string): boolean => {
    const parts = masked(line).split("…").map(literally);
    return new RegExp(`^${parts.join(".*")}$`, "u").test(masked(found));
  };
  let at = 0;
  for (const [number, line] of shown.entries()) {
    if (line.trim() === "…") {
      const next = shown[number + 1];
      while (at < printed.length && (next === undefined || !fits(next, printed[at] ?? ""))) at++;
      continue;
    }
    const found = printed[at++];
    if (found === undefined) return `${line}\n  was not printed`;
    if (!fits(line, found)) return `${line}\n  is shown, but printed was\n${found}`;
  }
  return at < printed.length ? `${printed[at] ?? ""}\n  was printed, and is not shown` : null;
}

/** Puts blocks to work in a folder, in their order, and says what is wrong, each with its line. */
export async function workThrough(
  blocks: readonly DocBlock[],
  dir: string,
): Promise<readonly string[]> {
  const env = await environmentOf(dir);
  const problems: string[] = [];
  const bash = async (command: string) => {
    const script = `cd "$FOLDER"; { ${command}\n} 2>&1`;
    return startProgram("bash", ["--noprofile", "--norc", "-euo", "pipefail", "-c", script], env)
      .ended;
  };
  for (const block of blocks) {
    const file = fileOf(block);
    if (file !== null) {
      await mkdir(dirname(join(dir, file)), { recursive: true });
      await writeFile(join(dir, file), block.text);
    } else if (block.language === "sh") {
      const { code, stdout } = await bash(block.text);
      if (code !== 0) problems.push(`line ${block.line}: ended with ${code}: ${stdout}`);
    } else if (block.language === "console") {
      for (const { command, shown } of commandsOf(block)) {
        const { code, stdout } = await bash(command);
        const printed = stdout === "" ? [] : stdout.replace(/\n$/, "").split("\n");
        const difference = differenceOf(shown, printed);
        const place = `line ${block.line}: $ ${command}`;
        if (difference !== null) problems.push(`${place}\n${difference}\nof\n${stdout}`);
        else if (code !== 0) problems.push(`${place} ended with ${code}: ${stdout}`);
      }
    }
  }
  return problems;
}

/** What a reader has: hdash and node by their names, and a home of their own. */
async function environmentOf(dir: string): Promise<Readonly<Record<string, string>>> {
  const bin = join(dir, ".bin");
  await mkdir(bin, { recursive: true });
  const main = join(ROOT, "src/main.ts");
  const run = `exec "${process.execPath}" --disable-warning=ExperimentalWarning -- "${main}" "$@"`;
  await writeFile(join(bin, "hdash"), `#!/bin/sh\n${run}\n`);
  await chmod(join(bin, "hdash"), 0o755);
  return {
    ...{ FOLDER: dir, HOME: dir, TZ: "UTC", NO_COLOR: "1", NODE_COMPILE_CACHE: COMPILE_CACHE },
    PATH: [bin, dirname(process.execPath), process.env["PATH"] ?? ""].join(":"),
  };
}
