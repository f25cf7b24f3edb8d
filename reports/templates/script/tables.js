// Tables: filled from the data, sorted by the buttons in their headings, the first rows at first.
const FIRST_ROWS = 50;
const shownRows = {};

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined && value !== "") made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const GLYPHS = {
  circle: "M6 1.5a4.5 4.5 0 1 1 0 9a4.5 4.5 0 1 1 0-9Z", square: "M2 2h8v8h-8Z", diamond: "M6 .7L11 6L6 11.3L1 6Z",
  "triangle-down": "M1 2.5h10L6 11Z", "triangle-up": "M6 1.5l5 8.5h-10Z", "triangle-right": "M2.5 1v10L11 6Z",
  cross: "M4.2 1h3.6v3.2h3.2v3.6h-3.2v3.2h-3.6v-3.2h-3.2v-3.6h3.2Z", "triangle-left": "M9.5 1v10L1 6Z",
};

function glyph(name) {
  const look = data.looks[name] ?? { color: "var(--other)", shape: "circle" };
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = made.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  for (const [key, value] of [["viewBox", "0 0 12 12"], ["class", "glyph"], ["aria-hidden", "true"]]) made.setAttribute(key, value);
  path.setAttribute("d", GLYPHS[look.shape]);
  path.setAttribute("fill", look.color);
  return made;
}

function named(name) {
  return element("span", { class: "name" }, glyph(name), name);
}

function noted(text, note) {
  return note ? [text, element("small", {}, note)] : [text];
}

const KINDS = {
  text: (value) => [String(value)],
  sentence: (value) => [String(value)],
  code: (value) => [element("code", {}, String(value))],
  name: (value) => [named(value)],
  list: (value) => [value.join("; ")],
  names: (value) => [value.join(", ")],
  lines: (value) => value.map((line) => element("div", {}, line)),
  whole: (value) => [grouped(value, 0)],
  quantity: (value) => [quantity(value)],
  percent: (value) => [percent(value)],
  decimal: (value) => [value.toFixed(4)],
  interval: (value, row) => noted(quantity(value[0]), ends(value, row.forks)),
  ratio: (value) => noted(...ratio(value)),
  link: ({ text, href }) => [element("a", { href }, text)],
  cell: (value) => noted(value.text, value.note),
};
const LONG = { sentence: "sentence", list: "long", lines: "long" };
const WORDS = new Set(["text", "sentence", "code", "name", "list", "names", "lines", "link"]);

function isEmpty(value) {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
}

function sortKey(value, kind) {
  if (isEmpty(value)) return null;
  if (kind === "interval" || kind === "ratio") return value[0];
  return kind === "cell" || kind === "link" ? value.value ?? value.text : Array.isArray(value) ? value.join() : value;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

function sorted(rows, sort, columns) {
  const column = columns.find(({ field }) => field === sort?.field);
  if (!column) return rows;
  const keyed = rows.map((row) => [sortKey(row[column.field], column.kind), row]);
  const [full, empty] = [keyed.filter(([key]) => key !== null), keyed.filter(([key]) => key === null)];
  full.sort(([a], [b]) => (sort.down ? -1 : 1) * compare(a, b));
  return [...full, ...empty].map(([, row]) => row);
}

// Columns that have something to say: any value at all, and more than one where that is the point.
function columnsOf(table) {
  const rows = table.source in sources ? (table.source === "policies" ? data.policies : cases) : data.rows[table.source] ?? [];
  const derived = new Set(["of_fastest", "step", "lead", "next", "verdict", "file", "sha256", "median", "certificate"]);
  return table.columns.filter(({ field, varies }) => {
    if (derived.has(field)) return true;
    const first = rows.find((row) => !isEmpty(row[field]))?.[field];
    return first !== undefined && (!varies || rows.some((row) => !isEmpty(row[field]) && row[field] !== first));
  });
}

function bodyRow(row, columns, edge) {
  const line = element("tr", { class: edge ? "first" : undefined });
  columns.forEach(({ field, kind }, place) => {
    const value = row[field];
    const cell = element(place ? "td" : "th", { scope: place ? undefined : "row", class: WORDS.has(kind) ? LONG[kind] : "number" });
    cell.append(...(isEmpty(value) ? [DASH] : KINDS[kind](value, row)));
    if (value?.tone) cell.classList.add(value.tone);
    if (value?.more) cell.title = value.more;
    line.append(cell);
  });
  return line;
}

function heading(name, column, redraw) {
  const sort = state.sorts[name];
  const mine = sort?.field === column.field;
  const button = element("button", { type: "button" }, ...noted(column.title, column.note));
  button.addEventListener("click", () => {
    state.sorts[name] = { field: column.field, down: mine && !sort.down };
    keep();
    redraw();
    document.querySelector(`[data-table="${name}"] th[data-field="${column.field}"] button`).focus();
  });
  const order = mine ? (sort.down ? "descending" : "ascending") : undefined;
  return element("th", { scope: "col", class: WORDS.has(column.kind) ? undefined : "number", "aria-sort": order, "data-field": column.field }, button);
}

function fillTable(holder) {
  const name = holder.dataset.table;
  const table = data.tables[name];
  const picked = holder.dataset.where && document.querySelector(`[data-pick="${holder.dataset.where}"]`).value;
  const all = rowsOf(table.source).filter((row) => !picked || row.of === picked).filter((row) => name !== "doubts" || row.notes.length);
  const columns = (table.shown ??= columnsOf(table));
  const ordered = sorted(all, state.sorts[name], columns);
  const most = shownRows[name] ?? FIRST_ROWS;
  const redraw = () => fillTable(holder);
  const body = element("tbody");
  let before;
  for (const row of ordered.slice(0, most)) {
    const edge = table.group && !state.sorts[name] && before !== undefined && before !== row[table.group];
    body.append(bodyRow(row, columns, edge));
    before = row[table.group];
  }
  const head = element("thead", {}, element("tr", {}, ...columns.map((column) => heading(name, column, redraw))));
  const caption = element("caption", {}, all[0]?.about ?? table.caption);
  const scroll = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": table.caption }, element("table", {}, caption, head, body));
  holder.replaceChildren(all.length ? scroll : nothing());
  if (ordered.length > most) cut(holder, most, ordered.length, "rows", "Show all", () => { shownRows[name] = Infinity; redraw(); });
}

function nothing() {
  return element("p", { class: "quiet" }, Object.keys(state.filters).length ? "Nothing passes these filters." : "Nothing to show.");
}

// Below the first rows or charts: a button shows more and leads on to the first of these; paper says how many there are.
const PARTS = { rows: "tbody tr", charts: "figure" };
function cut(holder, most, all, parts, words, more) {
  const button = element("button", { type: "button", class: "more" }, `${words} ${grouped(all, 0)} ${parts}`);
  button.addEventListener("click", () => {
    more();
    goOnAt(holder.querySelectorAll(PARTS[parts])[most]);
  });
  holder.append(button, element("p", { class: "cut" }, `The first ${grouped(most, 0)} of ${grouped(all, 0)} ${parts}.`));
}

// Whoever reads by keyboard or by ear goes on here.
function goOnAt(place) {
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
}
