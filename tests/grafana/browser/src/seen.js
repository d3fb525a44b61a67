// Texts and shapes as they are seen, of the document and of canvases.

import { drawnOn } from './canvas.js';
import { backgroundOf, contrast, hex, over, parsed, solid } from './colors.js';

const LEADING = 0.15; // of the font's size: what a line's box has above and below its letters
const TOLERANCE = 1; // pixels by which a glyph's box may pass an edge unseen

const panelIdOf = (element) => {
  const key = element?.closest('[data-viz-panel-key]')?.dataset.vizPanelKey;
  return key ? Number(key.replace('panel-', '')) : null;
};

const rounded = (n) => Math.round(n * 10) / 10;

function seen({ left, top, right, bottom }) {
  return { x: rounded(left), y: rounded(top + scrollY), width: rounded(right - left), height: rounded(bottom - top) };
}

export function domTexts() {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const isWritten = node.textContent.trim() && !element.closest('style, script, noscript, svg title');
    if (isWritten && isVisible(element)) {
      found.push(...linesOf(node).map((line) => textSeen(line, element)));
    }
  }
  return found.filter(Boolean);
}

function isVisible(element) {
  if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) {
    return false;
  }
  for (let e = element; e; e = e.parentElement) {
    const { clip, clipPath } = getComputedStyle(e);
    if (clip === 'rect(0px, 0px, 0px, 0px)' || clipPath === 'inset(50%)') {
      return false;
    }
  }
  return true;
}

/** How much of an element can be seen through it and those around it. */
function opacityOf(element) {
  let opacity = 1;
  for (let e = element; e; e = e.parentElement) {
    opacity *= Number(getComputedStyle(e).opacity);
  }
  return opacity;
}

/** A text as it is broken into lines: the words of each, and its box. */
function linesOf(node) {
  const whole = document.createRange();
  whole.selectNodeContents(node);
  const boxes = boxesOf(whole);
  if (!boxes.length) {
    return [];
  }
  if (around(boxes).bottom - around(boxes).top <= boxes[0].height * 1.5) {
    return [{ text: node.textContent.replace(/\s+/g, ' ').trim(), box: around(boxes) }];
  }
  const lines = [];
  for (const word of node.textContent.matchAll(/\S+/g)) {
    const range = document.createRange();
    range.setStart(node, word.index);
    range.setEnd(node, word.index + word[0].length);
    for (const box of boxesOf(range)) {
      const last = lines.at(-1);
      if (last && Math.abs(last.box.top - box.top) < box.height / 2) {
        last.words.push(word[0]);
        last.box = around([last.box, box]);
      } else {
        lines.push({ words: [word[0]], box: around([box]) });
      }
    }
  }
  return lines.map(({ words, box }) => ({ text: words.join(' '), box }));
}

const boxesOf = (range) => [...range.getClientRects()].filter((r) => r.width && r.height);

const around = (boxes) => ({
  left: Math.min(...boxes.map((r) => r.left)),
  top: Math.min(...boxes.map((r) => r.top)),
  right: Math.max(...boxes.map((r) => r.right)),
  bottom: Math.max(...boxes.map((r) => r.bottom)),
});

function textSeen({ text, box }, element) {
  const shown = clipped(box, element);
  if (!shown) {
    return null;
  }
  const style = getComputedStyle(element);
  const background = backgroundOf(element);
  const [r, g, b, alpha] = parsed(style.color);
  const color = over([r, g, b, alpha * opacityOf(element)], background);
  return {
    text,
    ...seen(shown.box),
    font_px: parseFloat(style.fontSize),
    color: hex(color),
    background: hex(background),
    contrast: contrast(color, background),
    cut: shown.isCut,
    panel: panelIdOf(element),
    canvas: false,
    axis: false,
  };
}

/** What is left of a box within all that hides what passes its edges; nothing if it is scrolled away. */
function clipped(given, element) {
  const leading = Math.max(TOLERANCE, LEADING * parseFloat(getComputedStyle(element).fontSize));
  let box = given;
  let isCut = false;
  for (let e = element; e && e !== document.body; e = e.parentElement) {
    const style = getComputedStyle(e);
    for (const [axis, low, high] of [['X', 'left', 'right'], ['Y', 'top', 'bottom']]) {
      const own = style[`overflow${axis}`];
      const overflow = own === 'visible' && /paint|strict|content/.test(style.contain) ? 'clip' : own;
      if (overflow === 'visible') {
        continue;
      }
      const edges = e.getBoundingClientRect();
      const slack = axis === 'Y' ? leading : TOLERANCE;
      if (box[low] >= edges[low] - slack && box[high] <= edges[high] + slack) {
        continue;
      }
      if (overflow === 'auto' || overflow === 'scroll') {
        if (box[low] >= edges[high] || box[high] <= edges[low]) {
          return null;
        }
        // Nobody scrolls where a single line is to be seen: what it hides of that is cut.
        isCut ||= axis === 'Y' && edges.height < 2 * (given.bottom - given.top);
      } else {
        isCut = true;
      }
      box = { ...box, [low]: Math.max(box[low], edges[low]), [high]: Math.min(box[high], edges[high]) };
    }
  }
  isCut ||= box.left < -TOLERANCE || box.right > document.documentElement.clientWidth + TOLERANCE;
  return { box, isCut };
}

/** Every link that can be seen: its words, where it leads and where it stands. */
export function links() {
  return [...document.querySelectorAll('a[href]')].filter(isVisible).map((a) => ({
    text: a.textContent.replace(/\s+/g, ' ').trim() || a.title || a.getAttribute('aria-label') || '',
    href: a.getAttribute('href'),
    panel: panelIdOf(a),
    ...seen(a.getBoundingClientRect()),
  }));
}

const canvases = () => [...document.querySelectorAll('canvas')].filter((c) => c.width && c.checkVisibility());

/** From pixels of a canvas to those of the page. */
function onPage(canvas) {
  const edges = canvas.getBoundingClientRect();
  const [sx, sy] = [edges.width / canvas.width, edges.height / canvas.height];
  return ({ x, y, width, height }) => ({
    left: edges.left + x * sx,
    top: edges.top + y * sy,
    right: edges.left + (x + width) * sx,
    bottom: edges.top + (y + height) * sy,
  });
}

export function canvasTexts() {
  return canvases().flatMap((canvas) => {
    const { texts } = drawnOn(canvas);
    if (!texts.length) {
      return [];
    }
    const place = onPage(canvas);
    const page = backgroundOf(canvas);
    const scale = canvas.getBoundingClientRect().width / canvas.width;
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return texts
      .filter(({ text }) => text.trim())
      .map(({ text, font, color: paint, alpha, axis, ...box }) => {
        const background = over(commonest(pixels, box), page);
        const [r, g, b, a] = parsed(paint);
        const color = over([r, g, b, a * alpha], background);
        const placed = place(box);
        return {
          text,
          ...seen(placed),
          font_px: rounded(font * scale),
          color: hex(color),
          background: hex(background),
          contrast: contrast(color, background),
          cut: isOutside(box, canvas) || placed.right > document.documentElement.clientWidth + TOLERANCE,
          panel: panelIdOf(canvas),
          canvas: true,
          axis,
        };
      });
  });
}

const isOutside = ({ x, y, width, height }, canvas) =>
  x < -TOLERANCE || y < -TOLERANCE || x + width > canvas.width + TOLERANCE || y + height > canvas.height + TOLERANCE;

/** The colour that most pixels of a box have, which is what a text in it stands on. */
function commonest({ data, width: across, height: down }, box) {
  const counts = new Map();
  const [left, right] = [Math.max(0, Math.floor(box.x) - 1), Math.min(across, Math.ceil(box.x + box.width) + 1)];
  const [top, bottom] = [Math.max(0, Math.floor(box.y) - 1), Math.min(down, Math.ceil(box.y + box.height) + 1)];
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = (y * across + x) * 4;
      const key = ((data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3]) >>> 0;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  let best = 0;
  let most = 0;
  for (const [key, count] of counts) {
    if (count > most) {
      [best, most] = [key, count];
    }
  }
  return [best >>> 24, (best >>> 16) & 255, (best >>> 8) & 255, (best & 255) / 255];
}

export function canvasShapes() {
  return canvases().flatMap((canvas) => {
    const place = onPage(canvas);
    const background = backgroundOf(canvas);
    return drawnOn(canvas).shapes.flatMap(({ kind, color: paint, alpha, ...box }) => {
      const [r, g, b, a] = parsed(paint);
      const left = within(box, canvas);
      return a * alpha > 0 && left
        ? [shape(kind, place(left), over([r, g, b, a * alpha], background), background, canvas)]
        : [];
    });
  });
}

/** What of a box is on the canvas. */
function within({ x, y, width, height }, canvas) {
  const [left, top] = [Math.max(x, 0), Math.max(y, 0)];
  const [right, bottom] = [Math.min(x + width, canvas.width), Math.min(y + height, canvas.height)];
  return right >= left && bottom >= top ? { x: left, y: top, width: right - left, height: bottom - top } : null;
}

const shape = (kind, box, color, background, element) => ({
  panel: panelIdOf(element),
  kind,
  ...seen(box),
  color: hex(color),
  background: hex(background),
  contrast: contrast(color, background),
});

/** Elements of panels that are nothing but a colour: bars of gauges, bands, marks of a legend. */
export function domShapes() {
  const found = [];
  for (const element of document.querySelectorAll('[data-viz-panel-key] section *, [data-viz-panel-key] div')) {
    if (element.textContent || element instanceof HTMLCanvasElement || !element.checkVisibility()) {
      continue;
    }
    const own = solid(getComputedStyle(element));
    const box = element.getBoundingClientRect();
    if (own[3] === 0 || box.width < 2 || box.height < 2) {
      continue;
    }
    const background = backgroundOf(element.parentElement);
    const kind = element.dataset.testid === 'series-icon' ? 'mark' : box.height > 8 ? 'bar' : 'line';
    found.push(shape(kind, box, over(own, background), background, element));
  }
  return found;
}
