// Draws the plots in the colours of the page, and sorts tables. Verdict and tables are there without it.
"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const narrow = () => window.innerWidth < 640;

  // Only under keys that hold colours: a name that looks like a property stays what it is.
  function coloured(value, key, style) {
    if (Array.isArray(value)) return value.map((part) => coloured(part, key, style));
    if (value !== null && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, part]) => [k, coloured(part, k, style)]));
    }
    const named = typeof value === "string" && value.startsWith("--") && key.endsWith("color");
    return named ? style.getPropertyValue(value).trim() : value;
  }

  function draw(figure) {
    const element = document.getElementById(figure.id);
    const style = getComputedStyle(document.documentElement);
    const layout = coloured(figure.layout, "", style);
    const ink = style.getPropertyValue("--ink").trim();
    layout.font = { family: style.getPropertyValue("--sans").trim(), size: narrow() ? 11 : 13, color: ink };
    layout.hoverlabel = {
      bgcolor: style.getPropertyValue("--panel").trim(),
      bordercolor: style.getPropertyValue("--rule").trim(),
      font: { ...layout.font, size: 13 },
      align: "left",
    };
    // A finger that scrolls the page must not zoom the plot.
    layout.dragmode = window.matchMedia("(pointer: fine)").matches ? "zoom" : false;
    layout.annotations = [];
    if (narrow() && figure.rows.length) raiseRowNames(layout, figure.rows, ink);
    const data = coloured(figure.data, "", style);
    return Plotly.react(element, data, layout, { displayModeBar: false, responsive: true }).then(() => {
      if (figure.labels.length) return place(element, figure.labels, style);
    });
  }

  // On a phone the names of rows would take half of its width: they go above their rows instead.
  function raiseRowNames(layout, rows, ink) {
    layout.height += 22 * rows.length;
    layout.yaxis.showticklabels = false;
    layout.yaxis.range = [rows.length - 0.5, -0.75];
    layout.annotations = rows.map((text, row) => ({
      text, showarrow: false, xref: "paper", x: 0, xanchor: "left", y: row, yshift: 22, yanchor: "middle",
      font: { size: 11, color: ink },
    }));
  }

  // Boxes that a label should leave free: error bars, and the line that joins the best.
  function strokes(element, xaxis, yaxis) {
    const line = (x0, y0, x1, y1) => ({
      left: Math.min(x0, x1) - 1, right: Math.max(x0, x1) + 1, top: Math.min(y0, y1) - 1, bottom: Math.max(y0, y1) + 1,
    });
    return element._fullData.flatMap((trace) => {
      const points = [...trace.x].map((x, i) => [x, trace.y[i], i]).filter(([x]) => x !== null);
      if (trace.mode === "lines") {
        return points.slice(1).flatMap(([x, y], i) => {
          const [x0, y0, x1, y1] = [xaxis.d2p(points[i][0]), yaxis.d2p(points[i][1]), xaxis.d2p(x), yaxis.d2p(y)];
          return [line(x0, y0, x1, y0), line(x1, y0, x1, y1)];
        });
      }
      return points.flatMap(([x, y, i]) => {
        const [right, left] = [trace.error_x?.array?.[i] ?? 0, trace.error_x?.arrayminus?.[i] ?? 0];
        const [up, down] = [trace.error_y?.array?.[i] ?? 0, trace.error_y?.arrayminus?.[i] ?? 0];
        return [
          line(xaxis.d2p(x - left), yaxis.d2p(y), xaxis.d2p(x + right), yaxis.d2p(y)),
          line(xaxis.d2p(x), yaxis.d2p(y - down), xaxis.d2p(x), yaxis.d2p(y + up)),
        ];
      });
    });
  }

  // Labels go where they cover neither a mark nor each other; one that has no room is left to the hover text.
  function place(element, labels, style) {
    const { xaxis, yaxis } = element._fullLayout;
    const size = narrow() ? 10 : 12;
    const context = document.createElement("canvas").getContext("2d");
    context.font = `${size}px ${style.getPropertyValue("--sans")}`;
    const holder = document.createElement("textarea"); // turns entities back into characters; never shown
    const radius = new Map();
    for (const trace of element._fullData) {
      if (!trace.marker || trace.mode !== "markers") continue;
      trace.x.forEach((x, i) => radius.set(`${x}|${trace.y[i]}`, trace.marker.size[i] / 2));
    }
    const marks = labels.map((label) => {
      const x = xaxis.d2p(label.x);
      const y = yaxis.d2p(label.y);
      const r = radius.get(`${label.x}|${label.y}`) ?? 6;
      return { left: x - r, right: x + r, top: y - r, bottom: y + r, x, y, r };
    });
    const taken = [...marks];
    const lines = strokes(element, xaxis, yaxis);
    const hits = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    const annotations = [];
    labels.forEach((label, i) => {
      holder.innerHTML = label.text;
      const width = context.measureText(holder.value).width + 6;
      const height = size + 5;
      const { x, y, r } = marks[i];
      const box = (cx, cy) => ({ left: cx - width / 2, right: cx + width / 2, top: cy - height / 2, bottom: cy + height / 2, cx, cy });
      const near = r + 3;
      const aside = near + width / 2;
      const above = near + height / 2;
      const places = [
        [aside, 0], [-aside, 0], [0, -above], [0, above],
        [aside, -above], [aside, above], [-aside, -above], [-aside, above],
        [width / 3, -above], [-width / 3, -above], [width / 3, above], [-width / 3, above],
      ].map(([dx, dy]) => box(x + dx, y + dy));
      const inside = places.filter((spot) =>
        spot.left >= 0 && spot.right <= xaxis._length && spot.top >= 0 && spot.bottom <= yaxis._length &&
        !taken.some((other) => hits(spot, other)));
      const free = inside.find((spot) => !lines.some((other) => hits(spot, other))) ?? inside[0];
      if (!free) return;
      taken.push(free);
      annotations.push({
        x: xaxis.type === "log" ? Math.log10(label.x) : label.x, y: label.y, text: label.text, showarrow: false,
        xshift: free.cx - x, yshift: y - free.cy, xanchor: "center", yanchor: "middle", borderpad: 0,
        bgcolor: `${style.getPropertyValue("--paper").trim()}b0`, // see-through: what it covers is still seen
        font: { size, color: style.getPropertyValue(label.important ? "--ink" : "--muted").trim() },
      });
    });
    return Plotly.relayout(element, { annotations });
  }

  let drawing = Promise.resolve();
  function drawAll() {
    drawing = drawing
      .then(() => figures.reduce((done, figure) => done.then(() => draw(figure)), Promise.resolve()))
      .then(() => { document.documentElement.dataset.drawn = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"; });
    return drawing;
  }

  function sortable(table) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const key = (row, column) => {
      const cell = row.cells[column];
      if (!("key" in cell.dataset)) return null;
      return cell.classList.contains("number") ? Number(cell.dataset.key) : cell.dataset.key;
    };
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].map((row) => ({ row, value: key(row, column) }));
        rows.sort((a, b) => {
          if (a.value === null || b.value === null) return (a.value === null) - (b.value === null);
          const order = typeof a.value === "number" ? a.value - b.value : a.value.localeCompare(b.value);
          return down ? -order : order;
        });
        body.append(...rows.map(({ row }) => row));
      });
    });
  }

  document.querySelectorAll("table[data-sortable]").forEach(sortable);
  if (figures.length) {
    drawAll();
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
    let wait;
    let width = window.innerWidth;
    window.addEventListener("resize", () => {
      if (window.innerWidth === width) return;
      width = window.innerWidth;
      clearTimeout(wait);
      wait = setTimeout(drawAll, 200);
    });
    // Paper is light whatever the screen is, and nothing on it can be opened.
    window.addEventListener("beforeprint", () => {
      document.querySelectorAll("details").forEach((part) => { part.dataset.was = part.open ? "open" : ""; part.open = true; });
    });
    window.addEventListener("afterprint", () => {
      document.querySelectorAll("details").forEach((part) => { part.open = part.dataset.was === "open"; });
    });
    window.matchMedia("print").addEventListener("change", drawAll);
  }
})();
