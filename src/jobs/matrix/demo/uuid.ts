// UUIDs that are the same every time.

import { makeDice } from "../../../lookalikes/dice.ts";

/** Makes a UUID that belongs to these keys. */
export function uuidOf(...keys: readonly (string | number)[]): string {
  const dice = makeDice("uuid", ...keys);
  const digit = (): string => "0123456789abcdef"[dice.below(16)] ?? "0";
  const variant = "89ab"[dice.below(4)] ?? "8";
  return "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx".replaceAll("v", variant).replaceAll("x", digit);
}
