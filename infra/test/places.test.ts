import { describe, expect, test } from "vitest";

import { type Answer, make } from "./support/standIn.ts";

describe("make places", () => {
  const outputs = (...given: readonly (readonly [string, string])[]): Answer => ({
    to: "cloudformation describe-stacks --stack-name hdash-prod",
    json: {
      Stacks: [{ Outputs: given.map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })) }],
    },
  });

  test("prints the variables of the stage's private places, as an env file has them", async () => {
    const made = await make("places", { STAGE: "prod" }, [
      outputs(["WorkBucket", "work"], ["CohortProcessedBucket", "p-1"], ["CohortRawBucket", "r-1"]),
    ]);
    expect([made.code, made.stdout]).toEqual([
      0,
      "COHORT_RAW=s3://r-1\nCOHORT_PROCESSED=s3://p-1\n",
    ]);
  });

  test("prints nothing where a stage has none yet, and fails where it cannot be asked", async () => {
    const none = await make("places", { STAGE: "prod" }, [outputs(["WorkBucket", "work"])]);
    expect([none.code, none.stdout]).toEqual([0, ""]);
    const error = "Unable to locate credentials";
    const away = await make("places", { STAGE: "prod" }, [{ to: "cloudformation", error }]);
    expect(away.code).not.toBe(0);
    expect([away.stdout, away.stderr]).toEqual(["", expect.stringContaining(error)]);
  });
});
