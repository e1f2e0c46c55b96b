// SVG text: what vega writes, made small, repeatable and safe to put several times into one page.

import { CSS_VARIABLES, FONT, INK } from "./theme.ts";

/** Control characters and halves of surrogate pairs: XML 1.0 has no way to write them. */
const UNWRITABLE =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Characters that turn the direction of what follows them, and controls that browsers still act on or show as boxes. */
export const HIDDEN = /[\u0080-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** Escapes text for SVG content and double-quoted attributes. */
export function escapeXml(text: string): string {
  return text
    .replace(UNWRITABLE, "\ufffd")
    .replace(HIDDEN, "")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}

/** A drawing without its root element. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly body: string;
}

const ROOT = /^<svg [^>]*?viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>/;
/** Attributes that say nothing to a reader or a browser here: roles are on the root, and nothing is pointed at. */
const NOISE =
  / (?:class|role|pointer-events|aria-hidden|aria-roledescription|aria-label)="[^"]*"| opacity="1"| stroke-opacity="1"/g;
/** Frames of groups, which vega writes also where they are not to be seen. */
const FRAME = /<path class="(?:background|foreground)"(?![^>]* (?:fill|stroke)=)[^>]*\/>/g;

/**
 * Takes the drawing out of the SVG that vega wrote, without its scaffolding.
 * Ids come from a counter that lives as long as the process: they are numbered anew, in order, behind `prefix`.
 */
export function takeDrawing(svg: string, prefix: string): Drawing {
  const root = ROOT.exec(svg);
  if (root === null) throw new TypeError("not an SVG that vega wrote");
  const ids = new Map<string, string>();
  const renumbered = (id: string): string => {
    const known = ids.get(id) ?? `${prefix}-${ids.size}`;
    ids.set(id, known);
    return known;
  };
  const body = svg
    .slice(root[0].length, svg.lastIndexOf("</svg>"))
    .replace(UNWRITABLE, "\ufffd")
    .replace(HIDDEN, "")
    .replace(FRAME, "")
    .replace(/<[^>]+>/g, (tag) =>
      tag
        .replace(NOISE, "")
        .replace(/ id="([^"]+)"/g, (_, id: string) => ` id="${renumbered(id)}"`)
        .replace(/url\(#([^)"]+)\)/g, (_, id: string) => `url(#${renumbered(id)})`),
    );
  return {
    width: Number(root[1]),
    height: Number(root[2]),
    body: joinPaths(withoutBareGroups(body)),
  };
}

/** Joins neighbouring shapes that look the same into one: they do not overlap, and a heatmap has thousands of them. */
function joinPaths(body: string): string {
  return body.replace(
    /(<path d=")(M[^"]*Z)("(?: fill="[^"]*")\/>)(?:<path d="(?:M[^"]*Z)\3)+/g,
    (run, start: string, _first: string, end: string) =>
      start + [...run.matchAll(/ d="([^"]*)"/g)].map((match) => match[1]).join("") + end,
  );
}

/** Drops groups that neither move nor style what they hold; vega writes three around every mark. */
function withoutBareGroups(body: string): string {
  const open: boolean[] = [];
  const kept = body.replace(/<g(?: [^>]*)?>|<\/g>/g, (tag) => {
    if (tag === "</g>") return open.pop() === true ? tag : "";
    const keep = tag !== "<g>" && tag !== '<g transform="translate(0,0)">';
    open.push(keep);
    return keep ? tag : "";
  });
  return kept.replace(/<g(?: [^>]*)?><\/g>/g, "");
}

/** Writes a figure as a file of its own: on white, with its title, in the colours of paper. */
export function standaloneSvg(drawing: Drawing, title: string, alt: string): string {
  const margin = 20;
  const head = 34;
  const width = Math.ceil(drawing.width + 2 * margin);
  const height = Math.ceil(drawing.height + head + 2 * margin);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(alt)}">` +
    `<title>${escapeXml(title)}</title><rect width="${width}" height="${height}" fill="${INK.surface}"/>` +
    `<text x="${margin}" y="${margin + 14}" font-family="${FONT}, sans-serif" font-size="16px" font-weight="600" fill="${INK.ink}">${escapeXml(title)}</text>` +
    `<g transform="translate(${margin},${margin + head})">${withFallbackFont(drawing.body)}</g></svg>\n`
  );
}

/** What has a colour that stands for a value, and no CSS variable for it; a dark page turns its lightness around. */
const TURNED = ' class="turned"';

/**
 * Writes a figure as an element of a page: no font of its own, and colours that follow the page's theme by CSS variables,
 * with those of paper where the page defines none. Pictures, and what has a colour of its own, are marked as such.
 */
export function inlineSvg(drawing: Drawing, alt: string): string {
  const body = drawing.body.replace(/<[^>]+>/g, (tag) => {
    let isOwn = tag.startsWith("<image ");
    const themed = tag
      .replace(/ font-family="[^"]*"/g, "")
      .replace(
        / (fill|stroke|stop-color)="(#[0-9a-f]{6})"/g,
        (attribute, name: string, color: string) => {
          const variable = CSS_VARIABLES[color];
          isOwn ||= variable === undefined;
          return variable === undefined ? attribute : ` ${name}="var(${variable}, ${color})"`;
        },
      );
    return isOwn ? themed.replace(/^<\w+/, (start) => start + TURNED) : themed;
  });
  return (
    `<svg width="${drawing.width}" height="${drawing.height}" viewBox="0 0 ${drawing.width} ${drawing.height}" role="img" aria-label="${escapeXml(alt)}" focusable="false">` +
    `${body}</svg>`
  );
}

function withFallbackFont(body: string): string {
  return body.replace(/<[^>]+>/g, (tag) =>
    tag.replace(` font-family="${FONT}"`, ` font-family="${FONT}, sans-serif"`),
  );
}
