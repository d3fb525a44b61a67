// A data source that asks the test program: it stands for whichever the dashboard names.

import { LoadingState, createDataFrame } from '@grafana/data';
import { RuntimeDataSource, sceneGraph, sceneUtils } from '@grafana/scenes';
import { from, map, of, startWith, switchMap } from 'rxjs';

const TEXTS = ['rawQueryText', 'queryText', 'query', 'expr'];
const registered = new Set();
let ask = '';
let unanswered = 0;

export const waitingForAnswers = () => unanswered;

export function askAt(address) {
  ask = address;
}

async function answered(what, question) {
  unanswered += 1;
  try {
    const answer = await fetch(`/ask/${what}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Ask': ask },
      body: JSON.stringify(question),
    });
    if (!answer.ok) {
      throw new Error(`${answer.status}: ${await answer.text()}`);
    }
    return await answer.json();
  } finally {
    unanswered -= 1;
  }
}

/** What the data sources add to the library's own variables. */
function builtIn(range) {
  const milliseconds = range.to.valueOf() - range.from.valueOf();
  const seconds = Math.round(milliseconds / 1000);
  return {
    __range_ms: { text: milliseconds, value: milliseconds },
    __range_s: { text: seconds, value: seconds },
    __range: { text: `${seconds}s`, value: `${seconds}s` },
    timeFilter: { value: `time >= ${range.from.valueOf()}ms and time <= ${range.to.valueOf()}ms` },
  };
}

function filledIn(target, { scopedVars, range }) {
  const scene = scopedVars.__sceneObject.value.valueOf();
  const known = { ...scopedVars, ...builtIn(range) };
  const done = { ...target };
  for (const key of TEXTS) {
    if (typeof target[key] === 'string') {
      done[key] = sceneGraph.interpolate(scene, target[key], known);
    }
  }
  return done;
}

class AskedDataSource extends RuntimeDataSource {
  annotations = {};

  query(request) {
    const targets = request.targets.filter((t) => !t.hide).map((t) => filledIn(t, request));
    const question = { targets, from_ms: request.range.from.valueOf(), to_ms: request.range.to.valueOf() };
    return from(answered('query', question)).pipe(map((answer) => response(answer, this.type, targets)));
  }

  async metricFindQuery(query, options) {
    const text = typeof query === 'string' ? query : query.query;
    const scene = options.scopedVars.__sceneObject.value.valueOf();
    const { values } = await answered('variable', { query: sceneGraph.interpolate(scene, text, options.scopedVars) });
    return values;
  }
}

function response({ frames, errors = {} }, type, targets) {
  return {
    data: frames.map((frame) => dataFrame(frame, type, targets.find((t) => t.refId === frame.refId))),
    errors: Object.entries(errors).map(([refId, message]) => ({ refId, message })),
  };
}

/** Prometheus and InfluxDB name a series by the legend or the alias, whatever its column is called. */
function dataFrame({ refId, name, fields }, type, target) {
  const isSeries = type === 'prometheus' ? target?.format !== 'table' : target?.resultFormat === 'time_series';
  return createDataFrame({
    refId,
    name,
    fields: fields.map((f) => ({
      name: f.name,
      type: f.type,
      values: f.values,
      labels: f.labels && Object.keys(f.labels).length ? f.labels : undefined,
      config: isSeries && f.type !== 'time' && name ? { displayNameFromDS: name } : {},
    })),
  });
}

export function registerDataSources(dashboard) {
  const places = [dashboard.templating?.list, dashboard.panels, dashboard.annotations?.list];
  for (const { datasource } of places.flat().filter(Boolean)) {
    if (datasource?.uid && !registered.has(datasource.uid)) {
      registered.add(datasource.uid);
      sceneUtils.registerRuntimeDataSource({ dataSource: new AskedDataSource(datasource.type, datasource.uid) });
    }
  }
}

/** A request to a data source, as states of a panel's data. */
export function runRequest(datasource, request) {
  const state = { state: LoadingState.Loading, series: [], request, timeRange: request.range };
  return of(null).pipe(
    switchMap(() => datasource.query(request)),
    map(({ data, errors }) => ({
      ...state,
      state: errors?.length ? LoadingState.Error : LoadingState.Done,
      series: data.filter((f) => f.meta?.dataTopic === undefined),
      annotations: data.filter((f) => f.meta?.dataTopic === 'annotations'),
      ...(errors?.length ? { errors, error: errors[0] } : {}),
    })),
    startWith(state)
  );
}
