// The smallest pipeline: one function, from a file to a number.

import { file, integer, pipeline, step } from "hdash";

export const count = step({
  name: "count words",
  takes: { book: file() },
  gives: { words: integer() },
  async run({ book }) {
    let words = 0;
    for await (const line of book.lines()) words += line.split(/\s+/).filter(Boolean).length;
    return { words };
  },
});

export default pipeline({
  name: "words",
  takes: { book: file("the text to count") },
  gives: { words: integer() },
  plan: ({ book }, { run }) => run(count, { book }),
});
