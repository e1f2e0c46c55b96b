// A pipeline that tests of what is kept have in common: a file, a folder and boxes that share some of their content, a value, logs and facts.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import {
  type BlobFile,
  file,
  folder,
  folders,
  json,
  type Plan,
  step,
  type StoredFolder,
} from "../../src/engine/step.ts";

export const MIB = 1024 * 1024;
export const draw = step({
  name: "draw",
  version: 1,
  outputs: { picture: file() },
  async run(_inputs: Record<never, never>, { of }: { of: string }, ctx) {
    const path = join(await ctx.workDir(), "picture");
    await writeFile(path, Buffer.alloc(MIB + 10, of));
    ctx.log(`drew ${of}`);
    return { picture: { path } };
  },
});

/** A folder that has a file which all have, and one of its own. */
export const pack = step({
  name: "pack",
  version: 1,
  outputs: { packed: folder(), boxes: folders() },
  async run({ picture }: { picture: BlobFile }, { of }: { of: string }, ctx) {
    const dir = join(await ctx.workDir(), "packed");
    await mkdir(join(dir, "in"), { recursive: true });
    await writeFile(join(dir, "same"), "the same for all");
    await writeFile(join(dir, "in", "own"), `${of} ${picture.bytes}`);
    return { packed: { path: dir }, boxes: [{ path: join(dir, "in") }] };
  },
});

export const weigh = step({
  name: "weigh",
  version: 1,
  outputs: { weights: json<Readonly<Record<string, number>>>() },
  async run({ packed, boxes }: { packed: StoredFolder; boxes: readonly StoredFolder[] }) {
    const weights: Record<string, number> = {};
    for (const one of [packed, ...boxes]) {
      for (const { path, file: content } of one.files()) {
        let bytes = 0;
        for await (const piece of content.stream()) bytes += piece.byteLength;
        weights[path] = bytes;
      }
    }
    return { weights };
  },
});

/** A plan that draws, packs and weighs. */
export function drawing(of: string) {
  return async (p: Plan): Promise<void> => {
    const { picture } = await p.do(draw, { params: { of }, inputs: {} });
    const { packed, boxes } = await p.do(pack, { params: { of }, inputs: { picture } });
    const { weights } = await p.do(weigh, { params: null, inputs: { packed, boxes } });
    await p.read(weights);
  };
}
