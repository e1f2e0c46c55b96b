// Shows a run while it goes on: a picture that is drawn over itself on a terminal, lines of the log elsewhere.

import type { ProgressEvent } from "../engine/progress.ts";
import { type Log, makeRedaction } from "../log.ts";
import { describeEvent, drawProgress, type Paint, UNPAINTED } from "./drawing.ts";
import { emptyProgress, type ProgressState, reduceProgress } from "./state.ts";

/** Where the picture goes: process.stderr, or what a test makes. Sizes are undefined where the stream is no terminal. */
export interface ProgressStream {
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  write(text: string): unknown;
  /** A terminal's answer to whether colour is wanted; it heeds NO_COLOR. */
  hasColors?(count: number): boolean;
}

/** How a view is opened. */
export interface ProgressViewOptions {
  /** True: draw; false: write lines to `log`. */
  readonly isLive: boolean;
  readonly log: Log;
  readonly stream: ProgressStream;
  /** What people call the pipeline. */
  readonly title: string;
  /** Values that are drawn as [secret]; lines of the log are redacted by the log. */
  readonly secrets?: readonly string[];
  /** Milliseconds; for tests. */
  readonly clock?: () => number;
}

/** A view of one run. */
export interface ProgressView {
  take(event: ProgressEvent): void;
  /** Begins a picture of its own for what comes, with a clock of its own; lines of a log have neither. */
  restart(title: string): void;
  /** Writes a line of the log without tearing the picture. */
  writeLine(line: string): void;
  /** Draws a last time and leaves the picture where it is. Safe to call again. */
  close(): void;
}

/** How often the picture is drawn at most, in milliseconds: ten times a second is as smooth as reading needs. */
const REDRAW_MS = 100;

/** Opens a view. A live one keeps the process alive no longer than its run. */
export function openProgressView(options: ProgressViewOptions): ProgressView {
  return options.isLive ? openPicture(options) : openLines(options);
}

function openLines({ log, stream, title }: ProgressViewOptions): ProgressView {
  let state = emptyProgress(title, 0);
  return {
    take(event) {
      state = reduceProgress(state, event);
      const line = describeEvent(state, event);
      if (line !== null) log[line.level](line.message, line.fields);
    },
    restart() {},
    writeLine: (line) => void stream.write(`${line}\n`),
    close() {},
  };
}

function openPicture(options: ProgressViewOptions): ProgressView {
  const { stream, title, clock = Date.now } = options;
  const redact = makeRedaction(options.secrets ?? []);
  const paint = stream.hasColors?.(16) === true ? COLOURS : UNPAINTED;
  let state: ProgressState = emptyProgress(title, clock());
  let drawn: readonly string[] = [];
  let isOpen = true;

  // The cursor stays visible below the picture: then nothing has to be restored, not even after kill -9.
  const draw = (above = ""): void => {
    const columns = Math.max(10, (stream.columns ?? 80) - 1);
    const lines = drawProgress(state, columns, clock(), { rows: stream.rows ?? 24, paint });
    const isSame = lines.length === drawn.length && lines.every((line, at) => line === drawn[at]);
    if (isSame && above === "") return;
    const up = drawn.length === 0 ? "" : `\u001b[${drawn.length}F`;
    // One write, so that nobody sees half a picture.
    stream.write(`${up}\u001b[J${above}${lines.join("\n")}\n`);
    drawn = lines;
  };

  const timer = setInterval(draw, REDRAW_MS, "");
  timer.unref();
  return {
    take(event) {
      if (isOpen) state = reduceProgress(state, redactEvent(event, redact));
    },
    restart(next) {
      if (isOpen) state = emptyProgress(next, clock());
    },
    writeLine(line) {
      if (isOpen) draw(`${line}\n`);
      else stream.write(`${line}\n`);
    },
    close() {
      if (!isOpen) return;
      clearInterval(timer);
      draw();
      isOpen = false;
    },
  };
}

/** Redacts the texts that come from errors: the only ones that could repeat a secret. */
function redactEvent(event: ProgressEvent, redact: (text: string) => string): ProgressEvent {
  if (event.kind === "retry") {
    return { ...event, subject: redact(event.subject), reason: redact(event.reason) };
  }
  return "error" in event && event.error !== null
    ? { ...event, error: redact(event.error) }
    : event;
}

const painted = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
const COLOURS: Paint = { good: painted(32), bad: painted(31), dim: painted(2) };
