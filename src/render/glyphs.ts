// How wide text is in Inter, so that figures are laid out without a browser and without guessing.

// Advance widths in thousandths of the font size, for U+0020 to U+007E, read from the hmtx and cmap tables of Inter 4.
// prettier-ignore
const REGULAR = [
  281, 288, 466, 633, 642, 982, 644, 300, 365, 365, 501, 662, 288, 460, 288, 360, 631, 407, 610, 618, 646, 593, 620, 566,
  619, 620, 288, 302, 662, 662, 662, 511, 966, 690, 654, 730, 722, 601, 590, 746, 743, 269, 571, 672, 565, 903, 753, 765,
  639, 765, 644, 642, 646, 744, 690, 985, 682, 679, 629, 365, 360, 365, 471, 456, 323, 562, 612, 571, 612, 583, 370, 613,
  591, 242, 242, 549, 242, 876, 591, 600, 612, 612, 376, 528, 327, 591, 562, 818, 546, 562, 552, 426, 333, 426, 662,
];
// prettier-ignore
const SEMIBOLD = [
  252, 321, 523, 644, 650, 1004, 663, 326, 373, 373, 540, 673, 319, 465, 319, 379, 660, 423, 623, 636, 666, 612, 640, 576,
  640, 640, 319, 329, 673, 673, 673, 543, 999, 728, 659, 737, 722, 605, 588, 749, 746, 277, 580, 703, 565, 922, 759, 769,
  645, 773, 652, 650, 660, 736, 728, 1020, 720, 713, 652, 373, 379, 373, 481, 469, 351, 574, 624, 583, 624, 591, 389, 625,
  612, 262, 262, 569, 262, 900, 612, 609, 624, 624, 397, 549, 353, 612, 587, 839, 569, 588, 566, 455, 359, 455, 673,
];

/** Letters beyond ASCII are about this wide in the Latin blocks (mean 614, rounded up). */
const LATIN = 680;
/** CJK and symbols fill the em; other scripts are drawn by another font, so that a whole em is the safe guess. */
const WIDE = 1000;

/** Measures a line of text in pixels at a font size in pixels; weight 600 and more counts as semi-bold. */
export function textWidth(text: string, sizePx: number, weight = 400): number {
  const table = weight >= 600 ? SEMIBOLD : REGULAR;
  let thousandths = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    thousandths += table[code - 0x20] ?? (code < 0x250 ? LATIN : WIDE);
  }
  return (thousandths * sizePx) / 1000;
}

/** As measured in Inter, with a reserve for pages, whose own font may be wider (DejaVu Sans by a tenth). */
export function roomFor(text: string, sizePx: number, weight = 400): number {
  return textWidth(text, sizePx, weight) * 1.1;
}

/** Shortens text with an ellipsis in its middle, where ids and component names differ least, until it fits. */
export function fitText(text: string, maxPx: number, sizePx: number, weight = 400): string {
  if (textWidth(text, sizePx, weight) <= maxPx) return text;
  const characters = [...text];
  const shorten = (keep: number): string => {
    const head = Math.ceil(keep * 0.6);
    const tail = characters.slice(characters.length - (keep - head));
    return `${characters.slice(0, head).join("")}…${tail.join("")}`;
  };
  // Names come from data and may be of any length: halving the range keeps the work in proportion to it.
  let fits = 0;
  let tooLong = characters.length;
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2);
    if (textWidth(shorten(middle), sizePx, weight) <= maxPx) fits = middle;
    else tooLong = middle;
  }
  return shorten(fits);
}

/** Breaks a name into at most two lines at a hyphen, an underscore, a space or a capital; the second is shortened to fit. */
export function wrapName(name: string, maxPx: number, sizePx: number, weight = 400): string[] {
  if (textWidth(name, sizePx, weight) <= maxPx) return [name];
  const parts = name.split(/(?<=[-_ ])|(?<=[a-z0-9])(?=[A-Z])/);
  let first = "";
  for (const part of parts) {
    if (first !== "" && textWidth(first + part, sizePx, weight) > maxPx) break;
    first += part;
  }
  const rest = name.slice(first.length).replace(/^ /, "");
  const lines = rest === "" ? [first] : [first, rest];
  return lines.map((line) => fitText(line, maxPx, sizePx, weight));
}
