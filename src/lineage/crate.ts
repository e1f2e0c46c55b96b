// A provenance as a Workflow Run RO-Crate, Provenance Run Crate 0.5 on RO-Crate 1.1: what docs/ro-crate.md lists, and a test checks rule by rule.

import type { Digest, Json } from "../digest.ts";
import {
  type Entity,
  entity,
  licenceOf,
  localId,
  pathId,
  personOf,
  ref,
  statusOf,
} from "./crateEntities.ts";
import { crateFiles } from "./crateFiles.ts";
import { makeFileEntities } from "./crateParts.ts";
import { makeSteps } from "./crateSteps.ts";
import type { Provenance, RunInfo } from "./provenance.ts";

/** The workflow's own file in the crate. */
export interface WorkflowFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** True for the file that somebody has written; else it is what the ledger knows of it. */
  readonly isSource: boolean;
}

/** What a crate needs beside the provenance. */
export interface CrateInput {
  readonly workflow: WorkflowFile;
  /** "Name <https://orcid.org/…>"; null where nobody said. */
  readonly agent: string | null;
  /** An SPDX id or URL; null where nobody said. */
  readonly licence: string | null;
  /** When it is made. */
  readonly at: string;
  readonly build: string;
  /** Contents that come with it. */
  readonly included: ReadonlySet<Digest>;
  /** Where people see the site, and as what publisher the ledger knows it; null where nobody said. */
  readonly siteUrl: string | null;
}

/** The metadata file. */
export interface Crate {
  readonly "@context": readonly string[];
  readonly "@graph": readonly Entity[];
}

const PROFILES: readonly (readonly [id: string, name: string, version: string])[] = [
  ["https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"],
  ["https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"],
  ["https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"],
  ["https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"],
];
const NO_LICENCE =
  "Nobody has said under which licence this may be used: ask whoever has given it to you.";
const ENGINE = "#hdash";

/** Makes the metadata of a crate. */
export function makeCrate(provenance: Provenance, input: CrateInput): Crate {
  const { workflow, licence, at, included } = input;
  const { run } = provenance;
  const workflowId = pathId(workflow.path);
  const agents = makeAgents(input.agent);
  const files = makeFileEntities(provenance, crateFiles(provenance), {
    included,
    siteUrl: input.siteUrl,
    at,
  });
  const steps = makeSteps(provenance, { agentOf: agents.of, idOf: files.idOf });
  const { parameters, outputs } = files;
  const runAction = workflowAction(provenance, {
    workflowId,
    objects: files.objects,
    results: files.results,
    agents,
  });
  const organized = organizeAction(provenance, steps.controls, runAction["@id"], agents);
  const actions = [runAction, ...steps.actions];
  const name = provenance.isRun
    ? `Run ${run?.id ?? ""} of ${run?.pipeline ?? ""}`
    : provenance.asked;
  const license = licence === null ? null : licenceOf(licence);
  const language = languageOf(workflow);
  return {
    "@context": [
      "https://w3id.org/ro/crate/1.1/context",
      "https://w3id.org/ro/terms/workflow-run/context",
    ],
    "@graph": [
      entity("ro-crate-metadata.json", "CreativeWork", {
        about: ref("./"),
        conformsTo: [
          ref("https://w3id.org/ro/crate/1.1"),
          ref("https://w3id.org/workflowhub/workflow-ro-crate/1.0"),
        ],
      }),
      entity("./", "Dataset", {
        name: `Provenance of ${name}`,
        description: descriptionOf(provenance, included.size > 0),
        datePublished: at,
        license: license === null ? NO_LICENCE : ref(license["@id"]),
        conformsTo: PROFILES.map(([id]) => ref(id)),
        hasPart: [ref(workflowId), ...files.topLevel.map(ref)],
        mainEntity: ref(workflowId),
        mentions: [...actions, organized].map((one) => ref(one["@id"])),
      }),
      ...PROFILES.map(([id, title, version]) =>
        entity(id, "CreativeWork", { name: title, version }),
      ),
      ...(license === null ? [] : [license]),
      entity(workflowId, ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"], {
        name: run?.pipeline ?? "pipeline",
        description: workflow.isSource
          ? "The file of the pipeline. Its steps are known by the digests of their code, which are in the keys of their results."
          : "What the ledger knows of the pipeline: its steps, by the digests of their code, and who has read from whom.",
        contentSize: String(workflow.bytes),
        sha256: workflow.sha256,
        encodingFormat: workflow.isSource ? "text/plain" : "application/json",
        programmingLanguage: ref(language["@id"]),
        hasPart: steps.tools.map((one) => ref(one["@id"])),
        step: steps.steps.map((one) => ref(one["@id"])),
        input: parameters
          .filter((one) => one["@type"] === "FormalParameter")
          .map((one) => ref(one["@id"])),
        output: outputs.map((one) => ref(one["@id"])),
        ...(license === null ? {} : { license: ref(license["@id"]) }),
      }),
      language,
      entity(ENGINE, "SoftwareApplication", {
        name: "hdash",
        description:
          "Runs pipelines of content-addressed steps, and keeps what each result was made of.",
        softwareVersion: run?.build ?? input.build,
      }),
      ...agents.all(),
      organized,
      ...actions,
      ...steps.controls,
      ...steps.steps,
      ...steps.tools,
      ...steps.parameters,
      ...parameters,
      ...outputs,
      ...files.entities,
    ],
  };
}

/** Who has run what: who asked for the run, else who this hdash belongs to. Where nobody said, no agent is named: the profile only asks for one. */
function makeAgents(given: string | null) {
  const people = new Map<string, Entity>();
  return {
    of(run: Pick<RunInfo, "requestedBy"> | null | undefined): Json | undefined {
      const text = run?.requestedBy ?? given;
      if (text === null) return undefined;
      const person = personOf(text);
      people.set(person["@id"], person);
      return ref(person["@id"]);
    },
    all: (): readonly Entity[] => [...people.values()],
  };
}
type Agents = ReturnType<typeof makeAgents>;

function languageOf({ isSource }: WorkflowFile): Entity {
  return isSource
    ? entity("https://www.typescriptlang.org/", "ComputerLanguage", {
        name: "TypeScript",
        alternateName: "TS",
        identifier: ref("https://www.typescriptlang.org/"),
        url: "https://www.typescriptlang.org/",
      })
    : entity("https://www.json.org/", "ComputerLanguage", {
        name: "hdash's description of a pipeline, as JSON",
        alternateName: "JSON",
        identifier: ref("https://www.json.org/"),
        url: "https://www.json.org/",
      });
}

function descriptionOf(
  { steps, given, failed, asked, isRun }: Provenance,
  hasData: boolean,
): string {
  return [
    isRun ? "All that a run of a pipeline has given" : `What ${asked} was made of`,
    `, with ${steps.length} steps that were done, ${given.length} files and folders that were given to them`,
    failed.length > 0 ? `, and ${failed.length} steps that failed` : "",
    hasData ? "." : ". Data is named by sha256 and does not come along.",
  ].join("");
}

function workflowAction(
  { run, steps, isRun }: Provenance,
  {
    workflowId,
    objects,
    results,
    agents,
  }: {
    readonly workflowId: string;
    readonly objects: readonly string[];
    readonly results: readonly string[];
    readonly agents: Agents;
  },
): Entity {
  const hits = steps.filter(({ state }) => state === "hit").length;
  const ended = steps.map(({ endedAt }) => endedAt).sort();
  return entity(localId("run", run?.id ?? "forgotten"), "CreateAction", {
    name: run === null ? "A run that is forgotten" : `Run ${run.id} of ${run.pipeline}`,
    description:
      hits === 0
        ? "All of its steps were done in it."
        : `Of the steps ${hits} were done by earlier runs, whose results it has used.`,
    instrument: ref(workflowId),
    object: objects.map(ref),
    result: results.map(ref),
    startTime: run?.startedAt ?? undefined,
    endTime: run === null ? ended.at(-1) : (run.finishedAt ?? (isRun ? undefined : ended.at(-1))),
    agent: agents.of(run),
    ...statusOf(run?.status ?? "succeeded", run?.error ?? null),
  });
}

function organizeAction(
  { run }: Provenance,
  controls: readonly Entity[],
  runId: string,
  agents: Agents,
): Entity {
  return entity(localId("engine", run?.id ?? "forgotten"), "OrganizeAction", {
    name: `hdash ${run?.build ?? ""}`.trim(),
    instrument: ref(ENGINE),
    object: controls.map((one) => ref(one["@id"])),
    result: ref(runId),
    startTime: run?.startedAt ?? undefined,
    endTime: run?.finishedAt ?? undefined,
    agent: agents.of(run),
    ...statusOf(run?.status ?? "succeeded", run?.error ?? null),
  });
}
