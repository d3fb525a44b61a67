import { FieldColorModeId, FieldType, applyNullInsertThreshold, nullToValue, sortDataFrame } from '@grafana/data';
import { TimeSeries } from '@grafana/ui';
import { panelPlugin } from '../fieldConfig.js';
import { Annotations } from './annotations.jsx';
import { legendOf } from './legend.jsx';
import { NoData } from './noData.jsx';

/**
 * The frames with a time, ascending by it, and what of them are numbers. Grafana breaks lines (`insertNulls`) in each frame by
 * itself, over all of the range and what lies before it.
 */
function drawable(frames, { from, to }) {
  const done = [];
  for (const frame of frames) {
    const timeIndex = frame.fields.findIndex((f) => f.type === FieldType.time);
    if (timeIndex < 0 || !frame.length) {
      continue;
    }
    const ascending = sortDataFrame(frame, timeIndex);
    refuseEndless(ascending, timeIndex, to);
    const broken = nullToValue(
      applyNullInsertThreshold({
        frame: ascending,
        refFieldPseudoMin: from.valueOf(),
        refFieldPseudoMax: to.valueOf(),
      })
    );
    const fields = broken.fields.map((f) => (f.type === FieldType.boolean ? numeric(f) : f));
    const kept = fields.filter((f, i) => i === timeIndex || f.type === FieldType.number || f.type === FieldType.enum);
    if (kept.length > 1) {
      done.push({ ...broken, fields: kept });
    }
  }
  return done;
}

const MOST_ROWS = 2 ** 24; // of a Set, into which the library puts all times

/** Says at once what a browser would be busy with until it dies: a row each so many ms since the first one. */
function refuseEndless(frame, timeIndex, to) {
  const [step] = frame.fields.map((f) => f.config.custom?.insertNulls).filter(Boolean);
  const rows = (to.valueOf() - frame.fields[timeIndex].values[0]) / step;
  if (rows > MOST_ROWS) {
    throw new RangeError(`query ${frame.refId}: insertNulls makes ${Math.round(rows)} rows, more than a browser can hold`);
  }
}

const numeric = (field) => ({
  ...field,
  type: FieldType.number,
  values: field.values.map((v) => (v == null ? v : Number(v))),
});

function Lines({ data, fieldConfig, height, options, timeRange, timeZone, width }) {
  const frames = drawable(data.series, timeRange);
  if (!frames.length) {
    return <NoData data={data} fieldConfig={fieldConfig} needs={[FieldType.time, FieldType.number]} />;
  }
  return (
    <TimeSeries
      frames={frames}
      structureRev={data.structureRev}
      timeRange={timeRange}
      timeZone={timeZone}
      width={width}
      height={height}
      legend={legendOf(options)}
      options={options}
    >
      {(config) => <Annotations config={config} frames={data.annotations ?? []} />}
    </TimeSeries>
  );
}

export const timeseries = panelPlugin(Lines, {
  color: FieldColorModeId.PaletteClassic,
  options: { legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] } },
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
    barAlignment: 0,
    barMaxWidth: undefined,
    barWidthFactor: 0.6,
    drawStyle: 'line',
    fillBelowTo: undefined,
    fillOpacity: 0,
    gradientMode: 'none',
    hideFrom: { tooltip: false, viz: false, legend: false },
    insertNulls: false,
    lineInterpolation: 'linear',
    lineStyle: { fill: 'solid' },
    lineWidth: 1,
    pointSize: 5,
    scaleDistribution: { type: 'linear' },
    showPoints: 'auto',
    showValues: false,
    spanNulls: false,
    stacking: { mode: 'none', group: 'A' },
    thresholdsStyle: { mode: 'off' },
    transform: undefined,
  },
}).setDataSupport({ annotations: true, alertStates: false });
