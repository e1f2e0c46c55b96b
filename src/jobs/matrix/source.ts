// Where matrices come from, seen alike: a list of what there is, and a way to get each as a local file or folder.

export const MATRIX_SOURCES = ["fresh", "canned", "local", "cellxgene"] as const;
export type MatrixSourceKind = (typeof MATRIX_SOURCES)[number];

/** One matrix of a source. */
export interface MatrixEntry {
  /** "<uuid>[.<species>]", or what a user called it: names the matrix and the folder of its figures. Letters, digits, ".", "_" and "-". */
  readonly id: string;
  /** The project's uuid (or the dataset's): what blacklists and target lists name. */
  readonly projectId: string;
  /** e.g. "homo_sapiens"; null where the source does not say. */
  readonly species: string | null;
  /** For people; the id where the source has none. */
  readonly title: string;
  /** Name of the file (or folder) that holds it, e.g. "<uuid>.homo_sapiens.mtx.zip". */
  readonly fileName: string;
  /** Null where the source does not say. */
  readonly bytes: number | null;
  /** Changes when the matrix does, and only then: enters the step's key. E.g. {sha256}, {etag, bytes} or {version}. */
  readonly version: Readonly<Record<string, string>>;
  /** Hex, of the file; checked after the download where there is one. */
  readonly sha256: string | null;
  /** Library construction approaches as the source names them; [] where it does not. */
  readonly approaches: readonly string[];
  /** Cells as the source counts them; null where it does not say. */
  readonly cells: number | null;
  /** A page about the project for people; null where there is none. */
  readonly pageUrl: string | null;
  /** What the source needs to get the file again (a path, a key, an address without signature); opaque to everybody else. */
  readonly locator: string;
}

/** What decides which matrix is pulled, and how its file is read: part of the key of what is made of it. */
export type MatrixIdentity = Pick<
  MatrixEntry,
  "id" | "projectId" | "fileName" | "version" | "approaches"
>;

/** What helps to get it, and to see that it came whole: where it is may change while the matrix does not. */
export type MatrixHints = Pick<MatrixEntry, "locator" | "bytes" | "sha256">;

/** What a source is told of a matrix to pull it. */
export type MatrixAddress = MatrixIdentity & MatrixHints;

/** Why a matrix is left out that was wanted and may not be read: a failure of its own, as that of one whose bytes are damaged. */
export const UNREADABLE = "unreadable";

/** A matrix that is there but is not read, and why. */
export interface MatrixSkip {
  readonly id: string;
  readonly projectId: string;
  readonly title: string;
  /** e.g. "blacklisted", "not asked for", "format", "service", UNREADABLE. */
  readonly why: string;
  /** One plain sentence. */
  readonly message: string;
}

export interface MatrixListing {
  /** Largest first where sizes are known, then by id; ids are unique. */
  readonly entries: readonly MatrixEntry[];
  readonly skips: readonly MatrixSkip[];
}

/** What was pulled of a matrix. */
export interface FetchedMatrix {
  /** A file or a folder. Below `dir`, unless the source is local: then it is the user's own and must not be changed. */
  readonly path: string;
  /** Bytes read over the network; 0 for local files. */
  readonly bytes: number;
}

/** Waits for something that is no work of ours. */
export type Wait = <T>(work: () => Promise<T>) => Promise<T>;

/** What of an entry is looked at to choose it; a title only where users gave it themselves. */
export type NamedEntry = Pick<MatrixEntry, "id" | "projectId"> & { readonly title?: string };

/** What of a listing is of use. */
export interface ListOptions {
  /**
   * What it refuses will not be read: a source that would have to read much for it lists it with what it knows anyway
   * (`version` {} where it knows none). Missing: everything is wanted.
   */
  readonly isWanted?: (entry: NamedEntry) => boolean;
}

export interface MatrixSource {
  readonly kind: MatrixSourceKind;
  /** For people and pages: "Azul dcp50", "s3://bucket/prefix", "a local folder". */
  readonly label: string;
  /** The same for those who run it, with the place itself: "the folder /data/matrices"; missing where the label says all. */
  readonly where?: string;
  /** What it takes for a matrix, in whole sentences: said where it finds none. */
  readonly fits?: string;
  /** Whole or not at all: what is missing in it counts as gone. What is there but cannot be described is a skip with its projectId. */
  list(signal: AbortSignal, options?: ListOptions): Promise<MatrixListing>;
  /** Project ids of the object `blacklist`: null where there is none, [] where it is empty. */
  blacklist(signal: AbortSignal): Promise<readonly string[] | null>;
  /** Gets the matrix by its version: what moved meanwhile is a transient error. Resumes after broken connections. */
  pull(
    entry: MatrixAddress,
    dir: string,
    options: {
      readonly signal: AbortSignal;
      readonly onProgress: (done: number, total: number | null) => void;
      /** Does what only waits (for room on disk, for a service), so that others can work meanwhile. */
      readonly wait?: Wait;
    },
  ): Promise<FetchedMatrix>;
  /**
   * Throws transient where what was pulled may not be what the entry's version says any more. Missing where that cannot happen: a
   * download is ours alone.
   */
  confirm?(entry: MatrixAddress, signal: AbortSignal): Promise<void>;
}

/** Orders entries largest first (cells stand in where sizes are not known), then by id: the largest decide how long all takes. */
export function byLargest(a: MatrixEntry, b: MatrixEntry): number {
  const difference = (b.bytes ?? b.cells ?? -1) - (a.bytes ?? a.cells ?? -1);
  return difference !== 0 ? difference : a.id < b.id ? -1 : 1;
}

/** Makes an id of any text that can stand in a page and name a folder, and nothing else. */
export function safeId(text: string): string {
  const safe = text
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[.-]+/, "")
    .slice(0, 128);
  return safe === "" ? "unnamed" : safe;
}
