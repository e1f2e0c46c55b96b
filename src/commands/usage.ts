// hdash usage: what runs took, what that costs by a table of prices, and what hits have saved.

import type { Command } from "commander";

import { HdashError } from "../error.ts";
import { count, duration, instant, number } from "../format.ts";
import { stepName } from "../lineage/callName.ts";
import { type Cost, costOf, type Prices, totalOf } from "../lineage/prices.ts";
import { loadPrices } from "../lineage/pricesFile.ts";
import { EXIT, type Shell } from "../shell.ts";
import type { StepUsage, UsageOf } from "../store/usage.ts";
import { type Asked, askLedger, findRun, parseSince, type Since } from "./asking.ts";
import { columns } from "./columns.ts";

interface UsageFlags {
  readonly since?: Since;
  readonly prices?: string;
  readonly json?: boolean;
}

/** Adds the command to hdash. */
export function addUsage(program: Command, shell: Shell): void {
  program
    .command("usage")
    .description("say what a run, or all since a day, took: time, CPUs, memory, money")
    .argument("[run]", "its number, or a pipeline's name: its newest run")
    .option("--since <when>", "of all runs since then: 30d, 12h, 2026-11-30", parseSince)
    .option("--prices <file>", "a table of prices (config/prices.example.json shows its form)")
    .option("--json", "as JSON (docs/schemas/usage.schema.json)")
    .addHelpText(
      "after",
      "\nExamples: hdash usage 17 · hdash usage --since 30d --prices prices.json",
    )
    .action(async (word: string | undefined, flags: UsageFlags) => {
      if ((word === undefined) === (flags.since === undefined)) {
        throw new HdashError("usage", "hdash usage takes a run, or --since, and not both");
      }
      const prices = flags.prices === undefined ? null : await loadPrices(flags.prices);
      shell.exit(await askLedger(shell, (asked) => tell(shell, asked, { word, prices }, flags)));
    });
}

/** What is told of: the run, or the runs since a moment. */
interface Subject {
  readonly run: { readonly id: string; readonly pipeline: string } | null;
  readonly since: Date | null;
  readonly runs: number;
}

async function tell(
  shell: Shell,
  asked: Asked,
  { word, prices }: { readonly word: string | undefined; readonly prices: Prices | null },
  { since, json }: UsageFlags,
): Promise<number> {
  const { db, effects } = asked;
  const { sumUsage, countRuns } = await import("../store/usage.ts");
  let of: UsageOf;
  let subject: Subject;
  if (since === undefined) {
    const run = await findRun(asked, word ?? "");
    of = { runId: run.id };
    subject = { run, since: null, runs: 1 };
  } else {
    const from = since(effects.clock());
    of = { since: from };
    subject = { run: null, since: from, runs: await countRuns(db, from) };
  }
  const steps = await sumUsage(db, of);
  if (json === true) shell.print(JSON.stringify(asJson(subject, steps, prices)));
  else for (const line of asText(subject, steps, prices)) shell.print(line);
  return EXIT.ok;
}

type Total = Omit<StepUsage, "pipeline" | "step">;

const HEADS = [
  ...["step", "attempts", "took", "CPU", "vCPU·s reserved", "MiB·s reserved", "MiB·s used"],
  ...["hits", "saved"],
];
/** Columns of numbers. */
const RIGHT = [1, 2, 3, 4, 5, 6, 7, 8, 9];

function asText(
  { run, since, runs }: Subject,
  steps: readonly StepUsage[],
  prices: Prices | null,
): readonly string[] {
  const subject =
    run === null
      ? `${count(runs, "run")} since ${instant((since ?? new Date(0)).toISOString())}`
      : `run ${run.id} of ${run.pipeline}`;
  if (steps.length === 0) return [`${subject}: no step was attempted, and none was found`];
  const all = totalOf(steps);
  const cost = prices === null ? null : costOf(all, prices);
  const row = (name: string, one: Total): readonly string[] => [
    name,
    ...cellsOf(one),
    ...(prices === null ? [] : [money(costOf(one, prices).reserved)]),
  ];
  const name = ({ pipeline, step }: StepUsage): string =>
    run === null ? `${pipeline}: ${stepName(step)}` : stepName(step);
  const table = columns(
    [
      [...HEADS, ...(prices === null ? [] : [prices.currency])],
      ...steps.map((step) => row(name(step), step)),
      row("all", all),
    ],
    RIGHT,
  );
  return [
    subject,
    ...table,
    `${count(all.hits, "hit")} saved ${duration(all.saved.wallMs)}: what their results took when they were made`,
    ...measuredText(all),
    ...(prices === null || cost === null ? [] : costText(cost, prices)),
  ];
}

function cellsOf(one: Total): readonly string[] {
  return [
    number(one.attempts),
    duration(one.wallMs),
    one.cpuMeasured === 0 ? "–" : duration(one.cpuMs),
    seconds(one.vcpuMs),
    seconds(one.memoryMiBMs),
    one.memoryMeasured === 0 ? "–" : seconds(one.peakMiBMs),
    number(one.hits),
    one.hits === 0 ? "" : duration(one.saved.wallMs),
  ];
}

function seconds(ms: number): string {
  const all = ms / 1000;
  return number(all >= 100 || Number.isInteger(all) ? Math.round(all) : Number(all.toFixed(1)));
}

/** Says of how many attempts nothing was measured: what is not known does not count as nothing. */
function measuredText({ attempts, cpuMeasured }: Total): readonly string[] {
  const left = attempts - cpuMeasured;
  if (left === 0) return [];
  const of = left === attempts ? "any attempt" : `${number(left)} of ${count(attempts, "attempt")}`;
  return [
    `CPU and memory of ${of} were not measured: only programs are, functions work in hdash's own process`,
  ];
}

function costText({ reserved, used, saved }: Cost, prices: Prices): readonly string[] {
  const { currency, name, region, date, source, isExample } = prices;
  return [
    `${money(reserved)} ${currency} for what was reserved for steps, ${money(used)} for what was measured; hits saved ${money(saved)}`,
    `by ${name}, ${region}, ${date} (${source})${isExample ? ": an example, not what anybody is billed" : ""}`,
  ];
}

const LEAST_MONEY = 0.0001;

/** Writes money: small amounts to a hundredth of a cent. */
function money(value: number): string {
  if (value === 0) return "0";
  if (value < LEAST_MONEY) return `<${LEAST_MONEY}`;
  return number(Number(value.toFixed(value < 0.1 ? 4 : 2)));
}

function asJson(
  { run, since, runs }: Subject,
  steps: readonly StepUsage[],
  prices: Prices | null,
): object {
  const all = totalOf(steps);
  return {
    run: run === null ? null : Number(run.id),
    since: since?.toISOString() ?? null,
    runs,
    total: { ...numbersOf(all), ...(prices === null ? {} : { cost: costOf(all, prices) }) },
    steps: steps.map((one) => ({
      ...{ pipeline: one.pipeline, step: one.step },
      ...numbersOf(one),
      ...(prices === null ? {} : { cost: costOf(one, prices) }),
    })),
    prices,
  };
}

/** Numbers as they are told to machines: in seconds, and null where nothing was measured. */
function numbersOf(one: Total): object {
  return {
    attempts: one.attempts,
    wallSeconds: one.wallMs / 1000,
    cpuSeconds: one.cpuMeasured === 0 ? null : one.cpuMs / 1000,
    cpuMeasured: one.cpuMeasured,
    vcpuSecondsReserved: one.vcpuMs / 1000,
    mibSecondsReserved: one.memoryMiBMs / 1000,
    mibSecondsPeak: one.memoryMeasured === 0 ? null : one.peakMiBMs / 1000,
    memoryMeasured: one.memoryMeasured,
    hits: one.hits,
    saved: {
      wallSeconds: one.saved.wallMs / 1000,
      vcpuSeconds: one.saved.vcpuMs / 1000,
      mibSeconds: one.saved.memoryMiBMs / 1000,
    },
  };
}
