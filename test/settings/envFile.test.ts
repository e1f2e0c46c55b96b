import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { envFileText, readEnvFile } from "../../src/settings/envFile.ts";

const KNOWN = ["SYNAPSE_PASSWORD", "SYNAPSE_USER", "S3_BUCKET_NAME"];

let path = "";

beforeAll(() => {
  path = join(mkdtempSync(join(tmpdir(), "hdash-env-")), ".env");
});
afterAll(() => rmSync(join(path, ".."), { recursive: true }));

function read(text: string) {
  writeFileSync(path, text);
  const { values, warnings } = readEnvFile(path, KNOWN);
  return { values, warnings: warnings.map((one) => one.replaceAll(path, ".env")) };
}

describe("readEnvFile(path, known)", () => {
  test("finds nothing wrong in what is right", () => {
    const text = [
      "\uFEFFA=1",
      "# a remark",
      "",
      "export B = 2 # more",
      "  C='x",
      "y=z is text'",
      'D="closed"',
      "E=it's",
      "F=",
    ].join("\r\n");
    const { values, warnings } = read(text.replace("y=z is", "y is"));
    expect(values).toMatchObject({ A: "1", B: "2", D: "closed", F: "" });
    expect(warnings).toEqual([]);
  });

  test("names lines that are none, and what they may have been meant for, but no value", () => {
    const { warnings } = read(
      "SYNAPSE_PASSWORD: hunter2\nset SYNAPSE_USER=hunter2\nhunter2\nS3_BUCKET my-site\nok=1\n",
    );
    expect(warnings).toEqual([
      "line 1 of .env is no NAME=value and is passed over: did you mean SYNAPSE_PASSWORD=…?",
      "line 2 of .env is no NAME=value and is passed over: did you mean SYNAPSE_USER=…?",
      "line 3 of .env is no NAME=value and is passed over",
      "line 4 of .env is no NAME=value and is passed over: did you mean S3_BUCKET_NAME=…?",
    ]);
    expect(warnings.join()).not.toContain("hunter2");
  });

  test("says what a quote that is not closed where it was meant to be takes with it", () => {
    const { values, warnings } = read('A="one\nB=b\nC="x"\nD=\'never\nE=1\n');
    expect(values).not.toHaveProperty("B");
    expect(warnings).toEqual([
      'line 1 of .env opens a quote (") that is closed only in line 3: 2 variables behind it are taken for its value',
      "line 4 of .env opens a quote (') that is never closed",
    ]);
  });

  test("refuses a quote that takes a variable of hdash's or AWS's with it, since its value would be shown", () => {
    expect(() =>
      read('LEVEL="info\nSYNAPSE_PASSWORD=hunter2\nAWS_SECRET_ACCESS_KEY="hunter3"\n'),
    ).toThrow(
      expect.objectContaining({
        kind: "config",
        message: expect.stringMatching(
          /^line 1 of .* opens a quote \("\) that is closed only in line 3: 2 variables behind it are taken for its value, of them SYNAPSE_PASSWORD and AWS_SECRET_ACCESS_KEY; close it in its line$/,
        ) as string,
      }),
    );
  });

  test("says which file cannot be read", () => {
    expect(() => readEnvFile("/no/such/file", KNOWN)).toThrow(
      "the file /no/such/file given with --env-file cannot be read",
    );
  });
});

describe("envFileText(values)", () => {
  test("is read as what it was made of", () => {
    const values = {
      PLAIN: "/var/lib/h-dash_1,2@x:y+z",
      BLANK: "my site # 1",
      QUOTE: `it's`,
      QUOTES: `it's "here"`,
      ESCAPE: "a\\nb$HOME",
      NONE: "",
    };
    expect(read(envFileText(values))).toEqual({ values, warnings: [] });
  });
});
