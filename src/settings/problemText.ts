// How what is wrong with a variable is said.

import type { Variable } from "./variables.ts";

/** Names what the user wrote: the flag, where one stood for the variable. */
export function problemText(
  variables: readonly Variable[],
  name: string,
  what: string,
  flag: string | null = null,
): string {
  const example = variables.find((one) => one.name === name)?.example ?? "…";
  return flag === null
    ? `${name} ${what}; for example ${name}=${example}`
    : `${flag} (${name}) ${what}; for example ${flag} ${example}`;
}
