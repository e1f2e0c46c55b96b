// The steps of a crate: tools, the steps of the workflow that they do, and each time that one was done.

import type { Digest, Json } from "../digest.ts";
import {
  type Entity,
  entity,
  localId,
  propertyValue,
  ref,
  slotOf,
  statusOf,
  typeOfKind,
  typeOfValue,
} from "./crateEntities.ts";
import { callName, groupSteps, type StepGroup } from "./grouping.ts";
import type { FailedInfo, Provenance, RunInfo, StepInfo } from "./provenance.ts";

/** What the steps need of the rest of the crate. */
interface Around {
  readonly agentOf: (run: RunInfo | null | undefined) => Json | undefined;
  readonly idOf: (digest: Digest) => string | null;
}

/** Makes the entities of steps. */
export function makeSteps(provenance: Provenance, around: Around) {
  const groups = groupSteps(provenance);
  const runs = new Map(provenance.runs.map((run) => [run.id, run]));
  const failed = Map.groupBy(provenance.failed, ({ step }) => step);
  const all: StepEntities[] = groups.map((group, at) => {
    const [first] = group.calls;
    const own =
      first?.pipeline === provenance.run?.pipeline ? (failed.get(first?.step ?? "") ?? []) : [];
    if (first !== undefined && own.length > 0) failed.delete(first.step);
    return stepEntities(
      { number: at + 1, group, failed: own },
      { runs, run: provenance.run, ...around },
    );
  });
  // Steps of which no call has come to a result.
  for (const [name, own] of failed) {
    const group: StepGroup = {
      name,
      calls: [],
      ms: 0,
      reads: new Map(),
      readsGiven: 0,
      rank: groups.length,
    };
    all.push(
      stepEntities(
        { number: all.length + 1, group, failed: own },
        { runs, run: provenance.run, ...around },
      ),
    );
  }
  return {
    tools: all.map(({ tool }) => tool),
    steps: all.map(({ step }) => step),
    controls: all.map(({ control }) => control),
    actions: all.flatMap(({ actions }) => actions),
    parameters: all.flatMap(({ parameters }) => parameters),
  };
}

interface StepEntities {
  readonly tool: Entity;
  readonly step: Entity;
  readonly control: Entity;
  readonly actions: readonly Entity[];
  readonly parameters: readonly Entity[];
}

function stepEntities(
  {
    number,
    group,
    failed,
  }: {
    readonly number: number;
    readonly group: StepGroup;
    readonly failed: readonly FailedInfo[];
  },
  around: Around & { readonly runs: ReadonlyMap<string, RunInfo>; readonly run: RunInfo | null },
): StepEntities {
  const { name, calls, rank } = group;
  const toolId = `#tool-${number}`;
  const parameters = new Map<string, Entity>();
  const values: Entity[] = [];
  const slot = (way: string, own: string, additionalType: string): string => {
    const id = `${toolId}-${way}-${encodeURIComponent(own)}`;
    if (!parameters.has(id))
      parameters.set(id, entity(id, "FormalParameter", { name: own, additionalType }));
    return id;
  };
  const actions = calls.map((call) => {
    const agent = around.agentOf(call.run === null ? null : around.runs.get(call.run));
    return callAction(call, { toolId, slot, values, idOf: around.idOf, agent });
  });
  const tried = failed.map((one, at) =>
    entity(localId("failed", String(number), String(at + 1)), "CreateAction", {
      name: callName(one),
      description: [
        `A call of ${one.step}`,
        ...(one.scope === null ? [] : [`in ${one.scope}`]),
      ].join(" "),
      instrument: ref(toolId),
      startTime: one.startedAt,
      endTime: one.endedAt ?? undefined,
      agent: around.agentOf(around.run),
      ...statusOf("failed", one.error),
    }),
  );
  const slots = [...parameters.values()];
  const of = (way: string) =>
    slots.filter((one) => one["@id"].startsWith(`${toolId}-${way}-`)).map((one) => ref(one["@id"]));
  const [first] = calls;
  const stepId = `#step-${number}`;
  return {
    tool: entity(toolId, "SoftwareApplication", {
      name,
      description: describeTool(first),
      softwareVersion: versionOf(calls),
      input: of("in"),
      output: of("out"),
    }),
    step: entity(stepId, "HowToStep", { name, workExample: ref(toolId), position: rank }),
    control: entity(`#control-${number}`, "ControlAction", {
      name: `Calls of ${name}`,
      instrument: ref(stepId),
      object: [...actions, ...tried].map((one) => ref(one["@id"])),
      ...statusOf(tried.length > 0 ? "failed" : "succeeded", failed[0]?.error ?? null),
    }),
    actions: [...actions, ...tried],
    parameters: [...slots, ...values],
  };
}

function describeTool(first: StepInfo | undefined): string {
  if (first === undefined) return "A step of which no call has come to a result.";
  if (first.code === null) return `A step of hdash's own, version ${first.version}.`;
  const uses = first.uses === null ? "" : `; the files that it uses have the digest ${first.uses}`;
  return `A ${first.kind}; its code, without comments and layout, has the digest ${first.code}${uses}.`;
}

/** The digests of its code: of several, where calls of an older one were reused. */
function versionOf(calls: readonly StepInfo[]): string | undefined {
  const versions = new Set(calls.map(({ code, version }) => code ?? String(version)));
  return versions.size === 0 ? undefined : [...versions].join(" ");
}

/** The time that a step was done, by whoever has done it. */
function callAction(
  call: StepInfo,
  {
    toolId,
    slot,
    values,
    idOf,
    agent,
  }: {
    readonly toolId: string;
    readonly slot: (way: string, name: string, type: string) => string;
    readonly values: Entity[];
    readonly idOf: (digest: Digest) => string | null;
    readonly agent: Json | undefined;
  },
): Entity {
  const id = `#action-${call.result}`;
  const property = (name: string, value: Json, exampleOf: string | null): string => {
    const own = `${id}-${encodeURIComponent(name)}`;
    values.push(propertyValue(own, name, value, exampleOf));
    return own;
  };
  const read = call.inputs.flatMap(({ name, digest }) => {
    const file = idOf(digest);
    if (file !== null) slot("in", slotOf(name), file.endsWith("/") ? "Dataset" : "File");
    return file ?? [];
  });
  const said = Object.entries(call.values)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => property(name, value, slot("in", name, typeOfValue(value))));
  const environment = Object.entries(call.environment).map(([name, value]) =>
    property(`env-${name}`, value, null),
  );
  const result = call.outputs.flatMap(({ digest, port, kind }) => {
    slot("out", port, typeOfKind(kind));
    return idOf(digest) ?? [];
  });
  return entity(id, "CreateAction", {
    name: callName(call),
    description: [
      `A call of ${call.step}`,
      ...(call.run === null ? [] : [`in run ${call.run}`]),
      ...(call.attempt === null ? [] : [`attempt ${call.attempt}`]),
      ...(call.runner === null ? [] : [call.runner]),
      `its key is ${call.key}`,
    ].join(", "),
    instrument: ref(toolId),
    object: [...new Set([...read, ...said])].map(ref),
    result: [...new Set(result)].map(ref),
    environment: environment.map(ref),
    startTime: call.startedAt ?? undefined,
    endTime: call.endedAt,
    agent,
    ...statusOf("succeeded", null),
  });
}
