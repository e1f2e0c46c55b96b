// The folder that a program starts in: its inputs under the names of its ports, and what belongs to its code. Nothing else is there.

import { constants } from "node:fs";
import { chmod, copyFile, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

import { HdashError } from "../../error.ts";
import type { Kinds, Shape } from "./writing/kinds.ts";
import type { StagedPath } from "./writing/script.ts";
import type { InputFile, InputFolder } from "./writing/values.ts";

/** Files and folders of the code, where they lie and where a program finds them. */
export interface UsedPath {
  readonly path: string;
  readonly from: string;
  readonly isExecutable: boolean;
}

/** Lays out a step's inputs, and gives its values as a command line takes them. */
export async function stage(
  dir: string,
  takes: Kinds,
  values: Readonly<Record<string, unknown>>,
  uses: readonly UsedPath[],
): Promise<Readonly<Record<string, unknown>>> {
  for (const { path, from, isExecutable } of uses) {
    const to = join(dir, path);
    await mkdir(dirname(to), { recursive: true });
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(to, isExecutable ? 0o555 : 0o444);
  }
  const staged: Record<string, unknown> = {};
  for (const [name, { shape }] of Object.entries(takes)) {
    staged[name] = await stageOne(dir, shape, values[name], stagedName(shape, name));
  }
  return staged;
}

/** By which name a program gets it: that which its port declares, else that of its port. */
function stagedName(shape: Shape, name: string): string {
  if (shape.kind === "file" || shape.kind === "folder") return shape.path ?? name;
  return shape.kind === "optional" ? stagedName(shape.of, name) : name;
}

async function stageOne(dir: string, shape: Shape, value: unknown, path: string): Promise<unknown> {
  if (value === null || value === undefined) return null;
  switch (shape.kind) {
    case "file": {
      const to = join(dir, path);
      await mkdir(dirname(to), { recursive: true });
      // The copy is the step's own already.
      await move(await (value as InputFile).path(), to, path);
      await chmod(to, 0o444);
      return stagedPath(path);
    }
    case "folder": {
      const to = join(dir, path);
      await mkdir(dirname(to), { recursive: true });
      await move(await (value as InputFolder).path(), to, path);
      return stagedPath(path);
    }
    case "optional":
      return stageOne(dir, shape.of, value, path);
    case "list": {
      const digits = String(Math.max(1, (value as readonly unknown[]).length)).length;
      const all: unknown[] = [];
      for (const [index, one] of (value as readonly unknown[]).entries()) {
        // Numbered, so that they sort as they stand in the list.
        all.push(
          await stageOne(dir, shape.of, one, `${path}/${String(index + 1).padStart(digits, "0")}`),
        );
      }
      return all;
    }
    case "table": {
      const rows: unknown[] = [];
      for (const [index, row] of (
        value as readonly Readonly<Record<string, unknown>>[]
      ).entries()) {
        const cells: Record<string, unknown> = {};
        for (const [name, of] of Object.entries(shape.columns)) {
          cells[name] = await stageOne(dir, of, row[name], `${path}/${index + 1}/${name}`);
        }
        rows.push(cells);
      }
      return rows;
    }
    case "text":
    case "integer":
    case "number":
    case "boolean":
    case "choice":
    case "json":
      return value;
  }
}

async function move(from: string, to: string, name: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    throw new HdashError("permanent", `${name} cannot be laid out for the program`, {
      cause: error,
    });
  }
}

function stagedPath(path: string): StagedPath {
  return { staged: path, toString: () => path };
}
