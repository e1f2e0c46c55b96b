import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";

import { describe, expect, test } from "vitest";
import { ZipFile } from "yazl";

import { BadMember } from "../../src/formats/badMember.ts";
import { type RangeSource, steadySource } from "../../src/formats/rangeSource.ts";
import { listMembers, type ZipEntry } from "../../src/formats/zip.ts";
import {
  type MemberOptions,
  openMember,
  readMembers,
  type ZipMember,
} from "../../src/formats/zipMember.ts";
import { makeDice } from "../../src/lookalikes/dice.ts";
import { type HandMember, handZip, numbers } from "./support/handZip.ts";
import { all, NEVER, sourceOf } from "./support/ranges.ts";

const LINES = Buffer.from('{"a":"b\\/c"}\r\n'.repeat(40_000));
/** Does not compress, so that the archive is larger than its pieces. */
const NOISE = Buffer.from(
  Array.from({ length: 100_000 }, (_, i) => String(makeDice(i).fraction())).join(""),
);

async function entriesOf(source: RangeSource): Promise<readonly ZipEntry[]> {
  const listing = await listMembers(source, NEVER);
  if (listing.refusal !== null) throw new Error(`${listing.refusal}: ${listing.why}`);
  return listing.entries;
}

/** Reads both ends of a member side by side. */
async function both(member: ZipMember): Promise<readonly [Buffer, Buffer]> {
  return Promise.all([all(member.deflated), all(member.content)]);
}

/** How reading the first member ends: its content, or what is wrong with it; the same at both ends. */
async function outcome(zip: Uint8Array, options: MemberOptions = {}): Promise<string> {
  const source = sourceOf(zip);
  const [entry] = await entriesOf(source);
  if (entry === undefined) throw new Error("no member");
  const member = openMember(source, entry, NEVER, options);
  const ends = await Promise.allSettled([all(member.deflated), all(member.content)]);
  const [deflated, content] = ends.map((end) => {
    if (end.status === "fulfilled") return end.value.toString();
    if (end.reason instanceof BadMember) return `${end.reason.reason}: ${end.reason.message}`;
    throw end.reason;
  });
  if (ends[0]?.status === "rejected") expect(deflated).toBe(content);
  return content ?? "";
}

const one = (member: Partial<HandMember>): Buffer =>
  handZip([{ name: "a.json", content: Buffer.from("content"), ...member }]);

describe("openMember(source, entry, signal)", () => {
  test.each<readonly [string, Partial<HandMember>]>([
    ["deflated", {}],
    ["stored", { method: 0 }],
    ["with sizes behind the data", { descriptor: "signed" }],
    ["with sizes behind the data and no signature", { descriptor: "bare" }],
    ["with sizes of 64 bits", { isWide: true }],
    [
      "stored, with sizes behind the data, of 64 bits",
      { method: 0, descriptor: "signed", isWide: true },
    ],
    ["with another extra field in its local header", { localExtra: Buffer.alloc(3000) }],
    ["behind a gap", { padding: 500_000 }],
    ["with nothing in it", { content: Buffer.of() }],
    ["with nothing in it, stored", { content: Buffer.of(), method: 0 }],
  ])("gives what is in a member %s, and its deflate stream", async (_what, form) => {
    const content = form.content ?? LINES;
    const zip = one({ ...form, content });
    const source = sourceOf(zip);
    const [entry] = await entriesOf(source);
    source.asked.length = 0;
    const [deflated, read] = await both(openMember(source, entry as ZipEntry, NEVER));
    expect(read.equals(content)).toBe(true);
    expect(inflateRawSync(deflated).equals(content)).toBe(true);
    if (entry?.method === 8) expect(deflated).toEqual(deflateRawSync(content));
    expect(source.asked.length).toBeLessThanOrEqual(1);
  });

  test.each(["content", "deflated"] as const)(
    "gives %s alone, where only that is wanted",
    async (only) => {
      const source = sourceOf(one({ content: NOISE }));
      const [entry] = await entriesOf(source);
      const member = openMember(source, entry as ZipEntry, NEVER, { only });
      const read = await all(member[only]);
      expect(only === "content" ? read : inflateRawSync(read)).toEqual(NOISE);
    },
  );

  test.each<readonly [string, Partial<HandMember>, string]>([
    ["encrypted", { flags: 1 }, "encrypted: a.json is encrypted"],
    [
      "encrypted by its local header",
      { localFlags: 1 },
      "header: a.json is encrypted by its local header",
    ],
    [
      "packed by zstd",
      { method: 93 },
      "method: a.json is packed by zstd (method 93), neither stored nor deflated",
    ],
    [
      "packed somehow",
      { method: 77 },
      "method: a.json is packed by a way not known (method 77), neither stored nor deflated",
    ],
    [
      "named otherwise",
      { localName: "b.json" },
      "header: a.json has another name in its local header",
    ],
    [
      "named longer",
      { localName: "aa.json" },
      "header: a.json has another name in its local header",
    ],
    [
      "packed otherwise",
      { localMethod: 0 },
      "header: a.json has method 0 in its local header and 8 in the directory",
    ],
    [
      "that is none",
      { localSignature: 1 },
      "header: a.json has no local header where it should begin",
    ],
    [
      "elsewhere",
      { padding: 100, offset: 5 },
      "header: a.json has no local header where it should begin",
    ],
    [
      "behind the end",
      { offset: 5000 },
      "header: a.json should lie at byte 5,000 with 9 B, where the archive has none",
    ],
    [
      "longer than the archive",
      { compressedBytes: 5000 },
      "header: a.json should lie at byte 0 with 5.00 kB, where the archive has none",
    ],
    [
      "in the directory",
      { compressedBytes: 30 },
      "header: a.json should lie at byte 0 with 30 B, where the archive has none",
    ],
    [
      "with another checksum",
      { crc32: 1 },
      "crc: a.json has the checksum fec530a9 and states 00000001",
    ],
    [
      "that is longer",
      { bytes: 6 },
      "size: a.json unpacks to more than the 6 bytes that it states",
    ],
    ["that is shorter", { bytes: 8 }, "size: a.json unpacks to 7 of the 8 bytes that it states"],
    [
      "stored in another size",
      { method: 0, bytes: 8 },
      "size: a.json is stored with 7 bytes and states 8",
    ],
    [
      "whose stream is cut",
      { packed: deflateRawSync("content").subarray(0, 5) },
      "inflate: a.json is damaged: unexpected end of file",
    ],
    [
      "whose stream is nothing",
      { packed: Buffer.of() },
      "inflate: a.json is damaged: unexpected end of file",
    ],
    [
      "whose stream is none",
      { packed: Buffer.from("noise") },
      "inflate: a.json is damaged: invalid block type",
    ],
    [
      "with bytes behind its stream",
      { packed: Buffer.concat([deflateRawSync("content"), Buffer.alloc(99)]) },
      "size: a.json ends after 9 of the 108 packed bytes that it states",
    ],
    [
      "with many bytes behind its stream",
      { packed: Buffer.concat([deflateRawSync("content"), NOISE]) },
      "size: a.json ends after 9 of the",
    ],
  ])("refuses a member %s", async (_what, form, problem) => {
    expect(await outcome(one(form))).toContain(problem);
  });

  test("refuses what would unpack to far more than it is, unread", async () => {
    const content = Buffer.alloc(64 << 20);
    const source = sourceOf(one({ content }));
    const [entry] = await entriesOf(source);
    const given = source.given;
    await expect(
      all(openMember(source, entry as ZipEntry, NEVER, { only: "content" }).content),
    ).rejects.toMatchObject({
      reason: "bomb",
      message: expect.stringMatching(
        /^a\.json states that 65\.\d kB unpack to 67\.1 MB; 1,000 times as much and 1\.00 TB are the most$/,
      ) as string,
    });
    expect(source.given).toBe(given);
    const limits = { mostRatio: 1100, mostBytes: 1e9 };
    expect((await outcome(one({ content }), { limits })).length).toBe(content.length);
    expect(await outcome(one({}), { limits: { mostRatio: 9, mostBytes: 6 } })).toContain("bomb: ");
  });

  test("gives no byte more than a lying member states, and unpacks no more", async () => {
    const content = Buffer.alloc(64 << 20);
    const source = sourceOf(one({ content, bytes: 1000 }));
    const [entry] = await entriesOf(source);
    let read = 0;
    const reading = (async () => {
      const member = openMember(source, entry as ZipEntry, NEVER, { only: "content" });
      for await (const piece of member.content) read += piece.length;
    })();
    await expect(reading).rejects.toMatchObject({ reason: "size" });
    expect(read).toBeLessThanOrEqual(1000);
  });

  test("reads no further than its readers take", async () => {
    const source = sourceOf(one({ content: NOISE, method: 0, padding: 200_000 }), {
      pieceBytes: 1000,
    });
    const [entry] = await entriesOf(source);
    const given = source.given;
    const content = openMember(source, entry as ZipEntry, NEVER, { only: "content" }).content;
    const iterator = content[Symbol.asyncIterator]();
    await iterator.next();
    for (let i = 0; i < 3000; i++) await setImmediate();
    expect(source.given - given).toBeLessThan(1_200_000);
    expect(source.given - given).toBeGreaterThan(0);
    await iterator.return?.();
  });

  test("goes on with one end when the other is left", async () => {
    const source = sourceOf(one({ content: NOISE }), { pieceBytes: 10_000 });
    const [entry] = await entriesOf(source);
    const member = openMember(source, entry as ZipEntry, NEVER);
    const leaving = (async () => {
      for await (const piece of member.deflated) return piece.length;
      return 0;
    })();
    expect((await all(member.content)).equals(NOISE)).toBe(true);
    expect(await leaving).toBeGreaterThan(0);
  });

  test("stops when it is told to", async () => {
    const stop = new AbortController();
    const source = sourceOf(one({ content: NOISE }), { pieceBytes: 10_000 });
    const [entry] = await entriesOf(source);
    const member = openMember(source, entry as ZipEntry, stop.signal, { only: "content" });
    const reading = (async () => {
      for await (const _ of member.content) stop.abort();
    })();
    await expect(reading).rejects.toMatchObject({ kind: "aborted" });
  });

  test("goes on with one end when the other is left before it began", async () => {
    const long = Buffer.concat([NOISE, NOISE, NOISE]);
    const source = sourceOf(one({ content: long }));
    const [entry] = await entriesOf(source);
    const member = openMember(source, entry as ZipEntry, NEVER);
    const reading = all(member.content);
    await member.deflated[Symbol.asyncIterator]().return?.();
    expect((await reading).equals(long)).toBe(true);
  });

  test("stops one end when it is told to while nobody reads the other", async () => {
    const stop = new AbortController();
    const source = sourceOf(one({ content: Buffer.concat([NOISE, NOISE, NOISE]) }));
    const [entry] = await entriesOf(source);
    const reading = all(openMember(source, entry as ZipEntry, stop.signal).content);
    // By then the other end has no room, and nobody asks the source for more.
    for (let before = -1; source.given !== before; await sleep(200)) before = source.given;
    expect(source.given).toBeLessThan(source.bytes);
    stop.abort();
    await expect(reading).rejects.toMatchObject({ kind: "aborted" });
  });

  test("reads the few bytes behind a member, so that the connection can be used again", async () => {
    const source = sourceOf(one({ content: NOISE, descriptor: "signed" }), { pieceBytes: 1000 });
    const [entry] = await entriesOf(source);
    const given = source.given;
    await both(openMember(source, entry as ZipEntry, NEVER));
    expect(source.given - given).toBe(entry?.regionEnd);
  });

  test("passes on an error of the source as it is, to both ends", async () => {
    const source = sourceOf(one({ content: NOISE }), { pieceBytes: 10_000 });
    const [entry] = await entriesOf(source);
    const broken = sourceOf(one({ content: NOISE }), { breaks: [50_000] });
    const member = openMember(broken, entry as ZipEntry, NEVER);
    const ends = await Promise.allSettled([all(member.deflated), all(member.content)]);
    expect(ends).toMatchObject([
      { reason: { kind: "transient" } },
      { reason: { kind: "transient" } },
    ]);
  });
});

describe("readMembers(source, entries, signal)", () => {
  async function yazlZip(count: number): Promise<Buffer> {
    const zip = new ZipFile();
    for (let i = 0; i < count; i++) {
      const content = i % 3 === 0 ? Buffer.of() : Buffer.from(`${i} `.repeat(i * 1000));
      zip.addBuffer(content, `m${i}.json`, { compress: i % 2 === 0, mtime: new Date(0) });
    }
    zip.end();
    return all(zip.outputStream as unknown as AsyncIterable<Uint8Array>);
  }

  const contentOf = (i: number): string => (i % 3 === 0 ? "" : `${i} `.repeat(i * 1000));

  test("reads all members by one request, in the order in which they lie", async () => {
    const source = sourceOf(await yazlZip(40));
    const entries = (await entriesOf(source)).toReversed();
    source.asked.length = 0;
    const read: string[] = [];
    for await (const member of readMembers(source, entries, NEVER)) {
      const [deflated, content] = await both(member);
      expect(inflateRawSync(deflated).equals(content)).toBe(true);
      read.push(content.toString());
    }
    expect(read).toEqual(Array.from({ length: 40 }, (_, i) => contentOf(i)));
    expect(source.asked.length).toBe(1);
  });

  test("passes over members that nobody wants, listed or not, read in part or not at all", async () => {
    const source = sourceOf(await yazlZip(40), { pieceBytes: 5000 });
    const entries = (await entriesOf(source)).filter((_, index) => index !== 25);
    source.asked.length = 0;
    for await (const member of readMembers(source, entries, NEVER, { only: "content" })) {
      const index = Number(/\d+/.exec(member.entry.name)?.[0]);
      if (index % 4 === 0) continue;
      if (index % 4 === 1) {
        for await (const _ of member.content) break;
      } else {
        expect((await all(member.content)).toString()).toBe(contentOf(index));
      }
    }
    expect(source.asked.length).toBe(1);
  });

  test("makes a new request over a large gap", async () => {
    const far = { name: "b", content: LINES, padding: 3 << 20 };
    const source = sourceOf(handZip([{ name: "a", content: LINES }, far, { name: "c" }]));
    const entries = await entriesOf(source);
    source.asked.length = 0;
    const read: number[] = [];
    for await (const member of readMembers(source, entries, NEVER, { only: "content" })) {
      read.push((await all(member.content)).length);
    }
    expect(read).toEqual([LINES.length, LINES.length, 0]);
    expect(source.asked.length).toBe(2);
  });

  test("goes on after a bad member, by the same request", async () => {
    const bad = { name: "bad", content: NOISE, crc32: 7 };
    const source = sourceOf(
      handZip([{ name: "a", content: LINES }, bad, { name: "c", content: LINES }]),
    );
    const entries = await entriesOf(source);
    source.asked.length = 0;
    const read: unknown[] = [];
    for await (const member of readMembers(source, entries, NEVER)) {
      const got = both(member).then(([, content]) => content.length);
      read.push(await got.catch((error: unknown) => (error as BadMember).reason));
    }
    expect([read, source.asked.length]).toEqual([[LINES.length, "crc", LINES.length], 1]);
  });

  test("reads the next where a member states bytes that are the next one's", async () => {
    const packed = deflateRawSync("content");
    const long = {
      name: "a",
      content: Buffer.from("content"),
      compressedBytes: packed.length + 20,
    };
    const source = sourceOf(
      handZip([
        { ...long, descriptor: "bare" },
        { name: "b", content: LINES },
      ]),
    );
    const read: unknown[] = [];
    for await (const member of readMembers(source, await entriesOf(source), NEVER)) {
      const got = both(member).then(([, content]) => content.length);
      read.push(await got.catch((error: unknown) => (error as BadMember).reason));
    }
    expect(read).toEqual(["size", LINES.length]);
  });

  test("refuses members that share their bytes to be more than the archive can hold", async () => {
    // Each is a whole member of a ratio that is allowed; their bytes are the same.
    const content = Buffer.alloc(900_000, "0123456789".repeat(10));
    const first = handZip([{ name: "a", content }]);
    const count = 600;
    const zip = handZip(
      Array.from({ length: count }, (_, i) => {
        return i === 0
          ? { name: "a", content }
          : {
              name: `a${i}`,
              content,
              packed: Buffer.of(),
              compressedBytes: first.length - 75,
              offset: 0,
            };
      }),
    );
    const source = sourceOf(zip);
    const reasons = new Set<string>();
    const limits = { mostRatio: 800, mostBytes: 1e9 };
    for await (const member of readMembers(source, await entriesOf(source), NEVER, {
      only: "content",
      limits,
    })) {
      try {
        await all(member.content);
      } catch (error) {
        reasons.add((error as BadMember).reason);
      }
    }
    expect([...reasons]).toEqual(["header", "bomb"]);
  });

  test("goes on with the missing byte when the stream breaks", async () => {
    const zip = await yazlZip(40);
    const places = Array.from({ length: 30 }, (_, i) => i * 7000 + 11);
    const broken = sourceOf(zip, { breaks: [...places] });
    const policy = { attempts: 2, minDelayMs: 0, maxDelayMs: 0 };
    const source = steadySource(broken, { subject: "an export", policy });
    const entries = await entriesOf(sourceOf(zip));
    const read: string[] = [];
    for await (const member of readMembers(source, entries, NEVER, { only: "content" })) {
      read.push((await all(member.content)).toString());
    }
    expect(read).toEqual(Array.from({ length: 40 }, (_, i) => contentOf(i)));
    const inside = places.filter((place) => place < zip.length);
    expect(broken.asked.length).toBeLessThanOrEqual(inside.length + 1);
    expect(broken.given).toBeLessThanOrEqual(zip.length);
  });

  test("reads an archive of more than 4 GiB by one request", async () => {
    const hole = 5 * 2 ** 30;
    const [source, asked] = sparse(hole);
    const entries = await entriesOf(source);
    expect(entries.map(({ localHeaderOffset }) => localHeaderOffset)).toEqual([0, 40, hole + 40]);
    const read: string[] = [];
    const wanted = entries.filter(({ name }) => name !== "hole");
    for await (const member of readMembers(source, wanted, NEVER, { only: "content" })) {
      read.push((await all(member.content)).toString());
    }
    expect(read).toEqual(["content", "content"]);
    expect(asked.length).toBe(3);
  });
});

/** An archive with a stored member of `hole` bytes between two small ones, most of which is made up when it is asked for. */
function sparse(hole: number): readonly [RangeSource, unknown[]] {
  const small = { content: Buffer.from("content"), isWide: true } as const;
  const zip = handZip(
    [
      { name: "a", content: small.content },
      { name: "hole", method: 0, isWide: true, bytes: hole - 54, compressedBytes: hole - 54 },
      { name: "z", ...small, offset: hole + 40 },
    ],
    { isWide: true },
  );
  const bytes = zip.length + hole - 54;
  // What lies behind the hole: the last member, the directory and its ends, moved by the hole's length.
  const tailStart = hole + 40;
  const cut = zip.indexOf(Buffer.from("PK\x03\x04"), 60);
  const tail = Buffer.from(zip.subarray(cut));
  const moved = hole - 54;
  const record = tail.indexOf(numbers([0x06064b50, 4]));
  tail.writeBigUInt64LE(tail.readBigUInt64LE(record + 48) + BigInt(moved), record + 48);
  const locator = tail.length - 42;
  tail.writeBigUInt64LE(tail.readBigUInt64LE(locator + 8) + BigInt(moved), locator + 8);
  const asked: unknown[] = [];
  const source: RangeSource = {
    bytes,
    async *read(from, to) {
      asked.push([from, to]);
      for (let at = from; at < to;) {
        const size = Math.min(1 << 20, to - at);
        const piece = Buffer.alloc(size);
        for (let i = 0; i < size; i++) {
          if (at + i < cut) piece[i] = zip[at + i] ?? 0;
          else if (at + i >= tailStart) piece[i] = tail[at + i - tailStart] ?? 0;
          else if (at >= cut && at + size < tailStart) break;
        }
        yield piece;
        at += size;
      }
    },
  };
  return [source, asked];
}

describe("damaged archives", () => {
  /** Reads all there is; every way in which it can end is a name. */
  async function ends(bytes: Uint8Array): Promise<readonly string[]> {
    const source = sourceOf(bytes);
    const listing = await listMembers(source, NEVER);
    expect(source.asked.length).toBeLessThanOrEqual(3);
    if (listing.refusal !== null) return [listing.refusal];
    const found: string[] = [];
    for await (const member of readMembers(source, listing.entries, NEVER)) {
      const [deflated, content] = await Promise.allSettled([
        all(member.deflated),
        all(member.content),
      ]);
      if (content.status === "fulfilled") {
        expect(crc32(content.value)).toBe(member.entry.crc32);
        found.push("read");
      } else {
        if (!(content.reason instanceof BadMember)) throw content.reason;
        expect(deflated).toMatchObject({ status: "rejected", reason: content.reason });
        found.push(content.reason.reason);
      }
    }
    return found;
  }

  const archive = handZip([
    { name: "a.json", content: NOISE.subarray(0, 40_000) },
    { name: "b.json", content: Buffer.of() },
    { name: "c.json", content: NOISE.subarray(0, 9000), method: 0, descriptor: "signed" },
    { name: "d.json", content: LINES.subarray(0, 30_000), isWide: true },
  ]);

  test("are refused wherever they are cut", async () => {
    for (let cut = 0; cut < archive.length; cut += 997) {
      const refusal = cut === 0 ? "empty_object" : "truncated_archive";
      expect([cut, await ends(archive.subarray(0, cut))]).toEqual([cut, [refusal]]);
    }
  });

  test("are refused by name, or in single members, whichever byte is wrong", async () => {
    const dice = makeDice("flipped bytes");
    const directory = archive.length - 330;
    const seen = new Set<string>();
    for (let i = 0; i < 600; i++) {
      const at = i % 2 === 0 ? dice.below(archive.length) : directory + dice.below(330);
      const bytes = Buffer.from(archive);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
      for (const end of await ends(bytes)) seen.add(end);
    }
    expect([...seen].sort()).toEqual(
      expect.arrayContaining([
        "crc",
        "header",
        "inflate",
        "method",
        "read",
        "size",
        "truncated_archive",
      ]),
    );
  });
});
