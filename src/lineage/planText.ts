// A plan as people read it: what would run and why, what waits for that, and what is known already.

import { count, duration, listFew, number } from "../format.ts";
import { callInScope } from "./callName.ts";
import type { Planned, PlannedCall } from "./planned.ts";
import { reasonText } from "./reasons.ts";

/** Steps of more calls with the same reason are told of in one line. */
const MOST_LINES_OF_A_STEP = 5;
/** A plan of more calls that are no hits is told of by step. */
const MOST_LINES = 60;

/** How many calls there are of each kind, and what they would take. */
export interface PlanTally {
  readonly calls: number;
  readonly hit: number;
  readonly run: number;
  readonly unknown: number;
  readonly failed: number;
  /** Milliseconds of work, as far as the last time tells: to be done, perhaps to be done, saved. */
  readonly toDoMs: number;
  readonly perhapsMs: number;
  readonly savedMs: number;
}

export function tallyOf({ calls }: Planned): PlanTally {
  const ofState = (state: PlannedCall["state"]): readonly PlannedCall[] =>
    calls.filter((call) => call.state === state);
  const sum = (some: readonly PlannedCall[]): number =>
    some.reduce((total, { ms }) => total + (ms ?? 0), 0);
  const [hit, run, unknown] = [ofState("hit"), ofState("run"), ofState("unknown")];
  return {
    ...{ calls: calls.length, hit: hit.length, run: run.length, unknown: unknown.length },
    ...{ failed: ofState("failed").length, toDoMs: sum(run) },
    ...{ perhapsMs: sum(unknown), savedMs: sum(hit) },
  };
}

/** Writes a plan. @param isWhole lists hits and every call, too. @param tookMs what planning took. */
export function planText(planned: Planned, isWhole: boolean, tookMs: number): readonly string[] {
  const tally = tallyOf(planned);
  const { pipeline, calls, unread, failedScopes, against } = planned;
  const head = `${pipeline}   ${count(tally.calls, "step")}: ${headText(tally)}`;
  const lines = [`${head}   ${duration(tookMs)}`];
  const shown = isWhole ? calls : calls.filter(({ state }) => state !== "hit");
  const rows = isWhole ? shown.map((call) => rowOf(call)) : shortened(shown);
  const width = Math.min(40, Math.max(0, ...rows.map(({ name }) => name.length)));
  for (const { word, name, says } of rows) {
    lines.push(`  ${word.padEnd(5)} ${name.padEnd(width)}   ${says}`.trimEnd());
  }
  for (const [scope, error] of Object.entries(failedScopes)) {
    lines.push(`  fails ${scope}: ${error}`);
  }
  if (unread.length > 0) {
    lines.push(
      `What comes behind is not known: the plan reads what ${listFew(unread)} would give.`,
    );
  }
  if (tally.run + tally.unknown + tally.failed > 0) lines.push(workText(tally));
  if (against === null) lines.push("There is no run that ended well to compare with.");
  return lines;
}

function headText({ hit, run, unknown, failed }: PlanTally): string {
  const parts = [
    run > 0 ? `${number(run)} would run` : null,
    hit > 0 ? `${number(hit)} ${hit === 1 ? "is a hit" : "are hits"}` : null,
    unknown > 0 ? `${number(unknown)} ${unknown === 1 ? "depends" : "depend"} on what runs` : null,
    failed > 0 ? `${number(failed)} cannot be asked for` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? "nothing to do" : parts.join(", ");
}

function workText({ toDoMs, perhapsMs, savedMs, run, hit }: PlanTally): string {
  const saved = hit > 0 && savedMs > 0 ? `; the hits save ${duration(savedMs)}` : "";
  const perhaps = perhapsMs > 0 ? `, and perhaps ${duration(perhapsMs)} more` : "";
  if (toDoMs > 0) return `About ${duration(toDoMs)} of work to do${perhaps}${saved}.`;
  // What would run has never run: what else may have to be done is the smaller part of it.
  const all =
    run === 0 && perhapsMs > 0
      ? `Perhaps ${duration(perhapsMs)} of work to do`
      : "Nobody knows how long the work takes";
  return `${all}${saved}.`;
}

interface Row {
  readonly word: string;
  readonly name: string;
  readonly says: string;
}

const WORDS = { hit: "hit", run: "run", unknown: "?", failed: "fails" } as const;

function rowOf(call: PlannedCall): Row {
  return { word: WORDS[call.state], name: callInScope(call), says: saysOf(call) };
}

function saysOf({ state, reasons, because, waitsFor, ms }: PlannedCall): string {
  if (state === "hit") return ms === null ? "" : `saves ${duration(ms)}`;
  if (state !== "unknown") return because ?? reasonText(reasons);
  if (waitsFor.length === 0) return because ?? "";
  const cost = ms === null ? "" : `about ${duration(ms)}`;
  const reads = `reads ${listFew(waitsFor)}`;
  if (because === null) return cost === "" ? reads : `${reads}: ${cost}`;
  return `${reads}: ${because}${cost === "" ? "" : `, else ${cost}`}`;
}

/** Calls of a step that have the same reason are one line where they are many; steps are, where all together are too many. */
function shortened(calls: readonly PlannedCall[]): readonly Row[] {
  const isLong = calls.length > MOST_LINES;
  const groups = Map.groupBy(calls, (call) => {
    const { state, step, reasons, because } = call;
    const fields = isLong
      ? [...new Set(reasons.map(({ field }) => field.replace(/\[.*/, "")))]
      : reasonText(reasons);
    return JSON.stringify([
      state,
      step,
      because,
      fields,
      state === "unknown" && !isLong ? saysOf(call) : "",
    ]);
  });
  return [...groups.values()].flatMap((group): readonly Row[] => {
    const [first] = group;
    if (first === undefined || group.length <= (isLong ? 1 : MOST_LINES_OF_A_STEP)) {
      return group.map(rowOf);
    }
    const { word, says } = rowOf(first);
    const name = `${first.step} × ${number(group.length)}`;
    return [{ word, name, says: isLong ? `e.g. ${callInScope(first)}: ${says}` : says }];
  });
}
