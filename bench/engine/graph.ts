// The graphs that pipeline.ts wires, laid out for make, ninja and Snakemake: each node writes its number and its inputs to a file.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type Shape = "layers" | "fan";

interface Node {
  readonly node: number;
  readonly inputs: readonly number[];
}

/** Lists the nodes of a graph, each after its inputs. */
function listNodes(nodes: number, shape: Shape): readonly Node[] {
  if (shape === "fan") {
    const middle = Array.from({ length: nodes - 2 }, (_none, at) => at + 1);
    return [
      { node: 0, inputs: [] },
      ...middle.map((node) => ({ node, inputs: [0] })),
      { node: nodes - 1, inputs: middle },
    ];
  }
  const width = Math.floor((nodes - 1) / 5);
  const layers = Array.from({ length: 5 * width }, (_none, node): Node => {
    if (node < width) return { node, inputs: [] };
    const before = Math.floor(node / width) * width - width;
    return { node, inputs: [before + (node % width), before + ((node + 1) % width)] };
  });
  return [...layers, { node: 5 * width, inputs: layers.slice(4 * width).map(({ node }) => node) }];
}

const out = (node: number): string => `out/${node}`;
const outs = (inputs: readonly number[]): string => inputs.map(out).join(" ");

/** Another tool that does what hdash is measured at. */
export interface Peer {
  readonly name: "make" | "ninja" | "snakemake";
  /** Writes what it reads into a folder. */
  write(dir: string, nodes: number, shape: Shape): void;
  /** Brings the graph up to date, without a word. */
  readonly all: readonly string[];
  /** Says what that would do. */
  readonly plan: readonly string[];
}

const MAKE: Peer = {
  name: "make",
  write(dir, nodes, shape) {
    const list = listNodes(nodes, shape);
    const rules = list.map(
      ({ node, inputs }) =>
        `${out(node)}: ${outs(inputs)}\n\t@{ echo ${node}; cat $^ /dev/null; } > $@\n`,
    );
    writeFileSync(join(dir, "Makefile"), `all: ${out(list.length - 1)}\n${rules.join("")}`);
  },
  all: ["make", "-s", "-j2"],
  plan: ["make", "-s", "-n"],
};

const NINJA: Peer = {
  name: "ninja",
  write(dir, nodes, shape) {
    const rule = "rule cat\n  command = { echo $n; cat $in /dev/null; } > $out\n";
    const builds = listNodes(nodes, shape).map(
      ({ node, inputs }) => `build ${out(node)}: cat ${outs(inputs)}\n  n = ${node}\n`,
    );
    writeFileSync(join(dir, "build.ninja"), rule + builds.join(""));
  },
  all: ["ninja", "-j2", "--quiet"],
  plan: ["ninja", "-n"],
};

const SNAKEMAKE: Peer = {
  name: "snakemake",
  write(dir, nodes, shape) {
    const list = listNodes(nodes, shape);
    const inputs = Object.fromEntries(list.map((one) => [one.node, one.inputs.map(out)]));
    writeFileSync(join(dir, "graph.json"), JSON.stringify(inputs));
    writeFileSync(
      join(dir, "Snakefile"),
      `import json
with open("graph.json") as graph:
    INPUTS = json.load(graph)
rule all:
    input: "${out(list.length - 1)}"
rule node:
    output: "out/{n}"
    input: lambda wildcards: INPUTS[wildcards.n]
    shell: "{{ echo {wildcards.n}; cat {input} /dev/null; }} > {output}"
`,
    );
  },
  all: ["snakemake", "--cores", "2", "--quiet", "all"],
  plan: ["snakemake", "--cores", "2", "--quiet", "-n"],
};

export const PEERS: readonly Peer[] = [MAKE, NINJA, SNAKEMAKE];

/** Lays a graph out in a folder of its own. */
export function layOut(peer: Peer, dir: string, nodes: number, shape: Shape): void {
  mkdirSync(join(dir, "out"), { recursive: true });
  peer.write(dir, nodes, shape);
}

/** Copies the measured pipeline to where a user would have it; gives its path. */
export function copyPipeline(dir: string): string {
  const path = join(dir, "graph.ts");
  copyFileSync(join(import.meta.dirname, "pipeline.ts"), path);
  const source = readFileSync(path, "utf8").replace("../../src/index.ts", "hdash");
  writeFileSync(path, source);
  writeFileSync(join(dir, "package.json"), '{ "type": "module" }\n');
  return path;
}
