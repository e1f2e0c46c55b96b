// Another clock for a run of the tests and all processes that it starts: Debian's libfaketime, told how far the clock is off.

import { globSync } from "node:fs";

/** What cannot run under it: containers keep the machine's clock, and a signature of another day is refused. Chromium keeps it too (browser.ts). */
export const UNFAKED = ["test/image/image.test.ts"];

const NAMES = ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "DONT_FAKE_MONOTONIC"];

/** The environment by which the clock is at `start` now, and goes on from there. */
export function fakedClock(start: string): Readonly<Record<string, string>> {
  const [library] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
  if (library === undefined) throw new Error("FAKETIME needs Debian's package libfaketime");
  const seconds = Math.round((Date.parse(start) - Date.now()) / 1000);
  if (Number.isNaN(seconds)) throw new Error(`FAKETIME is ${start}, but has to be an instant`);
  return {
    LD_PRELOAD: library,
    FAKETIME: `${seconds < 0 ? "" : "+"}${seconds}s`,
    // Timers and leases of sleeping programs go by the other clock, which stays.
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
  };
}

/** What of this process's environment fakes its clock: for processes that are given nothing else of it. */
export function ownClock(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** This process's environment without what fakes its clock. */
export function realClock(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !NAMES.includes(name)));
}
