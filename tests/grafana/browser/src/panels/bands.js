// Bands and their texts, drawn on the canvas of a uPlot.

import { colorManipulator, formattedValueToString } from '@grafana/data';
import { getTextColorForAlphaBackground, measureText } from '@grafana/ui';

const FONT = 12;
const PADDING = 4; // pixels between a band's edge and its text

export function drawBands(u, rows, options, theme) {
  const { ctx, bbox } = u;
  const step = bbox.height / rows.length;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  rows.forEach(({ field, bands }, i) => {
    const height = step * options.rowHeight;
    const top = bbox.top + step * (i + 0.5) - height / 2;
    for (const { value, from, to } of bands) {
      const left = Math.max(u.valToPos(from, 'x', true), bbox.left);
      const right = Math.min(u.valToPos(to, 'x', true), bbox.left + bbox.width);
      if (right > left) {
        drawBand(ctx, { left, top, width: right - left, height }, field, value, options, theme);
      }
    }
  });
  ctx.restore();
}

function drawBand(ctx, { left, top, width, height }, field, value, options, theme) {
  const { fillOpacity = 70, lineWidth = 0 } = field.config.custom ?? {};
  const shown = field.display(value);
  const color = colorManipulator.alpha(shown.color, fillOpacity / 100);
  ctx.fillStyle = color;
  ctx.fillRect(Math.round(left), Math.round(top), Math.max(1, Math.round(width)), Math.round(height));
  if (lineWidth) {
    ctx.lineWidth = lineWidth * devicePixelRatio;
    ctx.strokeStyle = shown.color;
    ctx.strokeRect(Math.round(left), Math.round(top), Math.max(1, Math.round(width)), Math.round(height));
  }
  const text = formattedValueToString(shown);
  const needed = (measureText(text, FONT).width + PADDING) * devicePixelRatio;
  if (options.showValue === 'never' || (options.showValue === 'auto' && needed > width)) {
    return;
  }
  const gap = PADDING * devicePixelRatio;
  ctx.font = `${FONT * devicePixelRatio}px ${theme.typography.fontFamily}`;
  ctx.fillStyle = fillOpacity > 0 ? getTextColorForAlphaBackground(color, theme.isDark) : theme.colors.text.primary;
  ctx.textBaseline = 'middle';
  ctx.textAlign = options.alignValue ?? 'left';
  const places = { left: left + gap, center: left + width / 2, right: left + width - gap };
  ctx.fillText(text, places[ctx.textAlign], top + height / 2);
}
