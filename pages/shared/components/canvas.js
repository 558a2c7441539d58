// Draws a GraphScene: frames of points, edges between them, a legend. Zoom and pan outlive updates.
const RADIUS = 3.2;
const HIT = 12;
const GAP = 14;
const TITLE = 26;
const DIM = 0.13;
const MIN_FRAME = 150;

const decode = (text, Type) => {
  const raw = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Type(raw.buffer);
};

function unpack(scene) {
  return {
    ...scene,
    panels: scene.panels.map((panel) => ({
      ...panel,
      points: panel.positions === null ? null : decode(panel.positions, Float32Array),
    })),
    colour: decode(scene.colour_index, Uint8Array),
    cross: decode(scene.crosses, Uint8Array),
    edge_list: decode(scene.edges, Int32Array),
    id: decode(scene.ids, Int32Array),
    bright: scene.selected === null ? null : new Set(decode(scene.selected, Int32Array)),
  };
}

// Where the frames stand, and how data units become pixels in each.
function frames(view) {
  const { scene, width } = view;
  const fitting = Math.max(1, Math.floor((width + GAP) / (MIN_FRAME + GAP)));
  const columns = Math.min(scene.columns, scene.panels.length, fitting);
  const frameWidth = (width - GAP * (columns - 1)) / columns;
  const titled = scene.panels.some((panel) => panel.title) ? TITLE : 0;
  const named = scene.axes[0] ? TITLE : 0;
  const [[left, right], [bottom, top]] = scene.span;
  const scale = Math.min(frameWidth / (right - left), scene.height / (top - bottom)) * view.zoom;
  const rows = Math.ceil(scene.panels.length / columns);
  return {
    total: rows * (scene.height + titled) + (rows - 1) * GAP + named,
    list: scene.panels.map((panel, place) => {
      const x = (place % columns) * (frameWidth + GAP);
      const y = Math.floor(place / columns) * (scene.height + titled + GAP) + titled;
      const px = (value) => x + frameWidth / 2 + (value - (left + right) / 2) * scale + view.dx;
      const py = (value) => y + scene.height / 2 - (value - (bottom + top) / 2) * scale + view.dy;
      return { panel, x, y, width: frameWidth, height: scene.height, px, py };
    }),
  };
}

function paint(view) {
  const { scene, canvas, context, ratio } = view;
  const layout = frames(view);
  view.layout = layout;
  canvas.style.height = `${layout.total}px`;
  canvas.width = Math.round(view.width * ratio);
  canvas.height = Math.round(layout.total * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (const frame of layout.list) paintFrame(view, frame);
  const last = layout.list[0];
  if (!last) return;
  context.font = `15px ${view.font}`;
  context.fillStyle = scene.muted;
  context.textAlign = "right";
  context.textBaseline = "alphabetic";
  if (scene.axes[0]) context.fillText(`→ ${scene.axes[0]}   ↑ ${scene.axes[1]}`, view.width, layout.total - 6);
}

function paintFrame(view, frame) {
  const { scene, context } = view;
  context.font = `600 15px ${view.font}`;
  context.textAlign = "left";
  context.textBaseline = "alphabetic";
  context.fillStyle = scene.ink;
  context.fillText(frame.panel.title, frame.x + 2, frame.y - 8, frame.width);
  context.save();
  context.beginPath();
  context.rect(frame.x, frame.y, frame.width, frame.height);
  context.clip();
  if (frame.panel.points === null) {
    context.font = `15px ${view.font}`;
    context.textAlign = "center";
    context.fillStyle = scene.muted;
    context.fillText(frame.panel.note, frame.x + frame.width / 2, frame.y + frame.height / 2, frame.width - 8);
  } else {
    paintEdges(view, frame);
    paintNodes(view, frame);
  }
  context.restore();
  context.strokeStyle = scene.frame;
  context.lineWidth = 1;
  context.strokeRect(frame.x + 0.5, frame.y + 0.5, frame.width - 1, frame.height - 1);
}

function paintEdges(view, frame) {
  const { scene, context } = view;
  const { points } = frame.panel;
  const line = (from, to) => {
    context.moveTo(frame.px(points[2 * from]), frame.py(points[2 * from + 1]));
    context.lineTo(frame.px(points[2 * to]), frame.py(points[2 * to + 1]));
  };
  context.lineWidth = 1;
  context.strokeStyle = scene.edge;
  context.beginPath();
  for (let e = 0; e < scene.edge_list.length; e += 2) line(scene.edge_list[e], scene.edge_list[e + 1]);
  context.stroke();
  if (view.hovered === null) return;
  context.lineWidth = 2;
  context.strokeStyle = scene.ink;
  context.beginPath();
  for (let e = 0; e < scene.edge_list.length; e += 2) {
    if (scene.edge_list[e] === view.hovered || scene.edge_list[e + 1] === view.hovered) {
      line(scene.edge_list[e], scene.edge_list[e + 1]);
    }
  }
  context.stroke();
}

function paintNodes(view, frame) {
  const { scene, context } = view;
  const { points } = frame.panel;
  const size = RADIUS * Math.min(2.2, Math.sqrt(view.zoom)) * (scene.colour.length < 300 ? 2.2 : 1);
  const lit = (node) => scene.bright === null || scene.bright.has(node);
  for (const bright of [false, true]) {
    if (!bright && scene.bright === null) continue;
    context.globalAlpha = bright ? 0.88 : DIM;
    for (let colour = 0; colour < scene.palette.length; colour += 1) {
      context.fillStyle = bright ? scene.palette[colour] : scene.muted;
      context.strokeStyle = context.fillStyle;
      context.lineWidth = 1.8;
      const crosses = new Path2D();
      const discs = new Path2D();
      for (let node = 0; node < scene.colour.length; node += 1) {
        if (scene.colour[node] !== colour || lit(node) !== bright) continue;
        const x = frame.px(points[2 * node]);
        const y = frame.py(points[2 * node + 1]);
        if (scene.cross[node]) {
          crosses.moveTo(x - size, y - size);
          crosses.lineTo(x + size, y + size);
          crosses.moveTo(x - size, y + size);
          crosses.lineTo(x + size, y - size);
        } else {
          discs.moveTo(x + size, y);
          discs.arc(x, y, size, 0, 2 * Math.PI);
        }
      }
      context.fill(discs);
      context.stroke(crosses);
    }
  }
  context.globalAlpha = 1;
  for (const [node, width] of [[scene.primary, 3], [view.hovered, 2]]) {
    if (node === null || node === undefined) continue;
    context.strokeStyle = scene.ink;
    context.lineWidth = width;
    context.beginPath();
    context.arc(frame.px(points[2 * node]), frame.py(points[2 * node + 1]), size + 5, 0, 2 * Math.PI);
    context.stroke();
  }
}

function nearest(view, x, y) {
  let best = null;
  let distance = HIT * HIT;
  for (const frame of view.layout.list) {
    const inside = x >= frame.x && x <= frame.x + frame.width && y >= frame.y && y <= frame.y + frame.height;
    if (!inside || frame.panel.points === null) continue;
    const { points } = frame.panel;
    for (let node = 0; node < view.scene.colour.length; node += 1) {
      const far = (frame.px(points[2 * node]) - x) ** 2 + (frame.py(points[2 * node + 1]) - y) ** 2;
      if (far < distance) {
        distance = far;
        best = node;
      }
    }
  }
  return best;
}

function legend(view) {
  const entries = view.scene.legend.map((entry) => {
    const item = document.createElement("span");
    const sign = document.createElement("span");
    sign.textContent = entry.cross ? "✕ " : "● ";
    sign.style.color = entry.colour;
    item.append(sign, entry.label);
    item.style.whiteSpace = "nowrap";
    return item;
  });
  view.legend.replaceChildren(...entries);
  view.legend.style.color = view.scene.ink;
}

function tell(view, x, y) {
  const node = view.hovered;
  view.tip.style.display = node === null ? "none" : "block";
  if (node === null) return;
  view.tip.textContent = view.scene.hover[node]; // text, never markup: names come from files
  view.tip.style.color = view.scene.ink;
  view.tip.style.background = view.scene.background;
  view.tip.style.borderColor = view.scene.muted;
  const flip = x > view.width - 240;
  view.tip.style.left = flip ? "" : `${x + 14}px`;
  view.tip.style.right = flip ? `${view.width - x + 14}px` : "";
  view.tip.style.top = `${y + 14}px`;
}

function listen(view) {
  const { canvas } = view;
  let drag = null;
  let waiting = false;
  const repaint = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      paint(view);
    });
  };
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      view.dx = drag.dx + event.offsetX - drag.x;
      view.dy = drag.dy + event.offsetY - drag.y;
      drag.moved ||= Math.hypot(event.offsetX - drag.x, event.offsetY - drag.y) > 4;
      repaint();
      return;
    }
    const node = nearest(view, event.offsetX, event.offsetY);
    if (node !== view.hovered) {
      view.hovered = node;
      repaint();
    }
    tell(view, event.offsetX, event.offsetY);
  });
  canvas.addEventListener("pointerleave", () => {
    view.hovered = null;
    tell(view, 0, 0);
    repaint();
  });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") {
      drag = { x: event.offsetX, y: event.offsetY, dx: view.dx, dy: view.dy, moved: false };
    }
  });
  canvas.addEventListener("pointerup", () => {
    drag = null;
  });
  canvas.addEventListener("click", (event) => {
    const node = nearest(view, event.offsetX, event.offsetY);
    if (node !== null) view.report("click", view.scene.id[node]);
  });
  canvas.addEventListener("dblclick", () => {
    Object.assign(view, { zoom: 1, dx: 0, dy: 0 });
    repaint();
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls; with Ctrl the picture zooms
      event.preventDefault();
      const factor = Math.exp(-event.deltaY / 300);
      view.zoom = Math.min(40, Math.max(0.5, view.zoom * factor));
      repaint();
    },
    { passive: false },
  );
  new ResizeObserver(() => {
    if (canvas.clientWidth > 0 && canvas.clientWidth !== view.width) {
      view.width = canvas.clientWidth;
      repaint();
    }
  }).observe(canvas);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".gnnviz-scene");
  const canvas = root.querySelector("canvas");
  const view = (root.gnnvizView ??= {
    canvas,
    context: canvas.getContext("2d"),
    legend: root.querySelector(".legend"),
    tip: root.querySelector(".tip"),
    font: getComputedStyle(root).fontFamily,
    ratio: Math.max(1, window.devicePixelRatio || 1),
    width: canvas.clientWidth || 600,
    zoom: 1,
    dx: 0,
    dy: 0,
    hovered: null,
    fresh: true,
  });
  view.scene = unpack(JSON.parse(data.scene));
  view.report = setTriggerValue;
  root.dataset.key = data.name;
  root.style.opacity = data.stale ? 0.45 : 1;
  canvas.setAttribute("aria-label", view.scene.alt);
  legend(view);
  if (view.fresh) {
    view.fresh = false;
    listen(view);
  }
  paint(view);
}
