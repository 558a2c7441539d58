// Paints a CursorScene at a place between two of its frames: clouds of nodes, cosines, curves.
const RADIUS = 3.1;
const SMALL_RADIUS = 2.4;
const NARROW = 300; // a panel with smaller marks
const MARGIN = { left: 52, right: 14, top: 12, bottom: 40 };
const TICK_ROOM = 30; // px of the name of a frame
const ROOMY = 0.25; // share of a curve's height in which a label has room
const SQUARE_BOTTOM = 24; // below a cloud: the names of its axes

const decode = (text, Type) => {
  const raw = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Type(raw.buffer);
};

const mix = (from, to, share) => from + (to - from) * share;

function unpack(scene) {
  const count = scene.hover.length;
  return {
    ...scene,
    count,
    colour: decode(scene.colour_index, Uint8Array),
    cross: decode(scene.crosses, Uint8Array),
    clouds: scene.clouds.map((cloud) => ({ ...cloud, points: decode(cloud.positions, Float32Array) })),
    shares: scene.histogram?.counts.map((counts) => {
      const pairs = counts.reduce((sum, number) => sum + number, 0);
      return counts.map((number) => (pairs ? number / pairs : 0));
    }),
  };
}

// A canvas as large as its element, at the screen's own resolution; null while it has no size.
function fitted(canvas) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width || !height) return null;
  const ratio = Math.max(1, window.devicePixelRatio || 1);
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height, ratio };
}

// Where the nodes of a cloud are, between two frames; null where there is no picture.
function placed(view, cloud) {
  const low = Math.floor(view.at);
  const high = Math.min(low + 1, view.last);
  const ends = [low, high].filter((frame) => cloud.present[frame]);
  if (!ends.length || !cloud.present[Math.round(view.at)]) return null;
  const [from, to] = [ends[0], ends[ends.length - 1]].map((frame) => 2 * frame * view.scene.count);
  const share = from === to ? 0 : view.at - low;
  const { points } = cloud;
  return (index) => mix(points[from + index], points[to + index], share);
}

function paintCloud(view, panel) {
  const fit = fitted(panel.canvas);
  if (!fit) return;
  const { scene } = view;
  const { cloud } = panel;
  const { context, width, height, ratio } = fit;
  const high = height - SQUARE_BOTTOM;
  const scale = Math.min(width, high) / (2 * cloud.limit);
  panel.toPixel = (x, y) => [width / 2 + x * scale, high / 2 - y * scale];
  panel.where = placed(view, cloud);
  context.save();
  context.beginPath();
  context.rect(0, 0, width, high);
  context.clip();
  if (panel.where) paintNodes(view, panel, fit, high, scale);
  else says(view, context, "no picture yet", width / 2, high / 2, "center");
  if (panel.where && view.hovered !== null) ring(view, panel, context);
  context.restore();
  frameOf(view, context, width, high);
  axisNames(view, context, cloud, scale, width, height);
}

function paintNodes(view, panel, { context, width, ratio }, high, scale) {
  const { scene } = view;
  const [wide, tall] = [panel.canvas.width, Math.round(high * ratio)];
  const { cell, marks } = marksOf(view, (width < NARROW ? SMALL_RADIUS : RADIUS) * ratio, wide);
  const image = context.createImageData(wide, tall);
  const pixels = new Uint32Array(image.data.buffer);
  const crosses = scene.count * Math.round(view.at);
  const [middle, centre, step] = [(width / 2) * ratio, (high / 2) * ratio, scale * ratio];
  for (const cross of [0, 1]) {
    for (let node = 0; node < scene.count; node += 1) {
      if (scene.cross[crosses + node] !== cross) continue;
      const x = middle + step * panel.where(2 * node);
      const y = centre - step * panel.where(2 * node + 1);
      if (x < 0 || y < 0 || x >= wide || y >= tall) continue;
      const left = Math.min(Math.max(0, Math.round(x - cell / 2)), wide - cell); // whole at the edge, too
      const top = Math.min(Math.max(0, Math.round(y - cell / 2)), tall - cell);
      copyMark(pixels, top * wide + left, marks[2 * scene.colour[node] + cross]);
    }
  }
  context.putImageData(image, 0, 0);
}

function ring(view, panel, context) {
  const [x, y] = panel.toPixel(panel.where(2 * view.hovered), panel.where(2 * view.hovered + 1));
  context.strokeStyle = view.scene.ink;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, RADIUS + 5, 0, 2 * Math.PI);
  context.stroke();
}

function axisNames(view, context, cloud, scale, width, height) {
  const [across, up] = cloud.axes;
  says(view, context, `→ ${across}   ↑ ${up}`, width, height - 6, "right");
  if (!cloud.unit_length) return;
  const [length, y] = [cloud.unit_length * scale, height - SQUARE_BOTTOM - 10];
  context.strokeStyle = view.scene.ink;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(10, y - 4);
  context.lineTo(10, y);
  context.lineTo(10 + length, y);
  context.lineTo(10 + length, y - 4);
  context.stroke();
  says(view, context, String(cloud.unit_length), 10 + length / 2, y - 5, "center");
}

function frameOf(view, context, width, height) {
  context.strokeStyle = view.scene.grid;
  context.lineWidth = 1;
  context.strokeRect(0.5, 0.5, width - 1, height - 1);
}

function says(view, context, text, x, y, align, colour = view.scene.muted, weight = 400) {
  context.font = `${weight} 14px ${view.font}`;
  context.textAlign = align;
  context.textBaseline = "alphabetic";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = view.scene.background; // a halo, so that words are read on lines, too
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

// The plot inside the margins, with functions from shares of its axes to pixels.
function plotOf({ width, height }) {
  const [wide, high] = [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
  return {
    left: MARGIN.left,
    right: width - MARGIN.right,
    bottom: height - MARGIN.bottom,
    px: (share) => MARGIN.left + share * wide,
    py: (share) => MARGIN.top + (1 - share) * high,
  };
}

function gridLine(view, context, plot, share, text) {
  const y = plot.py(share);
  context.strokeStyle = view.scene.grid;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(plot.left, y);
  context.lineTo(plot.right, y);
  context.stroke();
  says(view, context, text, plot.left - 6, y + 5, "right");
}

function paintHistogram(view, panel) {
  const fit = fitted(panel.canvas);
  if (!fit) return;
  const { context } = fit;
  const { scene } = view;
  const plot = plotOf(fit);
  for (const share of [0, 0.25, 0.5, 0.75, 1]) gridLine(view, context, plot, share, `${100 * share}\u202f%`);
  const low = Math.floor(view.at);
  const [before, after] = [scene.shares[low], scene.shares[Math.min(low + 1, view.last)]];
  const bins = before.length;
  context.fillStyle = scene.line;
  for (let bin = 0; bin < bins; bin += 1) {
    const share = mix(before[bin], after[bin], view.at - low);
    const [x, y] = [plot.px(bin / bins), plot.py(share)];
    const height = share > 0 ? Math.max(1.5, plot.bottom - y) : 0; // one pair is seen, too
    context.fillRect(x, plot.bottom - height, plot.px((bin + 1) / bins) - x - 0.5, height);
  }
  for (const cosine of [-1, 0, 1]) {
    const text = String(cosine).replace("-", "\u2212");
    says(view, context, text, plot.px((cosine + 1) / 2), plot.bottom + 17, "center");
  }
  says(view, context, "cosine → (↑ share of pairs)", plot.right, plot.bottom + 35, "right");
}

function paintCurve(view, panel) {
  const fit = fitted(panel.canvas);
  if (!fit) return;
  const { context } = fit;
  const { scene } = view;
  const { curve } = panel;
  const plot = plotOf(fit);
  const px = (frame) => plot.px(view.last ? frame / view.last : 0.5);
  for (const tick of curve.ticks) gridLine(view, context, plot, tick.height, tick.text);
  for (const line of curve.references) reference(view, context, plot, line);
  cursorLine(view, context, plot, px(view.at));
  lineOf(view, context, plot, px, curve);
  frameTicks(view, context, plot, px);
  const low = Math.floor(view.at);
  const [from, to] = [curve.heights[low], curve.heights[Math.min(low + 1, view.last)]];
  if (from === null || to === null) return;
  const y = plot.py(mix(from, to, view.at - low));
  dot(context, px(view.at), y, 6, scene.ink);
  valueOf(view, context, plot, curve, px(view.at), y);
}

// Writes the value beside the dot, towards the middle, on the side of the line where it does not run.
function valueOf(view, context, plot, curve, x, y) {
  const left = x > (plot.left + plot.right) / 2;
  const beside = curve.heights[left ? Math.ceil(view.at) - 1 : Math.floor(view.at) + 1];
  const rises = beside !== undefined && beside !== null && plot.py(beside) < y;
  const room = rises ? y + 22 < plot.bottom : y - 10 > MARGIN.top + 12;
  const text = curve.texts[Math.round(view.at)];
  const height = rises === room ? y + 22 : y - 10;
  says(view, context, text, x + (left ? -10 : 10), height, left ? "right" : "left", view.scene.ink, 600);
}

function cursorLine(view, context, plot, x) {
  context.strokeStyle = view.scene.muted;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, MARGIN.top);
  context.lineTo(x, plot.bottom);
  context.stroke();
}

function lineOf(view, context, plot, px, curve) {
  context.strokeStyle = view.scene.line;
  context.lineWidth = 2.5;
  context.beginPath();
  curve.heights.forEach((height, frame) => {
    if (height === null) return;
    const broken = frame === 0 || curve.heights[frame - 1] === null;
    context[broken ? "moveTo" : "lineTo"](px(frame), plot.py(height));
  });
  context.stroke();
  const radius = curve.heights.length > 20 ? 2.5 : 4;
  curve.heights.forEach((height, frame) => {
    if (height !== null) dot(context, px(frame), plot.py(height), radius, view.scene.line);
  });
}

function dot(context, x, y, radius, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function reference(view, context, plot, { height, text }) {
  context.strokeStyle = view.scene.muted;
  context.lineWidth = 2;
  context.setLineDash([2, 5]);
  context.beginPath();
  context.moveTo(plot.left, plot.py(height));
  context.lineTo(plot.right, plot.py(height));
  context.stroke();
  context.setLineDash([]);
  if (!text) return;
  const below = height > ROOMY; // away from a curve that falls onto the line
  says(view, context, text, plot.left + 6, plot.py(height) + (below ? 17 : -5), "left");
}

function frameTicks(view, context, plot, px) {
  for (const frame of ticksOf(view.last, (plot.right - plot.left) / TICK_ROOM)) {
    says(view, context, view.scene.places[frame], px(frame), plot.bottom + 17, "center");
  }
  says(view, context, `${view.scene.slider.toLowerCase().split(" (")[0]} →`, plot.right, plot.bottom + 35, "right");
}

// Frames whose names fit side by side: evenly spaced, the last one always.
function ticksOf(last, room) {
  const stride = [1, 2, 4, 8, 16, 32].find((step) => last / step <= Math.max(1, room)) ?? 64;
  const ticks = [];
  for (let frame = last; frame >= 0; frame -= stride) ticks.push(frame);
  return ticks.reverse();
}

function paint(view) {
  for (const panel of view.panels) panel.paint(view, panel);
}
