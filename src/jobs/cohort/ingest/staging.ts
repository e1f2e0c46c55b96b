// Rows of an export's members on their way to Parquet: gathered by type in files of lines, turned into Parquet when they are many.

import { unlink } from "node:fs/promises";
import { join } from "node:path";

import type { Duck } from "../build/duck.ts";
import { stageStatement } from "../build/statements.ts";
import type { LineJudge } from "../data/lineJudge.ts";
import type { RecordShape } from "../data/recordShape.ts";
import { makeScratchFile, type ScratchFile } from "./scratchFile.ts";

/** A table's staged rows as a file on disk. */
export interface StagedFile {
  readonly table: number;
  readonly path: string;
  readonly rows: number;
}

/** Files of the same lines of a type. */
export interface StagedFiles {
  readonly type: string;
  readonly layout: string;
  readonly tables: readonly StagedFile[];
}

export interface Staging {
  /** Takes the rows that a judge has written since it was last asked. */
  take(shape: RecordShape, judge: LineJudge): Promise<void>;
  /** Turns what is left into files, and names all of them. */
  end(): Promise<readonly StagedFiles[]>;
  destroy(): void;
}

/** So many bytes of lines of a type are turned into Parquet at a time: the disk holds no more of them, a dataset's rows fill a row group. */
const MOST_LINES_BYTES = 256 << 20;

interface Gathering {
  readonly shape: RecordShape;
  readonly tables: { file: ScratchFile | null; rows: number; bytes: number }[];
  bytes: number;
  mostRowBytes: number;
}

/** Makes a staging in a folder, with a DuckDB that writes its Parquet. */
export function makeStaging(dir: string, duck: Duck): Staging {
  const gatherings = new Map<string, Gathering>();
  const done: StagedFiles[] = [];
  let files = 0;

  async function flush(gathering: Gathering): Promise<void> {
    const { shape, tables } = gathering;
    const written: StagedFile[] = [];
    for (const [table, own] of tables.entries()) {
      const { file, rows } = own;
      if (file === null) continue;
      await file.end();
      const path = join(dir, `staged-${++files}.parquet`);
      const statement = stageStatement(shape, table, {
        lines: file.path,
        file: path,
        mostRowBytes: gathering.mostRowBytes,
      });
      await duck.run(`staging rows of ${shape.tables[table]?.dataset ?? ""}`, statement);
      await unlink(file.path);
      written.push({ table, path, rows });
      tables[table] = { file: null, rows: 0, bytes: 0 };
    }
    gathering.bytes = 0;
    gathering.mostRowBytes = 0;
    if (written.length > 0)
      done.push({ type: shape.type.name, layout: shape.layout, tables: written });
  }

  return {
    async take(shape, judge) {
      let gathering = gatherings.get(shape.type.name);
      if (gathering === undefined) {
        const tables = shape.tables.map(() => ({ file: null, rows: 0, bytes: 0 }));
        gathering = { shape, tables, bytes: 0, mostRowBytes: 0 };
        gatherings.set(shape.type.name, gathering);
      }
      gathering.mostRowBytes = Math.max(gathering.mostRowBytes, judge.mostRowBytes());
      for (const [table, sink] of judge.rows.entries()) {
        if (sink.length === 0) continue;
        const own = gathering.tables[table];
        if (own === undefined) continue;
        const piece = sink.view();
        own.file ??= makeScratchFile(join(dir, `lines-${++files}.ndjson`));
        own.rows += judge.rowCounts[table] ?? 0;
        gathering.bytes += piece.length;
        await own.file.write(piece);
        sink.clear();
      }
      judge.rowCounts.fill(0);
      if (gathering.bytes > MOST_LINES_BYTES) await flush(gathering);
    },
    async end() {
      for (const gathering of gatherings.values()) await flush(gathering);
      return done;
    },
    destroy() {
      for (const { tables } of gatherings.values()) for (const { file } of tables) file?.destroy();
    },
  };
}
