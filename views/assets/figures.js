// Brings figures to life once they are seen: loads their data and libraries as scripts, and hands them to their makers.
"use strict";

(() => {
  /** @type {Map<string, HdashFigureMaker>} */
  const makers = new Map();
  /** @type {Map<string, unknown>} */
  const payloads = new Map();
  /** @type {Map<string, Promise<void>>} */
  const scripts = new Map();

  /** @param {string} source */
  const loadScript = (source) => {
    const known = scripts.get(source);
    if (known) return known;
    const loading = new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.async = false;
      script.addEventListener("load", () => resolve());
      script.addEventListener("error", () => {
        // The next try may find it: a page can be opened while its site is being published.
        scripts.delete(source);
        reject(new Error(`${source} could not be loaded`));
      });
      document.head.append(script);
    });
    scripts.set(source, loading);
    return loading;
  };

  /** @param {HTMLElement} host */
  const enhance = async (host) => {
    const { hdash = "", atlas = "", src = "", vendor = "" } = host.dataset;
    const maker = makers.get(hdash);
    if (!maker || host.dataset["state"] !== undefined) return;
    host.dataset["state"] = "loading";
    const status = window.hdash.make("p", { class: "fig-status", role: "status" }, [
      "Loading the interactive figure…",
    ]);
    host.prepend(status);
    try {
      // Together on the wire, but run in this order: one library stands on another.
      await Promise.all([
        loadScript(src),
        ...maker.libraries.map((name) => loadScript(vendor + name)),
      ]);
      const payload = payloads.get(`${atlas} ${maker.data}`);
      if (payload === undefined) throw new Error(`${src} holds no data of ${atlas}`);
      await maker.start(host, payload);
      status.remove();
      host.dataset["state"] = "ready";
    } catch (error) {
      // The still picture below says the same; only say why nothing moves.
      status.textContent = `The interactive figure is not available: ${error instanceof Error ? error.message : error}.`;
      delete host.dataset["state"];
      host.dataset["failed"] = "";
    }
  };

  /** @param {ParentNode} root */
  const enhanceAll = (root) => {
    for (const host of root.querySelectorAll(".fig-interactive[data-hdash]")) {
      if (!(host instanceof HTMLElement) || host.offsetParent === null) continue;
      if ("failed" in host.dataset) {
        delete host.dataset["failed"];
        host.querySelector(".fig-status")?.remove();
      }
      void enhance(host);
    }
  };

  window.hdash = {
    load: (atlas, kind, payload) => {
      payloads.set(`${atlas} ${kind}`, payload);
    },
    register: (kind, maker) => {
      makers.set(kind, maker);
    },
    make: (tag, attributes = {}, children = []) => {
      const element = document.createElement(tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      element.append(...children);
      return element;
    },
    button: (label, onPress) => {
      const button = window.hdash.make("button", { type: "button" }, [label]);
      button.addEventListener("click", onPress);
      return button;
    },
    color: (name, fallback) =>
      getComputedStyle(document.documentElement).getPropertyValue(name).trim() || fallback,
    onTheme: (listener) => {
      document.addEventListener("hdash:theme", listener);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener);
    },
    save: (name, url) => {
      const link = window.hdash.make("a", { href: url, download: name });
      link.click();
    },
  };

  document.addEventListener("hdash:tabshown", (event) => {
    if (event.target instanceof Element) enhanceAll(event.target);
  });
  // A page without tabs, or whose tab was shown before this script ran.
  document.addEventListener("DOMContentLoaded", () => enhanceAll(document));
})();
