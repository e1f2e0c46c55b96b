// What plans and steps reach for that no key knows of: the clock, chance, the environment, the network, the disk.

import { isBuiltin } from "node:module";

import { type Declaration, type Declarations, hdashName } from "./declarations.ts";
import type { FoundIn } from "./found.ts";
import {
  bare,
  memberOf,
  nameOf,
  nodesOf,
  type ParsedModule,
  spotOf,
  type SyntaxNode,
  textOf,
  walk,
} from "./syntax.ts";

type World = "clock" | "chance" | "environment" | "network" | "disk";

const SAYS: Readonly<Record<World, string>> = {
  clock: "reads the clock",
  chance: "depends on chance",
  environment: "reads the environment",
  network: "reaches for the network",
  disk: "reaches for the disk",
};
const IN_PLANS: Readonly<Record<World, string>> = {
  clock: "Let the pipeline take the time as a value, or read it in a source().",
  chance: "Let the pipeline take a seed: integer(1).",
  environment: "Let the pipeline take it as a value: its flag has a variable, too.",
  network: "Read it in a source(), whose pin says when it has changed.",
  disk: "Let the pipeline take a file(), or do it in a step's run or in a module that has no plan.",
};
const IN_STEPS: Readonly<Record<World, string>> = {
  clock: "Take the time as a value, or make it a source().",
  chance: "Take a seed as a value.",
  environment: "Take it as a value, or name it in `secrets`.",
  network: "Make it a source(), whose pin says when it has changed.",
  disk: "Take a file().",
};

/** What members of global objects are. */
const MEMBERS: Readonly<Record<string, Readonly<Record<string, World>>>> = {
  Date: { now: "clock" },
  performance: { now: "clock", timeOrigin: "clock" },
  Math: { random: "chance" },
  crypto: { randomUUID: "chance", getRandomValues: "chance" },
  process: {
    ...{ env: "environment", argv: "environment", cwd: "environment", pid: "environment" },
    ...{ hrtime: "clock", uptime: "clock" },
  },
};
/** What global functions are, where they are called. */
const CALLED: Readonly<Record<string, World>> = { fetch: "network" };
const MADE: Readonly<Record<string, World>> = { WebSocket: "network", EventSource: "network" };

/** What modules of Node are; of some only a few names. */
const MODULES: Readonly<Record<string, World | Readonly<Record<string, World>>>> = {
  fs: "disk",
  "fs/promises": "disk",
  child_process: "environment",
  os: "environment",
  http: "network",
  https: "network",
  http2: "network",
  net: "network",
  tls: "network",
  dgram: "network",
  dns: "network",
  "dns/promises": "network",
  crypto: {
    ...{ randomUUID: "chance", randomBytes: "chance", randomInt: "chance", randomFill: "chance" },
    ...{ randomFillSync: "chance", getRandomValues: "chance" },
  },
  process: MEMBERS["process"] ?? {},
  perf_hooks: { performance: "clock" },
};

/** One place at which a module reaches for the world. */
interface Reach {
  readonly world: World;
  /** As it is written. */
  readonly what: string;
  readonly node: SyntaxNode;
  readonly around: readonly SyntaxNode[];
}

/**
 * Finds what no key knows of. In a module that has a plan nothing outside of its steps may reach for the world; within a function's run the
 * disk is the step's own folder, and all else is told; a source is for reading the world.
 */
export function findWorld(module: ParsedModule, declarations: Declarations): readonly WorldFound[] {
  const steps = declarations.all.filter(({ kind }) => kind !== "pipeline");
  const hasPlan = declarations.all.some(({ kind }) => kind === "pipeline");
  return reachesOf(module).flatMap(({ world, what, node, around }): readonly WorldFound[] => {
    const step = steps.find(({ call }) => around.includes(call));
    const place = spotOf(node);
    if (step === undefined) {
      if (!hasPlan) return [];
      const says = `${what} ${SAYS[world]}, in a module that has a plan: nothing would tell that its answer has changed`;
      return [{ severity: "error", ...place, rule: "plan", says, advice: IN_PLANS[world] }];
    }
    if (step.kind === "source" || world === "disk") return [];
    const says = `${what} ${SAYS[world]} in ${nameText(step)}: its result is kept, and nothing would tell that the answer has changed`;
    return [{ severity: "note", ...place, rule: "step", says, advice: IN_STEPS[world] }];
  });
}

export type WorldFound = FoundIn & { readonly severity: "error" | "note" };

function nameText({ name }: Declaration): string {
  return name === null ? "a step" : `step ${JSON.stringify(name)}`;
}

/** Names that a module has for what it imports of Node, with what each is. */
function importsOf({ program }: ParsedModule): ReadonlyMap<string, World | Record<string, World>> {
  const found = new Map<string, World | Record<string, World>>();
  for (const node of nodesOf(program["body"])) {
    if (node.type !== "ImportDeclaration") continue;
    const of = moduleWorld(textOf(node["source"]));
    if (of === null) continue;
    for (const one of nodesOf(node["specifiers"])) {
      const local = nameOf(one["local"]);
      if (local === null) continue;
      const asked = one.type === "ImportSpecifier" ? (nameOf(one["imported"]) ?? "") : "default";
      if (typeof of === "string" || asked === "default") found.set(local, of);
      else if (of[asked] !== undefined) {
        // performance is an object of which not all is a clock.
        found.set(local, MEMBERS[asked] ?? of[asked]);
      }
    }
  }
  return found;
}

function moduleWorld(specifier: string | null): World | Record<string, World> | null {
  if (specifier === null || !isBuiltin(specifier)) return null;
  return MODULES[specifier.replace(/^node:/, "")] ?? null;
}

function reachesOf(module: ParsedModule): readonly Reach[] {
  const imports = importsOf(module);
  const own = declaredNames(module);
  const isGlobal = (name: string | null): name is string => name !== null && !own.has(name);
  const found: Reach[] = [];
  walk(module.program, (node, around) => {
    const add = (world: World | undefined, what: string): void => {
      if (world !== undefined) found.push({ world, what, node, around });
    };
    if (node.type === "MemberExpression") {
      const object = objectName(node);
      const member = memberOf(node) ?? "";
      const imported = imports.get(object ?? "");
      if (typeof imported === "object") add(ownOf(imported, member), `${object ?? ""}.${member}`);
      else if (imported === undefined && isGlobal(object)) {
        const members = ownOf(MEMBERS, object);
        if (members !== undefined) add(ownOf(members, member), `${object}.${member}`);
      }
    } else if (node.type === "CallExpression" || node.type === "NewExpression") {
      const name = nameOf(node["callee"]);
      if (!isGlobal(name)) return;
      const isNew = node.type === "NewExpression";
      add(ownOf(isNew ? MADE : CALLED, name), isNew ? `new ${name}` : `${name}()`);
      // A date of something is a value like others.
      if (name === "Date" && (!isNew || nodesOf(node["arguments"]).length === 0)) {
        add("clock", isNew ? "new Date()" : "Date()");
      }
    } else if (node.type === "Identifier" && isUse(node, around.at(-1))) {
      const imported = imports.get(nameOf(node) ?? "");
      if (typeof imported === "string") add(imported, nameOf(node) ?? "");
    } else if (node.type === "ImportExpression") {
      const specifier = textOf(node["source"]);
      const of = moduleWorld(specifier);
      if (typeof of === "string") add(of, `import(${JSON.stringify(specifier)})`);
    }
  });
  return found;
}

function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** What a member is asked of: `Date.now`, `globalThis.Date.now`. */
function objectName(member: SyntaxNode): string | null {
  const object = bare(member["object"]);
  if (object?.type !== "MemberExpression") return nameOf(object);
  return nameOf(object["object"]) === "globalThis" ? memberOf(object) : null;
}

/** Tells a use of a name from what is only called so: a member, a key, the import itself. */
function isUse(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  if (parent === undefined || /^(Import|Export)/.test(parent.type)) return false;
  if (parent.type === "MemberExpression") {
    return parent["object"] === node || parent["computed"] === true;
  }
  const isKeyed = ["Property", "PropertyDefinition", "MethodDefinition"].includes(parent.type);
  return !isKeyed || parent["value"] === node || parent["computed"] === true;
}

const DECLARING = ["VariableDeclarator", "FunctionDeclaration", "ClassDeclaration"];
const FUNCTIONS = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];

/** All names that a module declares anywhere, but not those that it imports from Node: who has a `fetch` of their own means that. */
function declaredNames({ program }: ParsedModule): ReadonlySet<string> {
  const names = new Set<string>();
  const take = (pattern: unknown): void => {
    if (Array.isArray(pattern)) {
      for (const one of pattern as readonly unknown[]) take(one);
      return;
    }
    const node = bare(pattern);
    if (node === null) return;
    const name = nameOf(node);
    if (name !== null) names.add(name);
    else if (node.type === "ObjectPattern") take(node["properties"]);
    else if (node.type === "ArrayPattern") take(node["elements"]);
    else if (node.type === "Property") take(node["value"]);
    else if (node.type === "AssignmentPattern") take(node["left"]);
    else if (node.type === "RestElement") take(node["argument"]);
  };
  walk(program, (node) => {
    if (DECLARING.includes(node.type)) take(node["id"]);
    if (FUNCTIONS.includes(node.type)) take(node["params"]);
    if (node.type === "ImportDeclaration" && moduleWorld(textOf(node["source"])) === null) {
      for (const one of nodesOf(node["specifiers"])) take(one["local"]);
    }
  });
  return names;
}

/** Finds text that goes to a shell unquoted and of which no comment says why that is right. */
export function findRaw(module: ParsedModule, declarations: Declarations): readonly FoundIn[] {
  const found: FoundIn[] = [];
  walk(module.program, (node) => {
    if (node.type !== "MemberExpression" || memberOf(node) !== "raw") return;
    if (hdashName(node["object"], declarations) !== "sh") return;
    const spot = spotOf(node);
    const isExplained = module.comments.some(
      ({ line, text }) => (line === spot.line || line === spot.line - 1) && /^raw: *\S/.test(text),
    );
    if (isExplained) return;
    found.push({
      ...spot,
      rule: "raw",
      says: "sh.raw puts text into a command line unquoted: whatever is in it, the shell runs",
      advice:
        "Give the value without raw: it is one word then, a list as many. Where it has to be, say why in a comment beside it: // raw: …",
    });
  });
  return found;
}
