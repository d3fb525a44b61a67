// Annotations of a dashboard on a time series: a dashed line where one begins, a shaded span where it lasts.

import { colorManipulator } from '@grafana/data';
import { useLayoutEffect, useRef } from 'react';
import { drawing } from '../canvas.js';

const MARK = 5; // pixels: half the width of the mark on the axis
const SHADE = 0.1;

/** Hooks the events into a plot before it is made; a later set is drawn by the same hook. */
export function Annotations({ config, frames }) {
  const events = useRef([]);
  events.current = frames.flatMap(eventsOf);
  useLayoutEffect(() => {
    config.addHook('draw', (u) => drawing('annotation', () => events.current.forEach((event) => drawEvent(u, event))));
  }, [config]);
  return null;
}

function eventsOf(frame) {
  const column = (name) => frame.fields.find((f) => f.name === name)?.values ?? [];
  const [times, ends, colors, regions] = ['time', 'timeEnd', 'color', 'isRegion'].map(column);
  return times.map((time, i) => ({ time, end: regions[i] ? ends[i] : null, color: colors[i] }));
}

function drawEvent(u, { time, end, color }) {
  const { ctx, bbox } = u;
  const [left, right] = [bbox.left, bbox.left + bbox.width];
  const from = u.valToPos(time, 'x', true);
  const to = end === null ? from : u.valToPos(end, 'x', true);
  if (to < left || from > right) {
    return;
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height + MARK * 2 * devicePixelRatio);
  ctx.clip();
  if (end !== null) {
    ctx.fillStyle = colorManipulator.alpha(color, SHADE);
    ctx.fillRect(from, bbox.top, to - from, bbox.height);
    ctx.fillStyle = color;
    ctx.fillRect(from, bbox.top + bbox.height, to - from, MARK * devicePixelRatio);
  }
  drawMark(ctx, bbox, from, color);
  ctx.strokeStyle = color;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 5 * devicePixelRatio]);
  for (const x of end === null ? [from] : [from, to]) {
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

function drawMark(ctx, bbox, x, color) {
  const size = MARK * devicePixelRatio;
  const y = bbox.top + bbox.height;
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x - size, y + size);
  ctx.lineTo(x + size, y + size);
  ctx.fill();
}
