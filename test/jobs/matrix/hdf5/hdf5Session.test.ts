import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { type Hdf5Session, openSession } from "../../../../src/jobs/matrix/hdf5/hdf5Session.ts";
import { openHdf5 } from "../../../../src/jobs/matrix/hdf5/openHdf5.ts";
import { refusal } from "../../../support/refusal.ts";
import { FIXTURES } from "../support/matrixFiles.ts";
import { makeScratch, readAll } from "./hdf5Files.ts";

const FILE = join(FIXTURES, "csr.h5ad");

/** A worker that answers "open", and then does what `script` says. */
function workerOf(script: string): URL {
  const code = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ id, request }) => {
      if (request.op === "open") parentPort.postMessage({ id, answer: null });
      else { ${script} }
    });`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

async function openWith(
  script: string,
  hangMs: number,
  signal = new AbortController().signal,
): Promise<Hdf5Session> {
  return openSession(FILE, "m.h5ad", signal, { worker: workerOf(script), hangMs });
}

describe("openSession(path, name, signal, parts?)", () => {
  test("fails what is asked and all that follows when the worker dies", async () => {
    const session = await openWith("process.exit(3);", 60_000);
    const first = await refusal(session.ask({ op: "list", path: "/" }));
    expect(first.message).toBe("m.h5ad: the worker that reads it died: it ended with code 3");
    expect(first.kind).toBe("permanent");
    expect(await refusal(session.ask({ op: "list", path: "/" }))).toBe(first);
    await session.close();
  });

  test("has ended once a second stop returns", async () => {
    const session = await openWith("for (;;) {}", 60_000);
    void session.ask({ op: "list", path: "/" }).catch(() => null);
    const order: string[] = [];
    const first = session.close().then(() => order.push("first"));
    await session.close().then(() => order.push("second"));
    await first;
    expect(order).toEqual(["first", "second"]);
  });

  test("fails when the worker throws", async () => {
    const session = await openWith("throw new Error('out of memory');", 60_000);
    const error = await refusal(session.ask({ op: "list", path: "/" }));
    expect(error.message).toBe("m.h5ad: the worker that reads it died: out of memory");
    expect(error.cause).toMatchObject({ message: "out of memory" });
  });

  test("gives up a worker that does not answer, even in an endless loop", async () => {
    // On a slow machine the worker may not even have answered that it is open.
    const asked = openWith("for (;;) {}", 120).then((session) =>
      session.ask({ op: "list", path: "/" }),
    );
    const error = await refusal(asked);
    expect(error.message).toBe("m.h5ad: reading it was given up: no answer for 0 seconds");
    expect(error.kind).toBe("transient");
  });

  test("stops at once when the signal aborts, even in an endless loop", async () => {
    const stop = new AbortController();
    const session = await openWith("for (;;) {}", 60_000, stop.signal);
    const asked = session.ask({ op: "list", path: "/" });
    stop.abort(new Error("enough"));
    const error = await refusal(asked);
    expect(error.kind).toBe("aborted");
    expect(error.cause).toBe(stop.signal.reason);
  });

  test("does not start for a signal that has aborted", async () => {
    const opened = openSession(FILE, "m.h5ad", AbortSignal.abort());
    expect((await refusal(opened)).kind).toBe("aborted");
  });

  test("fails what is asked after it was closed, and may be closed twice", async () => {
    const session = await openSession(FILE, "m.h5ad", new AbortController().signal);
    await session.close();
    await session.close();
    const error = await refusal(session.ask({ op: "list", path: "/" }));
    expect(error.message).toBe("m.h5ad: it was closed");
  });
});

describe("openSession(…).renew()", () => {
  const BAD = `if (request.path === "/bad") parentPort.postMessage({ id, problem: "it is broken", kind: "failed" });
    else if (request.path === "/hang") for (;;) {}
    else parentPort.postMessage({ id, answer: [] });`;
  const list = (session: Hdf5Session, path: string) => session.ask({ op: "list", path });

  test("answers again after a question that failed for the data's sake, as often as need be", async () => {
    const session = await openWith(BAD, 60_000);
    for (let times = 0; times < 2; times++) {
      const failed = await refusal(list(session, "/bad"));
      expect(failed.message).toBe("m.h5ad: bad cannot be read: the file is cut off or damaged");
      expect(await refusal(list(session, "/good"))).toBe(failed);
      await session.renew();
      expect(await list(session, "/good")).toEqual([]);
    }
    await session.close();
    expect((await refusal(list(session, "/good"))).message).toBe("m.h5ad: it was closed");
  });

  test("does nothing to a session that answers", async () => {
    const session = await openWith(`parentPort.postMessage({ id, answer: [] });`, 60_000);
    await session.renew();
    expect(await list(session, "/")).toEqual([]);
    await session.close();
  });

  test("throws what else has ended the session", async () => {
    const session = await openWith("process.exit(3);", 60_000);
    const died = await refusal(list(session, "/"));
    expect(await refusal(session.renew())).toBe(died);
    const closed = await openWith(BAD, 60_000);
    await closed.close();
    expect((await refusal(closed.renew())).message).toBe("m.h5ad: it was closed");
  });

  test("does not start again for a signal that has aborted, and stops afterwards for one that aborts", async () => {
    const early = new AbortController();
    const ended = await openWith(BAD, 60_000, early.signal);
    await refusal(list(ended, "/bad"));
    early.abort();
    expect((await refusal(ended.renew())).kind).toBe("aborted");
    const late = new AbortController();
    const session = await openWith(BAD, 60_000, late.signal);
    await refusal(list(session, "/bad"));
    await session.renew();
    const asked = list(session, "/hang");
    late.abort();
    expect((await refusal(asked)).kind).toBe("aborted");
  });

  test("still gives up a worker that does not answer", async () => {
    const session = await openWith(BAD, 3_000);
    await refusal(list(session, "/bad"));
    await session.renew();
    expect((await refusal(list(session, "/hang"))).kind).toBe("transient");
  });
});

describe("openHdf5(path, name, options): stopping", () => {
  test.each(["csr.h5ad", "csc.h5ad", "cells.loom"])(
    "stops a pass over %s when its signal aborts",
    async (file) => {
      await using scratch = await makeScratch();
      const { signal } = new AbortController();
      const options = { scratchDir: scratch.dir, signal, approaches: [] };
      const reader = await openHdf5(join(FIXTURES, file), "m", options);
      const stop = new AbortController();
      stop.abort();
      expect((await refusal(readAll(reader, stop.signal))).kind).toBe("aborted");
      const later = new AbortController();
      const pass = reader.pass(() => undefined, { signal: later.signal });
      later.abort();
      expect((await refusal(pass)).kind).toBe("aborted");
      await reader.close();
    },
  );

  test("passes on what the receiver of blocks throws, and can be read again", async () => {
    await using scratch = await makeScratch();
    const { signal } = new AbortController();
    const options = { scratchDir: scratch.dir, signal, approaches: [] };
    const reader = await openHdf5(join(FIXTURES, "csr.h5ad"), "m", options);
    const mine = new Error("mine");
    const pass = reader.pass(() => Promise.reject(mine), { signal });
    await expect(pass).rejects.toBe(mine);
    expect((await readAll(reader)).summary.entries).toBe(44_430);
    await reader.close();
  });
});
