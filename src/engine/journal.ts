// Traffic with the ledger that can be bundled: looking results up, and noting what becomes of steps. A run in which nothing changed consists
// of hits alone, and a statement for each of them would be most of its time.

import { messageOf } from "../error.ts";
import type { Log } from "../log.ts";
import type { Lease } from "../store/lease.ts";
import type { Db } from "../store/schema.ts";
import { type Claimant, findClaims } from "../store/stepClaims.ts";
import { appendLog, type LogLine, LONGEST_LINE, MOST_LOG_LINES } from "../store/stepLog.ts";
import { noteSteps, type StepNote } from "../store/stepRuns.ts";
import type { BlobAccess } from "./blobAccess.ts";
import { bundled, type Lookup, lookUp } from "./lookup.ts";

export interface Journal {
  /** Looks a key up, together with all others that are asked for at the same time. */
  find(key: string): Promise<Lookup>;
  /** Tells who does the step of a key in another run; null where nobody does. Asked together, like find(). */
  findClaimant(key: string): Promise<Claimant | null>;
  /** Notes a step, within a second. A later note of the same scope and key replaces one that is not written yet. */
  note(note: StepNote): void;
  /** Keeps a line of an attempt's log, within a second, for those who follow it; `seq` counts the lines of the attempt from 1. */
  log(line: LogLine): void;
  /** Forgets a note that is not written yet, because a commit says more. */
  drop(scope: string, key: string): void;
  /** Writes what is noted. Throws what keeps notes from being written, which stay; of lines that cannot be written it only warns. */
  flush(): Promise<void>;
  /** Writes nothing any more. */
  close(): void;
}

/** A step that takes longer than this is seen running by those who look into the ledger. */
const FLUSH_MS = 1000;

/**
 * Opens the journal of a run.
 * @param onLost is called where a note was refused because the run is no longer ours.
 */
export function openJournal(
  db: Db,
  lease: Lease,
  access: BlobAccess & { readonly log: Log },
  onLost: () => void,
): Journal {
  const pending = new Map<string, StepNote>();
  /** Of each attempt the last ones: those before them would be forgotten at once. */
  const lines = new Map<string, LogLine[]>();
  let unnamed = 0;
  let isClosed = false;
  let writing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // Notes that could not be written are tried again, at last by whoever ends the run: it is told.
    if (pending.size > 0 || lines.size > 0) flush().catch(() => {});
  }, FLUSH_MS);

  function flush(): Promise<void> {
    // One after the other, so that an older note does not overwrite a newer one.
    writing = writing.catch(() => {}).then(write);
    return writing;
  }

  async function write(): Promise<void> {
    if (isClosed) return;
    const written = [...lines.values()].flat();
    lines.clear();
    if (pending.size > 0) await writeNotes();
    if (written.length === 0) return;
    try {
      await access.withLedger("noting logs", () => appendLog(db, written));
    } catch (error) {
      access.log.warn(
        `${written.length} lines of logs could not be kept for those who follow them: ${messageOf(error)}`,
      );
    }
  }

  async function writeNotes(): Promise<void> {
    const notes = [...pending];
    pending.clear();
    try {
      const values = notes.map(([, note]) => note);
      if (!(await access.withLedger("noting steps", () => noteSteps(db, lease, values)))) onLost();
    } catch (error) {
      // A newer note of the same step says more.
      for (const [name, note] of notes) if (!pending.has(name)) pending.set(name, note);
      throw error;
    }
  }

  const find = bundled((keys: readonly string[]) => lookUp(db, access, keys));
  const findClaimant = bundled((keys) =>
    access.withLedger("looking claims up", () => findClaims(db, keys)),
  );

  return {
    find: async (key) => (await find(key)) ?? { kind: "none" },
    findClaimant: async (key) => (await findClaimant(key)) ?? null,
    note(note) {
      pending.set(note.key === null ? `\0${++unnamed}` : nameOf(note.scope, note.key), note);
    },
    log(line) {
      const name = nameOf(line.key, String(line.n));
      const kept = lines.get(name) ?? [];
      lines.set(name, kept);
      // One character more than the ledger keeps, so that it is seen to be cut.
      kept.push({ ...line, line: line.line.slice(0, LONGEST_LINE + 1) });
      if (kept.length >= 2 * MOST_LOG_LINES) kept.splice(0, MOST_LOG_LINES);
    },
    drop(scope, key) {
      pending.delete(nameOf(scope, key));
    },
    flush,
    close() {
      isClosed = true;
      clearInterval(timer);
      pending.clear();
      lines.clear();
    },
  };
}

function nameOf(scope: string, key: string): string {
  return `${scope}\0${key}`;
}
