import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { HdashError } from "../../src/error.ts";
import { prepareFonts } from "../../src/render/fonts.ts";
import { textWidth } from "../../src/render/glyphs.ts";
import { renderPng } from "../../src/render/png.ts";

let dir = "";

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-fonts-"));
  // Before sharp draws for the first time in this process, as effects.ts does it.
  Object.assign(process.env, await prepareFonts(dir));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Draws a line of text in black and measures its ink, in pixels. */
async function inkWidth(text: string, font: string, weight: number): Promise<number> {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="60" viewBox="0 0 1200 60">` +
    `<text x="20" y="40" font-family="${font}" font-size="30px" font-weight="${weight}" fill="#000000">${text}</text></svg>`;
  const { default: sharp } = await import("sharp");
  const { info } = await sharp(Buffer.from(await renderPng(svg, 1)))
    .trim()
    .toBuffer({ resolveWithObject: true });
  return info.width;
}

describe("renderPng(svg, scale)", () => {
  test.each([400, 600])(
    "sets text of weight %i in Inter, as wide as figures were laid out for",
    async (weight) => {
      const text = "ScATAC-seqLevel1 HTA1_1234 and 5678 Mass Spectrometry";
      const ink = await inkWidth(text, "Inter, sans-serif", weight);
      // Ink stops short of the advance by the bearings of the first and last letter, and kerning pulls some pairs together.
      expect(ink / textWidth(text, 30, weight)).toBeGreaterThan(0.97);
      expect(ink / textWidth(text, 30, weight)).toBeLessThan(1.01);
    },
  );

  test("knows no other font, so that a picture is the same on every machine", async () => {
    const text = "The quick brown fox";
    expect(await inkWidth(text, "DejaVu Sans, Liberation Serif, monospace", 400)).toBe(
      await inkWidth(text, "Inter", 400),
    );
  });

  test("gives the same bytes for the same figure, at the scale that is asked for", async () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30" viewBox="0 0 40 30"><circle cx="9" cy="9" r="9" fill="#0072b2"/></svg>`;
    const [one, two] = await Promise.all([renderPng(svg, 2), renderPng(svg, 2)]);
    expect(one).toEqual(two);
    const { default: sharp } = await import("sharp");
    expect(await sharp(one).metadata()).toMatchObject({ format: "png", width: 80, height: 60 });
  });

  test("refuses what is not SVG", async () => {
    const refusal = await renderPng("not a figure").catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(HdashError);
    expect(refusal).toMatchObject({
      kind: "permanent",
      message: "a figure could not be drawn as PNG",
    });
  });
});

describe("prepareFonts(dir)", () => {
  test("writes a configuration that names the fonts' folders and a cache in the given folder", async () => {
    const { FONTCONFIG_FILE } = await prepareFonts(dir);
    expect(FONTCONFIG_FILE).toBe(join(dir, "fonts.conf"));
    const conf = await readFile(FONTCONFIG_FILE, "utf8");
    expect(conf.match(/<dir>/g)).toHaveLength(2);
    expect(conf).toContain(`<cachedir>${join(dir, "cache")}</cachedir>`);
  });

  test("says which folder it cannot write", async () => {
    const file = join(dir, "occupied");
    await writeFile(file, "");
    const refusal = await prepareFonts(file).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(HdashError);
    expect(refusal).toMatchObject({
      kind: "permanent",
      message: `fonts for figures cannot be prepared in ${file}`,
    });
  });
});

describe("renderPng(svg) of a figure that reaches out of its sheet", () => {
  const at = (x: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><path transform="translate(${x},3)" d="M0,0h1v1Z"/></svg>`;

  test("refuses it by name, since the rasteriser would take the whole process down", async () => {
    await expect(renderPng(at("14375044"))).rejects.toThrow(
      /reaches out of its sheet, to 14375044/,
    );
  });

  test("is not misled by many digits behind a point", async () => {
    expect((await renderPng(at("0.41999999999996"))).length).toBeGreaterThan(0);
  });
});
