// What a run may cost: counted by its attempts, as reserved or as used, whichever is more.

import type { Budget } from "../engine/budget.ts";
import { HdashError } from "../error.ts";
import type { Db } from "../store/schema.ts";
import type { Amounts } from "../store/stepAttempts.ts";
import { sumUsage } from "../store/usage.ts";
import { costOf, type Prices } from "./prices.ts";

/** What people have said that a run may cost. */
export interface MostCost {
  /** In the currency of the prices. */
  readonly amount: number;
  readonly prices: Prices;
}

const MIB = 1024 * 1024;
/** Digits behind the point: runs of a minute cost less than a cent. */
const DIGITS = 4;

/** Makes the budget of a run, which may have cost something before. */
export async function openBudget(db: Db, runId: string, most: MostCost): Promise<Budget> {
  const before = await sumUsage(db, { runId });
  const spent = before.reduce((sum, step) => sum + larger(costOf(step, most.prices)), 0);
  return makeBudget(most, spent);
}

/** Makes a budget of which something is spent. @param now a clock in milliseconds that never goes back. */
export function makeBudget(
  { amount, prices }: MostCost,
  before: number,
  now: () => number = () => performance.now(),
): Budget {
  let spent = before;
  const going = new Set<() => number>();
  return {
    begin({ cpus = 0, memoryMiB = 0 }) {
      const all = [...going].reduce((sum, cost) => sum + cost(), spent);
      if (all >= amount) {
        const { currency } = prices;
        throw new HdashError(
          "permanent",
          `the run has cost ${all.toFixed(DIGITS)} ${currency}, and --max-cost is ${amount}: nothing more is begun`,
          { hint: "Begin it again with more: what is done is found." },
        );
      }
      const since = now();
      const cost = (used: Amounts | null): number => {
        const wallMs = now() - since;
        return larger(
          costOf(
            {
              cpuMs: used?.["cpuMs"] ?? 0,
              vcpuMs: cpus * wallMs,
              memoryMiBMs: memoryMiB * wallMs,
              peakMiBMs: ((used?.["peakMemoryBytes"] ?? 0) / MIB) * wallMs,
              saved: { wallMs: 0, vcpuMs: 0, memoryMiBMs: 0 },
            },
            prices,
          ),
        );
      };
      const soFar = (): number => cost(null);
      going.add(soFar);
      return (used) => {
        if (going.delete(soFar)) spent += cost(used);
      };
    },
  };
}

function larger({ reserved, used }: { readonly reserved: number; readonly used: number }): number {
  return Math.max(reserved, used);
}
