import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const SCRIPT = join(import.meta.dirname, "bin/composition.awk");

function composition(input: string, shortest: number): string {
  const words = ["-v", "sample=s1", "-v", `shortest=${shortest}`, "-f", SCRIPT];
  return execFileSync("awk", words, { input, encoding: "utf8" });
}

test("composition.awk counts a sequence over its lines", () => {
  assert.equal(
    composition(">a first\nGGC\nA\n>b\nTTTT\n", 1),
    "s1\ta\t4\t0.750\ns1\tb\t4\t0.000\n",
  );
});

test("composition.awk passes over what is too short", () => {
  assert.equal(composition(">a\nGGC\n>b\nTTTT\n", 4), "s1\tb\t4\t0.000\n");
});
