// Everything that touches the world, made here from the configuration, opened when first asked for and released last-in first-out.

import { existsSync, readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Config } from "./config.ts";
import { HdashError, messageOf } from "./error.ts";
import type { Log } from "./log.ts";
import type { Publisher } from "./publish/site.ts";
import type { Http } from "./sources/http.ts";
import type { SynapseClient } from "./sources/synapseClient.ts";
import type { BlobStore } from "./store/blobs.ts";
import type { Bucket } from "./store/bucket.ts";
import type { Database } from "./store/database.ts";

/** What commands and pipelines may use of the world. */
export interface Effects {
  readonly config: Config;
  readonly log: Log;
  readonly clock: () => Date;
  /** What built the pages: the package's version, with the revision where the image knows it. */
  readonly build: string;
  /** Folder that holds package.json, views/, config/ and migrations/. */
  readonly root: string;
  /** Folder for work files; made when first asked for. */
  scratch(): Promise<string>;
  /** The ledger, migrated. */
  database(): Promise<Database>;
  blobs(): Promise<BlobStore>;
  /** The place the site is published to. */
  bucket(): Promise<Bucket>;
  publisher(): Promise<Publisher>;
  /** Makes the fonts of figures known; to be called before the first picture is drawn. */
  fonts(): Promise<void>;
  http(): Promise<Http>;
  synapse(): Promise<SynapseClient>;
  /** Releases everything that was opened, last first; the first failure is thrown after all were tried. */
  close(): Promise<void>;
}

/** Makes the effects; nothing is opened before it is asked for. */
export function makeEffects(
  config: Config,
  log: Log,
  options: { readonly clock?: () => Date } = {},
): Effects {
  const releases: (() => Promise<void>)[] = [];
  const root = findRoot();
  const scratch = once(async () => {
    const dir = join(config.home, "scratch");
    await mkdir(dir, { recursive: true });
    return dir;
  });
  const database = once(async () => {
    const { openDatabase } = await import("./store/database.ts");
    const { migrate } = await import("./store/migrate.ts");
    if (config.database.kind === "embedded") await mkdir(config.home, { recursive: true });
    const opened = await openDatabase(config.database);
    releases.push(() => opened.close());
    await migrate(opened);
    return opened;
  });
  const blobs = once(async () => {
    if (config.database.kind === "embedded") {
      const { openFolderBlobs } = await import("./store/folderBlobs.ts");
      return openFolderBlobs(join(config.home, "blobs"));
    }
    const { openDatabaseBlobs } = await import("./store/databaseBlobs.ts");
    return openDatabaseBlobs((await database()).db);
  });
  const bucket = once(async () => {
    if (config.site.kind === "folder") {
      const { openFolderBucket } = await import("./store/folderBucket.ts");
      return openFolderBucket(config.site.dir);
    }
    const { openS3Bucket } = await import("./store/s3Bucket.ts");
    const opened = openS3Bucket({ ...config.site, log });
    releases.push(() => opened.close());
    return opened;
  });
  const publisher = once(async () => {
    const { makePublisher } = await import("./publish/publish.ts");
    const { openPublications } = await import("./store/publications.ts");
    return makePublisher({
      bucket: await bucket(),
      publications: openPublications((await database()).db),
      log,
    });
  });
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
  const synapse = once(async () => {
    const { makeSynapse } = await import("./sources/synapse.ts");
    if (config.synapse.token === null) {
      throw new HdashError("config", "SYNAPSE_PASSWORD is not set, but Synapse has to be read");
    }
    return makeSynapse({
      endpoint: config.synapse.endpoint,
      token: config.synapse.token,
      userName: config.synapse.user,
      http: await http(),
      log,
    });
  });
  return {
    config,
    log,
    clock: options.clock ?? (() => new Date()),
    build: readBuild(root),
    root,
    scratch,
    database,
    blobs,
    bucket,
    publisher,
    fonts,
    http,
    synapse,
    async close() {
      const failures: unknown[] = [];
      for (const release of releases.splice(0).reverse()) {
        try {
          await release();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** Makes a function that does its work at the first call and gives every caller the same outcome. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
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

function readBuild(root: string): string {
  try {
    const value: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    if (typeof value === "object" && value !== null && "version" in value)
      return String(value.version);
    return "unknown";
  } catch (error) {
    throw new HdashError("permanent", `package.json cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
