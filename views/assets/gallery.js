// Makes the list of matrices searchable, filterable and sortable, a page of rows at a time, with its state in the address; lets snippets be copied.
"use strict";

(() => {
  const { make, makeSearch, makeSortButtons, makePager } = window.hdashControls;
  const { compare } = window.hdashRows;
  /** Rows on a page: about ten screens, and few enough pictures for a phone. */
  const PAGE = 50;
  /** As for tables: browsers limit how often the address may change. */
  const ADDRESS_DELAY_MS = 250;
  const PREFIX = "list.";
  const count = new Intl.NumberFormat("en-US");

  /** Makes a choice with a label before it, which is its name without the options. @param {string} label @param {readonly (readonly [value: string, text: string])[]} options */
  const makeChoice = (label, options) => {
    const select = make("select", { "aria-label": label });
    for (const [value, text] of options) select.append(make("option", { value }, text));
    return { select, box: make("label", {}, `${label} `, select) };
  };

  /** What a row is sorted by. @param {string} text @returns {HdashCell} */
  const cellOf = (text) => ({
    text,
    value: /^\d+(\.\d+)?(e-?\d+)?$/.test(text) ? Number(text) : text,
    href: "",
    tone: "",
    note: "",
    bar: null,
  });

  /** @param {HTMLElement} box */
  const enhance = (box) => {
    const table = box.querySelector("table");
    const body = table?.tBodies[0];
    if (!table || !body) return;
    const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
    const sorts = heads.map((head) => ({
      key: head.dataset["sort"] ?? "",
      label: head.textContent?.trim() ?? "",
      isNumber: head.classList.contains("num") || head.dataset["sort"] === "updated",
    }));
    const rows = [...body.rows].map((row) => {
      const title = row.querySelector(".entry-text > :first-child")?.textContent ?? "";
      const approaches = (row.dataset["approaches"] ?? "").split(" ").filter(Boolean);
      // The library's full name is in a title, and people may know it by that.
      const names = [...row.querySelectorAll("td [title]")].map((one) => one.getAttribute("title"));
      const id = row.querySelector("small")?.textContent ?? "";
      const species = row.dataset["species"] ?? "";
      return {
        row,
        species,
        approaches,
        pictures: (row.dataset["pictures"] ?? "").split(" "),
        text: [title, id, species, ...approaches, ...names].join("\n").toLowerCase(),
        cells: sorts.map(({ key }) => cellOf(key === "title" ? title : (row.dataset[key] ?? ""))),
        image: row.querySelector("img"),
        first: row.querySelector("img")?.getAttribute("src") ?? "",
      };
    });

    /** Choices of what the rows have, the most frequent first. @param {readonly string[]} values */
    const choicesOf = (values) => {
      /** @type {Map<string, number>} */
      const found = new Map();
      for (const value of values) if (value !== "") found.set(value, (found.get(value) ?? 0) + 1);
      return [...found]
        .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
        .map(([value, rows]) => /** @type {const} */ ([value, `${value} (${count.format(rows)})`]));
    };
    const pictureNames = (box.dataset["pictures"] ?? "")
      .split(";")
      .filter(Boolean)
      .map((pair) => {
        const [name = "", label = ""] = pair.split("=");
        return /** @type {const} */ ([name, label]);
      });

    // Controls.
    const search = makeSearch("Search in matrices");
    const species = makeChoice("Species", [
      ["", "all"],
      ...choicesOf(rows.map((row) => row.species)),
    ]);
    const approach = makeChoice("Approach", [
      ["", "all"],
      ...choicesOf(rows.flatMap((row) => row.approaches)),
    ]);
    const picture = makeChoice("Picture", [["", "UMAP, else violins"], ...pictureNames]);
    const order = makeChoice("Sort by", [
      ["", "as listed"],
      ...sorts.map(
        ({ key, label, isNumber }) => /** @type {const} */ ([isNumber ? `-${key}` : key, label]),
      ),
    ]);
    order.box.classList.add("narrow-tool");
    const clear = make("button", { type: "button" }, "Clear");
    const status = make("span", { class: "status-line", role: "status" });
    const tools = make("div", { class: "tools", role: "group", "aria-label": "Tools of matrices" });
    tools.append(search, species.box, approach.box, order.box, clear, status);
    tools.append(make("span", { class: "spacer" }), picture.box);

    const pager = makePager({ role: "group", "aria-label": "Pages of matrices" }, (step) => {
      page += step;
      draw();
      writeState();
      box.scrollIntoView({ block: "start" });
    });
    const labels = sorts.map(({ label }) => label);
    const buttons = makeSortButtons(heads, labels);

    let state = { q: "", species: "", approach: "", sort: "", picture: "" };
    let page = 0;

    const readState = () => {
      const params = window.hdashAddress.params();
      const get = (/** @type {string} */ key) => params.get(PREFIX + key) ?? "";
      state = {
        q: get("q"),
        species: get("species"),
        approach: get("approach"),
        sort: sorts.some(({ key }) => key === get("sort").replace(/^-/, "")) ? get("sort") : "",
        picture: pictureNames.some(([name]) => name === get("picture")) ? get("picture") : "",
      };
      page = Math.max(0, Math.floor(Number(get("page")) || 1) - 1);
      // A shared address may ask for what is not there any more: it then shows none, and says so.
      for (const [choice, value] of /** @type {const} */ ([
        [species.select, state.species],
        [approach.select, state.approach],
      ])) {
        if (![...choice.options].some((option) => option.value === value)) {
          choice.append(make("option", { value }, `${value} (0)`));
        }
      }
    };

    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let writing;
    const writeState = () => {
      clearTimeout(writing);
      writing = setTimeout(() => {
        const values = new Map(Object.entries(state).filter(([, value]) => value !== ""));
        if (page > 0) values.set("page", String(page + 1));
        window.hdashAddress.setParams(PREFIX, values);
      }, ADDRESS_DELAY_MS);
    };

    const passing = () => {
      const words = state.q.trim().toLowerCase().split(/\s+/).filter(Boolean);
      const found = rows.filter(
        (row) =>
          (state.species === "" || row.species === state.species) &&
          (state.approach === "" || row.approaches.includes(state.approach)) &&
          words.every((word) => row.text.includes(word)),
      );
      const at = sorts.findIndex(({ key }) => key === state.sort.replace(/^-/, ""));
      if (at < 0) return found;
      const isDown = state.sort.startsWith("-");
      const cell = (/** @type {typeof rows[number]} */ row) =>
        /** @type {HdashCell} */ (row.cells[at]);
      // Blanks come last either way: nobody sorts to see them.
      return found.sort((a, b) => {
        const [one, other] = [cell(a), cell(b)];
        if (one.value === "" || other.value === "") {
          return Number(one.value === "") - Number(other.value === "");
        }
        return isDown ? -compare(one, other) : compare(one, other);
      });
    };

    /** Shows a row's figure of the wanted name; one that has none shows that. @param {typeof rows[number]} row */
    const setPicture = ({ image, first, pictures }) => {
      if (!image) return;
      const isThere = state.picture === "" || pictures.includes(state.picture);
      const wanted =
        state.picture === ""
          ? first
          : first.replace(/[^/]+-thumb\.png$/, `${state.picture}-thumb.png`);
      image.hidden = !isThere;
      if (isThere && image.getAttribute("src") !== wanted) image.setAttribute("src", wanted);
    };

    const draw = () => {
      const found = passing();
      const pages = Math.max(1, Math.ceil(found.length / PAGE));
      page = Math.min(page, pages - 1);
      const visible = found.slice(page * PAGE, (page + 1) * PAGE);
      for (const row of visible) setPicture(row);
      body.replaceChildren(...visible.map(({ row }) => row));
      if (visible.length === 0) {
        const cell = make("td", { colspan: String(heads.length), class: "none", role: "cell" });
        cell.append("No matrix matches.");
        body.append(make("tr", { role: "row" }, cell));
      }
      status.textContent =
        found.length === rows.length
          ? `${count.format(rows.length)} ${rows.length === 1 ? "matrix" : "matrices"}`
          : `${count.format(found.length)} of ${count.format(rows.length)} shown`;
      pager.show(page, pages);
      pager.box.hidden = pages === 1;
      // What the pictures show hides no row.
      clear.hidden = [state.q, state.species, state.approach, state.sort].every(
        (value) => value === "",
      );
      for (const [at, head] of heads.entries()) {
        if (sorts[at]?.key !== state.sort.replace(/^-/, "")) head.removeAttribute("aria-sort");
        else
          head.setAttribute("aria-sort", state.sort.startsWith("-") ? "descending" : "ascending");
      }
    };

    const setControls = () => {
      search.value = state.q;
      species.select.value = state.species;
      approach.select.value = state.approach;
      picture.select.value = state.picture;
      order.select.value = [...order.select.options].some(({ value }) => value === state.sort)
        ? state.sort
        : "";
    };

    /** @param {Partial<typeof state>} change */
    const change = (change) => {
      state = { ...state, ...change };
      if (!("picture" in change)) page = 0;
      setControls();
      draw();
      writeState();
    };

    search.addEventListener("input", () => change({ q: search.value }));
    species.select.addEventListener("change", () => change({ species: species.select.value }));
    approach.select.addEventListener("change", () => change({ approach: approach.select.value }));
    picture.select.addEventListener("change", () => change({ picture: picture.select.value }));
    order.select.addEventListener("change", () => change({ sort: order.select.value }));
    clear.addEventListener("click", () => {
      change({ q: "", species: "", approach: "", sort: "" });
      search.focus();
    });
    for (const [at, button] of buttons.entries()) {
      button.addEventListener("click", () => {
        // First way, the other, then the order in which the rows came; numbers are asked for from the top first.
        const { key = "", isNumber = false } = sorts[at] ?? {};
        const [first, second] = isNumber ? [`-${key}`, key] : [key, `-${key}`];
        change({ sort: state.sort === first ? second : state.sort === second ? "" : first });
      });
    }

    box.prepend(tools);
    box.append(pager.box);
    const show = () => {
      readState();
      setControls();
      draw();
    };
    window.hdashAddress.onChange(show);
    show();
  };

  /** Gives a snippet a button; pages served without TLS have no clipboard, and there the text is selected instead. @param {Element} box */
  const enhanceSnippet = (box) => {
    const text = box.querySelector("pre");
    if (!text) return;
    const button = make("button", { type: "button" }, "Copy");
    const says = make("span", { class: "status-line", role: "status" });
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent ?? "");
        says.textContent = "Copied";
      } catch {
        getSelection()?.selectAllChildren(text);
        says.textContent = "Selected: copy it with the keyboard";
      }
    });
    box.append(make("div", { class: "tools" }, button, says));
  };

  for (const box of document.querySelectorAll(".gallery")) {
    if (box instanceof HTMLElement) enhance(box);
  }
  for (const box of document.querySelectorAll(".snippet")) enhanceSnippet(box);
})();
