// Everything that touches the world, made here from the configuration, opened when first asked for and released last-in first-out.

import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";

import { type Build, imageRevision, nameBuild } from "./artifacts/build.ts";
import { HdashError, messageOf } from "./error.ts";
import type { Log } from "./log.ts";
import type { PlaceWriter } from "./publish/place.ts";
import type { Place, Publisher } from "./publish/site.ts";
import type { RetryPolicy } from "./retry.ts";
import type { Config } from "./settings/config.ts";
import { blobsPlace, placesOf } from "./settings/namespace.ts";
import type { Http } from "./sources/http.ts";
import type { BlobStore } from "./store/blobs.ts";
import type { Bucket } from "./store/bucket.ts";
import type { Database } from "./store/database.ts";
import {
  checkFolder,
  checkSiteFolder,
  LEAST_BYTES,
  LEAST_NEW_HOME_BYTES,
} from "./store/folderCheck.ts";
import { closeFolder } from "./store/privateFolder.ts";
import type { S3Bucket } from "./store/s3Bucket.ts";

/** What commands and pipelines may use of the world. */
export interface Effects {
  readonly config: Config;
  readonly log: Log;
  readonly clock: () => Date;
  /** What built the pages: the package's version, with the revision where the image knows it. */
  readonly build: string;
  /** The same in parts. */
  readonly madeFrom: Build;
  /** Folder that holds package.json, views/, config/ and migrations/. */
  readonly root: string;
  /** Folder whose config/ and views/ are to be used: the namespace's artifacts where it has any, else the root. */
  artifacts(): Promise<{
    readonly dir: string;
    /** True where the namespace's are of another build: then it is the root. */
    readonly isOther: boolean;
  }>;
  /** Folder for work files; made when first asked for. */
  scratch(): Promise<string>;
  /** The ledger, migrated. */
  database(): Promise<Database>;
  blobs(): Promise<BlobStore>;
  /** The place the site is published to. */
  bucket(): Promise<Bucket>;
  publisher(): Promise<Publisher>;
  /** Opens another bucket than the site's, or what lies below a prefix of one, reached like the site's. */
  openBucket(name: string, options?: OpenBucketOptions): Promise<S3Bucket>;
  /** Opens what lies below a prefix of the private bucket; throws a config error where none is named. */
  openWorkBucket(prefix: string): Promise<S3Bucket>;
  /** Publishes to a bucket, remembering it in the ledger. */
  publisherTo(bucket: Bucket, options?: { readonly isPublicRead: boolean }): Promise<Publisher>;
  /** Opens a place that only some may read, below a prefix of a bucket or in a folder, for an owner: the pipeline's name. */
  privatePlace(location: PlaceLocation, owner: string): Promise<PrivatePlace>;
  /** Has something released with the effects. */
  onClose(release: () => Promise<void>): void;
  /** Makes the fonts of figures known; to be called before the first picture is drawn. */
  fonts(): Promise<void>;
  http(): Promise<Http>;
  /** How patient clients are, where that is not left to them. */
  readonly patience: { readonly policy?: RetryPolicy };
  /** Releases everything that was opened, last first; the first failure is thrown after all were tried. */
  close(): Promise<void>;
}

export interface OpenBucketOptions {
  readonly isPublicRead?: boolean;
  /** Default: the whole bucket. */
  readonly prefix?: string;
  /** The variable that names the bucket. */
  readonly variable?: string;
}

/** Where a private place is; `variable` names the setting that says so. */
export type PlaceLocation =
  | {
      readonly kind: "s3";
      readonly bucket: string;
      readonly prefix: string;
      readonly variable: string;
    }
  | { readonly kind: "folder"; readonly dir: string; readonly variable: string };

/** A private place: for the end of a plan, and for steps that put what is large there while they make it. */
export interface PrivatePlace extends Place<"private"> {
  readonly writer: PlaceWriter;
}

/** Makes the effects; nothing is opened before it is asked for. */
export function makeEffects(
  config: Config,
  log: Log,
  options: {
    readonly clock?: () => Date;
    readonly policy?: RetryPolicy;
    /** Ends what takes its time before the first run: the download of artifacts. */
    readonly signal?: AbortSignal;
    /** Digests of what is going to be done, for those who want the embedded database meanwhile. */
    readonly purposes?: readonly string[];
  } = {},
): Effects {
  const releases: (() => Promise<void>)[] = [];
  const { policy, purposes = [], clock = () => new Date() } = options;
  const patience = policy === undefined ? {} : { policy };
  const root = findRoot();
  const madeFrom = readBuild(root);
  const scratch = once(async () => {
    const dir = join(config.home, "scratch");
    await makeHome(config, dir, LEAST_BYTES, log);
    return dir;
  });
  const database = once(async () => {
    const { openDatabase } = await import("./store/database.ts");
    const { migrate } = await import("./store/migrate.ts");
    if (config.database.kind === "embedded") {
      await makeHome(config, config.home, leastBytes(config.database.dir), log);
    }
    const opened = await openDatabase(
      config.database.kind === "embedded" ? { ...config.database, purposes } : config.database,
    );
    releases.push(() => opened.close());
    await migrate(opened);
    return opened;
  });
  const blobs = once(() => openBlobs(config, { database, openWorkBucket, log, clock }));
  const bucket = once(async () => {
    if (config.site.kind === "folder") return openSiteFolder(config, config.site.dir, database);
    const { openS3Bucket } = await import("./store/s3Bucket.ts");
    const opened = openS3Bucket({ ...config.site, log, ...patience });
    releases.push(() => opened.close());
    return opened;
  });
  const openBucket: Effects["openBucket"] = async (name, how = {}) => {
    const { openS3Bucket } = await import("./store/s3Bucket.ts");
    const place = { ...config.s3, bucket: name, prefix: "", ...how };
    const opened = openS3Bucket({ ...place, log, ...patience });
    releases.push(() => opened.close());
    return opened;
  };
  const openWorkBucket: Effects["openWorkBucket"] = async (prefix) => {
    const variable = "HDASH_WORK_BUCKET";
    if (config.workBucket === null) throw new HdashError("config", `${variable} is not set`);
    return openBucket(config.workBucket, { prefix, variable });
  };
  const artifacts = once(async () => {
    const { namespace, workBucket } = config;
    if (namespace === null || workBucket === null) return { dir: root, isOther: false };
    const { fetchArtifacts } = await import("./artifacts/fetch.ts");
    const from = await openWorkBucket(placesOf(namespace).artifacts);
    const { makeArtifactsFolder } = await import("./engine/scratch.ts");
    const { identifyProcess } = await import("./store/processIdentity.ts");
    const { dir, isOther } = await fetchArtifacts({
      ...{ bucket: from, namespace, build: madeFrom, log },
      makeFolder: async () => makeArtifactsFolder(await scratch(), identifyProcess()),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (dir === null) return { dir: root, isOther };
    releases.push(() => rm(dir, { recursive: true, force: true }));
    return { dir, isOther };
  });
  const publisherTo: Effects["publisherTo"] = async (target, options) => {
    const { makePublisher } = await import("./publish/publish.ts");
    const { openPublications } = await import("./store/publications.ts");
    const publications = openPublications((await database()).db);
    const acl = options?.isPublicRead === true ? { acl: "public-read" } : {};
    return makePublisher({ bucket: target, publications, log, ...acl });
  };
  const publisher = once(async () => publisherTo(await bucket()));
  const fonts = once(async () => {
    const { prepareFonts } = await import("./render/fonts.ts");
    // fontconfig, which sharp's text goes through, is configured by the environment and by nothing else.
    Object.assign(process.env, await prepareFonts(join(await scratch(), "fonts")));
  });
  const http = once(async () => {
    const { makeHttp } = await import("./sources/http.ts");
    const opened = makeHttp();
    releases.push(() => opened.close());
    return opened;
  });
  return {
    config,
    log,
    clock,
    build: nameBuild(madeFrom),
    madeFrom,
    root,
    artifacts,
    scratch,
    database,
    blobs,
    bucket,
    publisher,
    openBucket,
    openWorkBucket,
    publisherTo,
    privatePlace: (location, owner) =>
      openPrivatePlace(location, owner, { config, database, openBucket, log }),
    onClose: (release) => void releases.push(release),
    fonts,
    http,
    patience,
    close: () => releaseAll(releases.splice(0)),
  };
}

/** Opens the blobs of the ledger: where it is embedded, in files beside it; else in it, and the large ones in the work bucket if there is one. */
async function openBlobs(
  { database, home, workBucket, namespace }: Config,
  effects: Pick<Effects, "database" | "openWorkBucket" | "log" | "clock">,
): Promise<BlobStore> {
  if (database.kind === "embedded") {
    const { openFolderBlobs } = await import("./store/folderBlobs.ts");
    return openFolderBlobs(join(home, "blobs"));
  }
  const { db } = await effects.database();
  if (workBucket === null) {
    const { openDatabaseBlobs } = await import("./store/databaseBlobs.ts");
    return openDatabaseBlobs(db);
  }
  const { openBucketBlobs } = await import("./store/bucketBlobs.ts");
  const { log, clock } = effects;
  const bucket = await effects.openWorkBucket(blobsPlace(namespace, database.schema));
  return openBucketBlobs({ db, bucket, log, clock });
}

/** Opens a private place; throws config where it is, or may be, a part of the site, which everybody reads. */
async function openPrivatePlace(
  location: PlaceLocation,
  owner: string,
  {
    config,
    database,
    openBucket,
    log,
  }: Pick<Effects, "config" | "database" | "openBucket" | "log">,
): Promise<PrivatePlace> {
  const { variable } = location;
  const { site } = config;
  const isShown =
    location.kind === "s3"
      ? site.kind === "s3" && site.bucket === location.bucket
      : site.kind === "folder" && overlap(site.dir, location.dir);
  if (isShown) {
    const place = location.kind === "s3" ? `s3://${location.bucket}` : location.dir;
    throw new HdashError(
      "config",
      `${variable}: ${place} is where the site is, which everybody may read`,
      {
        hint: `Set ${variable} to a ${location.kind === "s3" ? "bucket" : "folder"} of its own.`,
      },
    );
  }
  const open = async (): Promise<Bucket> => {
    if (location.kind === "s3") {
      return openBucket(location.bucket, { prefix: location.prefix, variable });
    }
    const { openFolderBucket } = await import("./store/folderBucket.ts");
    return openFolderBucket(location.dir, { isPrivate: true, setting: variable });
  };
  const { makePublisher } = await import("./publish/publish.ts");
  const { openPlace } = await import("./publish/place.ts");
  const { openPublications } = await import("./store/publications.ts");
  const publications = openPublications((await database()).db);
  const options = { bucket: await open(), publications, log };
  return {
    visibility: "private",
    publisher: makePublisher({ ...options, isPlain: true }),
    writer: openPlace({ ...options, owner }),
  };
}

/** Tells whether one folder is the other, or lies in it. */
function overlap(a: string, b: string): boolean {
  const [one, two] = [resolve(a) + sep, resolve(b) + sep];
  return one.startsWith(two) || two.startsWith(one);
}

/** Opens the folder that the site goes to; throws config where it will not do, or is somebody else's. */
async function openSiteFolder(
  config: Config,
  dir: string,
  database: Effects["database"],
): Promise<Bucket> {
  const { openFolderBucket } = await import("./store/folderBucket.ts");
  const opened = openFolderBucket(dir);
  await checkSiteFolder(dir, "HDASH_SITE_DIR", async () => {
    // A ledger that is not there yet knows of nothing, and is not made for that.
    if (config.database.kind === "embedded" && !existsSync(config.database.dir)) return false;
    const { openPublications } = await import("./store/publications.ts");
    // Also what was only begun to be put, by a run that was killed.
    return (await openPublications((await database()).db).list(opened.uri)).length > 0;
  });
  return opened;
}

/** Releases what was opened, last first; the first failure is thrown after all were tried. */
async function releaseAll(releases: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const release of releases.toReversed()) {
    try {
      await release();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Makes a function that does its work at the first call and gives every caller the same outcome. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** What the embedded database needs room for: more where it is not there yet. */
function leastBytes(dir: string): number {
  return existsSync(dir) ? LEAST_BYTES : LEAST_NEW_HOME_BYTES;
}

/** Makes a folder in the home that only its owner may read, or the home itself: what lies in it is not public. */
async function makeHome(
  { home }: Config,
  dir: string,
  leastBytes: number,
  log: Log,
): Promise<void> {
  await checkFolder(dir, { setting: "HDASH_HOME", leastBytes });
  await closeFolder(home, "HDASH_HOME", log);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new HdashError(
      "config",
      `HDASH_HOME: the folder ${dir} cannot be made: ${messageOf(error)}`,
      {
        cause: error,
        hint: "Set HDASH_HOME to a folder that hdash may write to, for example HDASH_HOME=/tmp/hdash.",
      },
    );
  }
}

/** Reads which hdash this is: the package's version, and the commit where an image knows it. */
export function readBuild(root: string = findRoot()): Build {
  return { version: readVersion(root), revision: imageRevision(root) };
}

/** Finds the folder that holds package.json: sources run from src/, the image from dist/src/. */
function findRoot(): string {
  for (let dir = import.meta.dirname; ; dir = dirname(dir)) {
    if (existsSync(join(dir, "package.json"))) return dir;
    if (dirname(dir) === dir) {
      throw new HdashError("permanent", `no package.json above ${import.meta.dirname}`);
    }
  }
}

function readVersion(root: string): string {
  try {
    const value: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const isNamed = typeof value === "object" && value !== null && "version" in value;
    return isNamed ? String(value.version) : "unknown";
  } catch (error) {
    throw new HdashError("permanent", `package.json cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
