// Values as a step's function gets and gives them.

declare const FILE: unique symbol;
declare const FOLDER: unique symbol;

/** A file as a step gets it. It cannot be changed: what is at `path()` is a copy of the step's own. */
export interface InputFile {
  readonly [FILE]: true;
  readonly sha256: string;
  readonly bytes: number;
  /** The path of a copy on this disk, gone when the step has ended. */
  path(): Promise<string>;
  stream(): AsyncIterable<Uint8Array>;
  /** Its lines as UTF-8, without their ends, whichever of \n and \r\n those are. */
  lines(): AsyncIterable<string>;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

/** A folder as a step gets it. */
export interface InputFolder {
  readonly [FOLDER]: true;
  /** Of its list of files. */
  readonly sha256: string;
  /** Of all files together. */
  readonly bytes: number;
  /** The path of a copy on this disk, gone when the step has ended. */
  path(): Promise<string>;
  /** Its files by path, in the order of their names. */
  files(): readonly {
    readonly path: string;
    readonly isExecutable: boolean;
    readonly file: InputFile;
  }[];
  /** One of its files; null where there is none. */
  at(path: string): InputFile | null;
}

/** A file as a step's function gives it: where it has written it, in its work folder. */
export interface GivenFile {
  readonly path: string;
}

/** A folder, in the same way. */
export interface GivenFolder {
  readonly path: string;
}
