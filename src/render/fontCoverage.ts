// Which characters the fonts of figures have: what they lack is drawn as a stand-in, not as boxes as wide as chance has it.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

/** Both weights have the same characters. */
const FACE = "@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf";
/** Inter has all of Latin, which nearly all figures are written in. */
const BEYOND = /[^\u0000-\u024f]/u;
/** What stands for a character that is lacking. */
const STAND_IN = "?";

/** Replaces in a text, or in SVG, characters that no font of figures has; what only shapes others (joiners, variants) goes. */
export async function withoutLacking(text: string): Promise<string> {
  if (!BEYOND.test(text)) return text;
  const has = readCoverage(await readFile(createRequire(import.meta.url).resolve(FACE)));
  return text.normalize("NFC").replace(/[^\u0000-\u024f]/gu, (character) => {
    if (has(character.codePointAt(0) ?? 0)) return character;
    return /[\p{Cf}\p{Mn}\p{Me}]/u.test(character) ? "" : STAND_IN;
  });
}

/** Reads which characters a TrueType font has glyphs for; of its tables the widest that is of Unicode. */
function readCoverage(font: Buffer): (codePoint: number) => boolean {
  const tables = font.readUInt16BE(4);
  for (let table = 0; table < tables; table++) {
    const record = 12 + table * 16;
    if (font.toString("latin1", record, record + 4) !== "cmap") continue;
    const cmap = font.subarray(font.readUInt32BE(record + 8));
    const maps = Array.from({ length: cmap.readUInt16BE(2) }, (_, map) =>
      cmap.subarray(cmap.readUInt32BE(4 + map * 8 + 4)),
    );
    const wide = maps.find((map) => map.readUInt16BE(0) === 12);
    if (wide !== undefined) return coverageOf(groupsOf(wide));
    const narrow = maps.find((map) => map.readUInt16BE(0) === 4);
    if (narrow !== undefined) return coverageOf(segmentsOf(narrow));
  }
  throw new TypeError("the font of figures has no table of characters");
}

type Range = readonly [first: number, last: number];

function coverageOf(ranges: readonly Range[]): (codePoint: number) => boolean {
  return (codePoint) => ranges.some(([first, last]) => codePoint >= first && codePoint <= last);
}

/** Format 12: groups of characters and glyphs that follow each other. */
function groupsOf(map: Buffer): readonly Range[] {
  return Array.from({ length: map.readUInt32BE(12) }, (_, group): Range => {
    const at = 16 + group * 12;
    return [map.readUInt32BE(at), map.readUInt32BE(at + 4)];
  });
}

/** Format 4: segments of characters up to U+FFFF; the last stands for nothing. */
function segmentsOf(map: Buffer): readonly Range[] {
  const segments = map.readUInt16BE(6) / 2;
  return Array.from({ length: segments - 1 }, (_, segment): Range => {
    const last = map.readUInt16BE(14 + segment * 2);
    return [map.readUInt16BE(16 + segments * 2 + segment * 2), last];
  });
}
