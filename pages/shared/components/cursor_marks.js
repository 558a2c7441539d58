// Marks of nodes as pixels: copied by hand, thousands take a quarter of the canvas's own time.
const SOLID = 250; // an alpha from which nothing shines through
const OPACITY = 0.88;

// A disc and a cross of each colour, as pixels in an image of a width: where they are, and what they are.
function marksOf(view, radius, wide) {
  const { palette } = view.scene;
  const key = [radius, wide, ...palette].join();
  if (view.marks?.key === key) return view.marks;
  const cell = Math.ceil(2 * radius + 4);
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: cell, height: cell });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const marks = palette.flatMap((colour) => [drawDisc, drawCross].map((draw) => {
    context.clearRect(0, 0, cell, cell);
    Object.assign(context, { fillStyle: colour, strokeStyle: colour, globalAlpha: OPACITY });
    context.lineWidth = 0.58 * radius;
    draw(context, cell / 2, radius);
    return pixelsOf(context, cell, wide);
  }));
  view.marks = { key, cell, marks };
  return view.marks;
}

function drawDisc(context, middle, radius) {
  context.beginPath();
  context.arc(middle, middle, radius, 0, 2 * Math.PI);
  context.fill();
}

function drawCross(context, middle, radius) {
  const [low, high] = [middle - radius, middle + radius];
  context.beginPath();
  context.moveTo(low, low);
  context.lineTo(high, high);
  context.moveTo(low, high);
  context.lineTo(high, low);
  context.stroke();
}

function pixelsOf(context, cell, wide) {
  const all = new Uint32Array(context.getImageData(0, 0, cell, cell).data.buffer);
  const drawn = [...all.keys()].filter((place) => all[place] >>> 24);
  return {
    offsets: Int32Array.from(drawn, (place) => Math.floor(place / cell) * wide + (place % cell)),
    colours: Uint32Array.from(drawn, (place) => all[place]),
  };
}

// Lays a mark over what is there.
function copyMark(pixels, start, { offsets, colours }) {
  for (let place = 0; place < offsets.length; place += 1) {
    const at = start + offsets[place];
    const [over, under] = [colours[place], pixels[at]];
    pixels[at] = over >>> 24 >= SOLID || under === 0 ? over : blend(over, under);
  }
}

// Mixes two colours, each with its alpha in the highest byte.
function blend(over, under) {
  const alpha = over >>> 24;
  const channel = (shift) => (((over >>> shift) & 255) * alpha + ((under >>> shift) & 255) * (255 - alpha)) >> 8;
  const opacity = Math.max(alpha, under >>> 24);
  return ((opacity << 24) | (channel(16) << 16) | (channel(8) << 8) | channel(0)) >>> 0;
}
