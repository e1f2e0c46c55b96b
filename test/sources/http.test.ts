import { createServer } from "node:net";

import { describe, expect, test } from "vitest";

import { HttpError } from "../../src/sources/http.ts";
import { all, failureOf, openOwn, serve } from "./rig.ts";

describe("json(request)", () => {
  test("sends JSON with our name and reads JSON", async () => {
    const url = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (body: string) => {
        const { method, headers } = request;
        const [agent, type] = [headers["user-agent"], headers["content-type"]];
        response
          .writeHead(201)
          .end(JSON.stringify({ method, agent, type, extra: headers["x-extra"], body }));
      });
    });
    const request = {
      subject: "it",
      method: "POST",
      url,
      json: { a: 1 },
      headers: { "x-extra": "yes" },
    } as const;
    expect(await openOwn().json(request)).toEqual({
      status: 201,
      value: {
        method: "POST",
        agent: "hdash",
        type: "application/json",
        extra: "yes",
        body: '{"a":1}',
      },
    });
  });

  test.each([
    [400, '{"reason":"bad\\n  query"}', "it: the server answered 400: bad query"],
    [404, '{"jobState":"FAILED","errorMessage":"gone"}', "it: the server answered 404: gone"],
    [
      403,
      "<Error><Code>AccessDenied</Code><Message>Expired</Message></Error>",
      "it: the server answered 403: AccessDenied: Expired",
    ],
    [
      400,
      '{"Code":"BadRequestError","Message":"no such catalog"}',
      "it: the server answered 400: no such catalog",
    ],
    [404, '{"detail":"not found"}', "it: the server answered 404: not found"],
    [409, "<html>busy</html>", "it: the server answered 409"],
    [418, "[]", "it: the server answered 418"],
    [422, "null", "it: the server answered 422"],
    [302, "", "it: the server answered 302"],
  ])("takes %i for permanent and says the reason", async (status, body, message) => {
    const url = await serve((_request, response) => response.writeHead(status).end(body));
    const result = openOwn().json({ subject: "it", url });
    expect(await failureOf(result)).toEqual({ kind: "permanent", message, hint: null });
  });

  test.each([429, 500, 502, 503, 504])("takes %i for passing trouble", async (status) => {
    const url = await serve((_request, response) => response.writeHead(status).end());
    const error: unknown = await openOwn()
      .json({ subject: "it", url })
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ kind: "transient", status, retryAfterMs: null });
  });

  test.each([
    ["2", 2_000],
    ["Sat, 21 Nov 2026 12:00:05 GMT", 5_000],
    ["Sat, 21 Nov 2026 11:00:00 GMT", 0],
    ["soon", null],
  ])("reads Retry-After: %s as %s milliseconds", async (value, retryAfterMs) => {
    const headers = { "retry-after": value, date: "Sat, 21 Nov 2026 12:00:00 GMT" };
    const url = await serve((_request, response) => response.writeHead(429, headers).end());
    const result = openOwn().json({ subject: "it", url });
    await expect(result).rejects.toMatchObject({ kind: "transient", retryAfterMs });
  });

  test("does not wait for a server that asks for more than a run's patience", async () => {
    const url = await serve((_request, response) =>
      response.writeHead(503, { "retry-after": "7200" }).end(),
    );
    expect(await failureOf(openOwn().json({ subject: "it", url }))).toEqual({
      kind: "permanent",
      message: "it: the server answered 503 (it asks to wait 120 minutes)",
      hint: null,
    });
  });

  test("keeps to the status where the error's own body breaks off", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(400, { "content-length": 100 });
      response.write('{"reason":', () => response.socket?.end());
    });
    const { kind, message } = await failureOf(openOwn().json({ subject: "it", url }));
    expect({ kind, message }).toEqual({
      kind: "permanent",
      message: "it: the server answered 400",
    });
  });

  test("refuses an answer that is not JSON without quoting it", async () => {
    const url = await serve((_request, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<p>HTA1_1 is ill</p>"),
    );
    expect(await failureOf(openOwn().json({ subject: "it", url }))).toEqual({
      kind: "permanent",
      message: "it: the answer is not JSON (text/html, 20 characters)",
      hint: null,
    });
  });

  test("refuses an answer without end", async () => {
    const url = await serve((_request, response) => {
      const piece = Buffer.alloc(1024 * 1024, " ");
      const more = (): void => void (response.destroyed || response.write(piece, more));
      more();
    });
    const { kind, message } = await failureOf(openOwn().json({ subject: "it", url }));
    expect({ kind, message }).toEqual({
      kind: "permanent",
      message: "it: the answer is over 64 MB long",
    });
  });

  test("takes a server that is not there for passing trouble", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await new Promise((resolve) => server.close(resolve));
    const result = openOwn().json({ subject: "it", url: `http://127.0.0.1:${port}` });
    const { kind, message } = await failureOf(result);
    expect(kind).toBe("transient");
    expect(message).toMatch(/^it: no connection or answer \(.*ECONNREFUSED/);
  });

  test("takes a connection that is reset for passing trouble", async () => {
    const url = await serve((request) => request.socket.resetAndDestroy());
    const { kind, message } = await failureOf(openOwn().json({ subject: "it", url }));
    expect(kind).toBe("transient");
    expect(message).toMatch(/^it: no connection or answer \(/);
  });

  test("takes a body that breaks off for passing trouble and says how far it came", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write('{"a":1}', () => response.socket?.end());
    });
    const { kind, message } = await failureOf(openOwn().json({ subject: "it", url }));
    expect(kind).toBe("transient");
    expect(message).toMatch(/^it: the connection broke after 7 bytes of the answer \(/);
  });

  test("does not wait for ever for an answer or for the rest of one", async () => {
    const silent = await serve(() => undefined);
    const stalled = await serve((_request, response) => void response.writeHead(200).write("{"));
    const http = openOwn({ headersTimeoutMs: 50, bodyTimeoutMs: 50 });
    const failures = await Promise.all([
      failureOf(http.json({ subject: "a", url: silent })),
      failureOf(http.json({ subject: "b", url: stalled })),
    ]);
    expect(failures.map(({ kind, message }) => [kind, message])).toEqual([
      ["transient", "a: no connection or answer (Headers Timeout Error)"],
      ["transient", "b: the connection broke after 1 byte of the answer (Body Timeout Error)"],
    ]);
  });

  test("takes a server that does not speak TLS for permanent", async () => {
    const url = await serve((_request, response) => response.end());
    const result = openOwn().json({ subject: "it", url: url.replace("http:", "https:") });
    expect((await failureOf(result)).kind).toBe("permanent");
  });

  test.each([
    ["ftp://127.0.0.1/?key=hidden", "it is not one of the web"],
    ["no address?key=hidden", "it is no address"],
  ])("refuses %s without naming it", async (url, why) => {
    const error: unknown = await openOwn()
      .json({ subject: "it", url })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      kind: "permanent",
      message: `it: the address that it leads to is not asked: ${why}`,
    });
    expect(error).not.toHaveProperty("cause");
  });

  test("stops when told to, before and during the answer", async () => {
    const url = await serve((_request, response) => void response.writeHead(200).write("{"));
    const http = openOwn();
    const before = http.json({ subject: "it", url, signal: AbortSignal.abort() });
    expect((await failureOf(before)).kind).toBe("aborted");
    const stop = new AbortController();
    const answer = await http.stream({ subject: "it", url, signal: stop.signal });
    const reading = (async () => {
      for await (const piece of answer.body) if (piece.length > 0) stop.abort();
    })();
    expect(await failureOf(reading)).toEqual({
      kind: "aborted",
      message: "stopped while: it",
      hint: null,
    });
  });
});

describe("stream(request)", () => {
  test("hands on a status that the request accepts, and follows nothing", async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls++;
      response.writeHead(302, { location: "/next", "retry-after": "3" }).end("gone");
    });
    const answer = await openOwn().stream({ subject: "it", url, accept: [301, 302] });
    const { status, retryAfterMs } = answer;
    const body = Buffer.concat(await all(answer.body)).toString();
    expect({ status, retryAfterMs, location: answer.header("location"), body, calls }).toEqual({
      status: 302,
      retryAfterMs: 3000,
      location: "/next",
      body: "gone",
      calls: 1,
    });
    const refused = openOwn().stream({ subject: "it", url, accept: [301] });
    expect((await failureOf(refused)).message).toBe("it: the server answered 302");
  });

  test("gives status, headers and pieces", async () => {
    const url = await serve((request, response) =>
      response.writeHead(206, { "X-Range": request.headers.range ?? "" }).end("bytes"),
    );
    const answer = await openOwn().stream({ subject: "it", url, headers: { range: "bytes=1-" } });
    expect([answer.status, answer.header("x-range"), answer.header("x-none")]).toEqual([
      206,
      "bytes=1-",
      null,
    ]);
    expect(Buffer.concat(await all(answer.body)).toString()).toBe("bytes");
  });

  test("gives its connection back when the body is discarded", async () => {
    const url = await serve((_request, response) => response.end("bytes"));
    const http = openOwn({ connections: 1 });
    for (let round = 0; round < 3; round++) (await http.stream({ subject: "it", url })).discard();
    expect((await http.stream({ subject: "it", url })).status).toBe(200);
  });
});

describe("stream(request), of a server that keeps a connection with a byte now and then", () => {
  /** Sends a byte whenever the one before has arrived, so that nothing here waits for a time. */
  async function drip(bytes: number): Promise<string> {
    return await serve((_request, response) => {
      let left = bytes;
      const next = (): void => {
        if (left-- <= 0) response.end();
        else response.write("x", () => setImmediate(next));
      };
      next();
    });
  }

  test("gives it up, for a while, where too little comes in the time that it waits", async () => {
    const url = await drip(Infinity);
    const http = openOwn({ leastRate: { bytes: 1e9, inMs: 20 } });
    const { body } = await http.stream({ subject: "it", url });
    const { kind, message } = await failureOf(all(body));
    expect(kind).toBe("transient");
    expect(message).toMatch(
      /^it: the connection broke after \d+ bytes? of the answer \(too slow: \d+ bytes in 0 s\)$/,
    );
  });

  test("goes on where enough comes", async () => {
    const url = await drip(200);
    const http = openOwn({ leastRate: { bytes: 1, inMs: 0 } });
    const { body } = await http.stream({ subject: "it", url });
    expect(Buffer.concat(await all(body))).toHaveLength(200);
  });

  test("does not count the time that a reader takes", async () => {
    const url = await serve((_request, response) => response.end(Buffer.alloc(1e6)));
    const http = openOwn({ leastRate: { bytes: 1e9, inMs: 200 } });
    const { body } = await http.stream({ subject: "it", url });
    let bytes = 0;
    for await (const piece of body) {
      bytes += piece.length;
      // A reader that is busy: no time passes for the server meanwhile.
      const until = performance.now() + 30;
      while (performance.now() < until);
    }
    expect(bytes).toBe(1e6);
  });
});

describe("close()", () => {
  test("breaks off what is under way", async () => {
    let arrived = (): void => undefined;
    const isThere = new Promise<void>((resolve) => (arrived = resolve));
    const url = await serve(() => arrived());
    const http = openOwn();
    const pending = failureOf(http.json({ subject: "it", url }));
    await isThere;
    await http.close();
    expect((await pending).kind).toBe("aborted");
    expect((await failureOf(http.json({ subject: "it", url }))).kind).toBe("aborted");
  });
});
