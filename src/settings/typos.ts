// Variables that are nearly one of ours: a misspelt one is not read, and hdash would go on as if nobody had set it.

import type { Environment } from "./config.ts";
import { within } from "./nearest.ts";

/** Everything that begins so is meant for hdash. */
const OURS = "HDASH_";
/** What hdash's tests set for themselves. */
const OF_TESTS = "HDASH_TEST_";
/** A prefix that the dashboard of before wanted. */
const OLD_PREFIX = /^AIRFLOW_VAR_/;
/** Shorter names are words of anybody's. */
const LEAST_LETTERS = 8;
const MOST_MISTAKES = 2;

/** Says of every variable that is set and looks as if it were meant for one of hdash's, which it is not; one sentence each. */
export function findTypos(env: Environment, known: readonly string[]): readonly string[] {
  const given = Object.keys(env).filter((name) => env[name]?.trim());
  return given
    .filter((name) => !known.includes(name))
    .sort()
    .flatMap((name) => {
      const one = meantBy(name, known);
      if (one !== null) {
        // Beside the right one it is somebody else's, or does no harm.
        return one in env
          ? []
          : [`${name} is set, which hdash does not read: did you mean ${one}?`];
      }
      const isOurs = name.startsWith(OURS) && !name.startsWith(OF_TESTS);
      return isOurs ? [`${name} is set, which hdash does not read`] : [];
    });
}

/** Finds the variable that a name was meant for; null where it is nobody's of ours. */
export function meantBy(name: string, known: readonly string[]): string | null {
  const typed = name.trim().toUpperCase().replaceAll("-", "_").replace(OLD_PREFIX, "");
  if (known.includes(typed)) return typed;
  if (typed.length < LEAST_LETTERS) return null;
  // "SLACK_WEBHOOK", "S3_BUCKET": the beginning of one of ours up to a word's end.
  return (
    within(MOST_MISTAKES, typed, known) ?? known.find((one) => one.startsWith(`${typed}_`)) ?? null
  );
}
