// Moves through the frames of a CursorScene: slider, arrow keys, play and pause. Asks no server.
const MOVE = 220; // ms from one frame to the next
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const MANY = 12; // with more frames the film does not stop at each
const PAUSES = { few: 900, many: 130, still: 1300 }; // ms at a frame while playing
const HIT = 12;

// What the slider says: the frame and its stamp in one line.
function spoken(scene, frame) {
  return [scene.names[frame], ...scene.stamps[frame].map(([name, value]) => `${name} ${value}`)].join(", ");
}

function stamp(view) {
  const { scene, target } = view;
  view.slider.value = target;
  view.slider.setAttribute("aria-valuetext", spoken(scene, target));
  view.where.textContent = scene.names[target];
  scene.stamps[target].forEach(([, value], place) => {
    view.values[place].textContent = value;
  });
  for (const panel of view.panels) {
    if (panel.notes) panel.note.textContent = panel.notes[target];
  }
  view.root.dataset.frame = target;
}

// Moves to a frame, from wherever the picture is now.
function go(view, target) {
  view.target = Math.min(view.last, Math.max(0, target));
  Object.assign(view, { from: view.at, begun: performance.now() });
  stamp(view);
  tick(view);
}

function tick(view) {
  if (view.waiting) return;
  view.waiting = true;
  requestAnimationFrame((now) => {
    view.waiting = false;
    if (!view.root.isConnected) return;
    const share = STILL.matches ? 1 : Math.min(1, Math.max(0, (now - view.begun) / MOVE));
    const at = mix(view.from, view.target, share);
    view.moving = share < 1 && view.from !== view.target;
    if (at !== view.at || view.stale) {
      Object.assign(view, { at, stale: false });
      paint(view);
    }
    if (view.playing && !view.moving && now >= view.begun + MOVE + pause(view)) advance(view);
    if (view.playing || view.moving) tick(view);
  });
}

function pause(view) {
  if (STILL.matches) return PAUSES.still;
  return view.last < MANY ? PAUSES.few : PAUSES.many;
}

function advance(view) {
  if (view.target === view.last) play(view, false);
  else go(view, view.target + 1);
}

function play(view, playing) {
  view.playing = playing;
  view.button.textContent = playing ? "❚❚ Pause" : "▶ Play";
  view.button.setAttribute("aria-label", playing ? "Pause" : "Play from here to the last frame");
  if (!playing) return;
  if (view.target === view.last) go(view, 0);
  else go(view, view.target + 1);
}

function repaint(view) {
  view.stale = true;
  tick(view);
}

function panelOf(view, kind, title, settings) {
  const figure = document.createElement("figure");
  figure.className = kind;
  const caption = document.createElement("figcaption");
  const canvas = document.createElement("canvas");
  caption.textContent = title;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${title}. The slider says its numbers.`);
  const note = document.createElement("small");
  if (settings.notes) caption.append(note);
  if (settings.curve) figure.title = settings.curve.help;
  figure.append(caption, canvas);
  view.holder.append(figure);
  return { canvas, note, ...settings };
}

function build(view) {
  const { scene } = view;
  view.holder.replaceChildren();
  view.panels = scene.clouds.map((cloud) =>
    panelOf(view, "cloud", cloud.title, { cloud, notes: cloud.notes, paint: paintCloud }),
  );
  if (scene.histogram) {
    const { title, notes } = scene.histogram;
    view.panels.push(panelOf(view, "histogram", title, { notes, paint: paintHistogram }));
  }
  view.holder.append(view.legend);
  for (const curve of scene.curves) view.panels.push(panelOf(view, "curve", curve.title, { curve, paint: paintCurve }));
  view.holder.classList.toggle("four", scene.curves.length === 4);
  for (const panel of view.panels) if (panel.cloud) hoverOver(view, panel);
}

function texts(view) {
  const { scene } = view;
  view.what.textContent = scene.slider;
  view.values = (scene.stamps[0] ?? []).map(() => document.createElement("dd"));
  const parts = (scene.stamps[0] ?? []).map(([name], place) => {
    const [part, term] = [document.createElement("div"), document.createElement("dt")];
    term.textContent = name;
    part.append(term, view.values[place]);
    return part;
  });
  view.stamp.replaceChildren(...parts);
  const entries = scene.legend.map((entry) => {
    const [item, sign] = [document.createElement("span"), document.createElement("span")];
    sign.textContent = entry.cross ? "✕ " : "● ";
    sign.style.color = entry.colour;
    item.append(sign, entry.label);
    return item;
  });
  view.legend.replaceChildren(...entries);
  view.empty.textContent = scene.reason;
  view.empty.hidden = !scene.reason;
  view.root.setAttribute("aria-label", scene.alt);
  view.slider.setAttribute("aria-label", scene.slider);
  for (const name of ["ink", "muted", "background", "grid", "band", "line"]) {
    view.root.style.setProperty(`--${name}`, scene[name]);
  }
}

function sliderTicks(view) {
  const spans = ticksOf(view.last, view.ticks.clientWidth / TICK_ROOM).map((frame) => {
    const span = document.createElement("span");
    span.textContent = view.scene.places[frame] ?? "";
    span.style.left = `${view.last ? (100 * frame) / view.last : 0}%`;
    return span;
  });
  view.ticks.replaceChildren(...spans);
}

function hoverOver(view, panel) {
  panel.canvas.addEventListener("pointermove", (event) => {
    view.hovered = nearest(view, panel, event.offsetX, event.offsetY);
    tell(view, event);
    repaint(view);
  });
  panel.canvas.addEventListener("pointerleave", (event) => {
    view.hovered = null;
    tell(view, event);
    repaint(view);
  });
}

function nearest(view, panel, x, y) {
  if (!panel.where) return null;
  let best = null;
  let distance = HIT * HIT;
  for (let node = 0; node < view.scene.count; node += 1) {
    const [px, py] = panel.toPixel(panel.where(2 * node), panel.where(2 * node + 1));
    const far = (px - x) ** 2 + (py - y) ** 2;
    if (far < distance) [best, distance] = [node, far];
  }
  return best;
}

function tell(view, event) {
  const { tip, scene, hovered } = view;
  tip.style.display = hovered === null ? "none" : "block";
  if (hovered === null) return;
  const wrong = scene.cross[scene.count * view.target + hovered];
  tip.textContent = scene.hover[hovered] + (wrong ? "\npredicted wrongly here" : ""); // text, never markup
  const flip = event.clientX > window.innerWidth - 300;
  tip.style.left = flip ? "" : `${event.clientX + 14}px`;
  tip.style.right = flip ? `${window.innerWidth - event.clientX + 14}px` : "";
  tip.style.top = `${event.clientY + 14}px`;
}

function listen(view) {
  view.slider.addEventListener("input", () => {
    play(view, false);
    go(view, Number(view.slider.value));
  });
  view.button.addEventListener("click", () => play(view, !view.playing));
  view.root.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.target === view.slider) return; // the slider knows its keys
    event.preventDefault();
    play(view, false);
    go(view, view.target + step);
  });
  new ResizeObserver(() => {
    sliderTicks(view);
    repaint(view);
  }).observe(view.root);
}

function viewOf(root) {
  const part = (name) => root.querySelector(name);
  return {
    root,
    slider: part("input"),
    button: part(".play"),
    what: part(".what"),
    where: part(".where"),
    ticks: part(".ticks"),
    stamp: part(".stamp"),
    empty: part(".empty"),
    holder: part(".panels"),
    legend: part(".legend"),
    tip: part(".tip"),
    font: getComputedStyle(root).fontFamily,
    raw: "",
    at: 0,
    from: 0,
    target: 0,
    begun: 0,
    places: "",
    hovered: null,
    playing: false,
    panels: [],
  };
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".gnnviz-cursor");
  const fresh = !root.gnnvizCursor;
  const view = (root.gnnvizCursor ??= viewOf(root));
  if (view.raw === data.scene) return; // a page that waits for something draws the same scene often
  view.raw = data.scene;
  view.scene = unpack(JSON.parse(data.scene));
  view.last = Math.max(0, view.scene.places.length - 1);
  root.dataset.key = data.name;
  if (view.places !== view.scene.names.join()) {
    // Other frames than before.
    Object.assign(view, { places: view.scene.names.join(), at: 0, from: 0, target: 0, hovered: null });
    play(view, false);
  }
  view.slider.max = view.last;
  view.slider.disabled = view.last === 0;
  view.button.disabled = view.last === 0;
  texts(view);
  build(view);
  sliderTicks(view);
  if (view.scene.places.length) stamp(view);
  if (fresh) listen(view);
  repaint(view);
}
