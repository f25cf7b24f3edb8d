// Learning curves: what is drawn follows the controls above them.
const WEIGHTED = "all heads, weighted";

function chosen(name, allowed) {
  const value = state.picks[name];
  return allowed.includes(value) ? value : allowed[0];
}

// The moving average s̃ᵢ = α·s̃ᵢ₋₁ + (1−α)·sᵢ; it begins at the first value there is.
function smoothed(values, alpha) {
  let before = null;
  return values.map((value) => {
    if (value === null) return null;
    before = before === null ? value : alpha * before + (1 - alpha) * value;
    return before;
  });
}

function visibleTrainings() {
  return data.trainings.map((training) => ({
    ...training, title: [training.title, ...whence(training)].join(", "),
    curves: training.curves.filter((one) => passes({ name: one.name, network: training.network, run: training.run, device: training.device })),
  })).filter((training) => training.curves.length);
}

function learningKeys() {
  const keys = visibleTrainings().flatMap((training) => training.keys);
  const distinct = (place) => [...new Set(keys.map((key) => key[place]))];
  return { heads: distinct(1).filter((head) => head !== WEIGHTED), measures: distinct(2) };
}

function xOf(curve, axis) {
  return axis === "seconds" ? curve.elapsed : curve.epoch;
}

function curveRows(curve, values, alpha, axis) {
  const smooth = smoothed(values, alpha);
  const xs = xOf(curve, axis);
  return values.flatMap((value, n) => (value === null ? [] : [{
    ...look(curve), series: `${curve.name} ${curve.seed}`, x: xs[n], value: smooth[n], raw: alpha > 0 ? value : null, seed: curve.seed,
    epoch: curve.epoch[n], text: value.toPrecision(4), smooth_text: smooth[n].toPrecision(4),
  }]));
}

// Says what the axis counts; epochs are whole.
function titled(axis, rows) {
  const last = Math.max(...rows.map((row) => row.x));
  const step = Math.max(1, Math.ceil(last / 6));
  const whole = axis === "epoch" ? { values: Array.from({ length: Math.floor(last / step) + 1 }, (_, n) => n * step) } : {};
  return onAxis("x", whole, { title: axis });
}

views.curves = () => {
  const { heads, measures } = learningKeys();
  const [head, measure, axis] = [chosen("head", heads), chosen("measure", measures), chosen("axis", ["epoch", "seconds"])];
  const alpha = Number(state.picks.alpha ?? 0);
  const charts = [];
  for (const training of visibleTrainings()) {
    training.keys.forEach(([part, of, what], place) => {
      if (what !== measure || (of !== head && of !== WEIGHTED)) return;
      const rows = training.curves.flatMap((curve) => curveRows(curve, curve.values[place], alpha, axis));
      if (!rows.length) return;
      const title = `${training.title}: ${part} ${measure}${heads.length > 1 || of === WEIGHTED ? `, ${of}` : ""}`;
      const last = training.curves.map((curve) => `${curve.name} seed ${curve.seed}: ${curve.values[place].findLast((value) => value !== null)?.toPrecision(4) ?? "not a number"}`);
      charts.push({ title, spec: "curve", about: `${title}, by ${axis}. At the end: ${last.join("; ")}.`, height: 290, adjust: titled(axis, rows), datasets: { rows } });
    });
  }
  return { charts, names: learners(), lines: true };
};

views.rates = () => {
  const axis = chosen("axis", ["epoch", "seconds"]);
  const charts = visibleTrainings().filter(({ curves }) => curves.some((curve) => curve.rate.some((rate) => rate !== null))).map((training) => {
    const rows = training.curves.flatMap((curve) => curve.rate.flatMap((rate, n) => (rate === null ? [] : [{ ...look(curve), series: `${curve.name} ${curve.seed}`, x: xOf(curve, axis)[n], value: rate, epoch: curve.epoch[n], text: quantity(rate) }])));
    const ends = rows.length ? `from ${rows[0].text} to ${rows.at(-1).text}` : "";
    return { title: training.title, spec: "rate", about: `Learning rate of ${training.title}, by ${axis}: ${ends}.`, height: 190, adjust: titled(axis, rows), datasets: { rows } };
  });
  return { charts, names: drawnIn(charts), lines: true };
};

function learners() {
  const seen = new Set(visibleTrainings().flatMap(({ curves }) => curves.map((curve) => curve.name)));
  return Object.keys(data.looks).filter((name) => seen.has(name));
}

// Confusion matrices: a shade and a number in every cell, true classes in rows.
function confusion(training, { name, seed, counts }) {
  const label = (n) => training.classes[n] ?? String(n);
  const most = Math.max(1, ...counts.flat());
  const head = element("tr", {}, element("th", { scope: "col" }, "is a ↓, taken for →"), ...counts.map((_, n) => element("th", { scope: "col" }, label(n))));
  const lines = counts.map((row, n) => element("tr", {}, element("th", { scope: "row" }, label(n)), ...row.map((count, other) => {
    const cell = element("td", { class: n === other ? "number right" : "number" }, count ? grouped(count, 0) : "·");
    cell.style.setProperty("--share", count / most);
    return cell;
  })));
  const caption = element("caption", {}, `${training.title}: ${name}, seed ${seed}`);
  const table = element("table", { class: "confusion" }, caption, element("thead", {}, head), element("tbody", {}, ...lines));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Confusion matrix of ${name}` }, table);
}

function fillConfusions(holder) {
  const found = visibleTrainings().flatMap((training) => training.confusions.filter((one) => passes({ name: one.name, run: training.run, device: training.device })).map((one) => confusion(training, one)));
  holder.replaceChildren(...(found.length ? found : [nothing()]));
}
