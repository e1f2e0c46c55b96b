// Datasets that can be read: filters, sizes and pieces are checked before a byte of them is asked for.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import type { DatasetInfo, NumberKind } from "./protocol.ts";

/**
 * gzip, shuffle and Fletcher's checksum, which the library has, and those plugins that give back the very values that were written:
 * AnnData, 10x and loom write gzip and LZF; hdf5plugin, which AnnData's manual names, writes the others.
 */
const READABLE_FILTERS: ReadonlySet<number> = new Set([
  1, 2, 3, 307, 32_000, 32_001, 32_004, 32_008, 32_015, 32_026,
]);
const READABLE_NAMES = "gzip, shuffle, LZF, LZ4, zstd, blosc, blosc2, bitshuffle and bzip2";
/** Names of filters that occur; the name within the file is free text. */
const FILTER_NAMES: Readonly<Record<number, string>> = {
  4: "szip",
  5: "nbit",
  6: "scaleoffset",
  32_013: "zfp",
  32_017: "sz",
  32_018: "fcidecomp",
  32_019: "jpeg",
  32_024: "sz3",
};
/** A chunk is inflated in one piece, in three copies. Writers choose about 1 MB. */
const MOST_CHUNK_BYTES = 128 << 20;
/** 8 bytes of offset a cell. The largest known matrix has some ten million. */
const MOST_CELLS = 50_000_000;
/** Strings of all are held. The largest tables (peaks) have about a million. */
const MOST_GENES = 4_000_000;
/** What is asked for at once: 1 MB of 4-byte numbers. */
const PIECE_ELEMENTS = 262_144;

/** A dataset of numbers. */
export interface NumberDataset extends DatasetInfo {
  readonly kind: NumberKind;
}

/** Describes a dataset and throws where it could not be read. */
export async function openDataset(session: Hdf5Session, path: string): Promise<DatasetInfo> {
  const info = await session.ask({ op: "describe", path });
  const where = `${session.name}: ${path.slice(1)}`;
  for (const { id, name } of info.filters) {
    if (READABLE_FILTERS.has(id)) continue;
    const filter = FILTER_NAMES[id] ?? (name.replace(/[^ -~]/g, "").slice(0, 40) || `number ${id}`);
    throw new UnreadableMatrix(
      "M_FORMAT",
      `${where} is compressed by the filter ${filter}; ${READABLE_NAMES} can be read`,
    );
  }
  if (info.isVirtual) throw liesElsewhere(session, path);
  const chunkBytes = (info.chunks ?? []).reduce((product, size) => product * size, info.itemBytes);
  if (chunkBytes > MOST_CHUNK_BYTES) {
    throw new UnreadableMatrix(
      "M_TOO_LARGE",
      `${where} lies in chunks of ${chunkBytes >> 20} MB; up to ${MOST_CHUNK_BYTES >> 20} MB can be read`,
    );
  }
  return info;
}

/** Says that what should be in the file lies in another one. */
export function liesElsewhere(session: Hdf5Session, path: string): UnreadableMatrix {
  return new UnreadableMatrix(
    "M_FORMAT",
    `${session.name}: ${path.slice(1)} refers to another file; only files that hold all their data can be read`,
  );
}

/** Opens a dataset that must hold numbers in so many dimensions. */
export async function openNumbers(
  session: Hdf5Session,
  path: string,
  dimensions: number,
): Promise<NumberDataset> {
  const info = await openDataset(session, path);
  const where = `${session.name}: ${path.slice(1)}`;
  const { kind } = info;
  if (kind === "text" || kind === "table" || kind === "other") {
    throw new UnreadableMatrix(
      "M_FORMAT",
      `${where} does not hold integers or reals of 2, 4 or 8 bytes`,
    );
  }
  if (info.shape.length !== dimensions) {
    throw new UnreadableMatrix(
      "M_HEADER",
      `${where} has ${info.shape.length} dimensions instead of ${dimensions}`,
    );
  }
  return { ...info, kind };
}

/** Throws where a matrix claims more cells or genes than can be held. */
export function checkSize(session: Hdf5Session, cells: number, genes: number): void {
  const tooMany = cells > MOST_CELLS ? "cells" : genes > MOST_GENES ? "genes" : null;
  if (tooMany === null) return;
  const [claimed, most] = tooMany === "cells" ? [cells, MOST_CELLS] : [genes, MOST_GENES];
  throw new UnreadableMatrix(
    "M_TOO_LARGE",
    `${session.name}: it claims ${number(claimed)} ${tooMany}; up to ${number(most)} can be read`,
  );
}

/** Tells how many elements of a one-dimensional dataset to ask for at once: whole chunks, so that each is inflated once. */
export function pieceElements({ chunks }: DatasetInfo): number {
  const chunk = chunks?.[0] ?? 1;
  return chunk * Math.max(1, Math.floor(PIECE_ELEMENTS / chunk));
}
