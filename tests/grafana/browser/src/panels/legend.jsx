import { getFieldDisplayName, getFieldSeriesColor, formattedValueToString, reduceField, fieldReducers } from '@grafana/data';
import { VizLayout, VizLegend } from '@grafana/ui';

/** What a panel's options say of the legend, in the words of the library. */
export const legendOf = ({ legend = {} }) => ({
  showLegend: true,
  displayMode: 'list',
  placement: 'bottom',
  calcs: [],
  ...legend,
});

/** The legend of fields of one frame. */
export function fieldsLegend({ legend, frame, fields, theme }) {
  if (!legend.showLegend || legend.displayMode === 'hidden') {
    return null;
  }
  const items = fields
    .filter((f) => !f.config.custom?.hideFrom?.legend)
    .map((field) => {
      const label = getFieldDisplayName(field, frame);
      return {
        label,
        color: getFieldSeriesColor(field, theme).color,
        yAxis: 1,
        getItemKey: () => label,
        getDisplayValues: () => calculated(field, legend.calcs),
      };
    });
  return (
    <VizLayout.Legend placement={legend.placement} width={legend.width}>
      <VizLegend placement={legend.placement} items={items} displayMode={legend.displayMode} isSortable={true} />
    </VizLayout.Legend>
  );
}

function calculated(field, calcs) {
  if (!calcs?.length) {
    return [];
  }
  const results = reduceField({ field, reducers: calcs });
  return calcs.map((id) => {
    const shown = field.display(results[id]);
    return { ...shown, title: fieldReducers.get(id).name, text: formattedValueToString({ text: shown.text }) };
  });
}
