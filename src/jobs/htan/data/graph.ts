// The network of an atlas's records: read from its SIF lines, and put together by component for an overview.

import type { Finding } from "../../../finding.ts";

/** As much of a component as figures name it by. */
export interface ComponentName {
  readonly component: string;
  /** Stands before a record's id in the SIF, e.g. "B". */
  readonly abbreviation: string;
}

/** Records and links, by index, so that tens of thousands of them stay small. */
export interface Graph {
  readonly components: readonly string[];
  readonly ids: readonly string[];
  /** For each id the index of its component. */
  readonly componentOf: readonly number[];
  /** Pairs of indexes into ids: parent, child, parent, child, … */
  readonly links: readonly number[];
  /** Links that lead nowhere, as the checks found them. */
  readonly broken: readonly BrokenLink[];
}

export interface BrokenLink {
  readonly record: string;
  /** What the record is of. */
  readonly component: string;
  readonly value: string;
  readonly link: string;
}

const UNKNOWN = "Unknown component";
const SEPARATOR = "\tconnect\t";

/** Reads the graph from SIF lines "<abbreviation>_<id>\tconnect\t<abbreviation>_<id>" and the findings about links. */
export function readGraph(
  sif: readonly string[],
  findings: readonly Finding[],
  components: readonly ComponentName[],
): Graph {
  const names = new Map(components.map(({ abbreviation, component }) => [abbreviation, component]));
  const componentIndex = new Map<string, number>();
  const nodeIndex = new Map<string, number>();
  const ids: string[] = [];
  const componentOf: number[] = [];
  const node = (label: string): number => {
    const known = nodeIndex.get(label);
    if (known !== undefined) return known;
    const { component, id } = splitLabel(label, names);
    const at = componentIndex.get(component) ?? componentIndex.size;
    componentIndex.set(component, at);
    nodeIndex.set(label, ids.length);
    componentOf.push(at);
    return ids.push(id) - 1;
  };
  const links = sif.flatMap((line) => {
    const at = line.indexOf(SEPARATOR);
    return at < 0 ? [] : [node(line.slice(0, at)), node(line.slice(at + SEPARATOR.length))];
  });
  return {
    components: [...componentIndex.keys()],
    ids,
    componentOf,
    links,
    broken: brokenLinks(findings),
  };
}

/** Abbreviations hold underscores themselves ("SRRS_IMAGE_2_HTA1_1_5"), so the longest one that is known wins. */
function splitLabel(
  label: string,
  names: ReadonlyMap<string, string>,
): { component: string; id: string } {
  for (let at = label.lastIndexOf("_"); at > 0; at = label.lastIndexOf("_", at - 1)) {
    const component = names.get(label.slice(0, at));
    if (component !== undefined) return { component, id: label.slice(at + 1) };
  }
  return { component: UNKNOWN, id: label };
}

/** Lists the links that lead nowhere, as the checks found them; one that leads to another atlas, or may, is a warning and not broken. */
export function brokenLinks(findings: readonly Finding[]): readonly BrokenLink[] {
  return findings.flatMap(({ rule, severity, fields }) =>
    rule === "H_LINKS" && severity === "error" && fields["link"] !== "ring"
      ? [
          {
            record: fields["record"] ?? fields["value"] ?? "",
            component: fields["component"] ?? UNKNOWN,
            value: fields["value"] ?? "",
            link: fields["link"] ?? "",
          },
        ]
      : [],
  );
}

/** Components as nodes, the links between their records as edges. */
export interface Overview {
  readonly nodes: readonly {
    readonly name: string;
    readonly records: number;
    readonly inner: number;
    readonly layer: number;
  }[];
  readonly edges: readonly { readonly from: number; readonly to: number; readonly links: number }[];
  /** Links of a component's records that lead nowhere, where there are any. */
  readonly broken: readonly { readonly to: number; readonly links: number }[];
}

/** Counts a graph's records and links by component, and layers the components from left to right. */
export function makeOverview(graph: Graph): Overview {
  // A component none of whose links leads anywhere is in no line of the SIF.
  const names = [
    ...new Set([...graph.components, ...graph.broken.map(({ component }) => component)]),
  ];
  const size = names.length;
  const brokenOf = Map.groupBy(graph.broken, ({ component }) => component);
  const records = names.map((name, index) =>
    index < graph.components.length
      ? 0
      : new Set((brokenOf.get(name) ?? []).map(({ record }) => record)).size,
  );
  for (const component of graph.componentOf) records[component] = (records[component] ?? 0) + 1;
  const counts = new Map<number, number>();
  for (let at = 0; at < graph.links.length; at += 2) {
    const from = graph.componentOf[graph.links[at] ?? -1] ?? 0;
    const to = graph.componentOf[graph.links[at + 1] ?? -1] ?? 0;
    counts.set(from * size + to, (counts.get(from * size + to) ?? 0) + 1);
  }
  const all = [...counts].map(([key, links]) => ({
    from: Math.floor(key / size),
    to: key % size,
    links,
  }));
  const edges = all.filter(({ from, to }) => from !== to);
  const layers = layerComponents(size, edges);
  edges.sort(
    (a, b) => (layers[a.from] ?? 0) - (layers[b.from] ?? 0) || a.from - b.from || a.to - b.to,
  );
  return {
    nodes: names.map((name, index) => ({
      name,
      records: records[index] ?? 0,
      inner: counts.get(index * size + index) ?? 0,
      layer: layers[index] ?? 0,
    })),
    edges,
    broken: names.flatMap((name, to) => {
      const links = brokenOf.get(name)?.length ?? 0;
      return links === 0 ? [] : [{ to, links }];
    }),
  };
}

/** Puts each component one layer right of its rightmost parent. Cycles end the walk, as no layer exceeds the number of components. */
function layerComponents(size: number, edges: Overview["edges"]): number[] {
  const layers = new Array<number>(size).fill(0);
  for (let round = 0; round < size; round++) {
    let moved = false;
    for (const { from, to } of edges) {
      const wanted = (layers[from] ?? 0) + 1;
      if (wanted <= (layers[to] ?? 0) || wanted >= size) continue;
      layers[to] = wanted;
      moved = true;
    }
    if (!moved) break;
  }
  return layers;
}
