// Makes tables sortable, searchable and filterable by column, keeps their state in the address, and hands out what is shown.
"use strict";

(() => {
  const { make, makeSearch, makeSortButtons, makePager } = window.hdashControls;
  const { readCell, searchText, makeFilter, compare, toCsv, toTsv, toJson } = window.hdashRows;
  /** Rows on a page of a long table; "all" is for those who print or use the browser's own search. */
  const SIZES = ["100", "250", "all"];
  /** Typing is not to fill the address bar at every key; browsers also limit how often it may change. */
  const ADDRESS_DELAY_MS = 250;
  const count = new Intl.NumberFormat("en-US");

  /** Reads a cell that is written out in the page, exactly: white space may be just what is wrong with it. @param {Element} cell @returns {HdashCell} */
  const cellOf = (cell) => {
    const text = cell.querySelector(":scope > a, :scope > span")?.textContent ?? "";
    const given = cell.getAttribute("data-v");
    const value =
      given === null ? text : /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(given) ? Number(given) : given;
    const note = cell.querySelector(":scope > small")?.textContent ?? "";
    return { text, value, href: "", tone: "", note, bar: null };
  };

  /** Draws a bar as the template does: its width is an attribute, since a page may hold no style. @param {number} percent */
  const drawBar = (percent) => {
    const SVG = "http://www.w3.org/2000/svg";
    const track = document.createElementNS(SVG, "svg");
    const fill = document.createElementNS(SVG, "rect");
    track.setAttribute("class", "bar-track");
    track.setAttribute("aria-hidden", "true");
    fill.setAttribute("width", `${percent.toFixed(1)}%`);
    fill.setAttribute("height", "100%");
    track.append(fill);
    return track;
  };

  /** Draws a row of data; texts are set as text, never as markup. @param {readonly HdashCell[]} cells @param {readonly HdashColumn[]} columns */
  const drawRow = (cells, columns) => {
    const row = document.createElement("tr");
    for (const [at, cell] of cells.entries()) {
      const box = document.createElement(at === 0 ? "th" : "td");
      if (at === 0) box.setAttribute("scope", "row");
      const classes = [columns[at]?.classes ?? "", cell.tone === "" ? "" : `tone-${cell.tone}`];
      box.className = classes.join(" ").trim();
      if (cell.bar !== null) box.append(drawBar(cell.bar));
      box.append(
        cell.href === "" ? make("span", {}, cell.text) : make("a", { href: cell.href }, cell.text),
      );
      if (cell.note !== "") box.append(make("small", {}, cell.note));
      row.append(box);
    }
    return row;
  };

  /** @param {HTMLElement} box */
  const enhance = (box) => {
    const table = box.querySelector("table");
    const heads = [...(table?.tHead?.rows[0]?.cells ?? [])];
    const body = table?.tBodies[0];
    if (!table || !body) return;
    const id = box.dataset["table"] ?? "";
    const caption = table.caption?.textContent ?? "";
    /** @type {HdashColumn[]} */
    const columns = heads.map((head) => ({
      key: head.dataset["key"] ?? "",
      label: head.textContent?.trim() ?? "",
      kind: head.dataset["kind"] ?? "text",
      link: head.dataset["link"] ?? "",
      classes: head.className,
    }));

    const data = box.querySelector("script.rows");
    const isLong = data !== null;
    const written = isLong ? [] : [...body.rows];
    /** @type {HdashCell[][]} */
    const rows = isLong
      ? /** @type {unknown[][]} */ (JSON.parse(data.textContent ?? "[]")).map((row) =>
          row.map((cell, at) => readCell(cell, /** @type {HdashColumn} */ (columns[at]))),
        )
      : written.map((row) => [...row.cells].map(cellOf));
    /** Where search looks; made when first needed. @type {string[]} */
    let texts = [];

    // State, and its form in the address.
    let query = "";
    /** @type {{ at: number, isDown: boolean } | null} */
    let sort = null;
    /** @type {string[]} */
    let filters = [];
    let size = "100";
    let page = 0;
    let hasFilterRow = false;

    const readState = () => {
      const params = window.hdashAddress.params();
      const get = (/** @type {string} */ key) => params.get(`${id}.${key}`) ?? "";
      query = get("q");
      const order = get("sort");
      const at = columns.findIndex(({ key }) => key === order.replace(/^-/, ""));
      sort = at < 0 ? null : { at, isDown: order.startsWith("-") };
      filters = columns.map(({ key }) => get(`f.${key}`));
      size = SIZES.includes(get("size")) ? get("size") : "100";
      page = Math.max(0, Math.floor(Number(get("page")) || 1) - 1);
      if (filters.some((typed) => typed !== "")) hasFilterRow = true;
    };

    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let writing;
    const writeState = () => {
      clearTimeout(writing);
      writing = setTimeout(() => {
        /** @type {Map<string, string>} */
        const values = new Map();
        if (query !== "") values.set("q", query);
        if (sort) values.set("sort", (sort.isDown ? "-" : "") + (columns[sort.at]?.key ?? ""));
        for (const [at, typed] of filters.entries()) {
          if (typed !== "") values.set(`f.${columns[at]?.key}`, typed);
        }
        if (isLong && size !== "100") values.set("size", size);
        if (isLong && page > 0) values.set("page", String(page + 1));
        window.hdashAddress.setParams(`${id}.`, values);
      }, ADDRESS_DELAY_MS);
    };

    // Order over all rows, kept until the sorting changes, so that a key typed into the search only filters.
    /** @type {number[]} */
    let order = [];
    let orderedBy = "none";
    const reorder = () => {
      const by = sort === null ? "" : `${sort.at}${sort.isDown ? "-" : "+"}`;
      if (by === orderedBy) return;
      orderedBy = by;
      order = rows.map((_row, index) => index);
      if (sort === null) return;
      const { at, isDown } = sort;
      const cellAt = (/** @type {number} */ index) => /** @type {HdashCell} */ (rows[index]?.[at]);
      const isBlank = (/** @type {HdashCell} */ cell) => cell.value === "";
      // Blanks come last either way: nobody sorts to see them.
      order.sort((a, b) => {
        const [one, other] = [cellAt(a), cellAt(b)];
        if (isBlank(one) || isBlank(other))
          return Number(isBlank(one)) - Number(isBlank(other)) || a - b;
        return (isDown ? -compare(one, other) : compare(one, other)) || a - b;
      });
    };

    /** Indexes of the rows that pass, in order. */
    const passing = () => {
      reorder();
      const wanted = query.trim().toLowerCase().split(/\s+/).filter(Boolean);
      const tests = filters.flatMap((typed, at) => {
        const test = makeFilter(typed, columns[at]?.kind ?? "text");
        return test === null ? [] : [{ at, test }];
      });
      if (wanted.length === 0 && tests.length === 0) return order;
      if (wanted.length > 0 && texts.length === 0) {
        texts = rows.map((row) => row.map(searchText).join("\n"));
      }
      return order.filter((index) => {
        const text = texts[index] ?? "";
        if (!wanted.every((word) => text.includes(word))) return false;
        return tests.every(({ at, test }) => test(/** @type {HdashCell} */ (rows[index]?.[at])));
      });
    };

    // Controls.
    const search = makeSearch(`Search in ${caption}`);
    const status = make("span", { class: "status-line", role: "status" });
    const filterToggle = make(
      "button",
      { type: "button", "aria-expanded": "false" },
      "Filter columns",
    );
    const clear = make("button", { type: "button" }, "Clear");
    const copy = make(
      "button",
      { type: "button", title: "Copies the rows shown, for a spreadsheet" },
      "Copy",
    );
    const csv = make("button", { type: "button", title: "Downloads the rows shown" }, "CSV");
    const json = make("button", { type: "button", title: "Downloads the rows shown" }, "JSON");
    const tools = make("div", {
      class: "tools",
      role: "group",
      "aria-label": `Tools of ${caption}`,
    });
    tools.append(
      search,
      filterToggle,
      clear,
      status,
      make("span", { class: "spacer" }),
      copy,
      csv,
      json,
    );
    const filterRow = make("tr", { class: "filters" });
    const inputs = columns.map(({ label, kind }) => {
      const input = make("input", {
        type: "text",
        "aria-label": `Filter ${label}`,
        placeholder: kind === "text" ? "abc or =abc" : ">10",
        title: "abc: contains · =abc: is exactly · >10, <10: is more, is less",
        autocomplete: "off",
        spellcheck: "false",
      });
      filterRow.append(make("td", {}, input));
      return input;
    });
    const labels = columns.map(({ label }) => label);
    const sortButtons = makeSortButtons(heads, labels);

    const pager = makePager({}, (step) => {
      page += step;
      changed();
      box.scrollIntoView({ block: "nearest" });
    });
    const sizes = make("select", { "aria-label": `Rows on a page of ${caption}` });
    for (const name of SIZES)
      sizes.append(make("option", { value: name }, name === "all" ? "All" : name));
    pager.box.append(make("span", { class: "spacer" }), make("label", {}, "Rows ", sizes));

    /** @type {number[]} */
    let shown = [];
    const draw = () => {
      shown = passing();
      const perPage = !isLong || size === "all" ? Math.max(1, shown.length) : Number(size);
      const pages = Math.max(1, Math.ceil(shown.length / perPage));
      page = Math.min(page, pages - 1);
      const visible = shown.slice(page * perPage, (page + 1) * perPage);
      body.replaceChildren(
        ...visible.map((index) => written[index] ?? drawRow(rows[index] ?? [], columns)),
      );
      if (visible.length === 0) {
        const cell = make(
          "td",
          { colspan: String(columns.length), class: "none" },
          "No row matches.",
        );
        body.append(make("tr", {}, cell));
      }
      const isAll = shown.length === rows.length;
      status.textContent = isAll
        ? `${count.format(rows.length)} ${rows.length === 1 ? "row" : "rows"}`
        : `${count.format(shown.length)} of ${count.format(rows.length)} shown`;
      pager.show(page, pages);
      pager.box.hidden = !isLong;
      clear.hidden = query === "" && sort === null && filters.every((typed) => typed === "");
      for (const [at, head] of heads.entries()) {
        if (sort?.at === at)
          head.setAttribute("aria-sort", sort.isDown ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      }
      filterRow.hidden = !hasFilterRow;
      filterToggle.setAttribute("aria-expanded", String(hasFilterRow));
    };

    /** Sets the controls to the state; typing does the reverse. */
    const setControls = () => {
      search.value = query;
      for (const [at, input] of inputs.entries()) input.value = filters[at] ?? "";
      sizes.value = size;
    };

    const changed = () => {
      draw();
      writeState();
    };

    search.addEventListener("input", () => {
      query = search.value;
      page = 0;
      changed();
    });
    for (const [at, input] of inputs.entries()) {
      input.addEventListener("input", () => {
        filters[at] = input.value;
        page = 0;
        changed();
      });
    }
    for (const [at, button] of sortButtons.entries()) {
      button.addEventListener("click", () => {
        // Up, down, then the order in which the rows came; numbers are asked for from the top first.
        const firstDown = columns[at]?.kind !== "text";
        if (sort?.at !== at) sort = { at, isDown: firstDown };
        else sort = sort.isDown === firstDown ? { at, isDown: !firstDown } : null;
        page = 0;
        changed();
      });
    }
    filterToggle.addEventListener("click", () => {
      hasFilterRow = !hasFilterRow;
      draw();
      if (hasFilterRow) inputs[0]?.focus();
    });
    clear.addEventListener("click", () => {
      query = "";
      sort = null;
      filters = columns.map(() => "");
      page = 0;
      setControls();
      changed();
      search.focus();
    });
    sizes.addEventListener("change", () => {
      size = sizes.value;
      page = 0;
      changed();
    });

    const shownRows = () => shown.map((index) => rows[index] ?? []);
    copy.addEventListener("click", () => {
      const text = toTsv(columns, shownRows());
      const says = `${count.format(shown.length)} ${shown.length === 1 ? "row" : "rows"} copied`;
      copyText(text).then(
        () => (status.textContent = says),
        () => (status.textContent = "The browser did not let us copy; CSV works everywhere."),
      );
    });
    const name = box.dataset["name"] ?? id;
    csv.addEventListener("click", () => {
      save(`${name}.csv`, "text/csv;charset=utf-8", toCsv(columns, shownRows()));
    });
    json.addEventListener("click", () => {
      save(`${name}.json`, "application/json", toJson(columns, shownRows()));
    });

    box.prepend(tools);
    box.append(pager.box);
    table.tHead?.append(filterRow);
    box.classList.toggle("is-long", rows.length > 30);
    // A view of a folded table is of no use folded, nor is one of a table that is out of sight.
    const goTo = () => {
      const fold = box.closest("details");
      if (fold) fold.open = true;
      const { top } = box.getBoundingClientRect();
      if (top < 0 || top > window.innerHeight / 2) box.scrollIntoView({ block: "start" });
    };
    const setsThis = new RegExp(`[?&]${id}\\.`);
    let isCalled = false;
    const show = () => {
      readState();
      setControls();
      draw();
      if (!isCalled) return;
      isCalled = false;
      goTo();
      const region = table.parentElement;
      if (region) region.focus({ preventScroll: true });
    };
    // A link may set what the table shows: whoever follows it wants to see that.
    document.addEventListener("click", (event) => {
      const link = event.target instanceof Element ? event.target.closest("a[href^='#']") : null;
      if (!(link instanceof HTMLAnchorElement) || !setsThis.test(link.hash)) return;
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      isCalled = true;
      // The address stays as it is, and nobody would hear of it.
      if (link.hash === location.hash) show();
    });
    window.hdashAddress.onChange(show);
    show();
    // Whoever comes back is where they were, by the browser's own doing.
    const [visit] = performance.getEntriesByType("navigation");
    const isNew = visit instanceof PerformanceNavigationTiming && visit.type === "navigate";
    if (!clear.hidden && isNew) goTo();
    else if (!clear.hidden) box.closest("details")?.setAttribute("open", "");
  };

  /** Copies text; pages served without TLS have no clipboard object, and take the older way. @param {string} text */
  const copyText = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const area = make("textarea", { class: "off-screen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    const before = document.activeElement;
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    if (before instanceof HTMLElement) before.focus();
    if (!isCopied) throw new Error("copy was refused");
  };

  /** Hands text to the browser as a file. @param {string} name @param {string} type @param {string} text */
  const save = (name, type, text) => {
    const url = URL.createObjectURL(new Blob([text], { type }));
    make("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  };

  for (const box of document.querySelectorAll("[data-table]")) {
    if (box instanceof HTMLElement) enhance(box);
  }
})();
