// Removing a namespace: everything of it, whatever it is called, and nothing of any other.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { findHoldings, removeHolding } from "../../src/artifacts/remove.ts";
import type { S3Bucket } from "../../src/store/s3Bucket.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";
import { openAt, stateOf } from "./rig.ts";

/** Names below a namespace that only others would give. */
const AWKWARD = [
  ...["foo/", "foo/a", "foo/a/b", "foo/a//b", "foo//", "foo/ ", "foo/a b", "foo/a+b", "foo/a%2Fb"],
  ...[
    "foo/%",
    "foo/größe",
    "foo/日本語/🧬",
    "foo/.",
    "foo/..",
    "foo/../bar",
    "foo/a\\b",
    "foo/<&>\"'",
  ],
  ...["foo/a\nb", "foo/a\tb", "foo/\u0001", "foo/\u007f", "foo/foo/", "foo/foo-bar/x"],
  "foo/" + "x".repeat(1020),
];
/** Names that begin like it, or sort next to it. */
const OTHERS = [
  ...["foo", "foo-bar/a", "foo-bar/foo/a", "foo.bar/a", "foo+bar/a", "foo%2Fbar/a", "foo bar/a"],
  ...["fo", "fo/o", "Foo/a", "foo0/a", "fooo/a", "bar/foo/a", " foo/a", "/foo/a", "größe/foo/a"],
  ...["foo-bar/artifacts/artifacts.json", "main/foo/index.html"],
];

let s3: S3Server;
const opened: S3Bucket[] = [];

beforeAll(async () => {
  s3 = await startS3({ buckets: ["work", "site"] });
});

afterAll(async () => {
  for (const bucket of opened) await bucket.close();
  await s3.close();
});

beforeEach(() => {
  for (const name of ["work", "site"]) {
    for (const key of s3.objects(name).keys()) s3.removeObject(name, key);
    for (const key of OTHERS) s3.setObject(name, key, key);
  }
});

function open(bucket: string, prefix = "foo/"): S3Bucket {
  const one = openAt(s3, bucket, prefix);
  opened.push(one);
  return one;
}

describe("findHoldings(buckets) and removeHolding(holding)", () => {
  test("find and delete all that a namespace has, whatever it is called, and nothing else", async () => {
    const others = stateOf(s3, "work");
    for (const key of AWKWARD) s3.setObject("work", key, "12345");
    const holdings = await findHoldings([open("work"), open("site")]);
    expect(holdings.map(({ bucket: _bucket, ...facts }) => facts)).toEqual([
      { place: "s3://work/foo/", objects: AWKWARD.length, bytes: 5 * AWKWARD.length },
    ]);
    s3.requests.length = 0;
    for (const holding of holdings) expect(await removeHolding(holding)).toBe(AWKWARD.length);
    // S3 takes no control character in the XML that names many objects: those go one by one.
    const single = s3.requests.filter(({ operation }) => operation === "DeleteObject");
    expect(single.map(({ key }) => key).sort()).toEqual(["foo/\u0001", "foo/a\tb", "foo/a\nb"]);
    expect(stateOf(s3, "work")).toEqual(others);
    expect(stateOf(s3, "site")).toEqual(others);
    expect(await findHoldings([open("work")])).toEqual([]);
  });

  test("go on to the last page", async () => {
    const others = stateOf(s3, "site");
    for (let n = 0; n < 1200; n++) s3.setObject("site", `foo/${n}`, "x");
    for (let n = 0; n < 1200; n++) s3.setObject("site", `foo-bar/${n}`, "x");
    const neighbours = stateOf(s3, "site");
    const [holding] = await findHoldings([open("site")]);
    if (holding === undefined) throw new Error("nothing was found");
    expect([holding.objects, await removeHolding(holding)]).toEqual([1200, 1200]);
    const left = stateOf(s3, "site");
    expect(Object.keys(left)).toHaveLength(1200 + Object.keys(others).length);
    for (const [key, etag] of Object.entries(left)) expect(neighbours[key]).toBe(etag);
  });

  test("find nothing where there is nothing", async () => {
    expect(await findHoldings([open("work"), open("site")])).toEqual([]);
  });

  test("say what the store refuses to delete", async () => {
    s3.setObject("work", "foo/a", "x");
    const [holding] = await findHoldings([open("work")]);
    s3.setFaults(({ operation }) =>
      operation === "DeleteObjects" ? { status: 403, code: "AccessDenied" } : null,
    );
    if (holding === undefined) throw new Error("nothing was found");
    await expect(removeHolding(holding)).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining("delete foo/a from s3://work/foo") as string,
    });
    s3.setFaults(null);
  });
});

describe("S3Bucket.clear(keep)", () => {
  test("keeps what it is told to", async () => {
    for (const key of ["foo/a", "foo/b"]) s3.setObject("work", key, "x");
    expect(await open("work").clear((key) => key === "foo/b")).toBe(1);
    expect(Object.keys(stateOf(s3, "work")).filter((key) => key.startsWith("foo/"))).toEqual([
      "foo/b",
    ]);
  });

  test("refuses a whole bucket", async () => {
    const before = stateOf(s3, "work");
    await expect(open("work", "").clear(() => false)).rejects.toMatchObject({
      kind: "permanent",
      message: "s3://work is a whole bucket: not cleared",
    });
    expect(stateOf(s3, "work")).toEqual(before);
  });
});
