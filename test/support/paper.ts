// Pages as they come out on paper: printed by Chromium, and read back by poppler's pdftotext, word by word with their places.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Page } from "playwright-core";

/** The two widths of paper that offices have. */
export const PAPERS = ["A4", "Letter"] as const;

/** A word on a sheet; places are points from the sheet's top left. */
interface Word {
  /** Counts from 0. */
  readonly sheet: number;
  readonly text: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** What has been printed: the words line by line, from left to right, and how large the sheets are. */
interface Printed {
  readonly sheets: number;
  readonly width: number;
  readonly height: number;
  readonly words: readonly Word[];
}

/** 14 mm, as print.css has it, in points. */
const MARGIN = (14 * 72) / 25.4;

/** Prints a page and reads it back. */
export async function printPage(page: Page, format: (typeof PAPERS)[number]): Promise<Printed> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-paper-"));
  try {
    const path = join(dir, "page.pdf");
    await page.pdf({ path, format, preferCSSPageSize: false });
    const { stdout } = await promisify(execFile)("pdftotext", ["-bbox", path, "-"], {
      maxBuffer: 256 * 2 ** 20,
    });
    return readWords(stdout);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function readWords(xhtml: string): Printed {
  const parts = xhtml.split(/<page /).slice(1);
  const size = /^width="([\d.]+)" height="([\d.]+)"/.exec(parts[0] ?? "");
  const words = parts.flatMap((part, sheet) =>
    [
      ...part.matchAll(
        /<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)<\/word>/g,
      ),
    ].map(([, left, top, right, bottom, text = ""]) => ({
      sheet,
      text: text
        .replace(/&lt;/g, "<")
        .replace(/&gt;/g, ">")
        .replace(/&quot;/g, '"')
        .replace(/&amp;/g, "&"),
      left: Number(left),
      top: Number(top),
      right: Number(right),
      bottom: Number(bottom),
    })),
  );
  // Poppler looks for columns, and finds some in tables.
  const line = ({ top, bottom }: Word) => Math.round((top + bottom) / 4);
  words.sort((a, b) => a.sheet - b.sheet || line(a) - line(b) || a.left - b.left);
  return { sheets: parts.length, width: Number(size?.[1]), height: Number(size?.[2]), words };
}

/** Words that reach over the margins, where a printer may cut them. */
export function cutWords({ words, width, height }: Printed): readonly string[] {
  return words
    .filter(
      ({ left, top, right, bottom }) =>
        left < MARGIN - 2 ||
        right > width - MARGIN + 2 ||
        top < MARGIN - 4 ||
        bottom > height - MARGIN + 4,
    )
    .map(({ sheet, text }) => `${sheet + 1}: ${text}`);
}

/** Pairs of words that lie on each other, by more than the rims of their letters. */
export function overprints({ words }: Printed): readonly string[] {
  const found: string[] = [];
  for (const own of Map.groupBy(words, ({ sheet }) => sheet).values()) {
    const sorted = own.toSorted((a, b) => a.top - b.top);
    for (const [at, one] of sorted.entries()) {
      for (const other of sorted.slice(at + 1)) {
        if (other.top >= one.bottom) break;
        const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const down = Math.min(one.bottom, other.bottom) - other.top;
        const least = Math.min(one.bottom - one.top, other.bottom - other.top);
        if (across > 1 && down > least * 0.45) {
          found.push(`${one.sheet + 1}: ${one.text} / ${other.text}`);
        }
      }
    }
  }
  return found;
}

/** Where texts stand, in their order: the index of the first word of each, found after the one before; throws for one that is not there. */
export function placesOf({ words }: Printed, texts: readonly string[]): readonly number[] {
  let from = 0;
  return texts.map((text) => {
    const wanted = text.split(" ");
    const at = words.findIndex(
      (_, index) =>
        index >= from && wanted.every((word, next) => words[index + next]?.text === word),
    );
    if (at < 0) throw new Error(`${text} is not on paper after what stands before it`);
    from = at + wanted.length;
    return at;
  });
}
