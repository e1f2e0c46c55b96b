import { crc32 } from "node:zlib";

import { describe, expect, test } from "vitest";
import { fromBufferPromise } from "yauzl";
import { ZipFile } from "yazl";

import type { RangeSource } from "../../src/formats/rangeSource.ts";
import { listMembers, type ZipEntry, type ZipListing } from "../../src/formats/zip.ts";
import { type HandMember, type HandZip, handZip } from "./support/handZip.ts";
import { NEVER, sourceOf } from "./support/ranges.ts";

const text = (name: string | Uint8Array, content = "some content"): HandMember => {
  return { name, content: Buffer.from(content) };
};

async function list(bytes: Uint8Array): Promise<ZipListing> {
  return listMembers(sourceOf(bytes), NEVER);
}

async function entriesOf(bytes: Uint8Array): Promise<readonly ZipEntry[]> {
  const listing = await list(bytes);
  if (listing.refusal !== null) throw new Error(`${listing.refusal}: ${listing.why}`);
  return listing.entries;
}

const names = async (bytes: Uint8Array): Promise<readonly string[]> =>
  (await entriesOf(bytes)).map(({ name }) => name);

/** How a listing ends, and how many requests it took. */
async function outcome(bytes: Uint8Array): Promise<readonly [string | number, number]> {
  const source = sourceOf(bytes);
  const listing = await listMembers(source, NEVER);
  return [listing.refusal ?? listing.entries.length, source.asked.length];
}

/** A library's archive: deflated, stored, empty, a folder, 64 bits where asked for. */
async function yazlZip(forceZip64Format: boolean): Promise<Buffer> {
  const zip = new ZipFile();
  const at = { mtime: new Date("2026-01-02T03:04:05Z"), forceZip64Format };
  zip.addBuffer(Buffer.from("deflated ".repeat(100)), "a.json", { ...at, compress: true });
  zip.addBuffer(Buffer.from("stored"), "b/ä.json", { ...at, compress: false });
  zip.addBuffer(Buffer.alloc(0), "empty.json", at);
  zip.addEmptyDirectory("folder", { mtime: at.mtime });
  zip.end({ comment: "", forceZip64Format });
  const pieces: Buffer[] = [];
  for await (const piece of zip.outputStream) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

describe("listMembers(source, signal): what there is", () => {
  test("gives the directory's facts in its order", async () => {
    const content = Buffer.from("line\r\n".repeat(50));
    const zip = handZip([
      { name: "b.json", content, packed: Buffer.alloc(14), memberComment: "?" },
      text("a.json", "x"),
    ]);
    expect((await entriesOf(zip))[0]).toEqual({
      name: "b.json",
      nameBytes: Buffer.from("b.json"),
      method: 8,
      flags: 0,
      crc32: crc32(content),
      compressedBytes: 14,
      bytes: 300,
      localHeaderOffset: 0,
      regionEnd: 50,
      directoryOffset: 89,
      isEncrypted: false,
      isFolder: false,
    });
    expect(await names(zip)).toEqual(["b.json", "a.json"]);
  });

  test.each([false, true])(
    "lists what yauzl lists of yazl's archives, of 64 bits: %s",
    async (form) => {
      const zip = await yazlZip(form);
      const theirs = await fromBufferPromise(zip, { lazyEntries: true });
      const expected: unknown[] = [];
      for await (const entry of theirs.eachEntry()) {
        expected.push([
          ...[entry.fileName, entry.compressionMethod, entry.crc32, entry.compressedSize],
          ...[entry.uncompressedSize, entry.relativeOffsetOfLocalHeader, entry.isEncrypted()],
          entry.fileName.endsWith("/"),
        ]);
      }
      expect(
        (await entriesOf(zip)).map((entry) => [
          ...[entry.name, entry.method, entry.crc32, entry.compressedBytes, entry.bytes],
          ...[entry.localHeaderOffset, entry.isEncrypted, entry.isFolder],
        ]),
      ).toEqual(expected);
    },
  );

  test("lists an archive of nothing", async () => {
    expect(await outcome(handZip([]))).toEqual([0, 1]);
  });

  test("decodes names as CP437, or as UTF-8 where the flag says so, and changes nothing of them", async () => {
    const odd = ["../up", "/absolute", "C:\\x", "a\\b", "nul\0l", "", ".", "folder/", "Ä ö"];
    const zip = handZip([
      text(Buffer.of(0x84, 0x94, 0xe1)),
      ...odd.map((name) => ({ ...text(name), flags: 0x800 })),
    ]);
    expect(await names(zip)).toEqual(["äöß", ...odd]);
  });

  test("takes the last of one name, and tells of the others", async () => {
    const listing = await list(handZip([text("a", "1"), text("b", "22"), text("a", "333")]));
    expect(listing).toMatchObject({
      refusal: null,
      entries: [
        { name: "b", bytes: 2 },
        { name: "a", bytes: 3 },
      ],
      dropped: [{ name: "a", bytes: 1 }],
    });
  });

  test("reads sizes and places of 64 bits", async () => {
    const zip = handZip([text("before"), { ...text("a", "wide"), isWide: true }]);
    expect((await entriesOf(zip))[1]).toMatchObject({ bytes: 4, localHeaderOffset: 50 });
  });

  test("lists what is encrypted, strongly too, or oddly packed, and what has damaged extra fields", async () => {
    const zip = handZip([
      { ...text("a"), flags: 1 },
      { ...text("b"), flags: 0x41 },
      { ...text("c"), method: 93 },
      { ...text("d"), extra: Buffer.of(1, 0, 99, 0, 1) },
      { ...text("e"), bytes: 0xffffffff },
      { ...text("f"), method: 0, bytes: 7 },
    ]);
    expect((await entriesOf(zip)).map((e) => [e.name, e.isEncrypted, e.method, e.bytes])).toEqual([
      ["a", true, 8, 12],
      ["b", true, 8, 12],
      ["c", false, 93, 12],
      ["d", false, 8, 12],
      ["e", false, 8, 0xffffffff],
      ["f", false, 0, 7],
    ]);
  });

  test("believes the size of the directory, not 16 bits of a number of members", async () => {
    const members = Array.from({ length: 65_536 }, (_, i) => ({ name: `m${i}`, packed: EMPTY }));
    const zip = handZip(members);
    const theirs = await fromBufferPromise(zip, { lazyEntries: true });
    expect([theirs.entryCount, (await entriesOf(zip)).length]).toEqual([0, 65_536]);
  });
});

const EMPTY = Buffer.of(3, 0);
const BIG = Buffer.alloc(200_000, "stored ");

describe("listMembers(source, signal): how many requests", () => {
  const stored = { name: "big", content: BIG, method: 0 };
  const many = (count: number): readonly HandMember[] =>
    Array.from({ length: count }, (_, i) => ({ name: `member-${i}.json`, packed: EMPTY }));

  test.each<readonly [string, readonly HandMember[], HandZip, number, number]>([
    ["a directory in the tail", [stored, text("a")], {}, 2, 1],
    ["the longest comment", [stored], { comment: Buffer.alloc(65_535, "c") }, 1, 1],
    [
      "64 bits and the longest comment",
      [stored],
      { isWide: true, comment: Buffer.alloc(65_535) },
      1,
      1,
    ],
    ["70,000 members", many(70_000), { isWide: true }, 70_000, 2],
    [
      "70,000 members and a long comment",
      many(70_000),
      { isWide: true, comment: BIG.subarray(0, 65_535) },
      70_000,
      2,
    ],
    ["a record far from its locator", many(5000), { isWide: true, recordGap: 150_000 }, 5000, 3],
  ])("lists %s", async (_what, members, zip, count, requests) => {
    expect(await outcome(handZip(members, zip))).toEqual([count, requests]);
  });

  test.each<readonly [string, Uint8Array, string, number]>([
    ["no bytes", Buffer.of(), "empty_object", 0],
    ["a short text", Buffer.from("hello"), "not_archive", 1],
    ["a long text", Buffer.alloc(300_000, "hello "), "not_archive", 2],
    ["three bytes of a signature", Buffer.of(0x50, 0x4b, 3), "not_archive", 1],
    ["a zip cut short", handZip([stored]).subarray(0, 190_000), "truncated_archive", 2],
    ["only a local header", handZip([stored]).subarray(0, 40), "truncated_archive", 1],
    ["a 64-bit record that lies nowhere", wideWithout(8), "truncated_archive", 1],
    ["a 64-bit record that is none", wideWithout(0), "truncated_archive", 1],
  ])("refuses %s", async (_what, bytes, refusal, requests) => {
    expect(await outcome(bytes)).toEqual([refusal, requests]);
  });

  /** An archive whose 64-bit locator (8) or record (0) is damaged. */
  function wideWithout(which: 0 | 8): Buffer {
    const zip = handZip([text("a")], { isWide: true });
    const locator = zip.length - 42;
    if (which === 8) zip.fill(0xff, locator + 8, locator + 14);
    else zip[locator - 56] = 0;
    return zip;
  }
});

describe("listMembers(source, signal): what is wrong", () => {
  test.each<readonly [string, HandZip, string]>([
    [
      "a directory behind the end",
      { directoryOffset: 9000 },
      "its directory should end at byte 9,047",
    ],
    ["a directory that is too long", { directoryBytes: 60 }, "its directory should end at byte"],
    [
      "a directory that is too short",
      { directoryBytes: 40 },
      "its directory is damaged at member 1",
    ],
    ["a directory elsewhere", { directoryOffset: 3 }, "its directory is damaged at member 1"],
    ["another number of members", { members: 2 }, "its directory has 1 members and states 2"],
    ["another number in 64 bits", { members: 3, isWide: true }, "has 1 members and states 3"],
    ["a part of several", { disk: 1 }, "it is one of several parts of a zip"],
    ["a part of several in 64 bits", { disk: 1, isWide: true }, "it is one of several parts"],
  ])("refuses %s", async (_what, zip, why) => {
    expect(await list(handZip([text("a", "123")], zip))).toMatchObject({
      refusal: "truncated_archive",
      why: expect.stringContaining(why) as string,
    });
  });

  test("refuses a directory that would fill the memory, unread", async () => {
    const zip = handZip([text("a")], { isWide: true, directoryBytes: 300 << 20 });
    const source: RangeSource = {
      bytes: 2 ** 40,
      async *read(from, to) {
        const tail = Buffer.alloc(to - from);
        tail.set(zip, tail.length - zip.length);
        // The record lies where its locator says, counted from the beginning of what was sent.
        tail.writeBigUInt64LE(BigInt(2 ** 40 - 98), tail.length - 42 + 8);
        yield tail;
      },
    };
    expect(await listMembers(source, NEVER)).toMatchObject({
      refusal: "too_many_members",
      why: "its directory has 315 MB, more than the 67.1 MB that can be handled",
    });
  });

  test("lists 200,000 members, and refuses more", async () => {
    const one = handZip([text("a")]);
    const [central, end] = [one.subarray(-22 - 47, -22), Buffer.from(one.subarray(-22))];
    const zip = (members: number): Buffer => {
      end.writeUInt16LE(members & 0xffff, 10);
      end.writeUInt32LE(members * central.length, 12);
      const directory = Array.from({ length: members }, () => central);
      return Buffer.concat([one.subarray(0, -22 - 47), ...directory, end]);
    };
    expect(await list(zip(200_000))).toMatchObject({ refusal: null, dropped: { length: 199_999 } });
    expect(await list(zip(200_001))).toEqual({
      refusal: "too_many_members",
      why: "it has more than the 200,000 members that can be handled",
    });
  });

  test("finds the end behind a comment that holds the signature of one", async () => {
    const fake = Buffer.alloc(40);
    fake.writeUInt32LE(0x06054b50, 5);
    expect(await names(handZip([text("a")], { comment: fake }))).toEqual(["a"]);
  });

  test("finds the end before bytes that somebody appended", async () => {
    const zip = handZip([text("a")], { suffix: Buffer.from("\r\n") });
    expect(await names(zip)).toEqual(["a"]);
  });

  test("does not take an archive within a cut one for the whole", async () => {
    const inner = handZip([text("inner")]);
    const outer = handZip([{ name: "inner.zip", content: inner, method: 0 }, text("b")]);
    expect(await outcome(outer.subarray(0, 39 + inner.length))).toEqual(["truncated_archive", 1]);
  });
});
