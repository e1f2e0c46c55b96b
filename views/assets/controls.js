// What the controls of tables and galleries are made of: elements, the search field, the heads that sort, and the pages of long lists.
"use strict";

(() => {
  const count = new Intl.NumberFormat("en-US");

  /** @type {HdashControls["make"]} */
  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };

  /** @type {HdashControls["makeSearch"]} */
  const makeSearch = (label) =>
    make("input", {
      type: "search",
      placeholder: "Search",
      "aria-label": label,
      autocomplete: "off",
      spellcheck: "false",
    });

  /** @type {HdashControls["makeSortButtons"]} */
  const makeSortButtons = (heads, labels) =>
    heads.map((head, at) => {
      const button = make("button", { type: "button" }, labels[at] ?? "");
      head.replaceChildren(button);
      return button;
    });

  /** @type {HdashControls["makePager"]} */
  const makePager = (attributes, onStep) => {
    const back = make("button", { type: "button" }, "Previous");
    const next = make("button", { type: "button" }, "Next");
    const where = make("span", { class: "status-line" });
    back.addEventListener("click", () => onStep(-1));
    next.addEventListener("click", () => onStep(1));
    return {
      box: make("div", { class: "tools pager", ...attributes }, back, where, next),
      show: (page, pages) => {
        where.textContent = `Page ${count.format(page + 1)} of ${count.format(pages)}`;
        back.disabled = page === 0;
        next.disabled = page === pages - 1;
      },
    };
  };

  window.hdashControls = { make, makeSearch, makeSortButtons, makePager };
})();
