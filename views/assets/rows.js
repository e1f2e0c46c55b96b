// What tables do with their rows, apart from showing them: filters as typed, order, and the forms for copy and download.
"use strict";

(() => {
  const NUMBER = /^[-−+]?[\d,]*\.?\d+(e[-+]?\d+)?$/i;
  /** @type {Record<string, number>} */
  const UNITS = { "": 1, "%": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, pb: 1e15 };
  const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  /** @param {number} value */
  const grouped = (value) => {
    const [whole = "", part] = String(Math.abs(value)).split(".");
    const text = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return `${value < 0 ? "−" : ""}${text}${part === undefined ? "" : `.${part}`}`;
  };

  /** @type {HdashRows["readCell"]} */
  const readCell = (given, column) => {
    if (typeof given === "number") {
      return { text: grouped(given), value: given, href: "", tone: "", note: "", bar: null };
    }
    const cell = /** @type {Record<string, unknown>} */ (
      typeof given === "object" && given !== null ? given : { t: given }
    );
    const text = String(cell["t"] ?? "");
    const value = cell["v"];
    const link = column.link !== "" && /^[A-Za-z]+\d+$/.test(text) ? column.link + text : "";
    return {
      text,
      value: typeof value === "number" || typeof value === "string" ? value : text,
      href: typeof cell["h"] === "string" ? cell["h"] : link,
      tone: typeof cell["c"] === "string" ? cell["c"] : "",
      note: typeof cell["n"] === "string" ? cell["n"] : "",
      bar: typeof cell["b"] === "number" ? cell["b"] : null,
    };
  };

  /** Reads a number as people type it, with a unit perhaps; NaN where it is none. @param {string} typed */
  const readNumber = (typed) => {
    const [, digits = "", unit = ""] = /^(.*?)\s*(%|[kmgtp]?b)?$/i.exec(typed) ?? [];
    const scale = UNITS[unit.toLowerCase()];
    if (scale === undefined || !NUMBER.test(digits)) return NaN;
    return Number(digits.replaceAll(",", "").replace("−", "-")) * scale;
  };

  /**
   * What is found in a cell: what it reads, and what it stands for, where one knows it by that: 1234 as well as 1,234, and the
   * ISO form of an instant. The bytes behind "2.5 TB" are not looked into: nobody would see why the row is there.
   * @type {HdashRows["searchText"]}
   */
  const searchText = ({ text, note, value }) => {
    const isRead =
      typeof value === "string" ||
      text.replaceAll(",", "").replace("−", "-").includes(String(value));
    return `${text}\n${note}\n${isRead ? value : ""}`.toLowerCase();
  };

  /** A cell as people compare it: of a share they read and type percent, its value is a fraction. @param {HdashCell} cell @param {string} kind @returns {HdashCell} */
  const asRead = (cell, kind) =>
    kind === "share" && typeof cell.value === "number"
      ? { ...cell, value: Math.round(cell.value * 1e4) / 100 }
      : cell;

  /** @type {HdashRows["makeFilter"]} */
  const makeFilter = (typed, kind) => {
    const test = readFilter(typed);
    return test === null ? null : (cell) => test(asRead(cell, kind));
  };

  /** @param {string} typed @returns {((cell: HdashCell) => boolean) | null} */
  const readFilter = (typed) => {
    const [, operator = "", rest = ""] = /^\s*(>=|<=|>|<|=)?\s*(.*?)\s*$/s.exec(typed) ?? [];
    if (operator === "") {
      const part = rest.toLowerCase();
      return part === "" ? null : (cell) => searchText(cell).includes(part);
    }
    const amount = readNumber(rest);
    // A day is compared with the days of instants, not with their midnights.
    const isDay = /^\d{4}-\d\d-\d\d$/.test(rest);
    const inKind = (/** @type {string} */ value) => (isDay ? value.slice(0, 10) : value);
    if (operator === "=") {
      const whole = rest.toLowerCase();
      return ({ text, value }) =>
        text.toLowerCase() === whole ||
        (typeof value === "number" ? value === amount : inKind(value).toLowerCase() === whole);
    }
    if (rest === "") return null;
    return (cell) => {
      if (cell.text === "" && cell.value === "") return false;
      const order =
        typeof cell.value === "number"
          ? cell.value - amount
          : words.compare(inKind(cell.value), rest);
      if (operator === ">") return order > 0;
      if (operator === "<") return order < 0;
      return operator === ">=" ? order >= 0 : order <= 0;
    };
  };

  /** Numbers before words, as they only meet in a column that has remarks. @type {HdashRows["compare"]} */
  const compare = ({ value: a }, { value: b }) => {
    if (typeof a === "number") return typeof b === "number" ? a - b : -1;
    return typeof b === "number" ? 1 : words.compare(a, b);
  };

  /** What a cell is in a file: numbers and instants as they are, all else as it reads. @param {HdashCell} cell @param {HdashColumn} column */
  const plain = (cell, column) => (column.kind === "text" ? cell.text : cell.value);

  /** The same where null says that there is no number. @param {HdashCell} cell @param {HdashColumn} column */
  const orNull = (cell, column) =>
    column.kind !== "text" && cell.value === "" ? null : plain(cell, column);

  /** Where a spreadsheet may begin a cell: at the start, and behind what it separates cells by where people write decimals with a comma. */
  const formula = /(^|[;\t\r\n]["\s]*)(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/g;
  /** Text that a spreadsheet would run as a formula is set behind an apostrophe. @param {string | number} value */
  const safe = (value) =>
    typeof value === "string"
      ? value.replace(/^(?=[\t\r])/, "'").replace(formula, "$1'")
      : String(value);

  /** @type {HdashRows["toCsv"]} */
  const toCsv = (columns, rows) => {
    const quoted = (/** @type {string | number} */ value) => {
      const text = safe(value);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const lines = rows.map((row) =>
      columns
        .map((column, at) => quoted(plain(/** @type {HdashCell} */ (row[at]), column)))
        .join(","),
    );
    return `\ufeff${[columns.map(({ label }) => quoted(label)).join(","), ...lines].join("\r\n")}\r\n`;
  };

  /** @type {HdashRows["toTsv"]} */
  const toTsv = (columns, rows) => {
    const flat = (/** @type {string | number} */ value) => safe(value).replace(/[\t\r\n]+/g, " ");
    const lines = rows.map((row) =>
      columns
        .map((column, at) => flat(plain(/** @type {HdashCell} */ (row[at]), column)))
        .join("\t"),
    );
    return [columns.map(({ label }) => flat(label)).join("\t"), ...lines].join("\n");
  };

  /** @type {HdashRows["toJson"]} */
  const toJson = (columns, rows) => {
    const objects = rows.map((row) =>
      Object.fromEntries(
        columns.map((column, at) => [
          column.key,
          orNull(/** @type {HdashCell} */ (row[at]), column),
        ]),
      ),
    );
    return `${JSON.stringify(objects, null, 1)}\n`;
  };

  window.hdashRows = { readCell, searchText, makeFilter, compare, toCsv, toTsv, toJson };
})();
