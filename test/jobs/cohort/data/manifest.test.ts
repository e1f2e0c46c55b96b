import { describe, expect, test } from "vitest";

import { readManifest } from "../../../../src/jobs/cohort/data/manifest.ts";

const OF_EXPORT =
  "ExportStartDate,ExportEndDate,ExportConfiguration,ExcludedParticipantIdentifiers";
const VALUES = '2026-01-11T05:00:00+00:00,2026-01-12T05:00:00+00:00,x,"[""a"",""b""]"';

const read = (text: string | Uint8Array) => {
  const manifest = readManifest(Buffer.from(text as Uint8Array));
  return typeof manifest === "string" ? manifest : Object.fromEntries(manifest);
};

describe("readManifest(bytes)", () => {
  test.each<[string, string, Record<string, number>]>([
    ["members and their counts", "A,B_Deleted\r\n12,0\r\n", { A: 12, B_Deleted: 0 }],
    ["a last line without an end", "A\n59005", { A: 59005 }],
    ["nothing of what is said of the export", `${OF_EXPORT},A\r\n${VALUES},3\r\n`, { A: 3 }],
    ["cells in quotes, and white space around numbers", 'A,"B"\n" 1 ","2"\n', { A: 1, B: 2 }],
    ["no column without a name", "A,,B\n1,x,2\n", { A: 1, B: 2 }],
    ["no member at all", `${OF_EXPORT}\n${VALUES}\n`, {}],
    ["the first row of counts", "A\n1\nx\n", { A: 1 }],
  ])("takes %s", (_what, text, counts) => {
    expect(read(text)).toEqual(counts);
  });

  test.each<[string, string | Uint8Array]>([
    ["it has no row of counts", ""],
    ["it has no row of counts", "A,B\n"],
    ["column 2 has no count", "A,B\n1,\n"],
    ["column 2 has no count", "A,B\n1\n"],
    ["column 1 has no count", "A\n-1\n"],
    ["column 1 has no count", "A\n1.5\n"],
    ["column 1 has no count", "A\nSYN-0001\n"],
    ["column 1 has no count", "A\n1234567890123456\n"],
    ["it is no CSV", 'A\n"1\n'],
    ["it is not UTF-8", Buffer.from("A\n1\u00ff\n", "latin1")],
  ])("says that %s", (what, bytes) => {
    expect(read(bytes)).toBe(what);
  });
});
