// Grafana's *Prepare time series*, by its documentation: its code is AGPL and not in the libraries.

import { FieldType } from '@grafana/data';
import { map } from 'rxjs';

/** A frame of times and values for each column of numbers and each combination of texts, which become labels. */
function inMultiFrames(frame) {
  const time = frame.fields.find((f) => f.type === FieldType.time);
  if (!time) {
    return [];
  }
  const texts = frame.fields.filter((f) => f.type === FieldType.string);
  const rows = [...time.values.keys()].sort((a, b) => time.values[a] - time.values[b]);
  return frame.fields
    .filter((f) => f.type === FieldType.number || f.type === FieldType.boolean)
    .flatMap((number) => {
      const parts = new Map(texts.length ? [] : [['', rows]]);
      for (const row of texts.length ? rows : []) {
        const key = JSON.stringify(texts.map((f) => f.values[row]));
        parts.has(key) ? parts.get(key).push(row) : parts.set(key, [row]);
      }
      return [...parts.values()].map((part) => ({
        name: frame.name,
        refId: frame.refId,
        meta: frame.meta,
        length: part.length,
        fields: [
          { ...time, state: undefined, values: part.map((row) => time.values[row]) },
          {
            ...number,
            state: undefined,
            labels: texts.length ? Object.fromEntries(texts.map((f) => [f.name, f.values[part[0]]])) : number.labels,
            values: part.map((row) => number.values[row]),
          },
        ],
      }));
    });
}

export const prepareTimeSeries = {
  id: 'prepareTimeSeries',
  name: 'Prepare time series',
  defaultOptions: { format: 'multi' },
  operator: (options) => (source) =>
    source.pipe(
      map((frames) => {
        if (options.format !== 'multi') {
          throw new Error(`prepareTimeSeries: ${options.format} is asked for by no dashboard`);
        }
        return frames.flatMap(inMultiFrames);
      })
    ),
};
