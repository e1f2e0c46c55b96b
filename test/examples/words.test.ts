import { afterEach, beforeEach, expect, test } from "vitest";

import { type Example, openExample } from "./support/play.ts";

let example: Example;
beforeEach(async () => {
  example = await openExample("01-words", "words.ts");
});
afterEach(() => example.remove());

test("counts the words of a book, once", async () => {
  const book = (await example.text("book.txt")).trim().split(/\s+/).length;
  expect(await example.run({ book: "book.txt" })).toMatchObject({
    ...{ code: 0, hits: 0, ran: ["count words", "import file", "results"], failed: [] },
  });
  expect(JSON.parse(await example.text("results/results.json"))).toEqual({ words: book });

  expect(await example.run({ book: "book.txt" })).toMatchObject({ code: 0, hits: 3, ran: [] });

  await example.edit(
    "words.ts",
    "export const count",
    "// Blanks lie between words.\nexport const count",
  );
  expect(await example.run({ book: "book.txt" })).toMatchObject({ code: 0, hits: 3, ran: [] });

  // Another blank is another book, of as many words: what it gives is known.
  await example.edit("book.txt", "dried;   a", "dried; a");
  expect(await example.run({ book: "book.txt" })).toMatchObject({
    ...{ code: 0, hits: 1, ran: ["count words", "import file"] },
  });
});
