import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";

import { describe, expect, test } from "vitest";

import { hostOf, isLoopback } from "./loopback.ts";

describe("isLoopback(host)", () => {
  test("takes this machine's own addresses and names", () => {
    const own = ["localhost", "a.localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "0.0.0.0"];
    expect(own.filter((host) => !isLoopback(host))).toEqual([]);
  });

  test("refuses every other host", () => {
    const others = ["example.org", "10.0.0.1", "128.0.0.1", "127.0.0.1.example.org", "fe80::1"];
    expect(others.filter((host) => isLoopback(host))).toEqual([]);
  });
});

describe("hostOf(args)", () => {
  test("finds the host in each form that connect takes", () => {
    expect([
      hostOf([{ host: "example.org", port: 1 }]),
      hostOf([[{ host: "example.org", port: 1 }, null]]),
      hostOf([80, "example.org"]),
      hostOf(["80", "example.org"]),
      hostOf([80]),
      hostOf(["/run/socket"]),
      hostOf([{ path: "/run/socket" }]),
    ]).toEqual(["example.org", "example.org", "example.org", "example.org", null, null, null]);
  });
});

describe("Socket.connect in tests", () => {
  test("fails for another host, by name and through fetch", async () => {
    const socket = connect(80, "example.org");
    const [error] = (await once(socket, "error")) as [Error];
    expect(error.message).toBe(
      "a test tried to connect to example.org; tests stay on this machine",
    );
    await expect(fetch("http://192.0.2.1/")).rejects.toMatchObject({
      cause: { message: "a test tried to connect to 192.0.2.1; tests stay on this machine" },
    });
  });

  test("reaches a server on loopback", async () => {
    const server = createServer((socket) => socket.end("hello")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const socket = connect(port, "127.0.0.1");
    const [data] = (await once(socket, "data")) as [Buffer];
    expect(data.toString()).toBe("hello");
    server.close();
  });

  test("fails in a Node process that a test starts, which keeps the variables it was given", () => {
    const script = `
      console.log(process.env.HDASH_HOME);
      require("node:net").connect(80, "192.0.2.1").on("error", (error) => console.log(error.message));`;
    const { stdout } = spawnSync(process.execPath, ["-e", script], {
      encoding: "utf8",
      env: { ...process.env, HDASH_HOME: "/nowhere" },
    });
    expect(stdout).toBe(
      "/nowhere\na test tried to connect to 192.0.2.1; tests stay on this machine\n",
    );
  });
});
