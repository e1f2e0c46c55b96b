// Which matrix figures are on a site, as the ledger and the site itself tell it: for pages of other pipelines that show them.

import pLimit from "p-limit";

import type { Effects } from "./effects.ts";
import { HdashError } from "./error.ts";
import type { Bucket } from "./store/bucket.ts";

const OWNER = "matrix";
/** The published JSON of one matrix; index.json is of all. */
const DATA = /^matrices\/data\/(?!index\.json$)[^/]+\.json$/;

/** What is published of matrices on a site. */
export interface PublishedFigures {
  /** Path of each matrix's data file → a digest that changes with it. */
  state(): Promise<Readonly<Record<string, string>>>;
  /** The content of the data files: of these matrices, or of all. */
  read(signal: AbortSignal, ids?: readonly string[]): Promise<readonly unknown[]>;
}

/** Opens what is published on a site, which is read through its bucket. */
export async function openPublishedFigures(
  effects: Effects,
  site: string,
  openBucket: () => Promise<Bucket>,
): Promise<PublishedFigures> {
  const { openPublications } = await import("./store/publications.ts");
  const publications = openPublications((await effects.database()).db);
  const rows = async () =>
    (await publications.list(site)).filter(
      ({ owner, path, etag }) => owner === OWNER && DATA.test(path) && etag !== "",
    );
  return {
    state: async () => Object.fromEntries((await rows()).map(({ path, digest }) => [path, digest])),
    async read(signal, ids) {
      const bucket = await openBucket();
      const limit = pLimit(8);
      const read = async (path: string): Promise<unknown> => {
        const bytes = await bucket.get(path, signal);
        // Somebody removed it by hand; the next run of the matrix job puts it again.
        if (bytes === null) return null;
        try {
          return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
        } catch (cause) {
          throw new HdashError("permanent", `${path} on ${site} is not JSON`, { cause });
        }
      };
      const paths = (await rows())
        .map(({ path }) => path)
        .filter((path) => ids === undefined || ids.some((id) => path === dataPath(id)));
      return Promise.all(paths.map((path) => limit(() => read(path))));
    },
  };
}

function dataPath(id: string): string {
  return `matrices/data/${id}.json`;
}
