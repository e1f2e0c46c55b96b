// What a zip holds, as regions that are read where they lie; and the refusal of archives that are made to do harm.

import { basename } from "node:path";

import { type Entry, openPromise, type ZipFile } from "yauzl";

import { HdashError } from "../../../error.ts";
import { bytes as showBytes, number } from "../../../format.ts";
import { methodName } from "../../../formats/zipMethods.ts";
import { UnreadableMatrix } from "../problem.ts";
import { MOST_RATIO, plainName, showName, stopIfAborted } from "./boundedRegion.ts";
import type { ByteRegion } from "./region.ts";

/** A zip of a matrix has a handful of entries, one of many samples some thousands. */
const MOST_ENTRIES = 100_000;

/** Lists the files of a zip, sorted by name; nothing is unpacked. `isWanted` is asked before an entry's packing is judged. */
export async function listZip(
  path: string,
  isWanted: (name: string) => boolean,
  signal: AbortSignal,
): Promise<readonly ByteRegion[]> {
  const archive = showName(basename(path));
  let zip: ZipFile;
  try {
    zip = await openPromise(path, {
      lazyEntries: true,
      autoClose: false,
      decodeStrings: true,
      validateEntrySizes: true,
    });
  } catch (error) {
    throw zipProblem(archive, error);
  }
  try {
    if (zip.entryCount > MOST_ENTRIES) {
      throw new UnreadableMatrix(
        "M_TOO_LARGE",
        `${archive} states ${number(zip.entryCount)} entries; ${number(MOST_ENTRIES)} can be handled`,
      );
    }
    return await readDirectory(zip, path, archive, isWanted, signal);
  } catch (error) {
    throw error instanceof HdashError ? error : zipProblem(archive, error);
  } finally {
    zip.close();
  }
}

async function readDirectory(
  zip: ZipFile,
  path: string,
  archive: string,
  isWanted: (name: string) => boolean,
  signal: AbortSignal,
): Promise<readonly ByteRegion[]> {
  const regions: ByteRegion[] = [];
  const names = new Set<string>();
  const stretches: { readonly from: number; readonly to: number; readonly name: string }[] = [];
  for await (const entry of zip.eachEntry()) {
    stopIfAborted(signal);
    const name = tidyName(entry.fileName);
    checkEntry(entry, name, archive);
    if (entry.fileName.endsWith("/")) continue;
    if (names.has(name)) {
      throw new UnreadableMatrix("M_UNSAFE", `${archive} holds ${showName(name)} twice`);
    }
    names.add(name);
    const local = await zip.readLocalFileHeaderPromise(entry);
    if (
      !local.fileName.equals(entry.fileNameRaw) ||
      local.compressionMethod !== entry.compressionMethod
    ) {
      throw new UnreadableMatrix(
        "M_UNSAFE",
        `${archive} describes ${showName(name)} in two ways that differ`,
      );
    }
    const from = entry.relativeOffsetOfLocalHeader;
    stretches.push({ from, to: local.fileDataStart + entry.compressedSize, name });
    if (!isWanted(name)) continue;
    checkMethod(entry, name, archive);
    regions.push({
      path,
      offset: local.fileDataStart,
      length: entry.compressedSize,
      layers: entry.compressionMethod === 8 ? ["deflate"] : [],
      name,
      claimed: { bytes: entry.uncompressedSize, crc32: entry.crc32 },
    });
  }
  checkOverlaps(stretches, archive);
  return regions.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function tidyName(name: string): string {
  return plainName(name)
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}

function checkEntry(entry: Entry, name: string, archive: string): void {
  const refuse = (what: string): UnreadableMatrix =>
    new UnreadableMatrix("M_UNSAFE", `${archive}: ${showName(name)} ${what}`);
  // The upper half are Unix permissions where the archive was made on Unix, else 0: regular files and folders only.
  const type = (entry.externalFileAttributes >>> 16) & 0o170000;
  if (type === 0o120000) throw refuse("is a symbolic link");
  if (type !== 0 && type !== 0o100000 && type !== 0o040000) throw refuse("is no regular file");
  if (entry.isEncrypted()) throw refuse("is encrypted");
  if (entry.uncompressedSize > entry.compressedSize * MOST_RATIO) {
    throw refuse(
      `states that ${showBytes(entry.compressedSize)} unpack to ${showBytes(entry.uncompressedSize)}, more than ${number(MOST_RATIO)} times as much`,
    );
  }
}

function checkMethod(entry: Entry, name: string, archive: string): void {
  const method = entry.compressionMethod;
  if (method === 0 || method === 8) return;
  throw new UnreadableMatrix(
    "M_FORMAT",
    `${archive}: ${showName(name)} is packed by ${methodName(method)} (method ${method}); only stored and deflated entries can be read`,
  );
}

/** Entries that share bytes are how a small archive claims to hold much. */
function checkOverlaps(
  stretches: { readonly from: number; readonly to: number; readonly name: string }[],
  archive: string,
): void {
  stretches.sort((a, b) => a.from - b.from);
  stretches.forEach(({ from, name }, index) => {
    const before = stretches[index - 1];
    if (before !== undefined && before.to > from) {
      throw new UnreadableMatrix(
        "M_UNSAFE",
        `${archive}: ${showName(name)} lies within ${showName(before.name)}`,
      );
    }
  });
}

/** yauzl says by words only what it found. */
function zipProblem(archive: string, error: unknown): HdashError {
  const words = error instanceof Error ? error.message : String(error);
  const name = showName(/: ([\s\S]*)$/.exec(words)?.[1] ?? "");
  if (words.startsWith("invalid relative path")) {
    return new UnreadableMatrix("M_UNSAFE", `${archive}: ${name} leads out of the archive`, {
      cause: error,
    });
  }
  if (words.startsWith("absolute path")) {
    return new UnreadableMatrix(
      "M_UNSAFE",
      `${archive}: an entry has an absolute name, which leads out of the archive`,
      { cause: error },
    );
  }
  if (words.startsWith("strong encryption")) {
    return new UnreadableMatrix("M_UNSAFE", `${archive}: an entry is encrypted`, { cause: error });
  }
  if (error instanceof Error && "syscall" in error) {
    return new HdashError("permanent", `${archive} cannot be read`, { cause: error });
  }
  if (words.startsWith("multi-disk")) {
    return new UnreadableMatrix("M_FORMAT", `${archive} is one of several parts of a zip`, {
      cause: error,
    });
  }
  return new UnreadableMatrix(
    "M_CORRUPT",
    `${archive} is a damaged zip or cut off: ${showName(words)}`,
    { cause: error },
  );
}
