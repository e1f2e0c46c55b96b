// What `hdash cohort validate` prints: every check of the current build, failed ones first. Counts and names of columns, never a value.

import type { Effects } from "../../effects.ts";
import { HdashError } from "../../error.ts";
import { count, number } from "../../format.ts";
import { EXIT, type Shell } from "../../shell.ts";
import { openToRead } from "./bind.ts";
import {
  type CheckResult,
  countOutcomes,
  failureText,
  isUndone,
  worstFirst,
} from "./data/checkResult.ts";
import type { CohortSettings } from "./settings.ts";
import { readState } from "./state.ts";

/** Prints what is known of the current build's checks, and tells how to end: as an audit does, with `degraded` where one failed. */
export async function showChecks(
  shell: Shell,
  [effects, settings]: readonly [effects: Effects, settings: CohortSettings],
  isJson: boolean,
): Promise<number> {
  const processed = await openToRead(effects, settings.processed, "COHORT_PROCESSED");
  const { current, validation } = await readState(processed, shell.signal);
  if (current === null || validation === null) {
    const what = current === null ? "there is no build" : "nothing is known of the build's checks";
    throw new HdashError("usage", `${what} in ${processed.uri} (COHORT_PROCESSED)`, {
      hint: "hdash run cohort reads new exports, builds datasets and checks them.",
    });
  }
  const isMeant = ({ type }: { readonly type: string }): boolean =>
    settings.types?.includes(type) ?? true;
  const { build } = validation;
  const results = validation.results.filter(isMeant);
  const profiles = validation.profiles.filter(isMeant);
  const blocked = current.blocked
    .filter(isMeant)
    .map(({ type, checks, since }) => ({ type, checks, since }));
  const { passed, failed, notRun } = countOutcomes(results);
  if (isJson) shell.print(JSON.stringify({ build, blocked, results, profiles }));
  else {
    shell.print(`checks (build ${build})`);
    for (const result of worstFirst(results)) shell.print(`  ${lineOf(result)}`);
    for (const { type, checks, since } of blocked) {
      shell.print(`${type} is held back since ${since}: ${checks.join(", ")}`);
    }
    shell.print(
      `${count(results.length, "check")}: ${number(failed)} failed, ${number(notRun)} not run, ${number(passed)} passed`,
    );
  }
  // What could not be looked at is not all right.
  const isUnsure = results.some(isUndone);
  return failed > 0 || blocked.length > 0 || isUnsure ? EXIT.degraded : EXIT.ok;
}

function lineOf(result: CheckResult): string {
  const { outcome, severity, dataset, text, rows, missing, why } = result;
  const notes = {
    failed: `: ${failureText(result)}`,
    not_run: `: ${why ?? ""}`,
    passed: "",
  }[outcome];
  const counted =
    missing === null ? "" : ` (${number(missing)} of ${count(rows ?? 0, "row")} missing)`;
  const what = outcome === "failed" ? severity : "";
  return `${outcome.padEnd(7)}  ${what.padEnd(7)}  ${dataset}  ${text}${notes}${counted}`;
}
