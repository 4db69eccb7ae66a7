"use strict";

// Elements, words and tables; used by page.js, which begins the work.

let WORDS = {};

/** A text of the catalogue with its values put in. */
function word(key, values = {}) {
  const text = WORDS[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** An element; attributes that are false or null are left out, children may be texts. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

function signClass(sign) {
  return sign > 0 ? "plus" : sign < 0 ? "minus" : "";
}

/** A table in a frame of its own that scrolls where the page is narrow, by keys as well. */
function framed(title, table) {
  return make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": title }, table);
}

/** A table as the server tells it. */
function shownTable(told) {
  const head = told.head.map((of) => make("th", { scope: "col", class: of.number ? "n" : "" }, of.text));
  const rows = told.rows.map((row) => make("tr", {}, ...row.map((cell, at) => {
    const number = told.head[at].number ? "n " : "";
    const attributes = { class: number + signClass(cell.sign ?? 0) };
    return at === 0 && !number
      ? make("th", { scope: "row" }, cell.text)
      : make("td", attributes, cell.text);
  })));
  if (rows.length === 0) {
    rows.push(make("tr", {}, make("td", { colspan: told.head.length, class: "quiet" }, told.empty)));
  }
  const table = make("table", { id: `table-${told.id}` }, make("caption", {}, told.title),
    make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
  return framed(told.title, table);
}

/** The key figures: the law, the scenario, the change. */
function shownFigures(figures) {
  const head = ["figure_head", "as_is", "head.now", "head.change"].map((key, at) =>
    make("th", { scope: "col", class: at ? "n" : "" }, key === "head.now" ? word("now") : word(key)));
  const rows = figures.map((of) => make("tr", {
    id: `figure-${of.id}`, "data-exact": of.exact, class: of.id === "cost" ? "lead" : "",
  },
  make("th", { scope: "row" }, of.label),
  make("td", { class: "n" }, of.base),
  make("td", { class: "n" }, of.now),
  make("td", { class: `n ${signClass(of.sign)}` }, of.change)));
  const table = make("table", {}, make("caption", { class: "sr" }, word("results")),
    make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
  return framed(word("results"), table);
}

/**
 * Scenarios side by side. `columns`: { name, changes: Map, answer or null, acts: element or null };
 * the first is the law as it is. `label` names a path.
 */
function shownComparison(columns, label, baseline) {
  const heads = columns.map((of) => make("th", { scope: "col", class: "n" }, of.name, of.acts));
  const body = [];
  const part = (text) => body.push(make("tr", { class: "part" },
    make("th", { colspan: columns.length + 1, scope: "colgroup" }, text)));
  const paths = new Set(columns.flatMap((of) => [...of.changes.keys()]));
  if (paths.size > 0) part(word("changed_head"));
  for (const path of [...paths].sort()) {
    const cells = columns.map((of) => {
      const moved = of.changes.has(path);
      return make("td", { class: "n" }, make(moved ? "strong" : "span", {}, of.changes.get(path) ?? label(path).value));
    });
    body.push(make("tr", { "data-path": path }, make("th", { scope: "row" }, label(path).name), ...cells));
  }
  part(word("results"));
  baseline.figures.forEach((base, at) => {
    const cells = columns.map((of, column) => {
      if (column === 0) return make("td", { class: "n" }, base.base);
      const figure = of.answer?.figures?.[at];
      if (!figure) return make("td", { class: "n quiet" }, of.answer?.refused ? word("pin_refused") : "…");
      const change = make("span", { class: `change ${signClass(figure.sign)}` }, figure.change);
      return make("td", { class: "n", "data-exact": figure.exact }, figure.now, change);
    });
    body.push(make("tr", { "data-figure": base.id }, make("th", { scope: "row" }, base.label), ...cells));
  });
  const table = make("table", { id: "comparison" }, make("caption", { class: "sr" }, word("compare")),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, word("figure_head")), ...heads)),
    make("tbody", {}, ...body));
  return framed(word("compare"), table);
}
