// The rules of RO-Crate 1.1, Workflow RO-Crate 1.0 and the Process, Workflow and Provenance Run Crate profiles 0.5 that docs/ro-crate.md lists,
// each as a check of a crate.

import {
  actions,
  hasType,
  idOf,
  isAbsolute,
  isText,
  isTime,
  isTyped,
  isUriReference,
  listOf,
  type ReadCrate,
  readGraph,
  refs,
  type Rule,
  STATUS,
  timeOf,
  tools,
  unless,
  without,
} from "./crateGraph.ts";

/** All rules, in the order of docs/ro-crate.md. */
export const RULES: readonly Rule[] = [
  rule("context", "MUST", "the context is RO-Crate 1.1's, and that of workflow runs", (crate) =>
    [
      "https://w3id.org/ro/crate/1.1/context",
      "https://w3id.org/ro/terms/workflow-run/context",
    ].filter((one) => !crate.context.includes(one)),
  ),
  rule("ids", "MUST", "every entity has an @id of its own and a @type", ({ all }) => {
    const ids = all.map(idOf);
    return [
      ...ids.filter((id, at) => id === "undefined" || ids.indexOf(id) !== at),
      ...all.filter((row) => listOf(row["@type"]).length === 0).map(idOf),
    ];
  }),
  rule(
    "uris",
    "MUST",
    "every @id is a URI reference, with no space, backslash or bracket",
    ({ all }) => all.map(idOf).filter((id) => /[\s\\<>"{}|^`[\]]/.test(id) || !isUriReference(id)),
  ),
  rule("flat", "MUST", "entities refer to one another, and hold none", ({ all }) =>
    all.flatMap((row) =>
      Object.entries(row).flatMap(([name, value]) =>
        listOf(value).some(
          (one) => typeof one === "object" && one !== null && Object.keys(one).join() !== "@id",
        )
          ? [`${idOf(row)}.${name}`]
          : [],
      ),
    ),
  ),
  rule(
    "references",
    "OURS",
    "every reference leads to an entity of the crate, or is a specification's",
    ({ all, get }) =>
      all.flatMap((row) =>
        Object.entries(row).flatMap(([name, value]) =>
          refs(value)
            .filter(
              (id) =>
                get(id) === undefined &&
                !(name === "conformsTo" && /^https:\/\/w3id\.org\//.test(id)) &&
                name !== "identifier",
            )
            .map((id) => `${idOf(row)}.${name} → ${id}`),
        ),
      ),
  ),
  rule("nulls", "OURS", "nothing is null or empty", ({ all }) =>
    all.flatMap((row) =>
      Object.entries(row)
        .filter(
          ([, value]) =>
            value === null ||
            value === "" ||
            listOf(value).some((one) => one === null) ||
            (Array.isArray(value) && value.length === 0),
        )
        .map(([name]) => `${idOf(row)}.${name}`),
    ),
  ),
  rule(
    "descriptor",
    "MUST",
    "the descriptor is about ./ and conforms to RO-Crate 1.1",
    ({ descriptor }) =>
      unless(
        hasType(descriptor, "CreativeWork") &&
          refs(descriptor["about"]).join() === "./" &&
          refs(descriptor["conformsTo"]).includes("https://w3id.org/ro/crate/1.1"),
        JSON.stringify(descriptor),
      ),
  ),
  rule(
    "workflow-conformance",
    "SHOULD",
    "the descriptor conforms to Workflow RO-Crate 1.0",
    ({ descriptor }) =>
      unless(
        refs(descriptor["conformsTo"]).includes(
          "https://w3id.org/workflowhub/workflow-ro-crate/1.0",
        ),
        "it does not",
      ),
  ),
  rule("root", "MUST", "the root is a Dataset ./ with an ISO 8601 datePublished", ({ root }) =>
    unless(hasType(root, "Dataset") && isTime(root["datePublished"]), JSON.stringify(root)),
  ),
  rule("root-words", "SHOULD", "the root has a name and a description", ({ root }) =>
    unless(isText(root["name"]) && isText(root["description"]), idOf(root)),
  ),
  rule(
    "licence",
    "SHOULD",
    "the root's licence is an entity with name and description",
    ({ root, get }) =>
      unless(
        refs(root["license"]).length === 1 &&
          refs(root["license"]).every(
            (id) => isText(get(id)?.["name"]) && isText(get(id)?.["description"]),
          ),
        String(root["license"]),
      ),
  ),
  rule(
    "profiles",
    "MUST",
    "the root conforms to the profile of provenance, and its profiles are entities with name and version",
    ({ root, get }) =>
      ["process/0.5", "workflow/0.5", "provenance/0.5"]
        .map((one) => `https://w3id.org/ro/wfrun/${one}`)
        .filter(
          (id) =>
            !refs(root["conformsTo"]).includes(id) ||
            !hasType(get(id) ?? {}, "CreativeWork") ||
            !isText(get(id)?.["version"]),
        ),
  ),
  rule("parts", "MUST", "every file and folder is reached from the root by hasPart", (crate) => {
    const met = new Set<string>();
    const walk = (id: string): void => {
      if (met.has(id)) return;
      met.add(id);
      if (isTyped(id, ["Dataset"], crate)) refs(crate.get(id)?.["hasPart"]).forEach(walk);
    };
    walk("./");
    return [...crate.of("File"), ...crate.of("Dataset")].map(idOf).filter((id) => !met.has(id));
  }),
  rule("folders", "SHOULD", "a folder's @id ends with a slash", (crate) =>
    crate
      .of("Dataset")
      .map(idOf)
      .filter((id) => !id.endsWith("/")),
  ),
  rule("file-ids", "MUST", "a file's @id is a path in the crate, or an absolute URI", (crate) =>
    crate
      .of("File")
      .map(idOf)
      .filter((id) => !isAbsolute(id) && /^(\/|#|\.\.?\/)/.test(id)),
  ),
  rule(
    "files",
    "OURS",
    "every file has a name, its size in bytes as text, its sha256 and its format",
    (crate) => [
      ...without(crate.of("File"), "name", isText),
      ...without(crate.of("File"), "contentSize", (value) => isText(value) && /^\d+$/.test(value)),
      ...without(
        crate.of("File"),
        "sha256",
        (value) => isText(value) && /^[0-9a-f]{64}$/.test(value),
      ),
      ...without(crate.of("File"), "encodingFormat", isText),
    ],
  ),
  rule("web", "SHOULD", "a file of the web says when it was there", (crate) =>
    without(
      crate.of("File").filter((row) => /^https?:/.test(idOf(row))),
      "sdDatePublished",
      isTime,
    ),
  ),
  rule(
    "workflow",
    "MUST",
    "the main entity is a File, SoftwareSourceCode and ComputationalWorkflow, and a HowTo",
    ({ workflow }) =>
      ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"].filter(
        (type) => !hasType(workflow, type),
      ),
  ),
  rule(
    "language",
    "MUST",
    "the workflow's language is a ComputerLanguage with name, identifier and url",
    ({ workflow, get }) => {
      const own = get(refs(workflow["programmingLanguage"])[0] ?? "") ?? {};
      return unless(
        hasType(own, "ComputerLanguage") &&
          isText(own["name"]) &&
          isText(own["url"]) &&
          own["identifier"] !== undefined,
        JSON.stringify(own),
      );
    },
  ),
  rule("tools", "MUST", "the workflow refers to all of its tools by hasPart", (crate) =>
    tools(crate)
      .map(idOf)
      .filter((id) => id !== idOf(crate.workflow) && !refs(crate.workflow["hasPart"]).includes(id)),
  ),
  rule("tool-types", "SHOULD", "a tool is software, with a name", (crate) =>
    tools(crate)
      .filter(
        (row) =>
          !["SoftwareApplication", "SoftwareSourceCode", "ComputationalWorkflow"].some((type) =>
            hasType(row, type),
          ) || !isText(row["name"]),
      )
      .map(idOf),
  ),
  rule("tool-versions", "SHOULD", "a tool that was done has a version, and not two", (crate) =>
    crate
      .of("SoftwareApplication")
      .filter(
        (row) =>
          row["description"] !== "A step of which no call has come to a result." &&
          !isText(row["softwareVersion"]),
      )
      .map(idOf),
  ),
  rule("steps", "MUST", "the workflow refers to its steps, and each to its tool", (crate) => [
    ...crate
      .of("HowToStep")
      .map(idOf)
      .filter((id) => !refs(crate.workflow["step"]).includes(id)),
    ...crate
      .of("HowToStep")
      .filter((row) => refs(row["workExample"]).length !== 1)
      .map(idOf),
  ]),
  rule("positions", "MUST", "a step stands after those whose results it has read", (crate) => {
    const positionOf = new Map(
      crate
        .of("HowToStep")
        .map((row) => [refs(row["workExample"])[0] ?? "", Number(row["position"])]),
    );
    const makerOf = new Map(
      crate
        .of("CreateAction")
        .flatMap((row) =>
          refs(row["result"]).map((id) => [id, refs(row["instrument"])[0] ?? ""] as const),
        ),
    );
    return crate.of("CreateAction").flatMap((row) => {
      const own = refs(row["instrument"])[0] ?? "";
      return refs(row["object"]).flatMap((id) => {
        const maker = makerOf.get(id);
        const [before, after] = [positionOf.get(maker ?? ""), positionOf.get(own)];
        return maker === own || before === undefined || after === undefined || before < after
          ? []
          : [`${idOf(row)} reads ${id}`];
      });
    });
  }),
  rule("workflow-run", "MUST", "the workflow was run by a CreateAction", (crate) =>
    unless(
      crate
        .of("CreateAction")
        .some((row) => refs(row["instrument"]).includes(idOf(crate.workflow))),
      "it was not",
    ),
  ),
  rule("instruments", "MUST", "every action has an instrument of the right type", (crate) =>
    actions(crate)
      .filter(
        (row) =>
          !refs(row["instrument"]).some((id) =>
            isTyped(
              id,
              hasType(row, "ControlAction")
                ? ["HowToStep"]
                : ["SoftwareApplication", "ComputationalWorkflow"],
              crate,
            ),
          ),
      )
      .map(idOf),
  ),
  rule("mentions", "SHOULD", "the root mentions every CreateAction", (crate) =>
    crate
      .of("CreateAction")
      .map(idOf)
      .filter((id) => !refs(crate.root["mentions"]).includes(id)),
  ),
  rule("action-words", "SHOULD", "every CreateAction has a name and a description", (crate) => [
    ...without(crate.of("CreateAction"), "name", isText),
    ...without(crate.of("CreateAction"), "description", isText),
  ]),
  rule(
    "times",
    "SHOULD",
    "every action that is over has an end, in ISO 8601, not before its start",
    (crate) =>
      crate
        .of("CreateAction")
        .filter(
          (row) =>
            row["actionStatus"] !== `${STATUS}ActiveActionStatus` &&
            (!isTime(row["endTime"]) ||
              (row["startTime"] !== undefined &&
                (!isTime(row["startTime"]) || timeOf(row["startTime"]) > timeOf(row["endTime"])))),
        )
        .map(idOf),
  ),
  rule(
    "agents",
    "SHOULD",
    "every CreateAction has an agent that is a person with a name",
    (crate) =>
      crate
        .of("CreateAction")
        .filter(
          (row) =>
            !refs(row["agent"]).some(
              (id) =>
                isTyped(id, ["Person", "Organization"], crate) && isText(crate.get(id)?.["name"]),
            ),
        )
        .map(idOf),
  ),
  rule("results", "SHOULD", "every CreateAction that did well has a result", (crate) =>
    crate
      .of("CreateAction")
      .filter(
        (row) =>
          row["actionStatus"] === `${STATUS}CompletedActionStatus` &&
          refs(row["result"]).length === 0,
      )
      .map(idOf),
  ),
  rule("data", "SHOULD", "what actions read and give are files, folders or values", (crate) =>
    crate
      .of("CreateAction")
      .flatMap((row) =>
        [...refs(row["object"]), ...refs(row["result"])].filter(
          (id) =>
            !isTyped(id, ["File", "Dataset", "Collection", "CreativeWork", "PropertyValue"], crate),
        ),
      ),
  ),
  rule("status", "SHOULD", "every action says how it ended", (crate) =>
    without(
      actions(crate),
      "actionStatus",
      (value) =>
        isText(value) &&
        /^http:\/\/schema\.org\/(Completed|Failed|Active)ActionStatus$/.test(value),
    ),
  ),
  rule("errors", "SHOULD", "an error stands where an action failed, and only there", (crate) =>
    actions(crate)
      .filter(
        (row) => isText(row["error"]) !== (row["actionStatus"] === `${STATUS}FailedActionStatus`),
      )
      .map(idOf),
  ),
  rule("controls", "MUST", "every ControlAction refers to CreateActions", (crate) =>
    crate
      .of("ControlAction")
      .filter(
        (row) =>
          refs(row["object"]).length === 0 ||
          !refs(row["object"]).every((id) => isTyped(id, ["CreateAction"], crate)),
      )
      .map(idOf),
  ),
  rule(
    "engine",
    "MUST",
    "the OrganizeAction refers to the engine, the ControlActions and the workflow's run",
    (crate) =>
      crate
        .of("OrganizeAction")
        .filter(
          (row) =>
            !refs(row["result"]).every((id) =>
              refs(crate.get(id)?.["instrument"]).includes(idOf(crate.workflow)),
            ) ||
            refs(row["result"]).length !== 1 ||
            !crate.of("ControlAction").every((one) => refs(row["object"]).includes(idOf(one))),
        )
        .map(idOf),
  ),
  rule("parameters", "MUST", "a formal parameter has an additionalType, and a name", (crate) => [
    ...without(crate.of("FormalParameter"), "additionalType", isText),
    ...without(crate.of("FormalParameter"), "name", isText),
  ]),
  rule(
    "examples",
    "SHOULD",
    "what a value or file is an example of is a formal parameter of a type that fits",
    (crate) =>
      crate.all.flatMap((row) =>
        refs(row["exampleOfWork"])
          .filter((id) => {
            const type = crate.get(id)?.["additionalType"];
            const isData = hasType(row, "File") || hasType(row, "Dataset");
            return (
              !isTyped(id, ["FormalParameter"], crate) ||
              isData !== ["File", "Dataset", "Collection"].includes(String(type))
            );
          })
          .map((id) => `${idOf(row)} → ${id}`),
      ),
  ),
  rule("values", "MUST", "a value has a name and a value", (crate) => [
    ...without(crate.of("PropertyValue"), "name", isText),
    ...without(crate.of("PropertyValue"), "value"),
  ]),
];

function rule(id: string, level: Rule["level"], says: string, check: Rule["check"]): Rule {
  return { id, level, says, check };
}

/** Says which rules a crate breaks: "id: where". */
export function brokenRules(crate: ReadCrate): readonly string[] {
  const graph = readGraph(crate);
  return RULES.flatMap(({ id, check }) => check(graph).map((where) => `${id}: ${where}`));
}
