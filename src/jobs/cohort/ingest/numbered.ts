// Members of an export before they are read: which entries they are, their numbers, and where their copies go.

import type { ZipEntry } from "../../../formats/zip.ts";
import { isKey } from "../../../store/objectKey.ts";
import { MANIFEST } from "../data/manifest.ts";
import { type MemberName, readMemberName, stemOf } from "../data/memberName.ts";

/** A kept member of an export: what §F4 of the predecessor kept. Others are no data. */
export function isMember({ name, bytes, isFolder }: ZipEntry): boolean {
  return !isFolder && bytes > 0 && !name.includes("/") && !name.includes("Manifest");
}

/** Tells whether somebody may miss a member: it holds something, and is neither data nor the manifest. */
export function isIgnored(entry: ZipEntry): boolean {
  return !isMember(entry) && !entry.isFolder && entry.bytes > 0 && entry.name !== MANIFEST;
}

/** A member on its way. */
export interface Numbered {
  readonly entry: ZipEntry;
  readonly number: number;
  /** What its name says; null where that is nothing, or nothing that an object can be called by. */
  readonly said: MemberName | null;
  /** Where its copy as it was sent goes; null where no object can be called so. */
  readonly rawKey: string | null;
  /** Where its transformed copy goes: by its id, or by its stem where an earlier member has the same id. */
  readonly copyKey: string | null;
}

/** Numbers members, and says where the copies of each go: no two go to one place. */
export function numbered(entries: readonly ZipEntry[], cohort: string): readonly Numbered[] {
  const taken = new Set<string>();
  /** The first of some names that nobody has; of members that differ in their endings alone, the later one's whole name. */
  const take = (folder: string, names: readonly string[]): string | null => {
    const keys = names.map((name) => `${folder}/${name}.ndjson.gz`);
    const free = keys.find((key) => isKey(key) && !taken.has(key)) ?? null;
    if (free !== null) taken.add(free);
    return free;
  };
  return entries.map((entry, number) => {
    const stem = stemOf(entry.name);
    const name = readMemberName(entry.name);
    const below = `dataset=${name?.type ?? stem.split("_")[0] ?? ""}/cohort=${cohort}`;
    const rawKey = take(`json/${below}`, [stem, entry.name]);
    const copyKey =
      name === null || rawKey === null
        ? null
        : take(`compressed_json/${below}`, [name.id, stem, entry.name]);
    return { entry, number, said: copyKey === null ? null : name, rawKey, copyKey };
  });
}
