"use strict";

// The state of the page: what is moved, what is pinned, what the server said last. Figures are texts
// of the server; the page counts nothing but steps of sliders, which are whole numbers.

const by = (id) => document.getElementById(id);

let DESK;
/** Lines by path: { line, card, row elements }. */
const LINES = new Map();
/** Path -> text as typed, where it differs from the law. */
let changes = new Map();
/** { name, changes: Map, answer or null }. */
let pins = [];
/** What the server said of the changes, and the changes it said it of. */
let answer = null;
let answered = new Map();
let lastMoved = "";

// ---------------------------------------------------------------- numbers as texts

/** Whole steps as a decimal text. */
function decimal(steps, places) {
  const digits = String(Math.abs(steps)).padStart(places + 1, "0");
  const cut = digits.length - places;
  return (steps < 0 ? "-" : "") + digits.slice(0, cut) + (places ? "." + digits.slice(cut) : "");
}

/** A decimal text as whole steps, cut where it is finer; null where it is no number. */
function steps(text, places) {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!found) return null;
  const part = (found[3] ?? "").padEnd(places, "0").slice(0, places);
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  const whole = BigInt(found[2] + part);
  const bounded = Number(whole > most ? most : whole);
  return found[1] ? -bounded : bounded;
}

/** The same number is the same text. */
function plain(text) {
  const found = /^(-?)0*(\d+)(?:\.(\d*?)0*)?$/.exec(text.trim());
  if (!found) return text.trim();
  const part = found[3] ? "." + found[3] : "";
  const sign = found[1] && /[1-9]/.test(found[2] + part) ? "-" : "";
  return sign + found[2] + part;
}

// ---------------------------------------------------------------- asking

async function ask(name, asked) {
  const body = JSON.stringify({ changes: Object.fromEntries(asked) });
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(name, { method: "POST", headers, body });
  if (!response.ok) throw new Error(response.statusText);
  return name.endsWith(".json") ? response.json() : response.text();
}

let timer = 0;
let asking = false;
let again = false;
/** What the next status begins with. */
let note = "";
let slow = 0;
let told = [""];

/** Asks soon; what was asked before and is not answered yet is overtaken. */
function schedule(soon) {
  again = true;
  busy(true);
  save();
  clearTimeout(timer);
  timer = setTimeout(turn, soon);
}

/** One question at a time: while one is on its way, the last change waits. */
async function turn() {
  if (asking) return;
  asking = true;
  try {
    while (again || unanswered()) {
      if (again) {
        again = false;
        const asked = new Map(changes);
        const said = asked.size ? await ask("answer.json", asked) : DESK.baseline;
        show(said, asked);
      } else {
        const pin = unanswered();
        pin.answer = await ask("answer.json", pin.changes);
        showPins();
      }
    }
  } catch {
    again = false;
    tell(word("failed"), true);
  }
  asking = false;
  busy(false);
}

const unanswered = () => pins.find((pin) => pin.answer === null);

/** Said to screen readers as well, but for answers that come at once. */
function busy(is) {
  by("results").setAttribute("aria-busy", String(is));
  clearTimeout(slow);
  if (is) slow = setTimeout(() => { by("status").textContent = word("busy"); }, 250);
  else tell(...told);
}

function tell(text, wrong = false) {
  told = [text, wrong];
  const status = by("status");
  if (status.textContent !== text) status.textContent = text;
  status.classList.toggle("wrong", wrong);
}

// ---------------------------------------------------------------- showing

function show(said, asked) {
  answer = said;
  answered = asked;
  for (const pin of pins) if (pin.answer === null && same(pin.changes, asked)) pin.answer = said;
  for (const of of LINES.values()) fault(of, "");
  by("results").classList.toggle("stale", Boolean(said.refused));
  if (said.refused) {
    const further = [];
    for (const { path, message } of said.refused) {
      const of = LINES.get(path) ?? LINES.get(lastMoved);
      if (of) { reveal(of); fault(of, message); } else further.push(message);
    }
    tell([word("refused"), ...further].join(" "), true);
  } else {
    by("figures").replaceChildren(shownFigures(said.figures));
    by("tables").replaceChildren(...said.tables.map(shownTable));
    const [cost, percent] = said.figures;
    const values = { cost: cost.now, change: cost.change, percent: percent.now };
    tell([note, word(changes.size ? "answered" : "current", values)].join(" ").trim());
  }
  note = "";
  showPins();
}

function fault(of, message) {
  if (!of.number) return;
  of.error.textContent = message;
  if (message) of.number.setAttribute("aria-invalid", "true");
  else of.number.removeAttribute("aria-invalid");
}

function label(path) {
  const of = LINES.get(path);
  if (!of) return { name: path, value: "" };
  const name = [of.card.title, of.line.name].filter(Boolean).join(" · ");
  return { name: of.card.unit ? `${name} (${of.card.unit})` : name, value: of.line.value || word("no_value") };
}

function showPins() {
  const at = document.activeElement?.id;
  if (pins.length === 0) {
    by("pins").replaceChildren(make("p", { class: "quiet" }, word("no_pins")));
    return;
  }
  const columns = [{ name: word("as_is"), changes: new Map(), answer: DESK.baseline, acts: null }];
  pins.forEach((pin, index) => {
    const acts = make("div", { class: "pin-acts" },
      make("button", { type: "button", id: `take-${index}`, "aria-label": word("take_named", pin), onclick: () => take(pin) }, word("take")),
      make("button", { type: "button", id: `drop-${index}`, "aria-label": word("drop_named", pin), onclick: () => drop(pin) }, word("drop")));
    columns.push({ ...pin, acts });
  });
  if (answer && !answer.refused) columns.push({ name: word("now"), changes, answer, acts: null });
  by("pins").replaceChildren(shownComparison(columns, label, DESK.baseline));
  // What is drawn anew keeps the focus it had.
  if (at && document.activeElement === document.body) by(at)?.focus();
}

// ---------------------------------------------------------------- levers

function name(of) {
  return [of.card.title, of.line.name].filter(Boolean).join(" ");
}

/** The controls of one number. */
function controls(of, index) {
  const { line, card } = of;
  const id = `value-${index}`;
  const slider = line.slider;
  const unit = card.unit;
  of.number = make("input", {
    type: "text", inputmode: "decimal", id, autocomplete: "off", spellcheck: "false",
    "aria-label": [name(of), word("value"), unit].join(" "), "aria-describedby": `was-${index} error-${index}`,
    placeholder: line.value ? false : word("no_value"),
    oninput: () => move(of, of.number.value, 300), onchange: () => move(of, of.number.value, 0),
  });
  of.slide = slider && make("input", {
    type: "range", id: `slide-${index}`, min: slider.least, max: slider.most, step: 1, list: `mark-${index}`,
    "aria-label": [name(of), word("slider"), unit].join(" "),
    oninput: () => move(of, decimal(Number(of.slide.value), slider.places), 60),
  });
  const mark = slider && make("datalist", { id: `mark-${index}` }, make("option", { value: slider.at }));
  of.error = make("p", { class: "error", id: `error-${index}`, "aria-live": "assertive" });
  of.back = make("button", { type: "button", title: word("as_is"), "aria-label": word("restore", { name: name(of) }),
    onclick: () => { of.number.focus(); move(of, line.value, 0); } }, "↺");
  const was = `${word("as_is")} ${line.value || word("no_value")}`;
  const single = card.lines.length === 1;
  of.row = make("div", { class: "line", "data-path": line.path },
    make("div", { class: "name" },
      make("label", { for: id }, single ? card.title : line.name),
      single ? make("p", { class: "quiet" }, notes(card)) : null),
    make("div", { class: "was quiet", id: `was-${index}` }, make("span", {}, was), single ? make("span", {}, unit) : null),
    make("div", { class: "slide" }, of.slide || "", mark || ""),
    make("div", { class: "number" }, of.number),
    of.back, of.error);
  put(of);
  return of.row;
}

/** Puts the value of a line into its controls. */
function put(of) {
  const text = changes.get(of.line.path) ?? of.line.value;
  of.row?.classList.toggle("moved", changes.has(of.line.path));
  if (!of.number) return;
  if (document.activeElement !== of.number || plain(of.number.value) !== plain(text)) of.number.value = text;
  if (of.slide) {
    const at = steps(plain(text), of.line.slider.places);
    if (at !== null) of.slide.value = String(at);
    of.slide.setAttribute("aria-valuetext", [text, of.card.unit].filter(Boolean).join(" "));
  }
}

/** A value was moved or typed. */
function move(of, text, soon) {
  const given = plain(text);
  const was = changes.get(of.line.path);
  if (given === plain(of.line.value)) changes.delete(of.line.path);
  else changes.set(of.line.path, given);
  lastMoved = of.line.path;
  put(of);
  count(of.card);
  // What was typed was asked while it was typed.
  if (soon === 0 && was === changes.get(of.line.path)) return;
  schedule(soon);
}

/** Where the law says it, since when, and what reads it. */
function notes(card) {
  const parts = [card.clause, card.id === card.title ? "" : card.id, word("from", { date: card.from }),
    card.until && word("until", { date: card.until }), card.read_by && card.read_by !== card.id && `${word("read_by")} ${card.read_by}`,
    card.overlaid && word("overlaid")];
  return parts.filter(Boolean).join(" · ");
}

function count(card) {
  if (!card.counted) return;
  const moved = card.lines.filter((line) => changes.has(line.path)).length;
  card.counted.textContent = moved ? word("cells_changed", { count: moved }) : word("cells", { count: card.lines.length });
  card.counted.classList.toggle("some", moved > 0);
}

/** Lines of a card are made when it is opened first: a large law has thousands. */
function fill(card) {
  if (card.filled) return;
  card.filled = true;
  card.body.append(...card.lines.map((line) => controls(LINES.get(line.path), LINES.get(line.path).index)));
}

function reveal(of) {
  fill(of.card);
  of.card.element.open = true;
}

function lay() {
  let kind = "";
  let index = 0;
  const out = [];
  for (const card of DESK.cards) {
    if (card.kind !== kind) {
      kind = card.kind;
      out.push(make("h3", { class: "group", "data-kind": kind }, word(`group.${kind}`)));
    }
    for (const line of card.lines) LINES.set(line.path, { line, card, index: index++ });
    card.body = make("div", { class: "body" });
    if (card.lines.length === 1) {
      card.element = make("div", { class: "card", "data-id": card.id }, card.body);
      fill(card);
    } else {
      card.counted = make("span", { class: "count" });
      card.element = make("details", { class: "card", "data-id": card.id, ontoggle: () => card.element.open && fill(card) },
        make("summary", {}, make("span", { class: "title" }, card.title), card.counted,
          make("span", { class: "count" }, card.unit)),
        make("p", { class: "quiet" }, notes(card)), card.body);
      count(card);
      if (card.lines.length <= 4) reveal({ card });
    }
    card.text = [card.title, card.id, card.clause, card.read_by, card.unit].join(" ").toLowerCase();
    out.push(card.element);
  }
  by("cards").replaceChildren(...out);
}

/** Shows the cards and lines that are looked for. */
function seek() {
  const wanted = by("find").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const only = by("only-changed").checked;
  const kinds = new Set();
  let found = 0;
  for (const card of DESK.cards) {
    const hits = card.lines.filter((line) => {
      const text = `${card.text} ${line.name} ${line.path}`.toLowerCase();
      return (!only || changes.has(line.path)) && wanted.every((piece) => text.includes(piece));
    });
    card.element.hidden = hits.length === 0;
    found += hits.length;
    if (hits.length === 0) continue;
    kinds.add(card.kind);
    if (only || wanted.length > 0) { fill(card); card.element.open = true; }
    const shown = new Set(hits);
    for (const line of card.lines) {
      const row = LINES.get(line.path).row;
      if (row) row.hidden = !shown.has(line);
    }
  }
  for (const group of document.querySelectorAll(".group")) group.hidden = !kinds.has(group.dataset.kind);
  by("found").textContent = word("found", { count: found });
}

// ---------------------------------------------------------------- scenarios

function set(other) {
  changes = new Map(other);
  for (const of of LINES.values()) put(of);
  for (const card of DESK.cards) count(card);
  seek();
  schedule(0);
}

const same = (a, b) => a.size === b.size && [...a].every(([path, value]) => b.get(path) === value);

function pin() {
  if (answer?.refused) { tell(word("pin_first"), true); return; }
  const field = by("pin-name");
  const name = field.value.trim() || word("pin_name", { number: pins.length + 1 });
  pins.push({ name, changes: new Map(changes), answer: same(answered, changes) ? answer : null });
  field.value = "";
  save();
  showPins();
  tell(word("pinned", { name }));
  if (unanswered()) { busy(true); turn(); }
}

function take(pin) {
  note = word("taken", pin);
  set(pin.changes);
}

function drop(pin) {
  pins = pins.filter((other) => other !== pin);
  save();
  showPins();
  by("compare").focus();
  tell(word("dropped", pin));
}

async function download() {
  try {
    const text = await ask("overlay.toml", changes);
    const url = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
    const link = make("a", { href: url, download: "overlay.toml" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
    tell(word("downloaded"));
  } catch {
    tell(word("failed"), true);
  }
}

// ---------------------------------------------------------------- what a reload keeps

function save() {
  const kept = { changes: [...changes], pins: pins.map(({ name, changes }) => [name, [...changes]]) };
  sessionStorage.setItem(`workbench ${DESK.key}`, JSON.stringify(kept));
}

function restore() {
  const text = sessionStorage.getItem(`workbench ${DESK.key}`);
  const kept = text ? JSON.parse(text) : { changes: Object.entries(DESK.start), pins: [] };
  const gone = [];
  const known = (list) => new Map(list.filter(([path]) => LINES.has(path) || !gone.push(path)));
  changes = known(kept.changes);
  pins = kept.pins.map(([name, list]) => ({ name, changes: known(list), answer: null }));
  return gone;
}

async function begin() {
  DESK = await (await fetch("desk.json")).json();
  WORDS = DESK.words;
  by("title").textContent = DESK.title;
  by("about").textContent = `${word("period")} ${DESK.period}`;
  document.title = `${DESK.title} – ${word("title")}`;
  by("assumed").hidden = DESK.assumed.length === 0;
  by("assumed").append(...DESK.assumed.map((text) => make("li", {}, text)));
  lay();
  const gone = restore();
  by("find").addEventListener("input", seek);
  by("only-changed").addEventListener("change", seek);
  by("acts").addEventListener("submit", (event) => { event.preventDefault(); pin(); });
  by("download").addEventListener("click", download);
  by("reset").addEventListener("click", () => { note = word("reset_done"); set(new Map()); });
  for (const path of changes.keys()) reveal(LINES.get(path));
  if (gone.length > 0) note = word("gone", { paths: gone.join(", ") });
  set(changes);
}

begin().catch(() => tell(by("status").dataset.failed, true));
