// A table of prices, which is a file: what a vCPU and a GiB of memory cost for an hour, where and when that was so.

import { HdashError, messageOf } from "../error.ts";
import type { StepUsage } from "../store/usage.ts";

/** What things cost. */
export interface Prices {
  /** What of is priced, e.g. "Fargate, Linux, x86". */
  readonly name: string;
  /** As money is written, e.g. "USD". */
  readonly currency: string;
  readonly region: string;
  /** Who says so: an address, an invoice. */
  readonly source: string;
  /** The day on which it was so, as 2026-12-01. */
  readonly date: string;
  readonly perVcpuHour: number;
  readonly perGibHour: number;
  /** True where the numbers are made up. */
  readonly isExample: boolean;
}

const TEXTS = ["name", "currency", "region", "source", "date"] as const;
const NUMBERS = ["perVcpuHour", "perGibHour"] as const;

/** Reads a table of prices. Throws config that names the file and the field. */
export function readPrices(text: string, path: string): Prices {
  const refuse = (what: string, cause?: unknown): never => {
    throw new HdashError("config", `the prices in ${path} ${what}`, {
      cause,
      hint: "docs/asking.md says what such a file holds; config/prices.example.json is one.",
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(`are no JSON: ${messageOf(error)}`, error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse("are no JSON object");
  }
  const fields: Readonly<Record<string, unknown>> = { ...value };
  const shown = (name: string): string =>
    fields[name] === undefined ? "missing" : JSON.stringify(fields[name]);
  const texts = Object.fromEntries(
    TEXTS.map((name) => {
      const found = fields[name];
      if (typeof found === "string" && found.trim() !== "") return [name, found] as const;
      return refuse(`have no text as ${name}: it is ${shown(name)}`);
    }),
  ) as Record<(typeof TEXTS)[number], string>;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(texts.date) || Number.isNaN(Date.parse(texts.date))) {
    refuse(`have ${shown("date")} as date, which is no day as 2026-12-01`);
  }
  const numbers = Object.fromEntries(
    NUMBERS.map((name) => {
      const found = fields[name];
      if (typeof found === "number" && found >= 0) return [name, found] as const;
      return refuse(`have no number of 0 or more as ${name}: it is ${shown(name)}`);
    }),
  ) as Record<(typeof NUMBERS)[number], number>;
  const known: readonly string[] = [...TEXTS, ...NUMBERS, "isExample"];
  const strange = Object.keys(fields).find((name) => !known.includes(name));
  if (strange !== undefined) refuse(`have a field ${strange}, which means nothing`);
  return { ...texts, ...numbers, isExample: fields["isExample"] === true };
}

/** What usage costs: as it was reserved, as it was used, and what hits would have cost as their results were reserved. */
export interface Cost {
  readonly reserved: number;
  readonly used: number;
  readonly saved: number;
}

const HOUR_MS = 3_600_000;
const MIB_OF_GIB = 1024;

/** Says what some usage costs. */
export function costOf(
  usage: Pick<StepUsage, "cpuMs" | "vcpuMs" | "memoryMiBMs" | "peakMiBMs" | "saved">,
  { perVcpuHour, perGibHour }: Prices,
): Cost {
  const of = (vcpuMs: number, miBMs: number): number =>
    (vcpuMs / HOUR_MS) * perVcpuHour + (miBMs / MIB_OF_GIB / HOUR_MS) * perGibHour;
  return {
    reserved: of(usage.vcpuMs, usage.memoryMiBMs),
    used: of(usage.cpuMs, usage.peakMiBMs),
    saved: of(usage.saved.vcpuMs, usage.saved.memoryMiBMs),
  };
}

/** Adds usage up. */
export function totalOf(steps: readonly StepUsage[]): Omit<StepUsage, "pipeline" | "step"> {
  const sum = (of: (step: StepUsage) => number): number =>
    steps.reduce((total, step) => total + of(step), 0);
  return {
    attempts: sum((one) => one.attempts),
    wallMs: sum((one) => one.wallMs),
    cpuMs: sum((one) => one.cpuMs),
    cpuMeasured: sum((one) => one.cpuMeasured),
    vcpuMs: sum((one) => one.vcpuMs),
    memoryMiBMs: sum((one) => one.memoryMiBMs),
    peakMiBMs: sum((one) => one.peakMiBMs),
    memoryMeasured: sum((one) => one.memoryMeasured),
    hits: sum((one) => one.hits),
    saved: {
      wallMs: sum((one) => one.saved.wallMs),
      vcpuMs: sum((one) => one.saved.vcpuMs),
      memoryMiBMs: sum((one) => one.saved.memoryMiBMs),
    },
  };
}
