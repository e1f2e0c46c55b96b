// The thread in which HDF5 files are read, as it starts: it takes a while to load its library, so it may start before all else.

import { extname } from "node:path";
import { Worker } from "node:worker_threads";

const WORKER = new URL(`./hdf5Worker${extname(import.meta.filename)}`, import.meta.url);

/** Starts the thread that answers questions about a file. */
function startThread(worker: URL): Worker {
  // What the library prints would end up between our own lines; all of it is in its errors as well.
  return new Worker(worker, { stdout: true, stderr: true });
}

/** Starts it where the words of a command name a file that should be HDF5, before anything is known of it; else null. */
export function startHdf5ThreadEarly(words: readonly string[]): Worker | null {
  if (!words.some((word) => /\.(h5ad|h5|hdf5|loom)$/i.test(word))) return null;
  const thread = startThread(WORKER);
  // Whoever takes it sees that it has ended, and starts another one, which tells why.
  thread.on("error", () => {});
  // The program may end without needing it.
  thread.unref();
  return thread;
}

/** Takes a thread that was started early, unless it has ended since, or starts one. */
export function takeHdf5Thread(early: Worker | null, worker: URL = WORKER): Worker {
  const hasEnded = early === null || early.threadId === -1;
  const thread = hasEnded ? startThread(worker) : early;
  thread.ref();
  // Not before: who reads a thread's output waits for its end.
  thread.stdout.resume();
  thread.stderr.resume();
  return thread;
}
