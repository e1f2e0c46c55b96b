// Which matrix figures are on a site, as the ledger and the site itself tell it: for pages of other pipelines that show them.

import pLimit from "p-limit";

import type { Effects } from "../../effects.ts";
import { messageOf } from "../../error.ts";
import type { Bucket } from "../../store/bucket.ts";

const OWNER = "matrix";
/** The published JSON of one matrix; index.json is of all. */
const DATA = /^matrices\/data\/([^/]+)\.json$/;

/** What is published of matrices on a site. */
export interface PublishedFigures {
  /** Ids of the matrices that have a page. */
  ids(): Promise<readonly string[]>;
  /** The content of the data files, of these matrices (or "index", that of all) or of every one; null for what is missing or damaged. */
  read(signal: AbortSignal, ids?: readonly string[]): Promise<readonly unknown[]>;
}

/** Opens what is published on a site, which is read through its bucket. */
export async function openPublishedFigures(
  effects: Effects,
  site: string,
  openBucket: () => Promise<Bucket>,
): Promise<PublishedFigures> {
  const { openPublications } = await import("../../store/publications.ts");
  const publications = openPublications((await effects.database()).db);
  const listIds = async (): Promise<readonly string[]> =>
    (await publications.list(site)).flatMap(({ owner, path, etag }) => {
      const id = owner === OWNER && etag !== "" ? DATA.exec(path)?.[1] : undefined;
      return id === undefined || id === "index" ? [] : [id];
    });
  return {
    ids: listIds,
    async read(signal, wanted) {
      const bucket = await openBucket();
      const limit = pLimit(8);
      const there = await listIds();
      const read = async (id: string): Promise<unknown> => {
        if (id !== "index" && !there.includes(id)) return null;
        const path = `matrices/data/${id}.json`;
        const bytes = await bucket.get(path, signal);
        if (bytes === null && id === "index") return null;
        try {
          if (bytes !== null) return JSON.parse(new TextDecoder().decode(bytes)) as unknown;
        } catch (error) {
          effects.log.debug(`${path} on ${site} is not JSON: ${messageOf(error)}`);
        }
        // Somebody has changed it by hand; the next run of the matrix job that does it puts it right.
        effects.log.warn(`${path} on ${site} is missing or damaged, and is passed over`);
        return null;
      };
      return Promise.all((wanted ?? there).map((id) => limit(() => read(id))));
    },
  };
}
