// The transformations of @grafana/data, and those of Grafana's core that our dashboards use, by their documentation.

import {
  FieldMatcherID,
  getFieldMatcher,
  standardTransformers,
  standardTransformersRegistry,
} from '@grafana/data';
import { map } from 'rxjs';
import { prepareTimeSeries } from './prepareTimeSeries.js';

/**
 * A frame for each combination of values of the given fields, which become labels (as they do if nobody says) or its name.
 * It is the first frame that is divided, and no other remains: those of other queries have to be kept by the
 * transformation's filter. A part is no longer found by its query: its refId is its name (grafana/grafana#106417).
 */
function partitioned(frames, { fields = [], keepFields = false, naming = { asLabels: true } }) {
  const [frame] = frames;
  if (!frame) {
    return frames;
  }
  const matches = getFieldMatcher({ id: FieldMatcherID.byNames, options: { names: fields } });
  const keys = frame.fields.filter((f) => matches(f, frame, frames));
  if (!keys.length) {
    return [frame];
  }
  const parts = new Map();
  for (let row = 0; row < frame.length; row++) {
    const values = keys.map((f) => f.values[row]);
    const key = JSON.stringify(values);
    if (!parts.has(key)) {
      parts.set(key, { values, rows: [] });
    }
    parts.get(key).rows.push(row);
  }
  return [...parts.values()].map(({ values, rows }) => {
    const labels = Object.fromEntries(keys.map((f, i) => [f.name, String(values[i])]));
    const name = naming.asLabels ? frame.name : values.join(' ');
    return {
      ...frame,
      name,
      refId: name,
      length: rows.length,
      fields: frame.fields
        .filter((f) => keepFields || !keys.includes(f))
        .map((f) => ({
          ...f,
          state: undefined,
          labels: naming.asLabels ? { ...f.labels, ...labels } : f.labels,
          values: rows.map((row) => f.values[row]),
        })),
    };
  });
}

const partitionByValues = {
  id: 'partitionByValues',
  name: 'Partition by values',
  defaultOptions: { keepFields: false },
  operator: (options) => (source) =>
    source.pipe(map((frames) => partitioned(frames, options))),
};

export function registerTransformations() {
  const found = [...Object.values(standardTransformers), partitionByValues, prepareTimeSeries];
  const byId = new Map(found.map((transformation) => [transformation.id, transformation])); // some have two names
  standardTransformersRegistry.setInit(() =>
    [...byId.values()].map((transformation) => ({
      id: transformation.id,
      name: transformation.name,
      editor: () => null,
      transformation,
    }))
  );
}
