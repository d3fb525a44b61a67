// A scene of a dashboard's JSON, as Grafana makes one.

import { dateMath, rangeUtil } from '@grafana/data';
import {
  CustomVariable,
  ConstantVariable,
  QueryVariable,
  SceneDataLayerSet,
  SceneDataTransformer,
  SceneGridItem,
  SceneGridLayout,
  SceneObjectBase,
  SceneQueryRunner,
  SceneRefreshPicker,
  SceneTimePicker,
  SceneTimeRange,
  SceneTimeRangeTransformerBase,
  SceneVariableSet,
  TextBoxVariable,
  VariableValueSelectors,
  VizPanel,
  dataLayers,
  sceneGraph,
} from '@grafana/scenes';
import { Icon, PanelChrome } from '@grafana/ui';
import { Page } from './page.jsx';

/** A panel's own span ("timeFrom": the last hour, whatever is picked above; "timeShift": as much earlier). */
class PanelSpan extends SceneTimeRangeTransformerBase {
  static Component = ({ model }) => {
    const { said } = model.useState();
    return said ? (
      <PanelChrome.TitleItem>
        <Icon name="clock-nine" size="sm" /> {said}
      </PanelChrome.TitleItem>
    ) : null;
  };

  constructor({ timeFrom, timeShift, isHidden }) {
    const said = [
      timeFrom && rangeUtil.describeTimeRange({ from: `now-${timeFrom}`, to: 'now' }),
      timeShift && `timeshift -${timeShift}`,
    ];
    super({
      timeFrom,
      timeShift,
      from: 'now-1h',
      to: 'now',
      value: rangeUtil.convertRawToRange({ from: 'now-1h', to: 'now' }),
      said: isHidden ? '' : said.filter(Boolean).join(' '),
    });
  }

  ancestorTimeRangeChanged({ value }) {
    const { timeFrom, timeShift } = this.state;
    const zone = this.getTimeZone();
    let { raw, from, to } = value;
    if (timeFrom) {
      raw = { from: `now-${timeFrom}`, to: 'now' };
      ({ from, to } = rangeUtil.convertRawToRange(raw, zone));
    }
    if (timeShift) {
      from = dateMath.parseDateMath(`-${timeShift}`, from, false);
      to = dateMath.parseDateMath(`-${timeShift}`, to, true);
      raw = { from, to };
    }
    this.setState({ from: raw.from, to: raw.to, value: { from, to, raw } });
  }
}

export class Dashboard extends SceneObjectBase {
  static Component = Page;

  interpolated(text) {
    return sceneGraph.interpolate(this, text ?? '');
  }
}

export function sceneOf({ dashboard, time, variables = {}, others, kiosk }, zone) {
  const range = time ?? dashboard.time;
  return new Dashboard({
    title: dashboard.title,
    links: dashboard.links ?? [],
    others: others ?? [],
    kiosk,
    isPickerHidden: dashboard.timepicker?.hidden ?? false,
    $timeRange: new SceneTimeRange({
      from: moment(range.from),
      to: moment(range.to),
      timeZone: zone,
      weekStart: dashboard.weekStart || undefined,
    }),
    $variables: new SceneVariableSet({
      variables: (dashboard.templating?.list ?? []).map((v) => variableOf(v, variables[v.name])).filter(Boolean),
    }),
    $data: new SceneDataLayerSet({ layers: layersOf(dashboard.annotations?.list ?? []) }),
    selectors: new VariableValueSelectors({}),
    picker: new SceneTimePicker({}),
    refresh: new SceneRefreshPicker({
      refresh: dashboard.refresh,
      intervals: dashboard.timepicker?.refresh_intervals,
    }),
    body: new SceneGridLayout({ isLazy: false, children: dashboard.panels.map(gridItem) }),
  });
}

/** Annotations that a data source is asked for; Grafana's own ones, which people make by hand, there are none of. */
function layersOf(annotations) {
  return annotations
    .filter((query) => !query.builtIn)
    .map(
      (query) =>
        new dataLayers.AnnotationsDataLayer({
          key: `annotations-${query.name}`,
          name: query.name,
          query,
          isEnabled: Boolean(query.enable),
          isHidden: Boolean(query.hide),
        })
    );
}

/** Milliseconds and dates as a scene's range takes them; what is relative stays. */
function moment(given) {
  return /^\d+$/.test(String(given)) ? new Date(Number(given)).toISOString() : given;
}

function variableOf(variable, given) {
  const { name, label, hide, current } = variable;
  const value = given ?? current?.value ?? '';
  const shared = { name, label, hide, value, text: given ?? current?.text ?? '', isMulti: variable.multi };
  switch (variable.type) {
    case 'query': {
      const { query, datasource, regex, sort, refresh, includeAll, allValue } = variable;
      return new QueryVariable({ ...shared, query, datasource, regex, sort, refresh, includeAll, allValue });
    }
    case 'custom':
      return new CustomVariable({ ...shared, query: variable.query });
    case 'constant':
      return new ConstantVariable({ name, label, hide, value: given ?? variable.query });
    case 'textbox':
      return new TextBoxVariable({ name, label, hide, value: given ?? variable.query });
    default:
      console.error(`the host knows no variable of type ${variable.type}`);
      return null;
  }
}

function gridItem(panel) {
  const { x, y, w, h } = panel.gridPos;
  return new SceneGridItem({
    key: `grid-item-${panel.id}`,
    x,
    y,
    width: w,
    height: h,
    isDraggable: false,
    isResizable: false,
    body: vizPanel(panel),
  });
}

function vizPanel(panel) {
  const { id, title = '', description, type, options, fieldConfig, transparent, timeFrom, timeShift } = panel;
  return new VizPanel({
    key: `panel-${id}`,
    title,
    description,
    pluginId: type,
    options,
    fieldConfig: fieldConfig ?? { defaults: {}, overrides: [] },
    displayMode: transparent ? 'transparent' : 'default',
    hoverHeader: !title && !timeFrom && !timeShift,
    titleItems: panel.links?.length ? <PanelLinks links={panel.links} /> : undefined,
    $timeRange:
      timeFrom || timeShift
        ? new PanelSpan({ timeFrom, timeShift, isHidden: panel.hideTimeOverride ?? false })
        : undefined,
    $data: panel.targets?.length ? dataOf(panel) : undefined,
  });
}

function PanelLinks({ links }) {
  return (
    <PanelChrome.TitleItem href={links[0].url} title={links[0].title}>
      <Icon name="external-link-alt" size="md" />
    </PanelChrome.TitleItem>
  );
}

function dataOf(panel) {
  return new SceneDataTransformer({
    transformations: panel.transformations ?? [],
    $data: new SceneQueryRunner({
      datasource: panel.datasource,
      queries: panel.targets,
      maxDataPoints: panel.maxDataPoints,
      maxDataPointsFromWidth: true,
      minInterval: panel.interval,
      dataLayerFilter: { panelId: panel.id },
    }),
  });
}
