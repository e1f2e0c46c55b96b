// DuckDB in this process: a database in memory that may spill into a private folder, and statements in it.

import type { DuckDBInstance } from "@duckdb/node-api";

import { HdashError, messageOf } from "../../../error.ts";

/** A DuckDB at work. */
export interface Duck {
  /** Runs statements one after the other. Throws a permanent error that names the work and quotes no value. */
  run(what: string, ...statements: readonly string[]): Promise<void>;
  /** Asks for rows; integers of 64 bits come as text. */
  rows(what: string, statement: string): Promise<readonly (readonly unknown[])[]>;
  close(): void;
}

export interface DuckOptions {
  /** What it may hold of its own accounting; its process takes half as much again. */
  readonly memoryMiB: number;
  readonly threads: number;
  /** Folder for what does not fit into memory; made and emptied by the caller. */
  readonly spillDir: string;
  /** The folder that all lies in which it reads and writes: it opens nothing else. */
  readonly workDir: string;
}

/** A DuckDB that several share: each has tables of its own, all together the memory. */
export interface SharedDuck {
  open(): Promise<Duck>;
  close(): void;
}

/** Opens a DuckDB for one. */
export async function openDuck(options: DuckOptions): Promise<Duck> {
  const instance = await openInstance(options);
  try {
    const duck = await connect(instance);
    return {
      ...duck,
      close() {
        duck.close();
        instance.closeSync();
      },
    };
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

/** Shares a DuckDB, which is opened when it is first asked for: to open one and to close it takes as long as to build a small type. */
export function shareDuck(options: () => Promise<DuckOptions>): SharedDuck {
  let opened: Promise<DuckDBInstance> | undefined;
  let instance: DuckDBInstance | undefined;
  return {
    async open() {
      opened ??= (async () => (instance = await openInstance(await options())))();
      opened.catch(() => (opened = undefined));
      return connect(await opened);
    },
    close() {
      instance?.closeSync();
      [instance, opened] = [undefined, undefined];
    },
  };
}

/** Nothing of it may reach the network, load an extension, find another folder's settings or open a file that is not of the work folder. */
async function openInstance({
  memoryMiB,
  threads,
  spillDir,
  workDir,
}: DuckOptions): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(threads),
    memory_limit: `${memoryMiB}MiB`,
    temp_directory: spillDir,
    preserve_insertion_order: "false",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    // Errors of readers quote what they read.
    errors_as_json: "true",
  });
  try {
    const duck = await connect(instance);
    // In this order: what is closed first cannot be told what stays open.
    await duck.run(
      "opening DuckDB",
      `set allowed_directories = [${literal(workDir)}]`,
      "set enable_external_access = false",
      "set lock_configuration = true",
    );
    duck.close();
    return instance;
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

async function connect(instance: DuckDBInstance): Promise<Duck> {
  const connection = await instance.connect();
  async function tried<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw duckError(what, error);
    }
  }
  return {
    run: (what, ...statements) =>
      tried(what, async () => {
        for (const statement of statements) await connection.run(statement);
      }),
    rows: (what, statement) =>
      tried(what, async () => (await connection.runAndReadAll(statement)).getRowsJson()),
    close: () => connection.closeSync(),
  };
}

/** Tells what failed by its kind alone: DuckDB's messages quote values, and values are participants'. */
function duckError(what: string, error: unknown): HdashError {
  const kind = kindOf(messageOf(error));
  const isMemory = kind === "Out of Memory";
  return new HdashError("permanent", `${what}: DuckDB gave up (${kind})`, {
    ...(isMemory ? { hint: "Raise COHORT_MEMORY_MB, or give HDASH_HOME more disk." } : {}),
  });
}

function kindOf(message: string): string {
  try {
    const parsed: unknown = JSON.parse(message);
    if (typeof parsed === "object" && parsed !== null && "exception_type" in parsed) {
      return String(parsed.exception_type);
    }
  } catch {
    // An error of the binding itself is no JSON.
  }
  return /^([A-Z][A-Za-z ]+) Error\b/.exec(message)?.[1] ?? "an error of its own";
}

/** Quotes a name. */
export function name(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** Quotes text. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
