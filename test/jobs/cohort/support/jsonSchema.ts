// Holds a value against a JSON Schema, as far as our schemas go: another keyword than these is a fault of the test.

type Schema = Readonly<Record<string, unknown>>;

const SAID: readonly string[] = ["$schema", "title", "description", "format"];

/** Tells where a value is not as its schema says; an object must have no field that the schema does not name. */
export function schemaFaults(schema: Schema, value: unknown, at = "it"): readonly string[] {
  const faults: string[] = [];
  for (const [keyword, says] of Object.entries(schema)) {
    if (SAID.includes(keyword)) continue;
    faults.push(...faultsOf(keyword, says, value, at, schema));
  }
  return faults;
}

function faultsOf(
  keyword: string,
  says: unknown,
  value: unknown,
  at: string,
  schema: Schema,
): readonly string[] {
  const no = (what: string): readonly string[] => [`${at} ${what}: ${JSON.stringify(value)}`];
  const fields = Object.entries((value ?? {}) as Readonly<Record<string, unknown>>);
  switch (keyword) {
    case "type": {
      const types = [says].flat() as readonly string[];
      return types.some((type) => isOf(type, value)) ? [] : no(`is no ${types.join(" or ")}`);
    }
    case "enum":
      return (says as readonly unknown[]).includes(value) ? [] : no("is none of its values");
    case "pattern":
      return typeof value !== "string" || new RegExp(String(says)).test(value)
        ? []
        : no("has another form");
    case "minimum":
      return typeof value !== "number" || value >= Number(says) ? [] : no("is too small");
    case "maximum":
      return typeof value !== "number" || value <= Number(says) ? [] : no("is too large");
    case "required":
      return (says as readonly string[])
        .filter((name) => !fields.some(([own]) => own === name))
        .map((name) => `${at} lacks ${name}`);
    case "properties": {
      const known = says as Readonly<Record<string, Schema>>;
      return fields.flatMap(([name, own]) =>
        known[name] === undefined
          ? schema["additionalProperties"] === undefined && name !== "$schema"
            ? [`${at} has ${name}, of which nothing is said`]
            : []
          : schemaFaults(known[name], own, `${at}.${name}`),
      );
    }
    case "additionalProperties":
      return fields.flatMap(([name, own]) => schemaFaults(says as Schema, own, `${at}.${name}`));
    case "items":
      return (value as readonly unknown[]).flatMap((own, index) =>
        schemaFaults(says as Schema, own, `${at}[${index}]`),
      );
    case "anyOf": {
      const all = (says as readonly Schema[]).map((one) => schemaFaults(one, value, at));
      return all.some(({ length }) => length === 0) ? [] : (all.at(-1) ?? []);
    }
    default:
      throw new Error(`${keyword} is no keyword that is known here`);
  }
}

function isOf(type: string, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  if (type === "object")
    return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === type;
}
