// Tars for tests, entry by entry: everything can be a lie.

import type { Content, Files } from "./matrixFiles.ts";

const BLOCK = 512;

/** One entry with its header and padding. */
export function tarEntry(name: string, content: Content, type = "0", prefix = ""): Buffer {
  const data = Buffer.from(content);
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100);
  header.write("0000644\0", 100);
  header.write(`${data.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write(" ".repeat(8), 148);
  header.write(type, 156);
  header.write("ustar\x0000", 257, "latin1");
  header.write(prefix, 345, 155);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}

/** A tar of files, sorted by name, with its end. */
export function tarOf(files: Files): Buffer {
  const entries = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([
    ...entries.map(([name, content]) => tarEntry(name, content)),
    Buffer.alloc(2 * BLOCK),
  ]);
}
