import { describe, expect, test } from "vitest";

import { longestGapHours } from "../schedule.ts";

describe("longestGapHours(schedule)", () => {
  test.each([
    ["rate(1 hour)", 1],
    ["rate(90 minutes)", 1.5],
    ["rate(7 days)", 168],
    ["cron(0 3 * * ? *)", 24],
    ["cron(0 3 ? * * *)", 24],
    ["cron(30 8,20 * * ? *)", 12],
    ["cron(0 8-18/5 * * ? *)", 14],
    ["cron(0/20 * * * ? *)", 1 / 3],
    ["cron(0 6 ? * MON-FRI *)", 72],
    ["cron(0 6 ? * 2,5 *)", 96],
    ["cron(0 6 ? * sun 2026-2030)", 168],
    ["cron(0 6 1 * ? *)", 31 * 24],
    ["cron(0 6 1 JAN ? *)", 366 * 24],
    ["cron(0 6 31 4 ? *)", Number.POSITIVE_INFINITY],
  ])("reads %s", (schedule, hours) => {
    expect(longestGapHours(schedule)).toBeCloseTo(hours, 6);
  });

  test("counts days that are just days, at any minute", () => {
    const gaps = Array.from({ length: 60 }, (_, minute) =>
      longestGapHours(`cron(${minute} 2 * * ? *)`),
    );
    expect(new Set(gaps)).toEqual(new Set([24]));
  });

  test.each([
    ...["0 3 * * *", "at(2026-01-01T00:00:00)", "rate(0 hours)", "rate(1 week)", "cron(0 3 * * ?)"],
    // Both days, or none of them.
    ...["cron(0 3 * * * *)", "cron(0 3 ? * ? *)", "cron(0 3 1 * MON *)"],
    // Beyond what there is.
    ...["cron(60 3 * * ? *)", "cron(0 24 * * ? *)", "cron(0 3 0 * ? *)", "cron(0 3 32 * ? *)"],
    ...["cron(0 3 * 13 ? *)", "cron(0 3 ? * 0 *)", "cron(0 3 ? * 8 *)", "cron(0 3 * * ? 1969)"],
    // Wrong in itself.
    ...["cron(5-2 3 * * ? *)", "cron(0 3 ? * MOO *)", "cron(0 3 ? * JAN *)", "cron(*-5 3 * * ? *)"],
    ...["cron(0/0 3 * * ? *)", "cron(1, 3 * * ? *)", "cron(? 3 * * ? *)", "cron(-1 3 * * ? *)"],
    // Monthly.
    ...["cron(0 3 L * ? *)", "cron(0 3 ? * 6L *)", "cron(0 3 ? * MON#1 *)", "cron(0 3 15W * ? *)"],
  ])("refuses %s", (schedule) => {
    expect(longestGapHours(schedule)).toBeNull();
  });
});
