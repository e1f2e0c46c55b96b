// How tests look into what runs a container: its definition, its variables, its roles.

import { expect } from "vitest";

import { statementsIn } from "./statements.ts";
import { resourceOf, type Template } from "./templates.ts";

interface Container {
  readonly Environment: readonly { readonly Name: string; readonly Value: string }[];
  readonly Secrets: readonly { readonly Name: string; readonly ValueFrom: string }[];
}
export function containerOf(template: Template, id: string): Container & Record<string, unknown> {
  const definitions = resourceOf(template, id)["ContainerDefinitions"] as unknown[];
  expect(definitions).toHaveLength(1);
  return definitions[0] as Container & Record<string, unknown>;
}
export const environmentOf = (container: Container): Readonly<Record<string, string>> =>
  Object.fromEntries(container.Environment.map(({ Name, Value }) => [Name, Value]));
export const policyOf = (template: Template, at: string): readonly unknown[] =>
  statementsIn(template)
    .filter((one) => one.at === at && one.sid !== "ServiceOfThisAccount")
    .map(({ fields }) => fields);
