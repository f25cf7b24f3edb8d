"use strict";
// Charts: each place names its specification; the tables hold the same numbers if one fails.
const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
const places = [...document.querySelectorAll("[data-chart]")];
const drawings = places.map((place) => {
  const specification = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  return vegaEmbed(place, specification, options).catch(() => {
    place.textContent = "This chart could not be drawn. The table has its numbers.";
  });
});
Promise.all(drawings).then(() => { document.documentElement.dataset.charts = "drawn"; });

// Tables: a heading's button sorts by its column, numbers as numbers, a second press turns the order.
function keyOf(row, column) {
  const cell = row.cells[column];
  const number = parseFloat(cell.dataset.value);
  return Number.isNaN(number) ? cell.textContent.trim() : number;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a.localeCompare(b, "en", { numeric: true });
}

function sortBy(heading) {
  const table = heading.closest("table");
  const column = heading.cellIndex;
  const turn = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => turn * compare(keyOf(a, column), keyOf(b, column)));
  table.tBodies[0].append(...rows);
  for (const row of rows) row.classList.remove("first"); // the groups' edges: rows are mixed now
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", turn === 1 ? "ascending" : "descending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(heading));
    heading.append(button);
  }
}
