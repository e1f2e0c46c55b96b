import { describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../src/digest.ts";
import type { BlobAccess } from "../../src/engine/blobAccess.ts";
import { decode } from "../../src/engine/codec.ts";
import type { BlobFile } from "../../src/engine/step.ts";
import { HdashError } from "../../src/error.ts";
import { retry } from "../../src/retry.ts";

const PIECES = ["one ", "", "two ", "three"];
const DIGEST = digestOf(PIECES.join(""));
const blip = () => new HdashError("transient", "the database restarts");

/** Blobs of which each stream yields the next of `lengths` pieces and then breaks; the last one is whole. */
function open(lengths: readonly number[], error = blip, cut = PIECES) {
  const streams: number[] = [];
  async function* stream(): AsyncIterable<Uint8Array> {
    const n = streams.push(0) - 1;
    const length = lengths[n];
    // Pieces of another attempt may be cut elsewhere.
    const pieces = n === 0 ? PIECES : cut;
    for (const piece of pieces.slice(0, length)) yield Buffer.from(piece);
    if (length !== undefined) throw error();
  }
  const subjects: string[] = [];
  const access = {
    blobs: { stream },
    withLedger: <T>(subject: string, use: () => Promise<T>) => {
      subjects.push(subject);
      return retry(subject, { attempts: 3, minDelayMs: 1, maxDelayMs: 1 }, use);
    },
  } as unknown as BlobAccess;
  const read = async () => {
    const digest: Digest = DIGEST;
    const file = (await decode(access, { digest, bytes: 13, codec: "file" }, () =>
      Promise.reject(new Error("no folder")),
    )) as BlobFile;
    const pieces: string[] = [];
    for await (const piece of file.stream()) pieces.push(Buffer.from(piece).toString());
    return pieces.join("|");
  };
  return { read, streams, subjects };
}

describe("decode(access, ref, dir) of a file, streamed", () => {
  test("gives the pieces of the blob", async () => {
    const { read, streams, subjects } = open([]);
    expect([await read(), streams.length]).toEqual(["one |two |three", 1]);
    expect(subjects[0]).toBe(`reading blob ${DIGEST}`);
  });

  test("goes on where it was when the connection is lost, before the first piece or between two", async () => {
    const { read, streams } = open([0, 3, 1]);
    expect([await read(), streams.length]).toEqual(["one |two |three", 4]);
    const other = open([1], blip, ["on", "e two", " three"]);
    expect([await other.read(), other.streams.length]).toEqual(["one |two| three", 2]);
  });

  test("throws what does not pass", async () => {
    const damaged = () => new HdashError("permanent", "the blob is damaged");
    const { read, streams } = open([2], damaged);
    await expect(read()).rejects.toThrow("the blob is damaged");
    expect(streams.length).toBe(1);
    await expect(open([1, 1, 1, 1]).read()).rejects.toThrow("the database restarts");
  });
});
