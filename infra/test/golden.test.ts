import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { Settings } from "../settings.ts";
import type { Target } from "../target.ts";
import {
  AS_DECLARED,
  COHORT,
  DOMAIN,
  FOO,
  GITHUB,
  MAIN,
  STAGING,
  synthesise,
  TAKEN,
} from "./support/templates.ts";

const DEPLOYMENTS: readonly (readonly [string, Target, Partial<Settings>])[] = [
  ["develop", STAGING, {}],
  ["prod", MAIN, {}],
  // The other choices: as one who has a network and a database of his own, and publishes as the predecessor did.
  [
    "taken",
    FOO,
    {
      ...TAKEN,
      network: "nat",
      site: "website",
      slack: false,
      alarmEmails: ["ops@example.org"],
      github: GITHUB,
    },
  ],
  [
    "nat",
    FOO,
    {
      ...{ network: "nat", domain: DOMAIN },
      pipelines: { matrix: AS_DECLARED, htan: AS_DECLARED, cohort: COHORT },
    },
  ],
];

/** Compares a template with its golden file, or writes that with BLESS=1. What was got instead is kept in golden-changed/. */
function compare(name: string, template: unknown): void {
  const text = `${JSON.stringify(template, null, 1)}\n`;
  const folder = join(import.meta.dirname, "golden");
  if (process.env["BLESS"] === "1") {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), text);
    return;
  }
  const expected = readFileSync(join(folder, name), "utf8");
  if (text !== expected) {
    mkdirSync(`${folder}-changed`, { recursive: true });
    writeFileSync(join(`${folder}-changed`, name), text);
  }
  expect(JSON.parse(text)).toEqual(JSON.parse(expected));
  expect(text).toBe(expected);
}

describe("the templates", () => {
  test.each(DEPLOYMENTS)("of %s are the golden ones", (name, target, settings) => {
    const { base, namespace } = synthesise(target, settings);
    compare(`${name}.base.json`, base);
    compare(`${name}.${target.namespace}.json`, namespace);
  });

  test("come out the same from another folder, for another user, at another time", () => {
    const once = JSON.stringify(synthesise(STAGING));
    expect(once).toBe(JSON.stringify(synthesise(STAGING)));
    expect(once).not.toContain(process.cwd());
    expect(once).not.toMatch(/[0-9a-f]{64}/);
  });
});
