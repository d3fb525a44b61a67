// Bands of states over time, after the documentation of Grafana's state timeline, on the library's uPlot parts.

import { FieldColorModeId, FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { UPlotChart, UPlotConfigBuilder, VizLayout, VizLegend, useTheme2 } from '@grafana/ui';
import { useMemo } from 'react';
import { drawing } from '../canvas.js';
import { panelPlugin } from '../fieldConfig.js';
import { drawBands } from './bands.js';
import { legendOf } from './legend.jsx';
import { NoData } from './noData.jsx';

const VERTICAL = 1; // as the schema numbers orientations of a scale
const DOWN = -1;
const STATES = [FieldType.string, FieldType.number, FieldType.boolean, FieldType.enum];

/** A row for each field of each frame: its name, and when which value begins and ends. */
export function rowsOf(frames, { mergeValues }, until) {
  const rows = [];
  for (const frame of frames) {
    const time = frame.fields.find((f) => f.type === FieldType.time);
    for (const field of time && frame.length ? frame.fields : []) {
      if (STATES.includes(field.type) && !field.config.custom?.hideFrom?.viz) {
        const name = getFieldDisplayName(field, frame, frames);
        rows.push({ name, field, bands: bandsOf(time.values, field, mergeValues, until) });
      }
    }
  }
  return rows;
}

function bandsOf(times, field, mergeValues, until) {
  const bands = [];
  times.forEach((from, i) => {
    const value = field.values[i];
    const last = bands.at(-1);
    if (value === undefined || (mergeValues && last && last.value === value)) {
      return;
    }
    if (last) {
      last.to = from;
    }
    bands.push({ value, from, to: until });
  });
  return bands.filter(({ value }) => value !== null);
}

function Timeline({ data, fieldConfig, height, options, timeRange, timeZone, width }) {
  const theme = useTheme2();
  const rows = useMemo(
    () => rowsOf(data.series, options, timeRange.to.valueOf()),
    [data.series, options, timeRange]
  );
  const config = useMemo(
    () => configured(rows, options, timeRange, timeZone, theme),
    [rows, options, timeRange, timeZone, theme]
  );
  if (!rows.length) {
    return <NoData data={data} fieldConfig={fieldConfig} needs={[FieldType.time]} />;
  }
  const columns = [[timeRange.from.valueOf(), timeRange.to.valueOf()], [0, 0]];
  return (
    <VizLayout width={width} height={height} legend={legend(rows, legendOf(options))}>
      {(plotWidth, plotHeight) => <UPlotChart config={config} data={columns} width={plotWidth} height={plotHeight} />}
    </VizLayout>
  );
}

/** A mark for each text that a state has, in its colour. */
function legend(rows, { showLegend, displayMode, placement }) {
  if (!showLegend || displayMode === 'hidden') {
    return null;
  }
  const colors = new Map();
  for (const { field, bands } of rows) {
    for (const { value } of bands) {
      const shown = field.display(value);
      colors.set(formattedValueToString(shown), shown.color);
    }
  }
  const items = [...colors].map(([label, color]) => ({ label, color, yAxis: 1 }));
  return (
    <VizLayout.Legend placement={placement}>
      <VizLegend placement={placement} items={items} displayMode={displayMode} />
    </VizLayout.Legend>
  );
}

function configured(rows, options, timeRange, timeZone, theme) {
  const builder = new UPlotConfigBuilder(timeZone);
  const custom = rows[0]?.field.config.custom ?? {};
  builder.addScale({
    scaleKey: 'x',
    isTime: true,
    orientation: 0,
    direction: 1,
    range: () => [timeRange.from.valueOf(), timeRange.to.valueOf()],
  });
  builder.addScale({
    scaleKey: 'rows',
    orientation: VERTICAL,
    direction: DOWN,
    range: () => [-0.5, rows.length - 0.5],
  });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: 'bottom', timeZone, theme, grid: { show: true } });
  builder.addAxis({
    scaleKey: 'rows',
    placement: custom.axisPlacement === 'hidden' ? 'hidden' : 'left',
    size: custom.axisWidth,
    splits: () => rows.map((_, i) => i),
    values: () => rows.map(({ name }) => name),
    grid: { show: false },
    ticks: { show: false },
    gap: 15,
    theme,
  });
  builder.addSeries({
    scaleKey: 'rows',
    theme,
    pathBuilder: () => null,
    pointsBuilder: () => undefined,
    drawStyle: 'line',
    lineColor: 'transparent',
    show: true,
  });
  builder.addHook('draw', (u) => drawing('band', () => drawBands(u, rows, options, theme)));
  builder.setPrepData((frames) => frames);
  return builder;
}

export const stateTimeline = panelPlugin(Timeline, {
  color: FieldColorModeId.Thresholds,
  options: {
    mergeValues: true,
    showValue: 'auto',
    alignValue: 'left',
    rowHeight: 0.9,
    legend: { showLegend: true, displayMode: 'list', placement: 'bottom' },
  },
  custom: {
    axisPlacement: 'auto',
    axisWidth: undefined,
    fillOpacity: 70,
    hideFrom: { tooltip: false, viz: false, legend: false },
    insertNulls: false,
    lineWidth: 0,
    spanNulls: false,
  },
});
