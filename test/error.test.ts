import { describe, expect, test } from "vitest";

import {
  HdashError,
  isAborted,
  isTransient,
  messageOf,
  publicMessageOf,
  remedyOf,
} from "../src/error.ts";

const inner = new Error("connect ECONNREFUSED 10.0.0.7:5432");

describe("messageOf(error)", () => {
  test("follows causes as long as they add something", () => {
    const error = new HdashError("transient", "the database is out of reach", { cause: inner });
    expect(messageOf(error)).toBe(
      "the database is out of reach: connect ECONNREFUSED 10.0.0.7:5432",
    );
    expect(messageOf(new Error("it says x", { cause: new Error("x") }))).toBe("it says x");
    expect(messageOf("plain")).toBe("plain");
  });
});

describe("publicMessageOf(error)", () => {
  test("says what the error says publicly, wherever in the chain of causes", () => {
    const known = new HdashError("permanent", "user jdoe has no right to read syn1", {
      publicly: "Synapse does not let hdash read syn1",
    });
    const error = new HdashError("permanent", "HTA1 failed", { cause: known });
    expect(publicMessageOf(error)).toBe("Synapse does not let hdash read syn1");
  });

  test.each([
    [
      new HdashError("transient", "out of reach", { cause: inner }),
      "a service did not answer as it should; the next run tries again",
    ],
    [
      new HdashError("permanent", "cannot write /var/lib/x", { cause: inner }),
      "it could not be read; the log of the run says why",
    ],
    [inner, "it could not be read; the log of the run says why"],
    ["text", "it could not be read; the log of the run says why"],
  ])("names no address, user or path of %s", (error, expected) => {
    expect(publicMessageOf(error)).toBe(expected);
  });
});

describe("remedyOf(error)", () => {
  const WRONG =
    "Change the setting: until then every run ends like this. `hdash doctor` checks settings and services.";
  test.each([
    [new HdashError("config", "x", { hint: "Set y." }), "Set y."],
    [new HdashError("permanent", "x", { hint: "Set y." }), "Set y."],
    [new HdashError("config", "x"), WRONG],
    [new HdashError("usage", "x"), WRONG],
    [new HdashError("transient", "x"), null],
    [new HdashError("permanent", "x"), null],
    [inner, null],
  ])("says what %s says, or that a wrong setting stays wrong", (error, expected) => {
    expect(remedyOf(error)).toBe(expected);
  });
});

describe("isTransient(error) and isAborted(error)", () => {
  test("tell the kinds apart", () => {
    expect(isTransient(new HdashError("transient", "x"))).toBe(true);
    expect(isTransient(inner)).toBe(false);
    expect(isAborted(new HdashError("aborted", "x"))).toBe(true);
    expect(isAborted(new DOMException("x", "AbortError"))).toBe(true);
    expect(isAborted(inner)).toBe(false);
  });
});
