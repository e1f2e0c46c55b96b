// Numbers by name, added up. Those that may not be told are null, and count nothing.

/** Adds up all numbers. */
export function sumOf(numbers: Readonly<Record<string, number | null>>): number {
  return Object.values(numbers).reduce<number>((sum, own) => sum + (own ?? 0), 0);
}

/** Adds up numbers of one name. */
export function addByName(
  all: readonly Readonly<Partial<Record<string, number | null>>>[],
): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const one of all) {
    for (const [name, own] of Object.entries(one))
      sums.set(name, (sums.get(name) ?? 0) + (own ?? 0));
  }
  return Object.fromEntries(sums);
}

/** Lists numbers, the largest first: what is kept as JSON has its names in their own order. */
export function mostFirst<T extends number | null>(
  numbers: Readonly<Record<string, T>>,
): readonly (readonly [name: string, value: T])[] {
  return Object.entries(numbers).sort(
    ([a, x], [b, y]) => (y ?? 0) - (x ?? 0) || (a < b ? -1 : a > b ? 1 : 0),
  );
}
