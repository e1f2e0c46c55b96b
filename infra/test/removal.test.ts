import { beforeAll, describe, expect, test } from "vitest";

import { MAIN, STAGING, synthesise, type Template, type Templates } from "./support/templates.ts";

let develop: Templates;
let prod: Templates;
beforeAll(() => {
  develop = synthesise(STAGING);
  prod = synthesise(MAIN);
});

describe("what a stack's removal takes with it", () => {
  const dataOf = (template: Template): Readonly<Record<string, readonly unknown[]>> =>
    Object.fromEntries(
      Object.entries(template.Resources)
        .filter(([, { DeletionPolicy }]) => DeletionPolicy !== undefined)
        .map(([id, one]) => [id, [one.DeletionPolicy, one.UpdateReplacePolicy]]),
    );
  const all = (kinds: readonly string[], ...ids: readonly string[]): object =>
    Object.fromEntries(ids.map((id) => [id, kinds]));
  const kept = ["RetainExceptOnCreate", "Retain"];
  const removed = ["Delete", "Delete"];
  const shared = ["Database", "DatabaseLogin", "DatabaseLogs", "Images", "Sites", "Work"];
  const places = ["CohortRaw", "CohortIntermediate", "CohortProcessed"];
  // By the settings of prod; images that are kept want their key.
  const more = ["OwnKey", "Records"];
  const secrets = ["SlackWebhookUrl", "SynapsePassword"];
  const logs = ["CohortLogs", "HtanLogs", "MatrixLogs", "RoleLogs"];
  // A password holds nothing that would be missed, and its name is wanted again.
  const login = all(removed, "DatabaseLogin");

  test("is no data in prod, and its stacks refuse it", () => {
    expect(dataOf(prod.base)).toEqual(all(kept, ...shared, ...places, ...more, ...secrets));
    expect(dataOf(prod.namespace)).toEqual({ ...all(kept, ...logs), ...login });
    expect(prod.protectedStacks).toEqual(["hdash-prod", "hdash-prod-main"]);
  });

  test("is everything in develop", () => {
    expect(dataOf(develop.base)).toEqual(all(removed, ...shared, ...places, ...secrets));
    expect(dataOf(develop.namespace)).toEqual({ ...all(removed, ...logs), ...login });
    expect(develop.protectedStacks).toEqual([]);
  });

  test("is not the namespace main of develop either", () => {
    const main = synthesise({ ...STAGING, namespace: "main" });
    expect(main.protectedStacks).toEqual(["hdash-develop-main"]);
    expect(dataOf(main.namespace)).toEqual({ ...all(kept, ...logs), ...login });
  });

  test("is all where it could not even be made: a name that stays would be in the next one's way", () => {
    const main = synthesise({ ...STAGING, namespace: "main" });
    const kept = [prod.base, prod.namespace, main.namespace].flatMap(({ Resources }) =>
      Object.entries(Resources).filter(([, { DeletionPolicy }]) => DeletionPolicy === "Retain"),
    );
    expect(kept).toEqual([]);
  });
});
