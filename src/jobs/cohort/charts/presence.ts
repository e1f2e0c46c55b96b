// The strip of a type's last days in a table: a bar for each day with records. Written by hand, since a page has dozens.

import { date, list, number } from "../../../format.ts";
import { escapeXml } from "../../../render/svg.ts";
import { daysBetween, nextDay } from "../data/studyDays.ts";

const PITCH = 4;
const HEIGHT = 16;

/** Draws the days up to `last` as inline SVG; days before `first` are not drawn. */
export function presenceStrip(
  presence: readonly string[],
  { last, days, label }: { readonly last: string; readonly days: number; readonly label: string },
): string {
  const shown = daysBetween(nextDay(last, 1 - days), last);
  const there = new Set(presence);
  const bars = shown.map((day, index) => {
    const x = index * PITCH;
    return there.has(day)
      ? `<rect x="${x}" y="1" width="${PITCH - 1}" height="${HEIGHT - 2}" fill="var(--fig-accent, #0072b2)"/>`
      : `<rect x="${x}" y="${HEIGHT - 3}" width="${PITCH - 1}" height="2" fill="var(--fig-rule, #8d99a5)"/>`;
  });
  const width = days * PITCH;
  const found = shown.filter((day) => there.has(day)).length;
  const words = `${label}: records of ${number(found)} of the ${number(days)} days up to ${date(last)}`;
  return (
    `<svg class="sparkline" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${escapeXml(list([words]))}" focusable="false">` +
    `${bars.join("")}</svg>`
  );
}
