// A file of variables, as --env-file names it: its variables, and the lines in it that are none.

import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";

import { HdashError, messageOf } from "../error.ts";
import { count, list } from "../format.ts";
import type { Environment } from "./config.ts";
import { meantBy } from "./typos.ts";

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/;
/** What may be a name at the beginning of a line that assigns nothing: "NAME: value", "set NAME=value". */
const NAME = /^\s*(?:(?:set|setenv|env|export)\s+)?([A-Za-z_]\w*)/i;

export interface EnvFile {
  readonly values: Environment;
  /** What is wrong with it, in sentences without any value: it may be a secret's. */
  readonly warnings: readonly string[];
}

/**
 * Reads a file of variables; `known` are those that hdash reads. Throws config where it cannot be read, and where a quote swallows one of
 * those or of AWS's: messages that show the swallowing value would show a secret.
 */
export function readEnvFile(path: string, known: readonly string[]): EnvFile {
  const text = readText(path);
  return { warnings: warningsOf(text, path, known), values: parseEnv(text) };
}

/** Writes variables as such a file has them. */
export function envFileText(values: Environment): string {
  const lines = Object.entries(values).map(([name, value = ""]) => {
    // Within a quote that it does not hold itself, a value may have blanks and marks of remarks.
    const quote = ["'", '"', "`"].find((one) => !value.includes(one)) ?? "";
    return `${name}=${/^[\w./:@,+-]*$/.test(value) ? value : `${quote}${value}${quote}`}\n`;
  });
  return lines.join("");
}

function readText(path: string): string {
  try {
    // Windows' editors put a mark in front, which would become part of the first name.
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    const message = `the file ${path} given with --env-file cannot be read: ${messageOf(error)}`;
    throw new HdashError("config", message, { cause: error });
  }
}

function warningsOf(text: string, path: string, known: readonly string[]): readonly string[] {
  const warnings: string[] = [];
  const lines = text.split(/\r\n|\r|\n/);
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (/^\s*(#|$)/.test(line)) continue;
    const where = `line ${at + 1} of ${path}`;
    const [, , value] = ASSIGNMENT.exec(line) ?? [];
    if (value === undefined) {
      const one = meantBy(NAME.exec(line)?.[1] ?? "", known);
      const hint = one === null ? "" : `: did you mean ${one}=…?`;
      warnings.push(`${where} is no NAME=value and is passed over${hint}`);
      continue;
    }
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote === undefined || value.indexOf(quote, 1) > 0) continue;
    // A value in quotes goes on until they are closed, in whatever line that is.
    const end = lines.findIndex((one, index) => index > at && one.includes(quote));
    if (end < 0) {
      warnings.push(`${where} opens a quote (${quote}) that is never closed`);
      continue;
    }
    // The line that closes it may be an assignment as well.
    const names = lines.slice(at + 1, end + 1).flatMap((one) => ASSIGNMENT.exec(one)?.[1] ?? []);
    if (names.length > 0) {
      const what = `${count(names.length, "variable")} behind it`;
      const message = `${where} opens a quote (${quote}) that is closed only in line ${end + 1}: ${what} ${names.length === 1 ? "is" : "are"} taken for its value`;
      const ours = names.filter((name) => known.includes(name) || name.startsWith("AWS_"));
      if (ours.length > 0) {
        throw new HdashError("config", `${message}, of them ${list(ours)}; close it in its line`);
      }
      warnings.push(message);
    }
    at = end;
  }
  return warnings;
}
