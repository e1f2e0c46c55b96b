// A provenance as text for a terminal: step by step where they are few, else the steps by name.

import { bytes, count, duration, instant, list, listFew, number } from "../format.ts";
import { callName, groupSteps } from "./grouping.ts";
import type { ContentInfo, InputInfo, Provenance, ResultInfo, StepInfo } from "./provenance.ts";

/** More steps than this are told by name. A screen or two. */
const MOST_STEPS = 30;
/** Given files and results of a long list that are told by name. */
const MOST_LISTED = 20;

/** Writes a provenance as lines of text. */
export function provenanceText(provenance: Provenance): readonly string[] {
  const { steps, results, given, failed, isCut } = provenance;
  const isLong = steps.length > MOST_STEPS;
  const lines = [
    ...results.slice(0, MOST_LISTED).map((one) => resultLine(provenance, one)),
    ...more(results.length),
    ...runLines(provenance),
  ];
  if (steps.length > 0) {
    lines.push(
      "",
      isLong ? `${count(steps.length, "step")}, by name, last first` : "made by, last first",
    );
    lines.push(
      ...(isLong
        ? groupLines(provenance)
        : [...steps].reverse().flatMap((one) => stepLines(provenance, one))),
    );
  }
  if (given.length > 0) {
    lines.push("", `${count(given.length, "given file")}`.replace("given files", "given"));
    const names = given.map((one) => one.names.join(", "));
    const width = Math.min(
      40,
      Math.max(0, ...names.slice(0, MOST_LISTED).map((name) => name.length)),
    );
    for (const [at, one] of given.slice(0, MOST_LISTED).entries()) {
      lines.push(`  ${(names[at] ?? "").padEnd(width)}  ${contentText(one)}`);
    }
    lines.push(...more(given.length));
  }
  if (failed.length > 0) {
    lines.push("", "failed");
    for (const one of failed.slice(0, MOST_LISTED))
      lines.push(`  ${callName(one)}: ${one.error ?? "nobody knows why"}`);
    lines.push(...more(failed.length));
  }
  if (isCut) lines.push("", "There is more: --depth ended here.");
  return lines;
}

function more(length: number): readonly string[] {
  return length > MOST_LISTED
    ? [`  … and ${number(length - MOST_LISTED)} more (--format json has all)`]
    : [];
}

function contentText({ digest, bytes: length, kind }: ContentInfo): string {
  return `sha256:${digest.slice(0, 12)}  ${kind === "file" ? "" : `${kind}, `}${bytes(length)}`;
}

function resultLine({ steps }: Provenance, one: ResultInfo): string {
  if ("value" in one)
    return `${one.name}  ${JSON.stringify(one.value)}, a value that the plan gave by itself`;
  const maker = steps.find(({ result }) => result === one.from?.result);
  const by = maker === undefined ? "" : `  given by ${callName(maker)}`;
  return `${one.name}  ${contentText(one)}${by}${one.path === null ? "" : `, in ${one.from?.port ?? ""}/${one.path}`}`;
}

function runLines({ run, runs }: Provenance): readonly string[] {
  return [run, ...runs.filter(({ id }) => id !== run?.id)].flatMap((one) => {
    if (one === null) return ["the run that made it is forgotten"];
    const when = one.startedAt === null ? "" : `, ${instant(one.startedAt)}`;
    const who = one.requestedBy === null ? "" : `, for ${one.requestedBy}`;
    const part = one.id === run?.id ? "" : ", which made a part of it";
    return [`run ${one.id} of ${one.pipeline}, ${one.status}${when}${who}, ${one.build}${part}`];
  });
}

function stepLines(provenance: Provenance, step: StepInfo): readonly string[] {
  const { label, runner, run, attempt, ms } = step;
  const facts = [
    ...(run === null ? [] : [`run ${run}`]),
    ...(attempt === null || attempt === 1 ? [] : [`attempt ${attempt}`]),
    ...(runner === null ? [] : [runner]),
    duration(ms),
    step.code === null ? `version ${step.version}` : `code ${step.code.slice(0, 8)}`,
    ...(step.uses === null ? [] : [`uses ${step.uses.slice(0, 8)}`]),
    ...(step.network ? ["network"] : []),
    ...(step.stub ? ["a stub"] : []),
    `key ${step.key.slice(0, 8)}`,
  ];
  const values = Object.entries({ ...step.environment, ...step.values });
  return [
    `  ${callName(step)}  (${facts.join(", ")})`,
    ...(values.length === 0 || (values.length === 1 && values[0]?.[1] === label)
      ? []
      : [
          `    ${values.map(([name, value]) => `${name} ${short(JSON.stringify(value))}`).join(", ")}`,
        ]),
    ...inputLines(provenance, step.inputs),
    ...(step.verified === null
      ? []
      : [`    verified ${instant(step.verified.at)}: ${step.verified.state}`]),
    ...step.trusted.map(
      (one) =>
        `    trusted${one.withdrawn === null ? "" : " (withdrawn)"}: code ${one.code.slice(0, 8)} stands for it, because ${one.because}`,
    ),
  ];
}

const MOST_INPUTS = 8;
const LONGEST_VALUE = 80;

function short(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

function inputLines(
  { steps, given, isCut }: Provenance,
  inputs: readonly InputInfo[],
): readonly string[] {
  const lines = inputs.slice(0, MOST_INPUTS).map(({ name, digest, from }) => {
    const maker = steps.find(({ result }) => result === from?.result);
    const names = given.find((one) => one.digest === digest)?.names;
    const said =
      maker !== undefined
        ? `from ${callName(maker)}${from === null || from.path === null ? "" : `, ${from.port}/${from.path}`}`
        : names !== undefined
          ? `given: ${names.join(", ")}`
          : isCut
            ? "not walked to"
            : "made by nobody that the ledger knows";
    return `    ${name}  sha256:${digest.slice(0, 12)}  ${said}`;
  });
  const rest = inputs.length - MOST_INPUTS;
  return rest > 0 ? [...lines, `    … and ${count(rest, "more input", "more inputs")}`] : lines;
}

function groupLines(provenance: Provenance): readonly string[] {
  const groups = groupSteps(provenance);
  const width = Math.max(...groups.map(({ name }) => name.length));
  return [...groups].reverse().map(({ name, calls, ms, reads, readsGiven }) => {
    const from = [
      ...[...reads.keys()].map((one) => groups[one]?.name ?? ""),
      ...(readsGiven > 0 ? ["what was given"] : []),
    ];
    const codes = new Set(calls.map(({ code, version }) => code ?? `version ${version}`));
    const runs = [...new Set(calls.flatMap(({ run }) => run ?? []))];
    return [
      `  ${name.padEnd(width)}  ${count(calls.length, "call")}, ${duration(ms)} in all`,
      ...(runs.length === 0 ? [] : [`${runs.length === 1 ? "run" : "runs"} ${listFew(runs)}`]),
      ...(codes.size === 1
        ? []
        : [count(codes.size, "version of its code", "versions of its code")]),
      ...(from.length === 0 ? [] : [`reads ${list(from)}`]),
    ].join(", ");
  });
}
