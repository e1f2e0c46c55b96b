// The rows of a synthetic project in the master file view, in the columns of a real one.

import { momentOf } from "./worldPlan.ts";

/** The master view's header. */
export const VIEW_HEADER =
  "id,name,type,currentVersion,parentId,benefactorId,projectId,createdBy,createdOn,modifiedOn,modifiedBy," +
  "dataFileHandleId,etag,fileFormat,Component,dataFileSizeBytes,dataFileMD5Hex,dataFileConcreteType,dataFileBucket";

/** A file as the view lists it. */
export interface FileRow {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
  /** "" where it is not annotated. */
  readonly component: string;
  /** Null where the view does not know. */
  readonly sizeBytes: number | null;
  readonly md5: string;
  /** Milliseconds since the epoch. */
  readonly modifiedOn: number;
}

/** Collects the rows of one project. */
export interface ProjectView {
  readonly project: number;
  readonly lines: string[];
  /** Gives out the next entity id, whether or not the entity will have a row. */
  id(): number;
  /** Adds a folder and returns its id; without a row, but with an id, where it is not there yet. */
  folder(parent: number, name: string, isThere?: boolean): number;
  file(row: FileRow): void;
}

/** Starts the view of the project whose id, and first of its ids, is `project`. */
export function startView(project: number): ProjectView {
  const lines: string[] = [];
  let last = project;
  const id = (): number => (last += 1);
  return {
    project,
    lines,
    id,
    folder(parent, name, isThere = true) {
      const folder = id();
      if (isThere) {
        lines.push(
          `syn${folder},${csvCell(name)},folder,,syn${parent},,syn${project},,,${momentOf(0, folder)},,,,,,,,,`,
        );
      }
      return folder;
    },
    file(row) {
      const format = /\.([^.]+)$/.exec(row.name)?.[1] ?? "";
      lines.push(
        `syn${row.id},${csvCell(row.name)},file,,syn${row.parent},,syn${project},,,${row.modifiedOn},,` +
          // File handles have numbers of their own: the entity's, shifted beyond all entities.
          `${row.id + 100_000_000},,${csvCell(format)},${csvCell(row.component)},${row.sizeBytes ?? ""},${row.md5},,synthetic-bucket`,
      );
    },
  };
}

/** Writes one cell of a CSV line, quoted where it has to be. */
export function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
