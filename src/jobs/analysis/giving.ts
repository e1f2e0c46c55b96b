// What a user gave, as a plan has it: handles of steps that bring files and folders in, from this machine or from a bucket.

import { basename } from "node:path";

import type { Effects } from "../../effects.ts";
import type { Plan, Ref } from "../../engine/step.ts";
import { begun, lazily } from "./handles.ts";
import { GIVEN, type Playing } from "./plan.ts";
import {
  bringObject,
  bringPrefix,
  farAddress,
  type OpenFar,
  pinObject,
  pinPrefix,
  readFarPlace,
} from "./sources/farPlaces.ts";
import type { Giving } from "./sources/given.ts";
import type { Bringing, makeImportSteps } from "./steps.ts";

/** Makes what makes handles of what was given. @param isLazy true where nothing is brought before somebody asks for it. */
export function makeGiven(
  plan: Plan,
  imports: ReturnType<typeof makeImportSteps>,
  {
    handle,
    isLazy,
  }: { readonly handle: Parameters<Playing["takes"]>[1]; readonly isLazy: boolean },
): Pick<Giving, "fileOf" | "folderOf" | "farOf"> {
  const give = (path: string, isFolder: boolean, begin: () => Promise<Ref<unknown>>): object => {
    const promised = lazily(`${GIVEN}${basename(path)}`, begin, { path: isFolder ? null : path });
    return handle(isLazy ? promised : begun(promised), isFolder);
  };
  return {
    fileOf({ path, sha256, bytes, place }) {
      const hints = { path, place, bytes };
      const args = { params: { sha256, bytes }, inputs: {}, hints, label: basename(path) };
      return give(path, false, async () => (await plan.do(imports.importFile, args)).file);
    },
    folderOf({ path, sha256, place }) {
      const hints = { path, place, bytes: null };
      const args = { params: { sha256 }, inputs: {}, hints, label: basename(path) };
      return give(path, true, async () => (await plan.do(imports.importFolder, args)).folder);
    },
    farOf({ kind, place, ...far }) {
      const url = farAddress(far);
      const args = { params: { url }, inputs: {}, hints: { place }, label: basename(url) };
      return give(url, kind === "folder", async () =>
        kind === "file"
          ? (await plan.do(imports.fetchObject, args)).file
          : (await plan.do(imports.fetchObjects, args)).folder,
      );
    },
  };
}

/** Makes what asks buckets for files and folders that a user gave by their address, and brings them; each is opened once. */
export function makeFar(effects: Effects): Bringing["far"] {
  const opened = new Map<string, ReturnType<OpenFar>>();
  const open: OpenFar = (bucket, prefix) => {
    const name = `${bucket}/${prefix}`;
    const known = opened.get(name) ?? effects.openBucket(bucket, { prefix });
    opened.set(name, known);
    return known;
  };
  return {
    async pin(url, kind, signal) {
      const place = readFarPlace(url, "an input", kind);
      return kind === "file" ? pinObject(open, place, signal) : pinPrefix(open, place, signal);
    },
    async bring(url, kind, ctx) {
      const place = readFarPlace(url, "an input", kind);
      const [dir, { signal }] = [await ctx.workDir(), ctx];
      if (kind === "file") return bringObject(open, place, { dir, signal });
      const onProgress = (done: number, total: number): void =>
        ctx.progress(done, total, { unit: "bytes" });
      return bringPrefix(open, place, { dir, signal, onProgress });
    },
  };
}
