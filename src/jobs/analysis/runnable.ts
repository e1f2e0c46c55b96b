// A pipeline's steps as they are run on this machine: with its programs, its secrets, and what it has.

import type { Effects } from "../../effects.ts";
import { machineCapacity } from "../../engine/places.ts";
import { makeWork } from "./doing.ts";
import type { Opened } from "./opened.ts";
import { makeSecrets, type Secrets } from "./secrets.ts";
import { makePrograms } from "./sources/programs.ts";
import { makeUserSteps } from "./steps.ts";

export interface Runnable {
  /** What hides the secrets' values. */
  readonly hidden: Secrets;
  /** Makes steps, or their stubs. */
  stepsOf(isStub: boolean): ReturnType<typeof makeUserSteps>;
}

/** Makes steps runnable. @param secrets those that they declare, by name; null where one is not set. */
export function makeRunnable(
  effects: Effects,
  opened: Opened,
  secrets: Readonly<Record<string, string | null>>,
): Runnable {
  const programs = makePrograms(effects);
  effects.onClose(() => programs.close());
  const hidden = makeSecrets(secrets);
  const { cpus, memoryMiB } = machineCapacity(1);
  return {
    hidden,
    stepsOf: (isStub) =>
      makeUserSteps(opened, {
        isStub,
        ...makeWork({
          runProgram: (program) => programs.run(program),
          secret: (name) => secrets[name] ?? null,
          secrets: hidden,
          ...{ cpus, memoryMiB, isStub },
        }),
      }),
  };
}
