// The steps of a run as a drawing: a box a step, with how many of its calls ran, were reused, failed, or did not run.

import { number } from "../format.ts";
import type { Drawing } from "../render/svg.ts";
import { INK, SERIES } from "../render/theme.ts";
import { type Box, drawBoxes, type Edge } from "./boxes.ts";
import type { StepGroup } from "./grouping.ts";
import type { StepTally } from "./runTally.ts";
import { stepBoxes } from "./stepsFigure.ts";

/** In the order of the strip. */
const PARTS = [
  { state: "ran", word: "ran", color: INK.accent },
  { state: "reused", word: "reused", color: SERIES[2] },
  { state: "failed", word: "failed", color: INK.warn },
  { state: "notRun", word: "not run", color: INK.grid },
] as const;

/** Draws the steps of a run. `given`: how many files and folders it was given. */
export function drawRun(
  groups: readonly StepGroup[],
  tallies: readonly StepTally[],
  given: number,
  how: { readonly isNarrow?: boolean } = {},
): Drawing {
  const byName = new Map(tallies.map((tally) => [tally.step, tally]));
  const known = stepBoxes(groups, given, ({ name }) => wordsOf(byName.get(name)));
  const edges: Edge[] = [...known.edges];
  const boxes: Box[] = [...known.boxes];
  const at = new Map(groups.map(({ name }, own) => [name, own]));
  // Of a step none of whose calls has given anything it is not kept what they have read: only what it has waited for in vain is known.
  for (const tally of tallies) {
    if (at.has(tally.step)) continue;
    const words = wordsOf(tally);
    at.set(tally.step, boxes.push({ ...words, title: tally.step, rank: given > 0 ? 1 : 0 }) - 1);
  }
  for (const { step, waitsFor } of tallies) {
    const to = at.get(step);
    for (const name of waitsFor) {
      const from = at.get(name);
      const isThere = edges.some((edge) => edge[0] === from && edge[1] === to);
      if (from === undefined || to === undefined || from === to || isThere) continue;
      edges.push([from, to]);
      boxes[to] = {
        ...boxAt(boxes, to),
        rank: Math.max(rankOf(boxes, to), rankOf(boxes, from) + 1),
      };
    }
  }
  return drawBoxes(boxes, edges, how);
}

function boxAt(boxes: readonly Box[], at: number): Box {
  const box = boxes[at];
  if (box === undefined) throw new RangeError(`there is no box ${at}`);
  return box;
}

function rankOf(boxes: readonly Box[], at: number): number {
  return boxAt(boxes, at).rank;
}

function wordsOf(tally: StepTally | undefined): Pick<Box, "note" | "look" | "parts"> {
  const there = PARTS.map((part) => ({ ...part, calls: tally?.[part.state] ?? 0 }));
  const all = there.reduce((sum, { calls }) => sum + calls, 0);
  return {
    // What has gone wrong is said first: a narrow box has no room for all of it.
    note: [...there.slice(2), ...there.slice(0, 2)]
      .filter(({ calls }) => calls > 0)
      .map(({ calls, word }) => `${number(calls)} ${word}`)
      .join(", "),
    look: all === (tally?.notRun ?? 0) ? "missing" : "step",
    parts: there.map(({ calls, color }) => ({ share: all === 0 ? 0 : calls / all, color })),
  };
}
