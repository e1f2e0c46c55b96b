// The figures of matrices as pages of other jobs on the same site show them.

import type { Effects } from "../../effects.ts";
import type { Gallery } from "../../render/page.ts";
import { matricesByAtlas } from "./pages/publishedMatrix.ts";
import { openPublishedFigures } from "./published.ts";

/** Opens what is published of matrices on a site, by the atlas that they belong to. */
export async function openGalleries(
  effects: Effects,
  site: string,
): Promise<{
  read(signal: AbortSignal): Promise<Readonly<Record<string, readonly Gallery[]>>>;
}> {
  const published = await openPublishedFigures(effects, site, effects.bucket);
  return { read: async (signal) => matricesByAtlas(await published.read(signal)) };
}
