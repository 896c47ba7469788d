// Training curves, and predicted against measured latency.
for (const holder of document.querySelectorAll("[data-curve]")) {
  const curve = data.curves[Number(holder.dataset.curve)];
  const values = curve.rows.map((row) => row[1]);
  const describe = { role: "img", "aria-label": curve.summary };
  chart(holder, 0.55, 250, describe, (root, width, height) => {
    const { x, y } = axes(root, width, height, {
      x: [0, curve.of], y: padded(values, 0.1), xTitle: "step", yTitle: curve.title,
    });
    const second = curve.kind === "metric" ? " second" : "";
    const path = curve.rows.map((row, i) => `${i ? "L" : "M"}${x(row[0]).toFixed(1)} ${y(row[1]).toFixed(1)}`);
    svg("path", { class: "line" + second, d: path.join("") }, root);
    if (curve.rows.length <= 30) {
      for (const row of curve.rows) svg("circle", { class: "dot" + second, cx: x(row[0]), cy: y(row[1]), r: 3 }, root);
    }
  });
}

(function predicted() {
  const holder = document.getElementById("predicted-chart");
  if (!holder) return;
  const { pairs, summary } = data.predicted;
  const all = pairs.flatMap((pair) => [pair[0], pair[1]]);
  chart(holder, 0.9, 400, { role: "img", "aria-label": summary }, (root, width, height) => {
    const range = padded(all, 0.06);
    range[0] = Math.max(0, range[0]);
    const { x, y } = axes(root, width, height, { x: range, y: range, xTitle: "predicted, ms", yTitle: "measured, ms" });
    const ends = { x1: x(range[0]), y1: y(range[0]), x2: x(range[1]), y2: y(range[1]) };
    svg("line", { class: "reference", ...ends }, root);
    for (const [guess, found, name] of pairs) {
      const dot = svg("circle", { class: "dot", cx: x(guess), cy: y(found), r: 4.5 }, root);
      svg("title", {}, dot).textContent = `${name}: predicted ${guess} ms, measured ${found} ms`;
    }
  });
})();
