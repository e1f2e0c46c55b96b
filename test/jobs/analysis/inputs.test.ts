import { describe, expect, test } from "vitest";

import { digestOf } from "../../../src/digest.ts";
import type { BlobFile, StoredFolder } from "../../../src/engine/step.ts";
import { blobOf, gotOf } from "../../../src/jobs/analysis/inputs.ts";
import {
  file,
  folder,
  integer,
  list,
  optional,
  type Shape,
  table,
  text,
} from "../../../src/jobs/analysis/writing/kinds.ts";
import type { InputFile, InputFolder } from "../../../src/jobs/analysis/writing/values.ts";
import { refusal } from "../../support/refusal.ts";

/** A blob that comes in these pieces. */
function blobIn(pieces: readonly Uint8Array[], onClose = (): void => {}): BlobFile {
  const whole = Buffer.concat(pieces);
  return {
    digest: digestOf(whole),
    bytes: whole.length,
    async *stream() {
      try {
        yield* pieces;
      } finally {
        onClose();
      }
    },
    path: () => Promise.resolve("/copies/blob"),
  };
}

/** A blob that comes in pieces of so many bytes. */
function blob(content: string | Uint8Array, size = 1 << 20): BlobFile {
  const bytes = Buffer.from(content);
  const starts = Array.from({ length: Math.ceil(bytes.length / size) }, (_none, at) => at * size);
  return blobIn(starts.map((at) => bytes.subarray(at, at + size)));
}

const got = (of: BlobFile): InputFile => gotOf(file().shape, of, "book") as InputFile;

async function all<T>(of: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const one of of) found.push(one);
  return found;
}

const linesOf = (of: BlobFile): Promise<readonly string[]> => all(got(of).lines());

describe("InputFile.lines()", () => {
  test.each<[string, string, readonly string[]]>([
    ["an empty file", "", []],
    ["a line", "a\n", ["a"]],
    ["a line without an end", "a", ["a"]],
    ["an empty line", "\n", [""]],
    ["empty lines between and last", "\n\na\n\n", ["", "", "a", ""]],
    ["\\r\\n", "a\r\nb\r\n", ["a", "b"]],
    ["\\r\\n without a last one", "a\r\n\r\nb", ["a", "", "b"]],
    ["both kinds of ends", "a\nb\r\nc\n", ["a", "b", "c"]],
    ["a \\r within a line", "a\rb\n\r\r\n", ["a\rb", "\r"]],
    ["blanks, which belong to the line", " a \t\n \n", [" a \t", " "]],
    ["characters of two to four bytes", "ä\n€ß\r\n😀\u2028é", ["ä", "€ß", "😀\u2028é"]],
    ["a NUL", "a\0b\nc", ["a\0b", "c"]],
  ])("gives %s wherever the bytes are cut", async (_what, content, lines) => {
    for (const size of [1, 2, 3, 5, 1000]) {
      expect(await linesOf(blob(content, size)), `pieces of ${size}`).toEqual(lines);
    }
  });

  test("passes over empty pieces", async () => {
    const none = Buffer.alloc(0);
    const cut = Buffer.from("ä");
    const pieces = [none, cut.subarray(0, 1), none, cut.subarray(1), none, Buffer.from("\r"), none];
    expect(await linesOf(blobIn([...pieces, Buffer.from("\n")]))).toEqual(["ä"]);
  });

  test("gives what is no UTF-8 as a sign for it, and all else as it is", async () => {
    expect(await linesOf(blob(Buffer.from("a\xe4b\nc\xe2", "latin1"), 1))).toEqual([
      "a\ufffdb",
      "c\ufffd",
    ]);
  });

  test("gives the same as text() of a file with a byte-order mark", async () => {
    const one = got(blob("\ufeffa\nb\n"));
    expect((await one.text()).replace("\ufeff", "")).toBe("a\nb\n");
    expect(await linesOf(blob("\ufeffa\nb\n", 1))).toEqual(["a", "b"]);
  });

  test("can be asked for again", async () => {
    const one = got(blob("a\nb\n"));
    expect(await all(one.lines())).toEqual(["a", "b"]);
    expect(await all(one.lines())).toEqual(["a", "b"]);
  });

  test("closes the file where somebody has seen enough", async () => {
    let closed = 0;
    const one = got(blobIn([Buffer.from("a\nb\n"), Buffer.from("c\n")], () => (closed += 1)));
    for await (const line of one.lines()) {
      expect(line).toBe("a");
      break;
    }
    expect(closed).toBe(1);
  });

  test("tells that the file could not be read to its end", async () => {
    const broken: BlobFile = {
      ...blob(""),
      async *stream() {
        yield Buffer.from("a\nb");
        throw new Error("connection lost");
      },
    };
    const seen: string[] = [];
    const reading = (async () => {
      for await (const line of got(broken).lines()) seen.push(line);
    })();
    await expect(reading).rejects.toThrow("connection lost");
    expect(seen).toEqual(["a"]);
  });

  test("gives a line that comes in many pieces", async () => {
    const pieces = Array.from({ length: 512 }, () => Buffer.alloc(1 << 12, "a"));
    const lines = await linesOf(blobIn([...pieces, Buffer.from("\nb")]));
    expect(lines.map((line) => line.length)).toEqual([2 ** 21, 1]);
  });
});

describe("InputFile", () => {
  test("tells digest, size and where it lies", async () => {
    const one = got(blob("ä\n"));
    expect([one.sha256, one.bytes, await one.path()]).toEqual([digestOf("ä\n"), 3, "/copies/blob"]);
  });

  test("gives its bytes, its text and its JSON, wherever they are cut", async () => {
    const content = '{"ä":["😀"]}';
    for (const size of [1, 2, 1000]) {
      const one = got(blob(content, size));
      expect(Buffer.concat(await all(one.stream())).toString()).toBe(content);
      expect(await one.text()).toBe(content);
      expect(await one.json()).toEqual({ ä: ["😀"] });
    }
    expect(await got(blob("")).text()).toBe("");
  });

  test("gives JSON that has a byte-order mark", async () => {
    expect(await got(blob("\ufeff[1]")).json()).toEqual([1]);
  });

  test("is known as the blob that it is of, and nothing else is", () => {
    const of = blob("a");
    expect(blobOf(got(of))).toBe(of);
    for (const other of [{ ...got(of) }, null, undefined, "a", of])
      expect(blobOf(other)).toBeNull();
  });
});

/** A folder as the engine gives it. */
function stored(files: Readonly<Record<string, BlobFile>>): StoredFolder {
  const all = Object.entries(files).map(([path, of]) => ({
    ...{ path, bytes: of.bytes, isExecutable: path.endsWith(".sh"), file: of },
  }));
  return {
    ...{ digest: digestOf("folder"), bytes: 7, count: all.length, files: () => all },
    at: (path) => files[path] ?? null,
    path: () => Promise.resolve("/copies/folder"),
  };
}

describe("gotOf(shape, value, at)", () => {
  const [a, b] = [blob("a"), blob("b")];
  const listed = [a, b].map((of, at) => ({
    path: `${at}.txt`,
    contentType: "text/plain",
    file: of,
  }));
  const texts = async (value: unknown): Promise<readonly string[]> =>
    Promise.all((value as readonly InputFile[]).map((one) => one.text()));

  test("makes a folder", async () => {
    const made = gotOf(folder().shape, stored({ "bin/a.sh": a, b: b }), "dir") as InputFolder;
    expect([made.sha256, made.bytes, await made.path()]).toEqual([
      digestOf("folder"),
      7,
      "/copies/folder",
    ]);
    expect(made.files().map(({ path, isExecutable }) => [path, isExecutable])).toEqual([
      ["bin/a.sh", true],
      ["b", false],
    ]);
    expect(await texts(made.files().map((one) => one.file))).toEqual(["a", "b"]);
    expect(await made.at("b")?.text()).toBe("b");
    expect(made.at("none")).toBeNull();
  });

  test("makes files of a list of blobs, and of a stored set of files", async () => {
    expect(await texts(gotOf(list(file()).shape, [b, a], "all"))).toEqual(["b", "a"]);
    expect(await texts(gotOf(list(file()).shape, listed, "all"))).toEqual(["a", "b"]);
    expect(gotOf(list(file()).shape, [], "all")).toEqual([]);
  });

  test("makes of a stored set what is optional: one, or none", async () => {
    const one = gotOf(optional(file()).shape, listed.slice(0, 1), "log");
    expect(await (one as InputFile).text()).toBe("a");
    expect(gotOf(optional(file()).shape, [], "log")).toBeNull();
    expect(gotOf(optional(file()).shape, null, "log")).toBeNull();
    expect(gotOf(optional(integer()).shape, undefined, "k")).toBeNull();
    expect(gotOf(optional(list(text())).shape, [], "names")).toEqual([]);
  });

  test("makes rows, with null where an optional cell is missing", async () => {
    const sheet = table({ sample: text(), lane: file(), note: optional(text()) });
    const rows = gotOf(
      sheet.shape,
      [
        { lane: a, sample: "x" },
        { sample: "y", lane: b, note: "n" },
      ],
      "s",
    );
    const [first, second] = rows as readonly { readonly lane: InputFile }[];
    expect(rows).toEqual([
      { sample: "x", lane: first?.lane, note: null },
      { sample: "y", lane: second?.lane, note: "n" },
    ]);
    expect(await texts([first?.lane, second?.lane])).toEqual(["a", "b"]);
  });

  test.each<[string, Shape, unknown, string]>([
    ["a text for a file", file().shape, "a.txt", "it is not a file"],
    ["a folder for a file", file().shape, stored({}), "it is not a file"],
    ["several files for one", file().shape, listed, "it is not a file"],
    ["a file for a folder", folder().shape, a, "it is not a folder"],
    ["a file for a list", list(file()).shape, a, "it is not a list"],
    ["a text in a list of files", list(file()).shape, [a, "b"], "it[1] is not a file"],
    ["a text for a table", table({ k: integer() }).shape, "s.csv", "it is not a table"],
    [
      "a missing file in a row",
      table({ lane: file() }).shape,
      [{ lane: a }, {}],
      "it[1].lane is not a file",
    ],
  ])("refuses %s, with its place", async (_what, shape, value, says) => {
    const { kind, message } = await refusal((async () => gotOf(shape, value, "it"))());
    expect([kind, message]).toEqual(["permanent", says]);
  });
});
