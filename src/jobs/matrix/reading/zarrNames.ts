// Zarr stores: folders of many small files, told by the names of those that describe them.

import { UnreadableMatrix } from "../problem.ts";
import { READABLE } from "./fileKinds.ts";

const MARK = /(^|\/)(\.z(array|group|attrs|metadata)|zarr\.json)$/;
/** Files that are or hold a matrix by their name. */
const MATRIX = /\.(mtx|h5ad|h5|hdf5|loom|h5mu)(\.gz)?$/i;

/** Sees all names of an archive or folder, also of files that nobody reads. */
interface NameWatch {
  readonly isWanted: (name: string) => boolean;
  /** Throws where what was seen is a Zarr store, and no matrix lies beside it. */
  refuseZarr(place: string): void;
}

/** Watches the names that are asked about. */
export function watchNames(isWanted: (name: string) => boolean): NameWatch {
  let mark: string | null = null;
  let hasMatrix = false;
  return {
    isWanted(name) {
      if (MATRIX.test(name)) hasMatrix = true;
      if (MARK.test(name) && (mark === null || name.length < mark.length)) mark = name;
      return isWanted(name);
    },
    refuseZarr(place) {
      if (mark === null || hasMatrix) return;
      const isAll = mark.split("/").length <= 2;
      throw new UnreadableMatrix(
        "M_FORMAT",
        `${place} ${isAll ? "is" : "holds"} a Zarr store, which is not read; write it as .h5ad. ${READABLE}`,
      );
    },
  };
}
