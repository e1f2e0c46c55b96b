// The interactive timeline: participants page by page or found by name, drawn by the same marks as the still picture.
"use strict";

(() => {
  const PAGE = 20;
  /** As in the spec, so that it becomes the page's colour with the others. */
  const TRACK = "#eef2f5";
  /** The signals of the spec that say which kind is singled out, and which days are in view; null for all. */
  const KIND = "kind_kind_legend";
  const DAYS = "days_start";
  /** Closer than this there is nothing to tell apart. */
  const LEAST_DAYS = 2;
  /** The page allows no evaluation of text as code, so vega's expressions are interpreted; and no styles but its files, which vega-embed's actions and tooltip bring. */
  const EMBED = { ast: true, actions: false, defaultStyle: false, tooltip: false };
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
    // An event of a day is a mark without a bar.
    const endOf = (/** @type {number} */ start, /** @type {number} */ finish) =>
      finish - start > 1 ? finish : start;
    const lastDay = Math.max(
      ...rows.flatMap(([, , own]) => own.map(([, start, finish]) => endOf(start, finish))),
      1,
    );
    // A letter takes about 6.5 pixels at 11 pixels' size.
    const hasRoom = (/** @type {number} */ day, /** @type {string} */ text) =>
      ((lastDay - day) / lastDay) * (width - 20) > text.length * 6.5;
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
        end: endOf(start, finish),
        label:
          at === own.length - 1 && hasRoom(endOf(start, finish), data.kinds[kind] ?? "")
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
    let said = "";
    let dismissed = "";
    // Without moving the pointer, and until it points at something else.
    document.addEventListener("keydown", ({ key }) => {
      if (key !== "Escape" || box.hidden) return;
      dismissed = said;
      box.hidden = true;
    });
    /** @param {unknown} _handler @param {MouseEvent | null} event @param {unknown} _item @param {unknown} value */
    return (_handler, event, _item, value) => {
      said = String(value ?? "");
      if (said !== dismissed) dismissed = "";
      box.hidden = event === null || said === "" || said === dismissed;
      // A view that is taken down asks for no tooltip, and has no event.
      if (event === null) return;
      box.textContent = said;
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
    /** @type {string | null} */
    let kind = null;
    /** @type {readonly [number, number] | null} */
    let days = null;
    /** All days of what is drawn. @type {readonly [number, number]} */
    let allDays = [0, 1];
    let told = "";
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

    const say = () => {
      const [first, last] = days ?? allDays;
      const part = `Days ${Math.max(Math.ceil(first), 0).toLocaleString("en-US")} to ${Math.floor(last).toLocaleString("en-US")} are in view.`;
      status.textContent = days === null ? told : `${told} ${part}`;
    };

    /** Sets a drawing to the kind and the days that are chosen. @param {HdashVegaView} view */
    const applyChoice = (view) => view.signal(KIND, kind).signal(DAYS, days).runAsync();

    /** Shows days of what is drawn, never beyond it. @param {number} middle @param {number} span */
    const showDays = (middle, span) => {
      if (current === null) return;
      const [first, last] = allDays;
      const start = Math.max(Math.min(middle - span / 2, last - span), first);
      current.view.signal(DAYS, span < last - first ? [start, start + span] : null);
      void current.view.runAsync();
    };
    /** @param {number} by */
    const zoom = (by) => {
      const [first, last] = days ?? allDays;
      showDays((first + last) / 2, Math.max((last - first) * by, LEAST_DAYS));
    };
    /** @param {number} by */
    const pan = (by) => {
      const [first, last] = days ?? allDays;
      showDays((first + last) / 2 + (last - first) * by, last - first);
    };

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
      told =
        names.length === 0
          ? `No participant with events matches “${search.value}”.`
          : `Participants ${page * PAGE + 1}–${page * PAGE + names.length} of ${found.length.toLocaleString("en-US")}${sought === "" ? "" : " that match"}: ${counted(events.length, "event")} in ${counted(rows.length, "row")}.`;
      previous.disabled = page === 0;
      next.disabled = page >= pages - 1;
      for (const control of [...downloads, ...moves]) control.disabled = names.length === 0;
      say();
      const turn = ++drawn;
      if (names.length === 0) {
        current?.finalize();
        current = null;
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
      const [from = 0, to = 1] = made.view.scale("x").domain();
      await applyChoice(made.view);
      // Typing is faster than drawing: only the latest stays.
      if (turn !== drawn) return made.finalize();
      current?.finalize();
      current = made;
      allDays = [from, to];
      // The pointer sets them as well.
      made.view.addSignalListener(KIND, (_name, value) => {
        if (turn !== drawn) return;
        kind = typeof value === "string" ? value : null;
        kinds.value = kind ?? "";
      });
      made.view.addSignalListener(DAYS, (_name, value) => {
        if (turn !== drawn) return;
        days = /** @type {[number, number] | null} */ (value);
        say();
      });
      canvas.replaceChildren(plot);
    };

    /** @param {"png" | "svg"} type */
    const download = async (type) => {
      const plot = make("div");
      const made = await window.vegaEmbed(plot, { ...paperSpec, background: "#ffffff" }, EMBED);
      await applyChoice(made.view);
      save(`${atlas}-timeline.${type}`, await made.view.toImageURL(type, 2));
      made.finalize();
    };
    /** Other participants have other days. @param {number} to */
    const turnTo = (to) => {
      page = to;
      days = null;
      void draw();
    };
    const previous = button("Previous", () => turnTo(page - 1));
    const next = button("Next", () => turnTo(page + 1));
    const kinds = make("select", { class: "fig-kinds" }, [
      make("option", { value: "" }, ["all kinds"]),
      ...data.kinds.map((name) => make("option", { value: name }, [name])),
    ]);
    kinds.addEventListener("change", () => {
      kind = kinds.value === "" ? null : kinds.value;
      if (current) void applyChoice(current.view);
    });
    const moves = [
      button("Earlier", () => pan(-0.5)),
      button("Later", () => pan(0.5)),
      button("Zoom in", () => zoom(0.5)),
      button("Zoom out", () => zoom(2)),
      button("Reset", () => zoom(Infinity)),
    ];
    const downloads = [
      button("SVG", () => void download("svg")),
      button("PNG", () => void download("png")),
      button("Vega-Lite spec", () => {
        const url = URL.createObjectURL(
          new Blob([JSON.stringify(paperSpec)], { type: "application/json" }),
        );
        save(`${atlas}-timeline.vl.json`, url);
        // Some browsers read it only after the click.
        setTimeout(() => URL.revokeObjectURL(url), 10_000);
      }),
    ];
    search.addEventListener("input", () => {
      sought = search.value.trim().toLowerCase();
      const near = sought === "" ? participants : chosen();
      options.replaceChildren(
        ...near.slice(0, 30).map((participant) => make("option", { value: participant })),
      );
      turnTo(0);
    });
    options.append(
      ...participants.slice(0, 30).map((participant) => make("option", { value: participant })),
    );

    const still = make("details", { class: "fold still" }, [
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
      make("div", { class: "fig-controls", role: "group", "aria-label": "Kinds and days" }, [
        make("label", {}, ["Show ", kinds]),
        make("span", { class: "fig-buttons" }, moves),
      ]),
      status,
      canvas,
      make("p", { class: "fig-hint" }, [
        "With a pointer: choose a kind in the legend, drag along the days, hold Ctrl and turn the wheel to zoom, double click to reset. Esc closes what is said of an event.",
      ]),
      still,
    );
    // Paper has the still picture: what is drawn here is as wide as the window, and holds a part.
    let wasOpen = false;
    addEventListener("beforeprint", () => {
      wasOpen = still.open;
      still.open = true;
    });
    addEventListener("afterprint", () => (still.open = wasOpen));
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
