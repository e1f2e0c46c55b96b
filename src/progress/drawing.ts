// A run's progress as lines of text: a picture for a terminal, sentences for a log. Pure: nothing is written here.

import type { ProgressEvent } from "../engine/progress.ts";
import {
  bytes,
  bytesOf,
  count,
  duration,
  listFew,
  oneLine,
  percent,
  printable,
} from "../format.ts";
import type { LogFields } from "../log.ts";
import { calledOf, isMadeName, UUID } from "../scopeName.ts";
import {
  countSteps,
  overallFraction,
  type ProgressState,
  type RunningStep,
  type ScopeProgress,
  timeLeftMs,
} from "./state.ts";

/** How parts of a line are told apart; each function may add colour but no width. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly dim: (text: string) => string;
}

const same = (text: string): string => text;

/** Leaves everything as it is: for terminals without colour, and for NO_COLOR. */
export const UNPAINTED: Paint = { good: same, bad: same, dim: same };

/** How a run is drawn. Sizes are characters. */
export interface DrawingOptions {
  /** Height of the terminal; scopes that do not fit are summed up. */
  readonly rows?: number;
  readonly paint?: Paint;
}

/** Draws the state as lines of at most `columns` characters. */
export function drawProgress(
  state: ProgressState,
  columns: number,
  nowMs: number,
  { rows = 24, paint = UNPAINTED }: DrawingOptions = {},
): string[] {
  const { shown, hidden } = chooseScopes(state.scopes, Math.max(1, rows - 6));
  const names = [...shown.map((scope) => labelOf(scope, state.scopes)), "publish"];
  const layout: Layout = {
    columns,
    nameWidth: Math.min(Math.max(...names.map((name) => name.length)), Math.floor(columns / 3)),
    // A bar of a third of the line; none where that would be too short to tell anything.
    barWidth: columns < 45 ? 0 : Math.min(24, Math.floor(columns / 4)),
    paint,
  };
  return [
    drawTitle(state, nowMs, layout),
    ...shown.map((scope, at) => drawScope({ ...scope, name: names[at] ?? "" }, layout)),
    ...(hidden === 0 ? [] : [drawText(`and ${hidden} more done`, layout)]),
    ...drawWhole(state, layout),
    drawText(sumUp(state), layout),
  ];
}

/** What a scope is called on the screen: its title, where its name tells people less. */
function labelOf(scope: ScopeProgress, scopes: readonly ScopeProgress[]): string {
  const { name, title } = scope;
  if (!isMadeName(scope)) return name;
  const isAlone = scopes.filter((one) => one.title === title).length === 1;
  return isAlone ? title : `${UUID.exec(name)?.[1] ?? name.slice(0, 8)}: ${title}`;
}

interface Layout {
  readonly columns: number;
  readonly nameWidth: number;
  readonly barWidth: number;
  readonly paint: Paint;
}

/** Chooses what is shown where there are more scopes than lines: those that are done go first. */
function chooseScopes(
  scopes: readonly ScopeProgress[],
  most: number,
): { readonly shown: readonly ScopeProgress[]; readonly hidden: number } {
  if (scopes.length <= most) return { shown: scopes, hidden: 0 };
  const open = scopes.filter(({ status }) => status !== "done");
  const done = scopes.filter(({ status }) => status === "done");
  const room = Math.max(0, most - open.length);
  const kept = new Set([...open.slice(0, most), ...done.slice(done.length - room)]);
  return { shown: scopes.filter((scope) => kept.has(scope)), hidden: scopes.length - kept.size };
}

function drawTitle(state: ProgressState, nowMs: number, layout: Layout): string {
  const { title, ended } = state;
  const { columns, paint } = layout;
  if (ended !== null) {
    const outcome = ended.status === "handedBack" ? "handed back" : ended.status;
    const text = fit(`${title} ${outcome} in ${duration(ended.durationMs)}`, columns);
    return ended.status === "succeeded" ? paint.good(text) : paint.bad(text);
  }
  const elapsed = stopwatch(nowMs - state.openedAtMs);
  const left = timeLeftMs(state, nowMs);
  const time = left === null ? elapsed : `${elapsed}, about ${stopwatch(left)} left`;
  const fraction = overallFraction(state);
  const percent = `${Math.floor(fraction * 100)}%`;
  const bar = layout.barWidth === 0 ? "" : `${drawBar(fraction, layout.barWidth)} `;
  return fit(`${title}  ${bar}${percent}  ${time}`, columns);
}

function drawScope(scope: ScopeProgress, layout: Layout): string {
  const { paint } = layout;
  if (scope.status === "failed") {
    return drawRow("✗", scope.name, null, `failed: ${scope.error ?? "unknown"}`, layout, paint.bad);
  }
  const steps = `${count(scope.hits, "hit")}, ${scope.ran} ran`;
  if (scope.status === "done") {
    const text = `${steps} in ${duration(scope.durationMs ?? 0)}`;
    return drawRow("✓", scope.name, scope.fraction, text, layout, paint.dim);
  }
  const text = nowDoing(scope) ?? (scope.hits + scope.ran === 0 ? "waits for its turn" : steps);
  return drawRow(" ", scope.name, scope.fraction, text, layout, same);
}

/** Draws what belongs to no scope: steps, publishing, waiting. */
function drawWhole(state: ProgressState, layout: Layout): readonly string[] {
  if (state.ended !== null) return [];
  const lines: string[] = [];
  const doing = nowDoing(state.whole);
  if (doing !== null) lines.push(drawText(doing, layout));
  if (state.waiting !== null) {
    const what = state.waiting.for === "run" ? "the same run" : "another run's publishing";
    lines.push(drawText(`waiting for ${what} on ${state.waiting.worker}`, layout));
  }
  if (state.publishing !== null) {
    const { done, total } = state.publishing;
    const fraction = total === 0 ? 1 : done / total;
    const text = `${done} of ${count(total, "file")}`;
    lines.push(drawRow(" ", "publish", fraction, text, layout, same));
  }
  return lines;
}

function nowDoing({ running }: ScopeProgress): string | null {
  const newest = running.at(-1);
  if (newest === undefined) return null;
  const { step, how } = newest;
  return `${how.doing ?? step}${howFar(newest)}${running.length === 1 ? "" : `, and ${running.length - 1} more`}`;
}

/** Says how far a step is, in one unit: "3.5 of 7.0 MB", "45%", or in things of its own. */
function howFar({ done, total, how: { unit } }: RunningStep): string {
  if (total === null) return done === 0 ? "" : ` ${unit === "bytes" ? bytes(done) : done}`;
  if (unit === "bytes") return ` ${bytesOf(done, total)}`;
  return unit === "share" ? ` ${percent(total === 0 ? 1 : done / total)}` : ` ${done}/${total}`;
}

function sumUp(state: ProgressState): string {
  const { hits, ran, failed } = countSteps(state);
  const retries = state.retries === 0 ? "" : ` · ${count(state.retries, "retry", "retries")}`;
  const last = state.lastRetry === null ? "" : ` (${state.lastRetry})`;
  return `${count(hits, "hit")} · ${ran} ran · ${failed} failed${retries}${last}`;
}

function drawRow(
  mark: string,
  name: string,
  fraction: number | null,
  text: string,
  layout: Layout,
  color: (text: string) => string,
): string {
  const { columns, nameWidth, barWidth } = layout;
  const progress =
    fraction === null
      ? ""
      : barWidth === 0
        ? `${`${Math.floor(fraction * 100)}`.padStart(3)}%  `
        : `${drawBar(fraction, barWidth)}  `;
  const label = fit(name, nameWidth).padEnd(nameWidth);
  return color(fit(`${mark} ${label}  ${progress}${text}`, columns));
}

function drawText(text: string, layout: Layout): string {
  return layout.paint.dim(fit(`  ${text}`, layout.columns));
}

/** A bar that can be read without colour. */
function drawBar(fraction: number, width: number): string {
  const full = Math.floor(Math.min(1, Math.max(0, fraction)) * width);
  return "█".repeat(full) + "░".repeat(width - full);
}

/** Shortens a text to a width, by whole characters; control characters, which could move the cursor, become spaces. */
function fit(text: string, width: number): string {
  const characters = [...printable(text.replace(/\p{Cc}+/gu, " "))];
  if (characters.length <= width) return characters.join("");
  return width < 1 ? "" : `${characters.slice(0, width - 1).join("")}…`;
}

/** Writes a time as a stopwatch shows it, e.g. 0:07 or 1:02:03: its width hardly changes while it runs. */
function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (value: number): string => `${value}`.padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const head = hours === 0 ? `${minutes}` : `${hours}:${two(minutes)}`;
  return `${head}:${two(seconds % 60)}`;
}

/** A line for the log. */
export interface ProgressLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
}

/** Says what an event means in a sentence; null for what is not worth a line even at debug. */
export function describeEvent(state: ProgressState, event: ProgressEvent): ProgressLine | null {
  const { title } = state;
  switch (event.kind) {
    case "runStarted": {
      const { runId, pipeline, attempt, isReplay } = event;
      const verb = isReplay ? `goes on where attempt ${attempt - 1} stopped` : "started";
      const fields = { runId, pipeline, attempt };
      return { level: "info", message: `${title} ${verb} (run ${runId})`, fields };
    }
    case "waiting": {
      const { worker, since } = event;
      const what = {
        run: "the same run",
        site: "another run's publishing",
        step: "a step that another run does",
      }[event.for];
      const message = `${title} waits for ${what} on ${worker}, which holds it since ${since}`;
      return { level: "info", message, fields: { waitingFor: event.for, worker, since } };
    }
    case "scopeEnded": {
      const { scope, ok, error, durationMs } = event;
      const known = state.scopes.find(({ name }) => name === scope);
      const { hits, ran, failed } = known ?? { hits: 0, ran: 0, failed: 0 };
      // The name as well: it is what pages and other lines of the log have.
      const isMade = known !== undefined && isMadeName(known);
      const called = oneLine(isMade ? `${known.title} (${scope})` : scope);
      const fields = { scope, ok, hits, ran, failed, durationMs, ...(ok ? {} : { error }) };
      const time = duration(durationMs);
      return ok
        ? {
            level: "info",
            message: `${called} done in ${time}: ${count(hits, "hit")}, ${ran} ran`,
            fields,
          }
        : {
            level: "warn",
            message: `${called} failed after ${time}: ${error ?? "unknown"}`,
            fields,
          };
    }
    case "stepEnded": {
      const { scope, step, state: how, durationMs, error } = event;
      const where = scope === null ? step : `${oneLine(scope)} ${step}`;
      const message = `${where} → ${how} in ${duration(durationMs)}${error === null ? "" : `: ${error}`}`;
      return { level: "debug", message, fields: { scope, step, state: how, durationMs, error } };
    }
    case "published": {
      const { site, put, deleted, unchanged, gone = [], durationMs } = event;
      const counts = `${put} put, ${deleted} deleted, ${unchanged} unchanged`;
      const names = listFew(
        gone.map(({ scope: name, title: its }) => oneLine(calledOf({ name, title: its }))),
      );
      const taken = gone.length === 0 ? "" : `; taken off the site: ${names}`;
      const message = `${title} published to ${site} in ${duration(durationMs)}: ${counts}${taken}`;
      const fields = { site, put, deleted, unchanged, durationMs };
      return {
        level: gone.length === 0 ? "info" : "warn",
        message,
        fields: gone.length === 0 ? fields : { ...fields, gone: gone.length },
      };
    }
    case "retry": {
      const { subject, attempt, delayMs, reason } = event;
      const message = `${subject} failed at attempt ${attempt} → again in ${duration(delayMs)}: ${reason}`;
      return { level: "debug", message, fields: { subject, attempt, delayMs, reason } };
    }
    case "runEnded": {
      const { runId, status, hits, ran, failed, durationMs, error } = event;
      const outcome = status === "handedBack" ? "handed its run back" : status;
      const counts = `${count(hits, "hit")}, ${ran} ran, ${failed} failed`;
      const why = error === null ? "" : `: ${error}`;
      return {
        level: status === "succeeded" ? "info" : status === "failed" ? "error" : "warn",
        message: `${title} ${outcome} after ${duration(durationMs)} (${counts})${why}`,
        fields: {
          runId,
          status,
          hits,
          ran,
          failed,
          durationMs,
          ...(error === null ? {} : { error }),
        },
      };
    }
    case "scopeStarted":
    case "stepStarted":
    case "stepProgress":
    case "publishProgress":
      return null;
  }
}
