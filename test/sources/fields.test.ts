import { describe, expect, test } from "vitest";

import { HdashError } from "../../src/error.ts";
import {
  fieldsOf,
  listField,
  objectField,
  optionalCount,
  optionalText,
  textField,
} from "../../src/sources/fields.ts";

const SAMPLE = { text: "a", empty: "", none: null, count: 3, list: [1], object: { deep: "b" } };
const fields = fieldsOf(SAMPLE, "it");

/** What a reader makes of a field: its value, or its complaint. */
function read(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (error) {
    if (!(error instanceof HdashError) || error.kind !== "permanent") throw error;
    return error.message;
  }
}

describe("fieldsOf(value, at)", () => {
  test.each([
    [null, "it should be an object but is null"],
    [[], "it should be an object but is a list"],
    ["HTA1_1", "it should be an object but is a string"],
    [undefined, "it should be an object but is missing"],
  ])("refuses %j without quoting it", (value, message) => {
    expect(read(() => fieldsOf(value, "it"))).toBe(message);
  });
});

describe("the readers of fields", () => {
  test("give values of the right type and complain about others", () => {
    expect({
      text: read(() => textField(fields, "text")),
      emptyText: read(() => textField(fields, "empty")),
      noText: read(() => textField(fields, "gone")),
      notText: read(() => textField(fields, "count")),
      maybeText: [
        optionalText(fields, "text"),
        optionalText(fields, "empty"),
        optionalText(fields, "none"),
        optionalText(fields, "gone"),
      ],
      maybeNotText: read(() => optionalText(fields, "list")),
      count: read(() => optionalCount(fields, "count")),
      noCount: [optionalCount(fields, "none"), optionalCount(fields, "gone")],
      notCount: read(() => optionalCount(fields, "text")),
      half: read(() => optionalCount(fieldsOf({ count: 0.5 }, "it"), "count")),
      list: read(() => listField(fields, "list")),
      notList: read(() => listField(fields, "object")),
      deep: read(() => textField(objectField(fields, "object"), "deep")),
      notDeep: read(() => textField(objectField(fields, "object"), "gone")),
    }).toEqual({
      text: "a",
      emptyText: "it.empty should be text but is empty",
      noText: "it.gone should be text but is missing",
      notText: "it.count should be text but is a number",
      maybeText: ["a", null, null, null],
      maybeNotText: "it.list should be text but is a list",
      count: 3,
      noCount: [null, null],
      notCount: "it.text should be a count but is a string",
      half: "it.count should be a count but is a number",
      list: [1],
      notList: "it.object should be a list but is a object",
      deep: "b",
      notDeep: "it.object.gone should be text but is missing",
    });
  });
});
