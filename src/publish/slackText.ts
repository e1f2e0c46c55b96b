// Text that comes from data, made fit for Slack: nothing in it may be a link, a mention or a line of its own.

/** Makes text that comes from data harmless in mrkdwn, and clips it so that it has no more characters than that once it is escaped. */
export function data(text: string, chars: number): string {
  return escape(clean(text, chars, (point) => escape(point).length));
}

/** Takes out what could break a line, move a cursor or turn the direction of reading, and clips to some characters. */
export function clean(
  text: string,
  chars: number,
  lengthOf = (point: string) => point.length,
): string {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\s\u202a-\u202e\u2066-\u2069\ufeff]+/gu, " ")
    .trim();
  let clipped = "";
  let length = 0;
  // It is cut between code points, so that neither a surrogate pair nor an escape is cut in two.
  for (const point of line) {
    length += lengthOf(point);
    if (length > chars) return `${clipped.trimEnd()}…`;
    if (length < chars) clipped += point;
  }
  return line;
}

export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Takes Slack's marks for links, bold and escapes out of a text. It leaves an asterisk that stands alone, since that is from data. */
export function plain(text: string): string {
  return text
    .replace(/<([^|<>]+)\|([^<>]+)>/g, "$2: $1")
    .replace(/(?<!\S)\*(?=\S)([^*\n]+)(?<=\S)\*(?=[\s:]|$)/gm, "$1")
    .replaceAll("`", "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
