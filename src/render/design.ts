// How pages look, from disk: templates, styles, scripts and the libraries that pages bring along, with one digest over all of it.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { type Digest, digestOf, digestOfJson } from "../digest.ts";
import { isPublished, type SiteAssets, siteAssets } from "./assets.ts";
import type { RenderPage } from "./page.ts";
import { makeTemplates } from "./templates.ts";
import { vendorFiles } from "./vendor.ts";

export interface Design {
  /** Fills a template; throws where the model lacks a value. */
  readonly render: RenderPage;
  readonly assets: SiteAssets;
  /** Enters the keys of steps that make pages: another template is another page. */
  readonly digest: Digest;
  /** Package → version of what draws figures. */
  readonly drawnBy: Readonly<Record<string, string>>;
}

/** Another version of one of these may draw other bytes. */
const DRAWING = ["vega", "vega-lite", "sharp", "@expo-google-fonts/inter"];

/** Reads the design from the folder that holds views/; `root` is the one that holds node_modules/. */
export async function loadDesign(root: string, from = root): Promise<Design> {
  const views = join(from, "views");
  const sources: Record<string, string> = {};
  for (const path of await filesBelow(views, (name) => name.endsWith(".hbs"))) {
    sources[path.slice(0, -".hbs".length)] = await readFile(join(views, path), "utf8");
  }
  const own = await filesBelow(join(views, "assets"), isPublished);
  const assets = siteAssets([
    ...(await Promise.all(
      own.map(async (path) => ({ path, bytes: await readFile(join(views, "assets", path)) })),
    )),
    ...(await Promise.all(
      vendorFiles().map(async ({ path, source }) => ({
        path: path.slice("assets/".length),
        bytes: await readFile(source),
      })),
    )),
  ]);
  const digest = digestOfJson({
    templates: sources,
    assets: Object.fromEntries(assets.files.map(({ path, bytes }) => [path, digestOf(bytes)])),
  });
  const { render } = makeTemplates(sources);
  return { render, assets, digest, drawnBy: await versionsOf(root, DRAWING) };
}

/** Reads the versions of installed packages. */
export async function versionsOf(
  root: string,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const versions = names.map(async (name): Promise<[string, string]> => {
    const text = await readFile(join(root, "node_modules", name, "package.json"), "utf8");
    const manifest: unknown = JSON.parse(text);
    const isNamed = typeof manifest === "object" && manifest !== null && "version" in manifest;
    return [name, isNamed ? String(manifest.version) : "unknown"];
  });
  return Object.fromEntries(await Promise.all(versions));
}

/** Lists files below a folder that match, with forward slashes, sorted. */
async function filesBelow(
  dir: string,
  isWanted: (name: string) => boolean,
): Promise<readonly string[]> {
  const names = await readdir(dir, { recursive: true });
  return names
    .map((name) => name.replaceAll("\\", "/"))
    .filter(isWanted)
    .sort();
}
