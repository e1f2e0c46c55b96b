// Publishing a site from a plan: one run at a time, from public trees only.

import type { Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { SiteFile } from "../publish/site.ts";
import { pause } from "../retry.ts";
import { savePublished } from "../store/runs.ts";
import { listLastTitles } from "../store/scopes.ts";
import { releaseSite, takeSite } from "../store/siteLease.ts";
import { hasFiles, readTree, streamBlob } from "./codec.ts";
import { readHealed } from "./healing.ts";
import { lostRun, type Session } from "./session.ts";
import type { SiteContents, SitePart } from "./step.ts";
import { isDead, WAIT_POLL_MS } from "./worker.ts";

/** How long to wait for another run to publish the same site. Publishing all of a large site for the first time takes minutes. */
const SITE_DEADLINE_MS = 15 * 60_000;

const CACHE_CONTROL = {
  page: "no-cache",
  immutable: "public, max-age=31536000, immutable",
} as const satisfies Record<SitePart["cache"], string>;

/** Publishes what `contents` gives, with the site held for this run from before it is called. */
export async function publishSite(
  session: Session,
  contents: () => Promise<SiteContents>,
): Promise<void> {
  const { publisher, onProgress } = session;
  if (publisher === null) {
    throw new HdashError(
      "config",
      `${session.pipeline} has a site, but there is nowhere to publish it to`,
      {
        hint: "Set S3_BUCKET_NAME, or give a folder.",
      },
    );
  }
  const { site } = publisher;
  await takeTurn(session, site);
  session.heartbeat.holdSite(site);
  try {
    const { parts, keepScopes } = await contents();
    const files = await listFiles(session, parts);
    session.throwIfStopped();
    await keepTurn(session, site);
    const since = performance.now();
    const result = await publisher.publish(files, {
      owner: session.pipeline,
      keepScopes,
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
    await saveOutcome(session, published);
    const { put, deleted, unchanged, goneScopes } = result;
    const gone = await session.withLedger("reading titles", () =>
      listLastTitles(session.db, session.pipeline, goneScopes),
    );
    session.gone.push(...gone);
    onProgress({
      kind: "published",
      site,
      put,
      deleted,
      unchanged,
      ...(gone.length === 0 ? {} : { gone }),
      durationMs: performance.now() - since,
    });
  } finally {
    session.heartbeat.holdSite(null);
    const release = () => releaseSite(session.db, session.lease);
    // A run that is stopped gives the site up with itself, or has it taken when its lease is over; others wait less if it says so.
    if (session.signal.aborted) await release().catch(() => {});
    else await session.withLedger(`releasing ${site}`, release);
  }
}

async function saveOutcome(session: Session, published: Json): Promise<void> {
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

/** Expands the parts to files. The types let only public trees in; this is the same rule for what got around them. */
async function listFiles(
  session: Session,
  parts: readonly SitePart[],
): Promise<readonly SiteFile[]> {
  const files = new Map<string, SiteFile>();
  for (const { scope, prefix, tree, cache } of parts) {
    if (tree.visibility !== "public" || !hasFiles(tree.codec)) {
      throw new HdashError(
        "permanent",
        `what is to be published below "${prefix}" is a ${tree.visibility} ${tree.codec}, not a public tree`,
      );
    }
    if (!/^([^/\\]+\/)*$/.test(prefix) || /(^|\/)\.\.?\//.test(prefix)) {
      throw new HdashError(
        "permanent",
        `"${prefix}" is not a prefix of a site: "" or a path that ends in a slash`,
      );
    }
    const entries = await readHealed(session, tree, () => readTree(session, tree.digest));
    for (const { path: relative, contentType, digest, bytes } of entries) {
      const path = prefix + relative;
      if (files.has(path))
        throw new HdashError("permanent", `two parts of the site have a file ${path}`);
      files.set(path, {
        path,
        contentType,
        cacheControl: CACHE_CONTROL[cache],
        digest,
        bytes,
        scope,
        read: () =>
          readHealed(session, tree, () =>
            session.withLedger(`reading ${path}`, () => session.blobs.read(digest)),
          ),
        withSource: (use) =>
          readHealed(session, tree, () =>
            use({ name: path, bytes, open: () => streamBlob(session, digest) }),
          ),
      });
    }
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
