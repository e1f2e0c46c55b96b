// The part of an atlas's network around one record: what it comes from and what comes from it, laid out as a tree.
"use strict";

(() => {
  /** More boxes than this cannot be read; the nearest records are kept. */
  const MOST = 240;
  /** Rows between the middle of a box and a link that passes it: half of its height, and room. */
  const CLEAR = 0.5;

  /** @param {HdashGraph} graph @returns {HdashNetwork} */
  const readNetwork = (graph) => {
    const size = graph.ids.length;
    /** @type {number[][]} */
    const parents = Array.from({ length: size }, () => []);
    /** @type {number[][]} */
    const children = Array.from({ length: size }, () => []);
    for (let at = 0; at + 1 < graph.links.length; at += 2) {
      const parent = graph.links[at] ?? 0;
      const child = graph.links[at + 1] ?? 0;
      children[parent]?.push(child);
      parents[child]?.push(parent);
    }
    /** @type {Map<string, number>} */
    const indexOf = new Map();
    for (const [index, id] of graph.ids.entries()) if (!indexOf.has(id)) indexOf.set(id, index);
    /** @type {Map<string, HdashGraph["broken"][number][]>} */
    const brokenOf = new Map();
    for (const link of graph.broken) {
      const own = brokenOf.get(link.record);
      if (own) own.push(link);
      else brokenOf.set(link.record, [link]);
    }
    return { graph, parents, children, indexOf, brokenOf };
  };

  /** @param {readonly (readonly number[])[]} next @param {number} from @param {number} most */
  const reach = (next, from, most) => {
    const seen = new Set([from]);
    for (const node of seen) {
      for (const other of next[node] ?? []) {
        if (seen.size >= most) return seen;
        seen.add(other);
      }
    }
    return seen;
  };

  /** @param {HdashNetwork} network @param {string} id @returns {HdashLineage} */
  const findLineage = (network, id) => {
    const { graph, parents, children, indexOf, brokenOf } = network;
    const center = indexOf.get(id);
    /** @type {HdashLineageNode[]} */
    const nodes = [];
    /** @type {[number, number][]} */
    const links = [];
    let total = 1;
    if (center === undefined) {
      nodes.push({ id, component: "no linked record", isMissing: false, isCenter: true });
    } else {
      const whole = new Set([
        ...reach(parents, center, Infinity),
        ...reach(children, center, Infinity),
      ]);
      total = whole.size;
      const kept = new Set([...reach(parents, center, MOST / 2), ...reach(children, center, MOST)]);
      /** @type {Map<number, number>} */
      const place = new Map();
      for (const node of kept) {
        place.set(node, nodes.length);
        nodes.push({
          id: graph.ids[node] ?? "",
          component: graph.components[graph.componentOf[node] ?? -1] ?? "",
          isMissing: false,
          isCenter: node === center,
        });
      }
      for (const [node, at] of place) {
        for (const child of children[node] ?? []) {
          const to = place.get(child);
          if (to !== undefined && to !== at) links.push([at, to]);
        }
      }
    }
    for (const at of [...nodes.keys()]) {
      for (const link of brokenOf.get(nodes[at]?.id ?? "") ?? []) {
        const says =
          link.link === "self" ? "names itself as parent" : `no such record (${link.link})`;
        nodes.push({ id: link.value, component: says, isMissing: true, isCenter: false });
        links.push([nodes.length - 1, at]);
      }
    }
    const places = layOut(nodes.length, links);
    return { nodes, links, total, ...places, lane: findLanes(links, places) };
  };

  /**
   * Finds for each link that passes a column the row on which no box stands in its way: as near to its ends as there is one.
   * @param {readonly (readonly [number, number])[]} links @param {{ column: readonly number[], row: readonly number[] }} places
   */
  const findLanes = (links, { column, row }) => {
    /** @type {number[][]} */
    const taken = [];
    for (const [node, at] of column.entries()) (taken[at] ??= []).push(row[node] ?? 0);
    return links.map(([from, to]) => {
      const [start = 0, end = 0] = [column[from], column[to]];
      if (end - start < 2) return null;
      const [first = 0, last = 0] = [row[from], row[to]];
      const passed = taken.slice(start + 1, end).flat();
      // Just clear of a box, or level with an end.
      const lanes = [first, last, ...passed.flatMap((at) => [at - CLEAR, at + CLEAR])];
      const isFree = (/** @type {number} */ lane) =>
        passed.every((at) => Math.abs(at - lane) >= CLEAR - 1e-9);
      const detour = (/** @type {number} */ lane) =>
        Math.abs(lane - first) + Math.abs(lane - last) + Math.abs(lane - (first + last) / 2) / 100;
      return lanes.filter(isFree).sort((a, b) => detour(a) - detour(b) || a - b)[0] ?? null;
    });
  };

  /**
   * Columns by distance from the outermost parents; rows so that parents stand in the middle of their children.
   * @param {number} size @param {readonly (readonly [number, number])[]} links
   */
  const layOut = (size, links) => {
    const column = new Array(size).fill(0);
    // Each round moves children right of their parents; cycles end with the rounds.
    for (let round = 0; round < 12; round++) {
      let moved = false;
      for (const [parent, child] of links) {
        if (column[child] > column[parent] || column[parent] >= 11) continue;
        column[child] = column[parent] + 1;
        moved = true;
      }
      if (!moved) break;
    }
    const hasParent = new Array(size).fill(false);
    for (const [, child] of links) hasParent[child] = true;
    const roots = [...Array(size).keys()].filter((node) => !hasParent[node]);
    // A missing parent of a record deep in the tree stands next to it, not at the far left.
    for (const root of roots) {
      const nearest = Math.min(
        ...links.filter(([parent]) => parent === root).map(([, child]) => column[child]),
      );
      column[root] = Number.isFinite(nearest) ? Math.max(nearest - 1, 0) : 0;
    }
    /** @type {number[][]} */
    const below = Array.from({ length: size }, () => []);
    /** @type {Set<number>} */
    const visited = new Set();
    /** @type {number[]} */
    const order = [];
    const tops = roots.length > 0 ? roots : [0];
    const stack = tops.toReversed();
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (visited.has(node)) continue;
      visited.add(node);
      order.push(node);
      const next = links
        .filter(([parent, child]) => parent === node && !visited.has(child))
        .map(([, child]) => child);
      below[node]?.push(...next);
      stack.push(...next.toReversed());
    }
    for (let node = 0; node < size; node++) if (!visited.has(node)) order.push(node);
    const row = new Array(size).fill(-1);
    let free = 0;
    for (const node of order.filter((one) => (below[one]?.length ?? 0) === 0)) row[node] = free++;
    for (const node of order.toReversed()) {
      const rows = (below[node] ?? []).map((child) => row[child]).filter((at) => at >= 0);
      if (rows.length > 0) row[node] = rows.reduce((sum, at) => sum + at, 0) / rows.length;
      else if (row[node] < 0) row[node] = free++;
    }
    // Two parents of one child want the same place: the second makes way.
    for (let at = 0; at < 12; at++) {
      let least = -Infinity;
      for (const node of order
        .filter((one) => column[one] === at)
        .sort((a, b) => row[a] - row[b])) {
        row[node] = Math.max(row[node], least);
        least = row[node] + 1;
      }
    }
    return { column, row, below, tops };
  };

  window.hdashLineage = { readNetwork, findLineage };
})();
