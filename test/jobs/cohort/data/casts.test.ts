import { describe, expect, test } from "vitest";

import { castBoolean, castDouble, castInt } from "../../../../src/jobs/cohort/data/casts.ts";
import { makeRandom } from "../../matrix/support/random.ts";

const FAILED = { text: null, note: "failed" };
const NONE = { text: null, note: null };
const exact = (text: string) => ({ text, note: null });
const cut = (text: string) => ({ text, note: "truncated" });

/** Text that is no number for any type. */
const NO_NUMBERS = [
  ...["NaN", "nan", "Infinity", "-Infinity", "inf", "null", "none", "n/a", "yes", "no", "True!"],
  ...["+", "-", ".", "+.", "e5", ".e5", "1e", "1e+", "1e5.0", "1.2.3", "--1", "+-1", "1-"],
  ...["0x10", "0b1", "1_000", "1,000", "1 000", "12px", "1n", "١٢", "½", "1\u00001", "{}", "[1]"],
];

describe("castInt(text)", () => {
  test.each([
    ["0", "0"],
    ["-0", "0"],
    ["+0", "0"],
    ["-0.0", "0"],
    ["0e400", "0"],
    ["7", "7"],
    ["+7", "7"],
    ["-7", "-7"],
    ["007", "7"],
    ["-007", "-7"],
    ["060", "60"],
    ["5.", "5"],
    ["5.000", "5"],
    ["60.0", "60"],
    ["1e3", "1000"],
    ["1E+3", "1000"],
    ["1.5e1", "15"],
    ["1500e-2", "15"],
    ["0.001e3", "1"],
    ["0000000000000000000000001", "1"],
    [" 12 ", "12"],
    ["\t-3\r\n", "-3"],
    ["9007199254740993", "9007199254740993"],
    ["9223372036854775807", "9223372036854775807"],
    ["9223372036854775807.0", "9223372036854775807"],
    ["-9223372036854775808", "-9223372036854775808"],
    ["9.223372036854775807e18", "9223372036854775807"],
    ["922337203685477580.7e1", "9223372036854775807"],
    ["1000000000000000000000e-20", "10"],
  ])("takes %j as it is", (text, value) => {
    expect(castInt(text)).toEqual(exact(value));
  });

  test.each([
    ["61.2", "61"],
    ["-61.9", "-61"],
    [".5", "0"],
    ["-.5", "0"],
    ["0.999999999999999999999", "0"],
    ["1e-5", "0"],
    ["-1e-400", "0"],
    ["1e-99999999999999999999999", "0"],
    ["15e-1", "1"],
    ["9223372036854775807.9", "9223372036854775807"],
    ["-9223372036854775808.9", "-9223372036854775808"],
    ["9007199254740993.5", "9007199254740993"],
  ])("cuts the fraction of %j", (text, value) => {
    expect(castInt(text)).toEqual(cut(value));
  });

  test.each([
    ...["9223372036854775808", "-9223372036854775809", "1e19", "9.3e18", "1e400", "-1e400"],
    ...["1e99999999999999999999999", "18446744073709551616", "true", "false"],
    ...NO_NUMBERS,
  ])("refuses %j", (text) => {
    expect(castInt(text)).toEqual(FAILED);
  });

  test.each(["", " ", "\t\r\n", "\u00a0"])("takes %j as nothing", (text) => {
    expect(castInt(text)).toEqual(NONE);
  });

  test("is exact for whatever digits, point and exponent", () => {
    const random = makeRandom(64);
    const digits = (most: number): string =>
      Array.from({ length: random.below(most + 1) }, () => random.below(10)).join("");
    for (let round = 0; round < 20_000; round++) {
      const sign = ["", "-", "+"][random.below(3)] ?? "";
      const [whole, fraction] = [digits(21), digits(6)];
      if (whole === "" && fraction === "") continue;
      const exponent = random.below(30) - 15;
      const text = `${sign}${whole}.${fraction}e${exponent}`;
      expect([text, castInt(text)]).toEqual([text, byBigInt(sign, whole, fraction, exponent)]);
    }
  });
});

/** The same by exact fractions. */
function byBigInt(sign: string, whole: string, fraction: string, exponent: number) {
  const shift = exponent - fraction.length;
  const digits = BigInt(`${whole}${fraction}`) * (sign === "-" ? -1n : 1n);
  const numerator = shift > 0 ? digits * 10n ** BigInt(shift) : digits;
  const denominator = shift < 0 ? 10n ** BigInt(-shift) : 1n;
  const value = numerator / denominator;
  if (BigInt.asIntN(64, value) !== value) return FAILED;
  return (value * denominator === numerator ? exact : cut)(String(value));
}

describe("castDouble(text)", () => {
  test.each([
    ["0", "0"],
    ["-0", "0"],
    ["-0.0", "0"],
    ["1e-400", "0"],
    ["-1e-400", "0"],
    ["+1.50", "1.5"],
    ["007.5", "7.5"],
    [".5", "0.5"],
    ["5.", "5"],
    ["5.e1", "50"],
    [" 2.5\n", "2.5"],
    ["1e21", "1e+21"],
    ["5e-324", "5e-324"],
    ["1.7976931348623157e308", "1.7976931348623157e+308"],
    ["0.1000000000000000055", "0.1"],
    ["9007199254740993", "9007199254740992"],
  ])("takes %j", (text, value) => {
    expect(castDouble(text)).toEqual(exact(value));
  });

  test.each(["1e400", "-1e309", "true", ...NO_NUMBERS])("refuses %j", (text) => {
    expect(castDouble(text)).toEqual(FAILED);
  });

  test.each(["", "  "])("takes %j as nothing", (text) => {
    expect(castDouble(text)).toEqual(NONE);
  });

  test("writes the shortest text that gives a double back, whatever its bits", () => {
    const random = makeRandom(53);
    const bits = new DataView(new ArrayBuffer(8));
    for (let round = 0; round < 20_000; round++) {
      bits.setUint32(0, random.below(2 ** 32));
      bits.setUint32(4, random.below(2 ** 32));
      const value = bits.getFloat64(0);
      if (!Number.isFinite(value)) continue;
      const { text } = castDouble(value.toExponential(20));
      expect([value, text]).toEqual([value, String(value)]);
      // It goes into rows as a number of JSON.
      expect(JSON.parse(text ?? "")).toBe(value);
    }
  });
});

describe("castBoolean(text)", () => {
  test.each(["true", "TRUE", " True ", "1", "1.0", "+1", "01", "10e-1", "1."])(
    "takes %j as true",
    (text) => expect(castBoolean(text)).toEqual(exact("true")),
  );

  test.each(["false", "False\n", "0", "-0", "0.0", "0e9", "00"])("takes %j as false", (text) =>
    expect(castBoolean(text)).toEqual(exact("false")),
  );

  test.each(["2", "-1", "0.5", "1.0001", "t", "f", "y", "on", "off", "1e400", ...NO_NUMBERS])(
    "refuses %j",
    (text) => expect(castBoolean(text)).toEqual(FAILED),
  );

  test("takes empty text as nothing", () => {
    expect([castBoolean(""), castBoolean(" ")]).toEqual([NONE, NONE]);
  });
});
