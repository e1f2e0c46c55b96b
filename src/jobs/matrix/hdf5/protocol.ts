// What the worker that reads HDF5 is asked, and what it answers: the language of hdf5Session.ts and hdf5Worker.ts.

export type NumberKind =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "float32"
  | "float64";

/** What an element is: a number, a text, a row of a table (compound type), or something that no matrix needs. */
export type ElementKind = NumberKind | "text" | "table" | "other";

export interface Column {
  readonly name: string;
  readonly kind: ElementKind;
}

/** What is known about a dataset without reading it. */
export interface DatasetInfo {
  readonly path: string;
  /** Empty for a single value. */
  readonly shape: readonly number[];
  readonly kind: ElementKind;
  readonly itemBytes: number;
  /** Null where the data lie in one piece. */
  readonly chunks: readonly number[] | null;
  readonly filters: readonly { readonly id: number; readonly name: string }[];
  /** Of a table; else empty. */
  readonly columns: readonly Column[];
  /** Whether its data are pieced together from other datasets. */
  readonly isVirtual: boolean;
}

/** "elsewhere" is a link that leads to another file. */
export type NodeKind = "group" | "dataset" | "elsewhere" | "other";

/** A box of a dataset: start and size in each dimension. */
export interface Box {
  readonly start: readonly number[];
  readonly count: readonly number[];
}

export type Request =
  | { readonly op: "open"; readonly file: string }
  | { readonly op: "list"; readonly path: string }
  | { readonly op: "describe"; readonly path: string }
  | { readonly op: "attribute"; readonly path: string; readonly name: string }
  | {
      readonly op: "texts";
      readonly path: string;
      /** Of a table. */
      readonly column: string | null;
      readonly start: number;
      readonly count: number;
    }
  | {
      readonly op: "read";
      readonly path: string;
      readonly box: Box;
      readonly into: SharedArrayBuffer;
    };

/** The answer to each kind of request. */
export interface Answers {
  readonly open: null;
  readonly list: readonly { readonly name: string; readonly kind: NodeKind }[];
  readonly describe: DatasetInfo;
  /** Null where there is no such attribute, or where it is neither text nor number. */
  readonly attribute: readonly (string | number)[] | null;
  /** Each followed by "\\0", as one: many strings take longer to be sent than one. */
  readonly texts: string;
  /** Elements lie in `into`, little-endian. */
  readonly read: null;
}

export interface Question {
  readonly id: number;
  readonly request: Request;
}

/** `problem` is what failed, in HDF5's words, or in ours if it is "unfit"; "elsewhere" if the file sends its reader to another file. */
export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | {
      readonly id: number;
      readonly problem: string;
      readonly kind: "failed" | "elsewhere" | "unfit";
    };
