// The pipeline of the crash tests: two scopes of chained steps with findings and files, then a site.

import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Json } from "../../src/digest.ts";
import { file, json, type Pipeline, type Plan, publicTree, step } from "../../src/engine/step.ts";
import type { Publisher, PublishResult } from "../../src/publish/site.ts";
import type { PublicationStore } from "../../src/store/publications.ts";

/** Makes the pipeline; every step that runs adds a line to `diary`. Pages tell of runs, unless they are to be the same in each. */
export function makeCrashPipeline(
  diary: string,
  { isTimeless }: { readonly isTimeless: boolean },
): Pipeline<Json> {
  const wrote = (line: string) => appendFileSync(diary, `${line}\n`);

  const pull = step({
    name: "pull",
    version: 1,
    outputs: { body: file() },
    pin: async () => "etag",
    async run(_inputs: Record<never, never>, params: { scope: string }, ctx) {
      wrote(`run pull ${params.scope}`);
      const path = join(await ctx.workDir(), "body");
      await writeFile(path, `${params.scope} `.repeat(1000));
      return { body: { path } };
    },
  });
  const check = step({
    name: "check",
    version: 1,
    outputs: { count: json<number>() },
    async run(inputs: { body: { bytes: number } }, params: { scope: string; n: number }, ctx) {
      wrote(`run check ${params.scope} ${params.n}`);
      ctx.find(
        Array.from({ length: params.n }, (_, row) => ({
          ...{ rule: "R", severity: "error" as const, subject: params.scope, row },
          ...{ message: `row ${row}`, fields: { value: String(row % 2) } },
        })),
      );
      ctx.measure(params.scope, `bytes${params.n}`, inputs.body.bytes);
      return { count: params.n };
    },
  });
  const render = step({
    name: "render",
    version: 1,
    outputs: { tree: publicTree() },
    async run(inputs: { counts: readonly number[] }, params: { name: string; facts: string }) {
      wrote(`run render ${params.name}`);
      const body = `${params.name} ${inputs.counts.join()} ${params.facts}`;
      const bytes = new TextEncoder().encode(body);
      return { tree: [{ path: `${params.name}.html`, contentType: "text/html", bytes }] };
    },
  });

  async function atlas(p: Plan, scope: string) {
    const { body } = await p.do(pull, { params: { scope }, inputs: {} });
    const counts = await Promise.all(
      [1, 2, 3].map((n) => p.do(check, { params: { scope, n }, inputs: { body } })),
    );
    const { factsDigest } = await p.history();
    const { tree } = await p.do(render, {
      params: { name: scope, facts: factsDigest },
      inputs: { counts: counts.map(({ count }) => count) },
    });
    return tree;
  }

  return {
    name: "crash",
    async plan(p) {
      const scopes = await Promise.all(
        ["A", "B"].map(async (name) => ({
          name,
          outcome: await p.scope(name, (q) => atlas(q, name)),
        })),
      );
      await p.site(async () => {
        const told = isTimeless ? [] : [p.run.id, await p.deltas(), await p.runs(5)];
        const facts = JSON.stringify(told);
        const index = await p.do(render, {
          params: { name: "index", facts },
          inputs: { counts: [] },
        });
        const parts = scopes.flatMap(({ name, outcome }) =>
          outcome.ok
            ? [{ scope: name, prefix: "", tree: outcome.value, cache: "page" as const }]
            : [],
        );
        return {
          parts: [...parts, { scope: null, prefix: "", tree: index.tree, cache: "page" as const }],
          keepScopes: [],
        };
      });
    },
  };
}

/** A publisher into a folder that remembers each file as soon as it is put, as the real one does. */
export function makeFolderSite(dir: string, publications: PublicationStore): Publisher {
  const site = "crash-site";
  return {
    site,
    async publish(files, { owner, onProgress }): Promise<PublishResult> {
      const live = new Map((await publications.list(site)).map((one) => [one.path, one.digest]));
      const putPaths: string[] = [];
      for (const [index, { path, digest, contentType, bytes, scope, read }] of files.entries()) {
        if (live.get(path) !== digest) {
          mkdirSync(dirname(join(dir, path)), { recursive: true });
          writeFileSync(join(dir, path), await read());
          await publications.save(site, {
            ...{ path, owner, digest, etag: digest, scope, contentType, bytes },
          });
          putPaths.push(path);
        }
        onProgress(index + 1, files.length);
      }
      return {
        ...{ put: putPaths.length, unchanged: files.length - putPaths.length, deleted: 0, kept: 0 },
        ...{ putBytes: 0, putPaths, deletedPaths: [], goneScopes: [] },
      };
    },
  };
}
