// What each view draws: a list of charts with their rows, and in words what they show.
const ROW_HEIGHT = 44;
const LONGEST_WHISKER = 2; // times the largest fork: an interval of few scattered forks is nearly endless
const PHASES = [["import", "import"], ["build", "build"], ["first_call", "first call"], ["warmup", "warm-up"]];

function look(one) {
  return { name: one.name, ...data.looks[one.name] };
}

function textOf(value) {
  return isEmpty(value) ? DASH : quantity(value);
}

// Heights of a chart with so many rows: of its inside, and of its place.
function rowsHigh(count, each = ROW_HEIGHT, frame = 50) {
  return { inner: count * each, height: count * each + frame };
}

// One chart a group of compared cases; ``row`` gives a case's row, or null where it has nothing in the field that it ``needs``.
function byGroup(spec, needs, row, says, extra = () => ({})) {
  const chart = (group) => {
    const rows = group.seen.map((one) => row(one, group)).filter(Boolean);
    const title = workTitle(group.seen[0]);
    const about = `${title}. ${rows.map((one) => `${one.name}: ${says(one)}`).join("; ")}.`;
    return { title, spec, about, ...rowsHigh(rows.length), datasets: { rows, ...extra(group, rows) } };
  };
  // Made when they are shown: there may be hundreds.
  const shown = current.groups.filter((group) => group.seen.some((one) => !isEmpty(one[needs])));
  return { charts: shown.map((group) => () => chart(group)) };
}

const views = {
  throughput() {
    const row = (one, group) => {
      const largest = Math.max(...group.seen.flatMap((other) => other.medians));
      const [value, low, high] = one.rate;
      const shown = Math.min(high, LONGEST_WHISKER * largest);
      return { ...look(one), value, low, shown, cut: high > shown, whole: high <= shown, room: 1.04 * Math.max(shown, largest), text: quantity(value), ends: ends(one.rate, one.forks) };
    };
    const forks = (group) => ({ forks: group.seen.flatMap((one) => one.medians.map((value) => ({ name: one.name, value, text: quantity(value) }))) });
    return byGroup("throughput", "rate", row, (one) => `${one.text} images/s (${one.ends})`, forks);
  },

  latency() {
    const row = (one) => one.p50 && { ...look(one), value: one.p50, p90: one.p90, p99: one.p99, text: quantity(one.p50), p90_text: quantity(one.p90), p99_text: one.p99_cell.text };
    return byGroup("latency", "p50", row, (one) => `p50 ${one.text}, p90 ${one.p90_text}, p99 ${one.p99_text} ms a step`);
  },

  memory() {
    const row = (one) => ({ ...look(one), value: one.rss, held: one.held, device: one.device_mib, text: quantity(one.rss), held_text: textOf(one.held), device_text: textOf(one.device_mib) });
    return byGroup("memory", "rss", row, (one) => `${one.text} MiB, needed ${one.held_text}`);
  },

  energy() {
    const row = (one) => one.joules && { ...look(one), value: one.joules, text: quantity(one.joules) };
    return byGroup("energy", "joules", row, (one) => `${one.text} J an image`);
  },

  limits() {
    const row = (one) => one.share_limit && { ...look(one), flop: one.share_flop ?? 0, copy: one.share_copy ?? 0, flop_text: share(one.share_flop), copy_text: share(one.share_copy) };
    const share = (value) => (isEmpty(value) ? DASH : percent(value));
    const furthest = (group, rows) => { for (const one of rows) one.furthest = 1.12 * Math.max(...rows.flatMap(({ flop, copy }) => [flop, copy])); return {}; };
    return byGroup("limits", "share_limit", row, (one) => `${one.flop_text} of the FLOP/s ceiling, ${one.copy_text} of the copy ceiling`, furthest);
  },

  phases() {
    const chart = (group) => {
      const rows = group.seen.flatMap((one) => {
        const taken = PHASES.map(([field, phase]) => [phase, one[field] ?? 0]);
        const all = taken.reduce((sum, [, seconds]) => sum + seconds, 0);
        let before = 0;
        return taken.map(([phase, seconds], order) => {
          const middle = before + seconds / 2;
          before += seconds;
          return { name: one.name, phase, seconds, order, middle, all, text: quantity(seconds) };
        });
      });
      const longest = Math.max(...rows.map((one) => one.all));
      for (const one of rows) one.wide = one.seconds > 0.12 * longest;
      const title = workTitle(group.seen[0]);
      const said = group.seen.map((one) => `${one.name}: ${PHASES.map(([field, phase]) => `${phase} ${textOf(one[field])} s`).join(", ")}`);
      return { title, spec: "phases", about: `${title}. ${said.join("; ")}.`, ...rowsHigh(group.seen.length, 30, 80), datasets: { rows } };
    };
    return { charts: current.groups.map((group) => () => chart(group)) };
  },

  policies() {
    const charts = [];
    for (const [title, gains] of Map.groupBy(data.policies.filter(passes), (one) => workTitle({ ...one, policy: "equal" }))) {
      const rows = gains.map((one) => ({ ...look(one), value: one.rate, equal: one.equal_rate, text: quantity(one.rate), equal_text: quantity(one.equal_rate), factor: `×\u00a0${ratio(one.gain)[0]}` }));
      const about = `${title}. ${rows.map((one) => `${one.name}: equal ${one.equal_text}, best ${one.text} images/s, ${one.factor}`).join("; ")}.`;
      charts.push({ title, spec: "policies", about, ...rowsHigh(rows.length), datasets: { rows } });
    }
    return { charts };
  },

  sweep() {
    const charts = [];
    const key = (one) => workTitle({ ...one, batch: "" }).replace(", batch ", "");
    for (const [title, seen] of Map.groupBy(sources.cases(), key)) {
      if (new Set(seen.map((one) => one.batch)).size < 2) continue;
      const rows = seen.map((one) => ({ ...look(one), series: `${one.name} ${one.precision}`, batch: one.batch, value: one.rate[0], low: one.rate[1], high: one.rate[2], text: quantity(one.rate[0]), ends: ends(one.rate, one.forks) }));
      const said = [...Map.groupBy(rows, (one) => one.name)].map(([name, points]) => `${name}: ${points.sort((a, b) => a.batch - b.batch).map((one) => `${one.text} images/s at ${one.batch}`).join(", ")}`);
      charts.push({ title, spec: "sweep", about: `${title}, by batch size. ${said.join("; ")}.`, height: 290, datasets: { rows } });
    }
    return { charts, names: drawnIn(charts), lines: true };
  },

  roofline() {
    const charts = [];
    for (const roof of data.roofs.filter(passes)) {
      for (const task of values("task")) {
        const rows = sources.cases().filter((one) => one.run === roof.run && one.device === roof.device && one.task === task && one.gflops && one.intensity).map((one) => ({
          ...look(one), case: workTitle(one), intensity: one.intensity, gflops: one.gflops, text: quantity(one.gflops), intensity_text: quantity(one.intensity), share: one.share_limit ? percent(one.share_limit) : DASH,
        }));
        if (!rows.length || !roof.copy) continue;
        const title = `${task}${values("device").length > 1 ? `, ${roof.device}` : ""}`;
        const about = `${title}. ${rows.length} cases under the ceilings of ${Object.entries(roof.flop).map(([name, flop]) => `${quantity(flop / 1e9)} GFLOP/s in ${name}`).join(", ")} and copies at ${quantity(roof.copy / 1e9)} GB/s. The table has every number.`;
        charts.push({ title, spec: "roofline", about, height: 380, datasets: { rows, roofs: roofs(roof, rows) } });
      }
    }
    return { charts, names: drawnIn(charts) };
  },
};

// The lines of a roofline: up along the copy's bandwidth, then flat at each precision's FLOP/s.
function roofs(roof, rows) {
  const intensities = rows.map((one) => one.intensity);
  const bandwidth = roof.copy / 1e9;
  return Object.entries(roof.flop).flatMap(([name, flop], order) => {
    const top = flop / 1e9;
    const knee = top / bandwidth;
    const [from, to] = [Math.min(...intensities, knee) / 2, Math.max(...intensities, knee) * 2];
    const dash = order ? [6, 3] : [1, 0];
    const points = [[from, from * bandwidth], [knee, top], [to, top]];
    return points.map(([intensity, gflops], place) => ({ name, dash, intensity, gflops, label: place === 2 ? `${name}: ${quantity(top)} GFLOP/s` : "" }));
  });
}

// Frameworks that have a mark in any of ``charts``, in the report's order.
function drawnIn(charts) {
  const seen = new Set(charts.flatMap(({ datasets }) => datasets.rows.map((row) => row.name)));
  return Object.keys(data.looks).filter((name) => seen.has(name));
}
