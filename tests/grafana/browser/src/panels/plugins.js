// Every type of panel that our dashboards use.

import { sceneUtils } from '@grafana/scenes';
import { barchart } from './barchart.jsx';
import { stat } from './stat.jsx';
import { stateTimeline } from './stateTimeline.jsx';
import { table } from './table.jsx';
import { text } from './text.jsx';
import { timeseries } from './timeseries.jsx';

const PANELS = { barchart, stat, 'state-timeline': stateTimeline, table, text, timeseries };

export function registerPanels() {
  for (const [pluginId, plugin] of Object.entries(PANELS)) {
    sceneUtils.registerRuntimePanelPlugin({ pluginId, plugin });
  }
}
