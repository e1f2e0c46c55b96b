// Pipes for the output of commands. Node gives a child sockets, which a program cannot open by name (/dev/stdout), and two of them, between
// which the order of what it says is lost; a named pipe, without its name, is one pipe for both.

import { spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";

/** A pipe in use: one command writes, the launcher reads. */
export interface OutputPipe {
  /** What the command is given as its outputs. */
  readonly writeFd: number;
  readonly reader: Socket;
  /** Gives up our own writing end: the reader ends when the last program has ended. Safe to repeat. */
  closeWriter(): void;
  /** Gives the pipe back; where somebody may still hold its other end, it is not used again. */
  release(isEnded: boolean): void;
}

/** Made at a time: one program makes them all, for what one alone would take. */
const BATCH = 8;

/** Makes a supply of pipes. @param folder where their names are, for the moment that they have names. */
export function makePipes(folder: string): { readonly open: () => OutputPipe } {
  // What keeps a pipe without a name alive is that it is open; it is opened again by way of /proc.
  const free: number[] = [];
  const NONBLOCKING = constants.O_RDONLY | constants.O_NONBLOCK;

  function makeMore(): void {
    const dir = mkdtempSync(join(folder, "hdash-pipes-"));
    try {
      const names = Array.from({ length: BATCH }, (_, index) => join(dir, String(index)));
      const { error, status, stderr } = spawnSync("mkfifo", ["-m", "600", ...names], {
        encoding: "utf8",
      });
      if (error !== undefined) throw new Error("mkfifo cannot be run", { cause: error });
      if (status !== 0) throw new Error(`mkfifo makes no pipes in ${dir}: ${stderr.trim()}`);
      for (const name of names) free.push(openSync(name, NONBLOCKING));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }

  makeMore();
  return {
    open() {
      if (free.length === 0) makeMore();
      const base = free.pop();
      if (base === undefined) throw new Error("no pipe was made");
      const again = `/proc/self/fd/${base}`;
      const reader = new Socket({ fd: openSync(again, NONBLOCKING), writable: false });
      const writeFd = openSync(again, constants.O_WRONLY);
      let isOpen = true;
      const closeWriter = (): void => {
        if (isOpen) closeSync(writeFd);
        isOpen = false;
      };
      return {
        writeFd,
        reader,
        closeWriter,
        release(isEnded) {
          closeWriter();
          reader.destroy();
          if (isEnded) free.push(base);
          else closeSync(base);
        },
      };
    },
  };
}
