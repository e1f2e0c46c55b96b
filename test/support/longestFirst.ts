// In which order files begin: those that take minutes first, so that at the end no worker waits for another.

import { BaseSequencer, type TestSpecification } from "vitest/node";

/** From the longest on, by what they are: a fresh checkout has no times of its own. */
const LONG = [
  /\/image\/image\./,
  /\.e2e\.test\./,
  /\/e2e\//,
  /\/image\//,
  /\.browser\.test\./,
  /\/jobs\/[^/]+\.test\./,
  /\/engine\/(?:crash|kills)\./,
];

/** Puts what is known to be long in front; the rest stays as vitest has it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((pattern) => pattern.test(moduleId));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}
