// Values with handles in them, taken apart: what is known as JSON, which is part of a step's key as it stands, and what handles stand for,
// which is part of it by content.

import type { Json } from "../../../digest.ts";

/** A value, with a number in the place of what a handle stands for. Words in front keep both from being taken for each other. */
export type Skeleton =
  | readonly ["value", Json]
  | readonly ["input", number]
  | readonly ["list", readonly Skeleton[]]
  | readonly ["row", Readonly<Record<string, Skeleton>>];

/** Takes a value apart; what `isHandle` says yes to is collected in order. Undefined is null. */
export function takeApart<H>(
  value: unknown,
  isHandle: (value: unknown) => value is H,
  handles: H[],
): Skeleton {
  if (isHandle(value)) return ["input", handles.push(value) - 1];
  if (!holdsHandle(value, isHandle)) return ["value", withoutUndefined(value)];
  if (Array.isArray(value)) {
    return ["list", value.map((one: unknown) => takeApart(one, isHandle, handles))];
  }
  return [
    "row",
    Object.fromEntries(
      Object.entries(value as object)
        // The order in which somebody wrote a row's cells does not count.
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, one]) => [name, takeApart(one, isHandle, handles)]),
    ),
  ];
}

/** A value with null where nothing is said. What is no JSON is refused where its key is made. */
function withoutUndefined(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map(withoutUndefined);
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) {
    return value as Json;
  }
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, one]) => [name, withoutUndefined(one)]));
}

function holdsHandle(value: unknown, isHandle: (value: unknown) => boolean): boolean {
  if (isHandle(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some((one) => holdsHandle(one, isHandle));
}

/** Puts a value together again, with `inputOf` for each number. */
export function putTogether(skeleton: Skeleton, inputOf: (index: number) => unknown): unknown {
  switch (skeleton[0]) {
    case "value":
      return skeleton[1];
    case "input":
      return inputOf(skeleton[1]);
    case "list":
      return skeleton[1].map((one) => putTogether(one, inputOf));
    case "row":
      return Object.fromEntries(
        Object.entries(skeleton[1]).map(([name, one]) => [name, putTogether(one, inputOf)]),
      );
  }
}
