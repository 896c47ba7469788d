// The front: every mark can be hovered, focused or tapped, and the panel beside it says what it is.
(function front() {
  const holder = document.getElementById("front-chart");
  if (!holder) return;
  const panel = document.getElementById("front-detail");
  const toggle = document.getElementById("front-toggle");
  const { points, dense, trials } = data.front;
  const main = dense ? [...points, dense] : points;
  const placed = trials.filter((trial) => trial.x !== null && trial.y !== null);
  const NEAR = 12; // points of metric below the best that the first view still covers
  let everything = false;
  let selected = points.find((point) => point.idx === data.front.chosen) || points[0] || dense;
  let nodes = new Map();

  function ranges() {
    const best = Math.max(...main.map((item) => item.y));
    const close = main.filter((item) => item.y > best - NEAR);
    const shown = everything || !main.length ? [...main, ...placed] : close.length > 2 ? close : main;
    const xs = shown.flatMap((item) => [item.x, ...(item.ci || [])]);
    const log = Math.min(...xs) > 0 && Math.max(...xs) / Math.min(...xs) > 5;
    const y = padded(shown.map((item) => item.y), 0.14);
    let x = padded(xs, 0.06);
    if (log) x = [Math.min(...xs) / 1.12, Math.max(...xs) * 1.12];
    else if (x[0] < (x[1] - x[0]) * 0.5) x[0] = 0;
    return { x, y, log };
  }

  // The one mark that Tab stops at; arrow keys move on from there.
  function stop() {
    return main.includes(selected) ? selected : main[0];
  }

  function mark(root, item, x, y, shape, interactive) {
    const group = svg("g", { class: "mark", transform: `translate(${x} ${y})` }, root);
    if (interactive) {
      group.setAttribute("tabindex", item === stop() ? "0" : "-1");
      group.setAttribute("role", "button");
      group.setAttribute("aria-label", `${item.name}: ${item.facts.map((fact) => fact.join(" ")).join(", ")}`);
      group.addEventListener("focus", () => choose(item));
    }
    shape(group);
    if (interactive) svg("circle", { class: "hit", r: 15 }, group);
    svg("circle", { class: "ring", r: interactive ? 10 : 6 }, group);
    group.addEventListener("pointerenter", () => choose(item));
    group.addEventListener("click", () => choose(item));
    nodes.set(item, group);
  }

  function references(root, frame) {
    const { x, y, box } = frame;
    svg("line", { class: "reference", x1: x(dense.x), x2: x(dense.x), y1: box.top, y2: box.bottom }, root);
    svg("line", { class: "reference", x1: box.left, x2: box.right, y1: y(dense.y), y2: y(dense.y) }, root);
    label(root, box.left + 6, y(dense.y) - 6, "dense model", { class: "reference-label" });
  }

  function staircase(root, frame) {
    const rising = points.every((point, i) => !i || (point.x >= points[i - 1].x && point.y >= points[i - 1].y));
    if (points.length < 2 || !rising) return;
    const path = points.map((p, i) => (i ? `H${frame.x(p.x)}V${frame.y(p.y)}` : `M${frame.x(p.x)} ${frame.y(p.y)}`));
    svg("path", { class: "front", d: path.join(""), "clip-path": "url(#front-clip)" }, root);
  }

  function draw(root, width, height) {
    nodes = new Map();
    const range = ranges();
    const titles = { xTitle: data.front.xTitle + (range.log ? " (log scale)" : ""), yTitle: data.front.yTitle };
    const frame = axes(root, width, height, { ...range, ...titles });
    const { x, y, box } = frame;
    let outside = 0;
    // What lies outside is not left out: it becomes a triangle on the edge.
    const place = (item) => {
      const left = Math.min(box.right, Math.max(box.left, x(item.x)));
      const top = Math.min(box.bottom - 4, Math.max(box.top, y(item.y)));
      return { left, top, clipped: Math.abs(left - x(item.x)) > 1 || Math.abs(top - y(item.y)) > 5 };
    };
    const triangle = "M-5 -4H5L0 4Z";
    for (const trial of placed) {
      const { left, top, clipped } = place(trial);
      outside += clipped;
      mark(root, trial, left, top, (group) =>
        clipped ? svg("path", { class: "trial", d: triangle }, group) : svg("circle", { class: "trial", r: 3.2 }, group));
    }
    if (dense) references(root, frame);
    const clip = svg("clipPath", { id: "front-clip" }, root);
    svg("rect", { x: box.left, y: box.top - 10, width: box.right - box.left + 10, height: box.bottom - box.top + 10 }, clip);
    staircase(root, frame);
    if (dense) {
      mark(root, dense, x(dense.x), y(dense.y), (group) =>
        svg("path", { class: "dense", d: "M0 -8L8 0L0 8L-8 0Z" }, group), true);
    }
    for (const point of points) {
      const { left, top, clipped } = place(point);
      outside += clipped;
      mark(root, point, left, top, (group) => {
        if (clipped) return void svg("path", { class: "outside", d: triangle }, group);
        if (point.ci) {
          const [low, high] = point.ci.map((end) => x(end) - x(point.x));
          svg("line", { class: "whisker", x1: low, x2: high, y1: 0, y2: 0 }, group);
        }
        svg("circle", { class: "point", r: 6.5 }, group);
      }, true);
    }
    toggle.hidden = !everything && !outside;
    toggle.textContent = everything ? "Zoom to the front" : `Show all (${outside} outside this view)`;
    choose(selected);
  }

  function choose(item) {
    if (!item) return;
    const before = nodes.get(selected), now = nodes.get(item);
    if (before) before.classList.remove("selected");
    if (now) now.classList.add("selected");
    if (main.includes(item)) {
      for (const other of main) if (nodes.has(other)) nodes.get(other).setAttribute("tabindex", other === item ? "0" : "-1");
    }
    selected = item;
    const title = document.createElement("h3");
    title.textContent = item.name;
    const list = document.createElement("dl");
    for (const [name, value] of item.facts) {
      list.appendChild(document.createElement("dt")).textContent = name;
      list.appendChild(document.createElement("dd")).textContent = value;
    }
    panel.replaceChildren(title, list);
    if (item.kept) panel.appendChild(document.createElement("p")).textContent = item.kept;
    const picture = item.picture && document.getElementById(item.picture);
    if (picture) panel.appendChild(picture.querySelector("svg").cloneNode(true));
    if (item.command) panel.appendChild(document.createElement("code")).textContent = item.command;
  }

  holder.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (!step) return;
    const order = [...main].sort((a, b) => a.x - b.x);
    const next = order[order.indexOf(stop()) + step];
    if (!next) return;
    event.preventDefault();
    nodes.get(next).focus();
  });
  const paint = chart(holder, 0.62, 470, { role: "group", "aria-label": data.front.summary }, draw);
  toggle.addEventListener("click", () => { everything = !everything; paint(); });
})();
