// The log of an attempt: line by line in the ledger for those who follow it, and all of it as a blob when it has ended.

import type { Digest } from "../digest.ts";
import { messageOf } from "../error.ts";
import type { AttemptId } from "../store/stepAttempts.ts";
import { dropLog } from "../store/stepLog.ts";
import type { Session } from "./session.ts";

/** A log of more than this loses its middle: what is asked for is how it began and how it ended. Lines, and characters. */
const MOST_LINES = 20_000;
const MOST_CHARACTERS = 16 << 20;
/** A line of more loses its end. Characters. */
const LONGEST_LINE = 1 << 16;

export interface AttemptLog {
  add(text: string): void;
  /** The last lines, as many as there are. */
  last(count: number): readonly string[];
  /** Stores the whole log. Null where there is none, or it cannot be stored: what came of the attempt counts, and its last lines stay in the ledger. */
  close(): Promise<Digest | null>;
}

/** Opens the log of an attempt at a step. */
export function openAttemptLog(session: Session, step: string, { key, n }: AttemptId): AttemptLog {
  const first: string[] = [];
  const last: string[] = [];
  let [seq, left, start, end] = [0, 0, 0, 0];

  async function store(): Promise<Digest> {
    const middle = left === 0 ? [] : [`(${left} lines are left out)`];
    const text = [...first, ...middle, ...last, ""].join("\n");
    const bytes = new TextEncoder().encode(text);
    const { digest } = await session.withLedger("storing a log", () => session.blobs.put(bytes));
    // What is written later than this would stay.
    await session.journal.flush();
    await session.withLedger("dropping log lines", () => dropLog(session.db, key, n));
    return digest;
  }

  return {
    add(text) {
      const line = cut(text);
      session.journal.log({ key, n, seq: ++seq, at: session.clock(), line });
      if (last.length === 0 && first.length < MOST_LINES / 2 && start < MOST_CHARACTERS / 2) {
        first.push(line);
        start += line.length;
        return;
      }
      last.push(line);
      end += line.length;
      while (last.length > MOST_LINES / 2 || end > MOST_CHARACTERS / 2) {
        end -= last.shift()?.length ?? 0;
        left++;
      }
    },
    last: (count) => [...first.slice(-count), ...last.slice(-count)].slice(-count),
    async close() {
      if (seq === 0) return null;
      try {
        return await store();
      } catch (error) {
        session.log.warn(`the log of ${step} could not be stored: ${messageOf(error)}`);
        return null;
      }
    },
  };
}

function cut(line: string): string {
  const more = line.length - LONGEST_LINE;
  return more <= 0 ? line : `${line.slice(0, LONGEST_LINE)}… (${more} characters more)`;
}
