// A crate as a folder: its metadata, the workflow's file, and, where they are asked for, its data.

import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";

import { type Digest, digestOf, type Json } from "../digest.ts";
import type { Effects } from "../effects.ts";
import { type BlobAccess, plainAccess } from "../engine/blobAccess.ts";
import { decode, hasFiles, readFolders, readManifest } from "../engine/codec.ts";
import type { StoredFile } from "../engine/step.ts";
import { HdashError, messageOf } from "../error.ts";
import { count, listFew } from "../format.ts";
import { makeCrate, type WorkflowFile } from "../lineage/crate.ts";
import { type CrateFile, crateFiles } from "../lineage/crateFiles.ts";
import { groupSteps } from "../lineage/grouping.ts";
import type { Provenance } from "../lineage/provenance.ts";
import { BlobError, type BlobStore } from "../store/blobs.ts";

/** Source files that are longer than this are no pipeline that somebody has written. */
const LONGEST_SOURCE = 4 << 20;

/** Writes a crate into a folder that is empty or not there. Warns of what it has to leave out. */
export async function writeCrate(
  effects: Effects,
  provenance: Provenance,
  how: {
    readonly out: string;
    readonly origin: Json | null;
    readonly withData: boolean;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { out, withData, signal } = how;
  const { config, log, clock } = effects;
  const { agent, licence } = config.provenance;
  await refuseFull(out);
  if (agent === null && provenance.runs.some(({ requestedBy }) => requestedBy === null)) {
    log.warn('the crate names nobody who ran it: HDASH_AGENT may be "Name <https://orcid.org/…>"');
  }
  if (licence === null)
    log.warn("the crate has no licence: HDASH_LICENCE may be an SPDX id or a URL");
  const part = `${out.replace(/\/+$/, "")}.part`;
  await rm(part, { recursive: true, force: true });
  try {
    await mkdir(part, { recursive: true });
    const workflow = await writeWorkflow(part, provenance, how.origin);
    if (!workflow.isSource) {
      log.warn(
        "the crate has no source of the pipeline, since its file is gone or was changed after the run: workflow.json says what is known of it",
      );
    }
    const included = withData
      ? await copyData(await effects.blobs(), crateFiles(provenance), part, signal)
      : { digests: new Set<Digest>(), gone: [] };
    if (included.gone.length > 0) {
      log.warn(
        `${count(included.gone.length, "content")} of the crate ${included.gone.length === 1 ? "is" : "are"} gone, and named by digest: ${listFew(included.gone)}`,
      );
    }
    const crate = makeCrate(provenance, {
      ...{ workflow, agent, licence, included: included.digests },
      at: clock().toISOString(),
      build: effects.build,
      siteUrl: config.siteUrl,
    });
    await writeFile(join(part, "ro-crate-metadata.json"), `${JSON.stringify(crate, null, 2)}\n`);
    // An empty folder gives way to the whole crate.
    await rm(out, { recursive: true, force: true });
    await rename(part, out);
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw error;
  }
}

async function refuseFull(out: string): Promise<void> {
  const names = await readdir(out).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw new HdashError("usage", `--out is ${out}, which is no folder: ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (names.length > 0) {
    throw new HdashError("usage", `--out is ${out}, which is a folder with something in it`, {
      hint: "A crate gets a folder of its own.",
    });
  }
}

/** Puts the pipeline's file into a crate where it is still what the run began from, else what the ledger knows of it. */
async function writeWorkflow(
  dir: string,
  provenance: Provenance,
  origin: Json | null,
): Promise<WorkflowFile> {
  const source = await readSource(provenance, origin);
  const { run } = provenance;
  const bytes =
    source?.bytes ??
    Buffer.from(
      `${JSON.stringify(
        {
          pipeline: run?.pipeline ?? null,
          steps: groupSteps(provenance).map(({ name, calls, reads }, _at, all) => ({
            name,
            kind: calls[0]?.kind ?? null,
            code: [...new Set(calls.flatMap(({ code }) => code ?? []))],
            uses: [...new Set(calls.flatMap(({ uses }) => uses ?? []))],
            version: calls[0]?.version ?? null,
            reads: [...reads.keys()].map((one) => all[one]?.name ?? ""),
          })),
        },
        null,
        2,
      )}\n`,
    );
  const path = source?.name ?? "workflow.json";
  await writeFile(join(dir, path), bytes);
  return { path, bytes: bytes.length, sha256: digestOf(bytes), isSource: source !== null };
}

async function readSource(
  { run }: Provenance,
  origin: Json | null,
): Promise<{ readonly name: string; readonly bytes: Buffer } | null> {
  const file =
    typeof origin === "object" && origin !== null && "file" in origin ? origin["file"] : null;
  if (typeof file !== "string" || run === null || run.startedAt === null) return null;
  const found = await stat(file).catch(() => null);
  const isSame =
    found?.isFile() === true &&
    found.size <= LONGEST_SOURCE &&
    found.mtimeMs <= Date.parse(run.startedAt) &&
    found.ctimeMs <= Date.parse(run.startedAt);
  return isSame ? { name: basename(file), bytes: await readFile(file) } : null;
}

/** Copies contents to their places, and tells which are there; what is gone is named. */
async function copyData(
  blobs: BlobStore,
  files: readonly CrateFile[],
  dir: string,
  signal: AbortSignal,
): Promise<{ readonly digests: ReadonlySet<Digest>; readonly gone: readonly string[] }> {
  const digests = new Set<Digest>();
  const gone: string[] = [];
  for (const { digest, path, kind, name } of files) {
    signal.throwIfAborted();
    try {
      if (hasFiles(kind)) await copyListed(blobs, kind, digest, join(dir, path));
      else await copyBlob(blobs, digest, join(dir, path));
      digests.add(digest);
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
      await rm(join(dir, path), { recursive: true, force: true });
      gone.push(name);
    }
  }
  return { digests, gone };
}

async function copyBlob(blobs: BlobStore, digest: Digest, to: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  const copy = await blobs.localFile(digest, dirname(to));
  try {
    await copyFile(copy, to);
    await chmod(to, mode);
  } finally {
    await rm(copy, { force: true });
  }
}

/** Lays out what is no file: a folder, several, or a set of files. */
async function copyListed(
  blobs: BlobStore,
  kind: string,
  digest: Digest,
  to: string,
): Promise<void> {
  const access = plainAccess(blobs);
  await mkdir(to, { recursive: true });
  if (kind === "folder") return copyFolder(access, digest, to);
  if (kind === "folders") {
    for (const [at, own] of (await readFolders(access, digest)).entries()) {
      await copyFolder(access, own.digest, join(to, String(at)));
    }
    return;
  }
  const ref = { digest, bytes: 0, codec: "files" } as const;
  const files = (await decode(access, ref, () => Promise.resolve(to))) as readonly StoredFile[];
  for (const { path, file } of files) await copyBlob(blobs, file.digest, join(to, path));
}

async function copyFolder(access: BlobAccess, digest: Digest, to: string): Promise<void> {
  const { files, emptyFolders } = await readManifest(access, digest);
  for (const path of ["", ...emptyFolders]) await mkdir(join(to, path), { recursive: true });
  for (const file of files) {
    const mode = file.isExecutable ? 0o755 : 0o644;
    await copyBlob(access.blobs, file.digest, join(to, file.path), mode);
  }
}
