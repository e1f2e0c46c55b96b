// The bench's results as tables for people.

import type { Measurement } from "./stopwatch.ts";
import type { WholeRun } from "./whole.ts";

/** Results for one world. */
export interface ScaleResult {
  readonly scale: number;
  readonly rows: number;
  readonly manifests: number;
  readonly manifestBytes: number;
  readonly compute: Measurement | null;
  readonly peer: Measurement | null;
  readonly whole: readonly WholeRun[];
}

/** What is to be reached on the first world: at least 15 times less CPU than the predecessor, in less than 300 MB. */
export const GOAL = { cpuMs: 2_100, maxRssBytes: 300e6 };
/** What the predecessor needs for the same stages. */
export const PREDECESSOR = { cpuMs: 31_500, maxRssBytes: 258e6 };

/** Ten times the data may take up to this many times as long and still count as linear: start-up helps, caches hurt. */
const LINEAR = 11.5;

/** Renders the results of one world. */
export function renderScale(result: ScaleResult): string {
  const { scale, rows, manifests, manifestBytes, compute, peer, whole } = result;
  const size = `${rows.toLocaleString("en")} view rows, ${manifests} manifests, ${mb(manifestBytes)}`;
  const parts = [`World ×${scale}: 15 atlases × ${600 * scale} participants, ${size}`];
  if (compute !== null) {
    const lines = [["computation", "wall", "CPU", "peak memory"], ...stageLines(compute)];
    lines.push(["  all stages", s(compute.wallMs), s(compute.cpuMs), ""]);
    lines.push(["  process", "", s(compute.processCpuMs), mb(compute.maxRssBytes)]);
    if (scale === 1) {
      lines.push(["  goal", "", `≤ ${s(GOAL.cpuMs)}`, `< ${mb(GOAL.maxRssBytes)}`]);
      lines.push(["  predecessor", "", s(PREDECESSOR.cpuMs), mb(PREDECESSOR.maxRssBytes)]);
    }
    parts.push(table(lines));
    if (scale === 1) {
      const times = (PREDECESSOR.cpuMs / compute.processCpuMs).toFixed(1);
      const isReached =
        compute.processCpuMs <= GOAL.cpuMs && compute.maxRssBytes < GOAL.maxRssBytes;
      parts.push(
        `  ${times} times less CPU than the predecessor: ${isReached ? "reached" : "NOT reached"}`,
      );
    }
    parts.push(`  ${countsOf(compute)}`);
  }
  if (peer !== null) {
    const lines = [["csv-parse, parsing only", "wall", "CPU", "peak memory"], ...stageLines(peer)];
    lines.push(["  process", s(peer.wallMs), s(peer.processCpuMs), mb(peer.maxRssBytes)]);
    parts.push(table(lines));
  }
  for (const run of whole) {
    parts.push(
      table([
        [run.run, "wall", "CPU", "peak memory"],
        ["  process", s(run.wallMs), s(run.cpuMs), mb(run.maxRssBytes)],
      ]),
      `  ${run.requests} requests, ${run.downloads} of them downloads`,
      table([
        ["  step", "ran", "hits", "sum of times"],
        ...run.steps.map((step) => [`  ${step.step}`, `${step.ran}`, `${step.hits}`, s(step.ms)]),
      ]),
    );
  }
  const [first, second] = whole;
  if (first !== undefined && second !== undefined) {
    const percent = ((100 * second.wallMs) / first.wallMs).toFixed(1);
    parts.push(`  the second run took ${percent} % of the first one's time; goal: under 10 %`);
  }
  return parts.join("\n");
}

/** Renders how times and memory grow from the smaller world to the larger. */
export function renderGrowth(small: ScaleResult, large: ScaleResult): string {
  const data = large.manifestBytes / small.manifestBytes;
  const limit = (LINEAR * data) / 10;
  const lines = [[`growth, data ×${data.toFixed(1)}`, "CPU", "peak memory", "verdict"]];
  const add = (name: string, a: Numbers | undefined, b: Numbers | undefined): void => {
    if (a === undefined || b === undefined) return;
    const cpu = b.cpuMs / a.cpuMs;
    const memory =
      a.maxRssBytes === undefined || b.maxRssBytes === undefined
        ? ""
        : `×${(b.maxRssBytes / a.maxRssBytes).toFixed(1)}`;
    lines.push([`  ${name}`, `×${cpu.toFixed(1)}`, memory, cpu <= limit ? "linear" : "NOT linear"]);
  };
  for (const { stage, ...times } of small.compute?.stages ?? []) {
    add(
      stage,
      times,
      large.compute?.stages.find((other) => other.stage === stage),
    );
  }
  add("all stages", small.compute ?? undefined, large.compute ?? undefined);
  for (const [i, run] of small.whole.entries()) add(run.run, run, large.whole[i]);
  return table(lines);
}

interface Numbers {
  readonly cpuMs: number;
  readonly maxRssBytes?: number;
}

function stageLines(measurement: Measurement): string[][] {
  return measurement.stages.map(({ stage, wallMs, cpuMs }) => [
    `  ${stage}`,
    s(wallMs),
    s(cpuMs),
    "",
  ]);
}

function countsOf({ counts }: Measurement): string {
  return Object.entries(counts)
    .map(([name, count]) => `${count.toLocaleString("en")} ${name}`)
    .join(", ");
}

function s(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** Aligns columns: the first to the left, the others to the right. */
function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0), column === 0 ? 30 : 9),
  );
  return lines
    .map((line) =>
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
