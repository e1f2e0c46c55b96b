// Reads the fields of a settings file, which is unknown until then; every problem is kept, with the field and the value.

/** An object of the file, and where problems with it are put. */
export interface Fields {
  /** The file and the way to the object, e.g. "infra/settings/prod.json: vpc". */
  readonly where: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** False where there is no object: that has been complained about, its fields need not be. */
  readonly isThere: boolean;
  readonly problems: string[];
}

const show = (value: unknown): string => (value === undefined ? "missing" : JSON.stringify(value));

/** Opens an object; its fields are just those of `names`. */
export function openFields(
  where: string,
  value: unknown,
  names: readonly string[],
  problems: string[],
): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push(`${where} is ${show(value)}, but must be an object`);
    return { where, values: {}, isThere: false, problems };
  }
  for (const name of Object.keys(value)) {
    if (!names.includes(name)) {
      problems.push(`${where}.${name} is no setting; there are ${names.join(", ")}`);
    }
  }
  return { where, values: value as Record<string, unknown>, isThere: true, problems };
}

/** Says what a field must be, where there are fields, and returns `fallback`. */
export function complain<T>(fields: Fields, name: string, must: string, fallback: T): T {
  if (fields.isThere) {
    fields.problems.push(
      `${fields.where}.${name} is ${show(fields.values[name])}, but must be ${must}`,
    );
  }
  return fallback;
}

/** Reads one of some words. */
export function choiceOf<const T extends string>(
  fields: Fields,
  name: string,
  choices: readonly T[],
): T {
  const value = fields.values[name];
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  const [first] = choices;
  if (first === undefined) throw new RangeError(`${name} has no choices`);
  return complain(fields, name, choices.join(" or "), first);
}

/** Reads true or false. */
export function flagOf(fields: Fields, name: string): boolean {
  const value = fields.values[name];
  return typeof value === "boolean" ? value : complain(fields, name, "true or false", false);
}

/** Reads a whole number. */
export function countOf(fields: Fields, name: string, least: number, most: number): number {
  const value = fields.values[name];
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= most
    ? Number(value)
    : complain(fields, name, `a whole number from ${least} to ${most}`, least);
}

/** Reads a number that is one of some. */
export function oneOf(fields: Fields, name: string, choices: readonly number[]): number {
  const value = Number(fields.values[name]);
  return choices.includes(value)
    ? value
    : complain(fields, name, `one of ${choices.join(", ")}`, choices[0] ?? 0);
}

/** Reads a text of a form; `form` says it in words. */
export function textOf(
  fields: Fields,
  name: string,
  pattern: { test(text: string): boolean },
  form: string,
): string {
  const value = fields.values[name];
  return typeof value === "string" && pattern.test(value)
    ? value
    : complain(fields, name, form, "");
}

/** Reads a list of different texts of a form. */
export function textsOf(
  fields: Fields,
  name: string,
  pattern: RegExp,
  form: string,
  least = 0,
): readonly string[] {
  const value: unknown = fields.values[name];
  const isList =
    Array.isArray(value) &&
    value.length >= least &&
    new Set(value).size === value.length &&
    value.every((one) => typeof one === "string" && pattern.test(one));
  const few = least === 0 ? "" : `at least ${least} of them, `;
  return isList ? (value as string[]) : complain(fields, name, `a list: ${few}${form}`, []);
}

/** Reads null, or what `read` makes of an object with the fields `names`. */
export function nullOr<T>(
  fields: Fields,
  name: string,
  names: readonly string[],
  read: (inner: Fields) => T,
): T | null {
  const value = fields.values[name];
  if (value === null) return null;
  if (value === undefined) return complain(fields, name, "null or an object", null);
  return read(openFields(`${fields.where}.${name}`, value, names, fields.problems));
}
