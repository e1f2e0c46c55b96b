// Small manifests, views and atlases, written down where a test needs them.

import { analyseAtlas } from "../../../src/jobs/htan/data/analyse.ts";
import type {
  AtlasAnalysis,
  AtlasFiles,
  ManifestEntry,
} from "../../../src/jobs/htan/data/analysis.ts";
import type { Atlas } from "../../../src/jobs/htan/data/atlas.ts";
import { listFiles } from "../../../src/jobs/htan/data/files.ts";
import { type Manifest, readManifest } from "../../../src/jobs/htan/data/manifest.ts";
import { readView, type ViewOptions, type ViewRows } from "../../../src/jobs/htan/data/view.ts";
import { components, labels } from "./fixtureWorld.ts";

export const ATLAS: Atlas = { atlasId: "HTA3", projectId: "syn1", name: "Test", liaison: "" };

/** Gives text or bytes in pieces of a size. */
export async function* chunked(
  content: string | Uint8Array,
  size = 1 << 20,
): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(content);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Makes a manifest's entry; the component is that of the view. */
export function entryOf(entityId: string, component: string | null): ManifestEntry {
  const name = `synapse_storage_manifest_${(component ?? "some").toLowerCase()}.csv`;
  return { entityId, name, path: "folder", component, md5: null, sizeBytes: 0, modifiedAt: null };
}

/** Reads a manifest from its lines. */
export function manifestOf(
  entityId: string,
  component: string | null,
  ...lines: readonly string[]
): Promise<Manifest> {
  const content = lines.map((line) => `${line}\n`).join("");
  return readManifest(entryOf(entityId, component), chunked(content), components);
}

/** Reads a manifest's records from cells, without entityId where the header has none. */
export function rowsOf(
  entityId: string,
  component: string,
  header: readonly string[],
  ...rows: readonly (readonly string[])[]
): Promise<Manifest> {
  const line = (cells: readonly string[]): string =>
    cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",");
  const lines = [["Component", ...header], ...rows.map((row) => [component, ...row])].map(line);
  return manifestOf(entityId, component, ...lines);
}

export const NO_FILES: AtlasFiles = listFiles(ATLAS, {
  rows: 0,
  folders: new Map(),
  tallies: new Map(),
  fileIds: [],
  manifests: [],
  unsafe: [],
  problems: [],
});

/** Analyses an atlas of these manifests alone. */
export async function analysisOf(
  manifests: readonly Promise<Manifest>[],
  atlas: Atlas = ATLAS,
): Promise<AtlasAnalysis> {
  return analyseAtlas(atlas, NO_FILES, await Promise.all(manifests), components, { labels });
}

/** What a rule found, as its fields. */
export function fieldsOf(analysis: AtlasAnalysis, rule: string): readonly object[] {
  return analysis.findings.filter((finding) => finding.rule === rule).map(({ fields }) => fields);
}

/** What became of a rule. */
export function outcomeOf(analysis: AtlasAnalysis, rule: string): object | undefined {
  return analysis.rules.find((outcome) => outcome.rule === rule);
}

/** Demographics and specimens that let all other checks pass. */
export function sound(): readonly Promise<Manifest>[] {
  return [
    rowsOf("syn100", "Demographics", ["HTAN Participant ID"], ["HTA3_1"], ["HTA3_2"]),
    rowsOf(
      "syn101",
      "Biospecimen",
      ["HTAN Biospecimen ID", "HTAN Parent ID", "Adjacent Biospecimen IDs"],
      ["HTA3_1_1", "HTA3_1", ""],
      ["HTA3_2_1", "HTA3_2", "HTA3_1_1"],
    ),
  ];
}

export const ASSAY = ["HTAN Data File ID", "HTAN Parent Biospecimen ID", "entityId"];
export const DERIVED_ASSAY = ["HTAN Data File ID", "HTAN Parent Data File ID", "entityId"];

const VIEW_HEADER =
  "id,name,type,parentId,projectId,Component,modifiedOn,dataFileSizeBytes,dataFileMD5Hex";

/** Reads a view from its rows, without the header. */
export function viewOf(rows: readonly string[], options?: ViewOptions): Promise<ViewRows> {
  return readView(chunked([VIEW_HEADER, ...rows, ""].join("\n")), options);
}

/** Writes one row of a view. */
export function viewRow(
  id: number,
  name: string,
  parent: number,
  more: {
    readonly type?: string;
    readonly component?: string;
    readonly modifiedOn?: string;
    readonly size?: string;
  } = {},
): string {
  const { type = "file", component = "", modifiedOn = "1600000000000", size = "1" } = more;
  return `syn${id},"${name.replaceAll('"', '""')}",${type},syn${parent},syn1,${component},${modifiedOn},${size},`;
}
