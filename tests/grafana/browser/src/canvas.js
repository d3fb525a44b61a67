// Remembers what is drawn on each canvas: texts with their boxes, and shapes. A canvas that is cleared is forgotten.

const drawn = new WeakMap();
const paths = new WeakMap();
let lastDrawn = 0;
let kindNow = null;

/** Says what is drawn meanwhile: rectangles are of that kind, and texts are not those of an axis. */
export function drawing(kind, draw) {
  kindNow = kind;
  draw();
  kindNow = null;
}

export const drawnOn = (canvas) => drawn.get(canvas) ?? { texts: [], shapes: [] };
export const lastDrawnAt = () => lastDrawn;

function of(context) {
  lastDrawn = performance.now();
  const { canvas } = context;
  if (!drawn.has(canvas)) {
    drawn.set(canvas, { texts: [], shapes: [] });
  }
  return drawn.get(canvas);
}

/** A box after the context's transform, in pixels of the canvas. */
function placed(context, x, y, width, height) {
  const m = context.getTransform();
  const corners = [[x, y], [x + width, y], [x, y + height], [x + width, y + height]];
  const xs = corners.map(([a, b]) => m.a * a + m.c * b + m.e);
  const ys = corners.map(([a, b]) => m.b * a + m.d * b + m.f);
  const left = Math.min(...xs);
  const top = Math.min(...ys);
  return { x: left, y: top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

function wrap(prototype, name, before) {
  const real = prototype[name];
  prototype[name] = function (...given) {
    before(this, ...given);
    return real.apply(this, given);
  };
}

const context2d = CanvasRenderingContext2D.prototype;

wrap(context2d, 'fillText', (context, text, x, y) => {
  const size = context.measureText(text);
  const m = context.getTransform();
  const box = placed(
    context,
    x - size.actualBoundingBoxLeft,
    y - size.actualBoundingBoxAscent,
    size.actualBoundingBoxLeft + size.actualBoundingBoxRight,
    size.actualBoundingBoxAscent + size.actualBoundingBoxDescent
  );
  const font = parseFloat(/([\d.]+)px/.exec(context.font)?.[1] ?? '0') * Math.hypot(m.a, m.b);
  of(context).texts.push({
    text: String(text),
    ...box,
    font,
    color: context.fillStyle,
    alpha: context.globalAlpha,
    axis: kindNow === null,
  });
});

wrap(context2d, 'clearRect', (context, x, y, width, height) => {
  if (x <= 0 && y <= 0 && width >= context.canvas.width && height >= context.canvas.height) {
    drawn.delete(context.canvas);
    lastDrawn = performance.now();
  }
});

wrap(context2d, 'fillRect', (context, x, y, width, height) => {
  shape(context, kindNow ?? 'rect', placed(context, x, y, width, height), context.fillStyle);
});

function shape(context, kind, box, color) {
  if (context.globalAlpha > 0 && box.width + box.height > 0) {
    of(context).shapes.push({ kind, ...box, color, alpha: context.globalAlpha });
  }
}

const follow = (path) => {
  if (!paths.has(path)) {
    paths.set(path, { rects: [], arcs: 0, left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity });
  }
  return paths.get(path);
};

function reach(path, x, y) {
  const followed = follow(path);
  followed.left = Math.min(followed.left, x);
  followed.right = Math.max(followed.right, x);
  followed.top = Math.min(followed.top, y);
  followed.bottom = Math.max(followed.bottom, y);
}

const path2d = Path2D.prototype;

/** A path that begins as another one: an area below a line begins as the line. */
globalThis.Path2D = class extends Path2D {
  constructor(begun) {
    super(begun);
    if (begun instanceof Path2D && paths.has(begun)) {
      paths.set(this, structuredClone(paths.get(begun)));
    }
  }
};

for (const name of ['moveTo', 'lineTo']) {
  wrap(path2d, name, reach);
}
wrap(path2d, 'bezierCurveTo', (path, a, b, c, d, x, y) => reach(path, x, y));
wrap(path2d, 'arc', (path, x, y, radius) => {
  follow(path).arcs += 1;
  reach(path, x - radius, y - radius);
  reach(path, x + radius, y + radius);
});
for (const name of ['rect', 'roundRect']) {
  wrap(path2d, name, (path, x, y, width, height) => follow(path).rects.push([x, y, width, height]));
}

function painted(context, path, kind, color) {
  const followed = path instanceof Path2D && paths.get(path);
  if (!followed) {
    return;
  }
  for (const rect of followed.rects) {
    shape(context, 'bar', placed(context, ...rect), color);
  }
  if (followed.right >= followed.left) {
    const { left, top, right, bottom, arcs } = followed;
    shape(context, arcs ? 'points' : kind, placed(context, left, top, right - left, bottom - top), color);
  }
}

wrap(context2d, 'fill', (context, path) => painted(context, path, 'band', context.fillStyle));
wrap(context2d, 'stroke', (context, path) => painted(context, path, 'line', context.strokeStyle));
