// The steps that make an atlas's numbers and findings of its files and manifests.

import { type Digest, digestOfJson } from "../../digest.ts";
import { type BlobFile, json, step } from "../../engine/step.ts";
import { analyseAtlas, inTableOrder } from "./data/analyse.ts";
import type { AtlasAnalysis, AtlasFiles } from "./data/analysis.ts";
import type { Atlas } from "./data/atlas.ts";
import type { Components } from "./data/components.ts";
import { decodeEntityIds } from "./data/entityIds.ts";
import type { Labels } from "./data/labels.ts";
import { type Manifest, readManifest } from "./data/manifest.ts";
import { measuresOf } from "./data/measures.ts";
import {
  type Elsewhere,
  findRecords,
  findStrangers,
  settleStrangers,
  type Strangers,
} from "./data/strangers.ts";
import { lackingManifests, type UnreadManifest } from "./data/unread.ts";

/** An atlas as a step's parameter: plain JSON. */
export type AtlasParam = { readonly [K in keyof Atlas]: Atlas[K] };

/** A manifest that could not be read as a step's parameter: plain JSON. */
type UnreadParam = { readonly [K in keyof UnreadManifest]: UnreadManifest[K] };

/** Name → value. */
export type Measures = Readonly<Record<string, number>>;

interface AtlasInputs {
  readonly files: AtlasFiles;
  readonly contents: readonly BlobFile[];
}

/** Makes the steps; what the component table decides is in their keys. */
export function makeAnalysisSteps({
  components,
  componentsDigest,
  labels,
}: {
  readonly components: Components;
  readonly componentsDigest: Digest;
  readonly labels: Labels;
}) {
  const uses = { components: componentsDigest };
  return {
    analyseAtlas: step({
      name: "analyseAtlas",
      // 2: blanks, letter case, padding, mixed components and other separators are read as what they are meant to be.
      // 3: what is no id and no label of the data model is nowhere in it, nor are days from the index date.
      version: 3,
      uses: { ...uses, labels: digestOfJson(labels.permitted) },
      outputs: { draft: json<AtlasAnalysis>(), strangers: json<Strangers>() },
      async run(
        { entities, ...inputs }: AtlasInputs & { readonly entities: string },
        { atlas, unread }: { atlas: AtlasParam; unread: readonly UnreadParam[] },
        ctx,
      ) {
        const manifests = await readManifests(inputs, unread, components, ctx.progress);
        const draft = analyseAtlas(atlas, inputs.files, manifests, components, {
          lacking: lackingManifests(inputs.files.manifests, unread, components),
          entities: decodeEntityIds(entities),
          labels,
        });
        return { draft, strangers: findStrangers(draft) };
      },
    }),

    // Asked only of atlases that others name records of.
    findRecords: step({
      name: "findRecords",
      // 2: blanks, letter case, padding, mixed components and other separators are read as what they are meant to be.
      // 3: what is no id is not looked for.
      version: 3,
      uses,
      outputs: { found: json<Readonly<Record<string, string>>>() },
      async run(
        { ids, ...inputs }: AtlasInputs & { readonly ids: readonly string[] },
        { unread }: { unread: readonly UnreadParam[] },
        ctx,
      ) {
        const manifests = await readManifests(inputs, unread, components, ctx.progress);
        return { found: findRecords(inTableOrder(manifests, components), ids) };
      },
    }),

    checkAtlas: step({
      name: "checkAtlas",
      // 2: the measures have a port of their own, so that a run in which nothing moved need not read the analysis.
      // 3: values are capped, and what follows an unclosed quote is not read.
      // 4: the analysis calls its grids so.
      // 5: manifests that could not be read are findings, and what they may hold is not missed.
      // 6: what is wrong is found by analyseAtlas; this step says of links what other atlases have.
      // 7: blanks, letter case, padding, mixed components and other separators are read as what they are meant to be.
      // 8: what is no id and no label of the data model is nowhere in it, nor are days from the index date.
      version: 8,
      uses,
      outputs: { analysis: json<AtlasAnalysis>(), numbers: json<Measures>() },
      async run(
        { draft, elsewhere }: { draft: AtlasAnalysis; elsewhere: Elsewhere },
        _params: null,
        ctx,
      ) {
        const analysis = settleStrangers(draft, elsewhere);
        ctx.find(analysis.findings);
        const numbers = measuresOf(analysis);
        for (const [name, value] of Object.entries(numbers))
          ctx.measure(analysis.atlasId, name, value);
        return { analysis, numbers };
      },
    }),
  };
}

/** Reads the manifests that could be had; `contents` are theirs, in their order. */
async function readManifests(
  { files, contents }: AtlasInputs,
  unread: readonly UnreadManifest[],
  components: Components,
  progress: (done: number, total: number) => void,
): Promise<readonly Manifest[]> {
  const isUnread = new Set(unread.map(({ entityId }) => entityId));
  const entries = files.manifests.filter(({ entityId }) => !isUnread.has(entityId));
  const manifests = [];
  for (const [index, entry] of entries.entries()) {
    const content = contents[index];
    if (content === undefined) continue;
    manifests.push(await readManifest(entry, content.stream(), components));
    progress(index + 1, entries.length);
  }
  return manifests;
}
