// The rules of in-toto's Statement v1 and of SLSA's Provenance v1 that a statement of ours must keep.

type Row = Readonly<Record<string, unknown>>;

function row(value: unknown): Row {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Row) : {};
}

const isUri = (value: unknown): boolean => typeof value === "string" && URL.canParse(value);
const isTime = (value: unknown): boolean =>
  typeof value === "string" && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(value);

/** A resource has a digest of hex digits: of known algorithms of the right length. */
function digestProblems(where: string, given: unknown): readonly string[] {
  const digests = Object.entries(row(row(given)["digest"]));
  if (digests.length === 0) return [`${where} has no digest`];
  return digests
    .filter(([, value]) => typeof value !== "string" || !/^[0-9a-f]{64}$/.test(value))
    .map(([name]) => `${where} has a ${name} that is none`);
}

/** Says what is wrong with a statement. */
export function statementProblems(statement: unknown): readonly string[] {
  const { _type, subject, predicateType, predicate } = row(statement);
  const definition = row(row(predicate)["buildDefinition"]);
  const details = row(row(predicate)["runDetails"]);
  const builder = row(details["builder"]);
  const metadata = row(details["metadata"]);
  const subjects = Array.isArray(subject) ? (subject as readonly unknown[]) : [];
  const needed = definition["resolvedDependencies"];
  const dependencies = Array.isArray(needed) ? (needed as readonly unknown[]) : [];
  const shared = Object.keys(row(definition["externalParameters"])).filter((name) =>
    Object.hasOwn(row(definition["internalParameters"]), name),
  );
  const wrong: readonly (readonly [boolean, string])[] = [
    [_type !== "https://in-toto.io/Statement/v1", "its type is another one"],
    [predicateType !== "https://slsa.dev/provenance/v1", "its predicate is another one"],
    [subjects.length === 0, "it has no subject"],
    [!isUri(definition["buildType"]), "its build type is no URI"],
    [Object.keys(row(definition["externalParameters"])).length === 0, "it has no parameters"],
    [!Array.isArray(needed), "its dependencies are no list"],
    [shared.length > 0, `parameters are both external and internal: ${shared.join(", ")}`],
    [!isUri(builder["id"]), "its builder is no URI"],
    [
      !Object.values(row(builder["version"])).every((one) => typeof one === "string"),
      "versions are no texts",
    ],
    [typeof metadata["invocationId"] !== "string", "it names no invocation"],
    [!isTime(metadata["startedOn"]), "startedOn is no time"],
    [!isTime(metadata["finishedOn"]), "finishedOn is no time"],
    [/:null[,}]/.test(JSON.stringify(statement)), "something is null"],
  ];
  return [
    ...wrong.filter(([is]) => is).map(([, says]) => says),
    ...subjects.flatMap((one, at) => digestProblems(`subject ${at}`, one)),
    ...dependencies.flatMap((one, at) => digestProblems(`dependency ${at}`, one)),
  ];
}
