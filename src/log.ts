// What hdash says while it works: one interface, so that rooms need not know whether a person or a machine reads it,
// and the two forms it is written in.

import { pino } from "pino";

import { printable } from "./format.ts";

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

/** The levels, from most to least talkative. */
const LEVELS = ["debug", "info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];

/** How a log is written, and what must never be in it. */
export interface LogSettings {
  /** plain: a clock and a sentence, for people · json: an object per line with level, time, msg and the fields. */
  readonly format: "plain" | "json";
  /** The least level that is written. */
  readonly level: Level;
  /** Gets each line, without the line break. */
  readonly write: (line: string) => void;
  readonly clock: () => Date;
  /** Values that are written as [secret] wherever they turn up. */
  readonly secrets: readonly string[];
}

/** Makes a log. Every line is written before the call returns, so that none is lost when the process ends. */
export function makeLog(settings: LogSettings): Log {
  const redact = makeRedaction(settings.secrets);
  const say = settings.format === "json" ? jsonLines(settings) : plainLines(settings);
  const least = LEVELS.indexOf(settings.level);
  const at =
    (level: Level) =>
    (message: string, fields: LogFields = {}): void => {
      if (LEVELS.indexOf(level) < least) return;
      const clean = Object.entries(fields).map(
        ([name, value]) => [name, typeof value === "string" ? redact(value) : value] as const,
      );
      say(level, redact(message), Object.fromEntries(clean));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Shorter ones are no secrets, and hiding them would hide half of every word. */
const LEAST_SECRET = 4;

/** Makes a function that replaces every secret in a text, in whatever form it was sent. */
export function makeRedaction(secrets: readonly string[]): (text: string) => string {
  // Longest first: a secret that contains another one must not leave its other half behind.
  const forms = [
    ...new Set(secrets.filter((secret) => secret.length >= LEAST_SECRET).flatMap(formsOf)),
  ].sort((a, b) => b.length - a.length);
  return (text) => forms.reduce((redacted, form) => redacted.replaceAll(form, "[secret]"), text);
}

/** A secret as it is, and as it looks in an address (also one within another), in a form, in JSON and in base64. */
function formsOf(secret: string): readonly string[] {
  const inAddress = encodeURIComponent(secret);
  const inForm = new URLSearchParams([["", secret]]).toString().slice(1);
  return [
    secret,
    ...[inAddress, inForm, encodeURIComponent(inAddress)].flatMap((form) => [
      form,
      form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    ]),
    JSON.stringify(secret).slice(1, -1),
    ...base64FormsOf(secret),
  ];
}

/** Fewer letters of base64 are in too many words. */
const LEAST_BASE64 = 8;

/**
 * What base64 makes of a secret with anything before and behind it ("user:secret"): three bytes are four letters, so that it begins at one
 * of three places, and the letters at its ends are partly others'.
 */
function base64FormsOf(secret: string): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    const own = [Math.ceil((before * 8) / 6), Math.floor((bytes.length * 8) / 6)] as const;
    return (["base64", "base64url"] as const)
      .map((encoding) => bytes.toString(encoding).slice(...own))
      .filter((form) => form.length >= LEAST_BASE64);
  });
}

type Say = (level: Level, message: string, fields: LogFields) => void;

/** Lines like `12:03:04 htan started` (UTC); the fields are left to machines. */
function plainLines({ write, clock }: LogSettings): Say {
  return (level, message) => {
    const time = clock().toISOString().slice(11, 19);
    const mark = { debug: "debug: ", info: "", warn: "warning: ", error: "error: " }[level];
    write(`${time} ${mark}${printable(message).replaceAll("\n", "\n         ")}`);
  };
}

function jsonLines({ write, clock }: LogSettings): Say {
  const logger = pino(
    {
      level: "debug",
      base: null,
      timestamp: () => `,"time":"${clock().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(line.trimEnd()) },
  );
  return (level, message, fields) => logger[level](fields, message);
}
