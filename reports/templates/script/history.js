// History: a chart a series; dots are forks, the line joins the nights' medians.
const FEW_DAYS = 8; // have a tick each: of more ticks than days, some would say the same day
const DAY = 86_400_000; // ms

function dated(points) {
  const days = (Date.parse(points.at(-1).night) - Date.parse(points[0].night)) / DAY + 1;
  return onAxis("night", { tickCount: days <= FEW_DAYS ? { interval: "day", step: 1 } : 6 });
}

views.history = () => {
  const charts = (data.rows.history ?? []).filter(passes).map((series) => {
    const said = [workTitle(series), ...(series.recipe ? [`recipe ${series.recipe}`] : []), `${series.name}${series.machine ? ` on ${series.machine}` : ""}`];
    const title = `${said.join(", ")}: ${series.metric}, ${series.unit}`;
    const rows = series.points.map(({ night, value, forks, changed }) => ({ night, date: night, value, text: quantity(value), forks: String(forks.length), versions: changed }));
    const forks = series.points.flatMap((point) => point.forks.map((value) => ({ night: point.night, value })));
    const changes = series.steps.length ? `Changes: ${series.changes}` : "No change point";
    const about = `${title}, by night. ${series.verdict.text}: ${series.why}. ${changes}. Last: ${quantity(series.last)}.`;
    return { title: `${title} · ${series.verdict.text}`, spec: "history", about, height: 260, adjust: dated(series.points), datasets: { rows, forks, changes: series.steps, steps: series.levels } };
  });
  return { charts };
};
