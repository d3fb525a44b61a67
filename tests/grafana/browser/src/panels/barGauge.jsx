import {
  FieldColorModeId,
  ReducerID,
  VizOrientation,
  getDisplayProcessor,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
} from '@grafana/data';
import { BarGauge, DataLinksContextMenu, VizRepeater, useTheme2 } from '@grafana/ui';
import { panelPlugin } from '../fieldConfig.js';

const SPACING = { basic: 8, gradient: 8, lcd: 2 };

function Gauges({ data, fieldConfig, height, options, renderCounter, replaceVariables, timeZone, width }) {
  const theme = useTheme2();
  const getValues = () =>
    getFieldDisplayValues({
      fieldConfig,
      reduceOptions: options.reduceOptions,
      replaceVariables,
      theme,
      data: data.series,
      timeZone,
    });
  const renderValue = ({ value: { display, field, view, colIndex, hasLinks, getLinks }, ...rest }) => {
    const gauge = (api = {}) => (
      <BarGauge
        value={display}
        field={field}
        display={view?.getFieldDisplayProcessor(colIndex) ?? getDisplayProcessor({ field: { config: field }, theme })}
        text={options.text}
        theme={theme}
        orientation={rest.orientation}
        width={rest.width}
        height={rest.height}
        alignmentFactors={rest.alignmentFactors}
        displayMode={options.displayMode}
        valueDisplayMode={options.valueMode}
        namePlacement={options.namePlacement}
        showUnfilled={options.showUnfilled}
        itemSpacing={SPACING[options.displayMode]}
        onClick={api.openMenu}
        className={api.targetClassName}
      />
    );
    return hasLinks && getLinks ? (
      <DataLinksContextMenu style={{ height: '100%' }} links={getLinks}>
        {gauge}
      </DataLinksContextMenu>
    ) : (
      gauge()
    );
  };
  const isManual = options.sizing === 'manual';
  return (
    <VizRepeater
      source={data}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      getValues={getValues}
      renderValue={renderValue}
      renderCounter={renderCounter}
      width={width}
      height={height}
      maxVizHeight={isManual ? options.maxVizHeight : undefined}
      minVizWidth={isManual ? options.minVizWidth : undefined}
      minVizHeight={isManual ? options.minVizHeight : undefined}
      itemSpacing={10}
      orientation={options.orientation}
    />
  );
}

export const barGauge = panelPlugin(Gauges, {
  color: FieldColorModeId.Thresholds,
  options: {
    reduceOptions: { values: false, calcs: [ReducerID.lastNotNull], fields: '' },
    orientation: VizOrientation.Auto,
    displayMode: 'gradient',
    valueMode: 'color',
    namePlacement: 'auto',
    showUnfilled: true,
    sizing: 'auto',
    minVizWidth: 8,
    minVizHeight: 16,
    maxVizHeight: 300,
  },
});
