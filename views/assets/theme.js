// Applies the reader's choice of light or dark before the page is drawn, and lets it be changed.
"use strict";

(() => {
  const KEY = "hdash-theme";
  const CHOICES = ["auto", "light", "dark"];
  const root = document.documentElement;
  root.classList.add("js");

  /** Storage may be forbidden (private windows, some file:// settings); the choice then lasts for the page. */
  const stored = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  };

  /** @param {string} choice */
  const store = (choice) => {
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // Nothing to do: see above.
    }
  };

  let choice = stored() ?? "auto";
  const apply = () => {
    if (!CHOICES.includes(choice)) choice = "auto";
    if (choice === "auto") delete root.dataset["theme"];
    else root.dataset["theme"] = choice;
  };
  apply();

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("button.theme");
    if (!(button instanceof HTMLButtonElement)) return;
    const label = () => {
      button.textContent = `Theme: ${choice}`;
    };
    label();
    button.hidden = false;
    button.addEventListener("click", () => {
      choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? "auto";
      store(choice);
      apply();
      label();
      // Canvases cannot follow CSS variables by themselves.
      document.dispatchEvent(new CustomEvent("hdash:theme"));
    });
  });
})();
