import { describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import { HdashError } from "../../src/error.ts";
import { checkNamespace, makeNamespace, placesOf, STAGING } from "../../src/settings/namespace.ts";

const hash = (branch: string): string => digestOf(branch).slice(0, 6);

const BRANCHES: readonly (readonly [branch: string, namespace: string])[] = [
  ["main", "main"],
  ["foo", "foo"],
  ["foo-bar", "foo-bar"],
  ["a", "a"],
  ["v2", "v2"],
  ["twenty-four-characters-x", "twenty-four-characters-x"],
  ["twenty-five-characters-xy", `twenty-five-chara-${hash("twenty-five-characters-xy")}`],
  ["staging", `staging-${hash("staging")}`],
  ["feature/a", `feature-a-${hash("feature/a")}`],
  ["feature_a", `feature-a-${hash("feature_a")}`],
  ["Feature-A", `feature-a-${hash("Feature-A")}`],
  ["feature--a", `feature-a-${hash("feature--a")}`],
  ["-foo", `foo-${hash("-foo")}`],
  ["foo-", `foo-${hash("foo-")}`],
  ["2026-11/fix", `fix-${hash("2026-11/fix")}`],
  ["größe", `gr-e-${hash("größe")}`],
  ["日本語", `branch-${hash("日本語")}`],
  ["", `branch-${hash("")}`],
  ["../../etc", `etc-${hash("../../etc")}`],
  ["$(rm -rf /)", `rm-rf-${hash("$(rm -rf /)")}`],
  ["a b+c%2Fd", `a-b-c-2fd-${hash("a b+c%2Fd")}`],
  ["dependabot/npm_and_yarn/x", `dependabot-npm-an-${hash("dependabot/npm_and_yarn/x")}`],
  ["sixteen-chars-x/-y", `sixteen-chars-x-y-${hash("sixteen-chars-x/-y")}`],
  ["seventeen-chars-x/y", `seventeen-chars-x-${hash("seventeen-chars-x/y")}`],
  ["fix-0a1b2c", `fix-0a1b2c-${hash("fix-0a1b2c")}`],
  ["fix-0a1b2c3", "fix-0a1b2c3"],
  ["fix-0a1b2", "fix-0a1b2"],
  ["fix-0a1b2g", "fix-0a1b2g"],
  ["fix0a1b2c", "fix0a1b2c"],
];

describe("makeNamespace(branch)", () => {
  test.each(BRANCHES)("makes of the branch %j the namespace %s", (branch, namespace) => {
    expect(makeNamespace(branch)).toBe(namespace);
  });

  test.each(BRANCHES)(
    "makes of the branch %j what is a namespace, to be named as it is",
    (branch) => {
      const namespace = makeNamespace(branch);
      expect(checkNamespace(namespace)).toBe(namespace);
    },
  );

  test.each(BRANCHES.filter(([branch, namespace]) => branch !== namespace))(
    "gives the namespace of the branch %j to no branch that is called so (%s)",
    (branch, namespace) => {
      expect(makeNamespace(namespace)).not.toBe(makeNamespace(branch));
    },
  );

  test("tells all of these branches apart", () => {
    expect(new Set(BRANCHES.map(([branch]) => makeNamespace(branch))).size).toBe(BRANCHES.length);
  });

  test("gives no branch the namespace that deployments of main have", () => {
    expect(STAGING).toBe("staging");
    expect(checkNamespace(STAGING)).toBe("staging");
    expect(BRANCHES.map(([branch]) => makeNamespace(branch))).not.toContain(STAGING);
  });
});

describe("checkNamespace(text)", () => {
  test.each([
    ...["", " ", "Foo", "foo/bar", "foo_bar", "foo-", "-foo", "foo--bar", "2foo", "foo bar"],
    ...["foo.bar", "föö", "..", "foo\n", "a".repeat(25), "foo%2Fbar", "foo+bar", "*"],
  ])("refuses %j", (text) => {
    expect(() => checkNamespace(text)).toThrow(HdashError);
  });

  test("says what a branch of that name would get", () => {
    const refusal = (text: string): unknown => {
      try {
        return checkNamespace(text);
      } catch (error) {
        return error;
      }
    };
    expect(refusal("foo/bar")).toMatchObject({
      kind: "usage",
      message:
        '"foo/bar" cannot be a namespace: small letters, digits and single hyphens, beginning with a letter, at most 24',
      hint: `A branch of this name has the namespace foo-bar-${hash("foo/bar")}.`,
    });
    expect(refusal(" ")).toMatchObject({ kind: "usage", hint: null });
  });
});

describe("placesOf(namespace)", () => {
  test("says where everything is, with the slash that tells foo from foo-bar", () => {
    expect(placesOf("foo")).toEqual({
      prefix: "foo/",
      artifacts: "foo/artifacts/",
      schema: "hdash_foo",
      label: "foo",
    });
    expect(placesOf("foo-bar")).toEqual({
      prefix: "foo-bar/",
      artifacts: "foo-bar/artifacts/",
      schema: "hdash_foo_bar",
      label: "foo-bar",
    });
  });

  test("labels every deployment but production", () => {
    expect(placesOf("main").label).toBeNull();
    expect(placesOf("staging").label).toBe("staging");
  });

  test("refuses what is no namespace", () => {
    expect(() => placesOf("foo/bar")).toThrow("cannot be a namespace");
  });
});
