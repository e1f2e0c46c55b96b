// Command lines as a real bash reads them: each value is one word, whatever is in it.

import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";

import { describe, expect, test } from "vitest";

import { HdashError } from "../../../../src/error.ts";
import { type Script, sh, type Words } from "../../../../src/jobs/analysis/writing/script.ts";

/** Runs a command line as steps are run; gives what it printed. */
function bash({ text }: Script): string {
  const { status, stdout, stderr } = runBash(text);
  expect(status, `${text}\n${stderr}`).toBe(0);
  return stdout;
}

function runBash(text: string) {
  // Without a socket on standard input, which bash takes for a login from afar.
  return spawnSync("bash", ["--noprofile", "--norc", "-euo", "pipefail", "-c", text], {
    ...{ encoding: "utf8", cwd: tmpdir(), stdio: ["ignore", "pipe", "pipe"] },
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8" },
  });
}

/** The words that bash makes of a value, also where it makes none. */
function words(value: Words): readonly string[] {
  return bash(sh`for word in ${value}; do printf '%s\\0' "$word"; done`)
    .split("\0")
    .slice(0, -1);
}

/** Numbers in [0, 1) that are the same in every run. */
function makeDice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What means something to a shell, or nothing, or is more than a byte. */
const PIECES = [
  ...[
    "'",
    '"',
    "`",
    "$",
    "$(echo no)",
    "${HOME}",
    "`id`",
    "\\",
    "\\'",
    '\\"',
    "\n",
    "\n  ",
    " \n",
    "\r",
    "\t",
    " ",
  ],
  ...[
    "-",
    "--",
    "-e",
    "~",
    "*",
    "?",
    "[a]",
    "{a,b}",
    "!",
    "#",
    "# it's",
    ";",
    "&",
    "|",
    "<",
    ">",
    "<<EOF",
  ],
  ...[
    "(",
    ")",
    "%s",
    "%",
    "=",
    "a=b",
    "a",
    "B",
    "7",
    "ß",
    "é",
    "😀",
    "\u200b",
    "\u00a0",
    "\u0007",
    "EOF",
  ],
];

/** Texts of up to eight pieces, the same in every run. */
function makeTexts(count: number, seed: number): readonly string[] {
  const dice = makeDice(seed);
  const draw = (): string => PIECES[Math.floor(dice() * PIECES.length)] ?? "";
  return Array.from({ length: count }, () =>
    Array.from({ length: Math.floor(dice() * 9) }, draw).join(""),
  );
}

/** A line of a value that begins with a blank. */
const INDENTED = /\n[^\S\n]/;

describe("sh`…`, a value as bash reads it", () => {
  const texts = ["", "-n", "--", "$HOME", "it's", ...makeTexts(400, 7)];

  test("is the very value, whatever is in it", () => {
    const own = texts.filter((text) => !INDENTED.test(text));
    expect(own.length).toBeGreaterThan(350);
    for (const value of own) {
      expect(bash(sh`printf '%s\\n' ${value}`), JSON.stringify(value)).toBe(`${value}\n`);
    }
  });

  test("is the very value also where lines of it begin with blanks", () => {
    const own = [
      ...texts.filter((text) => INDENTED.test(text)),
      "a\n    b",
      "a\n \t\n\n  b\n",
      "\n \n",
    ];
    expect(own.length).toBeGreaterThan(10);
    for (const value of own) {
      expect(bash(sh`printf '%s\\n' ${value}`), JSON.stringify(value)).toBe(`${value}\n`);
      const below = sh`
        printf '%s\\n' \\
          ${value}
      `;
      expect(bash(below), JSON.stringify(value)).toBe(`${value}\n`);
    }
  });

  test("is one word among others, also where it touches text", () => {
    for (const value of makeTexts(50, 8).filter((text) => !INDENTED.test(text))) {
      expect(bash(sh`printf '%s|' first --x=${value} ${value}.txt last`)).toBe(
        `first|--x=${value}|${value}.txt|last|`,
      );
    }
  });

  test("is as many words as a list has, in order, and none of an empty one", () => {
    const list = ["a b", "", "-x", "it's", '$HOME "`', "\n"];
    expect(words(list)).toEqual(list);
    expect(words([["a", ["b c"]], [], "d"])).toEqual(["a", "b c", "d"]);
    expect(words([])).toEqual([]);
    expect(words([[], []])).toEqual([]);
    expect(words([""])).toEqual([""]);
    for (const value of makeTexts(20, 9)) {
      expect(words([value.replaceAll(/\s/g, "_"), "end"])).toEqual([
        value.replaceAll(/\s/g, "_"),
        "end",
      ]);
    }
  });

  test("is no word where it is null, and an empty one where it is an empty text", () => {
    expect(words(null)).toEqual([]);
    expect(words(["a", null, "b"])).toEqual(["a", "b"]);
    expect(words("")).toEqual([""]);
  });

  test("is a number or a truth as JavaScript writes it", () => {
    expect(words([0, -1, 6, 0.5, 1e-7, 1e21, 2 ** 53 - 1, true, false])).toEqual([
      ...["0", "-1", "6", "0.5", "1e-7", "1e+21", "9007199254740991", "true", "false"],
    ]);
  });

  test("is where a file lies", () => {
    const at = (staged: string) => ({ staged, toString: () => staged });
    expect(words([at("lane"), at("my tables/1")])).toEqual(["lane", "my tables/1"]);
    expect(bash(sh`printf '%s' ${at("a b")}/genome.fa`)).toBe("a b/genome.fa");
  });

  test("stays a word before a redirection", () => {
    expect(bash(sh`echo ${2}>&1; echo ${"1"}>&1; echo ${6}</dev/null`)).toBe("2\n1\n6\n");
  });

  test.each(["!", "{", "~", "[[", "x y"])("is a program's name in front, e.g. %s", (word) => {
    expect(bash(sh`${word} >/dev/null 2>&1 || printf $?`)).toBe("127");
  });

  test.each(["if", "then", "for", "A=1"])("is a program's name in front, e.g. %s", (word) => {
    expect(bash(sh`${word} >/dev/null 2>&1 || printf $?`)).toBe("127");
  });

  test("is text that counts for the shell with sh.raw alone", () => {
    expect(bash(sh`printf '%s|' ${sh.raw("a 'b c' $((1 + 1))")}`)).toBe("a|b c|2|");
    expect(bash(sh`printf '%s|' ${["$(x)", sh.raw("b c")]}`)).toBe("$(x)|b|c|");
  });
});

describe("sh`…`, what it refuses", () => {
  test("refuses a NUL, and names the value", () => {
    expect(() => sh`echo ${sh.raw("a\0b")}`).toThrow("a command line has a NUL");
    expect(() => sh`echo ${"a\0b"}`).toThrow('"a\\u0000b" cannot be a word: it has a NUL');
    expect(() => sh`echo ${["x", "\0"]}`).toThrow("it has a NUL");
  });

  test.each([Number.NaN, Infinity, -Infinity])(
    "refuses %d, which no program reads as one",
    (value) => {
      expect(() => sh`echo ${value}`).toThrow(
        `${value} in a command line: a number has to be finite`,
      );
    },
  );

  test("refuses undefined in a sentence of its own", () => {
    expect(() => sh`echo ${undefined as unknown as null}`).toThrow(
      /value 1|undefined in a command line/,
    );
  });

  const inside = (number: number, quote: string): string =>
    `value ${number} of a command line stands in ${quote === "'" ? "single" : "double"} quotes`;
  test.each<[string, () => Script, string]>([
    ["between double quotes", () => sh`echo "${"a"}"`, inside(1, '"')],
    ["between single quotes", () => sh`echo '${"a"}'`, inside(1, "'")],
    ["as the second", () => sh`echo ${"a"} "x ${"b"}"`, inside(2, '"')],
    ["after values with quotes", () => sh`echo ${"it's"} ${'"'} "${"b"}"`, inside(3, '"')],
    [
      "after a comment with an apostrophe",
      () => sh`
      # it's a comment
      echo "${"a"}"`,
      inside(1, '"'),
    ],
    ["after an escaped apostrophe", () => sh`echo \\' "${"a"}"`, inside(1, '"')],
    ["after an escaped quote in quotes", () => sh`echo "\\" ${"a"}"`, inside(1, '"')],
    ["after a backslash in single quotes", () => sh`echo '\\' '${"a"}'`, inside(1, "'")],
    [
      "over lines",
      () => sh`echo "a
      b ${"a"}"`,
      inside(1, '"'),
    ],
  ])("refuses a value %s", (_where, make, says) => {
    expect(make).toThrow(says);
  });

  test.each<[string, () => Script, string]>([
    [
      "a comment with an apostrophe",
      () => sh`
      # it's a comment
      echo ${"a b"} # and it's one, too`,
      "a b\n",
    ],
    ["an escaped apostrophe", () => sh`echo \\' ${"a b"}`, "' a b\n"],
    ["an escaped quote in quotes", () => sh`echo "\\"" ${"a b"}`, '" a b\n'],
    ["a backslash in single quotes", () => sh`echo '\\' ${"a b"}`, "\\ a b\n"],
    ["an apostrophe in double quotes", () => sh`echo "it's" ${"a b"}`, "it's a b\n"],
    ["a # within a word", () => sh`echo a#' ' ${"a b"}`, "a#  a b\n"],
    ["a # in quotes", () => sh`echo " # it's" ${"a b"}`, " # it's a b\n"],
    ["a value with a # and an apostrophe", () => sh`echo ${" # it's"} ${"a b"}`, " # it's a b\n"],
  ])("takes a value after %s", (_what, make, printed) => {
    expect(bash(make())).toBe(printed);
  });

  test.each<[string, () => Script, string]>([
    [
      "a comment behind a semicolon",
      () => sh`
      true;# it's a comment
      echo ${"a b"}`,
      "a b\n",
    ],
    [
      "a here-document with an apostrophe",
      () => sh`
      cat <<'EOF'
      it's
      EOF
      echo ${"a b"}`,
      "it's\na b\n",
    ],
  ])("takes a value after %s", (_what, make, printed) => {
    expect(bash(make())).toBe(printed);
  });

  /** What bash does with a command line: whether it ran the value, and what it printed; null where the line is refused. */
  const outcome = (
    make: () => Script,
  ): { readonly hasRun: boolean; readonly out: string } | null => {
    let script: Script;
    try {
      script = make();
    } catch (error) {
      expect(error).toBeInstanceOf(HdashError);
      return null;
    }
    const { stdout, stderr } = runBash(script.text);
    return { hasRun: stderr.split("\n").includes("ran"), out: stdout };
  };

  // Where quotes do not keep a value together.
  test.each<[string, (value: string) => Script, string]>([
    [
      "in a comment",
      (value) => sh`
        true # for ${value}
        echo hi`,
      "a\necho ran >&2 #",
    ],
    [
      "in a here-document",
      (value) => sh`
        cat <<EOF
        ${value}
        EOF`,
      "$(echo ran >&2)",
    ],
    [
      "in a quoted here-document",
      (value) => sh`
        cat <<'EOF'
        ${value}
        EOF`,
      "\nEOF\necho ran >&2\n: ",
    ],
    ["behind a backslash", (value) => sh`echo \\${value}`, "; echo ran >&2; echo \\"],
    ["behind a dollar sign", (value) => sh`echo $${value}`, "\\'; echo ran >&2; : \\'"],
    ["in $'…'", (value) => sh`echo $'\\'${value}'`, "; echo ran >&2; : "],
    ["in backticks", (value) => sh`echo \`printf %s ${value}\``, "a`; echo ran >&2; echo `b"],
  ])("never runs a value %s", (_where, make, value) => {
    expect(outcome(() => make(value))?.hasRun ?? false).toBe(false);
  });

  test.each<[string, (value: string) => Script]>([
    [
      "in a here-document",
      (value) => sh`
        cat <<EOF
        ${value}
        EOF`,
    ],
    ["behind a dollar sign", (value) => sh`printf '%s\\n' $${value}`],
  ])("refuses a value %s, or gives it as it is", (_where, make) => {
    for (const value of ["a b", "a\\nb", "it's"]) {
      expect([undefined, `${value}\n`, `$${value}\n`]).toContain(outcome(() => make(value))?.out);
    }
  });
});

describe("sh`…`, its own text", () => {
  test("has what a shell is to read: a backslash before a digit is not lost", () => {
    // An escape that JavaScript does not know makes the text of the template undefined.
    let said: string;
    try {
      said = bash(sh`echo ab | sed 's/\(a\)b/\1/'`);
    } catch (error) {
      said = String(error);
    }
    expect(said).toMatch(/^a\n$|backslash/);
  });

  test("stands in a file as deep as it likes", () => {
    const { text } = sh`
      if true; then
        echo ${"a"}

        echo b
      fi
    `;
    expect(text).toBe("if true; then\n  echo 'a'\n\n  echo b\nfi");
  });

  test.each<[string, Script, string]>([
    [
      "a first line beside the quote",
      sh`echo a
      echo b`,
      "a\nb\n",
    ],
    [
      "a command over lines",
      sh`
      printf '%s|' \\
        a \\
        b`,
      "a|b|",
    ],
    [
      "a here-document, whose end has to be at the line's start",
      sh`
      cat <<EOF
      a
        b
      EOF
      echo c`,
      "a\n  b\nc\n",
    ],
    [
      "a here-document that takes tabs away",
      sh`
      cat <<-EOF
      \ta
      \tEOF
      echo c`,
      "a\nc\n",
    ],
    [
      "a function and a loop",
      sh`
      f() {
        for x in "$@"; do
          echo "<$x>"
        done
      }
      f ${["a b", "c"]}`,
      "<a b>\n<c>\n",
    ],
  ])("does what it says with %s", (_what, script, printed) => {
    expect(bash(script)).toBe(printed);
  });

  test("does the same however deep it stands", () => {
    const near = sh`
cat <<EOF
a
  b

EOF
`;
    const deep = sh`
            cat <<EOF
            a
              b

            EOF
    `;
    expect(deep.text).not.toBe("");
    expect(bash(deep)).toBe(bash(near));
  });

  test("is empty where nothing is said", () => {
    expect(sh``).toEqual({ kind: "script", text: "" });
  });
});
