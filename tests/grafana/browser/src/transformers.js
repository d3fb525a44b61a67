// The transformations of @grafana/data, and those of Grafana's core that our dashboards use, by their documentation.

import { standardTransformers, standardTransformersRegistry } from '@grafana/data';
import { prepareTimeSeries } from './prepareTimeSeries.js';

export function registerTransformations() {
  const found = [...new Set(Object.values(standardTransformers)), prepareTimeSeries];
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
