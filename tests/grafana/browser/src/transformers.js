// The transformations of @grafana/data, and those of Grafana's core that our dashboards use, by their documentation.

import {
  FieldMatcherID,
  getFieldMatcher,
  standardTransformers,
  standardTransformersRegistry,
} from '@grafana/data';
import { map } from 'rxjs';

/** A frame for each combination of values of the given fields, which become labels or part of its name. */
function partitioned(frame, frames, { fields = [], keepFields = false, naming = {} }) {
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
    return {
      ...frame,
      name: naming.asLabels ? frame.name : values.join(' '),
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
    source.pipe(map((frames) => frames.flatMap((frame) => partitioned(frame, frames, options)))),
};

export function registerTransformations() {
  standardTransformersRegistry.setInit(() =>
    [...Object.values(standardTransformers), partitionByValues].map((transformation) => ({
      id: transformation.id,
      name: transformation.name,
      editor: () => null,
      transformation,
    }))
  );
}
