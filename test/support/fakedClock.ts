// Another clock for a run of the tests and all processes that it starts: Debian's libfaketime, told how far the clock is off.

import { globSync } from "node:fs";

/** What cannot run under it. Chromium keeps the machine's clock, too, but that is seen to where it is started (browser.ts). */
export const UNFAKED: readonly string[] = [
  // Containers keep the machine's clock, and a signature of another day is refused.
  "test/image/image.test.ts",
  // It fakes the clock itself, and reckons from the machine's.
  "test/support/fakedClock.test.ts",
];

const NAMES = ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "DONT_FAKE_MONOTONIC"];

/** The environment by which the clock is at `start` now, and goes on from there; or one line that says why it cannot be. */
export function fakedClock(
  start: string,
  now = Date.now(),
): Readonly<Record<string, string>> | string {
  const [library] = globSync("/usr/lib/*/faketime/libfaketime.so.1");
  if (library === undefined) return "FAKETIME needs Debian's package libfaketime";
  const at = Date.parse(start);
  // Months that have no such day are carried into the next one by Date.parse; an instant that is written back as it was is none of those.
  if (Number.isNaN(at) || new Date(at).toISOString().replace(".000Z", "Z") !== start) {
    return `FAKETIME is ${start}, but has to be an instant such as 2028-02-28T23:59:50Z`;
  }
  const seconds = Math.round((at - now) / 1000);
  return {
    LD_PRELOAD: library,
    FAKETIME: `${seconds < 0 ? "" : "+"}${seconds}s`,
    // Timers and leases of sleeping programs go by the other clock, which stays.
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
  };
}

/** Tells whether this process's clock is faked. */
export function isFaked(): boolean {
  return (process.env["LD_PRELOAD"] ?? "").includes("libfaketime");
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
