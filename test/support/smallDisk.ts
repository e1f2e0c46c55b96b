// A disk that is soon full, and a user who may do little: what a root can make of them.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NOBODY = 65534;

/** A disk that is mounted. */
export interface SmallDisk {
  readonly path: string;
  unmount(): void;
}

/** Mounts a disk of so many bytes in memory below a folder; with `files`, for no more files and folders than that, its own among them. */
export function mountSmall(
  dir: string,
  bytes: number,
  { files }: { readonly files?: number } = {},
): SmallDisk {
  const path = join(dir, "disk");
  mkdirSync(path);
  const inodes = files === undefined ? "" : `,nr_inodes=${files}`;
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=755${inodes}`, "tmpfs", path]);
  return { path, unmount: () => void execFileSync("umount", ["-l", path]) };
}

/** Says why no disk can be mounted here; null where one can. */
export function whyNoMount(): string | null {
  if (process.geteuid?.() !== 0) return "no disk was filled: only root may mount one";
  const dir = mkdtempSync(join(tmpdir(), "hdash-mount-"));
  try {
    mountSmall(dir, 100_000).unmount();
    return null;
  } catch {
    return "no disk was filled: this machine lets nobody mount one";
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Does something as a user without rights; null, with a word on the console, where nobody may become another. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T | null> {
  if (process.geteuid?.() !== 0) {
    console.warn("no right was taken away: only root may become another user");
    return null;
  }
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
