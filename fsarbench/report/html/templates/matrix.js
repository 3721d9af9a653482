"use strict";

const SVG = "http://www.w3.org/2000/svg";
const CELL = 30;

function drawn(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.append(made);
  return made;
}

// One frame of a strip, by a view box that hides the other frames.
function frame(parent, strip, count, index, x, y) {
  const side = CELL - 2;
  const view = { x: x + 1, y: y + 1, width: side, height: side, viewBox: `${index * 10} 0 10 10` };
  const window_ = drawn("svg", view, parent);
  drawn("image", { href: strip, width: 10 * count, height: 10, preserveAspectRatio: "none" }, window_);
}

// The frames of a query (rows) against those of a prototype (columns).
//   similarity, weights: bytes of T times S cells; weights may be null
//   rows, columns: strips with the frames of the rows and columns, or null
//   links: groups of frames, [query frames, frames]
function matrix({ similarity, weights, T, S, rows, columns, links, label }) {
  const width = CELL * (S + 1);
  const height = CELL * (T + 1);
  const box = { viewBox: `0 0 ${width} ${height}`, class: "matrix", role: "img", "aria-label": label };
  const made = drawn("svg", box);
  for (let t = 0; t < T; t++) side(made, rows, T, t, 0, CELL * (t + 1));
  for (let s = 0; s < S; s++) side(made, columns, S, s, CELL * (s + 1), 0);
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < S; s++) {
      const at = { x: CELL * (s + 1), y: CELL * (t + 1), width: CELL, height: CELL };
      const share = similarity[t * S + s] / 255;
      drawn("rect", { ...at, class: "cell", "fill-opacity": (0.03 + 0.67 * share).toFixed(3) }, made);
      drawn("rect", { ...at, class: "frame" }, made);
    }
  }
  if (weights) dots(made, weights, T, S);
  for (const [asked, given] of links) {
    const points = asked.map((t, i) => `${CELL * (given[i] + 1.5)},${CELL * (t + 1.5)}`);
    drawn("polyline", { points: points.join(" "), class: "link" }, made);
  }
  return made;
}

function side(parent, strip, count, index, x, y) {
  if (strip) frame(parent, strip, count, index, x, y);
  else {
    const at = { x: x + CELL / 2, y: y + CELL / 2 + 3, "text-anchor": "middle" };
    drawn("text", at, parent).textContent = index + 1;
  }
}

function dots(parent, weights, T, S) {
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < S; s++) {
      const share = weights[t * S + s] / 255;
      if (share < 0.02) continue;
      const at = { cx: CELL * (s + 1.5), cy: CELL * (t + 1.5) };
      // The area of the dot is proportional to the weight.
      drawn("circle", { ...at, r: (0.42 * CELL * Math.sqrt(share)).toFixed(2), class: "weight" }, parent);
    }
  }
}
