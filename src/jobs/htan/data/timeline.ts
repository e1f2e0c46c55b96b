// When each participant was treated and when specimens were taken, in days since the first event of the same row.

import type { Finding } from "../../../finding.ts";
import { count } from "../../../format.ts";
import type { TimelineEvent } from "./analysis.ts";
import { isIdLike, isSpecimenLike } from "./ids.ts";
import type { Labels } from "./labels.ts";
import { type KnownManifest, ownIds } from "./lineage.ts";
import { type Manifest, rowOf } from "./manifest.ts";
import { SPECIMEN_COLUMNS, THERAPY_COLUMNS } from "./manifestColumns.ts";
import { MANIFEST_RULES } from "./manifestProblems.ts";
import { isMissing } from "./missing.ts";
import { compareText } from "./naturalOrder.ts";

const THERAPY = "Therapy";

/** An event before it is placed in its row. Days count from the index date. */
interface Happening {
  readonly participant: string;
  readonly row: string;
  readonly label: string;
  readonly start: number;
  /** NaN where the end is not known. */
  readonly end: number;
  readonly samples: string[] | "NA";
}

/**
 * Makes the timelines. A row's first day is that of its first event with a day, even if that event itself is left out for want of a
 * label or an end. An event of no length is given one day. Sorted by row, then by day.
 */
export function makeTimelines(
  manifests: readonly KnownManifest[],
  labels: Labels,
): readonly TimelineEvent[] {
  const therapies = manifests.filter(({ component }) => component.component === THERAPY);
  const specimens = manifests.filter(({ component }) => component.kind === "biospecimen");
  const happenings = [
    ...therapies.flatMap((of) => readTherapies(of, labels)),
    ...readSpecimens(specimens, labels),
  ];
  const rows = Map.groupBy(happenings, ({ row }) => row);
  return [...rows.keys()].sort(compareText).flatMap((row) => placeInRow(rows.get(row) ?? []));
}

/** Tells whether a row may be about what a record names as its participant or parent: one participant, never "Not Reported" or a list. */
function isPerson(id: string): boolean {
  return isIdLike(id) && !isSpecimenLike(id);
}

function placeInRow(happenings: Happening[]): readonly TimelineEvent[] {
  happenings.sort((a, b) => a.start - b.start);
  const firstDay = happenings[0]?.start ?? 0;
  return happenings
    .filter(({ label, start, end }) => !isMissing(withoutComma(label)) && end >= start)
    .map(({ participant, row, label, start, end, samples }) => {
      const [from, to] = [Math.trunc(start - firstDay), Math.trunc(end - firstDay)];
      return {
        Event: label,
        Start: from,
        Finish: to === from ? to + 1 : to,
        Grouping: row,
        Samples: samples,
        Location: "NA",
        participant,
      };
    });
}

function readTherapies(of: KnownManifest, vocabulary: Labels): readonly Happening[] {
  const { manifest } = of;
  const labels = firstOf(manifest, THERAPY_COLUMNS.label);
  const starts = firstOf(manifest, THERAPY_COLUMNS.start);
  const ends = firstOf(manifest, THERAPY_COLUMNS.end);
  const happenings: Happening[] = [];
  for (const [record, participant] of (ownIds(of) ?? []).entries()) {
    const start = readDay(starts[record]);
    if (!isPerson(participant) || Number.isNaN(start)) continue;
    const [row, end] = [`${participant} Therapy`, readDay(ends[record])];
    const label = vocabulary.read(THERAPY_COLUMNS.label[0], labels[record] ?? "");
    happenings.push({ participant, row, label, start, end, samples: "NA" });
  }
  return happenings;
}

/** Reads specimens that were taken from a participant; those of one participant, day, method, source and site are one event. */
function readSpecimens(manifests: readonly KnownManifest[], labels: Labels): readonly Happening[] {
  const events = new Map<string, Happening>();
  for (const of of manifests) {
    const { manifest, component } = of;
    const ids = ownIds(of) ?? [];
    const parents = manifest.cells.get(component.parentIdColumns[0] ?? "") ?? [];
    const methods = manifest.cells.get(SPECIMEN_COLUMNS.method);
    const days = manifest.cells.get(SPECIMEN_COLUMNS.day);
    const sites = manifest.cells.get(SPECIMEN_COLUMNS.site);
    const sources = manifest.cells.get(SPECIMEN_COLUMNS.source);
    for (const [record, id] of ids.entries()) {
      const participant = parents[record] ?? "";
      const day = readDay(days?.[record]);
      if (!isPerson(participant) || Number.isNaN(day)) continue;
      const siteText = sites?.[record] ?? "";
      const site = isMissing(siteText) ? "" : labels.read(SPECIMEN_COLUMNS.site, siteText);
      const label = labels.read(SPECIMEN_COLUMNS.method, methods?.[record] ?? "");
      // What a centre calls its sources is free text: it tells events apart, and is not shown.
      const source = sources?.[record] ?? "";
      // With lengths in front no two different events have the same key, whatever they are made of.
      const lengths = `${participant.length} ${label.length} ${source.length} ${day} `;
      const key = lengths + participant + label + source + site;
      const samples = events.get(key)?.samples ?? [];
      if (samples === "NA") continue;
      if (samples.length === 0) {
        const row = `${participant} ${site}`;
        events.set(key, { participant, row, label, start: day, end: day, samples });
      }
      samples.push(specimenNumber(id));
    }
  }
  return [...events.values()];
}

/** Older templates left a comma behind what stands in a label for none. */
function withoutComma(label: string): string {
  return label.endsWith(",") ? label.slice(0, -1) : label;
}

/** Finds treatments that end before they start: timelines leave them out. */
export function checkDays(manifests: readonly KnownManifest[]): readonly Finding[] {
  return manifests.flatMap((of) => {
    const { manifest, component } = of;
    if (component.component !== THERAPY) return [];
    const [starts, ends] = [THERAPY_COLUMNS.start, THERAPY_COLUMNS.end].map((columns) =>
      firstOf(manifest, columns),
    );
    const column = THERAPY_COLUMNS.end.find((name) => manifest.cells.has(name)) ?? "";
    return (ownIds(of) ?? []).flatMap((participant, record) => {
      const [start, end] = [readDay(starts?.[record]), readDay(ends?.[record])];
      if (!(end < start)) return [];
      const whose = participant === "" ? "A treatment" : `A treatment of ${participant}`;
      return [
        {
          rule: "M_DAYS",
          severity: MANIFEST_RULES.M_DAYS.severity,
          subject: manifest.entry.entityId,
          row: rowOf(manifest, record),
          // The days themselves count from the index date, which may be a birth: an age is not shown.
          message: `${whose} ends ${count(Math.max(1, Math.trunc(start - end)), "day")} before it starts; it is in no timeline.`,
          fields: {
            manifest: manifest.entry.entityId,
            component: THERAPY,
            column,
            record: participant,
          },
        },
      ];
    });
  });
}

/** The last part of a specimen's id; the whole of an id that is malformed, "?" where there is none. */
function specimenNumber(id: string): string {
  if (id === "") return "?";
  const parts = id.split("_");
  return parts.length > 2 ? (parts.at(-1) ?? id) : id;
}

function firstOf(manifest: Manifest, columns: readonly string[]): readonly string[] {
  const column = columns.find((name) => manifest.cells.has(name));
  return manifest.cells.get(column ?? "") ?? [];
}

/** Reads a day; NaN where the cell holds no number. */
function readDay(text: string | undefined): number {
  return text !== undefined && /^\s*[+-]?(\d+\.?\d*|\.\d+)\s*$/.test(text) ? Number(text) : NaN;
}
