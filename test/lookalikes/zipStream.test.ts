import { describe, expect, test } from "vitest";
import { fromBufferPromise } from "yauzl";

import { type StreamedMember, zipStream } from "../../src/lookalikes/zipStream.ts";

async function all(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const piece of pieces) read.push(piece);
  return Buffer.concat(read);
}

/** Reads an archive with a library, which checks sizes: names, contents and methods. */
async function read(archive: Buffer): Promise<readonly (readonly [string, string, number])[]> {
  const zip = await fromBufferPromise(archive, { lazyEntries: true });
  const found: [string, string, number][] = [];
  for await (const entry of zip.eachEntry()) {
    const stream = await zip.openReadStreamPromise(entry);
    const content = await all(stream as AsyncIterable<Uint8Array>);
    found.push([entry.fileName, content.toString(), entry.compressionMethod]);
  }
  return found;
}

const text = (name: string, ...pieces: readonly string[]): StreamedMember => {
  return { name, content: pieces.map((piece) => Buffer.from(piece)) };
};

describe("zipStream(members)", () => {
  test("writes what a library reads: deflated, in pieces, and empty, with names beyond ASCII", async () => {
    const archive = await all(
      zipStream([
        text("a.json", "one, ", "two"),
        { name: "ä.json", content: null },
        text("c", "3"),
      ]),
    );
    expect(await read(archive)).toEqual([
      ["a.json", "one, two", 8],
      ["ä.json", "", 0],
      ["c", "3", 8],
    ]);
  });

  test("writes the same bytes every time", async () => {
    const members = [text("a", "1"), text("b", "2")];
    expect(await all(zipStream(members))).toEqual(await all(zipStream(members)));
  });

  test("writes more members than 16 bits can count, and archives of none", async () => {
    const members = Array.from({ length: 66_000 }, (_, i) => ({ name: `m${i}`, content: null }));
    const zip = await fromBufferPromise(await all(zipStream(members)), { lazyEntries: true });
    expect(zip.entryCount).toBe(66_000);
    expect(await read(await all(zipStream([])))).toEqual([]);
  });

  test("asks for a member when the one before is written, and holds no more than pieces", async () => {
    let asked = 0;
    function* content(): Generator<Uint8Array> {
      for (let i = 0; i < 2000; i++) {
        asked += 1;
        yield Buffer.from(Array.from({ length: 4096 }, (_, at) => (i * 31 + at * at * 7) & 255));
      }
    }
    const order: string[] = [];
    function* members(): Generator<StreamedMember> {
      yield { name: "a", content: content() };
      order.push(`b after ${asked} pieces`);
      yield { name: "b", content: null };
    }
    const pieces = zipStream(members());
    for (let i = 0; i < 3; i++) await pieces.next();
    expect(asked).toBeLessThan(1500);
    await all(pieces);
    expect(order).toEqual(["b after 2000 pieces"]);
  });

  test("passes on what is wrong with a content, and states a wrong checksum where it is told to", async () => {
    function* broken(): Generator<Uint8Array> {
      yield Buffer.from("a");
      throw new Error("no more of this");
    }
    await expect(all(zipStream([{ name: "a", content: broken() }]))).rejects.toThrow("no more");
    const [good, bad] = await Promise.all(
      [false, true].map(async (isDamaged) => {
        const zip = await all(zipStream([{ ...text("a", "content"), isDamaged }]));
        return zip.readUInt32LE(zip.indexOf("PK\u0001\u0002") + 16);
      }),
    );
    expect((good ?? 0) ^ (bad ?? 0)).toBe(1);
  });
});
