// Where in a shell's text a value would stand: a word of its own is quoted, and anywhere else no quoting is right. It knows less than a shell
// does, and where it cannot be sure, it says so: a value that is refused is an error, one that is let through by mistake runs as a command.

export interface ShellScanner {
  /** Takes the next text of a script. */
  feed(text: string): void;
  /** Says what a value would stand in here; null where it may stand as a word. */
  place(): string | null;
}

/** A here-document whose lines are still to come. */
interface HereDocument {
  readonly end: string;
  /** Whether tabs before its end do not count (<<-). */
  readonly isIndented: boolean;
}

type Mode = "plain" | "single" | "double" | "ansi" | "backtick" | "comment" | "here" | "hereName";

const PLACES: Readonly<Record<Exclude<Mode, "plain">, string>> = {
  single: "single quotes",
  double: "double quotes",
  ansi: "quotes",
  backtick: "backticks",
  comment: "a comment",
  here: "a here-document",
  hereName: "the name of a here-document",
};
/** What ends a word, so that a # after it begins a comment. */
const WORD_ENDS = " \t\n;&|()";

/** Reads the name that ends a here-document, behind its arrows; gives it with the character that ends it. */
function makeNameReader(): { take(char: string): HereDocument | null } {
  let end = "";
  let quote = "";
  let isIndented = false;
  let isFirst = true;
  let hasBegun = false;
  return {
    take(char) {
      const wasFirst = isFirst;
      isFirst = false;
      if (quote !== "") {
        if (char === quote) quote = "";
        else end += char;
      } else if (wasFirst && char === "-") isIndented = true;
      else if (!hasBegun && (char === " " || char === "\t")) return null;
      else if (char === "'" || char === '"') {
        hasBegun = true;
        quote = char;
      } else if (`${WORD_ENDS}<>`.includes(char)) return { end, isIndented };
      else {
        hasBegun = true;
        if (char !== "\\") end += char;
      }
      return null;
    },
  };
}

/** Makes a scanner at the beginning of a script for bash or sh. */
export function makeShellScanner(): ShellScanner {
  let mode: Mode = "plain";
  let last = "\n";
  let [isEscaped, isAfterDollar, isUnsure, isThree] = [false, false, false, false];
  /** How deep within $( or ${ of double quotes. */
  let nested = 0;
  /** Text within that: a case has parentheses that close nothing. */
  let within = "";
  const coming: HereDocument[] = [];
  let name = makeNameReader();
  let line = "";

  function plain(char: string): void {
    if (char === "\\") isEscaped = true;
    else if (char === "'") mode = isAfterDollar ? "ansi" : "single";
    else if (char === '"') mode = "double";
    else if (char === "`") mode = "backtick";
    else if (char === "#" && WORD_ENDS.includes(last)) mode = "comment";
    else if (char === "\n") endLine();
  }

  function endLine(): void {
    mode = coming.length > 0 ? "here" : "plain";
    line = "";
  }

  function double(char: string): void {
    if (char === "\\") {
      isEscaped = true;
      isUnsure ||= nested > 0;
    } else if (nested > 0) {
      within += char;
      isUnsure ||= /['"`]|<<|case$/.test(within);
      if (char === "(" || char === "{") nested++;
      else if (char === ")" || char === "}") nested--;
    } else if (char === "`") isUnsure = true;
    else if (isAfterDollar && (char === "(" || char === "{")) {
      nested = 1;
      within = "";
    } else if (char === '"') mode = "plain";
  }

  function hereName(char: string): void {
    const found = name.take(char);
    if (found === null) return;
    coming.push(found);
    mode = "plain";
    plain(char);
  }

  function here(char: string): void {
    if (char !== "\n") {
      line += char;
      return;
    }
    const [first] = coming;
    const own = first?.isIndented === true ? line.replace(/^\t+/, "") : line;
    if (own === first?.end) coming.shift();
    endLine();
  }

  function step(char: string, next: string): void {
    if (isEscaped) {
      isEscaped = false;
      // A line that goes on has no end; the character counts for nothing else.
      last = "\\";
      isAfterDollar = false;
      return;
    }
    const wasPlain = mode === "plain";
    switch (mode) {
      case "plain":
        plain(char);
        break;
      case "single":
        if (char === "'") mode = "plain";
        break;
      case "ansi":
        if (char === "\\") isEscaped = true;
        else if (char === "'") mode = "plain";
        break;
      case "double":
        double(char);
        break;
      case "backtick":
        if (char === "\\") isEscaped = true;
        else if (char === "`") mode = "plain";
        break;
      case "comment":
        if (char === "\n") endLine();
        break;
      case "here":
        here(char);
        break;
      case "hereName":
        hereName(char);
        break;
    }
    // Of three, it is a word that is read: <<<.
    if (wasPlain && char === "<" && last === "<" && next !== "<" && !isThree) {
      mode = "hereName";
      name = makeNameReader();
    }
    isThree = wasPlain && char === "<" && last === "<";
    isAfterDollar = char === "$" && !isAfterDollar;
    last = char;
  }

  return {
    feed(text) {
      for (let at = 0; at < text.length; at++) step(text[at] ?? "", text[at + 1] ?? "");
    },
    place() {
      if (mode !== "plain") return PLACES[mode];
      if (isUnsure) return "a line behind quotes within quotes, which sh cannot follow";
      if (isEscaped) return "what a backslash takes the meaning from";
      return isAfterDollar ? "the name behind a $" : null;
    },
  };
}
