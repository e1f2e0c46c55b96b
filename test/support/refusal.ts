// What work is refused with, for tests of refusals.

import { HdashError } from "../../src/error.ts";

/** Waits for work to fail and gives its error; throws where it does not fail, or with what is none of ours. */
export async function refusal(work: Promise<unknown>): Promise<HdashError> {
  const error: unknown = await work.then(
    () => new Error("it was not refused"),
    (reason: unknown) => reason,
  );
  if (error instanceof HdashError) return error;
  throw error;
}
