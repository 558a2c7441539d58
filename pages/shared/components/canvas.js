// What a scene does under pointer and wheel, its legend and tip. Zoom and pan outlive updates.
const HIT = 12;
const ZOOM_STEP = 1.6;

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
    sign.textContent = entry.cross ? "✕ " : entry.hollow ? "○ " : "● ";
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

// Zooms about a point, given from the middle of its frame in px.
function zoomBy(view, factor, x, y) {
  const zoom = Math.min(40, Math.max(0.5, view.zoom * factor));
  view.dx = x - ((x - view.dx) * zoom) / view.zoom;
  view.dy = y - ((y - view.dy) * zoom) / view.zoom;
  view.zoom = zoom;
}

function listen(view) {
  const { canvas } = view;
  let drag = null;
  let dragged = false;
  let waiting = false;
  const repaint = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      paint(view);
    });
  };
  const hover = (node, x, y) => {
    if (node !== view.hovered) {
      view.hovered = node;
      view.neighbours = neighboursOf(view, node);
      repaint();
    }
    tell(view, x, y);
  };
  const reset = () => {
    Object.assign(view, { zoom: 1, dx: 0, dy: 0 });
    repaint();
  };
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) {
      hover(nearest(view, event.offsetX, event.offsetY), event.offsetX, event.offsetY);
      return;
    }
    dragged ||= Math.hypot(event.offsetX - drag.x, event.offsetY - drag.y) > 4;
    if (!dragged) return;
    view.dx = drag.dx + event.offsetX - drag.x;
    view.dy = drag.dy + event.offsetY - drag.y;
    repaint();
  });
  canvas.addEventListener("pointerleave", () => {
    hover(null, 0, 0);
    drag = null;
  });
  canvas.addEventListener("pointerdown", (event) => {
    dragged = false;
    if (event.pointerType !== "touch" || view.zoom > 1) {
      drag = { x: event.offsetX, y: event.offsetY, dx: view.dx, dy: view.dy };
    }
  });
  canvas.addEventListener("pointerup", () => {
    drag = null;
  });
  canvas.addEventListener("click", (event) => {
    if (dragged) return; // the end of moving the picture chooses nothing
    const node = nearest(view, event.offsetX, event.offsetY);
    if (node !== null) view.report("click", view.scene.id[node]);
    else if (view.scene.primary !== null) view.report("click", -1); // beside all nodes: none of them
  });
  canvas.addEventListener("dblclick", reset);
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls; with Ctrl the picture zooms
      event.preventDefault();
      const frame = view.layout.list.find(({ x, y, width, height }) => {
        const [across, down] = [event.offsetX - x, event.offsetY - y];
        return across >= 0 && across <= width && down >= 0 && down <= height;
      });
      if (!frame) return;
      const across = event.offsetX - frame.x - frame.width / 2;
      const down = event.offsetY - frame.y - frame.height / 2;
      zoomBy(view, Math.exp(-event.deltaY / 300), across, down);
      repaint();
    },
    { passive: false },
  );
  const [closer, farther, all] = view.buttons.querySelectorAll("button");
  const zoom = (factor) => () => {
    zoomBy(view, factor, 0, 0);
    repaint();
  };
  closer.addEventListener("click", zoom(ZOOM_STEP));
  farther.addEventListener("click", zoom(1 / ZOOM_STEP));
  all.addEventListener("click", reset);
  new ResizeObserver(() => {
    if (canvas.clientWidth > 0 && canvas.clientWidth !== view.width) {
      view.width = canvas.clientWidth;
      dress(view);
      repaint();
    }
  }).observe(canvas);
}

// Small frames side by side have no room for buttons, and share one zoom anyway.
function dress(view) {
  const { scene } = view;
  view.buttons.style.display = scene.panels.length === 1 && scene.panels[0].points !== null ? "flex" : "none";
  view.buttons.style.position = view.width < NARROW ? "static" : "absolute"; // below, where they would cover much
  view.buttons.style.paddingTop = view.width < NARROW ? "6px" : "0";
  for (const button of view.buttons.children) {
    button.style.color = scene.ink;
    button.style.background = scene.background;
    button.style.borderColor = scene.muted;
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".gnnviz-scene");
  const canvas = root.querySelector("canvas");
  const view = (root.gnnvizView ??= {
    canvas,
    context: canvas.getContext("2d"),
    legend: root.querySelector(".legend"),
    tip: root.querySelector(".tip"),
    buttons: root.querySelector(".zoom"),
    font: getComputedStyle(root).fontFamily,
    ratio: Math.max(1, window.devicePixelRatio || 1),
    width: canvas.clientWidth || 600,
    zoom: 1,
    dx: 0,
    dy: 0,
    hovered: null,
    neighbours: [],
    count: 0,
    fresh: true,
  });
  view.scene = unpack(JSON.parse(data.scene));
  view.report = setTriggerValue;
  root.dataset.key = data.name;
  root.style.opacity = data.stale ? 0.45 : 1;
  canvas.setAttribute("aria-label", view.scene.alt);
  if (view.count !== view.scene.colour.length) {
    // Another graph than before.
    Object.assign(view, { count: view.scene.colour.length, hovered: null, zoom: 1, dx: 0, dy: 0 });
  }
  view.neighbours = neighboursOf(view, view.hovered);
  legend(view);
  dress(view);
  if (view.fresh) {
    view.fresh = false;
    listen(view);
  }
  paint(view);
}
