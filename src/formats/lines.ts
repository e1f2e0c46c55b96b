// Lines of a text that comes in pieces.

/** Gives lines of UTF-8, without their ends; what stands behind the last end is a line where there is anything. */
export async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8");
  let rest: string[] = [];
  const lineOf = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);
  for await (const piece of pieces) {
    const lines = decoder.decode(piece, { stream: true }).split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) {
      // What has come of a line is put together once, when its end is there.
      yield lineOf(rest.length === 0 ? line : rest.join("") + line);
      rest = [];
    }
    if (last !== "") rest.push(last);
  }
  const end = rest.join("") + decoder.decode();
  if (end !== "") yield end;
}
