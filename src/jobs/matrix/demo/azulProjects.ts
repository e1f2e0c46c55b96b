// What the look-alike Azul knows of projects and their files, and how it words them: hits with trees of facets.

/** A file of a project. */
export interface AzulFile {
  /** Of the file, not of the project. */
  readonly uuid: string;
  /** An instant with microseconds, as the service has it. */
  readonly version: string;
  readonly name: string;
  /** e.g. "zip", "h5ad", "loom", "rds". */
  readonly format: string;
  /** Where its content lies on disk. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** e.g. "DCP/1 Matrix Service", "HCA Release", "GEO", "Contributor". */
  readonly fileSource: string;
  readonly matrixCellCount: number | null;
  readonly isIntermediate: boolean;
  /** Values by facet; a file with several values of one facet hangs in the tree several times. A facet that is not here is not in the tree. */
  readonly facets: Readonly<Partial<Record<AzulFacet, readonly string[]>>>;
}

/** The facets in the order in which the trees nest them. */
export const AZUL_FACETS = [
  "genusSpecies",
  "developmentStage",
  "organ",
  "libraryConstructionApproach",
] as const;
export type AzulFacet = (typeof AZUL_FACETS)[number];

export interface AzulProject {
  readonly projectId: string;
  readonly title: string;
  readonly shortName: string;
  readonly species: readonly string[];
  readonly organs: readonly string[];
  /** As the protocols name them; null stands for one that does not say. */
  readonly approaches: readonly (string | null)[];
  readonly cells: number | null;
  readonly matrices: readonly AzulFile[];
  readonly contributedAnalyses: readonly AzulFile[];
}

/** Words one project as a hit of /index/projects. */
export function azulHit(project: AzulProject, urlOf: (file: AzulFile) => string): unknown {
  const { projectId, title, shortName, species, organs, approaches, cells } = project;
  return {
    entryId: projectId,
    sources: [],
    projects: [
      {
        projectId,
        projectTitle: title,
        projectShortname: shortName,
        laboratory: ["Synthetic Laboratory"],
        estimatedCellCount: cells,
        isTissueAtlasProject: false,
        matrices: treeOf(project.matrices, urlOf),
        contributedAnalyses: treeOf(project.contributedAnalyses, urlOf),
        accessible: true,
      },
    ],
    samples: [{ sampleEntityType: ["specimens"], organ: organs }],
    donorOrganisms: [{ genusSpecies: species, developmentStage: ["adult"] }],
    cellSuspensions: [{ organ: organs, totalCells: cells }],
    protocols: [
      { libraryConstructionApproach: approaches, nucleicAcidSource: ["single cell"] },
      { instrumentManufacturerModel: ["Illumina NovaSeq 6000"] },
    ],
    dates: [],
    fileTypeSummaries: [],
  };
}

type Tree = { [facet: string]: { [value: string]: Tree | object[] } };

function treeOf(files: readonly AzulFile[], urlOf: (file: AzulFile) => string): unknown {
  const root: Tree = {};
  let bare: object[] | null = null;
  for (const file of files) {
    const worded = fileOf(file, urlOf(file));
    const ways = waysOf(file);
    if (ways.length === 0) bare = [...(bare ?? []), worded];
    for (const way of ways) hang(root, way, worded);
  }
  // Files without any facet leave no room for a tree.
  return bare ?? root;
}

type Way = readonly (readonly [facet: string, value: string])[];

/** All ways through the tree to a file: every combination of its facets' values. */
function waysOf({ facets }: AzulFile): readonly Way[] {
  let ways: Way[] = [[]];
  for (const facet of AZUL_FACETS) {
    const values = facets[facet];
    if (values === undefined || values.length === 0) continue;
    ways = ways.flatMap((way) => values.map((value): Way => [...way, [facet, value]]));
  }
  return ways.filter((way) => way.length > 0);
}

function hang(root: Tree, way: Way, worded: object): void {
  let at = root;
  way.forEach(([facet, value], depth) => {
    const branch = (at[facet] ??= {});
    if (depth === way.length - 1) {
      const leaf = branch[value];
      branch[value] = Array.isArray(leaf) ? [...leaf, worded] : [worded];
      return;
    }
    const next = branch[value];
    at = next === undefined || Array.isArray(next) ? (branch[value] = {}) : next;
  });
}

function fileOf(file: AzulFile, url: string): object {
  return {
    uuid: file.uuid,
    version: file.version,
    name: file.name,
    format: file.format,
    size: file.bytes,
    fileSource: file.fileSource,
    matrixCellCount: file.matrixCellCount,
    sha256: file.sha256,
    contentDescription: ["Matrix"],
    isIntermediate: file.isIntermediate,
    url,
    drs_uri: `drs://synthetic.example.org/v1_${file.uuid}`,
  };
}
