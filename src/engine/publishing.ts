// Publishing from a plan, on its site or in another place: one run at a time, and where everybody may read only what is public.

import type { Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { Place, Publisher, SiteFile } from "../publish/site.ts";
import { pause } from "../retry.ts";
import type { StoredBlob } from "../store/blobs.ts";
import { savePublished } from "../store/runs.ts";
import { listLastTitles } from "../store/scopes.ts";
import { releaseSite, takeSite } from "../store/siteLease.ts";
import { hasFiles, readTree, streamBlob, type TreeEntry } from "./codec.ts";
import { readHealed } from "./healing.ts";
import { lostRun, type Session } from "./session.ts";
import type { PlaceContents, Ref, SiteContents, SitePart, Visibility } from "./step.ts";
import { isDead, WAIT_POLL_MS } from "./worker.ts";

/** How long to wait for another run to publish the same site. Publishing all of a large site for the first time takes minutes. */
const SITE_DEADLINE_MS = 15 * 60_000;

const CACHE_CONTROL = {
  page: "no-cache",
  immutable: "public, max-age=31536000, immutable",
} as const satisfies Record<SitePart["cache"], string>;

/** What is to be published, as its publisher wants it. */
interface Contents {
  readonly files: readonly SiteFile[];
  readonly keepScopes: readonly string[];
  readonly keepPrefixes: readonly string[];
  readonly index?: string;
}

/** Publishes what `contents` gives on the site. */
export async function publishSite(
  session: Session,
  contents: () => Promise<SiteContents>,
): Promise<void> {
  const { publisher } = session;
  if (publisher === null) {
    throw new HdashError(
      "config",
      `${session.pipeline} has a site, but there is nowhere to publish it to`,
      {
        hint: "Set S3_BUCKET_NAME, or give a folder.",
      },
    );
  }
  const result = await publish(session, publisher, async () => {
    const { parts, keepScopes } = await contents();
    const files = await listFiles(session, "public", parts);
    return { files, keepScopes, keepPrefixes: [] };
  });
  session.gone.push(...result.gone);
  await saveOutcome(session, { published: result.published });
  told(session, publisher, result);
}

/** Publishes what `contents` gives in a place. */
export async function publishPlace<V extends Visibility>(
  session: Session,
  { publisher, visibility }: Place<V>,
  contents: () => Promise<PlaceContents<V>>,
): Promise<void> {
  const result = await publish(session, publisher, async () => {
    const { entries, index, keepScopes = [], keepPrefixes = [] } = await contents();
    keepPrefixes.forEach(checkPrefix);
    const all = index === undefined ? entries : [...entries, index];
    const parts = all.map((entry) => ({ ...entry, cache: "page" as const }));
    const files = await listFiles(session, visibility, parts);
    return {
      ...{ files, keepScopes, keepPrefixes },
      ...(index === undefined ? {} : { index: index.key }),
    };
  });
  session.publishing.results[publisher.site] = result.published;
  await saveOutcome(session, { places: session.publishing.results });
  told(session, publisher, result);
}

type Published = Awaited<ReturnType<typeof publish>>;

function told({ onProgress }: Session, { site }: Publisher, result: Published): void {
  const { put, deleted, unchanged } = result.published;
  const { gone, durationMs } = result;
  onProgress({
    ...{ kind: "published", site, put, deleted, unchanged },
    ...(gone.length === 0 ? {} : { gone }),
    durationMs,
  });
}

/** Publishes with the place held for this run from before its contents are asked for. */
async function publish(session: Session, publisher: Publisher, contents: () => Promise<Contents>) {
  const { onProgress, publishing } = session;
  const { site } = publisher;
  if (publishing.place !== null) {
    throw new HdashError(
      "permanent",
      `${site} cannot be published while ${publishing.place} is: a run holds one place at a time`,
    );
  }
  publishing.place = site;
  try {
    await takeTurn(session, site);
    session.heartbeat.holdSite(site);
    try {
      const { files, ...how } = await contents();
      session.throwIfStopped();
      await keepTurn(session, site);
      const since = performance.now();
      const result = await publisher.publish(files, {
        ...how,
        owner: session.pipeline,
        signal: session.signal,
        onProgress: (done, total) => onProgress({ kind: "publishProgress", site, done, total }),
      });
      session.throwIfStopped();
      const published = {
        ...result,
        putPaths: [...result.putPaths],
        deletedPaths: [...result.deletedPaths],
        goneScopes: [...result.goneScopes],
      };
      const gone = await session.withLedger("reading titles", () =>
        listLastTitles(session.db, session.pipeline, result.goneScopes),
      );
      return { published, gone, durationMs: performance.now() - since };
    } finally {
      session.heartbeat.holdSite(null);
      const release = () => releaseSite(session.db, session.lease);
      // A run that is stopped gives the site up with itself, or has it taken when its lease is over; others wait less if it says so.
      if (session.signal.aborted) await release().catch(() => {});
      else await session.withLedger(`releasing ${site}`, release);
    }
  } finally {
    publishing.place = null;
  }
}

async function saveOutcome(
  session: Session,
  published: { readonly published: Json } | { readonly places: Json },
): Promise<void> {
  const saved = await session.withLedger("noting what was published", () =>
    savePublished(session.db, session.lease, published),
  );
  if (saved) return;
  const lost = lostRun(session.lease);
  session.stop(lost);
  throw lost;
}

async function takeTurn(session: Session, site: string): Promise<void> {
  const since = performance.now();
  let isTold = false;
  for (;;) {
    const claim = await session.withLedger(`taking ${site}`, () =>
      takeSite(session.db, session.lease, site, isDead),
    );
    if (claim.kind === "taken") return;
    if (claim.kind === "lost") {
      const lost = lostRun(session.lease);
      session.stop(lost);
      throw lost;
    }
    const { worker, since: heldSince } = claim;
    if (performance.now() - since > SITE_DEADLINE_MS) {
      throw new HdashError(
        "transient",
        `${site} is still being published by ${worker} since ${heldSince}`,
      );
    }
    if (!isTold) session.onProgress({ kind: "waiting", for: "site", worker, since: heldSince });
    isTold = true;
    await pause(WAIT_POLL_MS, session.signal);
  }
}

/** Makes sure, before anything is put, that nobody has taken the site while its contents were made. */
async function keepTurn(session: Session, site: string): Promise<void> {
  const claim = await session.withLedger(`keeping ${site}`, () =>
    takeSite(session.db, session.lease, site, isDead),
  );
  if (claim.kind !== "taken") {
    throw new HdashError(
      "transient",
      `run ${session.lease.runId} has lost its turn to publish ${site}`,
    );
  }
}

/** What goes to a place, whoever may see it: the types have been checked where it was said. */
type AnyEntry = { readonly scope: string | null; readonly cache: SitePart["cache"] } & (
  | { readonly prefix: string; readonly tree: Ref<unknown> }
  | { readonly key: string; readonly contentType: string; readonly content: Ref<unknown> }
);

/** Expands entries to files. The types let into a public place only what is public; this is the same rule for what got around them. */
async function listFiles(
  session: Session,
  visibility: Visibility,
  entries: readonly AnyEntry[],
): Promise<readonly SiteFile[]> {
  const files = new Map<string, SiteFile>();
  for (const entry of entries) {
    const { scope, cache } = entry;
    const [ref, where] = "tree" in entry ? [entry.tree, entry.prefix] : [entry.content, entry.key];
    const isTree = "tree" in entry;
    if (
      (visibility === "public" && ref.visibility !== "public") ||
      hasFiles(ref.codec) !== isTree
    ) {
      const kind = `${visibility === "public" ? "a public" : "a private or public"} ${isTree ? "tree" : "object"}`;
      throw new HdashError(
        "permanent",
        `what is to be published ${isTree ? "below" : "as"} "${where}" is a ${ref.visibility} ${ref.codec}, not ${kind}`,
      );
    }
    for (const { path, contentType, ...blob } of await expand(session, entry)) {
      if (files.has(path))
        throw new HdashError("permanent", `two parts of the site have a file ${path}`);
      const how = { path, contentType, scope, cacheControl: CACHE_CONTROL[cache] };
      files.set(path, { ...how, ...readableFile(session, ref, path, blob) });
    }
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Names what an entry comes to, by whole paths. */
async function expand(session: Session, entry: AnyEntry): Promise<readonly TreeEntry[]> {
  if ("key" in entry) {
    const { key, contentType, content } = entry;
    return [{ path: key, contentType, digest: content.digest, bytes: content.bytes }];
  }
  const { prefix, tree } = entry;
  checkPrefix(prefix);
  const listed = await readHealed(session, tree, () => readTree(session, tree.digest));
  return listed.map((file) => ({ ...file, path: prefix + file.path }));
}

function checkPrefix(prefix: string): void {
  if (/^([^/\\]+\/)*$/.test(prefix) && !/(^|\/)\.\.?\//.test(prefix)) return;
  throw new HdashError(
    "permanent",
    `"${prefix}" is not a prefix of a site: "" or a path that ends in a slash`,
  );
}

/** A file of a ref as its publisher reads it: what is damaged is made again, and read anew. */
function readableFile(
  session: Session,
  ref: Ref<unknown>,
  path: string,
  { digest, bytes }: StoredBlob,
): Pick<SiteFile, "digest" | "bytes" | "read" | "withSource"> {
  return {
    digest,
    bytes,
    read: () =>
      readHealed(session, ref, () =>
        session.withLedger(`reading ${path}`, () => session.blobs.read(digest)),
      ),
    withSource: (use) =>
      readHealed(session, ref, () =>
        use({ name: path, bytes, open: () => streamBlob(session, digest) }),
      ),
  };
}
