// What the aws CLI answers about stacks, and how its answers are read: nothing is taken for granted in them.

import type { Aws } from "./awsCli.ts";
import { baseStackName } from "./names.ts";
import type { Stage } from "./target.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Reads an object; of anything else one without fields. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** Reads a list of objects; of anything else an empty one. */
export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** Reads a text that has something in it. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** Lists the namespaces that a stage has in this account and region. */
export async function namespacesOf(aws: Aws, stage: Stage): Promise<readonly string[]> {
  const answer = await aws(["cloudformation", "describe-stacks"]);
  const start = `${baseStackName(stage)}-`;
  return listOf(fieldsOf(answer)["Stacks"])
    .map(({ StackName }) => textOf(StackName) ?? "")
    .filter((name) => name.startsWith(start))
    .map((name) => name.slice(start.length))
    .sort();
}

/** Reads the outputs of a stack, by their keys. */
export async function readOutputs(
  aws: Aws,
  stackName: string,
): Promise<ReadonlyMap<string, string>> {
  const answer = await aws(["cloudformation", "describe-stacks", "--stack-name", stackName]);
  const [stack] = listOf(fieldsOf(answer)["Stacks"]);
  const outputs = listOf(stack?.["Outputs"]).map(
    ({ OutputKey, OutputValue }) => [textOf(OutputKey) ?? "", textOf(OutputValue) ?? ""] as const,
  );
  return new Map(outputs);
}
