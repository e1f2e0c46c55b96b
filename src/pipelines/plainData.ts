// Interfaces as ports take them.

/** Gives an interface's plain data the type that JSON has: a mapped type, which TypeScript takes for an index of keys. */
export function asJson<T extends object>(value: T): { readonly [K in keyof T]: T[K] } {
  return value;
}
