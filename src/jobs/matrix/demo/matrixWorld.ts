// The demo's projects with matrices: three worth looking at, one that cannot be read and one that nobody wants.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";

import type { AzulFile, AzulProject } from "./azulProjects.ts";
import { makeCells } from "./matrixCells.ts";
import { writeMtxZip } from "./matrixFiles.ts";
import { writeH5ad, writeLoom } from "./matrixHdf5.ts";
import { BLOOD, BREAST, LUNG, type TissuePlan } from "./matrixPlans.ts";
import { tinyCells } from "./tinyMatrices.ts";
import { uuidOf } from "./uuid.ts";

/** A project of the demo: what the look-alike Azul needs, and whose it is. */
export interface DemoProject extends AzulProject {
  /** The demo's atlas that made it, e.g. "HTA3". */
  readonly atlasId: string;
  /** Whether it is to stand in the object `blacklist`. */
  readonly isBlacklisted: boolean;
}

/** What is written, and what is said of it. */
interface Draft {
  readonly atlasId: string;
  readonly projectId: string;
  readonly title: string;
  readonly shortName: string;
  readonly organ: string;
  readonly approaches: readonly string[];
  readonly cells: number;
  readonly extension: string;
  readonly fileSource: string;
  readonly isContributed?: boolean;
  readonly isBlacklisted?: boolean;
  readonly write: (path: string) => Promise<void>;
}

const SPECIES = "Homo sapiens";

const drafts = (): readonly Draft[] => [
  {
    atlasId: "HTA3",
    projectId: "4d1b7f0a-6c25-4e39-9a58-1f0c5b7e2d31",
    title: "Lung adenocarcinoma, tumour and normal tissue",
    shortName: "SyntheticLungAdenocarcinoma",
    organ: "lung",
    ...sizeOf(LUNG),
    extension: "mtx.zip",
    fileSource: "DCP/1 Matrix Service",
    write: (path) => writeMtxZip(path, "b7d04c1e-3a52-4f6d-8c90-5e2a1d9f7b43.mtx", makeCells(LUNG)),
  },
  {
    atlasId: "HTA7",
    projectId: "8e52c9d4-17b3-4a06-b2fd-60a9c3e4f715",
    title: "Peripheral blood mononuclear cells",
    shortName: "SyntheticBloodMononuclear",
    organ: "blood",
    ...sizeOf(BLOOD),
    extension: "h5ad",
    fileSource: "HCA Release",
    isContributed: true,
    write: (path) => writeH5ad(path, makeCells(BLOOD)),
  },
  {
    atlasId: "HTA1",
    projectId: "c03f6b82-95de-4d17-8b4c-27e1f5a9d068",
    title: "Breast carcinoma atlas",
    shortName: "SyntheticBreastCarcinoma",
    organ: "breast",
    ...sizeOf(BREAST),
    extension: "loom",
    fileSource: "DCP/2 Analysis",
    write: (path) => writeLoom(path, makeCells(BREAST)),
  },
  {
    atlasId: "HTA5",
    projectId: "1a9e4d73-b860-42cf-95a7-d38f06c2e5b4",
    title: "Melanoma before and after therapy",
    shortName: "SyntheticMelanomaTherapy",
    organ: "skin",
    approaches: ["10x 3' v3"],
    cells: 9120,
    extension: "rds",
    fileSource: "Contributor",
    isContributed: true,
    // The first bytes of a serialised R object; nobody here reads on.
    write: (path) => writeFile(path, gzipSync("X\n\0\0\0\x03\0\x04\x03\x01\0\x03\x05\0")),
  },
  {
    atlasId: "HTA8",
    projectId: "f6280b5c-4e91-4c7a-a3d0-9b15d7e82f46",
    title: "Ovarian pilot, superseded",
    shortName: "SyntheticOvarianPilot",
    organ: "ovary",
    approaches: ["10X v2 sequencing"],
    cells: 60,
    extension: "mtx.zip",
    fileSource: "DCP/1 Matrix Service",
    isBlacklisted: true,
    write: (path) => writeMtxZip(path, "pilot.mtx", tinyCells({ seed: 1, cells: 60, genes: 80 })),
  },
];

/** Writes the demo's matrices into a folder, the same bytes every time, and returns what there is to say of them. */
export async function demoMatrices(dir: string): Promise<readonly DemoProject[]> {
  await mkdir(dir, { recursive: true });
  const projects: DemoProject[] = [];
  for (const draft of drafts()) {
    const name = `${draft.projectId}.homo_sapiens.${draft.extension}`;
    const path = join(dir, name);
    await draft.write(path);
    projects.push(await describe(draft, name, path));
  }
  return projects;
}

async function describe(draft: Draft, name: string, path: string): Promise<DemoProject> {
  const { atlasId, projectId, title, shortName, organ, approaches, cells } = draft;
  const file: AzulFile = {
    uuid: uuidOf("file", projectId),
    version: "2026-02-03T09:15:00.000000Z",
    name,
    format: draft.extension.replace(/^.*\./, ""),
    path,
    bytes: (await stat(path)).size,
    sha256: await sha256Of(path),
    fileSource: draft.fileSource,
    matrixCellCount: cells,
    isIntermediate: false,
    facets: {
      genusSpecies: [SPECIES],
      developmentStage: ["human adult stage"],
      organ: [organ],
      libraryConstructionApproach: approaches,
    },
  };
  return {
    atlasId,
    projectId,
    title,
    shortName,
    species: [SPECIES],
    organs: [organ],
    approaches,
    cells,
    matrices: draft.isContributed === true ? [] : [file],
    contributedAnalyses: draft.isContributed === true ? [file] : [],
    isBlacklisted: draft.isBlacklisted === true,
  };
}

function sizeOf({ samples }: TissuePlan): { approaches: readonly string[]; cells: number } {
  return {
    approaches: samples.map(({ approach }) => approach),
    cells: samples.reduce((sum, sample) => sum + sample.cells, 0),
  };
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
