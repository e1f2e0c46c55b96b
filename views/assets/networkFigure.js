// The interactive network: one record's lineage as boxes and as a list, found by id or by a link that leads nowhere.
"use strict";

(() => {
  const COLUMN = 230;
  const ROW = 58;
  /** More broken links than this are no list to choose from; the search and the findings have them all. */
  const MOST_BROKEN = 2000;
  const { make, button, color, save, onTheme } = window.hdash;

  const style = () => {
    const ink = color("--fig-ink", "#1f2933");
    const rule = color("--fig-rule", "#8d99a5");
    const warn = color("--fig-warn", "#c4500c");
    const accent = color("--fig-accent", "#0072b2");
    const surface = color("--fig-surface", "#ffffff");
    const font = getComputedStyle(document.body).fontFamily;
    return /** @type {import("cytoscape").StylesheetJson} */ ([
      {
        selector: "node",
        style: {
          shape: "round-rectangle",
          width: 176,
          height: 42,
          label: "data(label)",
          "font-family": font,
          "font-size": 12,
          "line-height": 1.25,
          color: ink,
          "text-wrap": "wrap",
          "text-max-width": "170px",
          "text-valign": "center",
          "background-color": surface,
          "border-width": 1,
          "border-color": rule,
        },
      },
      { selector: "node[?isCenter]", style: { "border-width": 3, "border-color": accent } },
      {
        selector: "node[?isMissing]",
        style: { "border-style": "dashed", "border-width": 2, "border-color": warn },
      },
      {
        selector: "edge",
        style: {
          width: 1.5,
          "line-color": rule,
          "target-arrow-color": rule,
          "target-arrow-shape": "triangle",
          "arrow-scale": 0.9,
          "curve-style": "taxi",
          "taxi-direction": "rightward",
          "taxi-turn": 24,
        },
      },
      {
        // Around the boxes between its ends; the points are given from where these stand.
        selector: "edge[weights]",
        style: {
          "curve-style": "segments",
          "edge-distances": "node-position",
          "segment-weights": "data(weights)",
          "segment-distances": "data(distances)",
        },
      },
      {
        selector: "edge[?isBroken]",
        style: { "line-style": "dashed", "line-color": warn, "target-arrow-color": warn },
      },
    ]);
  };

  /**
   * Turns the lane of a link into the corners of its line, as Cytoscape takes them: parts of the way, and distances from it.
   * @param {HdashLineage} lineage @param {number} link
   */
  const corners = ({ links, lane, column, row }, link) => {
    const at = lane[link];
    if (at === null || at === undefined) return {};
    const [from = 0, to = 0] = links[link] ?? [];
    const place = (/** @type {number} */ node) => ({
      x: (column[node] ?? 0) * COLUMN,
      y: (row[node] ?? 0) * ROW,
    });
    const [start, end] = [place(from), place(to)];
    const y = at * ROW;
    // In the gaps beside the boxes, which are 176 wide.
    const [first, last] = [start.x + 112, end.x - 116];
    const points = [
      { x: first, y: start.y },
      { x: first, y },
      { x: last, y },
      { x: last, y: end.y },
    ];
    const way = { x: end.x - start.x, y: end.y - start.y };
    const length = Math.hypot(way.x, way.y);
    const offsets = points.map((point) => ({ x: point.x - start.x, y: point.y - start.y }));
    return {
      weights: offsets.map(({ x, y }) => (x * way.x + y * way.y) / length ** 2),
      distances: offsets.map(({ x, y }) => (y * way.x - x * way.y) / length),
    };
  };

  /** @param {HdashLineage} lineage @returns {import("cytoscape").ElementDefinition[]} */
  const elements = (lineage) => [
    ...lineage.nodes.map((node, at) => ({
      data: { ...node, at, id: `n${at}`, label: `${node.id}\n${node.component}`, record: node.id },
      position: { x: (lineage.column[at] ?? 0) * COLUMN, y: (lineage.row[at] ?? 0) * ROW },
    })),
    ...lineage.links.map(([from, to], at) => ({
      data: {
        id: `e${at}`,
        source: `n${from}`,
        target: `n${to}`,
        isBroken: lineage.nodes[from]?.isMissing ?? false,
        ...corners(lineage, at),
      },
    })),
  ];

  /** @param {HTMLElement} host @param {HdashGraph} graph */
  const start = (host, graph) => {
    const atlas = host.dataset["atlas"] ?? "";
    const network = window.hdashLineage.readNetwork(graph);
    const first = graph.ids[0] ?? graph.broken[0]?.record ?? "";

    const search = make("input", {
      type: "search",
      autocomplete: "off",
      list: `${atlas}-records`,
      placeholder: `e.g. ${first}`,
    });
    const options = make("datalist", { id: `${atlas}-records` });
    const broken = make("select", {}, [
      make("option", { value: "" }, [
        `choose one of ${graph.broken.length > MOST_BROKEN ? `the first ${MOST_BROKEN.toLocaleString("en-US")} of ` : ""}${graph.broken.length.toLocaleString("en-US")}`,
      ]),
    ]);
    const status = make("p", { class: "fig-status", role: "status" });
    // By this id Cytoscape holds its style to be there, and puts none into the page, which the policy forbids; figures.css has its rule.
    const canvas = make("div", {
      id: "__________cytoscape_stylesheet",
      class: "fig-network",
      "aria-hidden": "true",
    });
    const listed = make("div", { class: "fig-lineage" });
    host.append(
      make("h3", {}, ["Follow one record"]),
      make("form", { class: "fig-controls", role: "search", "aria-label": "Records" }, [
        make("label", {}, ["Participant, specimen or file ", search]),
        options,
        make("span", { class: "fig-buttons" }, [make("button", { type: "submit" }, ["Show"])]),
        ...(graph.broken.length > 0 ? [make("label", {}, ["Broken links ", broken])] : []),
      ]),
      status,
      canvas,
      make("div", { class: "fig-controls", role: "group", "aria-label": "View of the network" }, [
        make("span", { class: "fig-buttons" }, [
          button("Zoom in", () => zoom(1.3)),
          button("Zoom out", () => zoom(1 / 1.3)),
          button("Fit", () => cy.fit(undefined, 16)),
          button("PNG", () =>
            save(
              `${atlas}-${search.value || "network"}.png`,
              cy.png({ full: true, scale: 2, bg: color("--fig-surface", "#ffffff") }),
            ),
          ),
        ]),
      ]),
      make("details", { class: "fold", open: "" }, [
        make("summary", {}, ["The same as a list"]),
        listed,
      ]),
    );
    for (const [at, link] of graph.broken.slice(0, MOST_BROKEN).entries()) {
      broken.append(
        make("option", { value: String(at) }, [`${link.record} → ${link.value} (${link.link})`]),
      );
    }

    const cy = window.cytoscape({
      container: canvas,
      style: style(),
      layout: { name: "preset" },
      // The wheel belongs to the page; there are buttons.
      userZoomingEnabled: false,
      autoungrabify: true,
      minZoom: 0.1,
      maxZoom: 3,
    });
    /** @param {number} by */
    const zoom = (by) =>
      cy.zoom({
        level: cy.zoom() * by,
        renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 },
      });

    /** @param {HdashLineage} lineage @param {number} node @param {Set<number>} seen @returns {HTMLLIElement} */
    const listItem = (lineage, node, seen) => {
      seen.add(node);
      const own = lineage.nodes[node];
      const said = `${own?.id ?? ""}, ${own?.component ?? ""}`;
      const item = make("li", own?.isMissing ? { class: "is-missing" } : {});
      if (own === undefined || own.isMissing) item.append(said);
      else {
        const choose = button(said, () => show(own.id, true));
        if (own.isCenter) choose.setAttribute("aria-current", "true");
        item.append(choose);
      }
      const below = (lineage.below[node] ?? []).filter((child) => !seen.has(child));
      if (below.length > 0)
        item.append(
          make(
            "ul",
            {},
            below.flatMap((child) => (seen.has(child) ? [] : [listItem(lineage, child, seen)])),
          ),
        );
      return item;
    };

    /** @param {string} id @param {boolean} [fromList] */
    const show = (id, fromList = false) => {
      const lineage = window.hdashLineage.findLineage(network, id);
      const missing = lineage.nodes.filter((node) => node.isMissing).length;
      search.value = id;
      const wide = (Math.max(...lineage.column) + 1) * COLUMN;
      const tall = (Math.max(...lineage.row) + 1) * ROW;
      const fitting = Math.min((canvas.clientWidth - 32) / wide, 1);
      canvas.style.height = `${Math.min(Math.max(tall * Math.max(fitting, 0.55) + 40, 160), 560)}px`;
      cy.resize();
      cy.elements().remove();
      cy.add(elements(lineage));
      cy.fit(undefined, 16);
      if (cy.zoom() > 1) {
        cy.zoom(1);
        cy.center();
      } else if (cy.zoom() < 0.55) {
        // Too many to read at once: begin at the record itself.
        cy.zoom(0.8);
        cy.center(cy.nodes("[?isCenter]"));
      }
      const records = lineage.nodes.length - missing;
      const part =
        records < lineage.total ? `the nearest ${records.toLocaleString("en-US")} of ` : "";
      status.textContent = `${id}: ${part}${lineage.total.toLocaleString("en-US")} linked record${lineage.total === 1 ? "" : "s"}${missing === 0 ? "" : `, ${missing} broken link${missing === 1 ? "" : "s"} (dashed)`}.`;
      const seen = new Set();
      listed.replaceChildren(
        make(
          "ul",
          {},
          lineage.tops.map((top) => listItem(lineage, top, seen)),
        ),
      );
      if (fromList)
        /** @type {HTMLElement | null} */ (listed.querySelector("[aria-current]"))?.focus();
    };

    /** @param {string} typed */
    const matches = (typed) => {
      const wanted = typed.trim().toLowerCase();
      return wanted === ""
        ? []
        : [...network.indexOf.keys()].filter((id) => id.toLowerCase().includes(wanted));
    };
    search.addEventListener("input", () => {
      const near = matches(search.value);
      options.replaceChildren(...near.slice(0, 30).map((id) => make("option", { value: id })));
      if (network.indexOf.has(search.value)) show(search.value);
    });
    host.querySelector("form.fig-controls")?.addEventListener("submit", (event) => {
      event.preventDefault();
      const [found] = network.indexOf.has(search.value) ? [search.value] : matches(search.value);
      if (found === undefined) status.textContent = `No linked record matches “${search.value}”.`;
      else show(found);
    });
    broken.addEventListener("change", () => {
      const link = graph.broken[Number(broken.value)];
      if (broken.value !== "" && link) show(link.record);
    });
    cy.on("tap", "node[!isMissing]", (event) => show(String(event.target.data("record"))));
    onTheme(() => cy.style(style()));
    new ResizeObserver(() => {
      if (canvas.clientWidth > 0) cy.resize();
    }).observe(canvas);
    if (first !== "") show(first);
  };

  window.hdash.register("network", {
    data: "graph",
    libraries: ["cytoscape.min.js"],
    start: (host, payload) => start(host, /** @type {HdashGraph} */ (payload)),
  });
})();
