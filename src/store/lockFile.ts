// An exclusive lock on a folder, because the embedded database has none: two processes on one folder lose rows silently.
//
// Locks are numbered files, and the highest one counts. It is only ever replaced by the next number, made by link(), which fails where
// the name exists: of all that find a dead holder exactly one gets on. The highest file is never deleted (a released lock
// says so instead), so that nobody who slept in between can take a number for free that has been held since.

import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { codeOf, HdashError } from "../error.ts";
import {
  describeProcess,
  identifyProcess,
  livenessOf,
  parseIdentity,
  type ProcessIdentity,
} from "./processIdentity.ts";

/** A lock that is held. */
export interface Lock {
  release(): void;
}

interface Holder {
  readonly identity: ProcessIdentity;
  readonly isReleased: boolean;
  /** What it does there, as digests; [] where it did not say. */
  readonly purposes: readonly string[];
}

/** Somebody else has the folder. */
export class FolderInUse extends HdashError {
  /** True where it is at what we were about to do. */
  readonly isSameWork: boolean;
  readonly holder: ProcessIdentity;
  /** ISO 8601, or words where that is not known any more. */
  readonly since: string;
  constructor(
    message: string,
    hint: string,
    by: { readonly isSameWork: boolean; readonly holder: ProcessIdentity; readonly since: string },
  ) {
    super("busy", message, { hint });
    this.name = "FolderInUse";
    this.isSameWork = by.isSameWork;
    this.holder = by.holder;
    this.since = by.since;
  }
}

const NAME = /^lock-(\d{6,15})\.json$/;

/**
 * Takes the lock of a folder, which is made where it is missing.
 * Throws FolderInUse, which says who holds it, unless the holder is provably dead; a permanent error where its lock is damaged.
 * @param purposes digests of what this process is going to do there, what it does first in front.
 */
export function lockFolder(dir: string, purposes: readonly string[] = []): Lock {
  // For its user alone: what it holds is private.
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const identity = identifyProcess();
  const own: Holder = { identity, isReleased: false, purposes };
  const draft = join(dir, `lock-draft-${identity.pid}-${crypto.randomUUID()}`);
  writeWhole(draft, own);
  try {
    for (;;) {
      const last = listLocks(dir).at(-1);
      if (last !== undefined) refuseIfHeld(dir, last, purposes[0]);
      const mine = nameOf((last === undefined ? 0 : numberOf(last)) + 1);
      if (!linkIfFree(draft, join(dir, mine))) continue;
      const names = listLocks(dir);
      if (names.at(-1) !== mine) {
        // Others have passed this number and cleaned up behind themselves while we were looking.
        rmSync(join(dir, mine), { force: true });
        continue;
      }
      for (const old of names.slice(0, -1)) rmSync(join(dir, old), { force: true });
      return { release: () => release(dir, mine, own) };
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

function release(dir: string, name: string, own: Holder): void {
  const draft = join(dir, `lock-draft-${own.identity.pid}-${crypto.randomUUID()}`);
  writeWhole(draft, { ...own, isReleased: true });
  renameSync(draft, join(dir, name));
}

/** Writes a draft that is on the disk before it gets its name: a power cut would leave a lock that says nothing. */
function writeWhole(path: string, holder: Holder): void {
  writeFileSync(path, JSON.stringify(holder), { flush: true });
}

function refuseIfHeld(dir: string, name: string, purpose: string | undefined): void {
  const holder = readHolder(join(dir, name));
  if (holder === "gone" || (holder !== null && (holder.isReleased || isDead(holder.identity))))
    return;
  const path = join(dir, name);
  if (holder === null) {
    // Not busy: it would be so for ever, and every start would end as if all were well.
    throw new HdashError(
      "permanent",
      `the lock ${path} is damaged: it does not say who holds the folder`,
      {
        hint: "If no hdash is at work in that folder, delete the lock and start again.",
      },
    );
  }
  const since = sinceWhen(path);
  const who = `${describeProcess(holder.identity)} holds it since ${since}`;
  throw new FolderInUse(
    `the folder ${dir} is in use: ${who}`,
    `Wait for it to end, or use another HDASH_HOME. If it is gone for good, delete ${path}.`,
    {
      isSameWork: purpose !== undefined && holder.purposes.includes(purpose),
      holder: holder.identity,
      since,
    },
  );
}

/** On a local folder an earlier boot of the same host is proof enough: whatever ran then is gone. */
function isDead(identity: ProcessIdentity): boolean {
  const here = identifyProcess();
  const isEarlierBoot =
    identity.host === here.host &&
    identity.bootId !== null &&
    here.bootId !== null &&
    identity.bootId !== here.bootId;
  return isEarlierBoot || livenessOf(identity) === "dead";
}

/** A lock is written when it is taken. */
function sinceWhen(path: string): string {
  try {
    return statSync(path).mtime.toISOString();
  } catch {
    return "a moment ago"; // released between two looks
  }
}

function readHolder(path: string): Holder | "gone" | null {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "gone";
    throw new HdashError("permanent", `the lock ${path} cannot be read`, { cause: error });
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("identity" in value)) return null;
    const identity = parseIdentity(value.identity);
    if (identity === null) return null;
    const purposes = "purposes" in value && Array.isArray(value.purposes) ? value.purposes : [];
    return {
      identity,
      isReleased: "isReleased" in value && value.isReleased === true,
      purposes: purposes.filter((one): one is string => typeof one === "string"),
    };
  } catch {
    return null; // not JSON: refuseIfHeld says so
  }
}

function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw new HdashError("permanent", `the lock ${to} cannot be made`, { cause: error });
  }
}

/** Names of the locks in a folder, lowest number first. */
function listLocks(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => NAME.test(name))
    .sort((a, b) => numberOf(a) - numberOf(b));
}

function numberOf(name: string): number {
  return Number(NAME.exec(name)?.[1]);
}

function nameOf(number: number): string {
  return `lock-${String(number).padStart(6, "0")}.json`;
}
