// The assays of synthetic atlases: levels of processing, their files, and the attributes of their records.

import type { Attribute } from "./worldParts.ts";

const YES_NO = "Yes|No";

const READS: readonly Attribute[] = [
  ["Nucleic Acid Source", "Single Cell|Single Nucleus|Bulk Whole Cell|Micro-region"],
  ["Library Construction Method", "10xV3|10xV2|Smart-seq2|Hyper Prep ICE Exome Express"],
  ["Dissociation Method", "gentleMACS|Enzymatic Digestion|Dounce"],
  ["Sequencing Platform", "Illumina NovaSeq 6000|Illumina NextSeq 550|Illumina HiSeq 4000"],
  ["Read Length", [50, 250]],
  ["Library Preparation Days from Index", [0, 900]],
  ["Input Cells and Nuclei", [500, 20000]],
  ["Spike In", "No Spike In|ERCC|PhiX"],
  ["Protocol Link", "https://example.org/protocols/11|https://example.org/protocols/12"],
];
const ALIGNED: readonly Attribute[] = [
  ["Workflow Type", "CellRanger|STARsolo|BWA-MEM|HiC-Pro"],
  ["Workflow Version", "3.1.0|4.0.0|6.1.2"],
  ["Workflow Link", "https://example.org/workflows/align|https://example.org/workflows/map"],
  ["Genomic Reference", "GRCh38|hg19"],
  ["Genome Annotation URL", "https://example.org/annotation/34|https://example.org/annotation/41"],
  ["Mean Coverage", [10, 200]],
  ["Contamination Error", [0, 9]],
];
const DERIVED: readonly Attribute[] = [
  ["Data Category", "Gene Expression|Peaks|Somatic Variants|Isoform"],
  ["Matrix Type", "Raw Counts|Normalized Counts|Scaled Counts"],
  ["Workflow Version", "3.1.0|4.0.0|6.1.2"],
  ["Workflow Parameters Description", "default|min.cells = 3, min.features = 200|see protocol"],
  ["Cell Median Number Genes", [300, 6000]],
  ["Linked Matrices", "counts|counts, normalized"],
];
const IMAGE: readonly Attribute[] = [
  ["Imaging Assay Type", "CyCIF|CODEX|H&E|MIBI|mIHC"],
  ["Microscope", "Scanner X1|Scanner Z3, upright"],
  ["Objective", "20x/0.75NA|40x/0.95NA"],
  ["Passed QC", YES_NO],
  ["Frame Averaging", [1, 8]],
  ["Pyramid", YES_NO],
  ["PhysicalSizeX", "0.325|0.65|0.5"],
  ["PhysicalSizeXUnit", "µm"],
  ["SizeC", [3, 60]],
  ["SizeX", [5000, 60000]],
  ["SizeY", [5000, 60000]],
  ["PixelType", "uint16|uint8"],
];
const SPECTRA: readonly Attribute[] = [
  ["Mass Spectrometry Assay Type", "LC-MS/MS|LC-MS3"],
  ["Analyte Type", "protein extract|lipid extract"],
  ["MS Instrument Vendor and Model", "Instrument A|Instrument B"],
  ["MS Batch ID", [1, 40]],
  ["MS Scan Mode", "DDA|DIA"],
  ["Protocol Link", "https://example.org/protocols/31"],
];

/** One level of processing of an assay. */
export interface Level {
  readonly component: string;
  /** Folder, below the assay's own. */
  readonly folder: string;
  /** One file of each suffix for every sample. */
  readonly suffixes: readonly string[];
  /** "specimen": its records name the specimen as their parent; "files": those of the level before. */
  readonly parent: "specimen" | "files";
  readonly parentColumn: string;
  readonly attributes: readonly Attribute[];
  readonly sizeBytes: number;
}

const SPECIMEN_PARENT = "HTAN Parent Biospecimen ID";
const FILE_PARENT = "HTAN Parent Data File ID";
const KB = 1e3;
const MB = 1e6;
const GB = 1e9;

function first(
  component: string,
  suffixes: string,
  attributes: readonly Attribute[],
  size: number,
) {
  return level(component, suffixes, "specimen", attributes, size);
}
function later(
  component: string,
  suffixes: string,
  attributes: readonly Attribute[],
  size: number,
) {
  return level(component, suffixes, "files", attributes, size);
}
function level(
  component: string,
  suffixes: string,
  parent: "specimen" | "files",
  attributes: readonly Attribute[],
  sizeBytes: number,
): Level {
  const parentColumn = parent === "specimen" ? SPECIMEN_PARENT : FILE_PARENT;
  const folder = (/(level|aux).*$/i.exec(component)?.[0] ?? component)
    .toLowerCase()
    .replace(/(\d)/, "_$1");
  return {
    component,
    folder,
    suffixes: suffixes.split(" "),
    parent,
    parentColumn,
    attributes,
    sizeBytes,
  };
}

/** Assays by the name of their folder, each with its levels. */
export const SERIES = {
  single_cell_rnaseq: [
    first("ScRNA-seqLevel1", "_R1.fastq.gz _R2.fastq.gz", READS, 18 * GB),
    later("ScRNA-seqLevel2", ".bam", ALIGNED, 22 * GB),
    later("ScRNA-seqLevel3", ".mtx.gz", DERIVED, 60 * MB),
    later("ScRNA-seqLevel4", ".h5ad", DERIVED, 400 * MB),
  ],
  single_cell_atacseq: [
    first("ScATAC-seqLevel1", "_R1.fastq.gz _R3.fastq.gz", READS, 16 * GB),
    later("ScATAC-seqLevel2", ".bam", ALIGNED, 20 * GB),
    later("ScATAC-seqLevel3", "_fragments.tsv.gz", DERIVED, 2 * GB),
  ],
  bulk_wes: [
    first("BulkWESLevel1", "_1.fq.gz _2.fq.gz", READS, 9 * GB),
    later("BulkWESLevel2", ".bam", ALIGNED, 14 * GB),
    later("BulkWESLevel3", ".vcf.gz", DERIVED, 4 * MB),
  ],
  bulk_rnaseq: [
    first("BulkRNA-seqLevel1", "_1.fastq.gz _2.fastq.gz", READS, 5 * GB),
    later("BulkRNA-seqLevel2", ".bam", ALIGNED, 7 * GB),
    later("BulkRNA-seqLevel3", "_counts.tsv", DERIVED, 900 * KB),
  ],
  bulk_methylation: [
    first("BulkMethylation-seqLevel1", ".fastq.gz", READS, 11 * GB),
    later("BulkMethylation-seqLevel2", ".bam", ALIGNED, 13 * GB),
    later("BulkMethylation-seqLevel3", ".txt.gz", DERIVED, 80 * MB),
  ],
  hi_c: [
    first("HI-C-seqLevel1", ".fastq.gz", READS, 30 * GB),
    later("HI-C-seqLevel2", ".bam", ALIGNED, 35 * GB),
    later("HI-C-seqLevel3", ".hic", DERIVED, 3 * GB),
  ],
  imaging: [
    first("ImagingLevel2", ".ome.tiff", IMAGE, 12 * GB),
    later("ImagingLevel3Segmentation", "_mask.tif", IMAGE, 300 * MB),
    later("ImagingLevel4", "_cells.csv", DERIVED, 90 * MB),
  ],
  pathology: [first("ImagingLevel1", ".svs", IMAGE, 900 * MB)],
  visium: [
    first(
      "10xVisiumSpatialTranscriptomics-RNA-seqLevel1",
      "_R1.fastq.gz _R2.fastq.gz",
      READS,
      12 * GB,
    ),
    first("10xVisiumSpatialTranscriptomics-RNA-seqLevel2", ".bam", ALIGNED, 15 * GB),
    first("10xVisiumSpatialTranscriptomics-AuxiliaryFiles", "_hires.png", IMAGE, 8 * MB),
  ],
  slide_seq: [
    first("Slide-seqLevel1", ".fastq.gz", READS, 14 * GB),
    later("Slide-seqLevel2", ".bam", ALIGNED, 16 * GB),
    later("Slide-seqLevel3", ".h5ad", DERIVED, 200 * MB),
  ],
  mass_spectrometry: [
    first("MassSpectrometryLevel1", ".raw", SPECTRA, 2 * GB),
    later("MassSpectrometryLevel2", ".mzML", SPECTRA, 3 * GB),
    later("MassSpectrometryLevel3", ".csv", DERIVED, 20 * MB),
  ],
  electron_microscopy: [
    first("ElectronMicroscopyLevel1", ".tif", IMAGE, 6 * GB),
    later("ElectronMicroscopyLevel2", "_stitched.tif", IMAGE, 40 * GB),
  ],
  srrs_imaging: [first("SRRSImagingLevel2", ".ome.tif", IMAGE, 10 * GB)],
  other_assay: [first("OtherAssay", ".rnk", DERIVED, 3 * MB)],
} as const satisfies Record<string, readonly Level[]>;

/** The assays' names. */
export type SeriesName = keyof typeof SERIES;
