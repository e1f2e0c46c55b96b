// A pipeline's steps with the identity of their code: which module exports each, and what that module imports.

import { realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import type { Digest } from "../../../digest.ts";
import { HdashError } from "../../../error.ts";
import type { CodeListing } from "../../../store/codeListings.ts";
import type { ContentDigests } from "../../../store/contentDigests.ts";
import type { Declared, Opened, OpenedStep } from "../opened.ts";
import type { DeclaredPipeline } from "../writing/pipeline.ts";
import { type CodeReader, makeCodeReader, type ModuleCode } from "./code/codeReader.ts";
import { loadModule } from "./loadPipeline.ts";

/** What `import … from "hdash"` counts as: another one where a step that was written for this would give something else. */
const API = "1";
/** Modules that hold data have no steps. */
const DATA = /\.json$/;

/** Opens a pipeline: reads the code of its modules, and finds which of them exports each step. Throws usage that names file and line. */
export async function openSteps(
  path: string,
  pipeline: DeclaredPipeline,
  { contents, signal }: { readonly contents: ContentDigests; readonly signal: AbortSignal },
): Promise<Opened> {
  const file = await realpath(resolve(path));
  const reader = makeCodeReader({ api: API, signal, contents });
  const { notes } = await reader.codeOf(file);
  const closures = await reader.closuresOf(file);
  const steps = new Map<object, OpenedStep>();
  const own = new Map<string, string>();
  const listings = new Map<Digest, CodeListing>();
  for (const module of closures) {
    if (DATA.test(module.file)) continue;
    for (const value of Object.values(await loadModule(module.file))) {
      if (!isStep(value) || steps.has(value)) continue;
      const before = own.get(value.name);
      if (before !== undefined) {
        throw new HdashError(
          "usage",
          `two steps are called ${JSON.stringify(value.name)}, in ${before} and in ${module.path}: a step's name is part of what it is known by`,
        );
      }
      own.set(value.name, module.path);
      steps.set(value, {
        declared: value,
        code: module.digest,
        ...(await usesOf(reader, module.file, value, listings)),
      });
      if (!listings.has(module.digest)) listings.set(module.digest, listingOf(module.describe()));
    }
  }
  const [entry] = closures;
  return {
    ...{ file, pipeline, listings },
    notes: notes.map(({ path: of, line, says }) => `${of}:${line}: ${says}`),
    steps: [...steps.values()],
    stepOf(declared) {
      const known = steps.get(declared);
      if (known !== undefined) return known;
      const { name } = declared as Declared;
      throw new HdashError(
        "usage",
        `step ${JSON.stringify(name)} is exported by no module of ${entry?.path ?? path}: export it, so that its code is known`,
      );
    },
  };
}

async function usesOf(
  reader: CodeReader,
  file: string,
  { uses = [] }: Declared,
  listings: Map<Digest, CodeListing>,
): Promise<Pick<OpenedStep, "uses" | "used">> {
  if (uses.length === 0) return { uses: null, used: [] };
  const { digest, files } = await reader.usedBy(file, uses);
  const modules = files.map((used) => ({ path: used.path, digest: used.digest as Digest }));
  listings.set(digest, { modules, packages: [] });
  const folder = dirname(file);
  return {
    uses: digest,
    used: files.map(({ path, isExecutable }) => ({ path, isExecutable, from: join(folder, path) })),
  };
}

function listingOf({ modules, packages }: ModuleCode): CodeListing {
  return { modules, packages: packages.map(({ name, version }) => ({ name, version })) };
}

/** Tells a step that was declared from anything else. */
export function isStep(value: unknown): value is Declared {
  if (typeof value !== "object" || value === null || !("kind" in value)) return false;
  return ["function", "command", "container", "source"].includes(String(value.kind));
}
