import { describe, expect, test } from "vitest";

import { digestOf, type Json } from "../../src/digest.ts";
import { type StepDocument, stepKey } from "../../src/engine/key.ts";

const A = digestOf("a");
const B = digestOf("b");
const base: StepDocument = {
  kind: "step",
  pipeline: "htan",
  step: "pullView",
  version: 1,
  params: { view: "syn1", columns: ["id"] },
  pin: { etag: "x" },
  inputs: { view: A, manifests: [A, B] },
};

describe("stepKey(document)", () => {
  test("is the digest of the document, whatever the order of its fields", () => {
    const { key, document } = stepKey(base);
    expect(document).toBe(
      `{"kind":"step","inputs":{"manifests":["${A}","${B}"],"view":"${A}"},"params":{"columns":["id"],"view":"syn1"},` +
        `"pin":{"etag":"x"},"pipeline":"htan","step":"pullView","version":1}`,
    );
    expect(key).toBe(digestOf(document));
    const turned = { ...base, params: { columns: ["id"], view: "syn1" } };
    expect(stepKey(turned).key).toBe(key);
  });

  test.each<[string, Partial<StepDocument>]>([
    ["kind", { kind: "observation" }],
    ["pipeline, whose steps may have the names of another's", { pipeline: "matrix" }],
    ["step", { step: "pullViews" }],
    ["version", { version: 2 }],
    ["params", { params: { view: "syn1", columns: [] } }],
    ["pin", { pin: null }],
    ["uses", { uses: { design: A } }],
    ["uses that are null", { uses: null }],
    ["input", { inputs: { view: B, manifests: [A, B] } }],
    ["order of a list", { inputs: { view: A, manifests: [B, A] } }],
    ["name of an input", { inputs: { views: A, manifests: [A, B] } }],
  ])("changes with the %s", (_name, change) => {
    expect(stepKey({ ...base, ...change }).key).not.toBe(stepKey(base).key);
  });

  test("says nothing of uses where the step has none", () => {
    expect(stepKey(base).document).not.toContain("uses");
    expect(stepKey({ ...base, uses: { b: 1, a: [B] } }).document).toContain(
      `"uses":{"a":["${B}"],"b":1}`,
    );
  });

  test("begins with its kind, so that nothing else that is digested here is the same text", () => {
    expect(stepKey({ ...base, kind: "observation" }).document).toMatch(
      /^\{"kind":"observation","inputs"/,
    );
  });

  test("names the step and the place where params are not plain JSON", () => {
    const params = { at: new Date(0) } as unknown as Json;
    expect(() => stepKey({ ...base, params })).toThrow(
      expect.objectContaining({
        kind: "permanent",
        message: expect.stringMatching(/^step pullView has no key: \$\.params\.at/) as string,
      }) as Error,
    );
  });

  test("takes no list of which an item was never set: JSON would make null of it", () => {
    const params = { list: [1, , 3] as unknown as Json };
    expect(() => stepKey({ ...base, params })).toThrow(/\$\.params\.list\[1\] is not plain JSON/);
  });
});
