// Bars by the values of a field, after the documentation of Grafana's bar chart, on the library's uPlot parts.

import {
  FieldColorModeId,
  FieldType,
  formattedValueToString,
  getFieldDisplayName,
  getFieldSeriesColor,
  outerJoinDataFrames,
} from '@grafana/data';
import { UPlotChart, UPlotConfigBuilder, VizLayout, measureText, useTheme2 } from '@grafana/ui';
import uPlot from 'uplot';
import { useMemo } from 'react';
import { drawing } from '../canvas.js';
import { panelPlugin } from '../fieldConfig.js';
import { drawBars } from './bars.js';
import { fieldsLegend, legendOf } from './legend.jsx';
import { NoData } from './noData.jsx';

const AXIS_FONT = 12;
const HORIZONTAL = 0; // as the schema numbers orientations of a scale
const VERTICAL = 1;
const UP_OR_RIGHT = 1;
const DOWN_OR_LEFT = -1;

function Bars({ data, fieldConfig, height, options, width }) {
  const theme = useTheme2();
  const chart = useMemo(() => prepared(data.series, options), [data.series, options]);
  const config = useMemo(() => chart && configured(chart, options, theme, width), [chart, options, theme, width]);
  if (!chart) {
    return <NoData data={data} fieldConfig={fieldConfig} needs={missing(data.series)} />;
  }
  const legend = fieldsLegend({ legend: legendOf(options), frame: chart.frame, fields: chart.fields, theme });
  return (
    <VizLayout width={width} height={height} legend={legend}>
      {(plotWidth, plotHeight) => (
        <UPlotChart config={config} data={chart.columns} width={plotWidth} height={plotHeight} />
      )}
    </VizLayout>
  );
}

const missing = (frames) =>
  frames.some((f) => f.fields.some(({ type }) => type === FieldType.number)) ? [FieldType.string] : [FieldType.number];

function prepared(frames, options) {
  const filled = frames.filter((f) => f.length);
  if (!filled.length) {
    return null;
  }
  const frame = filled.length > 1 ? outerJoinDataFrames({ frames: filled }) : filled[0];
  const named = (f) => f.name === options.xField || getFieldDisplayName(f, frame) === options.xField;
  const x =
    frame.fields.find((f) => options.xField && named(f)) ??
    frame.fields.find((f) => f.type === FieldType.string) ??
    frame.fields.find((f) => f.type === FieldType.time);
  const fields = frame.fields.filter(
    (f) => f !== x && f.type === FieldType.number && !f.config.custom?.hideFrom?.viz
  );
  if (!x || !fields.length) {
    return null;
  }
  const isStacked = options.stacking && options.stacking !== 'none';
  return { frame, x, fields, isStacked, columns: [x.values.map((_, i) => i), ...heights(fields, isStacked)] };
}

/** How far each bar reaches: its own value, or that on top of those before it. */
function heights(fields, isStacked) {
  if (!isStacked) {
    return fields.map((f) => f.values);
  }
  const up = [];
  const down = [];
  return fields.map(({ values }) =>
    values.map((v, i) => {
      const sums = v < 0 ? down : up;
      sums[i] = (sums[i] ?? 0) + (v ?? 0);
      return v == null ? null : sums[i];
    })
  );
}

function configured(chart, options, theme, width) {
  const isHorizontal =
    options.orientation === 'horizontal' || (options.orientation === 'auto' && isNarrow(chart, width));
  const builder = new UPlotConfigBuilder();
  addValuesOfX(builder, chart, options, theme, isHorizontal);
  chart.fields.forEach((field) => addField(builder, field, theme, isHorizontal));
  builder.addHook('draw', (u) => drawing('bar', () => drawBars(u, { ...chart, options, theme, isHorizontal })));
  builder.setPrepData((frames) => frames);
  return builder;
}

/** Below this room for a bar the automatic orientation lays bars down. */
const isNarrow = ({ columns }, width) => width / columns[0].length < 20;

function addValuesOfX(builder, { x, columns }, options, theme, isHorizontal) {
  const texts = x.values.map((v) => shortened(formattedValueToString(x.display(v)), options.xTickLabelMaxLength));
  const rotation = isHorizontal ? 0 : (options.xTickLabelRotation ?? 0);
  const widest = Math.max(...texts.map((t) => measureText(t, AXIS_FONT).width));
  const isHidden = x.config.custom?.axisPlacement === 'hidden';
  builder.addScale({
    scaleKey: 'x',
    isTime: false,
    range: () => [-0.5, columns[0].length - 0.5],
    orientation: isHorizontal ? VERTICAL : HORIZONTAL,
    direction: isHorizontal ? DOWN_OR_LEFT : UP_OR_RIGHT,
  });
  builder.addAxis({
    scaleKey: 'x',
    isTime: false,
    placement: isHidden ? 'hidden' : isHorizontal ? 'left' : 'bottom',
    label: x.config.custom?.axisLabel,
    splits: () => columns[0],
    values: (_, splits) => splits.map((i) => texts[i] ?? ''),
    filter: (u, splits) => spaced(u, splits, options.xTickLabelSpacing ?? 0),
    grid: { show: false },
    ticks: { show: false },
    gap: 15,
    tickLabelRotation: -rotation,
    size: rotation ? Math.ceil(Math.abs(Math.sin((rotation * Math.PI) / 180)) * widest) + AXIS_FONT + 19 : undefined,
    theme,
  });
}

function shortened(text, length) {
  return length && text.length > length ? `${text.slice(0, length)}...` : text;
}

/** Leaves labels out so that there are so many pixels between two; 0 draws all of them. */
function spaced(u, splits, spacing) {
  if (!spacing) {
    return splits;
  }
  const room = u.bbox.width / uPlot.pxRatio / splits.length;
  const every = Math.max(1, Math.ceil(Math.abs(spacing) / room));
  const from = spacing < 0 ? (splits.length - 1) % every : 0;
  return splits.map((v, i) => (i % every === from ? v : null));
}

function addField(builder, field, theme, isHorizontal) {
  const { min, max, decimals, custom = {} } = field.config;
  const scaleKey = field.config.unit || '__fixed';
  builder.addScale({
    scaleKey,
    min,
    max,
    softMin: custom.axisSoftMin ?? 0,
    softMax: custom.axisSoftMax ?? 0,
    centeredZero: custom.axisCenteredZero,
    orientation: isHorizontal ? HORIZONTAL : VERTICAL,
    direction: UP_OR_RIGHT,
    decimals,
  });
  if (custom.axisPlacement !== 'hidden') {
    builder.addAxis({
      scaleKey,
      label: custom.axisLabel,
      size: custom.axisWidth,
      placement: placementOf(custom, isHorizontal),
      formatValue: (v, places) => formattedValueToString(field.display(v, places)),
      grid: { show: custom.axisGridShow },
      decimals,
      theme,
    });
  }
  builder.addSeries({
    scaleKey,
    theme,
    pathBuilder: () => null,
    pointsBuilder: () => undefined,
    drawStyle: 'bars',
    lineColor: getFieldSeriesColor(field, theme).color,
    show: true,
  });
}

function placementOf({ axisPlacement = 'auto' }, isHorizontal) {
  return isHorizontal ? (axisPlacement === 'right' ? 'top' : 'bottom') : axisPlacement;
}

export const barchart = panelPlugin(Bars, {
  color: FieldColorModeId.PaletteClassic,
  options: {
    orientation: 'auto',
    stacking: 'none',
    showValue: 'auto',
    groupWidth: 0.7,
    barWidth: 0.97,
    xTickLabelRotation: 0,
    xTickLabelSpacing: 0,
    legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
  },
  custom: {
    axisBorderShow: false,
    axisCenteredZero: false,
    axisColorMode: 'text',
    axisGridShow: undefined,
    axisLabel: '',
    axisPlacement: 'auto',
    axisSoftMax: undefined,
    axisSoftMin: undefined,
    axisWidth: undefined,
    fillOpacity: 80,
    gradientMode: 'none',
    hideFrom: { tooltip: false, viz: false, legend: false },
    lineWidth: 1,
  },
});
