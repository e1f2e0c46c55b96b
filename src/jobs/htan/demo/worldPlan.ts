// What is planned for a synthetic atlas: what it is about, how large it is, and how it fares from day to day.

import type { Dice } from "../../../lookalikes/dice.ts";
import type { SeriesName } from "./worldAssays.ts";
import type { OrganName } from "./worldParts.ts";

/** The last day on which anything happens in a synthetic world; the first is 1. */
export const LAST_DAY = 7;

/** A day that never comes. */
export const NEVER = Number.POSITIVE_INFINITY;

/** How an atlas fares. Shares are fractions 0-1; pairs are the share on the first day and the one at the end. */
export interface Story {
  /** Days after the first on which anything moves; on all others the atlas stays as it was. */
  readonly activeDays: readonly number[];
  /** Share of participants that are there from the first day; the others arrive on the active days. */
  readonly startShare: number;
  /** Share of samples that arrive on an active day after their participant. */
  readonly lateShare: number;
  /** Share of records, and of files by name, that have a fault at some time. */
  readonly faultRate: number;
  /** What arrives on this day is faulty at another rate. */
  readonly surge?: { readonly day: number; readonly faultRate: number };
  /** Share of faults that somebody mends on a later active day. */
  readonly mendedShare: number;
  /** Share of faults that come with a later edit instead of with the record. */
  readonly brokenLaterShare: number;
  /** Data files with a Component annotation. */
  readonly annotated: readonly [number, number];
  /** Metadata fields that are filled in. */
  readonly filled: readonly [number, number];
}

/** One atlas of a synthetic world. */
export interface AtlasPlan {
  /** e.g. "HTA3". */
  readonly atlasId: string;
  readonly name: string;
  readonly liaison: string;
  /** How many there are at the end of the story. */
  readonly participants: number;
  readonly organ: OrganName;
  readonly series: readonly SeriesName[];
  /** Data files to aim at, per participant. */
  readonly filesPerParticipant: number;
  readonly story: Story;
  /** Component or series → the day on which its first record comes, where that is not the first day. */
  readonly starts?: Readonly<Record<string, number>>;
  /** Days from and (exclusive) until which a manifest of a component nobody knows lies about. */
  readonly unknownComponent?: readonly [number, number];
  /** An assay component whose manifest lacks the entityId column, from one day until (exclusive) another. */
  readonly noEntityColumn?: readonly [component: string, from: number, until: number];
  /** Folder names and values with markup, quotes, commas and line breaks. */
  readonly awkward?: boolean;
  /** Reporting in the short form: no Demographics, but SRRS components. */
  readonly srrs?: boolean;
  /** Assay folders directly below the project ("single_cell_rnaseq_level_1") instead of nested. */
  readonly flatFolders?: boolean;
}

/** Returns an active day after `day` as the dice have it, or NEVER where none is left. */
export function laterDay(story: Story, day: number, dice: Dice): number {
  const left = story.activeDays.filter((active) => active > day);
  const index = dice.below(Math.max(left.length, 1));
  return left[index] ?? NEVER;
}

/** Returns the day on which a participant arrives: in their order, in equal parts over the active days. */
export function arrivalOf(plan: AtlasPlan, participant: number): number {
  const { activeDays, startShare } = plan.story;
  const early = Math.max(1, Math.ceil(plan.participants * startShare));
  if (participant < early || activeDays.length === 0) return 1;
  const place = (participant - early) / (plan.participants - early);
  return activeDays[Math.floor(place * activeDays.length)] ?? 1;
}

/** Returns milliseconds since the epoch at which something that changed on a day did so. The first day is 2025-03-03. */
export function momentOf(day: number, id: number): number {
  // Office hours: from 08:00 on, spread by the id over eight hours.
  return Date.UTC(2025, 2, 2 + day, 8) + ((id * 7919) % 28_800) * 1000;
}

/** Tells whether a component's manifest lacks its entityId column on a day. */
export function isBare(plan: AtlasPlan, component: string, day: number): boolean {
  const [bare, from, until] = plan.noEntityColumn ?? ["", NEVER, NEVER];
  return bare === component && from <= day && day < until;
}
