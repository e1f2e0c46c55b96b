// The interactive timeline: participants page by page or found by name, drawn by the same marks as the still picture.
"use strict";

(() => {
  const PAGE = 20;
  /** The page allows no evaluation of text as code: vega's expressions are interpreted. */
  /** As in the spec, so that it becomes the page's colour with the others. */
  const TRACK = "#eef2f5";
  const EMBED = { ast: true, actions: false, defaultStyle: false };
  const { make, button, save } = window.hdash;

  /** @param {number} count @param {string} noun */
  const counted = (count, noun) =>
    `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;

  /**
   * Puts the page's own colours in place of those of paper. They are CSS variables, so that they follow the theme by themselves.
   * @param {string} spec @param {Readonly<Record<string, string>>} variables
   */
  const inPageColors = (spec, variables) =>
    spec.replace(/"(#[0-9a-f]{6})"/g, (whole, color) => {
      const variable = variables[color];
      return variable === undefined ? whole : `"var(${variable}, ${color})"`;
    });

  /**
   * @param {HdashTimeline} data @param {HdashTimeline["rows"]} rows @param {number} width
   */
  const tables = (data, rows, width) => {
    const lastDay = Math.max(...rows.flatMap(([, , own]) => own.map(([, , finish]) => finish)), 1);
    // A letter takes about 6.5 pixels at 11 pixels' size.
    const hasRoom = (/** @type {number} */ day, /** @type {string} */ text) =>
      ((lastDay - day) / lastDay) * width + 10 > text.length * 6.5;
    let odd = false;
    let before = "";
    const shown = rows.map(([participant, label]) => {
      if (participant !== before) odd = !odd;
      before = participant;
      return { row: `${participant}   ${label}`, fill: odd ? TRACK : "transparent" };
    });
    const events = rows.flatMap(([participant, label, own]) =>
      own.map(([kind, start, finish, more], at) => ({
        row: `${participant}   ${label}`,
        kind: data.kinds[kind] ?? "",
        start,
        // An event of a day is a mark without a bar.
        end: finish - start > 1 ? finish : start,
        label:
          at === own.length - 1 && hasRoom(finish, data.kinds[kind] ?? "")
            ? (data.kinds[kind] ?? "")
            : "",
        text: [
          `${data.kinds[kind] ?? ""} · ${participant} · ${label}`,
          finish - start > 1
            ? `day ${start} to ${finish} (${counted(finish - start, "day")})`
            : `day ${start}`,
          more,
        ]
          .filter((line) => line !== "")
          .join("\n"),
      })),
    );
    return { rows: shown, events };
  };

  /** @param {HTMLElement} host */
  const makeTooltip = (host) => {
    const box = make("div", { class: "fig-tooltip", "aria-hidden": "true" });
    box.hidden = true;
    host.append(box);
    /** @param {unknown} _handler @param {MouseEvent | null} event @param {unknown} _item @param {unknown} value */
    return (_handler, event, _item, value) => {
      box.hidden = event === null || value === null || value === undefined || value === "";
      // A view that is taken down asks for no tooltip, and has no event.
      if (event === null) return;
      box.textContent = String(value ?? "");
      const margin = 14;
      box.style.left = `${Math.min(event.clientX + margin, window.innerWidth - box.offsetWidth - margin)}px`;
      box.style.top = `${Math.min(event.clientY + margin, window.innerHeight - box.offsetHeight - margin)}px`;
    };
  };

  /** @param {HTMLElement} host @param {HdashTimeline} data */
  const start = async (host, data) => {
    const participants = [...new Set(data.rows.map(([participant]) => participant))];
    const atlas = host.dataset["atlas"] ?? "";
    let page = 0;
    let sought = "";
    let drawn = 0;
    /** @type {{ view: HdashVegaView, finalize(): void } | null} */
    let current = null;
    /** @type {Record<string, unknown>} */
    let paperSpec = {};

    const search = make("input", {
      type: "search",
      autocomplete: "off",
      list: `${atlas}-participants`,
      placeholder: "e.g. " + (participants[0] ?? ""),
    });
    const options = make("datalist", { id: `${atlas}-participants` });
    const status = make("p", { class: "fig-status", role: "status" });
    const canvas = make("div", {
      class: "fig-canvas",
      tabindex: "0",
      role: "group",
      "aria-label": "Timeline",
    });
    const tooltip = makeTooltip(host);

    const chosen = () =>
      sought === ""
        ? participants
        : participants.filter((participant) => participant.toLowerCase().includes(sought));

    const draw = async () => {
      const found = chosen();
      const pages = Math.max(Math.ceil(found.length / PAGE), 1);
      page = Math.min(Math.max(page, 0), pages - 1);
      const names = found.slice(page * PAGE, (page + 1) * PAGE);
      const isShown = new Set(names);
      const rows = data.rows.filter(([participant]) => isShown.has(participant));
      const room = canvas.clientWidth;
      const label = room < 560 ? 150 : 230;
      const width = Math.max(room - label - 46, 160);
      const { rows: bands, events } = tables(data, rows, width);
      status.textContent =
        names.length === 0
          ? `No participant with events matches “${search.value}”.`
          : `Participants ${page * PAGE + 1}–${page * PAGE + names.length} of ${found.length.toLocaleString("en-US")}${sought === "" ? "" : " that match"}: ${counted(events.length, "event")} in ${counted(rows.length, "row")}.`;
      previous.disabled = page === 0;
      next.disabled = page >= pages - 1;
      for (const control of downloads) control.disabled = names.length === 0;
      const turn = ++drawn;
      if (names.length === 0) {
        canvas.replaceChildren();
        return;
      }
      const { config, ...spec } = /** @type {{ config: Record<string, object> }} */ (data.spec);
      paperSpec = {
        ...spec,
        width,
        datasets: { events, rows: bands },
        config: {
          ...config,
          axisY: { minExtent: label, maxExtent: label, labelLimit: label - 10 },
          legend: { ...config["legend"], columns: Math.max(Math.floor(room / 200), 1) },
        },
      };
      const plot = make("div");
      const pageSpec = JSON.parse(inPageColors(JSON.stringify(paperSpec), data.cssVariables));
      const made = await window.vegaEmbed(plot, pageSpec, { ...EMBED, renderer: "svg", tooltip });
      // Typing is faster than drawing: only the latest stays.
      if (turn !== drawn) return made.finalize();
      current?.finalize();
      current = made;
      canvas.replaceChildren(plot);
    };

    /** @param {"png" | "svg"} type */
    const download = async (type) => {
      const plot = make("div");
      const made = await window.vegaEmbed(plot, { ...paperSpec, background: "#ffffff" }, EMBED);
      save(`${atlas}-timeline.${type}`, await made.view.toImageURL(type, 2));
      made.finalize();
    };
    const previous = button("Previous", () => {
      page -= 1;
      void draw();
    });
    const next = button("Next", () => {
      page += 1;
      void draw();
    });
    const downloads = [
      button("SVG", () => void download("svg")),
      button("PNG", () => void download("png")),
      button("Vega-Lite spec", () => {
        const url = URL.createObjectURL(
          new Blob([JSON.stringify(paperSpec)], { type: "application/json" }),
        );
        save(`${atlas}-timeline.vl.json`, url);
        URL.revokeObjectURL(url);
      }),
    ];
    search.addEventListener("input", () => {
      sought = search.value.trim().toLowerCase();
      page = 0;
      const near = sought === "" ? participants : chosen();
      options.replaceChildren(
        ...near.slice(0, 30).map((participant) => make("option", { value: participant })),
      );
      void draw();
    });
    options.append(
      ...participants.slice(0, 30).map((participant) => make("option", { value: participant })),
    );

    const still = make("details", { class: "fold" }, [
      make("summary", {}, ["Still picture"]),
      ...host.querySelectorAll("figure"),
    ]);
    host.append(
      make("div", { class: "fig-controls", role: "group", "aria-label": "Timeline controls" }, [
        make("label", {}, ["Participant ", search]),
        options,
        make("span", { class: "fig-buttons" }, [previous, next]),
        make("span", { class: "fig-buttons" }, ["Download shown: ", ...downloads]),
      ]),
      status,
      canvas,
      make("p", { class: "fig-hint" }, [
        "Choose a kind of event in the legend to single it out; drag along the days, or hold Ctrl and turn the wheel to zoom, double click to reset.",
      ]),
      still,
    );
    await draw();
    let width = canvas.clientWidth;
    new ResizeObserver(() => {
      // Drawing changes the height only; a hidden tab has no width to draw in.
      if (canvas.clientWidth === 0 || Math.abs(canvas.clientWidth - width) < 8) return;
      width = canvas.clientWidth;
      void draw();
    }).observe(canvas);
  };

  window.hdash.register("timeline", {
    data: "timeline",
    libraries: ["vega.min.js", "vega-lite.min.js", "vega-embed.min.js"],
    start: (host, payload) => start(host, /** @type {HdashTimeline} */ (payload)),
  });
})();
