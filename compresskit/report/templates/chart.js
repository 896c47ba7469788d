// Scales, axes and the drawing surface that every chart of the page shares.
const data = JSON.parse(document.getElementById("data").textContent);

function svg(name, attributes, parent) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  if (parent) parent.appendChild(element);
  return element;
}

function label(parent, x, y, text, attributes) {
  const element = svg("text", { x, y, ...attributes }, parent);
  element.textContent = text;
  return element;
}

function niceStep(span, wanted) {
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
}

function ticks(low, high, wanted) {
  const step = niceStep(high - low || 1, wanted);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(i * step);
  return found;
}

function logTicks(low, high, wanted) {
  for (const factors of [[1, 1.5, 2, 3, 4, 5, 6, 8], [1, 2, 3, 5, 7], [1, 2, 5], [1]]) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (const factor of factors) {
        const value = factor * 10 ** power;
        if (value >= low * 0.9999 && value <= high * 1.0001) found.push(value);
      }
    }
    if (found.length <= wanted || factors.length === 1) return found;
  }
}

function show(value) {
  const text = Number(value.toPrecision(4));
  const size = Math.abs(text);
  for (const [limit, suffix] of [[1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (size >= limit) return Number((text / (suffix === "k" ? 1e3 : limit)).toPrecision(3)) + " " + suffix;
  }
  return String(text);
}

// Returns value -> pixel; `logarithmic` shows equal ratios as equal distances.
function scale(low, high, from, to, logarithmic) {
  const map = logarithmic ? Math.log : (value) => value;
  const start = map(low), span = map(high) - start || 1;
  return (value) => from + ((map(value) - start) / span) * (to - from);
}

// Draws both axes with grid and titles; returns {x, y, box}.
function axes(root, width, height, options) {
  const box = { left: 46, right: width - 14, top: 26, bottom: height - 44 };
  const x = scale(...options.x, box.left, box.right, options.log);
  const y = scale(...options.y, box.bottom, box.top, false);
  const many = Math.max(3, Math.floor((box.right - box.left) / 80));
  for (const value of options.log ? logTicks(...options.x, many + 2) : ticks(...options.x, many)) {
    svg("line", { class: "grid", x1: x(value), x2: x(value), y1: box.top, y2: box.bottom }, root);
    label(root, x(value), box.bottom + 17, show(value), { "text-anchor": "middle" });
  }
  for (const value of ticks(...options.y, Math.max(4, Math.floor((box.bottom - box.top) / 52)))) {
    svg("line", { class: "grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }, root);
    label(root, box.left - 8, y(value) + 4, show(value), { "text-anchor": "end" });
  }
  svg("line", { class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }, root);
  label(root, box.left - 40, 12, options.yTitle, { class: "title" });
  label(root, box.right, height - 8, options.xTitle, { class: "title", "text-anchor": "end" });
  return { x, y, box };
}

// Calls `draw(root, width, height)` now and whenever the width of `holder` changes.
function chart(holder, ratio, tallest, describe, draw) {
  let last = 0;
  const redraw = () => {
    const width = Math.floor(holder.clientWidth);
    if (!width || width === last) return;
    last = width;
    paint();
  };
  const paint = () => {
    const height = Math.round(Math.min(tallest, Math.max(240, last * ratio)));
    const root = svg("svg", { width: last, height, viewBox: `0 0 ${last} ${height}`, ...describe });
    draw(root, last, height);
    holder.replaceChildren(root);
  };
  new ResizeObserver(() => requestAnimationFrame(redraw)).observe(holder);
  redraw();
  return paint;
}

function padded(values, share) {
  const low = Math.min(...values), high = Math.max(...values);
  const margin = (high - low || Math.abs(high) || 1) * share;
  return [low - margin, high + margin];
}
