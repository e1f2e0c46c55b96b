// A file that is being read by a worker thread: questions and answers, and the end of it when the worker dies, hangs or is told to stop.

import type { Worker } from "node:worker_threads";

import { HdashError, messageOf } from "../../../error.ts";
import { pause } from "../../../retry.ts";
import { UnreadableMatrix } from "../problem.ts";
import { takeHdf5Thread } from "./hdf5Thread.ts";
import type { Answers, Question, Reply, Request } from "./protocol.ts";

/** Longer than any piece that is asked for takes, on a slow network disk as well. */
const HANG_MS = 120_000;
/** A check counts only if the thread that asks had turns to hear an answer: it may itself have been busy. */
const CHECKS = 12;

/** An answer, or why there is none. Promises of it never reject, so that questions may be asked ahead. */
export type Outcome<Op extends Request["op"]> =
  { readonly answer: Answers[Op] } | { readonly error: HdashError };

/** An open HDF5 file. After a question has failed, all others fail alike, until the session is renewed. */
export interface Hdf5Session {
  /** The file's name, for messages. */
  readonly name: string;
  ask<Op extends Request["op"]>(request: Request & { readonly op: Op }): Promise<Answers[Op]>;
  /** Asks ahead: the answer is awaited later, or never. */
  post<Op extends Request["op"]>(request: Request & { readonly op: Op }): Promise<Outcome<Op>>;
  /** Opens the file anew where a question failed for the data's sake; throws what else has ended the session. */
  renew(): Promise<void>;
  /** Ends the session at once, whatever the worker does; open questions fail with the error. */
  stop(error: HdashError): Promise<void>;
  close(): Promise<void>;
}

/** A thread that was started early, and what tests replace. */
export interface SessionParts {
  readonly early?: Worker | null;
  readonly worker?: URL;
  readonly hangMs?: number;
}

/** Opens an HDF5 file in a worker; `path` is absolute, `name` is what messages call the file. */
export async function openSession(
  path: string,
  name: string,
  signal: AbortSignal,
  { early = null, worker: url, hangMs = HANG_MS }: SessionParts = {},
): Promise<Hdf5Session> {
  if (signal.aborted) throw aborted(name, signal);
  let worker = takeHdf5Thread(early, url);
  const waiting = new Map<number, (outcome: Reply | HdashError) => void>();
  let ended = new AbortController();
  let failure: HdashError | null = null;
  let ending: Promise<void> | null = null;
  let asked = 0;
  let silentChecks = 0;

  function stop(error: HdashError): Promise<void> {
    // Whoever stops it a second time also wants it to have ended.
    ending ??= end(error);
    return ending;
  }
  async function end(error: HdashError): Promise<void> {
    failure = error;
    signal.removeEventListener("abort", onAbort);
    ended.abort();
    for (const settle of waiting.values()) settle(error);
    waiting.clear();
    await worker.terminate();
  }
  function onAbort(): void {
    void stop(aborted(name, signal));
  }
  /** Starts to listen to the worker, and to watch it. */
  function attend(): void {
    const current = worker;
    const stopCurrent = (error: HdashError): void => {
      // One that was replaced has nothing to say any more.
      if (current === worker) void stop(error);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    current.on("message", (reply: Reply) => {
      silentChecks = 0;
      const settle = waiting.get(reply.id);
      waiting.delete(reply.id);
      settle?.(reply);
    });
    current.on("error", (cause) => stopCurrent(died(name, messageOf(cause), cause)));
    current.on("exit", (code) => stopCurrent(died(name, `it ended with code ${code}`)));
    void watch(ended.signal);
  }
  async function renew(): Promise<void> {
    if (failure === null) return;
    if (!(failure instanceof UnreadableMatrix)) throw failure;
    await ending;
    if (signal.aborted) throw aborted(name, signal);
    worker = takeHdf5Thread(null, url);
    [failure, ending, ended, silentChecks] = [null, null, new AbortController(), 0];
    attend();
    await ask({ op: "open", file: path });
  }

  async function watch(until: AbortSignal): Promise<void> {
    while (!until.aborted) {
      try {
        await pause(hangMs / CHECKS, until);
      } catch (error) {
        if (until.aborted) return;
        throw error;
      }
      silentChecks = waiting.size === 0 ? 0 : silentChecks + 1;
      if (silentChecks < CHECKS) continue;
      await stop(
        new HdashError(
          "transient",
          `${name}: reading it was given up: no answer for ${Math.round(hangMs / 1000)} seconds`,
        ),
      );
    }
  }
  attend();

  async function post<Op extends Request["op"]>(
    request: Request & { readonly op: Op },
  ): Promise<Outcome<Op>> {
    if (failure !== null) return { error: failure };
    const question: Question = { id: asked++, request };
    const reply = await new Promise<Reply | HdashError>((resolve) => {
      waiting.set(question.id, resolve);
      worker.postMessage(question);
    });
    if (reply instanceof HdashError) return { error: reply };
    // The worker answers each kind of request with its kind of answer (protocol.ts).
    if ("answer" in reply) return { answer: reply.answer as Answers[Op] };
    const error = unreadable(name, request, reply);
    await stop(error);
    return { error };
  }
  async function ask<Op extends Request["op"]>(
    request: Request & { readonly op: Op },
  ): Promise<Answers[Op]> {
    return answerOf(await post<Op>(request));
  }

  const session: Hdf5Session = {
    name,
    ask,
    post,
    renew,
    stop,
    close: () => stop(new HdashError("permanent", `${name}: it was closed`)),
  };
  await ask({ op: "open", file: path });
  return session;
}

/** Does what may fail for the data's sake, and gives the reason then; the session can be asked further. */
export async function attempt<T>(
  session: Hdf5Session,
  work: () => Promise<T>,
): Promise<T | UnreadableMatrix> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UnreadableMatrix)) throw error;
    await session.renew();
    return error;
  }
}

/** Gives an outcome's answer, or throws its error. */
export function answerOf<Op extends Request["op"]>(outcome: Outcome<Op>): Answers[Op] {
  if ("error" in outcome) throw outcome.error;
  return outcome.answer;
}

function unreadable(
  name: string,
  request: Request,
  { problem, kind }: Extract<Reply, { readonly problem: string }>,
): UnreadableMatrix {
  const cause = new Error(problem);
  const what = "path" in request && request.path !== "/" ? ` ${request.path.slice(1)}` : "";
  if (kind === "elsewhere") {
    return new UnreadableMatrix(
      "M_FORMAT",
      `${name}:${what || " it"} refers to another file; only files that hold all their data can be read`,
      { cause },
    );
  }
  if (request.op === "open") {
    return new UnreadableMatrix("M_CORRUPT", `${name}: the HDF5 file is cut off or damaged`, {
      cause,
    });
  }
  const where =
    request.op === "read"
      ? ` from ${request.box.start.join(", ")} on`
      : request.op === "texts"
        ? ` from ${request.start} on`
        : "";
  return new UnreadableMatrix(
    "M_CORRUPT",
    `${name}:${what || " the file"} cannot be read${where}: ${kind === "unfit" ? problem : "the file is cut off or damaged"}`,
    { cause },
  );
}

function died(name: string, why: string, cause?: unknown): HdashError {
  return new HdashError(
    "permanent",
    `${name}: the worker that reads it died: ${why}`,
    cause === undefined ? {} : { cause },
  );
}

function aborted(name: string, signal: AbortSignal): HdashError {
  return new HdashError("aborted", `${name}: reading was stopped`, { cause: signal.reason });
}
