// What kind of file it is, as its name tells, and whether the name is one that repositories downstream accept.

import type { FileKind } from "./analysis.ts";

/** The manifest as it was called before there was one for each component. */
const LEGACY_MANIFEST = "synapse_storage_manifest.csv";
const MANIFEST_PREFIX = "synapse_storage_manifest_";

const EXTENSIONS: Readonly<Record<"BAM" | "FASTQ" | "IMAGE" | "MATRIX" | "excluded", string>> = {
  BAM: ".bam",
  FASTQ: ".fastq .fasta .fq",
  IMAGE: ".tif .tiff .svs .vsi .png .raw .jpg .scn .s0001_e00",
  MATRIX: ".csv .tsv .vcf .fcs .mtx .txt .h5ad .h5 .xlsx",
  // What editors and operating systems leave behind.
  excluded: ".DS_Store .vimrc .Rhistory",
};
const KIND_OF_EXTENSION: ReadonlyMap<string, FileKind | "excluded"> = new Map(
  Object.entries(EXTENSIONS).flatMap(([kind, extensions]) =>
    extensions.split(" ").map((extension) => [extension, kind as keyof typeof EXTENSIONS] as const),
  ),
);

/** Tells a file's kind by its name; null for files that do not count. Letter case matters. */
export function kindOf(name: string): FileKind | null {
  if (name.startsWith(MANIFEST_PREFIX)) return "METADATA";
  if (name === LEGACY_MANIFEST) return null;
  const kind = KIND_OF_EXTENSION.get(extensionOf(name)) ?? "OTHER_ASSAY";
  return kind === "excluded" ? null : kind;
}

/** A name that begins with a dot is its own extension; of others, what is before a final ".gz" counts. */
function extensionOf(name: string): string {
  if (name.startsWith(".")) return name;
  const extension = suffixOf(name);
  return extension === ".gz" ? suffixOf(name.slice(0, -extension.length)) : extension;
}

function suffixOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 && dot < name.length - 1 ? name.slice(dot) : "";
}

const SAFE_NAME = /^[A-Za-z0-9._-]+$/;

/** Tells whether the Cancer Data Service takes files of that name. */
export function isSafeName(name: string): boolean {
  return SAFE_NAME.test(name);
}

/** Lists the characters that make a name unsafe, each once, in their order. */
export function unsafeCharacters(name: string): readonly string[] {
  return [...new Set(name.match(/[^A-Za-z0-9._-]/gu) ?? [])];
}
