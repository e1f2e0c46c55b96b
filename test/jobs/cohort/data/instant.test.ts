import { describe, expect, test } from "vitest";

import { instantDigits, plainInstant } from "../../../../src/jobs/cohort/data/instant.ts";
import { makeRandom } from "../../matrix/support/random.ts";

/** Microseconds since the first of March of year 0, by Date. */
function byDate(text: string, micros: number): bigint {
  const epoch = new Date("0000-03-01T00:00:00Z").getTime();
  return BigInt(new Date(text).getTime() - epoch) * 1000n + BigInt(micros);
}

const digits = (text: string): bigint => BigInt(instantDigits(text) ?? "-1");
const pad = (value: number, size = 2): string => String(value).padStart(size, "0");

describe("instantDigits(text)", () => {
  test.each([
    ["0000-03-01T00:00:00Z", null],
    ["0001-01-01T00:00:00Z", "26438400000000"],
    ["1970-01-01T00:00:00Z", "62162035200000000"],
    ["1970-01-01T00:00:00.000001Z", "62162035200000001"],
    ["9999-12-31T23:59:59.999999Z", "315564335999999999"],
    ["0001-01-01T00:00:00+23:59", "26352060000000"],
    ["9999-12-31T23:59:59-23:59", "315564422339000000"],
  ])("reads %s", (text, expected) => {
    expect(instantDigits(text)).toBe(expected);
    if (expected !== null) expect(BigInt(expected)).toBe(byDate(text, Number(expected.slice(-3))));
  });

  test("agrees with Date for instants of all years, with and without an offset", () => {
    const random = makeRandom(9999);
    for (let round = 0; round < 20_000; round++) {
      const [year, month] = [1 + random.below(9999), 1 + random.below(12)];
      const day = 1 + random.below(new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate());
      const time = [random.below(24), random.below(60), random.below(60)].map((one) => pad(one));
      const local = `${pad(year, 4)}-${pad(month)}-${pad(day)}T${time.join(":")}`;
      const micros = random.below(1_000_000);
      const sign = random.below(2) === 0 ? "+" : "-";
      const offset = `${sign}${pad(random.below(24))}:${pad(random.below(60))}`;
      for (const end of ["Z", offset]) {
        const expected = byDate(`${local}${end}`, micros);
        expect([local, end, digits(`${local}.${pad(micros, 6)}${end}`)]).toEqual([
          local,
          end,
          expected,
        ]);
      }
    }
  });

  test.each([
    ["2026-01-02T03:04:05", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05z", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05+0130", "2026-01-02T01:34:05Z"],
    ["2026-01-02T03:04:05+01", "2026-01-02T02:04:05Z"],
    ["2026-01-02T03:04:05-00:00", "2026-01-02T03:04:05Z"],
    ["2026-01-02T03:04:05.5", "2026-01-02T03:04:05.500000Z"],
    ["2026-01-02T03:04:05,5Z", "2026-01-02T03:04:05.500000Z"],
    ["2026-01-02T03:04:05.1234567Z", "2026-01-02T03:04:05.123456Z"],
    ["2026-01-02T03:04:05.1234569999Z", "2026-01-02T03:04:05.123456Z"],
    ["2026-01-01T00:00:00+14:00", "2025-12-31T10:00:00Z"],
    ["2024-02-29T23:59:59-01:00", "2024-03-01T00:59:59Z"],
  ])("takes %s for %s", (text, same) => {
    expect(instantDigits(text)).not.toBe(null);
    expect(instantDigits(text)).toBe(instantDigits(same));
  });

  test.each([
    ...["", "2026-01-02", "2026-01-02T03:04", "2026-01-02 03:04:05", "2026-01-02t03:04:05"],
    ...["2026-02-29T00:00:00", "1900-02-29T00:00:00", "2026-04-31T00:00:00", "2026-13-01T00:00:00"],
    ...["2026-00-01T00:00:00", "2026-01-00T00:00:00", "0000-01-01T00:00:00", "2026-01-32T00:00:00"],
    ...["2026-01-02T24:00:00", "2026-01-02T23:60:00", "2026-01-02T23:59:60"],
    ...["2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+01:60", "2026-01-02T03:04:05+1"],
    ...[
      "2026-01-02T03:04:05.",
      "2026-01-02T03:04:05.Z",
      "2026-01-02T03:04:05 Z",
      "20260102T030405Z",
    ],
    ...["12026-01-02T03:04:05", "-2026-01-02T03:04:05", "+002026-01-02T03:04:05", "yesterday"],
    ...[" 2026-01-02T03:04:05", "2026-01-02T03:04:05\n", "２026-01-02T03:04:05", "1700000000"],
  ])("gives nothing for %j", (text) => {
    expect(instantDigits(text)).toBe(null);
  });

  test.each(["2000-02-29T00:00:00", "2024-02-29T00:00:00", "0004-02-29T00:00:00"])(
    "knows the leap day of %s",
    (text) => expect(digits(text)).toBe(byDate(`${text}Z`, 0)),
  );

  test("orders instants of whatever offset by when they are", () => {
    const texts = [
      "2026-10-25T03:30:00+02:00",
      "2026-10-25T02:30:00.000001+01:00",
      "2026-10-25T02:30:00.000002+01:00",
      "2026-10-25T02:30:01+01:00",
      "2026-10-25T02:00:00",
    ];
    const all = texts.map(digits);
    expect(all.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(all);
    expect(new Set(all).size).toBe(texts.length);
    // They go into a column of 64-bit integers.
    expect(digits("9999-12-31T23:59:59.999999-23:59") < 2n ** 63n).toBe(true);
  });
});

describe("plainInstant(buffer, from, to)", () => {
  const plain = (text: string): string | null => {
    const bytes = Buffer.from(`"${text}"`);
    return plainInstant(bytes, 1, bytes.length - 1);
  };

  test("reads the plain form as instantDigits does, wherever it lies", () => {
    const random = makeRandom(20);
    for (let round = 0; round < 5000; round++) {
      const day = new Date(random.below(253_402_300_799) * 1000);
      const text = `${day.toISOString().slice(0, 19)}Z`;
      expect([text, plain(text)]).toEqual([text, instantDigits(text)]);
      expect(plain(text)).not.toBeNull();
    }
  });

  test("leaves to it, or agrees with it on, whatever has another byte or another length", () => {
    const random = makeRandom(21);
    let refused = 0;
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from("2024-02-29T23:59:59Z");
      const size = [19, 20, 20, 20, 21][random.below(5)] ?? 20;
      bytes[random.below(20)] = 0x20 + random.below(95);
      const text = bytes.toString().padEnd(size, "Z").slice(0, size);
      const found = plain(text);
      if (found === null) refused++;
      else expect([text, found]).toEqual([text, instantDigits(text)]);
    }
    expect(refused).toBeGreaterThan(10_000);
  });

  test.each(["2023-02-29T00:00:00Z", "2023-00-10T00:00:00Z", "0000-05-01T00:00:00Z"])(
    "does not take %s, which is no instant, for one",
    (text) => {
      expect(plain(text)).toBeNull();
    },
  );
});
