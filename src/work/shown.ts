// What is shown of work while it goes on: a live view on a terminal, lines of the log elsewhere.

import type { ProgressEvent } from "../engine/progress.ts";
import type { Log } from "../log.ts";
import type { ProgressView } from "../progress/view.ts";
import type { Config, LogConfig } from "../settings/config.ts";
import type { Shell } from "../shell.ts";

/** Raises the log's level to "info" where it is quieter: alarms read the line that says how a run ended. */
export function withEnds<T extends LogConfig>(config: T): T {
  return { ...config, log: { ...config.log, level: "info" } };
}

/** Shows progress while `act` runs: a live view on a terminal, lines of the log elsewhere. `endLog` is never too quiet for an end. */
export async function withProgress(
  shell: Shell,
  config: Config,
  title: string,
  act: (
    log: Log,
    onProgress: (event: ProgressEvent) => void,
    endLog: Log,
    restart: ProgressView["restart"],
  ) => Promise<number>,
): Promise<number> {
  const { openProgressView } = await import("../progress/view.ts");
  const isLive = shell.isTerminal && shell.logFormat(config) === "auto";
  let view: ProgressView | null = null;
  const write = (line: string): void => {
    if (view === null) process.stderr.write(`${line}\n`);
    else view.writeLine(line);
  };
  const log = shell.log(config, write);
  view = openProgressView({ isLive, log, stream: process.stderr, title, secrets: config.secrets });
  try {
    const { take, restart } = view;
    return await act(log, take, shell.log(withEnds(config), write), restart);
  } finally {
    view.close();
  }
}
