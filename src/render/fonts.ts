// The fonts of figures that become pictures: Inter as files, made known to fontconfig, which sharp's text goes through.

import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

import { HdashError } from "../error.ts";
import { escapeXml } from "./svg.ts";

/** What the environment must say before sharp is loaded for the first time. */
export interface FontEnvironment {
  readonly FONTCONFIG_FILE: string;
}

/** The two weights that figures use. */
const FACES = ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"];

/**
 * Writes a fonts.conf and an empty cache into `dir`, and returns what to put into process.env.
 * fontconfig reads it once, when sharp draws its first text: set it before that, or text is drawn in whatever font is found,
 * or not at all, without a word. Throws a permanent error if the fonts are not installed or `dir` cannot be written.
 */
export async function prepareFonts(dir: string): Promise<FontEnvironment> {
  try {
    const file = join(dir, "fonts.conf");
    const cache = join(dir, "cache");
    await mkdir(cache, { recursive: true });
    await writeFile(file, fontsConf(fontFolders(), cache));
    return { FONTCONFIG_FILE: file };
  } catch (cause) {
    throw new HdashError("permanent", `fonts for figures cannot be prepared in ${dir}`, { cause });
  }
}

function fontFolders(): string[] {
  const require = createRequire(import.meta.url);
  return FACES.map((face) => dirname(require.resolve(`@expo-google-fonts/inter/${face}`)));
}

function fontsConf(folders: readonly string[], cache: string): string {
  const dirs = folders.map((folder) => `  <dir>${escapeXml(folder)}</dir>\n`).join("");
  return (
    `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n${dirs}` +
    `  <cachedir>${escapeXml(cache)}</cachedir>\n` +
    // Only these fonts are known, so that a picture does not depend on what a machine has installed.
    `  <alias binding="same"><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>\n</fontconfig>\n`
  );
}
