// A provenance as one page: what was asked for, the steps as a drawing and by name, every call in a table that can be searched.

import { bytes, count, duration, instant, listFew, number } from "../format.ts";
import {
  type AssetPaths,
  makeFrame,
  type Menu,
  type PageAssets,
  type RenderPage,
} from "../render/page.ts";
import { inlineSvg } from "../render/svg.ts";
import { type CellValue, makeTable, type TableColumn, type TableModel } from "../render/table.ts";
import { callName, groupSteps, type StepGroup } from "./grouping.ts";
import type { GivenInfo, InputInfo, Provenance, StepInfo } from "./provenance.ts";
import { drawSteps } from "./stepsFigure.ts";

/** Calls that a step's own list names; the table below has all of them. */
const MOST_LISTED = 10;

const LOADS: PageAssets = {
  styles: ["theme.css", "site.css", "table.css", "figures.css", "provenance.css"],
  scripts: ["address.js", "controls.js", "rows.js", "table.js"],
};

/** How the page looks, and where it is. */
export interface ProvenanceDesign {
  readonly render: RenderPage;
  readonly assets: AssetPaths;
  /** Its path from the root of its site, and the menu there; missing: it stands alone. */
  readonly site?: { readonly path: string; readonly menu: Menu };
}

const ALONE = {
  path: "provenance.html",
  menu: { brand: { label: "hdash", path: "provenance.html" }, places: [] },
};

/** Makes the page, which refers to its assets by their published paths. */
export function makeProvenancePage(
  provenance: Provenance,
  { render, assets, site = ALONE }: ProvenanceDesign,
): string {
  const { asked, run, steps, given, failed, isCut } = provenance;
  const groups = groupSteps(provenance);
  const alt = `How ${groups.map(({ name }) => name).join(", ")} have read from one another`;
  const draw = (isNarrow: boolean) => inlineSvg(drawSteps(groups, given.length, { isNarrow }), alt);
  return render("lineage/provenance", {
    frame: makeFrame({
      title: `Provenance of ${asked}`,
      description: "What a result was made of, and how.",
      ...site,
      loads: LOADS,
      assets,
    }),
    title: asked,
    summary: summaryOf(provenance),
    headlines: [
      { label: "Steps", value: number(groups.length) },
      { label: "Calls", value: number(steps.length) },
      { label: "Given", value: number(given.length) },
      { label: "Runs", value: number(provenance.runs.length) },
      { label: "Time in steps", value: duration(steps.reduce((sum, { ms }) => sum + ms, 0)) },
    ],
    notice: isCut ? "There is more than this: the walk was told where to end (--depth)." : "",
    error: run?.error ?? "",
    results: resultsTable(provenance),
    figure: {
      id: "steps",
      title: "What has read from what, by step",
      svg: groups.length === 0 ? "" : draw(false),
      compactSvg: groups.length === 0 ? "" : draw(true),
      svgPath: "",
      pngPath: "",
    },
    hasSteps: groups.length > 0,
    groups: [...groups].reverse().map((group) => groupModel(group, groups)),
    calls: callsTable(provenance),
    hasGiven: given.length > 0,
    given: givenTable(given),
    hasFailed: failed.length > 0,
    failed: failedTable(provenance),
    runs: runsTable(provenance),
  });
}

function summaryOf({ run, isRun, results }: Provenance): string {
  const what = isRun
    ? `All that run ${run?.id ?? ""} has given: ${count(results.length, "result")}`
    : `${count(results.length, "result")}`;
  if (run === null) return `${what}. The run that made it is forgotten.`;
  const when = run.startedAt === null ? "" : `, ${instant(run.startedAt)}`;
  return `${what} · run ${run.id} of ${run.pipeline}, ${run.status}${when} · ${run.build}`;
}

function digestCell(digest: string, note = ""): CellValue {
  return { text: `sha256:${digest.slice(0, 12)}`, value: digest, ...(note === "" ? {} : { note }) };
}

function resultsTable({ results, steps, asked }: Provenance): TableModel {
  const makers = new Map(steps.map((step) => [step.result, step]));
  return makeTable({
    id: "results",
    name: `${asked}-results`,
    caption: "What was asked for",
    columns: [
      { key: "name", label: "Result", kind: "text" },
      { key: "content", label: "Content", kind: "text", hint: "The first digits of its SHA-256" },
      { key: "bytes", label: "Size", kind: "number" },
      { key: "by", label: "Made by", kind: "text" },
    ],
    rows: results.map((one) => {
      if ("value" in one) return [one.name, JSON.stringify(one.value), "", "the plan itself"];
      const maker = one.from === null ? undefined : makers.get(one.from.result);
      return [
        one.name,
        digestCell(one.digest, one.path ?? ""),
        { text: bytes(one.bytes), value: one.bytes },
        maker === undefined ? "" : callName(maker),
      ];
    }),
    empty: "The run has given nothing.",
  });
}

function groupModel({ name, calls, ms, reads, readsGiven }: StepGroup, all: readonly StepGroup[]) {
  const [first] = calls;
  const codes = [...new Set(calls.flatMap(({ code }) => code ?? []))];
  const runs = [...new Set(calls.flatMap(({ run }) => run ?? []))];
  const runners = [...new Set(calls.flatMap(({ runner }) => runner ?? []))];
  const from = [
    ...[...reads.keys()].map((at) => all[at]?.name ?? ""),
    ...(readsGiven > 0 ? ["what was given"] : []),
  ];
  const facts = [
    [
      "Kind",
      first?.kind === "hdash"
        ? `a step of hdash's own, version ${first.version}`
        : (first?.kind ?? ""),
    ],
    ["Code", listFew(codes.map((code) => code.slice(0, 16)))],
    ["Uses", listFew([...new Set(calls.flatMap(({ uses }) => uses?.slice(0, 16) ?? []))])],
    [
      "Environment",
      Object.entries(first?.environment ?? {})
        .map(([key, value]) => `${key}=${value}`)
        .join(" "),
    ],
    ["Network", calls.some(({ network }) => network) ? "yes" : ""],
    [
      "Done in",
      `${runs.length === 1 ? "run" : "runs"} ${listFew(runs)}${runners.length === 0 ? "" : `, ${runners.join(", ")}`}`,
    ],
    ["Reads", listFew(from)],
    ["Verified", verdictsOf(calls)],
    ["Trusted", calls.flatMap(({ trusted }) => trusted.map(({ because }) => because))[0] ?? ""],
  ] as const;
  return {
    name,
    note: `${count(calls.length, "call")}, ${duration(ms)}`,
    facts: facts.filter(([, value]) => value !== "").map(([label, value]) => ({ label, value })),
    calls: calls
      .slice(0, MOST_LISTED)
      .map((call) => ({ name: callName(call), facts: callFacts(call) })),
    more:
      calls.length > MOST_LISTED
        ? `and ${number(calls.length - MOST_LISTED)} more, in the table of calls`
        : "",
  };
}

function verdictsOf(calls: readonly StepInfo[]): string {
  const states = calls.flatMap(({ verified }) => verified?.state ?? []);
  return [...Map.groupBy(states, (state) => state)]
    .map(([state, own]) => `${number(own.length)} ${state}`)
    .join(", ");
}

function valuesText({ values }: StepInfo): string {
  const text = Object.entries(values)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(", ");
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function callFacts(call: StepInfo): string {
  const values = valuesText(call);
  return [
    ...(call.run === null ? [] : [`run ${call.run}`]),
    duration(call.ms),
    `key ${call.key.slice(0, 12)}`,
    ...(values === "" ? [] : [values]),
  ].join(" · ");
}

const CALLS: readonly TableColumn[] = [
  { key: "call", label: "Call", kind: "text" },
  { key: "step", label: "Step", kind: "text" },
  { key: "run", label: "Run", kind: "text" },
  { key: "runner", label: "Runner", kind: "text" },
  { key: "ms", label: "Took", kind: "number", hint: "Compared in milliseconds" },
  { key: "endedAt", label: "Ended", kind: "date" },
  { key: "values", label: "Values", kind: "text", prose: true },
  { key: "reads", label: "Reads", kind: "text", prose: true },
  { key: "gives", label: "Gives", kind: "text", prose: true },
  { key: "code", label: "Code", kind: "text" },
  { key: "key", label: "Key", kind: "text" },
];
/** Inputs and outputs that a cell names. */
const MOST_IN_CELL = 4;

function callsTable({ steps, given, asked }: Provenance): TableModel {
  const makers = new Map(steps.map((step) => [step.result, callName(step)]));
  const names = new Map(given.map((one) => [one.digest, one.names[0] ?? "given"]));
  const from = ({ name, digest, from: origin }: InputInfo): string =>
    `${name}: ${(origin === null ? undefined : makers.get(origin.result)) ?? names.get(digest) ?? digest.slice(0, 12)}`;
  return makeTable({
    id: "calls",
    name: `${asked}-calls`,
    caption: "Every call, the last first",
    columns: CALLS,
    rows: [...steps].reverse().map((step) => [
      callName(step),
      step.step,
      step.run === null ? "" : `${step.run}${step.state === "hit" ? " (reused)" : ""}`,
      step.runner ?? "",
      { text: duration(step.ms), value: step.ms },
      { text: instant(step.endedAt), value: step.endedAt },
      valuesText(step),
      listFew(step.inputs.map(from), MOST_IN_CELL),
      listFew(
        step.outputs.map(({ port, digest }) => `${port} ${digest.slice(0, 12)}`),
        MOST_IN_CELL,
      ),
      step.code?.slice(0, 12) ?? `version ${step.version}`,
      step.key.slice(0, 12),
    ]),
    empty: "No step was done.",
  });
}

function givenTable(given: readonly GivenInfo[]): TableModel {
  return makeTable({
    id: "given",
    name: "given",
    caption: "What was given",
    columns: [
      { key: "name", label: "Name", kind: "text" },
      { key: "content", label: "Content", kind: "text" },
      { key: "kind", label: "Kind", kind: "text" },
      { key: "bytes", label: "Size", kind: "number" },
    ],
    rows: given.map(({ names, digest, kind, bytes: length }) => [
      listFew(names),
      digestCell(digest),
      kind,
      { text: bytes(length), value: length },
    ]),
    empty: "Nothing was given.",
  });
}

function failedTable({ failed }: Provenance): TableModel {
  return makeTable({
    id: "failed",
    name: "failed",
    caption: "What failed",
    columns: [
      { key: "call", label: "Call", kind: "text" },
      { key: "scope", label: "Scope", kind: "text" },
      { key: "error", label: "Error", kind: "text", prose: true },
    ],
    rows: failed.map((one) => [
      callName(one),
      one.scope ?? "",
      { text: one.error ?? "", tone: "error" },
    ]),
    empty: "Nothing failed.",
  });
}

function runsTable({ runs }: Provenance): TableModel {
  return makeTable({
    id: "runs",
    name: "runs",
    caption: "The runs that had a part in it",
    columns: [
      { key: "run", label: "Run", kind: "text" },
      { key: "pipeline", label: "Pipeline", kind: "text" },
      { key: "status", label: "Outcome", kind: "text" },
      { key: "startedAt", label: "Started", kind: "date" },
      { key: "for", label: "For", kind: "text" },
      { key: "build", label: "Build", kind: "text" },
    ],
    rows: runs.map((run) => [
      run.id,
      run.pipeline,
      run.status,
      run.startedAt === null ? "" : { text: instant(run.startedAt), value: run.startedAt },
      run.requestedBy ?? "",
      run.build,
    ]),
    empty: "All of its runs are forgotten.",
  });
}
