// Which file of src may import which: the layer table, checked on a graph of imports.

/** Files (from the repository's root, e.g. "src/jobs/htan/pages/atlasPage.ts") and what each imports: files, or names of packages. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** Rooms and single files of src by layer, lowest first; what is not named here is a single file of the top layer. */
const LAYERS: readonly (readonly string[])[] = [
  [
    "error",
    "finding",
    "log",
    "retry",
    "digest",
    "format",
    "table",
    "page",
    "matrixFigure",
    "matrixSource",
    "namespace",
  ],
  ["htan", "matrix", "render", "sources", "store"],
  ["publish", "engine"],
  ["pipelines"],
];
const TOP = LAYERS.length;

/** Packages that only the rooms named here may import; a name ending in "/" stands for a whole scope. */
const PACKAGE_OWNERS: readonly (readonly [name: string, owners: readonly string[]])[] = [
  ["undici", ["sources"]],
  ["pg", ["store"]],
  ["kysely", ["store"]],
  ["@aws-sdk/", ["store"]],
  ["@electric-sql/", ["store"]],
  ["vega", ["render"]],
  ["vega-lite", ["render"]],
  ["sharp", ["render"]],
  ["handlebars", ["render"]],
  ["@slack/webhook", ["publish"]],
  ["h5wasm", ["matrix", "demo"]],
  ["h5wasm-plugins", ["matrix"]],
  ["scran.js", ["matrix"]],
  ["graphology", ["matrix"]],
  ["graphology-communities-louvain", ["matrix"]],
  ["yauzl", ["matrix"]],
  ["pino", ["log"]],
  ["envalid", ["config", "configRules"]],
  // The command line: both programs are built by these files.
  [
    "commander",
    ["command", "workerCommands", "utilCommands", "matrixCommands", "artifactCommands"],
  ],
];
/** Rooms that only work on what they are given. */
const PURE_ROOMS: readonly string[] = ["htan"];
const OUTSIDE_WORLD = /^node:(fs|net|http|https|http2|tls|dns|child_process|worker_threads|os)\b/;

/** Says, one sentence each, where the graph breaks the layer table. */
export function checkLayers(graph: ImportGraph): readonly string[] {
  const problems: string[] = [];
  for (const [from, targets] of graph) {
    for (const to of targets) {
      const problem = to.startsWith("src/") ? checkFile(from, to) : checkPackage(from, to);
      if (problem !== null) problems.push(problem);
    }
  }
  return [...problems, ...findCycles(graph)];
}

/** The room of a file: its folder below src, or its own name where it lies in src itself. */
function roomOf(file: string): string {
  return /^src\/([^/.]+)/.exec(file)?.[1] ?? file;
}

function layerOf(room: string): number {
  const found = LAYERS.findIndex((rooms) => rooms.includes(room));
  return found === -1 ? TOP : found;
}

function checkFile(from: string, to: string): string | null {
  const [own, other] = [roomOf(from), roomOf(to)];
  if (own === other) return null;
  const [low, high] = [layerOf(own), layerOf(other)];
  if (high > low) return `${from} (layer ${low}) imports ${to} (layer ${high}), which is above it`;
  if (low === 1 && high === 1)
    return `${from} imports ${to}: rooms of layer 1 do not know each other`;
  return null;
}

function checkPackage(from: string, to: string): string | null {
  const room = roomOf(from);
  if (to.startsWith("migrations/")) {
    return room === "store" ? null : `${from} imports ${to}, which only store may`;
  }
  if (PURE_ROOMS.includes(room) && OUTSIDE_WORLD.test(to)) {
    return `${from} imports ${to}, but ${room} is pure`;
  }
  for (const [name, owners] of PACKAGE_OWNERS) {
    const isIt = name.endsWith("/")
      ? to.startsWith(name)
      : to === name || to.startsWith(`${name}/`);
    if (isIt && !owners.includes(room)) {
      return `${from} imports ${to}, which only ${owners.join(", ")} may`;
    }
  }
  return null;
}

/** Finds each set of files that import each other in a circle, and names one way round. */
function findCycles(graph: ImportGraph): readonly string[] {
  const state = new Map<string, "open" | "closed">();
  const path: string[] = [];
  const cycles: string[] = [];
  const visit = (file: string): void => {
    state.set(file, "open");
    path.push(file);
    for (const to of graph.get(file) ?? []) {
      if (!graph.has(to)) continue;
      if (state.get(to) === "open") {
        cycles.push(`a cycle: ${[...path.slice(path.indexOf(to)), to].join(" → ")}`);
      } else if (!state.has(to)) {
        visit(to);
      }
    }
    path.pop();
    state.set(file, "closed");
  };
  for (const file of graph.keys()) if (!state.has(file)) visit(file);
  return cycles;
}
