// Colours as they are seen: blended over what lies below them, and how much two of them differ (WCAG 2).

export const CLEAR = [0, 0, 0, 0];
const known = new Map();
const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

/** Red, green, blue of 255 and alpha of 1, of whatever CSS allows. */
export function parsed(css) {
  const numbers = /^rgba?\(([\d.]+),? ([\d.]+),? ([\d.]+)(?:,? ?\/? ?([\d.]+))?\)$/.exec(css);
  if (numbers) {
    return [Number(numbers[1]), Number(numbers[2]), Number(numbers[3]), Number(numbers[4] ?? 1)];
  }
  if (typeof css !== 'string') {
    return CLEAR;
  }
  if (!known.has(css)) {
    probe.canvas.width = 1;
    probe.fillStyle = css;
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = probe.getImageData(0, 0, 1, 1).data;
    known.set(css, [r, g, b, a / 255]);
  }
  return known.get(css);
}

export function over([r, g, b, alpha], [below_r, below_g, below_b]) {
  const mix = (top, below) => top * alpha + below * (1 - alpha);
  return [mix(r, below_r), mix(g, below_g), mix(b, below_b), 1];
}

function luminance([r, g, b]) {
  const linear = (part) => {
    const c = part / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

export function contrast(one, other) {
  const [bright, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return Math.round(((bright + 0.05) / (dark + 0.05)) * 100) / 100;
}

export const hex = ([r, g, b]) =>
  `#${[r, g, b].map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;

/** What an element stands on: the backgrounds of it and of those around it. */
export function backgroundOf(element) {
  const layers = [];
  for (let e = element; e; e = e.parentElement) {
    const style = getComputedStyle(e);
    const layer = solid(style);
    if (layer[3] > 0) {
      layers.push(layer);
      if (layer[3] === 1) {
        break;
      }
    }
  }
  return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255, 1]);
}

/** An element's own background; of a gradient, the colour that it begins with. */
export function solid(style) {
  const gradient = /gradient\([^#r]*(#[0-9a-f]{3,8}|rgba?\([^)]*\))/i.exec(style.backgroundImage);
  return parsed(gradient ? gradient[1] : style.backgroundColor);
}
