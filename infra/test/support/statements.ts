// Finds every statement about who may do what, wherever it lies in a template, and the wildcards in it.

import type { Wildcard } from "../../wildcards.ts";
import { shown, type Template } from "./templates.ts";

export interface FoundStatement {
  /** Logical id of the resource that it lies in. */
  readonly at: string;
  readonly sid: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads all statements of a template: identity and resource policies, trust, lifecycle documents too, if they had any. */
export function statementsIn(template: Template): readonly FoundStatement[] {
  return Object.entries(template.Resources).flatMap(([at, { Properties }]) =>
    documentsIn(Properties).map((statement) => {
      const fields = shown(statement) as FoundStatement["fields"];
      return { at, sid: typeof fields["Sid"] === "string" ? fields["Sid"] : "", fields };
    }),
  );
}

function documentsIn(value: unknown): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) => {
    if (key !== "Statement") return documentsIn(inner);
    return Array.isArray(inner) ? (inner as readonly unknown[]) : [inner];
  });
}

type Found = Pick<Wildcard, "statement" | "in" | "value">;

/** Lists the wildcards of a template, each once; `names` takes stage and namespace out of a value. */
export function wildcardsIn(
  template: Template,
  names: { readonly stage: string; readonly namespace: string },
): readonly Found[] {
  const found = statementsIn(template).flatMap(({ sid, fields }) =>
    (["Action", "Resource", "Principal"] as const).flatMap((where) =>
      textsOf(fields[where])
        .filter((text) => isWild(text, template))
        .map((text) => ({ statement: sid, in: where, value: withoutNames(text, names) })),
    ),
  );
  return [...new Map(found.map((one) => [JSON.stringify(one), one])).values()];
}

/** Says what makes a statement wider than it looks: what it leaves out, what AWS manages, what has no name to be looked up by. */
export function loopholesIn(template: Template): readonly string[] {
  const statements = statementsIn(template).flatMap(({ at, sid, fields }) => [
    ...(sid === "" ? [`${at}: a statement without a Sid`] : []),
    ...Object.keys(fields)
      .filter((key) => key.startsWith("Not"))
      .map((key) => `${at}: ${sid} says ${key}`),
  ]);
  const managed = Object.entries(template.Resources).flatMap(([at, { Properties = {} }]) =>
    Object.keys(Properties)
      .filter((key) => key === "ManagedPolicyArns" || key === "PermissionsBoundary")
      .map((key) => `${at}: has ${key}`),
  );
  return [...statements, ...managed];
}

function textsOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}

function isWild(text: string, template: Template): boolean {
  const [, id = ""] = /^<(\w+)\.Arn>$/.exec(text) ?? [];
  // What CloudFormation calls the ARN of a log group ends with ":*".
  return text.includes("*") || template.Resources[id]?.Type === "AWS::Logs::LogGroup";
}

function withoutNames(text: string, names: { stage: string; namespace: string }): string {
  return text
    .replaceAll(`/${names.namespace}/`, "/<namespace>/")
    .replaceAll(`hdash-${names.stage}`, "<base>")
    .replaceAll(`hdash/${names.stage}/`, "hdash/<stage>/");
}
