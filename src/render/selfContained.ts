// A page in one file: its styles, scripts and fonts within it, and a policy that lets in nothing else.

import { createHash } from "node:crypto";
import { posix } from "node:path";

import { HdashError } from "../error.ts";
import type { SiteAssets } from "./assets.ts";

const STYLE = /<link rel="stylesheet" href="([^"]+)">\n?/g;
const SCRIPT = /<script src="([^"]+)"( defer)?><\/script>\n?/g;

/** Takes into a page what it refers to. Deferred scripts go to its end, where they find all of it, in their order. */
export function selfContained(html: string, { files }: SiteAssets): string {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const textOf = (path: string): string => {
    const file = byPath.get(path);
    if (file === undefined)
      throw new HdashError("permanent", `a page refers to ${path}, which is no asset`);
    return Buffer.from(file.bytes).toString("utf8");
  };
  const withFonts = (css: string, path: string): string =>
    css.replaceAll(/url\("([^"]+)"\)/g, (whole, name: string) => {
      const file = byPath.get(posix.join(posix.dirname(path), name));
      if (file === undefined) return whole;
      return `url("data:${file.contentType};base64,${Buffer.from(file.bytes).toString("base64")}")`;
    });
  const styles: string[] = [];
  const scripts: string[] = [];
  const last: string[] = [];
  const page = html
    .replaceAll(STYLE, (_, path: string) => {
      const css = withFonts(textOf(path), path);
      styles.push(css);
      return `<style>${css}</style>\n`;
    })
    .replaceAll(SCRIPT, (_, path: string, defer: string | undefined) => {
      const code = textOf(path);
      // The end of an element within its own text would end it.
      if (/<\/script/i.test(code))
        throw new HdashError("permanent", `${path} holds the end of a script`);
      scripts.push(code);
      if (defer === undefined) return `<script>${code}</script>\n`;
      last.push(code);
      return "";
    });
  const tail = last.map((code) => `<script>${code}</script>\n`).join("");
  const at = page.lastIndexOf("</body>");
  return withPolicy(page.slice(0, at) + tail + page.slice(at), styles, scripts);
}

function withPolicy(html: string, styles: readonly string[], scripts: readonly string[]): string {
  const hashes = (texts: readonly string[]): string =>
    texts.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`).join(" ");
  return html
    .replace("script-src 'self'", `script-src ${hashes(scripts)}`)
    .replace("style-src 'self'", `style-src ${hashes(styles)}`)
    .replace("font-src 'self'", "font-src data:")
    .replace("img-src 'self' data:", "img-src data:");
}
