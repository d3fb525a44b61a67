import {
  FieldColorModeId,
  ReducerID,
  VizOrientation,
  getDisplayValueAlignmentFactors,
  getFieldDisplayValues,
} from '@grafana/data';
import {
  BigValue,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  DataLinksContextMenu,
  VizRepeater,
  useTheme2,
} from '@grafana/ui';
import { panelPlugin } from '../fieldConfig.js';

function Stat({ data, fieldConfig, height, options, renderCounter, replaceVariables, timeZone, width }) {
  const theme = useTheme2();
  const getValues = () =>
    getFieldDisplayValues({
      fieldConfig,
      reduceOptions: options.reduceOptions,
      replaceVariables,
      theme,
      data: data.series,
      sparkline: options.graphMode !== BigValueGraphMode.None,
      percentChange: options.showPercentChange,
      timeZone,
    });
  const renderValue = ({ value, ...rest }) => {
    const { hasLinks, getLinks } = value;
    const big = (api = {}) => (
      <BigValue
        value={value.display}
        count={rest.count}
        sparkline={value.sparkline && { ...value.sparkline }}
        colorMode={options.colorMode}
        graphMode={options.graphMode}
        justifyMode={options.justifyMode}
        textMode={options.textMode}
        alignmentFactors={rest.alignmentFactors}
        text={options.text}
        width={rest.width}
        height={rest.height}
        theme={theme}
        onClick={api.openMenu}
        className={api.targetClassName}
        disableWideLayout={!options.wideLayout}
      />
    );
    return hasLinks && getLinks ? <DataLinksContextMenu links={getLinks}>{big}</DataLinksContextMenu> : big();
  };
  return (
    <VizRepeater
      getValues={getValues}
      getAlignmentFactors={getDisplayValueAlignmentFactors}
      renderValue={renderValue}
      width={width}
      height={height}
      source={data}
      itemSpacing={3}
      renderCounter={renderCounter}
      autoGrid={true}
      orientation={options.orientation}
    />
  );
}


export const stat = panelPlugin(Stat, {
  color: FieldColorModeId.Thresholds,
  options: {
    reduceOptions: { values: false, calcs: [ReducerID.lastNotNull], fields: '' },
    orientation: VizOrientation.Auto,
    textMode: BigValueTextMode.Auto,
    wideLayout: true,
    colorMode: BigValueColorMode.Value,
    graphMode: BigValueGraphMode.Area,
    justifyMode: BigValueJustifyMode.Auto,
    showPercentChange: false,
  },
});
