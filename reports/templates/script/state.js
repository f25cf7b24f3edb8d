// What the reader chose. All of it stands in the address, so that a link leads to the same view.
const state = { tab: "", theme: "", filters: {}, sorts: {}, picks: {} };
const listeners = [];

function readAddress() {
  const words = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  Object.assign(state, { tab: words.get("tab") ?? "", theme: words.get("theme") ?? "", filters: {}, sorts: {}, picks: {} });
  for (const [name, value] of words) {
    if (Object.hasOwn(data.filters, name)) (state.filters[name] ??= new Set()).add(value);
    if (name.startsWith("sort.")) state.sorts[name.slice(5)] = { field: value.replace(/^-/, ""), down: value.startsWith("-") };
    if (name.startsWith("pick.")) state.picks[name.slice(5)] = value;
  }
}

function address() {
  const words = new URLSearchParams();
  if (state.tab) words.set("tab", state.tab);
  if (state.theme) words.set("theme", state.theme);
  for (const [name, chosen] of Object.entries(state.filters)) for (const value of chosen) words.append(name, value);
  for (const [name, { field, down }] of Object.entries(state.sorts)) words.set(`sort.${name}`, (down ? "-" : "") + field);
  for (const [name, value] of Object.entries(state.picks)) words.set(`pick.${name}`, value);
  return `#${words}`;
}

// Keep the choice in the address; a new tab is a step that "back" undoes.
function keep(step = false) {
  history[step ? "pushState" : "replaceState"](null, "", address());
}

function passes(row) {
  return Object.entries(state.filters).every(([name, chosen]) => {
    const value = row[name];
    if (value === undefined || value === null) return true;
    return Array.isArray(value) ? value.some((one) => chosen.has(one)) : chosen.has(String(value));
  });
}
