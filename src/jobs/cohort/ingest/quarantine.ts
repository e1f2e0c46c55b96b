// Lines that were set aside, as a file of their own: where they are, why, and a digest by which the line can be recognised. Never a value.

import { rm } from "node:fs/promises";

import { readFilePieces } from "../../../store/filePieces.ts";
import type { LineReason } from "../data/lineJudge.ts";
import {
  makeGzipFile,
  makeScratchFile,
  type ScratchFile,
  type WrittenFile,
} from "./scratchFile.ts";

/** The lines of one member, which count when the member does. */
export interface MemberQuarantine {
  add(line: number, reason: LineReason, sha256: string): void;
  /** Hands on what was added; to be called now and then. */
  flush(): Promise<void>;
  keep(): Promise<void>;
  drop(): Promise<void>;
}

export interface Quarantine {
  /** Opens that of a member; there is one at a time. */
  open(member: string): MemberQuarantine;
  /** Ends the file; null where nothing was set aside. */
  end(): Promise<WrittenFile | null>;
  destroy(): void;
}

/** So many lines are held in memory. */
const MOST_PENDING = 1000;

/** Makes the file `path`, NDJSON in gzip, when the first line is set aside. */
export function makeQuarantine(path: string): Quarantine {
  let whole: ScratchFile | null = null;
  let members = 0;
  let atWork: ScratchFile | null = null;
  return {
    open(member) {
      let pending: string[] = [];
      let own: ScratchFile | null = null;
      const spill = async (): Promise<void> => {
        own ??= atWork = makeScratchFile(`${path}-${++members}`);
        const text = pending.join("");
        pending = [];
        await own.write(Buffer.from(text));
      };
      return {
        add(line, reason, sha256) {
          pending.push(`${JSON.stringify({ member, line, reason, sha256 })}\n`);
        },
        async flush() {
          if (pending.length > MOST_PENDING) await spill();
        },
        async keep() {
          if (own === null && pending.length === 0) return;
          whole ??= makeGzipFile(path);
          if (own !== null) {
            await own.end();
            for await (const piece of readFilePieces(own.path)) await whole.write(piece);
            await rm(own.path);
          }
          if (pending.length > 0) await whole.write(Buffer.from(pending.join("")));
        },
        async drop() {
          pending = [];
          if (own === null) return;
          await own.end();
          await rm(own.path);
        },
      };
    },
    async end() {
      return (await whole?.end()) ?? null;
    },
    destroy() {
      atWork?.destroy();
      whole?.destroy();
    },
  };
}
