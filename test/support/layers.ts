// Which file of src may import which: the layer table, checked on a graph of imports.

/** Files (from the repository's root, e.g. "src/engine/run.ts") and what each imports: files, or names of packages. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** Rooms and single files of src by layer, lowest first. Every job, "jobs/<name>", is a room of the layer JOBS. */
const LAYERS: readonly (readonly string[])[] = [
  ["address", "error", "finding", "run", "scopeName", "digest", "format", "log", "retry"],
  ["store", "sources", "render", "formats", "settings", "lookalikes", "runners"],
  ["publish", "engine", "artifacts"],
  ["effects", "progress", "job", "shell", "lineage"],
  [],
  ["work", "commands", "serve"],
  ["jobList", "main", "util", "index"],
];
const JOBS = 4;
const TOP = LAYERS.length - 1;

/** What a job is made of, lowest first: a part imports no part that stands after its own. Parts that are not named stand anywhere. */
const PARTS: readonly (readonly string[])[] = [
  ["data"],
  ["pages", "charts"],
  ["steps"],
  ["plan"],
  ["bind"],
  ["commands", "examine", "demo"],
  ["job"],
];
/** Parts of a job that only work on what they are given. */
const PURE_PARTS: readonly string[] = ["data", "pages", "charts", "figures", "steps", "plan"];
const OUTSIDE_WORLD =
  /^node:(fs|net|http|https|http2|tls|dns|child_process|worker_threads|os|process)\b/;
/** What pure parts may know of the house: how steps are written, how pages are drawn, what words mean. The client of Synapse is a type. */
const PURE_SOURCES =
  /^src\/(?:engine\/(?:step|outcomes)|lineage\/namedResult|job|sources\/synapseClient|(?:render|formats)\/.+)\.ts$/;

/** What a room of layer 2 may import of layers 1 and 2: rooms, and files of rooms. */
const MIDDLE: Readonly<Record<string, readonly string[]>> = {
  engine: ["src/store/", "src/publish/site.ts"],
  publish: ["src/store/"],
  artifacts: ["src/store/", "src/render/"],
};

/** Packages that only the rooms and parts of jobs named here may import; a name ending in "/" stands for a whole scope. */
const PACKAGE_OWNERS: readonly (readonly [name: string, owners: readonly string[]])[] = [
  ["undici", ["sources", "jobs/*/sources"]],
  ["pg", ["store"]],
  ["kysely", ["store", "jobs/*/registry"]],
  ["@aws-sdk/", ["store"]],
  ["@electric-sql/", ["store"]],
  ["vega", ["render"]],
  ["vega-lite", ["render"]],
  ["sharp", ["render"]],
  ["handlebars", ["render"]],
  ["@slack/webhook", ["publish"]],
  ["h5wasm", ["jobs/matrix"]],
  ["h5wasm-plugins", ["jobs/matrix"]],
  ["scran.js", ["jobs/matrix"]],
  ["graphology", ["jobs/matrix"]],
  ["graphology-communities-louvain", ["jobs/matrix"]],
  ["yauzl", ["formats", "jobs/matrix"]],
  ["pino", ["log"]],
  ["acorn", ["jobs/*/sources"]],
  ["typescript", ["jobs/*/sources"]],
  ["envalid", ["settings", "jobs/*/settings"]],
  ["commander", ["shell", "job", "commands", "jobs/*/commands"]],
];

/** Says, one sentence each, where the graph breaks the layer table. */
export function checkLayers(graph: ImportGraph): readonly string[] {
  const problems: string[] = [];
  for (const [from, targets] of graph) {
    if (layerOf(from) === null) problems.push(`${from}: no layer has a place ${roomOf(from)}`);
    for (const to of targets) {
      const problem = to.startsWith("src/") ? checkFile(from, to) : checkPackage(from, to);
      if (problem !== null) problems.push(problem);
    }
  }
  return [...problems, ...findCycles(graph)];
}

/** The room of a file: its folder below src, "jobs/<name>" for a job's, or its own name where it lies in src itself. */
function roomOf(file: string): string {
  return /^src\/(jobs\/[^/]+|[^/.]+)/.exec(file)?.[1] ?? file;
}

/** The part of a job that a file is: a folder or a file of the job; null outside of jobs. */
function partOf(file: string): string | null {
  return /^src\/jobs\/[^/]+\/([^/.]+)/.exec(file)?.[1] ?? null;
}

/** The layer that a file, or a folder, of src stands in; null where the table has no place for it. */
export function layerOf(file: string): number | null {
  const room = roomOf(file);
  if (room.startsWith("jobs/")) return JOBS;
  const found = LAYERS.findIndex((rooms) => rooms.includes(room));
  return found === -1 ? null : found;
}

function checkFile(from: string, to: string): string | null {
  const [own, other] = [roomOf(from), roomOf(to)];
  const [low, high] = [layerOf(from) ?? TOP, layerOf(to) ?? TOP];
  if (own === other) return low === JOBS ? checkPart(from, to) : null;
  if (low === JOBS && high === JOBS) return `${from} imports ${to}: no job imports another`;
  if (high > low) return `${from} (layer ${low}) imports ${to} (layer ${high}), which is above it`;
  if (high === JOBS && low < TOP) {
    return `${from} imports ${to}: only what makes the list of jobs imports a job`;
  }
  if (low === 1 && high === 1) {
    return `${from} imports ${to}: rooms of layer 1 do not know each other`;
  }
  const middle = low === 2 && high > 0 ? MIDDLE[own] : undefined;
  if (middle !== undefined && !middle.some((name) => to.startsWith(name))) {
    return `${from} imports ${to}: of layers 1 and 2 ${own} imports only ${middle.join(", ")}`;
  }
  const part = partOf(from);
  if (part !== null && PURE_PARTS.includes(part) && high > 0 && !PURE_SOURCES.test(to)) {
    return `${from} imports ${to}, but ${part} of a job is pure`;
  }
  return null;
}

function checkPart(from: string, to: string): string | null {
  const rank = (file: string): number =>
    PARTS.findIndex((parts) => parts.includes(partOf(file) ?? ""));
  const [low, high] = [rank(from), rank(to)];
  if (low === -1 || high <= low) return null;
  return `${from} imports ${to}: ${partOf(from) ?? ""} stands below ${partOf(to) ?? ""}`;
}

function checkPackage(from: string, to: string): string | null {
  const room = roomOf(from);
  const part = partOf(from);
  if (to.startsWith("migrations/")) {
    return room === "store" ? null : `${from} imports ${to}, which only store may`;
  }
  if (part !== null && PURE_PARTS.includes(part) && OUTSIDE_WORLD.test(to)) {
    return `${from} imports ${to}, but ${part} of a job is pure`;
  }
  const places = [room, ...(part === null ? [] : [`jobs/*/${part}`])];
  for (const [name, owners] of PACKAGE_OWNERS) {
    const isIt = name.endsWith("/")
      ? to.startsWith(name)
      : to === name || to.startsWith(`${name}/`);
    if (isIt && !owners.some((owner) => places.includes(owner))) {
      return `${from} imports ${to}, which only ${owners.join(", ")} may`;
    }
  }
  return null;
}

/** Finds each set of files that import each other in a circle, and names one way round. */
export function findCycles(graph: ImportGraph): readonly string[] {
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
