// Paints a GraphScene: frames of points, edges between them, names beside them.
const RADIUS = 3.2;
const GAP = 14;
const TITLE = 26;
const DIM = 0.13;
const MIN_FRAME = 150;
const NARROW = 420; // a frame of a phone: no higher than its content, with smaller marks
const FEW = 300; // so few nodes have room for larger dots
const NAMED = 60; // so few nodes in view have their names written beside them
const NAME_LENGTH = 24;

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
    size: scene.sizes === null ? null : decode(scene.sizes, Float32Array),
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
  const needed = (1.1 * frameWidth * (top - bottom)) / (right - left);
  const height = frameWidth < NARROW ? Math.min(scene.height, Math.max(MIN_FRAME, needed)) : scene.height;
  const scale = Math.min(frameWidth / (right - left), height / (top - bottom)) * view.zoom;
  const rows = Math.ceil(scene.panels.length / columns);
  return {
    total: rows * (height + titled) + (rows - 1) * GAP + named,
    list: scene.panels.map((panel, place) => {
      const x = (place % columns) * (frameWidth + GAP);
      const y = Math.floor(place / columns) * (height + titled + GAP) + titled;
      const px = (value) => x + frameWidth / 2 + (value - (left + right) / 2) * scale + view.dx;
      const py = (value) => y + height / 2 - (value - (bottom + top) / 2) * scale + view.dy;
      return { panel, x, y, width: frameWidth, height, px, py };
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
  canvas.style.touchAction = view.zoom > 1 ? "none" : "auto"; // zoomed in, a finger moves the picture
  for (const frame of layout.list) paintFrame(view, frame);
  const last = layout.list[0];
  if (!last) return;
  context.font = `15px ${view.font}`;
  context.fillStyle = scene.muted;
  context.textAlign = "right";
  context.textBaseline = "alphabetic";
  if (scene.axes[0]) context.fillText(`→ ${scene.axes[0]}   ↑ ${scene.axes[1]}`, view.width, layout.total - 6, view.width);
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
    paintNames(view, frame);
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
  context.globalAlpha = scene.bright === null ? 1 : 0.5;
  context.beginPath();
  for (let e = 0; e < scene.edge_list.length; e += 2) line(scene.edge_list[e], scene.edge_list[e + 1]);
  context.stroke();
  context.globalAlpha = 0.75;
  context.lineWidth = 1.5;
  context.strokeStyle = scene.ink;
  context.beginPath();
  for (let e = 0; e < scene.edge_list.length; e += 2) {
    const [from, to] = [scene.edge_list[e], scene.edge_list[e + 1]];
    if (inLight(view, from) || inLight(view, to)) line(from, to);
  }
  context.stroke();
  context.globalAlpha = 1;
}

// The two nodes whose edges are shown: the one that is looked at, and the one under the pointer.
const inLight = (view, node) => node === view.scene.primary || node === view.hovered;

// What a node is drawn with: larger on few nodes, and a little larger when zoomed.
function radius(view, node) {
  const { scene } = view;
  const roomy = view.layout.list[0].width < NARROW && scene.size !== null ? 0.6 : 1;
  const usual = roomy * RADIUS * Math.min(2.2, Math.sqrt(view.zoom)) * (scene.colour.length < FEW ? 2.2 : 1);
  return usual * (scene.size === null ? 1 : scene.size[node]);
}

function neighboursOf(view, node) {
  const { edge_list: edges } = view.scene;
  const found = [];
  if (node === null) return found;
  for (let e = 0; e < edges.length; e += 2) {
    if (edges[e] === node) found.push(edges[e + 1]);
    else if (edges[e + 1] === node) found.push(edges[e]);
  }
  return found;
}

function paintNodes(view, frame) {
  const { scene, context } = view;
  const { points } = frame.panel;
  const lit = (node) => scene.bright === null || scene.bright.has(node);
  const marks = (wanted, colour) => {
    const crosses = new Path2D();
    const discs = new Path2D();
    for (const node of wanted) {
      const x = frame.px(points[2 * node]);
      const y = frame.py(points[2 * node + 1]);
      const size = radius(view, node);
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
    context.fillStyle = scene.hollow[colour] ? scene.background : context.strokeStyle;
    context.lineWidth = 1.8;
    context.fill(discs);
    context.stroke(crosses);
    if (scene.hollow[colour]) context.stroke(discs);
  };
  for (const bright of [false, true]) {
    if (!bright && scene.bright === null) continue;
    context.globalAlpha = bright ? 0.88 : DIM;
    for (let colour = 0; colour < scene.palette.length; colour += 1) {
      context.strokeStyle = bright ? scene.palette[colour] : scene.muted;
      const members = [];
      for (let node = 0; node < scene.colour.length; node += 1) {
        if (scene.colour[node] === colour && lit(node) === bright) members.push(node);
      }
      marks(members, colour);
    }
  }
  context.globalAlpha = 1;
  for (const node of view.neighbours) {
    context.strokeStyle = scene.palette[scene.colour[node]];
    marks([node], scene.colour[node]);
    ring(view, frame, node, 2, 1.6);
  }
  if (scene.primary !== null) ring(view, frame, scene.primary, 5, 3);
  if (view.hovered !== null) ring(view, frame, view.hovered, 5, 2);
}

function ring(view, frame, node, distance, width) {
  const { scene, context } = view;
  const { points } = frame.panel;
  context.strokeStyle = scene.ink;
  context.lineWidth = width;
  context.beginPath();
  context.arc(
    frame.px(points[2 * node]),
    frame.py(points[2 * node + 1]),
    radius(view, node) + distance,
    0,
    2 * Math.PI,
  );
  context.stroke();
}

// Writes names beside nodes where few enough are in view; beside the node that is looked at always.
function paintNames(view, frame) {
  const { scene, context } = view;
  const { points } = frame.panel;
  if (!scene.names.length) return;
  let inView = [];
  for (let node = 0; node < scene.colour.length && inView.length <= NAMED; node += 1) {
    const x = frame.px(points[2 * node]) - frame.x;
    const y = frame.py(points[2 * node + 1]) - frame.y;
    if (x >= 0 && x <= frame.width && y >= 0 && y <= frame.height) inView.push(node);
  }
  if (inView.length > NAMED) inView = scene.primary === null ? [] : [scene.primary];
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 4;
  context.strokeStyle = scene.background;
  context.fillStyle = scene.ink;
  for (const node of inView) {
    const text = scene.names[node].slice(0, NAME_LENGTH);
    context.font = `${node === scene.primary ? "600 15px" : "14px"} ${view.font}`;
    const offset = radius(view, node) + (node === scene.primary ? 10 : 4);
    const x = frame.px(points[2 * node]);
    const y = frame.py(points[2 * node + 1]);
    const left = x + offset + context.measureText(text).width > frame.x + frame.width;
    context.textAlign = left ? "right" : "left";
    context.strokeText(text, left ? x - offset : x + offset, y);
    context.fillText(text, left ? x - offset : x + offset, y);
  }
}
