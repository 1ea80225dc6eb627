// The page's own script: it draws the charts, and filters and sorts the list of actions.
(() => {
  "use strict";

  const OPTIONS = {ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: {disableDefaultStyle: true}};
  // What axes and their titles take beside a small chart, and the narrowest that one can be.
  const MARGIN = 66, NARROWEST = 190;

  /** The specification for that many pixels: small charts share the width, others take it all. */
  function fit(spec, width) {
    if (!spec.facet) return {...spec, width, autosize: {type: "fit-x", contains: "padding"}};
    const columns = Math.max(1, Math.min(spec.columns, Math.floor(width / (NARROWEST + MARGIN))));
    return {...spec, columns, spec: {...spec.spec, width: Math.floor(width / columns) - MARGIN}};
  }

  async function draw(chart) {
    const spec = JSON.parse(chart.nextElementSibling.textContent);
    await window.vegaEmbed(chart, fit(spec, chart.clientWidth), OPTIONS);
    chart.dataset.width = chart.clientWidth;
  }

  const charts = [...document.querySelectorAll(".chart")];
  const drawing = charts.map(draw);
  Promise.all(drawing).then(() => document.documentElement.dataset.charts = "drawn");
  let waiting;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => charts.filter((chart) => chart.dataset.width != chart.clientWidth).forEach(draw), 200);
  });

  const table = document.getElementById("queue-table");
  if (!table) return;
  const AT_FIRST = 20;
  const body = table.tBodies[0], rows = [...body.rows];
  const [text, head, due, count, more] = ["text", "head", "due", "count", "more"].map(
    (name) => document.getElementById(`queue-${name}`));
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  let showsAll = false;

  function show() {
    const wanted = text.value.trim().toLowerCase().split(/\s+/);
    const found = [...body.rows].filter((row) => wanted.every((word) => words.get(row).includes(word))
      && (!head.value || row.dataset.head === head.value) && (!due.value || row.dataset.due <= due.value));
    const shown = new Set(showsAll ? found : found.slice(0, AT_FIRST));
    for (const row of rows) row.hidden = !shown.has(row);
    count.textContent = `${shown.size} shown of ${found.length} found, ${rows.length} in all`;
    more.hidden = found.length <= AT_FIRST;
    more.textContent = showsAll ? `Show the first ${AT_FIRST}` : `Show all ${found.length}`;
  }

  function sortBy(heading, column) {
    const way = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
    const value = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const compare = heading.dataset.sort === "number" ? (a, b) => a - b : (a, b) => a.localeCompare(b);
    rows.sort((one, other) => way * compare(value(one), value(other)));
    body.append(...rows);
    show();
  }

  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortBy(heading, column));
    heading.append(button);
  });
  for (const tool of [text, head, due]) tool.addEventListener("input", () => { showsAll = false; show(); });
  more.addEventListener("click", () => { showsAll = !showsAll; show(); });
  text.form.addEventListener("submit", (event) => event.preventDefault());
  text.form.hidden = false;
  show();
})();
