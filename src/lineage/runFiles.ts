// The pages of a run as files: the run, how all of it was made, how each result was made, and what these pages load.

import { posix } from "node:path";

import type { Design } from "../render/design.ts";
import { HTML, type Menu } from "../render/page.ts";
import { type SiteFile, textFile } from "../render/siteFiles.ts";
import type { BlobStore } from "../store/blobs.ts";
import { type LedgerRun, readResults } from "../store/lineage.ts";
import type { Db } from "../store/schema.ts";
import { lastLinesOf } from "./logs.ts";
import { type Provenance, readProvenance, type ResultInfo } from "./provenance.ts";
import { makeProvenancePage } from "./provenancePage.ts";
import { makeRunPage, MOST_FAILED } from "./runPage.ts";
import { readRunReport } from "./runReport.ts";

/** Results that have a page of their own; a list of a thousand is told on the page of all of it. */
const MOST_RESULTS = 24;
export interface RunFilesInput {
  readonly db: Db;
  readonly blobs: BlobStore;
  readonly design: Design;
  readonly run: LedgerRun;
  /** True where everybody may read them: then they have no word of a log or an error, and no value but parameters. */
  readonly isPublic: boolean;
  /** Where they lie below the site's root: "" or a path that ends in a slash. */
  readonly prefix: string;
  readonly menu: Menu;
  readonly signal: AbortSignal;
}

/** Makes the files of a run's pages, the first page last. */
export async function makeRunFiles(input: RunFilesInput): Promise<readonly SiteFile[]> {
  const { db, design, isPublic, prefix, menu, signal } = input;
  const { render, assets } = design;
  // Whose it is, and its scopes' errors, are nobody's business where everybody reads.
  const run = isPublic ? { ...input.run, requestedBy: null } : input.run;
  const pathOf = (name: string): string => `${prefix}${name}`;
  const found = { kind: "run", run } as const;
  const report = await readRunReport(db, run);
  const shown = (one: Provenance): Provenance => (isPublic ? withoutValues(one) : one);
  const all = await readProvenance(db, run.pipeline, found, { depth: null, signal, isWhole: true });
  const named = new Set(report.results.map(({ name }) => name));
  // What the last steps of a run have given that failed is no result.
  const whole = shown({ ...all, results: all.results.filter(({ name }) => named.has(name)) });
  const names = resultPages(whole.results);
  const pages: { readonly path: string; readonly text: string }[] = [];
  const addProvenance = (name: string, provenance: Provenance): void => {
    const site = { path: pathOf(name), menu };
    const text = makeProvenancePage(provenance, { render, assets: assets.paths, site });
    pages.push({ path: site.path, text });
  };
  for (const one of whole.results) {
    const name = names.get(one.name);
    if (name === undefined) continue;
    const own = await readResult(input, one);
    if (own !== null) addProvenance(name, shown(own));
  }
  const asked = `${run.pipeline}, run ${run.id}`;
  addProvenance("provenance.html", { ...whole, asked });
  const index = makeRunPage(
    {
      ...{ run, report, provenance: whole, path: pathOf("index.html"), menu },
      lastLines: isPublic
        ? null
        : await lastLinesOf(input, run.id, report.failed.slice(0, MOST_FAILED)),
      resultHref: (name) => names.get(name) ?? null,
      provenanceHref: "provenance.html",
      assets: assets.paths,
    },
    render,
  );
  pages.push({ path: pathOf("index.html"), text: index });
  return [
    ...assetsOf(
      pages.map(({ text }) => text),
      design.assets.files,
    ).map((file) => ({ ...file, path: pathOf(file.path) })),
    ...pages.map((page) => textFile({ ...page, contentType: HTML })),
  ];
}

/** Names a page for each of the first results that were stored. */
function resultPages(results: readonly ResultInfo[]): ReadonlyMap<string, string> {
  const stored = results.filter((one) => "digest" in one && one.from !== null);
  const names = new Map<string, string>();
  for (const { name } of stored.slice(0, MOST_RESULTS)) {
    // "merged[1]" is one of a list. What a pipeline gives may be called by any letters.
    const words = name.replaceAll(/[^A-Za-z0-9_]+/g, "-").replace(/-$/, "");
    const isTaken = [...names.values()].includes(`result-${words}.html`);
    names.set(name, `result-${words}${isTaken ? `-${names.size}` : ""}.html`);
  }
  return names;
}

async function readResult(
  { db, run, signal }: RunFilesInput,
  one: ResultInfo,
): Promise<Provenance | null> {
  if ("value" in one || one.from === null) return null;
  const [result] = await readResults(db, [one.from.result]);
  if (result === undefined) return null;
  const asked = `${run.pipeline}.${one.name}`;
  const { digest, path } = one;
  const found = { kind: "result", asked, result, port: one.from.port, digest, path } as const;
  return readProvenance(db, asked, found, { depth: null, signal });
}

/** Takes out what may be content: values that steps were called with, values of results, what errors say. */
function withoutValues(provenance: Provenance): Provenance {
  const withoutError = <R extends { readonly error: string | null }>(one: R): R => ({
    ...one,
    error: null,
  });
  const { run } = provenance;
  return {
    ...provenance,
    run: run === null ? null : { ...withoutError(run), requestedBy: null },
    runs: provenance.runs.map((one) => ({ ...withoutError(one), requestedBy: null })),
    results: provenance.results.filter((one) => !("value" in one)),
    steps: provenance.steps.map((step) => ({ ...step, values: {}, environment: {}, pin: null })),
    failed: provenance.failed.map(withoutError),
  };
}

/** What pages load, and what that loads: nothing else of the design. */
export function assetsOf(
  pages: readonly string[],
  files: readonly SiteFile[],
): readonly SiteFile[] {
  const nameOf = ({ path }: SiteFile): string => posix.basename(path);
  const isIn = (text: string) => (file: SiteFile) => text.includes(nameOf(file));
  const all = pages.join("\n");
  const loaded = files.filter(isIn(all));
  const styles = loaded
    .filter(({ path }) => path.endsWith(".css"))
    .map(({ bytes }) => new TextDecoder().decode(bytes))
    .join("\n");
  return files.filter((file) => isIn(all)(file) || isIn(styles)(file));
}
