// What the tests of the look-alike sources of matrices share: a file on disk, projects that have it, and a plain client.

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import type { AzulFile, AzulProject } from "../../../../src/jobs/matrix/demo/azulProjects.ts";
import type { MatrixEntry, MatrixSource } from "../../../../src/jobs/matrix/source.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly text: string;
  readonly value: unknown;
}

export const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 31) & 255));
export const MD5 = createHash("md5").update(CONTENT).digest("hex");
export const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

/** Makes a folder that is gone after the test. */
export async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-test-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes CONTENT into a file of its own. */
export async function tempContent(name = "matrix.mtx.zip"): Promise<string> {
  const path = join(await tempDir(), name);
  await writeFile(path, CONTENT);
  return path;
}

/** Pulls the first of the matrices that a source has listed; gives its bytes. */
export async function pullFirst(
  source: MatrixSource,
  [entry]: readonly MatrixEntry[],
): Promise<Buffer> {
  if (entry === undefined) throw new Error("there is no entry");
  const { signal } = new AbortController();
  const onProgress = (): void => undefined;
  return readFile((await source.pull(entry, await tempDir(), { signal, onProgress })).path);
}

/** Asks without following redirects. */
export async function ask(url: string, init: RequestInit = {}): Promise<Reply> {
  const answer = await fetch(url, { redirect: "manual", ...init });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const text = bytes.toString("utf8");
  const isJson = answer.headers.get("content-type") === "application/json";
  return {
    status: answer.status,
    headers: answer.headers,
    bytes,
    text,
    value: isJson && text.endsWith("}") ? (JSON.parse(text) as unknown) : null,
  };
}

export function uuid(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

export function makeFile(path: string, changes: Partial<AzulFile> = {}): AzulFile {
  return {
    uuid: uuid(900),
    version: "2026-01-02T03:04:05.000000Z",
    name: `${uuid(1)}.homo_sapiens.mtx.zip`,
    format: "zip",
    path,
    bytes: CONTENT.length,
    sha256: SHA256,
    fileSource: "DCP/1 Matrix Service",
    matrixCellCount: 12,
    isIntermediate: false,
    facets: { genusSpecies: ["Homo sapiens"] },
    ...changes,
  };
}

/** Makes project number n; its title sorts by that. */
export function makeProject(number: number, changes: Partial<AzulProject> = {}): AzulProject {
  return {
    projectId: uuid(number),
    title: `Project & ${number}`,
    shortName: `Project${number}`,
    species: ["Homo sapiens"],
    organs: ["lung"],
    approaches: ["10X v2 sequencing"],
    cells: 12,
    matrices: [],
    contributedAnalyses: [],
    ...changes,
  };
}
