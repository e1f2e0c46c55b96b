// Data for the interactive figures, as scripts: a page opened from a folder may load a script, but never fetch a file.

import { CSS_VARIABLES } from "../../../render/theme.ts";
import { FIGURE_CONFIG } from "../../../render/vega.ts";
import type { FigureData, TimelineData } from "./figureData.ts";
import { timelineExplorerSpec } from "./timelineExplorer.ts";

/** What a data script holds. */
export type DataKind = "timeline" | "graph";

/** Writes the script that hands a value to the page's figures. */
export function dataScript(atlasId: string, kind: DataKind, value: unknown): string {
  return `window.hdash.load(${literal(atlasId)},${literal(kind)},${literal(value)});\n`;
}

/** Writes the data script of an atlas's whole timeline: its rows, and the spec they are drawn by. */
export function timelineScript(
  atlasId: string,
  data: Extract<FigureData, { kind: "timeline" }>,
): string {
  return dataScript(atlasId, "timeline", { ...timelinePayload(data), cssVariables: CSS_VARIABLES });
}

function timelinePayload(data: TimelineData) {
  const spec = timelineExplorerSpec(data.kinds);
  return {
    spec: { ...spec, config: { ...FIGURE_CONFIG, ...spec.config } },
    kinds: data.kinds.map((kind) => kind.name),
    // Tuples: names of fields would be most of the file.
    rows: data.rows.map((row) => [
      row.participant,
      row.label,
      row.events.map((event) => [event.kind, event.start, event.finish, event.hover]),
    ]),
  };
}

/** JSON is JavaScript but for two line separators; "<" is escaped so that the text may also stand inside a page. */
function literal(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
