// The tissues of the demo: which kinds of cells there are, what each has switched on, and how they were sequenced.

import type { ProgrammeName } from "./matrixProgrammes.ts";

/** Programmes and how far each is on: 1 is fully. */
export type Switches = Partial<Readonly<Record<ProgrammeName, number>>>;

/** A kind of cell. */
export interface CellKind {
  readonly name: string;
  /** Of the sample's cells, by weight. */
  readonly share: number;
  readonly on: Switches;
  /** Counts of a cell of this kind, as a factor on the sample's. */
  readonly size?: number;
  /** Factors on what all cells have. */
  readonly ribosomal?: number;
  readonly mitochondrial?: number;
  /** Share of the cells that are dividing. */
  readonly cycling?: number;
  /** The kind that cells of this one are on their way to: most have hardly left, few have nearly arrived. */
  readonly towards?: string;
}

/** Cells of one library construction approach. */
export interface CellSample {
  /** As the data name it, e.g. "10X v2 sequencing". */
  readonly approach: string;
  /** Droplets count molecules; plates count reads, of longer genes more. */
  readonly isPlate: boolean;
  readonly cells: number;
  /** Molecules that a middling cell yields. */
  readonly molecules: number;
  /** Share by weight of kinds in this sample where it is not the plan's; 0 leaves a kind out. */
  readonly shares?: Readonly<Record<string, number>>;
}

export interface TissuePlan {
  readonly name: string;
  readonly kinds: readonly CellKind[];
  readonly samples: readonly CellSample[];
  /** Share of the reference's rare genes that are not in this matrix. */
  readonly leftOut: number;
  /** Doublets, dying cells and droplets with hardly a cell in them, as shares of all. */
  readonly flaws: {
    readonly doublets: number;
    readonly dying: number;
    readonly empty: number;
  };
}

/** Lung adenocarcinoma: tumour and normal tissue, on droplets and on plates. */
export const LUNG: TissuePlan = {
  name: "lung",
  leftOut: 0.04,
  flaws: { doublets: 0.03, dying: 0.05, empty: 0.03 },
  samples: [
    { approach: "10X v2 sequencing", isPlate: false, cells: 2400, molecules: 1450 },
    {
      approach: "Smart-seq2",
      isPlate: true,
      cells: 400,
      molecules: 5000,
      shares: { "B cell": 0, "mast cell": 0, "ciliated cell": 0, "club cell": 0, "plasma cell": 0 },
    },
  ],
  kinds: [
    {
      name: "alveolar type 2",
      share: 15,
      on: { epithelial: 1, alveolar2: 1 },
      size: 1.3,
      towards: "tumour cell",
    },
    { name: "alveolar type 1", share: 4, on: { epithelial: 0.8, alveolar1: 1 }, size: 1.1 },
    {
      name: "ciliated cell",
      share: 5,
      on: { epithelial: 0.9, ciliated: 1 },
      size: 1.3,
      mitochondrial: 1.3,
    },
    { name: "club cell", share: 4, on: { epithelial: 1, club: 1 }, size: 1.1 },
    {
      name: "tumour cell",
      share: 16,
      on: { epithelial: 1.2, tumourLung: 1 },
      size: 1.7,
      cycling: 0.3,
      towards: "late tumour cell",
    },
    {
      name: "late tumour cell",
      share: 8,
      on: { epithelial: 0.7, tumourLung: 0.6, tumourLungLate: 1, hypoxia: 0.8 },
      size: 1.6,
      cycling: 0.4,
    },
    {
      name: "macrophage",
      share: 14,
      on: { macrophage: 1 },
      size: 1.4,
      ribosomal: 0.75,
      towards: "tumour macrophage",
    },
    {
      name: "tumour macrophage",
      share: 6,
      on: { macrophage: 0.7, inflamed: 1 },
      size: 1.3,
      ribosomal: 0.7,
    },
    { name: "monocyte", share: 6, on: { monocyte: 1 }, size: 0.9, ribosomal: 0.7 },
    { name: "CD4 T cell", share: 11, on: { tCell: 1, memoryT: 1 }, size: 0.65, ribosomal: 1.35 },
    {
      name: "CD8 T cell",
      share: 8,
      on: { tCell: 1, cytotoxicT: 1 },
      size: 0.65,
      ribosomal: 1.1,
      towards: "exhausted T cell",
    },
    {
      name: "exhausted T cell",
      share: 3,
      on: { tCell: 1, cytotoxicT: 0.8, exhaustedT: 1 },
      size: 0.75,
      cycling: 0.2,
    },
    { name: "NK cell", share: 5, on: { nk: 1 }, size: 0.6, ribosomal: 0.9 },
    { name: "B cell", share: 5, on: { bCell: 1 }, size: 0.65, ribosomal: 1.4 },
    { name: "plasma cell", share: 3, on: { plasma: 1 }, size: 1.2, ribosomal: 0.7 },
    { name: "mast cell", share: 3, on: { mast: 1 }, size: 0.8, ribosomal: 0.9 },
    {
      name: "fibroblast",
      share: 7,
      on: { fibroblast: 1 },
      size: 1.1,
      towards: "activated fibroblast",
    },
    { name: "activated fibroblast", share: 3, on: { fibroblast: 1.1, activated: 1 }, size: 1.3 },
    { name: "endothelial cell", share: 7, on: { endothelial: 1 }, size: 1 },
  ],
};

/** Blood: eight kinds of mononuclear cells. */
export const BLOOD: TissuePlan = {
  name: "blood",
  leftOut: 0.1,
  flaws: { doublets: 0.025, dying: 0.025, empty: 0.02 },
  samples: [{ approach: "10x 3' v3", isPlate: false, cells: 2700, molecules: 1300 }],
  kinds: [
    {
      name: "naive CD4 T cell",
      share: 25,
      on: { tCell: 1, naiveT: 1.4 },
      size: 0.9,
      ribosomal: 1.45,
      mitochondrial: 0.5,
      towards: "memory CD4 T cell",
    },
    {
      name: "memory CD4 T cell",
      share: 17,
      on: { tCell: 1.1, memoryT: 1.5 },
      size: 0.95,
      ribosomal: 1.25,
      mitochondrial: 0.5,
    },
    {
      name: "CD8 T cell",
      share: 12,
      on: { tCell: 1, cytotoxicT: 1.3 },
      size: 0.9,
      ribosomal: 1.05,
      mitochondrial: 0.5,
    },
    { name: "NK cell", share: 9, on: { nk: 1 }, size: 0.9, ribosomal: 0.85, mitochondrial: 0.5 },
    {
      name: "B cell",
      share: 13,
      on: { bCell: 1 },
      size: 0.95,
      ribosomal: 1.35,
      mitochondrial: 0.5,
    },
    {
      name: "CD14 monocyte",
      share: 17,
      on: { monocyte: 1 },
      size: 1.25,
      ribosomal: 0.7,
      mitochondrial: 0.5,
      towards: "FCGR3A monocyte",
    },
    {
      name: "FCGR3A monocyte",
      share: 7,
      on: { patrolling: 1 },
      size: 1.3,
      ribosomal: 0.7,
      mitochondrial: 0.5,
    },
    {
      name: "dendritic cell",
      share: 3,
      on: { dendritic: 1 },
      size: 1.6,
      ribosomal: 0.9,
      mitochondrial: 0.5,
    },
  ],
};

/** Breast carcinoma: three tumours, the ducts they come from, and what lies around. */
export const BREAST: TissuePlan = {
  name: "breast",
  leftOut: 0.02,
  flaws: { doublets: 0.03, dying: 0.045, empty: 0.03 },
  samples: [{ approach: "10x 3' v2", isPlate: false, cells: 3000, molecules: 1400 }],
  kinds: [
    {
      name: "luminal progenitor",
      share: 11,
      on: { epithelial: 1, luminalProgenitor: 1 },
      size: 1.1,
      towards: "mature luminal cell",
    },
    { name: "mature luminal cell", share: 8, on: { epithelial: 1, luminalMature: 1 }, size: 1.2 },
    { name: "myoepithelial cell", share: 6, on: { epithelial: 0.5, myoepithelial: 1 }, size: 1 },
    {
      name: "HER2 tumour cell",
      share: 10,
      on: { epithelial: 1.2, tumourHer2: 1 },
      size: 1.7,
      cycling: 0.3,
    },
    {
      name: "luminal tumour cell",
      share: 12,
      on: { epithelial: 1.2, tumourLuminal: 1 },
      size: 1.5,
      cycling: 0.15,
    },
    {
      name: "basal tumour cell",
      share: 9,
      on: { epithelial: 0.8, tumourBasal: 1, hypoxia: 0.4 },
      size: 1.6,
      cycling: 0.45,
    },
    {
      name: "fibroblast",
      share: 7,
      on: { fibroblast: 1 },
      size: 1.1,
      towards: "activated fibroblast",
    },
    { name: "activated fibroblast", share: 6, on: { fibroblast: 1.1, activated: 1.2 }, size: 1.3 },
    { name: "pericyte", share: 4, on: { pericyte: 1 }, size: 1 },
    {
      name: "endothelial cell",
      share: 6,
      on: { endothelial: 1 },
      size: 1,
      towards: "arterial cell",
    },
    { name: "arterial cell", share: 2, on: { endothelial: 0.9, arterial: 1.5 }, size: 1 },
    {
      name: "macrophage",
      share: 8,
      on: { macrophage: 1 },
      size: 1.3,
      ribosomal: 0.75,
      towards: "inflamed macrophage",
    },
    {
      name: "inflamed macrophage",
      share: 3,
      on: { macrophage: 0.7, inflamed: 1 },
      size: 1.3,
      ribosomal: 0.7,
    },
    { name: "CD4 T cell", share: 8, on: { tCell: 1, memoryT: 1 }, size: 0.65, ribosomal: 1.35 },
    {
      name: "regulatory T cell",
      share: 3,
      on: { tCell: 1, memoryT: 0.6, treg: 1.3 },
      size: 0.7,
      ribosomal: 1.2,
    },
    { name: "CD8 T cell", share: 6, on: { tCell: 1, cytotoxicT: 1 }, size: 0.65, ribosomal: 1.1 },
    { name: "B cell", share: 4, on: { bCell: 1 }, size: 0.65, ribosomal: 1.4 },
    { name: "plasma cell", share: 3, on: { plasma: 1 }, size: 1.2, ribosomal: 0.7 },
  ],
};
