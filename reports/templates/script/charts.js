// Charts: drawn when scrolled to, from one specification a kind and the rows that pass the filters.
const OPTIONS = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
const FIRST_CHARTS = 12;
const shownCharts = {};
const waiting = new Map();

function draw(place) {
  const chart = waiting.get(place);
  if (!chart) return Promise.resolve();
  waiting.delete(place);
  watcher.unobserve(place);
  const specification = { ...structuredClone(data.charts[chart.spec]), datasets: chart.datasets };
  // A layer is left out where it has no rows, or none of its kind.
  const empty = ({ data: source, name }) => chart.datasets[source?.name]?.length === 0
    || (name?.startsWith("only_") && !chart.datasets.rows.some((row) => row[name.slice(5)]));
  specification.layer = specification.layer?.filter((layer) => !empty(layer));
  if (chart.inner) specification.height = chart.inner;
  chart.adjust?.(specification);
  return vegaEmbed(place, specification, OPTIONS).then((result) => {
    place.finish = () => result.finalize();
    place.querySelector("svg")?.setAttribute("aria-hidden", "true");
    place.dataset.drawn = "";
  }).catch(() => {
    place.textContent = "This chart could not be drawn. The table has its numbers.";
  });
}

// Changes a specification's horizontal axis, in every layer that has ``field`` along it.
function onAxis(field, axis, more = {}) {
  return (specification) => {
    for (const { encoding } of specification.layer ?? [specification]) if (encoding?.x?.field === field) Object.assign(encoding.x, more, { axis: { ...encoding.x.axis, ...axis } });
  };
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
}, { rootMargin: "250px" });

function figure(chart) {
  const place = element("div", { class: "chart", role: "img", "aria-label": chart.about, style: `min-height:${chart.height}px` });
  waiting.set(place, chart);
  watcher.observe(place);
  return element("figure", {}, element("figcaption", {}, chart.title), place);
}

function legend(names, lines) {
  const items = names.map((name) => element("li", {}, ...(lines ? [stroke(name)] : []), named(name)));
  return element("ul", { class: "legend", "aria-label": "Frameworks" }, ...items);
}

function stroke(name) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = made.appendChild(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  for (const [key, value] of [["viewBox", "0 0 34 8"], ["class", "stroke"], ["aria-hidden", "true"]]) made.setAttribute(key, value);
  for (const [key, value] of [["d", "M0 4h34"], ["stroke", data.looks[name].color], ["stroke-width", "2.5"], ["stroke-dasharray", data.looks[name].dash.join(" ")]]) line.setAttribute(key, value);
  return made;
}

// Fills a place for many charts with those of its view.
function fillCharts(holder) {
  const name = holder.dataset.charts;
  for (const place of holder.querySelectorAll(".chart")) {
    waiting.delete(place);
    watcher.unobserve(place);
    place.finish?.();
  }
  const { charts, names, lines } = views[name]();
  const most = shownCharts[name] ?? FIRST_CHARTS;
  const parts = charts.length ? charts.slice(0, most).map((chart) => figure(typeof chart === "function" ? chart() : chart)) : [nothing()];
  const grid = element("div", { class: charts.length === 1 ? "grid one" : "grid" }, ...parts);
  holder.replaceChildren(...(names?.length > 1 ? [legend(names, lines)] : []), grid);
  const words = `Show ${Math.min(FIRST_CHARTS, charts.length - most)} more of`;
  if (charts.length > most) cut(holder, most, charts.length, "charts", words, () => { shownCharts[name] = most + FIRST_CHARTS; fillCharts(holder); });
}

function drawAll() {
  return Promise.all([...waiting.keys()].filter((place) => place.isConnected).map(draw));
}
