// What hdash says while it works: one interface, so that rooms need not know whether a person or a machine reads it.

/** Extra facts of a log line, for machines. Never a secret, never participant-level data. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** Says things at four levels. A line reads: subject, verb, object → outcome in time. Nothing at info inside a loop. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Says nothing: for tests and for callers that do not care. */
export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };
