// Turns the parts of an atlas page into tabs: one shown at a time, each with an address, moved through with the arrow keys.
"use strict";

(() => {
  const list = document.querySelector(".tabs");
  if (!(list instanceof HTMLElement)) return;
  const tabs = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[data-tab]")]);
  const first = tabs[0]?.dataset["tab"] ?? "";
  let shown = "";

  /** @param {HTMLElement} tab */
  const panelOf = (tab) => document.getElementById(`panel-${tab.dataset["tab"]}`);

  list.setAttribute("role", "tablist");
  for (const tab of tabs) {
    const panel = panelOf(tab);
    tab.setAttribute("role", "tab");
    tab.setAttribute("href", `#${tab.dataset["tab"]}`);
    tab.setAttribute("aria-controls", panel?.id ?? "");
    panel?.setAttribute("role", "tabpanel");
    panel?.setAttribute("aria-labelledby", tab.id);
  }

  /** Tells figures that a panel can be seen, so that they draw only then. */
  const announce = () =>
    document
      .getElementById(`panel-${shown}`)
      ?.dispatchEvent(new CustomEvent("hdash:tabshown", { bubbles: true }));

  const show = () => {
    const name = window.hdashAddress.tab || first;
    if (name === shown) return;
    shown = name;
    for (const tab of tabs) {
      const isShown = tab.dataset["tab"] === name;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      panelOf(tab)?.classList.toggle("is-shown", isShown);
      // On a narrow screen the strip of tabs scrolls by itself; the page stays where it is.
      if (isShown) list.scrollLeft = tab.offsetLeft - (list.clientWidth - tab.offsetWidth) / 2;
    }
    announce();
  };

  /** @param {HTMLElement} tab */
  const choose = (tab) => {
    window.hdashAddress.setTab(tab.dataset["tab"] ?? "");
    show();
  };

  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      choose(tab);
    });
    tab.addEventListener("keydown", (event) => {
      const last = tabs.length - 1;
      const to = {
        ArrowRight: index === last ? 0 : index + 1,
        ArrowLeft: index === 0 ? last : index - 1,
        Home: 0,
        End: last,
        " ": index,
      }[event.key];
      const next = to === undefined ? undefined : tabs[to];
      if (!next) return;
      event.preventDefault();
      choose(next);
      next.focus();
    });
  }

  window.hdashAddress.onChange(show);
  show();
  // Figures are enhanced by a later script; by then all have run.
  document.addEventListener("DOMContentLoaded", announce);
})();
