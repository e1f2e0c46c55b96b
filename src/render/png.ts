// SVG, or pixels, → PNG, by sharp. Loads sharp when first used, so that fonts can be made known before (see fonts.ts).

import { HdashError } from "../error.ts";
import { withoutLacking } from "./fontCoverage.ts";

/** At this density one unit of the SVG becomes one pixel. */
const UNIT_DENSITY = 72;
/** Bounds what a hostile or broken SVG can ask for: 20,000 pixels each way. */
const MOST_PIXELS = 400_000_000;

/**
 * A coordinate of a million or more. The rasteriser has been seen to crash the whole process at five million, which no catch can
 * hold; figures are some thousands wide.
 */
const FAR =
  /\s(?:transform|d|x|y|x1|x2|y1|y2|cx|cy|width|height|points)="[^"]*?(?<![\d.])(-?\d{7,}(?:\.\d+)?)/;

/** How a picture is written, where a figure needs more than few colours or is measured in inches. */
export interface PngOptions {
  /** Colours of the palette, 2 to 256. */
  readonly colours?: number;
  /** Pixels per inch that the file says; none is said without. */
  readonly dpi?: number;
}

/** Reads the height in pixels from a PNG's first chunk, IHDR, which follows its eight bytes of signature. */
export function heightOfPng(png: Uint8Array): number {
  return new DataView(png.buffer, png.byteOffset, png.byteLength).getUint32(20);
}

/** Pixels row by row, four bytes each: red, green, blue and how opaque. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

/** Writes pixels with a palette; of 100, `quality` says how true its colours must be. Throws a permanent error for what is no picture. */
export async function encodePng(
  { width, height, bytes }: Pixels,
  quality: number,
): Promise<Uint8Array> {
  try {
    const { default: sharp } = await import("sharp");
    return await sharp(bytes, { raw: { width, height, channels: 4 } })
      .png({ palette: true, quality, effort: 1, dither: 0, compressionLevel: 9 })
      .toBuffer();
  } catch (cause) {
    throw new HdashError("permanent", `${width} × ${height} pixels could not be written as PNG`, {
      cause,
    });
  }
}

/** Draws a standalone SVG on white; `scale` 2 gives a picture for dense screens. Throws a permanent error for what is not SVG. */
export async function renderPng(
  svg: string,
  scale = 2,
  { colours = 64, dpi }: PngOptions = {},
): Promise<Uint8Array> {
  const far = FAR.exec(svg);
  if (far !== null) {
    throw new HdashError(
      "permanent",
      `a figure reaches out of its sheet, to ${far[1]}, and cannot be drawn as PNG`,
    );
  }
  try {
    const { default: sharp } = await import("sharp");
    const picture = sharp(Buffer.from(await withoutLacking(svg)), {
      density: UNIT_DENSITY * scale,
      limitInputPixels: MOST_PIXELS,
    })
      .flatten({ background: "#ffffff" })
      // Figures have few colours: a palette halves the file, and at effort 1 without dither it takes 50 ms instead of 150.
      .png({ palette: true, colours, effort: 1, dither: 0 });
    return await (dpi === undefined ? picture : picture.withMetadata({ density: dpi })).toBuffer();
  } catch (cause) {
    throw new HdashError("permanent", "a figure could not be drawn as PNG", { cause });
  }
}
