import { describe, expect, test } from "vitest";

import { makeBudget } from "../../src/lineage/spending.ts";

/** A vCPU costs 1 a second, a GiB half as much. */
const PRICES = {
  ...{ name: "even", currency: "EUR", region: "here", source: "a test", date: "2026-12-01" },
  ...{ perVcpuHour: 3600, perGibHour: 1800, isExample: true },
};

describe("makeBudget(most, before, now)", () => {
  test("counts attempts that go on by what is reserved for them, and refuses once that is spent", () => {
    let at = 0;
    const budget = makeBudget({ amount: 10, prices: PRICES }, 0, () => at);
    budget.begin({ cpus: 2, memoryMiB: 2048 });
    at = 3333;
    const end = budget.begin({});
    at = 3334;
    expect(() => budget.begin({ cpus: 1 })).toThrow(
      "the run has cost 10.0020 EUR, and --max-cost is 10: nothing more is begun",
    );
    end(null);
  });

  test("counts an attempt that has ended by what it used, where that is more, and once", () => {
    let at = 0;
    const budget = makeBudget({ amount: 10, prices: PRICES }, 1, () => at);
    const end = budget.begin({});
    at = 1000;
    end({ cpuMs: 8999 });
    end({ cpuMs: 8999 });
    budget.begin({})(null);
    const more = budget.begin({ cpus: 0 });
    more({ cpuMs: 1 });
    expect(() => budget.begin({})).toThrow("has cost 10.0000 EUR");
  });
});
