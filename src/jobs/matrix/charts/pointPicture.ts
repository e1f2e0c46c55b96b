// Thousands of points as one picture: a transparent PNG that a page can put on a light and on a dark ground.

import { encodePng } from "../../../render/png.ts";
import { channels } from "./shades.ts";

/** Points in pixels of the panel, in the order in which they are drawn. */
export interface PointPicture {
  readonly width: number;
  readonly height: number;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Colour of each point, as an index into `colours`. */
  readonly colour: ArrayLike<number>;
  readonly colours: readonly { readonly colour: string; readonly opacity: number }[];
  readonly radius: number;
  /** Pixels of the picture for one of the panel. */
  readonly fineness: number;
}

/** How far points may stand out of the panel, in pixels. */
export const BLEED = 4;
/** Of 100, how true the colours of the palette must be: edges of points are mixed of few hues, and a third of the bytes is saved. */
const QUALITY = 70;

/** Draws points into a PNG, larger than the panel by BLEED on each side, and gives it as a data: URL. */
export async function drawPoints(picture: PointPicture): Promise<string> {
  const { fineness } = picture;
  const width = Math.round((picture.width + 2 * BLEED) * fineness);
  const height = Math.round((picture.height + 2 * BLEED) * fineness);
  const sheet = new Float32Array(width * height * 4);
  const inks = picture.colours.map(({ colour, opacity }) => ({ ink: channels(colour), opacity }));
  const radius = picture.radius * fineness;
  for (let index = 0; index < picture.x.length; index++) {
    const ink = inks[picture.colour[index] ?? 0];
    if (ink === undefined) continue;
    // On whole pixels, about half of one of the page: nobody sees the shift, and points that are alike take a third of the bytes.
    const x = Math.round(((picture.x[index] ?? NaN) + BLEED) * fineness);
    const y = Math.round(((picture.y[index] ?? NaN) + BLEED) * fineness);
    drawDisc(sheet, width, height, x, y, radius, ink);
  }
  const bytes = Buffer.alloc(sheet.length);
  for (let at = 0; at < sheet.length; at += 4) {
    const opacity = sheet[at + 3] ?? 0;
    if (opacity === 0) continue;
    for (let channel = 0; channel < 3; channel++) {
      bytes[at + channel] = Math.round((sheet[at + channel] ?? 0) / opacity);
    }
    bytes[at + 3] = Math.round(opacity * 255);
  }
  const png = await encodePng({ width, height, bytes }, QUALITY);
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}

/** Lays one disc with a soft edge over what is there; colours are kept multiplied by their opacity. */
function drawDisc(
  sheet: Float32Array,
  width: number,
  height: number,
  x: number,
  y: number,
  radius: number,
  { ink, opacity }: { readonly ink: readonly [number, number, number]; readonly opacity: number },
): void {
  const [red, green, blue] = ink;
  const left = Math.max(Math.floor(x - radius - 0.5), 0);
  const right = Math.min(Math.ceil(x + radius + 0.5), width - 1);
  const top = Math.max(Math.floor(y - radius - 0.5), 0);
  const bottom = Math.min(Math.ceil(y + radius + 0.5), height - 1);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
      const cover = Math.min(Math.max(radius + 0.5 - distance, 0), 1) * opacity;
      if (cover === 0) continue;
      const at = (row * width + column) * 4;
      const keep = 1 - cover;
      sheet[at] = (sheet[at] ?? 0) * keep + red * cover;
      sheet[at + 1] = (sheet[at + 1] ?? 0) * keep + green * cover;
      sheet[at + 2] = (sheet[at + 2] ?? 0) * keep + blue * cover;
      sheet[at + 3] = (sheet[at + 3] ?? 0) * keep + cover;
    }
  }
}
