// What can be wrong with a member of a zip: the member is set aside, the others are used.

import { HdashError } from "../error.ts";
import type { ZipEntry } from "./zip.ts";

/** What is wrong with a member; `header`: local header and directory do not agree, or the member lies where none can. */
export type BadMemberReason =
  "encrypted" | "method" | "header" | "bomb" | "inflate" | "size" | "crc";

/** Says that a member is not what the directory says. Nothing that was read of it is to be used. */
export class BadMember extends HdashError {
  readonly reason: BadMemberReason;
  readonly member: string;
  /** What is wrong, to follow the member's name. */
  readonly what: string;
  constructor(entry: ZipEntry, reason: BadMemberReason, what: string, cause?: unknown) {
    super("permanent", `${showName(entry.name)} ${what}`, cause === undefined ? {} : { cause });
    this.name = "BadMember";
    this.reason = reason;
    this.member = entry.name;
    this.what = what;
  }
}

/** Makes a name fit for a message: no control characters, and no more than a line. */
export function showName(name: string): string {
  const plain = name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
  return plain.length <= 120 ? plain : `${plain.slice(0, 80)}…${plain.slice(-30)}`;
}
