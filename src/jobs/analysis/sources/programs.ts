// Programs of steps, run by the process runner: what its end says, in the words of an error.

import { randomUUID } from "node:crypto";

import { digestOf } from "../../../digest.ts";
import type { Effects } from "../../../effects.ts";
import { HdashError } from "../../../error.ts";
import type { ProcessRunner } from "../../../runners/process.ts";
import type { ProgramEnd, ProgramRun } from "../doing.ts";

const MS_PER_MINUTE = 60_000;
/** How many processes a step may have at a time: a fork bomb ends itself, and not the machine. */
const PROCESSES = 4096;

export interface Programs {
  run(program: ProgramRun): Promise<ProgramEnd>;
  close(): Promise<void>;
}

/** Makes what runs programs; the runner is made, and what a killed worker left running ended, when the first is run. */
export function makePrograms(effects: Effects): Programs {
  let opened: Promise<ProcessRunner> | null = null;
  async function open(): Promise<ProcessRunner> {
    const { makeProcessRunner } = await import("../../../runners/process.ts");
    const runner = makeProcessRunner({
      // Programs of another home are none of ours.
      prefix: digestOf(effects.config.home).slice(0, 16),
      folder: await effects.scratch(),
    });
    const why = await runner.probe();
    if (why !== null) throw new HdashError("permanent", why);
    await runner.cleanup();
    return runner;
  }
  return {
    async run({ key, argv, dir, env, secrets, memoryMiB, diskMiB, minutes, signal, onLine }) {
      const runner = await (opened ??= open());
      return runner.run(
        `${key}.${randomUUID()}`,
        {
          folder: dir,
          script: [{ argv, env }],
          secrets,
          limits: {
            ...{ memoryMiB, diskMiB, processes: PROCESSES, logBytes: null },
            timeMs: minutes === null ? null : minutes * MS_PER_MINUTE,
          },
        },
        { signal, onLine },
      );
    },
    async close() {
      // One that could not be opened has nothing to close.
      await (await opened?.catch(() => null))?.close();
    },
  };
}
