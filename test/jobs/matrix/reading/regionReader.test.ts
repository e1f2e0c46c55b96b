// Regions read by one thread after each other, also where another one was begun.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";

import { describe, expect, onTestFinished, test } from "vitest";

import type { ByteRegion } from "../../../../src/jobs/matrix/reading/region.ts";
import {
  makeRegionReader,
  type RegionReader,
} from "../../../../src/jobs/matrix/reading/regionReader.ts";
import { makeFolder, regionOf } from "../support/mtxFiles.ts";

const never = new AbortController().signal;
/** Longer than the ring. */
const TEXTS = ["one", "two", "three"].map((word) => `${word} `.repeat(5000));

function open(inlineBytes: number): {
  reader: RegionReader;
  regions: readonly [ByteRegion, ByteRegion, ByteRegion];
} {
  const dir = makeFolder();
  const region = (at: number): ByteRegion =>
    regionOf(dir, `${at}.gz`, gzipSync(TEXTS[at] ?? ""), ["gzip"]);
  const reader = makeRegionReader(1024, inlineBytes);
  onTestFinished(() => reader.close());
  return { reader, regions: [region(0), region(1), region(2)] };
}

async function read(
  reader: RegionReader,
  region: ByteRegion,
  pieces = Infinity,
  signal = never,
): Promise<string> {
  const bytes = Buffer.from(reader.ring.memory.buffer);
  let text = "";
  let seen = 0;
  for await (const { at, length } of reader.read(region, signal)) {
    text += bytes.toString("latin1", at, at + length);
    if (++seen === pieces) break;
  }
  return text;
}

/** Gives the threads that are started during the test, as they come. */
function countThreads(): readonly Worker[] {
  const threads: Worker[] = [];
  const add = (thread: Worker): void => void threads.push(thread);
  process.on("worker", add);
  onTestFinished(() => void process.off("worker", add));
  return threads;
}

describe("makeRegionReader(slotBytes, inlineBytes)", () => {
  test.each([0, Infinity])("reads regions after each other (inline up to %s)", async (inline) => {
    const { reader, regions } = open(inline);
    reader.start(regions[0]);
    const texts = [];
    for (const region of regions) texts.push(await read(reader, region));
    expect(texts).toEqual(TEXTS);
  });

  test("reads another region than was begun, and one anew that was left", async () => {
    const { reader, regions } = open(0);
    reader.start(regions[0]);
    expect(await read(reader, regions[1])).toBe(TEXTS[1]);
    expect(TEXTS[0]?.startsWith(await read(reader, regions[0], 2))).toBe(true);
    expect(await read(reader, regions[0])).toBe(TEXTS[0]);
  });

  test("stops when told to, and reads what comes then", async () => {
    const { reader, regions } = open(0);
    const abort = new AbortController();
    const reading = reader.read(regions[0], abort.signal);
    await reading.next();
    abort.abort();
    await expect(reading.next()).rejects.toMatchObject({ kind: "aborted" });
    expect(await read(reader, regions[0])).toBe(TEXTS[0]);
  });

  test("says what is wrong with what was begun once it is asked for", async () => {
    const { reader, regions } = open(0);
    const cut = { ...regions[0], length: 40 };
    reader.start(cut);
    await expect(read(reader, cut)).rejects.toMatchObject({ rule: "M_CORRUPT" });
  });

  test("ends a thread that waits for room", async () => {
    const threads = countThreads();
    const { reader, regions } = open(0);
    reader.start(regions[0]);
    await reader.close();
    expect(threads.map(({ threadId }) => threadId)).toEqual([-1]);
  });

  test.each([0, Infinity])("reads nothing once closed (inline up to %s)", async (inline) => {
    const threads = countThreads();
    const { reader, regions } = open(inline);
    await reader.close();
    const closed = { kind: "permanent", message: "0.gz cannot be read: its reader is closed" };
    expect(() => reader.start(regions[0])).toThrow(expect.objectContaining(closed));
    await expect(read(reader, regions[0])).rejects.toMatchObject(closed);
    expect(threads).toEqual([]);
  });

  test("starts no thread for what was asked for before it was closed", async () => {
    const threads = countThreads();
    const { reader, regions } = open(0);
    const reading = reader.read(regions[0], never);
    await reader.close();
    await expect(reading.next()).rejects.toThrow("0.gz cannot be read: its reader is closed");
    expect(threads).toEqual([]);
  });

  test("lets a program end that read all it wanted and closed nothing", () => {
    const { regions } = open(0);
    const file = pathToFileURL(
      join(import.meta.dirname, "../../../../src/jobs/matrix/reading/regionReader.ts"),
    ).href;
    const script = `
      import(${JSON.stringify(file)}).then(async ({ makeRegionReader }) => {
        const reader = makeRegionReader(1024, 0);
        let bytes = 0;
        const pieces = reader.read(${JSON.stringify(regions[0])}, new AbortController().signal);
        for await (const { length } of pieces) bytes += length;
        console.log(bytes);
      });`;
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "-e", script],
      { encoding: "utf8", timeout: 250_000 },
    );
    expect({ status, stdout, stderr }).toEqual({
      status: 0,
      stdout: `${TEXTS[0]?.length}\n`,
      stderr: "",
    });
  });
});
