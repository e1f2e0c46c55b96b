// What people mean by a result: its name, a key, a digest, a file at hand, an address, a run.

import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import { type Digest, digestOf, type Json } from "../digest.ts";
import { takeFolder } from "../engine/folder.ts";
import { writeManifest } from "../engine/folderManifest.ts";
import { codeOf, HdashError } from "../error.ts";
import { findWholes } from "../store/blobParts.ts";
import { makeContentDigests } from "../store/contentDigests.ts";
import {
  findByKey,
  findLastGoodRun,
  findLastPartialRun,
  findMakers,
  findPublished,
  hasRuns,
  type LedgerResult,
  type LedgerRun,
  portOf,
  readLedgerRun,
} from "../store/lineage.ts";
import type { Db } from "../store/schema.ts";
import { readNamed } from "./named.ts";
import type { NamedResult } from "./namedResult.ts";

/** What was found. */
export type Found =
  | { readonly kind: "run"; readonly run: LedgerRun }
  | {
      readonly kind: "result";
      /** How it was asked for, e.g. "kmer.merged[1]". */
      readonly asked: string;
      readonly result: LedgerResult;
      /** Which of its outputs is meant; null: all of them. */
      readonly port: string | null;
      /** Its content; null where the whole step is meant, or a value of the plan. */
      readonly digest: Digest | null;
      /** Where in that output the file lies, where it is one of a folder or a set of files. */
      readonly path: string | null;
      /** The result by which a run keeps its name, where it was asked for by that. */
      readonly keeper?: LedgerResult;
      /** A value that the plan gave by itself. */
      readonly value?: Json;
    };

/** Where to look, besides the ledger. */
export interface Looking {
  /** Where people see the site; null where nobody said. */
  readonly siteUrl: string | null;
  readonly signal: AbortSignal;
}

/** How many keys that begin alike an error names. */
const MOST_NAMED = 5;
/** The fewest digits of a key that may stand for it. */
const FEWEST_DIGITS = 8;

/**
 * Finds what a word means: a run's number, the name of a result (its pipeline, a dot, what the pipeline gives), a key or at least 8 digits
 * of it, sha256:DIGEST, an address it was published at, a file or folder at hand. Throws usage, naming the word, where it is none of them.
 */
export async function findResult(db: Db, word: string, looking: Looking): Promise<Found> {
  if (/^(run )?\d+$/.test(word)) {
    const run = await readLedgerRun(db, word.replace("run ", ""));
    if (run !== null) return { kind: "run", run };
    if (word.length < FEWEST_DIGITS || word.startsWith("run ")) {
      throw new HdashError("usage", `there is no run ${word.replace("run ", "")}`, {
        hint: "`hdash runs` lists those there are.",
      });
    }
  }
  if (/^https?:\/\//.test(word)) return findByUrl(db, word, looking);
  const ofDigest = /^sha256[:-]([0-9a-fA-F]{64})$/.exec(word)?.[1]?.toLowerCase();
  if (ofDigest !== undefined) return findByDigest(db, word, ofDigest as Digest);
  if (/^sha256[:-]/.test(word)) {
    throw new HdashError("usage", `${word} is no digest: sha256: is followed by 64 hex digits`);
  }
  if (/^[0-9a-f]{8,64}$/.test(word)) {
    const found = await findByPrefix(db, word);
    if (found !== null) return found;
  }
  const isPath = /[\\/]/.test(word);
  if (!isPath) {
    const found = await findByName(db, word);
    if (found !== null) return found;
  }
  return findByPath(db, word, looking);
}

async function findByPrefix(db: Db, word: string): Promise<Found | null> {
  const found = await findByKey(db, word, MOST_NAMED + 1);
  const [result, ...others] = found;
  if (result === undefined) {
    return word.length === 64 ? findByDigest(db, word, word as Digest) : null;
  }
  if (others.length > 0) {
    const named = found
      .slice(0, MOST_NAMED)
      .map(({ key, step }) => `${key.slice(0, 16)} (${step})`);
    throw new HdashError(
      "usage",
      `several keys begin with ${word}: ${named.join(", ")}${others.length >= MOST_NAMED ? ", …" : ""}`,
      { hint: "Give more of its digits." },
    );
  }
  return { kind: "result", asked: word, result, port: null, digest: null, path: null };
}

async function findByDigest(db: Db, asked: string, digest: Digest): Promise<Found> {
  const found = await lookUp(db, asked, digest);
  if (found !== null) return found;
  throw new HdashError("usage", `${asked}: nothing that the ledger knows has this content`, {
    hint: "It was made elsewhere, was changed since, or `hdash gc` has forgotten it.",
  });
}

/** Finds what made some content, by itself or as a file of a folder. */
async function lookUp(db: Db, asked: string, digest: Digest): Promise<Found | null> {
  const [result] = await findMakers(db, digest, 1);
  if (result !== undefined) {
    const port = portOf(result.outputs, digest);
    return { kind: "result", asked, result, port, digest, path: null };
  }
  for (const { whole, path } of await findWholes(db, digest, MOST_NAMED)) {
    const [maker] = await findMakers(db, whole, 1);
    if (maker === undefined) continue;
    return {
      kind: "result",
      asked,
      result: maker,
      port: portOf(maker.outputs, whole),
      digest,
      path,
    };
  }
  return null;
}

async function findByName(db: Db, word: string): Promise<Found | null> {
  const [pipeline = "", name] = split(word);
  const run = (await findLastGoodRun(db, pipeline)) ?? (await findLastPartialRun(db, pipeline));
  if (run === null) {
    if (!(await hasRuns(db, pipeline))) return null;
    throw new HdashError("usage", `${word}: no run of ${pipeline} has ended well`, {
      hint: "`hdash runs` lists them; name a run by its number.",
    });
  }
  if (name === undefined) return { kind: "run", run };
  const results = await readNamed(db, run.id);
  const named =
    results?.named.filter((one) => one.name === name || one.name === `${name}[0]`) ?? [];
  const [found] = named;
  if (
    results === null ||
    found === undefined ||
    (found.name !== name && countOf(results.named, name) > 1)
  ) {
    const names = results?.named.map((one) => one.name) ?? [];
    throw new HdashError("usage", `${word}: run ${run.id} of ${pipeline} has given no ${name}`, {
      hint:
        names.length === 0
          ? "It has given nothing."
          : `It has given ${names.slice(0, 20).join(", ")}.`,
    });
  }
  return findNamed(db, word, results.keeper, found);
}

function countOf(named: readonly NamedResult[], name: string): number {
  return named.filter((one) => one.name.startsWith(`${name}[`)).length;
}

async function findNamed(
  db: Db,
  asked: string,
  keeper: LedgerResult,
  found: NamedResult,
): Promise<Found> {
  if ("value" in found) {
    const of = { port: null, digest: null, path: null, value: found.value };
    return { kind: "result", asked, result: keeper, ...of };
  }
  return { ...(await findByDigest(db, asked, found.digest)), keeper } as Found;
}

/** The pipeline's name and what stands behind its dot. */
function split(word: string): readonly string[] {
  const at = word.indexOf(".");
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

async function findByUrl(db: Db, word: string, { siteUrl }: Looking): Promise<Found> {
  const root = siteUrl?.replace(/\/(index\.html)?$/, "");
  const url = new URL(word);
  const plain = `${url.origin}${url.pathname}`;
  if (root === undefined || !plain.startsWith(`${root}/`)) {
    throw new HdashError(
      "usage",
      `${word} is no address of the site${root === undefined ? "" : ` at ${root}/`}`,
      {
        ...(root === undefined ? { hint: "S3_WEB_SITE_URL says where people see the site." } : {}),
      },
    );
  }
  const rest = decodeURIComponent(plain.slice(root.length + 1));
  const path = rest === "" || rest.endsWith("/") ? `${rest}index.html` : rest;
  const published = await findPublished(db, path);
  if (published === null) {
    throw new HdashError("usage", `${word}: nothing is published under ${path}`);
  }
  return findByDigest(db, word, published.digest);
}

async function findByPath(db: Db, word: string, { signal }: Looking): Promise<Found> {
  const path = resolve(word);
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    const isMissing = ["ENOENT", "ENOTDIR"].includes(codeOf(error) ?? "");
    throw new HdashError(
      "usage",
      `${JSON.stringify(word)} is no result: no pipeline, run, key or file is called so`,
      {
        // That it is not there is said already.
        ...(isMissing ? {} : { cause: error }),
        hint: "A result is PIPELINE.NAME, a run's number, a key (or 8 digits of it), sha256:DIGEST, an address or a path.",
      },
    );
  }
  const contents = makeContentDigests();
  const digest = isFolder
    ? await digestFolder(path, signal)
    : ((await contents.of(path, signal)).sha256 as Digest);
  return findByDigest(db, word, digest);
}

async function digestFolder(path: string, signal: AbortSignal): Promise<Digest> {
  const contents = makeContentDigests();
  const manifest = await takeFolder(
    path,
    path,
    async (file) => {
      const { sha256, bytes } = await contents.of(file, signal);
      return { digest: sha256 as Digest, bytes };
    },
    signal,
  );
  return digestOf(writeManifest(manifest));
}
