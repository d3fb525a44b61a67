// Bars and their values, drawn on the canvas of a uPlot.

import { colorManipulator, formattedValueToString, getFieldSeriesColor } from '@grafana/data';
import { measureText } from '@grafana/ui';

const SMALLEST_VALUE = 8;
const LARGEST_VALUE = 30;
const OF_BAR = 0.65; // of a bar's thickness, a value may be as high
const GAP = 4; // between a bar's end and its value

export function drawBars(u, chart) {
  const { ctx } = u;
  const bars = placed(u, chart);
  ctx.save();
  for (const bar of bars) {
    drawBar(ctx, bar, chart);
  }
  if (chart.options.showValue !== 'never') {
    const size = chart.options.text?.valueSize ?? fitting(u, bars, chart);
    if (size >= SMALLEST_VALUE || chart.options.showValue === 'always') {
      bars.forEach((bar) => drawValue(ctx, bar, Math.max(size, SMALLEST_VALUE), chart));
    }
  }
  ctx.restore();
}

/** Each bar along the axis of categories ("at", "thickness") and along that of values ("from", "to"), in canvas pixels. */
function placed(u, { columns, fields, isStacked, options, frame }) {
  const bars = [];
  const step = Math.abs(u.valToPos(1, 'x', true) - u.valToPos(0, 'x', true));
  const isAlone = isStacked || fields.length === 1;
  const group = step * (isAlone ? 1 : options.groupWidth);
  const slot = isAlone ? group : group / fields.length;
  fields.forEach((field, k) => {
    const { scale } = u.series[k + 1];
    for (let i = 0; i < frame.length; i++) {
      const value = field.values[i];
      if (value == null) {
        continue;
      }
      const end = columns[k + 1][i];
      const middle = u.valToPos(i, 'x', true) + (isAlone ? 0 : (k - (fields.length - 1) / 2) * slot);
      const thickness = slot * options.barWidth;
      bars.push({
        field,
        value,
        at: middle - thickness / 2,
        thickness,
        from: u.valToPos(isStacked ? end - value : 0, scale, true),
        to: u.valToPos(end, scale, true),
      });
    }
  });
  return bars;
}

function drawBar(ctx, { field, at, thickness, from, to, value }, { isHorizontal, theme }) {
  const { fillOpacity = 80, lineWidth = 1 } = field.config.custom ?? {};
  const color = colorOf(field, value, theme);
  const low = Math.min(from, to);
  const length = Math.abs(to - from);
  const box = isHorizontal ? [low, at, length, thickness] : [at, low, thickness, length];
  if (!length) {
    return;
  }
  ctx.fillStyle = colorManipulator.alpha(color, fillOpacity / 100);
  ctx.fillRect(...box.map(Math.round));
  if (lineWidth) {
    ctx.lineWidth = lineWidth * devicePixelRatio;
    ctx.strokeStyle = color;
    ctx.strokeRect(...box.map(Math.round));
  }
}

function colorOf(field, value, theme) {
  const { mode } = field.config.color ?? {};
  const isByValue = mode === 'thresholds' || mode?.startsWith('continuous');
  const mapped = field.config.mappings?.length ? field.display(value).color : undefined;
  return isByValue ? field.display(value).color : (mapped ?? getFieldSeriesColor(field, theme).color);
}

/** One size for all values: as large as the thinnest bar and the widest value allow. */
function fitting(u, bars, { isHorizontal, theme }) {
  let size = LARGEST_VALUE;
  for (const bar of bars) {
    const thickness = bar.thickness / devicePixelRatio;
    const width = measureText(formattedValueToString(bar.field.display(bar.value)), 100).width / 100;
    const left = isHorizontal ? (u.bbox.left + u.bbox.width - bar.to) / devicePixelRatio : bar.to / devicePixelRatio;
    size = Math.min(
      size,
      isHorizontal ? thickness * OF_BAR : thickness / width,
      isHorizontal ? (left - GAP) / width : left - GAP
    );
  }
  return Math.floor(size);
}

function drawValue(ctx, { field, value, at, thickness, from, to }, size, { isHorizontal, theme }) {
  const text = formattedValueToString(field.display(value));
  const gap = GAP * devicePixelRatio;
  const middle = at + thickness / 2;
  ctx.font = `${size * devicePixelRatio}px ${theme.typography.fontFamily}`;
  ctx.fillStyle = theme.colors.text.primary;
  if (isHorizontal) {
    ctx.textAlign = value < 0 ? 'right' : 'left';
    ctx.textBaseline = 'middle';
    ctx.fillText(text, to + (value < 0 ? -gap : gap), middle);
  } else {
    ctx.textAlign = 'center';
    ctx.textBaseline = value < 0 ? 'top' : 'bottom';
    ctx.fillText(text, middle, to + (value < 0 ? gap : -gap));
  }
}
