import { describe, expect, test } from "vitest";

import { type Log, type LogSettings, makeLog, makeRedaction, SILENT } from "../src/log.ts";

const NOON = new Date("2026-03-04T12:03:04.567Z");

function write(settings: Partial<LogSettings>, speak: (log: Log) => void): readonly string[] {
  const lines: string[] = [];
  const log = makeLog({
    format: "plain",
    level: "info",
    write: (line) => lines.push(line),
    clock: () => NOON,
    secrets: [],
    ...settings,
  });
  speak(log);
  return lines;
}

function speakAtEveryLevel(log: Log): void {
  log.debug("htan looked at the view");
  log.info("htan started", { runId: "r1", files: 3, hit: true, error: null });
  log.warn("HTA3 failed");
  log.error("htan failed");
}

describe("makeLog({format: plain})", () => {
  test("writes the time in UTC and the sentence, and marks what is not just information", () => {
    expect(write({ level: "debug" }, speakAtEveryLevel)).toEqual([
      "12:03:04 debug: htan looked at the view",
      "12:03:04 htan started",
      "12:03:04 warning: HTA3 failed",
      "12:03:04 error: htan failed",
    ]);
  });

  test("leaves out what is below its level", () => {
    expect(write({ level: "warn" }, speakAtEveryLevel)).toEqual([
      "12:03:04 warning: HTA3 failed",
      "12:03:04 error: htan failed",
    ]);
  });

  test("indents further lines and lets no control character through to the terminal", () => {
    expect(write({}, (log) => log.info("one\ntwo \u001b[31mred\u0007\r"))).toEqual([
      "12:03:04 one\n         two �[31mred��",
    ]);
  });
});

describe("makeLog({format: json})", () => {
  test("writes one object per line with level, time, fields and message", () => {
    const lines = write({ format: "json", level: "info" }, speakAtEveryLevel);
    const time = "2026-03-04T12:03:04.567Z";
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { level: "info", time, runId: "r1", files: 3, hit: true, error: null, msg: "htan started" },
      { level: "warn", time, msg: "HTA3 failed" },
      { level: "error", time, msg: "htan failed" },
    ]);
  });

  test("keeps a message with line breaks on one line", () => {
    const lines = write({ format: "json" }, (log) => log.info('one\n"two"'));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ msg: 'one\n"two"' });
  });
});

describe("makeLog({secrets})", () => {
  test.each(["plain", "json"] as const)("redacts messages and fields in %s lines", (format) => {
    const secrets = ["p@ss/word", "tok", "tok-en", ""];
    const lines = write({ format, secrets }, (log) => {
      log.info("sent tok-en to https://x/?key=p%40ss%2Fword", { header: "Bearer tok-en", n: 1 });
    });
    expect(lines.join("\n")).not.toMatch(/tok|p@ss|p%40ss/);
    expect(lines.join("\n")).toContain("sent [secret] to https://x/?key=[secret]");
  });
});

describe("makeRedaction(secrets)", () => {
  test("replaces the longest secret first", () => {
    expect(makeRedaction(["abcd", "abcdef"])("abcdef abcd")).toBe("[secret] [secret]");
  });

  test("replaces a secret however it was sent", () => {
    const secret = 'tök/en+ß "7" p@ss';
    const redact = makeRedaction([secret]);
    const basic = (text: string): string => Buffer.from(text).toString("base64");
    for (const sent of [
      encodeURIComponent(secret),
      encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase()),
      encodeURIComponent(encodeURIComponent(secret)),
      new URLSearchParams({ a: secret }).toString(),
      JSON.stringify({ a: secret }),
    ]) {
      expect(redact(sent), sent).toMatch(/^[a{":=]*\[secret\]["}]*$/);
    }
    for (const user of ["", "a", "ab", "abc", "abcd:"]) {
      for (const text of [basic(user + secret), Buffer.from(user + secret).toString("base64url")]) {
        const left = redact(`Basic ${text}`);
        expect(left, text).toContain("[secret]");
        expect(left.length, text).toBeLessThan("Basic [secret]".length + 13);
      }
    }
  });

  test("leaves a text alone where there is nothing to hide", () => {
    expect(makeRedaction([""])("abc")).toBe("abc");
    // Too short to be a secret, and in half of all words.
    expect(makeRedaction(["a"])("a database")).toBe("a database");
  });
});

describe("SILENT", () => {
  test("says nothing at any level", () => {
    expect(() => speakAtEveryLevel(SILENT)).not.toThrow();
  });
});
