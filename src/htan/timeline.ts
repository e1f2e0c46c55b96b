// When each participant was treated and when specimens were taken, in days since the first event of the same row.

import type { TimelineEvent } from "./analysis.ts";
import { isSpecimenLike } from "./ids.ts";
import type { KnownManifest } from "./lineage.ts";
import { type Manifest, SPECIMEN_COLUMNS, THERAPY_COLUMNS } from "./manifest.ts";
import { compareText } from "./naturalOrder.ts";

const THERAPY = "Therapy";
/** What stands in a label for none; older templates left a comma behind it. */
const NO_LABEL: ReadonlySet<string> = new Set(["", "Not Reported", "Not Reported,"]);
const NO_SITE = "Not Reported";

/** An event before it is placed in its row. Days count from the index date. */
interface Happening {
  readonly participant: string;
  readonly row: string;
  readonly label: string;
  readonly start: number;
  /** NaN where the end is not known. */
  readonly end: number;
  readonly samples: string[] | "NA";
  readonly location: string;
}

/**
 * Makes the timelines. A row's first day is that of its first event with a day, even if that event itself is left out for want of a
 * label or an end. An event of no length is given one day. Sorted by row, then by day.
 */
export function makeTimelines(manifests: readonly KnownManifest[]): readonly TimelineEvent[] {
  const happenings = [
    ...manifests.filter(({ component }) => component.component === THERAPY).flatMap(readTherapies),
    ...readSpecimens(manifests.filter(({ component }) => component.kind === "biospecimen")),
  ].filter(({ start }) => !Number.isNaN(start));
  const firstDays = new Map<string, number>();
  for (const { row, start } of happenings) {
    firstDays.set(row, Math.min(firstDays.get(row) ?? Infinity, start));
  }
  return happenings
    .filter(({ label, end }) => !NO_LABEL.has(label) && !Number.isNaN(end))
    .sort((a, b) => compareText(a.row, b.row) || a.start - b.start)
    .map(({ participant, row, label, start, end, samples, location }) => {
      const firstDay = firstDays.get(row) ?? start;
      const [from, to] = [Math.trunc(start - firstDay), Math.trunc(end - firstDay)];
      return {
        Event: label,
        Start: from,
        Finish: to === from ? to + 1 : to,
        Grouping: row,
        Samples: samples,
        Location: location,
        participant,
        firstDay,
      };
    });
}

function readTherapies({ manifest, component }: KnownManifest): readonly Happening[] {
  const participants = manifest.cells.get(component.primaryIdColumn) ?? [];
  const [labels, starts, ends] = [
    firstOf(manifest, THERAPY_COLUMNS.label),
    firstOf(manifest, THERAPY_COLUMNS.start),
    firstOf(manifest, THERAPY_COLUMNS.end),
  ];
  return participants.flatMap((participant, record) =>
    participant === ""
      ? []
      : [
          {
            participant,
            row: `${participant} Therapy`,
            label: labels[record] ?? "",
            start: readDay(starts[record]),
            end: readDay(ends[record]),
            samples: "NA" as const,
            location: "NA",
          },
        ],
  );
}

/** Reads specimens that were taken from a participant; those of one participant, day, method, source and site are one event. */
function readSpecimens(manifests: readonly KnownManifest[]): readonly Happening[] {
  const events = new Map<string, Happening>();
  for (const { manifest, component } of manifests) {
    const ids = manifest.cells.get(component.primaryIdColumn) ?? [];
    const parents = manifest.cells.get(component.parentIdColumn ?? "") ?? [];
    const [methods, days, sites, sources] = [
      manifest.cells.get(SPECIMEN_COLUMNS.method),
      manifest.cells.get(SPECIMEN_COLUMNS.day),
      manifest.cells.get(SPECIMEN_COLUMNS.site),
      manifest.cells.get(SPECIMEN_COLUMNS.source),
    ];
    for (const [record, id] of ids.entries()) {
      const participant = parents[record] ?? "";
      if (participant === "" || isSpecimenLike(participant)) continue;
      const day = readDay(days?.[record]);
      const siteText = sites?.[record] ?? "";
      const site = siteText === NO_SITE ? "" : siteText;
      const [label, location] = [methods?.[record] ?? "", sources?.[record] ?? ""];
      const key = JSON.stringify([participant, day, label, location, site]);
      const known = events.get(key);
      if (known !== undefined && known.samples !== "NA") known.samples.push(specimenNumber(id));
      else {
        const row = `${participant} ${site}`;
        const samples = [specimenNumber(id)];
        events.set(key, { participant, row, label, start: day, end: day, samples, location });
      }
    }
  }
  return [...events.values()];
}

/** The last part of a specimen's id; the whole of an id that is malformed. */
function specimenNumber(id: string): string {
  return id.split("_")[2] ?? id;
}

function firstOf(manifest: Manifest, columns: readonly string[]): readonly string[] {
  const column = columns.find((name) => manifest.cells.has(name));
  return manifest.cells.get(column ?? "") ?? [];
}

/** Reads a day; NaN where the cell holds no number. */
function readDay(text: string | undefined): number {
  return text !== undefined && /^\s*[+-]?(\d+\.?\d*|\.\d+)\s*$/.test(text) ? Number(text) : NaN;
}
