// History: a chart a series; dots are forks, the line joins the nights' medians.
views.history = () => {
  const charts = (data.rows.history ?? []).filter(passes).map((series) => {
    const where = series.machine ? ` on ${series.machine}` : "";
    const title = `${workTitle(series)}, ${series.name}${where}: ${series.metric}, ${series.unit}`;
    const rows = series.points.map(({ night, value, forks, changed }) => ({ night, date: night, value, text: quantity(value), forks: String(forks.length), versions: changed }));
    const forks = series.points.flatMap((point) => point.forks.map((value) => ({ night: point.night, value })));
    const changes = series.steps.length ? `Changes: ${series.changes}` : "No change point";
    const about = `${title}, by night. ${series.verdict.text}: ${series.why}. ${changes}. Last: ${quantity(series.last)}.`;
    return { title: `${title} · ${series.verdict.text}`, spec: "history", about, height: 260, datasets: { rows, forks, changes: series.steps, steps: series.levels } };
  });
  return { charts };
};
