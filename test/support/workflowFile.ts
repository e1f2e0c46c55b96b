// Reads a workflow: its jobs, steps and rights, as far as they are what they should be.

import { parse } from "yaml";

/** What a mapping of YAML holds. */
export type Fields = Readonly<Record<string, unknown>>;

/** A job of a workflow. */
export interface Job {
  readonly name: string;
  readonly fields: Fields;
  readonly steps: readonly Fields[];
  readonly permissions: Fields;
  readonly needs: readonly string[];
  /** The workflow of this repository that it calls, as a file's name. */
  readonly calls: string | null;
  readonly inputs: Fields;
}

/** A workflow by its file. */
export interface Workflow {
  readonly file: string;
  readonly text: string;
  readonly fields: Fields;
  readonly on: Fields;
  readonly jobs: readonly Job[];
}

/** Reads the text of a workflow. */
export function readWorkflow(file: string, text: string): Workflow {
  const fields = asFields(parse(text));
  const jobs = Object.entries(asFields(fields["jobs"])).map(([name, value]): Job => {
    const job = asFields(value);
    const uses = asText(job["uses"]);
    return {
      name,
      fields: job,
      steps: asList(job["steps"]).map(asFields),
      permissions: asFields(job["permissions"]),
      needs: asList(job["needs"]).filter((need) => typeof need === "string"),
      calls: /^\.\/\.github\/workflows\/(.+)$/.exec(uses)?.[1] ?? null,
      inputs: asFields(job["with"]),
    };
  });
  return { file, text, fields, on: asFields(fields["on"]), jobs };
}

/** Names and texts within a value, at any depth. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsIn(inner)]);
}

/** The value where it is a mapping, or an empty one. */
export function asFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** The value where it is a list, or a list of it. */
export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** The value where it is text, or none. */
export function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
