// What an atlas's figures show: counted, sorted and put into words here; how they look is the render room's business.

import { count, list, number, wholePercent } from "../../../format.ts";
import type { AtlasAnalysis, Grid, TimelineEvent } from "../data/analysis.ts";
import { type ComponentName, makeOverview, type Overview, readGraph } from "../data/graph.ts";
import { GRID_LABELS } from "./gridLabels.ts";

/** As many rows as a picture shows well; the interactive timeline and the table have all. */
const MOST_TIMELINE_ROWS = 48;

/** Any figure of an atlas as plain data, with its title and what it says in words. */
export interface FigureModel {
  /** A grid's name, "timeline" or "network". */
  readonly id: string;
  readonly title: string;
  readonly alt: string;
  readonly data:
    ReturnType<typeof gridData> | ReturnType<typeof timelineData> | ReturnType<typeof networkData>;
}

/** Lists the figures of an atlas; `components` gives components their full names. */
export function atlasFigures(
  analysis: AtlasAnalysis,
  components: readonly ComponentName[],
): readonly FigureModel[] {
  const timeline = timelineData(analysis.timelineEvents);
  const network = networkData(analysis, components);
  return [
    ...GRID_LABELS.map(({ name, title, unit }) => {
      const grid = analysis.grids[name];
      const data = gridData(grid, unit.toLowerCase(), components);
      return { id: name, title, alt: gridAlt(grid, data), data };
    }),
    {
      id: "timeline",
      title: "Therapies and biospecimens over time",
      alt: timelineAlt(timeline),
      data: firstRows(timeline, MOST_TIMELINE_ROWS),
    },
    { id: "network", title: "How records are linked", alt: networkAlt(network), data: network },
  ];
}

/** Turns a grid into rows by component. Published column names are cut short ("LungCanc.."); figures show them whole. */
export function gridData(grid: Grid, noun: string, components: readonly ComponentName[]) {
  const rowsOf = new Map<string, number[]>(grid.columns.map((column) => [column, []]));
  for (const [index, id] of grid.rowIds.entries()) {
    for (const column of grid.ones[id] ?? []) rowsOf.get(column)?.push(index);
  }
  return {
    kind: "completeness" as const,
    noun,
    rowIds: grid.rowIds,
    columns: grid.columns.map((column) => ({
      name: wholeName(column, components),
      rows: rowsOf.get(column) ?? [],
    })),
  };
}

function wholeName(column: string, components: readonly ComponentName[]): string {
  if (!column.endsWith("..")) return column;
  const start = column.slice(0, -2);
  return components.find(({ component }) => component.startsWith(start))?.component ?? column;
}

function gridAlt(grid: Grid, data: ReturnType<typeof gridData>): string {
  const people = count(grid.rows, data.noun);
  const filled = data.columns.filter((column) => column.rows.length > 0);
  if (filled.length === 0)
    return `${people}; none has data of these ${number(data.columns.length)} components.`;
  const said = filled.map(
    ({ name, rows }) =>
      `${name} ${number(rows.length)} of ${number(grid.rows)} (${wholePercent(rows.length, grid.rows)})`,
  );
  const empty = data.columns.length - filled.length;
  return `${people}: ${said.join(", ")}${empty === 0 ? "" : `; nothing of ${count(empty, "other component")}`}.`;
}

/** Groups events into rows, and rows by participant, in the order in which they come. */
export function timelineData(events: readonly TimelineEvent[]) {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(event.Event, (counts.get(event.Event) ?? 0) + 1);
  const kinds = [...counts]
    .map(([name, total]) => ({ name, count: total }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  const kindIndex = new Map(kinds.map(({ name }, index) => [name, index]));
  const byParticipant = new Map<string, Map<string, TimelineEvent[]>>();
  for (const event of events) {
    const groups = byParticipant.get(event.participant) ?? new Map<string, TimelineEvent[]>();
    byParticipant.set(event.participant, groups);
    groups.set(event.Grouping, [...(groups.get(event.Grouping) ?? []), event]);
  }
  const rows = [...byParticipant].flatMap(([participant, groups]) =>
    [...groups].map(([grouping, own]) => ({
      participant,
      label: rowLabel(grouping, participant),
      events: own
        .toSorted((a, b) => a.Start - b.Start)
        .map((event) => ({
          kind: kindIndex.get(event.Event) ?? 0,
          label: eventLabel(event),
          start: event.Start,
          finish: event.Finish,
          hover: hoverOf(event),
        })),
    })),
  );
  return { kind: "timeline" as const, rows, kinds, participants: byParticipant.size };
}

/** Names an event, with the number of its specimens where there are several. */
export function eventLabel({ Event, Samples }: TimelineEvent): string {
  return Samples === "NA" || Samples.length < 2 ? Event : `${Event} (${number(Samples.length)})`;
}

function rowLabel(grouping: string, participant: string): string {
  const label = grouping.startsWith(participant)
    ? grouping.slice(participant.length).trim()
    : grouping;
  return label === "" ? "Site not given" : label;
}

function hoverOf(event: TimelineEvent): string {
  const samples = event.Samples === "NA" ? [] : event.Samples;
  if (samples.length === 0) return "";
  return `specimen${samples.length === 1 ? "" : "s"} ${samples.join(", ")}`;
}

/** Keeps whole participants until `most` rows are reached. */
function firstRows(data: ReturnType<typeof timelineData>, most: number) {
  const cut = data.rows[most];
  if (cut === undefined) return data;
  const start = data.rows.findIndex((row) => row.participant === cut.participant);
  return { ...data, rows: data.rows.slice(0, start === 0 ? most : start) };
}

function timelineAlt(data: ReturnType<typeof timelineData>): string {
  if (data.rows.length === 0) return "No therapy or biospecimen has a usable day.";
  const total = data.kinds.reduce((sum, kind) => sum + kind.count, 0);
  const shown = new Set(firstRows(data, MOST_TIMELINE_ROWS).rows.map((row) => row.participant))
    .size;
  const part =
    shown < data.participants ? ` The first ${number(shown)} participants are shown.` : "";
  const kinds = data.kinds.slice(0, 6).map((kind) => `${kind.name} ${number(kind.count)}`);
  const more = data.kinds.length > 6 ? [`${number(data.kinds.length - 6)} other kinds`] : [];
  return `${count(total, "event")} of ${count(data.participants, "participant")}: ${list([...kinds, ...more])}.${part}`;
}

function networkData(
  analysis: AtlasAnalysis,
  components: readonly ComponentName[],
): { kind: "network" } & Overview {
  return {
    kind: "network",
    ...makeOverview(readGraph(analysis.sif, analysis.findings, components)),
  };
}

function networkAlt(data: ReturnType<typeof networkData>): string {
  if (data.nodes.length === 0) return "No record names a parent that exists.";
  const inner = data.nodes
    .filter((node) => node.inner > 0)
    .map((node) => `${node.name} to ${node.name} ${number(node.inner)}`);
  const edges = data.edges.map(
    ({ from, to, links }) =>
      `${data.nodes[from]?.name ?? ""} to ${data.nodes[to]?.name ?? ""} ${number(links)}`,
  );
  const broken = data.broken.map(
    ({ to, links }) => `${data.nodes[to]?.name ?? ""} ${number(links)}`,
  );
  const found = [...inner, ...edges];
  return [
    found.length === 0
      ? "No record names a parent that exists."
      : `Links from parents to children, by component: ${found.join(", ")}.`,
    ...(broken.length === 0
      ? []
      : [`Broken links, by the component whose records have them: ${broken.join(", ")}.`]),
  ].join(" ");
}
