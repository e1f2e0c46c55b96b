// Writes the templates of both stacks, for `cdk` and by itself: STAGE=develop NAMESPACE=foo TAG=abc node infra/app.ts

import { join } from "node:path";

import { HdashError, messageOf } from "../src/error.ts";
import { makeStacks } from "./stacks.ts";
import { readTarget } from "./target.ts";

try {
  // `cdk` says where it wants them.
  const outdir = process.env["CDK_OUTDIR"] ?? join(import.meta.dirname, "cdk.out");
  makeStacks(readTarget(process.env), { outdir }).app.synth();
} catch (error) {
  if (!(error instanceof HdashError)) throw error;
  console.error(messageOf(error));
  if (error.hint !== null) console.error(error.hint);
  process.exitCode = 2;
}
