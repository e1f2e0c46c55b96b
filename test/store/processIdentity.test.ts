import { spawn } from "node:child_process";

import { describe, expect, test } from "vitest";

import {
  describeProcess,
  identifyProcess,
  livenessOf,
  parseIdentity,
} from "../../src/store/processIdentity.ts";

describe("livenessOf(identity)", () => {
  test("calls this process alive", () => {
    expect(livenessOf(identifyProcess())).toBe("alive");
  });

  test("calls a process dead that has ended, and one whose pid is another's now", async () => {
    const child = spawn("true");
    await new Promise((resolve) => child.once("exit", resolve));
    const { pid = 0 } = child;
    expect(livenessOf({ ...identifyProcess(), pid })).toBe("dead");
    expect(livenessOf({ ...identifyProcess(), startTicks: "1" })).toBe("dead");
  });

  test("calls a zombie dead", async () => {
    // The shell's child ends at once and is never looked at, because the shell has become sleep.
    const child = spawn("sh", ["-c", "true & echo $!; exec sleep 30"]);
    const pid = Number(await new Promise((resolve) => child.stdout.once("data", resolve)));
    await expect.poll(() => livenessOf({ ...identifyProcess(), pid })).toBe("dead");
    child.kill("SIGKILL");
  });

  test.each(["bootId", "pidNamespace", "startTicks"] as const)(
    "knows nothing of a process without a %s",
    (field) => {
      expect(livenessOf({ ...identifyProcess(), [field]: null })).toBe("unknown");
    },
  );

  test.each(["bootId", "pidNamespace"] as const)(
    "knows nothing of a process with another %s",
    (field) => {
      expect(livenessOf({ ...identifyProcess(), pid: 1, [field]: "another" })).toBe("unknown");
    },
  );
});

describe("parseIdentity(value)", () => {
  test("reads what identifyProcess() gave, through JSON", () => {
    const identity = identifyProcess();
    expect(parseIdentity(JSON.parse(JSON.stringify({ ...identity, nonce: "x" })))).toEqual(
      identity,
    );
  });

  test.each([null, "x", {}, { host: "a" }, { pid: 1 }, { host: 1, pid: 1 }])(
    "takes %j for none",
    (value) => {
      expect(parseIdentity(value)).toBeNull();
    },
  );
});

describe("describeProcess(identity)", () => {
  test("names pid and host", () => {
    expect(describeProcess({ ...identifyProcess(), host: "worker-1", pid: 7 })).toBe(
      "pid 7 on worker-1",
    );
  });
});
