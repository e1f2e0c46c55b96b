// The steps of a provenance as a drawing: a box a step, not a call, from what was given to what came of it.

import { count, number } from "../format.ts";
import type { Drawing } from "../render/svg.ts";
import { type Box, drawBoxes, type Edge } from "./boxes.ts";
import type { StepGroup } from "./grouping.ts";

/** What a box says of a step, besides its name. */
export type BoxWords = Omit<Box, "title" | "rank">;

/** Boxes of steps by name, that of what was given last where anything was, and who has read from whom. */
export function stepBoxes(
  groups: readonly StepGroup[],
  given: number,
  wordsOf: (group: StepGroup) => BoxWords,
): { readonly boxes: readonly Box[]; readonly edges: readonly Edge[] } {
  const first = given > 0 ? 1 : 0;
  const boxes: Box[] = groups.map((group) => ({
    ...wordsOf(group),
    ...{ title: group.name, rank: group.rank + first },
  }));
  const edges: Edge[] = groups.flatMap(({ reads }, at) =>
    [...reads.keys()].map((from) => [from, at] as const),
  );
  if (given > 0) {
    const note = `${count(given, "file or folder", "files and folders")}`;
    const own = boxes.push({ title: "given", note, rank: 0, look: "given" }) - 1;
    groups.forEach(({ readsGiven }, at) => {
      if (readsGiven > 0) edges.push([own, at]);
    });
  }
  return { boxes, edges };
}

/** Draws steps by name. `given`: how many files and folders were given. */
export function drawSteps(
  groups: readonly StepGroup[],
  given: number,
  how: { readonly isNarrow?: boolean } = {},
): Drawing {
  const { boxes, edges } = stepBoxes(groups, given, ({ calls }) => ({
    note: calls.length === 1 ? (calls[0]?.label ?? "") : `${number(calls.length)} calls`,
    look: "step",
  }));
  return drawBoxes(boxes, edges, how);
}
