// Keeps what is shown (the tab, and how tables are sorted and filtered) in the address after #, which also works from a folder.
"use strict";

(() => {
  // A panel's id is not its tab's name, so that the browser does not scroll past the page's head when a tab is linked.
  const PANEL = "panel-";
  let tab = "";
  let settings = new URLSearchParams();
  /** @type {(() => void)[]} */
  const listeners = [];

  /** Reads the address; false where the part after # is none of ours, such as the skip link's. */
  const read = () => {
    const hash = location.hash.slice(1);
    const mark = hash.indexOf("?");
    const name = mark < 0 ? hash : hash.slice(0, mark);
    if (name !== "" && !document.getElementById(PANEL + name)) {
      const panel = document.getElementById(name)?.closest(".panel");
      if (!panel) return false;
      tab = panel.id.slice(PANEL.length);
      return true;
    }
    tab = name;
    settings = new URLSearchParams(mark < 0 ? "" : hash.slice(mark + 1));
    return true;
  };

  const write = (/** @type {boolean} */ isNew) => {
    const query = settings.toString();
    const hash = `#${tab}${query === "" ? "" : `?${query}`}`;
    const url = hash === "#" ? location.href.split("#")[0] : hash;
    if (isNew) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
  };

  window.hdashAddress = {
    get tab() {
      return tab;
    },
    params: () => new URLSearchParams(settings),
    setTab(name) {
      if (name === tab) return;
      tab = name;
      write(true);
    },
    setParams(prefix, values) {
      for (const key of [...settings.keys()]) if (key.startsWith(prefix)) settings.delete(key);
      for (const [key, value] of values) settings.set(prefix + key, value);
      write(false);
    },
    onChange(listener) {
      listeners.push(listener);
    },
  };

  read();
  const changed = () => {
    if (read()) for (const listener of listeners) listener();
  };
  // A link fires both, the back button over pushed entries only the first; listeners do not mind hearing twice.
  addEventListener("popstate", changed);
  addEventListener("hashchange", changed);
})();
