// The page: tabs, filters, controls, the colour scheme; everything is drawn from ``state``.
const root = document.documentElement;
const tabs = [...document.querySelectorAll("[role=tab]")];
const panels = tabs.map((tab) => document.getElementById(tab.getAttribute("aria-controls")));
const stale = new Set();

function openTab() {
  const place = Math.max(0, tabs.findIndex((tab) => tab.dataset.tab === state.tab));
  tabs.forEach((tab, n) => {
    tab.setAttribute("aria-selected", String(n === place));
    tab.tabIndex = n === place ? 0 : -1;
    panels[n].hidden = n !== place;
  });
  bringIntoBar(tabs[place]);
  fill(panels[place]);
}

// Sideways only: ``scrollIntoView`` would move the page, too.
function bringIntoBar(tab) {
  const [bar, box] = [tab.parentElement, tab.getBoundingClientRect()];
  const within = bar.getBoundingClientRect();
  bar.scrollLeft += Math.max(0, box.right - within.right) + Math.min(0, box.left - within.left);
}

// A panel is filled when it is opened, and again after the filters changed.
function fill(panel) {
  if (!stale.delete(panel)) return;
  for (const holder of panel.querySelectorAll("[data-table]")) fillTable(holder);
  for (const holder of panel.querySelectorAll("[data-charts]")) fillCharts(holder);
  for (const holder of panel.querySelectorAll("[data-confusions]")) fillConfusions(holder);
}

// A chart takes its width when the window changes, and in a hidden panel there is none to take.
addEventListener("resize", () => {
  for (const panel of panels) if (panel.hidden) stale.add(panel);
});

function refresh() {
  current.groups = visibleGroups();
  for (const panel of panels) stale.add(panel);
  showFilters();
  showPicks();
  openTab();
}

function chooseTab(tab, step = true) {
  state.tab = tab.dataset.tab;
  keep(step);
  openTab();
}

tabs.forEach((tab, place) => {
  tab.addEventListener("click", () => chooseTab(tab));
  tab.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const other = tabs.at(steps[event.key] % tabs.length);
    other.focus();
    chooseTab(other, false);
  });
});

for (const link of document.querySelectorAll("[data-opens]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    chooseTab(tabs.find((tab) => tab.dataset.tab === link.dataset.opens));
    const target = document.getElementById(link.dataset.section ?? link.dataset.opens);
    goOnAt(target);
    target.scrollIntoView();
  });
}

// --- Filters ---

const filterBar = document.getElementById("filters");
const counts = document.getElementById("count");
const filtered = document.getElementById("filtered");

function makeFilters() {
  for (const [name, title] of Object.entries(data.filters)) {
    const choices = values(name);
    if (!choices.length || (choices.length < 2 && name === "run")) continue;
    const boxes = choices.map((value) => {
      const box = element("input", { type: "checkbox", value });
      box.addEventListener("change", () => choose(name, value, box.checked));
      return element("label", {}, box, ...(name === "name" ? [named(value)] : [value]));
    });
    const field = element("fieldset", {}, element("legend", {}, title), ...boxes);
    const summary = element("summary", {}, element("span", {}, title), element("b", {}));
    filterBar.append(element("details", { class: choices.length > 1 ? "filter" : "filter single", name: "filter", "data-filter": name }, summary, field));
  }
}

function choose(name, value, wanted) {
  const chosen = (state.filters[name] ??= new Set());
  if (wanted) chosen.add(value);
  else chosen.delete(value);
  if (!chosen.size) delete state.filters[name];
  keep();
  refresh();
}

function showFilters() {
  for (const filter of filterBar.children) {
    const [name, choices] = [filter.dataset.filter, values(filter.dataset.filter)];
    const chosen = state.filters[name];
    for (const box of filter.querySelectorAll("input")) box.checked = chosen?.has(box.value) ?? false;
    const said = chosen ? (chosen.size === 1 ? [...chosen][0] : `${chosen.size} of ${choices.length}`) : choices.length === 1 ? choices[0] : "all";
    filter.querySelector("b").textContent = said;
    filter.classList.toggle("on", Boolean(chosen));
  }
  showWhatPasses();
}

// How much passes the filters, on paper by which; and the page's ready parts about one run each, if they pass.
function showWhatPasses() {
  const seen = sources.cases().length;
  counts.hidden = !cases.length;
  counts.textContent = seen === cases.length ? `${grouped(seen, 0)} cases` : `${grouped(seen, 0)} of ${grouped(cases.length, 0)} cases`;
  const on = Object.entries(state.filters).map(([name, chosen]) => `${data.filters[name]} ${[...chosen].join(" or ")}`);
  document.getElementById("clear").hidden = !on.length;
  filtered.hidden = !on.length;
  filtered.textContent = `Filters: ${on.join("; ")}.${cases.length ? ` ${counts.textContent}.` : ""}`;
  for (const part of document.querySelectorAll("[data-of]")) part.hidden = !passes(JSON.parse(part.dataset.of));
}

document.getElementById("clear").addEventListener("click", () => {
  state.filters = {};
  keep();
  refresh();
  filterBar.querySelector("summary")?.focus();
});
document.addEventListener("click", (event) => {
  for (const open of filterBar.querySelectorAll("details[open]")) if (!open.contains(event.target)) open.open = false;
});
filterBar.addEventListener("keydown", (event) => {
  const open = event.target.closest("details[open]");
  if (event.key !== "Escape" || !open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

// --- Controls of single views ---

// What there is to choose from among what passes the filters.
function choicesOf(name) {
  const { heads, measures } = learningKeys();
  return { head: heads, measure: measures, axis: ["epoch", "seconds"], layers: [...new Set(rowsOf("layers").map((row) => row.of))] }[name] ?? [];
}

function makePicks() {
  for (const control of document.querySelectorAll("[data-pick]")) {
    const name = control.dataset.pick;
    control.addEventListener("input", () => {
      state.picks[name] = control.value;
      keep();
      showPicks();
      stale.add(control.closest("[role=tabpanel]"));
      fill(control.closest("[role=tabpanel]"));
    });
  }
}

function showPicks() {
  for (const control of document.querySelectorAll("[data-pick]")) {
    const value = state.picks[control.dataset.pick];
    if (control.tagName === "SELECT") {
      const choices = choicesOf(control.dataset.pick);
      control.replaceChildren(...choices.map((choice) => element("option", { value: choice }, choice)));
      control.closest("label").hidden = choices.length < 2;
      control.value = choices.includes(value) ? value : choices[0] ?? "";
    } else control.value = value ?? 0;
    const output = control.parentElement.querySelector("output");
    if (output) output.textContent = Number(control.value).toFixed(2);
  }
}

// --- Colour scheme, link, print ---

const theme = document.getElementById("theme");
const DARK = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  return state.theme ? state.theme === "dark" : DARK.matches;
}

function showTheme() {
  if (state.theme) root.dataset.theme = state.theme;
  else delete root.dataset.theme;
  theme.textContent = isDark() ? "Light colours" : "Dark colours";
}

theme.addEventListener("click", () => {
  state.theme = isDark() ? "light" : "dark";
  keep();
  showTheme();
});
DARK.addEventListener("change", showTheme);

const copy = document.getElementById("copy");
copy.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    copy.textContent = "Copied";
  } catch {
    copy.textContent = "Copy the address bar";
  }
  setTimeout(() => { copy.textContent = "Copy link"; }, 2000);
});

// Print shows every view; its charts are drawn before the browser lays the pages out.
function unfold() {
  for (const panel of panels) {
    panel.hidden = false;
    fill(panel);
  }
  return drawAll();
}

document.getElementById("print").addEventListener("click", async () => {
  await unfold();
  print();
});
addEventListener("beforeprint", unfold);
addEventListener("afterprint", openTab);

function fromAddress() {
  readAddress();
  const section = location.hash.includes("=") ? null : document.getElementById(location.hash.slice(1));
  const panel = section?.closest("[role=tabpanel]");
  if (panel) state.tab = tabs[panels.indexOf(panel)].dataset.tab;
  showTheme();
  refresh();
  if (panel) section.scrollIntoView();
}

makeFilters();
makePicks();
addEventListener("popstate", fromAddress);
fromAddress();
root.dataset.ready = "";
