// What an error of the database means to us: may it pass, is a setting wrong, or is the statement.

import { HdashError, messageOf } from "../error.ts";

/** Errors of the operating system and of pg itself that say that the connection, not the statement, is at fault. */
const BROKEN_CONNECTION = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ENOENT", // the unix socket is gone
]);

/** SQLSTATEs that may pass by themselves; 08… (connection) and 40… (serialisation, deadlock) are matched by class. */
const PASSING = new Set([
  "53300", // too many connections
  "53400",
  "55P03", // lock not available
  "57014", // statement timeout
  "57P01", // server shutting down
  "57P02",
  "57P03", // server starting up
  "25P03", // idle in transaction for too long
]);

/** SQLSTATEs that a person has to mend, with what to do. */
const SETTINGS: Readonly<Record<string, string>> = {
  "28P01": "Check HDASH_DB_USER and HDASH_DB_PASSWORD.",
  "28000":
    "The server refuses this user from here: check HDASH_DB_USER, HDASH_DB_TLS and the server's pg_hba.conf.",
  "3D000": "Check HDASH_DB_NAME, or create the database.",
  "42501": "Grant the user the right to create and use the schema.",
};

/** Messages of pg that carry no code. */
const BROKEN_MESSAGE =
  /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable|Connection ended unexpectedly/;
const TLS_MESSAGE = /SSL|TLS|certificate|self[- ]signed/i;

/** Turns whatever the database's client threw into an HdashError whose message names the database; HdashErrors pass unchanged. */
export function asDatabaseError(error: unknown, subject: string): HdashError {
  if (error instanceof HdashError) return error;
  const code = codeOf(error);
  // The message only: pg's detail field quotes values of rows.
  const message = `${subject}: ${messageOf(error) || code || "unknown error"}`;
  if (code === "ENOTFOUND") {
    return new HdashError("config", message, { cause: error, hint: "Check HDASH_DB_HOST." });
  }
  const hint = code === null ? undefined : SETTINGS[code];
  if (hint !== undefined) return new HdashError("config", message, { cause: error, hint });
  if (
    code !== null &&
    (BROKEN_CONNECTION.has(code) || PASSING.has(code) || /^(08|40)...$/.test(code))
  ) {
    return new HdashError("transient", message, { cause: error });
  }
  if (error instanceof Error && BROKEN_MESSAGE.test(error.message)) {
    return new HdashError("transient", message, { cause: error });
  }
  if (
    error instanceof Error &&
    TLS_MESSAGE.test(`${error.message} ${code ?? ""}`) &&
    !isSqlState(code)
  ) {
    return new HdashError("config", message, {
      cause: error,
      hint:
        "Check HDASH_DB_TLS and HDASH_DB_CA_FILE against what the server offers; " +
        "HDASH_DB_TLS=off sends everything in clear, the password too.",
    });
  }
  return new HdashError("permanent", message, { cause: error });
}

/** Tells whether an error is a violated unique constraint, i.e. that somebody else was quicker. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof HdashError ? codeOf(error.cause) === "23505" : codeOf(error) === "23505";
}

function isSqlState(code: string | null): boolean {
  return code !== null && /^[0-9A-Z]{5}$/.test(code);
}

/** The code of an error: an SQLSTATE or an errno's name. Several addresses tried give an AggregateError; its first code counts. */
function codeOf(error: unknown): string | null {
  if (typeof error !== "object" || error === null) return null;
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error ? codeOf(error.cause) : null;
}
