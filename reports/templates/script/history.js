// History: a chart a series; dots are forks, the line joins the nights' medians.
views.history = () => {
  const charts = (data.rows.history ?? []).filter(passes).map((series) => {
    const title = `${workTitle(series)}, ${series.name}`;
    const rows = series.points.map((point) => ({ night: point.night, date: point.night, value: point.median, text: quantity(point.median), forks: String(point.forks.length), versions: point.versions }));
    const forks = series.points.flatMap((point) => point.forks.map((value) => ({ night: point.night, value })));
    const about = `${title}, images/s by night. ${series.verdict?.text ?? ""} ${series.steps.length ? series.steps.map((one) => `Change on ${one.night}: ${one.label}`).join("; ") : "No change point"}. Last: ${textOf(series.last)}.`;
    return { title, spec: "history", about, height: 260, datasets: { rows, forks, changes: series.steps, steps: series.levels } };
  });
  return { charts };
};
