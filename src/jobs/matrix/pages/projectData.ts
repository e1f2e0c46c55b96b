// The data file beside the page of a matrix. Its form is described in docs/data-schema.md; a change that breaks a reader raises the schema's number.

import { JSON_TYPE, jsonText, type PageFile } from "../../../render/page.ts";
import type { Approach } from "../matrix.ts";
import type { FigureSummary, MatrixSummary } from "../summary.ts";
import { figureKeys } from "./figurePaths.ts";
import type { MatrixMethod } from "./projectWords.ts";

/** Names the form of the file; publishedMatrix.ts reads it again. */
export const DATA_SCHEMA = "hdash/matrix/1";
/** Pixels of the published pictures; twice as many in the file @2x. */
const PICTURE_WIDTH = 600;

/** What the data file of a matrix is made from. */
interface ProjectData {
  readonly summary: MatrixSummary;
  /** ISO 8601. */
  readonly updatedAt: string;
  readonly method: MatrixMethod;
  /** Height of each picture in pixels, by "<approach key>/<figure>". */
  readonly heights: ReadonlyMap<string, number>;
}

/** Makes data/<id>.json: all that the page of a matrix says, and where its figures lie. */
export function makeProjectData(data: ProjectData): PageFile {
  const { groups, notes, ...matrix } = data.summary;
  const content = {
    schema: DATA_SCHEMA,
    updatedAt: data.updatedAt,
    page: `matrices/${matrix.id}.html`,
    ...matrix,
    groups: groups.map((group) => ({
      ...group,
      figures: group.figures.map((figure) => figureJson(data, group.approach, figure)),
    })),
    notes,
    method: data.method,
  };
  return { path: `data/${matrix.id}.json`, contentType: JSON_TYPE, text: jsonText(content) };
}

/** Writes a figure with its size and the keys of its files, from the site's root; null where it was left out. */
function figureJson(data: ProjectData, approach: Approach, figure: FigureSummary): object {
  const { name, title, reason } = figure;
  if (reason !== null) {
    return {
      name,
      title,
      caption: null,
      alt: null,
      reason,
      width: null,
      height: null,
      files: null,
    };
  }
  return {
    name,
    title,
    caption: figure.caption,
    alt: figure.alt,
    reason,
    width: PICTURE_WIDTH,
    height: data.heights.get(`${approach.key}/${name}`) ?? null,
    files: figureKeys(data.summary.id, approach, name),
  };
}
