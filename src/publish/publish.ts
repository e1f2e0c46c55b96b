// Makes a bucket match a site: puts what differs in an order that never shows a reader half of it, and deletes only what we put.

import pLimit from "p-limit";

import { type Digest, digestOfJson } from "../digest.ts";
import { HdashError } from "../error.ts";
import { count } from "../format.ts";
import type { Log } from "../log.ts";
import type { RetryPolicy } from "../retry.ts";
import type { Bucket } from "../store/bucket.ts";
import { checkOwner, openRecord } from "./record.ts";
import type { Publication, PublicationStore, Publisher, PublishResult, SiteFile } from "./site.ts";

/** Objects on their way at a time: enough to hide the round trips, few enough for any store. */
const CONCURRENCY = 6;
/** What is larger is streamed: six of these at a time are held without thinking of it. */
const MEMORY_BYTES = 8 * 1024 * 1024;
/** Pages that lead to all others; they go up when everything they lead to is there, the index after the rest. */
const LATE_PATHS = /(^|\/)(runs\.html|data\/index\.json)$/;
const INDEX_PATH = /(^|\/)index\.html$/;

/** What is to be done to make the bucket match. */
interface Changes {
  readonly puts: readonly SiteFile[];
  /** Files whose object is right but whose row names another scope. */
  readonly rescoped: readonly (readonly [SiteFile, Publication])[];
  readonly deletes: readonly string[];
  readonly kept: number;
}

/**
 * Makes a publisher. Its `publish` throws a permanent error for a path that occurs twice or is another pipeline's, and whatever the
 * bucket or the ledger throws; it tries again by `policy` before it throws a transient error of the ledger. After such an end the ledger
 * knows what was put, readers see the old index, and the next run puts the rest.
 */
export function makePublisher(options: {
  readonly bucket: Bucket;
  readonly publications: PublicationStore;
  readonly log: Log;
  readonly policy?: RetryPolicy;
  /** The ACL of each object, where the bucket's policy does not say who may read it. A publisher with another ACL puts everything again. */
  readonly acl?: string;
  /** Records what files are by their own digest, so that whoever reads them can compare it; else by all that a browser gets. */
  readonly isPlain?: boolean;
}): Publisher {
  const { bucket, log, acl, isPlain = false } = options;
  const site = bucket.uri;
  const record = openRecord(options);
  const digestOf = (file: SiteFile): Digest => (isPlain ? file.digest : digestOfFile(file, acl));

  return {
    site,
    async publish(files, { owner, keepScopes, keepPrefixes = [], index, signal, onProgress }) {
      checkPaths(files);
      const everyones = await record.list(signal);
      checkOwner(
        site,
        owner,
        files.map(({ path }) => path),
        everyones,
      );
      const recorded = everyones.filter((row) => row.owner === owner);
      const live = await listLive(bucket, files, recorded, signal);
      const changes = compare(files, recorded, live, {
        ...{ keepScopes: new Set(keepScopes), keepPrefixes, digestOf },
      });
      warnOfMissing(changes, files, recorded, live);
      const total = changes.puts.length + changes.deletes.length;
      let done = 0;
      onProgress(done, total);
      const onDone = (more: number): void => onProgress((done += more), total);

      const known = new Set(recorded.map(({ path }) => path));
      for (const [file, row] of changes.rescoped) {
        await record.save({ ...row, scope: file.scope }, signal);
      }
      for (const stage of stagesOf(changes.puts, index)) {
        await putAll(stage, signal, async (file) => {
          const { path, scope, contentType, bytes } = file;
          const row = { path, owner, digest: digestOf(file), scope, contentType, bytes };
          const before = { isKnown: known.has(path), isForeign: live.has(path) };
          await record.put(row, before, () => putFile(bucket, file, signal), signal);
          onDone(1);
        });
      }
      await record.remove(changes.deletes, signal, onDone);
      const result = resultOf(files, recorded, changes);
      log.debug(
        `${site}: ${count(result.put, "file")} put, ${result.deleted} deleted, ${result.unchanged} unchanged`,
      );
      return result;
    },
  };

  /** Warns of files that have gone missing and that this run does not update: it cannot put them again, but somebody should know. */
  function warnOfMissing(
    { deletes }: Changes,
    files: readonly SiteFile[],
    recorded: readonly Publication[],
    live: ReadonlyMap<string, string>,
  ): void {
    const others = new Set([...files.map(({ path }) => path), ...deletes]);
    const missing = recorded.filter(
      ({ path, etag }) => etag !== "" && !others.has(path) && !live.has(path),
    );
    const [first] = missing;
    if (first === undefined) return;
    log.warn(
      `${site}: ${count(missing.length, "file")} of what this run does not update, e.g. ${first.path}, went missing`,
      { missing: missing.length },
    );
  }
}

function checkPaths(files: readonly SiteFile[]): void {
  const seen = new Set<string>();
  for (const { path } of files) {
    if (seen.has(path)) {
      throw new HdashError(
        "permanent",
        `two files are to be published as ${path}: this is a mistake in the pipeline`,
      );
    }
    seen.add(path);
  }
}

/** Lists the bucket once. Returns the etags, by path, of what is ours or has a path of ours: a bucket may hold much else. */
async function listLive(
  bucket: Bucket,
  files: readonly SiteFile[],
  recorded: readonly Publication[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const ours = new Set([...files, ...recorded].map(({ path }) => path));
  const live = new Map<string, string>();
  for await (const { key, etag } of bucket.list(signal)) {
    if (ours.has(key)) live.set(key, etag);
  }
  return live;
}

function compare(
  files: readonly SiteFile[],
  recorded: readonly Publication[],
  live: ReadonlyMap<string, string>,
  {
    keepScopes,
    keepPrefixes,
    digestOf,
  }: {
    readonly keepScopes: ReadonlySet<string>;
    readonly keepPrefixes: readonly string[];
    readonly digestOf: (file: SiteFile) => Digest;
  },
): Changes {
  const rows = new Map(recorded.map((row) => [row.path, row]));
  const paths = new Set(files.map(({ path }) => path));
  const isLive = ({ path, etag }: Publication): boolean => live.get(path) === etag;
  const puts: SiteFile[] = [];
  const rescoped: [SiteFile, Publication][] = [];
  for (const file of files) {
    const row = rows.get(file.path);
    if (row === undefined || row.digest !== digestOf(file) || !isLive(row)) puts.push(file);
    else if (row.contentType !== file.contentType) puts.push(file);
    else if (row.scope !== file.scope) rescoped.push([file, row]);
  }
  const left = recorded.filter(({ path }) => !paths.has(path));
  const isOfKeptScope = ({ scope }: Publication): boolean =>
    scope !== null && keepScopes.has(scope);
  // A page that is kept was made by an earlier run and may load assets that this run no longer has. So these assets stay, too, until a
  // run keeps no page.
  const hasKeptPages = left.some(isOfKeptScope);
  const isKept = (row: Publication): boolean =>
    isOfKeptScope(row) ||
    keepPrefixes.some((prefix) => row.path.startsWith(prefix)) ||
    (row.scope === null && hasKeptPages);
  const deletes = left
    .filter((row) => !isKept(row))
    .map(({ path }) => path)
    .sort();
  return { puts, rescoped, deletes, kept: left.length - deletes.length };
}

/** Digests all that a reader gets, headers included: if only they changed, the file is put again. */
function digestOfFile(
  { digest, contentType, cacheControl }: SiteFile,
  acl: string | undefined,
): Digest {
  return digestOfJson({ digest, contentType, cacheControl, ...(acl === undefined ? {} : { acl }) });
}

/** Parts files into stages that are put one after the other: immutable assets, pages and data that use them, what leads to those, the index. */
function stagesOf(
  files: readonly SiteFile[],
  index: string | undefined,
): readonly (readonly SiteFile[])[] {
  const rank = ({ path, cacheControl }: SiteFile): number => {
    if (path === index) return 4;
    if (INDEX_PATH.test(path)) return 3;
    if (LATE_PATHS.test(path)) return 2;
    return /\bimmutable\b/.test(cacheControl) ? 0 : 1;
  };
  return [0, 1, 2, 3, 4].map((stage) => files.filter((file) => rank(file) === stage));
}

/** Puts one file: what is large without ever having all of it in memory. */
async function putFile(bucket: Bucket, file: SiteFile, signal: AbortSignal): Promise<string> {
  const { path, contentType, cacheControl, digest, bytes, withSource } = file;
  const options = { contentType, cacheControl };
  if (withSource === undefined || bytes <= MEMORY_BYTES) {
    return bucket.put(path, await file.read(), options, signal);
  }
  const put = await withSource((source) =>
    bucket.putStream(path, source, { ...options, digest }, signal),
  );
  return put.etag;
}

/** Puts files a few at a time. After a failure none is begun, and those on their way are waited for, so that their rows are saved. */
async function putAll(
  files: readonly SiteFile[],
  signal: AbortSignal,
  put: (file: SiteFile) => Promise<void>,
): Promise<void> {
  const limit = pLimit(CONCURRENCY);
  const failures: unknown[] = [];
  const attempt = async (file: SiteFile): Promise<void> => {
    if (failures.length > 0) return;
    try {
      if (signal.aborted) {
        throw new HdashError("aborted", `stopped before ${file.path} was published`, {
          cause: signal.reason,
        });
      }
      await put(file);
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(files.map((file) => limit(attempt, file)));
  if (failures.length > 0) throw failures[0];
}

function resultOf(
  files: readonly SiteFile[],
  recorded: readonly Publication[],
  { puts, deletes, kept }: Changes,
): PublishResult {
  const deleted = new Set(deletes);
  const scopesOf = (rows: readonly Pick<Publication, "scope">[]) =>
    new Set(rows.flatMap(({ scope }) => scope ?? []));
  const there = scopesOf([...files, ...recorded.filter(({ path }) => !deleted.has(path))]);
  // A row without an etag is of an object that was about to be put: readers may never have seen it.
  const gone = scopesOf(recorded.filter(({ path, etag }) => etag !== "" && deleted.has(path)));
  return {
    put: puts.length,
    unchanged: files.length - puts.length,
    deleted: deletes.length,
    kept,
    putBytes: puts.reduce((sum, { bytes }) => sum + bytes, 0),
    putPaths: puts.map(({ path }) => path).sort(),
    deletedPaths: deletes,
    goneScopes: [...gone].filter((scope) => !there.has(scope)).sort(),
  };
}
